"""The terminal format: findings worst first, one place and one next step each, and a line that sums up."""

from __future__ import annotations

from collections.abc import Callable

from hubpub.core.findings import Finding, Severity
from hubpub.core.report import Report

Style = Callable[[str, str], str]

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def plain(text: str, _colour: str) -> str:
    """The style of a pipe or a file: no colour."""
    return text


def printable(text: str) -> str:
    """`text` on one line and without control characters: a file's name must not steer the terminal."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def render_findings(report: Report, style: Style = plain) -> str:
    """The findings and what was skipped, without the verdict; each line ends in a newline."""
    lines = [line for finding in report.findings for line in _finding(finding, style)]
    lines += [
        f"{style('not checked', 'magenta')} {printable(skip.what)}: {printable(skip.reason)}" for skip in report.skipped
    ]
    return "".join(line + "\n" for line in lines)


def render_report(report: Report, style: Style = plain) -> str:
    """The whole report as text that ends in a newline."""
    verdict = style("ok", "green") if report.ok else style("failed", "red")
    summary = f"{verdict}: {printable(report.target)}: {report.summary} in {report.seconds:.2f} s\n"
    return render_findings(report, style) + summary


def _finding(finding: Finding, style: Style) -> list[str]:
    head = style(finding.severity.value, _COLOURS[finding.severity])
    tensor = f" [{printable(finding.tensor)}]" if finding.tensor else ""
    lines = [f"{head} {finding.rule} {printable(_placed(finding))}{tensor}"]
    if finding.hint:
        lines.append(f"    {style('→', 'cyan')} {printable(finding.hint)}")
    return lines


def _placed(finding: Finding) -> str:
    """The message with its place in front, as path:line:column; a path that opens the message is not said twice."""
    place = ":".join(str(part) for part in (finding.path, finding.line, finding.column) if part is not None)
    if finding.path and finding.message.startswith(finding.path + " "):
        return place + finding.message.removeprefix(finding.path)
    return f"{place}: {finding.message}" if place else finding.message
