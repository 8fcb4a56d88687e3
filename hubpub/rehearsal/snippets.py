"""Running the blocks of a card in children: one after the other, a new child where one did not survive its block."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hubpub.rehearsal.blocks import CardBlock
from hubpub.rehearsal.confinement import Ending, Limits, Place, confine
from hubpub.rehearsal.result import Block, Status

_CHILD = "hubpub.model.children.rehearse_snippets:run"
_FOREIGN = "was not written by hubpub; --run-card-code runs it"
_RENAME = ", or --repo-id if that is this model"
_LONGEST = 700
_MOST_LINES = 12


def planned(blocks: Sequence[CardBlock], *, consent: bool, needs: str | None, obstacle: str | None) -> list[Block]:
    """What is known of each block before anything runs; those that are to run are said to have.

    Args:
        blocks: those of the card.
        consent: whether code that hubpub did not write may run.
        needs: what loading the model does that takes consent too; None when it does nothing of the kind.
        obstacle: why nothing can be loaded here.
    """
    return [_planned(block, consent, needs, obstacle) for block in blocks]


def _planned(block: CardBlock, consent: bool, needs: str | None, obstacle: str | None) -> Block:
    status, reason, line = Status.RAN, "", None
    if not consent and not block.by_hubpub and block.code.language == "python":
        status, reason = Status.NOT_RUNNABLE, _FOREIGN
    elif block.broken:
        line = block.code.first_line + block.broken.line - 1
        status, reason = Status.FAILED, f"SyntaxError: {block.broken.message}"
    elif block.source is None:
        status, reason = Status.NOT_RUNNABLE, block.obstacle
    elif not consent and (needs or block.trusts_remote_code):
        status = Status.NOT_RUNNABLE
        reason = f"{needs or 'runs code of the model (trust_remote_code)'}; --run-card-code allows it"
    elif obstacle:
        status, reason = Status.NOT_RUNNABLE, obstacle
    first = next((text.strip() for text in block.code.text.split("\n") if text.strip()), "")
    return Block(
        block.code.first_line,
        block.code.language,
        block.heading,
        first[:120],
        block.by_hubpub,
        status,
        reason,
        line,
    )


def run_blocks(
    blocks: Sequence[CardBlock],
    plan: Sequence[Block],
    repo_id: str,
    place: Place,
    limits: Limits,
    on_start: Callable[[Block], None],
    on_block: Callable[[Block], None],
) -> tuple[list[Block], Ending | None]:
    """Run those of the plan that are to run; what became of all of them, and how the last child ended."""
    done = list(plan)
    waiting = [index for index, block in enumerate(plan) if block.status is Status.RAN]
    ending: Ending | None = None
    told = {index for index in range(len(plan)) if index not in waiting}
    for index in sorted(told):
        on_block(done[index])
    while waiting:
        first = blocks[waiting[0]].section
        request = {
            "blocks": [_order(index, blocks[index], run=index in waiting) for index in range(len(blocks))
                       if blocks[index].section >= first],
            "repo": repo_id,
            "home": str(place.home),
            "output": limits.output,
        }  # fmt: skip
        running: int | None = None

        def on_event(event: Mapping[str, Any]) -> None:
            nonlocal running
            if event.get("starting") in waiting:
                running = int(event["starting"])
                on_start(done[running])
            elif event.get("block") in waiting:
                index = int(event["block"])
                waiting.remove(index)
                done[index] = _outcome(done[index], event)
                on_block(done[index])
                running = None

        ending = confine(_CHILD, request, place, replace(limits, steps=2 * len(blocks) + 2), on_event)
        if not waiting:
            break
        at = running if running in waiting else waiting[0]
        waiting.remove(at)
        done[at] = replace(done[at], status=Status.FAILED, reason=ending.failure or "was not run to its end")
        on_block(done[at])
        # What it made is gone with its process.
        for index in [index for index in waiting if blocks[index].section == blocks[at].section]:
            waiting.remove(index)
            reason = f"the process that it would run in ended with the block at line {done[at].line}"
            done[index] = replace(done[index], status=Status.NOT_RUNNABLE, reason=reason)
            on_block(done[index])
    return done, ending


def _order(index: int, block: CardBlock, *, run: bool) -> dict[str, Any]:
    return {
        "id": index,
        "line": block.code.first_line,
        "source": block.source if run else None,
        "section": block.section,
        "binds": block.binds,
    }


def _outcome(block: Block, event: Mapping[str, Any]) -> Block:
    """What the child says of a block, as far as it is what a block can be said to have done."""
    status, line, seconds = event.get("status"), event.get("line"), event.get("seconds")
    return replace(
        block,
        status=Status(status) if status in set(Status) else Status.FAILED,
        reason=str(event.get("reason") or "")[:_LONGEST] + (_RENAME if _names_another(block, event) else ""),
        failed_line=line if type(line) is int else None,
        traceback=_texts(event.get("traceback")),
        output=_texts(event.get("output")),
        refused=_texts(event.get("refused")),
        seconds=seconds if isinstance(seconds, float) else 0.0,
    )


def _names_another(block: Block, event: Mapping[str, Any]) -> bool:
    """Whether a card that somebody wrote loads a repo that is not there: perhaps itself, by its final name."""
    return not block.by_hubpub and "; give --with " in str(event.get("reason"))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item)[:_LONGEST] for item in value[:_MOST_LINES]) if isinstance(value, list) else ()
