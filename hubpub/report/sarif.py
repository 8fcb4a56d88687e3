"""SARIF 2.1.0, which GitHub code scanning and many editors read.

See https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from hubpub import __version__
from hubpub.core.findings import Edit, Finding, Fix, Severity
from hubpub.core.rule import Rule
from hubpub.report.judged import Judged

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SPECIAL = re.compile(r"\[(?=[^\[\]]{0,1000}\]\()|\{[0-9]+\}")
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(all_judged: Sequence[Judged], rules: Mapping[str, Rule[Any]]) -> str:
    """One run with the findings of all reports.

    Args:
        all_judged: the reports.
        rules: the rules that may be named in them, by code; those that are not named are left out.
    """
    named = sorted({finding.rule for judged in all_judged for finding in judged.report.findings} & set(rules))
    index = {code: number for number, code in enumerate(named)}
    run = {
        "tool": {
            "driver": {
                "name": "hubpub",
                "semanticVersion": _semantic(__version__),
                "rules": [_rule(rules[code]) for code in named],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": f"not checked: {skip.what}: {skip.reason}"}}
                    for judged in all_judged
                    for skip in judged.report.skipped
                ],
            }
        ],
        "results": [
            _result(judged, finding, fingerprint, index)
            for judged in all_judged
            for finding, fingerprint in zip(judged.report.findings, judged.fingerprints(), strict=True)
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _semantic(version: str) -> str:
    """0.1.0.dev0 as 0.1.0-dev0: what SARIF takes for a version."""
    return version.replace(".dev", "-dev")


def _rule(rule: Rule[Any]) -> dict[str, Any]:
    text = f"{rule.why}\n\nBad:\n\n{rule.bad}\n\nGood:\n\n{rule.good}\n\nWhat to do: {rule.hint}"
    return {
        "id": rule.code,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "help": {"text": text},
        **({"helpUri": rule.source} if rule.source.startswith("https://") else {}),
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": [rule.code.rstrip("0123456789").lower()]},
    }


def _result(judged: Judged, finding: Finding, fingerprint: str, index: Mapping[str, int]) -> dict[str, Any]:
    region = {"startLine": max(finding.line or 1, 1)}
    if finding.column is not None:
        region["startColumn"] = max(finding.column, 1)
    hint = f" ({finding.hint})" if finding.hint else ""
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _unlinked(finding.message + hint)},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": _uri(judged.place(finding))}, "region": region}}
        ],
        "partialFingerprints": {"hubpub/v1": fingerprint},
    }
    if finding.rule in index:
        result["ruleIndex"] = index[finding.rule]
    if finding.fix and finding.fix.edits:
        result["fixes"] = [_fix(judged, finding, finding.fix)]
    return result


def _fix(judged: Judged, finding: Finding, fix: Fix) -> dict[str, Any]:
    changes: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        place = f"{judged.base.rstrip('/')}/{edit.path}" if judged.base else edit.path
        changes.setdefault(place, []).append(edit)
    return {
        "description": {"text": fix.description},
        "artifactChanges": [
            {
                "artifactLocation": {"uri": _uri(place)},
                "replacements": [
                    {
                        "deletedRegion": {"charOffset": edit.start, "charLength": edit.end - edit.start},
                        "insertedContent": {"text": edit.text},
                    }
                    for edit in edits
                ],
            }
            for place, edits in changes.items()
        ],
    }


def _unlinked(text: str) -> str:
    """Text in which nothing is a link or a placeholder as SARIF writes them: [text](1), {0}."""
    return _SPECIAL.sub(lambda match: f"\\{match[0]}" if match[0] == "[" else f"{{{match[0]}}}", text)


def _uri(path: str) -> str:
    if "://" in path:
        return quote(path, safe="/:@?&=%#~+")
    return quote(path.removeprefix("./").replace("\\", "/"), safe="/", errors="replace")
