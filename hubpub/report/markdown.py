"""Markdown for a comment on a pull request. Its first line is a mark, so that a bot can find its comment again."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from hubpub.core.findings import Finding, Severity
from hubpub.report.excerpt import printable
from hubpub.report.judged import Judged

MARK = "<!-- hubpub-report -->"

_ICONS = {Severity.ERROR: "❌ error", Severity.WARNING: "⚠️ warning", Severity.INFO: "ℹ️ info"}
# A comment on GitHub holds 65,536 characters.
_MOST = 50_000
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+!|~-])")
# What GitHub makes a link, a mention or a reference of, although nothing marks it as one.
_AUTOLINKS = re.compile(r"(?<=@)(?=\w)|(?<=#)(?=\d)|(?=://)|(?<=www)(?=\.)", re.IGNORECASE)


def render_markdown(all_judged: Sequence[Judged]) -> str:
    """A heading that sums up, and a table per report."""
    ok = all(judged.report.ok for judged in all_judged)
    many = len(all_judged) > 1
    parts = [f"{MARK}\n### {'✅' if ok else '❌'} hubpub: {_summary(all_judged)}\n"]
    size, left = 0, 0
    for judged in all_judged:
        report = judged.report
        if not (report.findings or report.skipped or many or "sections_filled" in report.facts):
            continue
        filled = (
            f" · {report.facts['sections_filled']} of {report.facts['sections_required']} sections filled"
            if "sections_filled" in report.facts
            else ""
        )
        rows = [f"\n**{_escaped(report.target)}**: {report.summary}{filled}\n"]
        if report.findings:
            rows.append("\n| | Rule | Where | What |\n|---|---|---|---|\n")
        for finding in report.findings:
            row = _row(judged, finding)
            if size + len(row) > _MOST:
                left += 1
                continue
            rows.append(row)
            size += len(row)
        rows += [f"\n- not checked: {_escaped(skip.what)}: {_escaped(skip.reason)}\n" for skip in report.skipped]
        parts.append("".join(rows))
    if left:
        parts.append(f"\nand {left:,} more that do not fit here.\n")
    parts.append("\n<sub>`hubpub rule CODE` explains a finding.</sub>\n")
    return "".join(parts)


def _summary(all_judged: Sequence[Judged]) -> str:
    counts = dict.fromkeys(Severity, 0)
    for judged in all_judged:
        for finding in judged.report.findings:
            counts[finding.severity] += 1
    words = [
        f"{number} {severity.value}{'' if number == 1 or severity is Severity.INFO else 's'}"
        for severity, number in counts.items()
        if number
    ]
    return ", ".join(words) or "no findings"


def _row(judged: Judged, finding: Finding) -> str:
    place = ":".join(str(part) for part in (judged.place(finding), finding.line) if part is not None)
    tensor = f" {_code(finding.tensor)}" if finding.tensor else ""
    hint = f"<br>→ {_escaped(finding.hint)}" if finding.hint else ""
    return (
        f"| {_ICONS[finding.severity]} | `{finding.rule}` {finding.name} | {_code(place)} | "
        f"{_escaped(finding.message)}{tensor}{hint} |\n"
    )


def _escaped(text: str) -> str:
    """Text that stays text: no markup, no HTML, no cell of its own, nobody mentioned."""
    marked = _MARKUP.sub(r"\\\1", _AUTOLINKS.sub("\0", printable(text)).replace("&", "&amp;"))
    return marked.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\|", "&#124;").replace("\0", "<!-- -->")


def _code(text: str) -> str:
    """Text as code. In HTML, as a code span would end at a backtick, and a cell at a pipe."""
    escaped = html.escape(printable(text)).replace("|", "&#124;").replace("`", "&#96;")
    return f"<code>{_MARKUP_IN_CODE.sub(lambda match: f'&#{ord(match[0])};', escaped)}</code>"


_MARKUP_IN_CODE = re.compile(r"[\\*_\[\]~@:]")
