"""Rehearse: publish to a throw-away hub with the real client, load from it by id, run the card's code against it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from hubpub.card.code.code_blocks import code_blocks
from hubpub.card.document import Card
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.card.own_id import named_id
from hubpub.card.source import decode_card
from hubpub.card.writing.render import render_card
from hubpub.core.errors import FindingsError, UsageError
from hubpub.core.report import Report
from hubpub.core.rule import Depth
from hubpub.core.settings import LintSettings
from hubpub.model.folder import ModelFolder
from hubpub.model.load import memory_needed
from hubpub.publish.client import HubClient
from hubpub.publish.load_request import memory_obstacle, needs_consent
from hubpub.publish.prepare import PushOptions
from hubpub.publish.push import push
from hubpub.publish.receipt import Receipt
from hubpub.rehearsal.blocks import CardBlock, card_blocks
from hubpub.rehearsal.confinement import Ending, Limits, Place, place_for
from hubpub.rehearsal.loading import load_checks
from hubpub.rehearsal.repo import MADE_UP
from hubpub.rehearsal.result import Block, Check, Isolation, Rehearsal, Status
from hubpub.rehearsal.snippets import planned, run_blocks
from hubpub.rehearsal.stage import Stage, stage

_GB = 10**9
_LEAST_MEMORY = 6 * _GB
_WEIGHTS_IN_MEMORY = 4
_SPARE_FILE = 64 << 20

Ask: TypeAlias = Callable[[tuple[CardBlock, ...], str | None], bool]
"""Is given the blocks that hubpub did not write, and what loading the model runs; says whether they may run."""


@dataclass(frozen=True, slots=True)
class RehearseOptions:
    """What to rehearse, and how far.

    Attributes:
        push: what to publish; its namespace must be named.
        bases: further folders to publish first, by repo id.
        run_card_code: whether code that hubpub did not write may run.
        seconds: of wall time for each check and each block.
        memory: bytes for each child; None takes what the model asks for.
        keep: whether the hub's data stay.
        load: whether to make the load checks.
        snippets: whether to run the card's blocks.
    """

    push: PushOptions
    bases: tuple[tuple[str, Path], ...] = ()
    run_card_code: bool = False
    seconds: float = 300.0
    memory: int | None = None
    keep: bool = False
    load: bool = True
    snippets: bool = True

    @property
    def repo_id(self) -> str:
        """Where the model is published to."""
        return f"{self.push.namespace}/{self.push.name}"


class Observer:
    """Is told how a rehearsal goes on; this one does not listen."""

    def said(self, message: str) -> None:
        """A step of publishing."""

    def starts(self, what: str) -> None:
        """A check or a block begins."""

    def checked(self, check: Check) -> None:
        """A check is over."""

    def ran(self, block: Block) -> None:
        """A block is over, or is not run."""


@dataclass(slots=True)
class _Found:
    checks: list[Check] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    report: Report | None = None
    endings: list[Ending] = field(default_factory=list)


def rehearse(options: RehearseOptions, observer: Observer | None = None, ask: Ask | None = None) -> Rehearsal:
    """Rehearse a release.

    Args:
        options: what to rehearse.
        observer: is told how it goes on.
        ask: asked once whether code that hubpub did not write may run; None does not run it.

    Raises:
        HubpubError: there is no such folder, or it changed meanwhile. What fails in a rehearsal is in the result.
    """
    if os.name != "posix":
        raise UsageError("a rehearsal needs Linux or macOS", "run it in WSL or in a container")
    started = time.monotonic()
    observer = observer or Observer()
    found = _Found()
    namespaces = [options.push.namespace or "", *(repo.partition("/")[0] for repo, _ in options.bases)]
    with stage(namespaces, keep=options.keep) as hub:
        client = HubClient(hub.target)
        for repo_id, path in options.bases:
            observer.starts(f"publishing {repo_id}")
            _push_base(repo_id, path, options, client)
        receipt = _push(options, client, found, observer)
        if receipt is not None:
            _after_push(options, receipt, hub, found, observer, ask)
        return Rehearsal(
            repo_id=options.repo_id,
            commit=receipt.commit if receipt else None,
            report=found.report,
            checks=tuple(found.checks),
            blocks=tuple(found.blocks),
            isolation=_isolation(found.endings),
            kept=str(hub.directory / "hub") if options.keep else None,
            seconds=time.monotonic() - started,
        )


def _open_gate(options: PushOptions) -> PushOptions:
    """The same without checks: what they refuse is to be seen by those who would download it."""
    return replace(options, ignore=("ALL",), lint_settings=LintSettings(), depth=Depth.QUICK)


def _push_base(repo_id: str, path: Path, options: RehearseOptions, client: HubClient) -> None:
    namespace, _, name = repo_id.partition("/")
    base = PushOptions(path=path, name=name, namespace=namespace, new_repos_private=options.push.new_repos_private)
    push(_open_gate(base), client, lambda _message: None)


def _push(options: RehearseOptions, client: HubClient, found: _Found, observer: Observer) -> Receipt | None:
    """Publish the model; where the checks refuse it, without them, so that the rest is rehearsed all the same."""
    started = time.monotonic()
    observer.starts(f"publishing {options.repo_id}")
    status, text = Status.RAN, ""
    try:
        receipt = push(options.push, client, observer.said)
        found.report = receipt.report
        text = f"{receipt.verified} files in one commit, verified"
    except FindingsError as error:
        found.report, status = error.report, Status.FAILED
        if error.report is None:
            text = error.message
        else:
            text = f"the checks refuse it ({error.report.summary}); what follows is what users would meet"
        receipt = None
    if receipt is None and found.report is not None:
        try:
            receipt = push(_open_gate(options.push), client, observer.said)
        except FindingsError as error:  # the hub itself refuses the card
            text = f"the checks refuse it ({found.report.summary}), and so does the hub: {error.message}"
    check = Check("push", status, text, time.monotonic() - started)
    found.checks.append(check)
    observer.checked(check)
    return receipt


def _after_push(
    options: RehearseOptions, receipt: Receipt, hub: Stage, found: _Found, observer: Observer, ask: Ask | None
) -> None:
    folder = ModelFolder.open(options.push.path, exclude=options.push.exclude, include=options.push.include)
    facts = card_facts(folder, repo_id=options.repo_id, settings=options.push.card_settings)
    card = Card.parse(decode_card(receipt.plan.card.content)[0])
    blocks = card_blocks(*_with_own_code(folder, facts, card, options)) if options.snippets else ()
    needs = needs_consent(folder)
    consent = options.run_card_code or _is_allowed(blocks, needs, options, ask)
    obstacle = memory_obstacle(memory_needed(folder)) if options.memory is None else None
    token = hub.read_token if receipt.plan.private else None
    limits = _limits(options, folder)
    with place_for(hub.directory, hub.target.endpoint, token) as place:
        if options.load:
            _load(folder, facts, options, place, limits, found, observer, consent, needs, obstacle)
        plan = planned(blocks, options.repo_id, consent=consent, needs=needs, obstacle=obstacle)
        found.blocks, ending = run_blocks(
            blocks,
            plan,
            options.repo_id,
            place,
            limits,
            lambda block: observer.starts(f"README.md:{block.line} {block.first}"),
            observer.ran,
        )
        found.endings += [ending] if ending else []


def _load(
    folder: ModelFolder,
    facts: CardFacts,
    options: RehearseOptions,
    place: Place,
    limits: Limits,
    found: _Found,
    observer: Observer,
    consent: bool,
    needs: str | None,
    obstacle: str | None,
) -> None:
    def on_check(check: Check) -> None:
        found.checks.append(check)
        observer.checked(check)

    if needs and not consent:
        on_check(Check("load", Status.NOT_RUNNABLE, f"{needs}; --run-card-code allows it"))
    elif obstacle:
        on_check(Check("load", Status.NOT_RUNNABLE, obstacle))
    else:
        ending = load_checks(
            folder,
            facts,
            options.repo_id,
            place,
            limits,
            trust=bool(needs),
            on_start=observer.starts,
            on_check=on_check,
        )
        found.endings += [ending] if ending else []


def _with_own_code(
    folder: ModelFolder, facts: CardFacts, card: Card, options: RehearseOptions
) -> tuple[Card, Mapping[str, str | None]]:
    """The card, and the code that hubpub would write for this folder, with the model's name where it is not the repo's.

    A card may have been written before it was known where the model goes, or for another repo. While nobody has said
    where it goes, such code calls the model by its repo all the same. What card.yaml brings is not hubpub's own.
    """
    code = _rendered_code(facts)
    own: dict[str, str | None] = dict.fromkeys(code)
    if all(block.text in own for block in code_blocks(card)):
        return card, own
    for repo_id in {None, named_id(card)} - {options.repo_id}:
        other = card_facts(folder, repo_id=repo_id, settings=options.push.card_settings)
        code_of_other = _rendered_code(other)
        if repo_id is None and options.push.namespace == MADE_UP and len(code_of_other) == len(code):
            text = card.text
            for written, meant in zip(code_of_other, code, strict=True):
                text = text.replace(written, meant) if written != meant else text
            card = Card.parse(text)
        own = {**dict.fromkeys(code_of_other, other.load_id), **own}
    return card, own


def _rendered_code(facts: CardFacts) -> list[str]:
    facts = replace(facts, answers=replace(facts.answers, sections={}))
    return [code.text for code in code_blocks(Card.parse(render_card(facts)))]


def _is_allowed(blocks: tuple[CardBlock, ...], needs: str | None, options: RehearseOptions, ask: Ask | None) -> bool:
    foreign = tuple(block for block in blocks if block.source is not None and not block.by_hubpub)
    if ask is None or not (foreign or (needs and (blocks or options.load))):
        return False
    return ask(foreign, needs)


def _limits(options: RehearseOptions, folder: ModelFolder) -> Limits:
    largest = max((entry.size for entry in folder.release_files), default=0)
    weights = _WEIGHTS_IN_MEMORY * folder.weights.weight_bytes
    return Limits(
        seconds=options.seconds,
        memory=options.memory or _LEAST_MEMORY + weights,
        largest_file=largest + _SPARE_FILE,
    )


def _isolation(endings: list[Ending]) -> Isolation:
    if not endings:
        return Isolation()
    reason = next((ending.walls for ending in endings if ending.walls), None)
    return Isolation("guard", reason) if reason else Isolation("namespaces")
