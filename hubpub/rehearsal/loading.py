"""The load checks of a rehearsal: by repo id, in a child, as users load the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hubpub.card.facts.card_facts import CardFacts
from hubpub.publish.load_request import load_request, no_load_check
from hubpub.rehearsal.confinement import Ending, Limits, Place, confine
from hubpub.rehearsal.result import Check, Status

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

_CHILD = "hubpub.model.children.rehearse_load:load"
_LONGEST = 500


def load_checks(
    folder: ModelFolder,
    facts: CardFacts,
    repo_id: str,
    place: Place,
    limits: Limits,
    *,
    trust: bool,
    on_start: Callable[[str], None],
    on_check: Callable[[Check], None],
) -> Ending | None:
    """Load the model from the hub, and run it once; None when there is nothing to load, which `on_check` is told.

    Args:
        folder: what was published.
        facts: what is known of it.
        repo_id: what to load.
        place: where the child lives.
        limits: what it may take.
        trust: whether code of the repo may run.
        on_start: is told what begins.
        on_check: is given what has become of it.
    """
    if reason := no_load_check(folder, facts):
        on_check(Check("load", Status.NOT_RUNNABLE, reason))
        return None
    running = ""

    def on_event(event: Mapping[str, Any]) -> None:
        nonlocal running
        if "starting" in event:
            running = str(event["starting"])[:80]
            on_start(running)
        elif isinstance(event.get("step"), str):
            running = ""
            on_check(_check(event))

    ending = confine(_CHILD, load_request(folder, facts, repo_id, trust=trust), place, limits, on_event)
    if ending.failure:
        on_check(Check(running or "load", Status.FAILED, ending.failure))
    return ending


def _check(event: Mapping[str, Any]) -> Check:
    """What the child says of a step, as far as it is what a step says."""
    error, skip, note, seconds = (event.get(key) for key in ("error", "skip", "note", "seconds"))
    status = Status.FAILED if error else Status.NOT_RUNNABLE if skip else Status.RAN
    text = str(error or skip or note or "")[:_LONGEST]
    return Check(str(event["step"])[:80], status, text, seconds if isinstance(seconds, float) else 0.0)
