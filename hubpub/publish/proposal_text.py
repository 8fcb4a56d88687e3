"""The description of a pull request: the plan and what the checks found, as Markdown that is bounded in size."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hubpub.core.report import Report
from hubpub.publish.plan import Plan

_MOST_FILES = 50
_MOST_FINDINGS = 30
_MOST_DIFF = 80
_LONGEST = 300


def describe_proposal(plan: Plan, report: str, mark: str, verified: int) -> str:
    """The description; its first line is the mark by which the pull request is known again."""
    rows = [
        *((file.path, "add", file.size) for file in plan.add),
        *((file.path, "replace", file.size) for file in plan.replace),
        *((item.path, f"delete: {item.reason}", item.size) for item in plan.delete),
    ]
    left = f"\nand {len(rows) - _MOST_FILES:,} more\n" if len(rows) > _MOST_FILES else ""
    parts = [
        mark,
        f"Proposed by hubpub: {len(plan.changes):,} files to change, {len(plan.unchanged):,} unchanged, "
        f"{len(plan.delete):,} to delete; {plan.bytes_to_send:,} bytes. All {verified:,} files of the release were "
        "compared with this branch: path, size and hash.\n",
        "### Files\n",
        "| file | | bytes |\n|---|---|---:|",
        *(f"| {_code(path)} | {_plain(what)} | {size:,} |" for path, what, size in rows[:_MOST_FILES]),
        left,
        f"### Card\n\n{_plain(plan.card.note)}\n",
        _fenced(plan.card.diff.splitlines()),
        f"### Checks\n\n{report}",
        "\nRunning the same push again updates this pull request. The release is tagged after it is merged.",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def findings_in_markdown(report: Report) -> str:
    """What the checks found, worst first, as a list."""
    lines = [f"{report.summary}.", ""]
    lines += [
        f"- **{finding.severity.value}** {_code(finding.rule)} {_code(finding.path or '')}: {_code(finding.message)}"
        for finding in report.findings[:_MOST_FINDINGS]
    ]
    if len(report.findings) > _MOST_FINDINGS:
        lines.append(f"- and {len(report.findings) - _MOST_FINDINGS:,} more")
    lines += [f"- not checked: {_code(f'{skip.what}: {skip.reason}')}" for skip in report.skipped[:_MOST_FINDINGS]]
    return "\n".join(lines)


def _fenced(lines: list[str]) -> str:
    """A diff that nothing in it can end early."""
    if not lines:
        return ""
    shown = [_one_line(line) for line in lines[:_MOST_DIFF]]
    if len(lines) > _MOST_DIFF:
        shown.append(f"and {len(lines) - _MOST_DIFF:,} more lines")
    fence = "`" * max(3, _longest_run(shown) + 1)
    return "\n".join((f"{fence}diff", *shown, fence, ""))


def _code(text: str) -> str:
    """Text of others as code: no markup, no mention and no link of it is one; a bar would end the cell of a table."""
    line = _one_line(text).replace("|", "¦")
    if not line:
        return ""
    ticks = "`" * (_longest_run([line]) + 1)
    edge = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{edge}{line}{edge}{ticks}"


def _plain(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|@])", r"\\\1", _one_line(text))


def _one_line(text: str) -> str:
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"


def _longest_run(lines: Iterable[str]) -> int:
    return max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
