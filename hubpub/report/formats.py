"""The formats of a report, by the names that --format takes."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hubpub.core.errors import UsageError
from hubpub.core.report import reports_to_json
from hubpub.core.rule import Rule
from hubpub.report.judged import Judged
from hubpub.report.text import Style, plain, render_concise, render_judged

FINDING_SCHEMA = "hubpub.finding/1"


def render(
    all_judged: Sequence[Judged],
    output_format: str,
    *,
    style: Style = plain,
    rules: Mapping[str, Rule[Any]] | None = None,
    show_fixes: bool = False,
) -> str:
    """The reports in a format; text that ends in a newline.

    Args:
        all_judged: the reports.
        output_format: a name of a format.
        style: puts text into a colour; for the formats of a terminal.
        rules: the rules that may be named, by code; only SARIF tells of them.
        show_fixes: whether the text says what each fix would do.

    Raises:
        UsageError: the reports are not about what the format shows.
    """
    match output_format:
        case "text":
            return "".join(render_judged(judged, style, show_fixes=show_fixes) for judged in all_judged)
        case "concise":
            return "".join(render_concise(judged, style) for judged in all_judged)
        case "json":
            reports = [judged.report for judged in all_judged]
            return _json(reports[0].to_json() if len(reports) == 1 else reports_to_json(reports))
        case "jsonl":
            return "".join(_json_lines(judged) for judged in all_judged)
        case "sarif":
            from hubpub.report.sarif import render_sarif

            return render_sarif(all_judged, rules or {})
        case "badge" | "badge-json":
            return _badge(all_judged, output_format)
        case _:
            # each of the others is a module with one function, and most runs need none of them
            module = importlib.import_module(f"hubpub.report.{output_format}")
            text: str = getattr(module, f"render_{output_format}")(all_judged)
            return text


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _json_lines(judged: Judged) -> str:
    lines = []
    for finding, fingerprint in zip(judged.report.findings, judged.fingerprints(), strict=True):
        line = {
            "schema": FINDING_SCHEMA,
            "target": judged.report.target,
            "file": judged.place(finding),
            "fingerprint": fingerprint,
            **finding.to_json(),
        }
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)


def _badge(all_judged: Sequence[Judged], output_format: str) -> str:
    """How many sections are filled; of several cards, all together."""
    facts = [judged.report.facts for judged in all_judged]
    if not all("sections_filled" in fact for fact in facts):
        raise UsageError("a badge is about a model card", "use it with `hubpub lint`")
    filled = sum(fact["sections_filled"] for fact in facts)
    total = sum(fact["sections_required"] for fact in facts)
    from hubpub.report.badge import badge_json, badge_svg

    return badge_svg(filled, total) if output_format == "badge" else _json(badge_json(filled, total))
