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
_NO_NAME = "calls the model {name}, not {repo}; `hubpub card --write --repo-id {repo}` writes what readers can run"
_OTHER = "loads {name}, and this is {repo}; --repo-id {name} rehearses it as that"
_LONGEST = 700
_MOST_LINES = 12


def planned(
    blocks: Sequence[CardBlock], repo_id: str, *, consent: bool, needs: str | None, obstacle: str | None
) -> list[Block]:
    """What is known of each block before anything runs; those that are to run are said to have.

    Args:
        blocks: those of the card.
        repo_id: the model's.
        consent: whether code that hubpub did not write may run.
        needs: what loading the model does that takes consent too; None when it does nothing of the kind.
        obstacle: why nothing can be loaded here.
    """
    return [_planned(block, repo_id, consent, needs, obstacle) for block in blocks]


def _planned(block: CardBlock, repo_id: str, consent: bool, needs: str | None, obstacle: str | None) -> Block:
    status, reason, line = Status.RAN, "", None
    if not consent and not block.by_hubpub and block.code.language == "python":
        status, reason = Status.NOT_RUNNABLE, _FOREIGN
    elif block.other_name and not consent:
        known = "/" in block.other_name
        status = Status.NOT_RUNNABLE if known else Status.FAILED
        reason = (_OTHER if known else _NO_NAME).format(name=block.other_name, repo=repo_id)
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
    """Run those of the plan that are to run; what became of all of them, and how the last child ended.

    Args:
        blocks: those of the card.
        plan: what is known of each.
        repo_id: the model's.
        place: where the children live.
        limits: what each may take.
        on_start: is given what begins.
        on_block: is given what is over, in the order of the card.
    """
    running = _Blocks(blocks, plan, on_start, on_block)
    ending: Ending | None = None
    while running.waiting:
        request = {
            "blocks": running.orders(),
            "repo": repo_id,
            "home": str(place.home),
            "output": limits.output,
        }
        ending = confine(_CHILD, request, place, replace(limits, steps=2 * len(blocks) + 2), running.on_event)
        if running.waiting:
            running.end(ending)
    return running.done, ending


class _Blocks:
    """The blocks on their way: what has become of each, and which are still to run."""

    def __init__(
        self,
        blocks: Sequence[CardBlock],
        plan: Sequence[Block],
        on_start: Callable[[Block], None],
        on_block: Callable[[Block], None],
    ) -> None:
        self.done = list(plan)
        self.waiting = [index for index, block in enumerate(plan) if block.status is Status.RAN]
        self._blocks = blocks
        self._running: int | None = None
        self._told = 0
        self._on_start, self._on_block = on_start, on_block
        self._tell()

    def orders(self) -> list[dict[str, Any]]:
        """What a child is to know of them, from the section of the first that waits."""
        first = self._blocks[self.waiting[0]].section
        return [
            {
                "id": index,
                "line": block.code.first_line,
                "source": block.source if index in self.waiting else None,
                "section": block.section,
                "binds": block.binds,
            }
            for index, block in enumerate(self._blocks)
            if block.section >= first
        ]

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Something that a child tells."""
        if event.get("starting") in self.waiting:
            self._running = int(event["starting"])
            self._on_start(self.done[self._running])
        elif event.get("block") in self.waiting:
            index = int(event["block"])
            self._is(index, _outcome(self.done[index], event))
            self._running = None

    def end(self, ending: Ending) -> None:
        """The child has ended before its last block: with the one that was running, and with what it made."""
        at = self._running if self._running in self.waiting else self.waiting[0]
        lost = [index for index in self.waiting if self._blocks[index].section == self._blocks[at].section]
        reason = f"the process that it would run in ended with the block at line {self.done[at].line}"
        self._is(at, replace(self.done[at], status=Status.FAILED, reason=ending.failure or "was not run to its end"))
        for index in lost:
            if index != at:
                self._is(index, replace(self.done[index], status=Status.NOT_RUNNABLE, reason=reason))
        self._running = None

    def _is(self, index: int, block: Block) -> None:
        self.done[index] = block
        self.waiting.remove(index)
        self._tell()

    def _tell(self) -> None:
        while self._told < len(self.done) and self._told not in self.waiting:
            self._on_block(self.done[self._told])
            self._told += 1


def _outcome(block: Block, event: Mapping[str, Any]) -> Block:
    """What the child says of a block, as far as it is what a block can be said to have done."""
    status, line, seconds = event.get("status"), event.get("line"), event.get("seconds")
    return replace(
        block,
        status=Status(status) if isinstance(status, str) and status in set(Status) else Status.FAILED,
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
