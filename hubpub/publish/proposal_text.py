"""The description of a pull request: the plan and what the checks found, as Markdown that is bounded in size."""

from __future__ import annotations

from hubpub.core.report import Report
from hubpub.core.wording import counted
from hubpub.publish.markdown import code, fenced, plain
from hubpub.publish.plan import Plan

_MOST_FILES = 50
_MOST_FINDINGS = 30
_MOST_DIFF = 80


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
        f"Proposed by hubpub: {counted(len(plan.changes), 'file')} to change, {len(plan.unchanged):,} unchanged, "
        f"{len(plan.delete):,} to delete; {counted(plan.bytes_to_send, 'byte')}. The release was compared with "
        f"this branch, path, size and hash: {counted(verified, 'file')}.\n",
        "### Files\n",
        "| file | | bytes |\n|---|---|---:|",
        *(f"| {code(path)} | {plain(what)} | {size:,} |" for path, what, size in rows[:_MOST_FILES]),
        left,
        *_stale(plan),
        f"### Card\n\n{plain(plan.card.note)}\n",
        fenced(plan.card.diff.splitlines(), "diff", _MOST_DIFF),
        f"### Checks\n\n{report}",
        "\nRunning the same push again updates this pull request. The release is tagged after it is merged.",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _stale(plan: Plan) -> list[str]:
    """What stays of older releases though loaders may take it, and what would be done about it."""
    if not plan.stale:
        return []
    rows = [f"- {code(item.path)} ({item.size:,} bytes): {plain(item.reason)}" for item in plan.stale[:_MOST_FILES]]
    if len(plan.stale) > _MOST_FILES:
        rows.append(f"- and {len(plan.stale) - _MOST_FILES:,} more")
    return [
        "### Left by an older release\n",
        "These files stay; a push with `--delete-stale` deletes them.\n",
        *rows,
        "",
    ]


def findings_in_markdown(report: Report) -> str:
    """What the checks found, worst first, as a list."""
    lines = [f"{report.summary}.", ""]
    lines += [
        f"- **{finding.severity.value}** {code(finding.rule)} {code(finding.path or '')}: {code(finding.message)}"
        for finding in report.findings[:_MOST_FINDINGS]
    ]
    if len(report.findings) > _MOST_FINDINGS:
        lines.append(f"- and {len(report.findings) - _MOST_FINDINGS:,} more")
    lines += [f"- not checked: {code(f'{skip.what}: {skip.reason}')}" for skip in report.skipped[:_MOST_FINDINGS]]
    return "\n".join(lines)
