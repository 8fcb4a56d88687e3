"""GitHub's annotations: one workflow command per finding.

See https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands. A message or a path from a
card could hold a command of its own, so what separates the parts of a command is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence

from hubpub.core.findings import Severity
from hubpub.report.excerpt import printable
from hubpub.report.judged import Judged

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(all_judged: Sequence[Judged]) -> str:
    """One line per finding."""
    return "".join(_annotations(judged) for judged in all_judged)


def _annotations(judged: Judged) -> str:
    lines = []
    for finding in judged.report.findings:
        parts = [f"file={_property(judged.place(finding))}"]
        if finding.line is not None:
            parts.append(f"line={finding.line}")
        if finding.column is not None:
            parts.append(f"col={finding.column}")
        parts.append(f"title={_property(f'{finding.rule} {finding.name}')}")
        hint = f"\n→ {printable(finding.hint)}" if finding.hint else ""
        message = _data(printable(finding.message) + hint)
        lines.append(f"::{_COMMANDS[finding.severity]} {','.join(parts)}::{message}\n")
    return "".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
