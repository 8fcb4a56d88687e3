"""Plans and receipts as text: what a push would do, and what it did."""

from __future__ import annotations

from hubpub.card.document import Card
from hubpub.card.sections import score
from hubpub.publish.card import CardSource
from hubpub.publish.plan import LocalFile, Plan
from hubpub.publish.receipt import Receipt
from hubpub.report.excerpt import printable
from hubpub.report.text import Style, plain

_SHOWN = 20
_FINISH = {
    CardSource.FOLDER: "`hubpub lint` names the rest",
    CardSource.HUB: "`hubpub lint` names the rest",
    CardSource.RENDERED: "`hubpub card PATH --write` puts it here to be finished",
}


def human_bytes(size: int) -> str:
    """Decimal units, as the Hub shows them: 90.9 MB."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.2f} TB"


def render_plan(plan: Plan, style: Style = plain) -> str:
    """What a push would do, file by file; text that ends in a newline."""
    state = "would be created, " + ("private" if plan.private else "public") if plan.creates_repo else f"at {plan.base}"
    lines = [f"{style('plan', 'cyan')} {plan.url} ({plan.revision}; {state})"]
    lines += _listed("add", plan.add, style("+", "green"))
    lines += _listed("replace", plan.replace, style("~", "yellow"))
    if plan.unchanged:
        lines.append(f"  = {_files(len(plan.unchanged))} unchanged")
    if plan.kept:
        lines.append(f"  = {_files(len(plan.kept))} only on the hub, kept: {_names(plan.kept)}")
    lines += [f"  - {printable(item.path)} stays here: {item.reason}" for item in plan.left_out[:_SHOWN]]
    if len(plan.left_out) > _SHOWN:
        lines.append(f"  - and {len(plan.left_out) - _SHOWN} more stay here")
    lines.append(f"  card: {_card(plan)}")
    if plan.tag:
        lines.append(f"  tag: {plan.tag}")
    if plan.changes:
        lines.append(f"  one commit, {_files(len(plan.changes))}, {human_bytes(plan.bytes_to_send)}")
    else:
        lines.append("  no commit: the hub holds all of this already")
    return "\n".join(lines) + "\n"


def render_receipt(receipt: Receipt, style: Style = plain, where: str | None = None) -> str:
    """What a push did and where to look (`where`, else the repo's URL); text that ends in a newline."""
    plan = receipt.plan
    if receipt.published:
        done = f"published {_files(len(plan.changes))} ({human_bytes(plan.bytes_to_send)}) in one commit"
    else:
        done = "nothing to publish: the hub holds all of this already"
    lines = [
        f"{style('done', 'green')}: {done}, {_files(receipt.verified)} verified, {receipt.seconds:.1f} s",
        f"  repo    {plan.repo_id}",
        f"  commit  {receipt.commit}",
    ]
    if receipt.tag:
        lines.append(f"  tag     {receipt.tag}")
    lines.append(f"  card    {_card(plan)}")
    if plan.left_out:
        size = human_bytes(sum(item.size or 0 for item in plan.left_out))
        lines.append(f"  stayed  {len(plan.left_out)} ({size}): {_names([item.path for item in plan.left_out])}")
    lines.append(f"  look    {where or plan.url}")
    return "\n".join(lines) + "\n"


def _listed(what: str, files: tuple[LocalFile, ...], mark: str) -> list[str]:
    lines = [f"  {mark} {printable(file.path)} ({human_bytes(file.size)})" for file in files[:_SHOWN]]
    if len(files) > _SHOWN:
        lines.append(f"  {mark} and {len(files) - _SHOWN} more to {what}")
    return lines


def _names(paths: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(printable(path) for path in paths[:3])
    return shown + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def _card(plan: Plan) -> str:
    filled, total = score(Card.parse(plan.card.content.decode("utf-8", "replace")))
    hint = "" if filled == total else f"; {_FINISH[plan.card.source]}"
    return f"{plan.card.note} ({filled} of {total} sections filled{hint})"


def _files(number: int) -> str:
    return f"{number:,} file" + ("" if number == 1 else "s")
