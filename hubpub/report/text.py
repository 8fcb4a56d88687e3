"""The terminal formats: findings worst first, one place and one next step each, and a line that sums up."""

from __future__ import annotations

from collections.abc import Callable

from hubpub.core.findings import Finding, Severity
from hubpub.core.report import Report
from hubpub.report.excerpt import excerpt, printable
from hubpub.report.judged import Judged

Style = Callable[[str, str], str]

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def plain(text: str, _colour: str) -> str:
    """The style of a pipe or a file: no colour."""
    return text


def render_findings(report: Report, style: Style = plain) -> str:
    """The findings and what was skipped, without the verdict; each line ends in a newline."""
    return _findings(Judged(report), style, show_fixes=False)


def render_report(report: Report, style: Style = plain) -> str:
    """The whole report as text that ends in a newline."""
    return render_judged(Judged(report), style)


def render_judged(judged: Judged, style: Style = plain, *, show_fixes: bool = False) -> str:
    """As `render_report`, with the source lines that are at hand, and what the fixes would do if it is asked for."""
    report = judged.report
    verdict = style("ok", "green") if report.ok else style("failed", "red")
    notes = [f"{report.summary} in {report.seconds:.2f} s"]
    if "sections_filled" in report.facts:
        notes.append(f"{report.facts['sections_filled']} of {report.facts['sections_required']} sections filled")
    notes += _fixable(report)
    return _findings(judged, style, show_fixes) + f"{verdict}: {printable(report.target)}: {'; '.join(notes)}\n"


def render_concise(judged: Judged, style: Style = plain) -> str:
    """One line per finding, as editors and grep like them: path:line:column: severity CODE message."""
    lines = []
    for finding in judged.report.findings:
        place = ":".join(
            str(part) for part in (judged.place(finding), finding.line, finding.column) if part is not None
        )
        severity = style(finding.severity.value, _COLOURS[finding.severity])
        tensor = f" [{printable(finding.tensor)}]" if finding.tensor else ""
        fixable = " [*]" if finding.fix else ""
        message = f"{printable(finding.message)}{tensor}{fixable}"
        lines.append(f"{printable(place)}: {severity} {finding.rule} {message}\n")
    return "".join(lines)


def _fixable(report: Report) -> list[str]:
    safe = sum(1 for finding in report.findings if finding.fix and finding.fix.safe)
    unsafe = sum(1 for finding in report.findings if finding.fix and not finding.fix.safe)
    notes = [f"--fix mends {safe}"] if safe else []
    return notes + ([f"--fix --unsafe-fixes mends {unsafe}{' more' if safe else ''}"] if unsafe else [])


def _findings(judged: Judged, style: Style, show_fixes: bool) -> str:
    lines = [line for finding in judged.report.findings for line in _finding(judged, finding, style, show_fixes)]
    lines += [
        f"{style('not checked', 'magenta')} {printable(skip.what)}: {printable(skip.reason)}"
        for skip in judged.report.skipped
    ]
    return "".join(line + "\n" for line in lines)


def _finding(judged: Judged, finding: Finding, style: Style, show_fixes: bool) -> list[str]:
    head = style(finding.severity.value, _COLOURS[finding.severity])
    tensor = f" [{printable(finding.tensor)}]" if finding.tensor else ""
    lines = [f"{head} {finding.rule} {printable(_placed(finding))}{tensor}"]
    shown = excerpt(judged.line_of(finding), finding)
    if shown:
        number = f"{finding.line:>6}"
        lines.append(f"{style(f'{number} |', 'cyan')} {shown.text}")
        if shown.caret is not None:
            bar = " " * len(number) + " |"
            lines.append(f"{style(bar, 'cyan')} {' ' * shown.caret}{style('^', _COLOURS[finding.severity])}")
    if finding.hint:
        lines.append(f"    {style('→', 'cyan')} {printable(finding.hint)}")
    if show_fixes and finding.fix:
        safety = "--fix" if finding.fix.safe else "--fix --unsafe-fixes"
        lines.append(f"    {style('✎', 'cyan')} {safety}: {printable(finding.fix.description)}")
    return lines


def _placed(finding: Finding) -> str:
    """The message with its place in front, as path:line:column; a path that opens the message is not said twice."""
    place = ":".join(str(part) for part in (finding.path, finding.line, finding.column) if part is not None)
    if finding.path and finding.message.startswith((finding.path + " ", finding.path + ": ")):
        return place + finding.message.removeprefix(finding.path)
    return f"{place}: {finding.message}" if place else finding.message
