"""Rollbacks as text: what one would do, and what it did."""

from __future__ import annotations

from hubpub.core.wording import counted, size
from hubpub.publish.remote import RemoteFile
from hubpub.publish.rollback import RollbackPlan, RollbackReceipt
from hubpub.report.excerpt import printable
from hubpub.report.text import Style, plain

_SHOWN = 20


def render_rollback_plan(plan: RollbackPlan, style: Style = plain) -> str:
    """What a rollback would do, file by file; text that ends in a newline."""
    lines = [
        f"{style('plan', 'cyan')} {plan.endpoint}/{plan.repo_id} ({plan.revision}; from {plan.head[:12]} back to"
        f" {printable(plan.to)}, {plan.target[:12]})"
    ]
    lines += _listed(plan.add, style("+", "green"))
    lines += _listed(plan.replace, style("~", "yellow"))
    lines += _listed(plan.delete, style("-", "red"))
    if plan.unchanged:
        lines.append(f"  = {counted(len(plan.unchanged), 'file')} unchanged")
    if plan.makes_commit:
        lines.append(f"  one commit: {size(plan.copied)} copied within the hub, {size(plan.sent)} of small files")
    else:
        lines.append("  no commit: the branch holds exactly these files")
    return "\n".join(lines) + "\n"


def render_rollback(receipt: RollbackReceipt, style: Style = plain) -> str:
    """What a rollback did; text that ends in a newline."""
    plan = receipt.plan
    if receipt.published:
        done = f"restored {counted(len(plan.changes), 'file')} and deleted {len(plan.delete):,} in one commit"
    else:
        done = f"nothing to do: {plan.revision} holds the files of {printable(plan.to)} already"
    return (
        f"{style('done', 'green')}: {done}, {counted(receipt.verified, 'file')} verified, {receipt.seconds:.1f} s\n"
        f"  repo    {plan.repo_id}\n"
        f"  commit  {receipt.commit}\n"
        f"  look    {plan.endpoint}/{plan.repo_id}\n"
    )


def _listed(files: tuple[RemoteFile, ...], mark: str) -> list[str]:
    lines = [f"  {mark} {printable(file.path)} ({size(file.size)})" for file in files[:_SHOWN]]
    return lines + ([f"  {mark} and {len(files) - _SHOWN:,} more"] if len(files) > _SHOWN else [])
