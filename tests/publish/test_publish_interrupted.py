"""What somebody who interrupts a push is told, at each step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.running_hub import ALICE, TestHub

from hubpub.core.rule import Depth
from hubpub.publish.client import HubClient
from hubpub.publish.prepare import PushOptions
from hubpub.publish.push import push
from hubpub.publish.rollback import plan_rollback, roll_back
from hubpub.publish.target import Target

HIDDEN = ", which stays private until the push is finished"


@pytest.mark.parametrize(
    ("step", "left"),
    [
        ("whoami", "nothing was created or sent"),
        ("create_repo", f"acme/model was created{HIDDEN}, and has nothing of the release"),
        ("upload", f"acme/model was created{HIDDEN}, and has nothing of the release"),
        ("commit", f"acme/model has the whole release or nothing of it{HIDDEN}"),
        ("create_tag", f"acme/model has the whole release at {{commit}}{HIDDEN}; what follows is still to be done"),
        ("set_private", f"acme/model has the whole release at {{commit}}{HIDDEN}; what follows is still to be done"),
    ],
)
def test_what_is_left_is_in_a_note(hub: TestHub, plain_copy: Path, step: str, left: str) -> None:
    client = HubClient(Target(hub.endpoint, ALICE, "HF_TOKEN"))
    options = PushOptions(plain_copy, "model", "acme", tag="v1", depth=Depth.QUICK)
    _interrupt(client, step)
    with pytest.raises(KeyboardInterrupt) as interrupted:
        push(options, client, lambda _: None)
    commit = (hub.api().model_info("acme/model").sha or "")[:12] if step != "whoami" else ""
    assert interrupted.value.__notes__ == [left.format(commit=commit)]
    again = push(options, HubClient(Target(hub.endpoint, ALICE, "HF_TOKEN")), lambda _: None)
    assert again.tag == "v1"
    assert not hub.api().model_info("acme/model").private


def test_of_a_pull_request_and_of_a_rollback(hub: TestHub, plain_copy: Path) -> None:
    target = Target(hub.endpoint, ALICE, "HF_TOKEN")
    push(PushOptions(plain_copy, "model", "acme", tag="v1", depth=Depth.QUICK), HubClient(target), lambda _: None)
    (plain_copy / "notes.txt").write_text("more")
    client = HubClient(target)
    _interrupt(client, "modes")
    with pytest.raises(KeyboardInterrupt) as interrupted:
        push(PushOptions(plain_copy, "model", "acme", depth=Depth.QUICK), client, lambda _: None)
    assert interrupted.value.__notes__ == ["acme/model is as it was"]
    with pytest.raises(KeyboardInterrupt) as interrupted:
        push(PushOptions(plain_copy, "model", "acme", depth=Depth.QUICK, pull_request=True), client, lambda _: None)
    assert interrupted.value.__notes__ == [
        "acme/model is as it was; a pull request that was begun stays a draft, or as it was"
    ]
    push(PushOptions(plain_copy, "model", "acme", depth=Depth.QUICK), HubClient(target), lambda _: None)
    plan = plan_rollback(client, "acme/model", "main", "v1")
    _interrupt(client, "commit")
    with pytest.raises(KeyboardInterrupt) as interrupted:
        roll_back(plan, client, lambda _: None)
    assert interrupted.value.__notes__ == ["acme/model has all files of v1, or is as it was"]


def _interrupt(client: HubClient, step: str) -> None:
    """Have Ctrl-C come while a step is being made; what it asks of the hub has been done."""
    real: Callable[..., Any] = getattr(client, step)

    def cut(*arguments: Any, **more: Any) -> Any:
        if step not in ("modes", "upload"):
            real(*arguments, **more)
        raise KeyboardInterrupt

    setattr(client, step, cut)
