"""Plans and receipts as text: what a push would do, and what it did."""

from __future__ import annotations

from hubpub.card.document import Card
from hubpub.card.sections import score
from hubpub.core.wording import counted, listed, size
from hubpub.publish.card import CardSource
from hubpub.publish.local import LocalFile
from hubpub.publish.plan import Plan
from hubpub.publish.proposal import Proposal
from hubpub.publish.receipt import Receipt
from hubpub.publish.stale import Stale
from hubpub.publish.visibility import GATINGS
from hubpub.report.excerpt import printable
from hubpub.report.text import Style, plain
from hubpub.report.verification import render_loaded

_SHOWN = 20
_DIFF_SHOWN = 60
_FINISH = {
    CardSource.FOLDER: "`hubpub lint` names the rest",
    CardSource.HUB: "`hubpub lint` names the rest",
    CardSource.MERGED: "`hubpub lint` names the rest",
    CardSource.RENDERED: "`hubpub card PATH --write` puts it here to be finished",
}


def render_plan(plan: Plan, style: Style = plain, *, proposed: bool = False) -> str:
    """What a push would do, or, `proposed`, a pull request, file by file; text that ends in a newline."""
    visibility = "private" if plan.private else "public"
    state = f"would be created, {visibility}" if plan.creates_repo else f"{visibility}, at {plan.base}"
    lines = [f"{style('plan', 'cyan')} {plan.url} ({plan.revision}; {state})"]
    if plan.gated:
        lines.append(f"  gated: {plan.gated}, {GATINGS[plan.gated]}")
    lines += _listed("add", plan.add, style("+", "green"))
    lines += _listed("replace", plan.replace, style("~", "yellow"))
    if plan.unchanged:
        lines.append(f"  = {counted(len(plan.unchanged), 'file')} unchanged")
    told = {item.path for item in plan.stale + plan.older}
    if kept := [path for path in plan.kept if path not in told]:
        lines.append(f"  = {counted(len(kept), 'file')} only on the hub, kept: {_names(kept)}")
    lines += _told(plan.delete, style("-", "red"), "deleted")
    lines += _told(plan.stale, style("!", "yellow"), "stale")
    if plan.stale:
        lines.append("    → nothing of it is deleted; --delete-stale does so, in the same commit")
    lines += _told(plan.older, "·", "stays")
    lines += [f"  · {printable(item.path)} is left out: {item.reason}" for item in plan.left_out[:_SHOWN]]
    if len(plan.left_out) > _SHOWN:
        lines.append(f"  · and {len(plan.left_out) - _SHOWN:,} more are left out; --json lists all")
    lines.append(f"  card: {_card(plan)}")
    lines += _diff(plan.card.diff, style)
    if plan.tag:
        lines.append(f"  tag: {plan.tag}")
    if plan.makes_commit:
        gone = f", {counted(len(plan.delete), 'file')} deleted" if plan.delete else ""
        where = "a pull request" if proposed else "one commit"
        lines.append(f"  {where}: {counted(len(plan.changes), 'file')}{gone}, {size(plan.bytes_to_send)} to send")
    else:
        lines.append("  no commit: the hub holds all of this already")
    return "\n".join(lines) + "\n"


def render_receipt(receipt: Receipt, style: Style = plain, where: str | None = None) -> str:
    """What a push did and where to look (`where`, else the repo's URL); text that ends in a newline."""
    plan = receipt.plan
    if receipt.proposal:
        done = _proposed(receipt, receipt.proposal)
    elif receipt.published:
        gone = f", deleted {counted(len(plan.delete), 'file')}" if plan.delete else ""
        done = f"published {counted(len(plan.changes), 'file')} ({size(plan.bytes_to_send)}){gone} in one commit"
    else:
        done = "nothing to publish: the hub holds all of this already"
    lines = [
        f"{style('done', 'green')}: {done}, {counted(receipt.verified, 'file')} verified, {receipt.seconds:.1f} s",
        f"  repo    {plan.repo_id}",
        f"  commit  {receipt.commit}",
    ]
    if receipt.tag:
        lines.append(f"  tag     {receipt.tag}")
    if receipt.loaded:
        lines.append(f"  loaded  {printable(render_loaded(receipt.loaded))}")
    lines.append(f"  card    {_card(plan)}")
    if plan.left_out:
        amount = size(sum(item.size or 0 for item in plan.left_out))
        lines.append(f"  stayed  {len(plan.left_out)} ({amount}): {_names([item.path for item in plan.left_out])}")
    if plan.stale:
        names = _names([item.path for item in plan.stale])
        lines.append(f"  stale   {names}: of an older release, and still there; `hubpub plan` explains")
    look = receipt.proposal.url if receipt.proposal and not where else where or plan.url
    lines.append(f"  look    {look}")
    return "\n".join(lines) + "\n"


def _proposed(receipt: Receipt, proposal: Proposal) -> str:
    if proposal.status == "merged":
        return f"nothing to propose: pull request {proposal.number} was merged, and the hub holds all of this"
    verb = "opened" if proposal.opened else "updated" if proposal.committed else "looked at"
    state = "" if proposal.committed else ", which holds all of this already"
    plan = receipt.plan
    amount = f"{counted(len(plan.changes), 'file')} ({size(plan.bytes_to_send)})"
    return f"{verb} pull request {proposal.number}{state}: {amount} proposed"


def _listed(what: str, files: tuple[LocalFile, ...], mark: str) -> list[str]:
    lines = [f"  {mark} {printable(file.path)} ({size(file.size)})" for file in files[:_SHOWN]]
    if len(files) > _SHOWN:
        lines.append(f"  {mark} and {len(files) - _SHOWN:,} more to {what}")
    return lines


def _told(items: tuple[Stale, ...], mark: str, state: str) -> list[str]:
    lines = [f"  {mark} {printable(item.path)} ({size(item.size)}) {state}: {item.reason}" for item in items[:_SHOWN]]
    return lines + ([f"  {mark} and {len(items) - _SHOWN:,} more {state}"] if len(items) > _SHOWN else [])


def _diff(diff: str, style: Style) -> list[str]:
    """The lines of a unified diff that change something, in colour."""
    colours = {"+": "green", "-": "red"}
    lines = diff.splitlines()
    shown = [
        "    " + (style(printable(line), colours[line[0]]) if line[:1] in colours else printable(line))
        for line in lines[:_DIFF_SHOWN]
    ]
    return shown + (
        [f"    and {len(lines) - _DIFF_SHOWN:,} more lines; --json has all of it"] if len(lines) > _DIFF_SHOWN else []
    )


def _names(paths: tuple[str, ...] | list[str]) -> str:
    return listed([printable(path) for path in paths])


def _card(plan: Plan) -> str:
    filled, total = score(Card.parse(plan.card.content.decode("utf-8", "replace")))
    hint = "" if filled == total else f"; {_FINISH[plan.card.source]}"
    return f"{plan.card.note} ({filled} of {total} sections filled{hint})"
