"""The matrix of faults: which kinds there are, at which of the calls, and how patient the client is meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.tiny_release import TOKEN, Seen, look

from hubpub.core.rule import Depth
from hubpub.hub import Hub
from hubpub.publish.card import CardSource
from hubpub.publish.client import HubClient
from hubpub.publish.http import Patience
from hubpub.publish.prepare import PushOptions
from hubpub.publish.push import push
from hubpub.publish.receipt import Receipt
from hubpub.publish.staged import CommitLimits
from hubpub.publish.target import Target

KINDS = (
    "429 retry_after=0",
    "500",
    "503 retry_after=0",
    "504",
    "stall",
    "drop",
    "lose",
    "cut bytes=9",
    "truncate bytes=9",
)
# A hub on a busy machine has to answer within these.
QUICK = Patience(connect=5, answer=0.8, commit=1.0, stall=1.4, attempts=6, pause=0.01, longest_pause=0.05)
IMPATIENT = Patience(connect=5, answer=0.6, commit=0.8, stall=1.2, attempts=2, pause=0.01, longest_pause=0.05)


def cases(calls: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """(call, kind of fault, calls that go well before it): the first, the middle one and the last."""
    return [
        (place, kind, after)
        for place, number in calls.items()
        for kind in KINDS
        for after in sorted({0, number // 2, number - 1})
    ]


class Counted:
    """How often a hub was called: by faults that never happen."""

    def __init__(self, hub: Hub, calls: Mapping[str, int]) -> None:
        self._faults = hub.faults(*(f"{place}: 500 after=100000" for place in calls))

    @property
    def calls(self) -> dict[str, int]:
        return {fault.text.rpartition(": ")[0]: seen for fault, seen, _ in self._faults}


@dataclass
class Push:
    """A push that can be made again: the folder, the repo, and what the client said."""

    hub: Hub
    folder: Path
    name: str
    limits: CommitLimits | None = None
    said: list[str] = field(default_factory=list)

    def run(self, patience: Patience = QUICK, tag: str | None = None) -> Receipt:
        options = PushOptions(self.folder, self.name, "acme", depth=Depth.QUICK, tag=tag, card=CardSource.FOLDER)
        client = HubClient(Target(self.hub.endpoint, TOKEN, "the test"), patience)
        return push(options, client, self.said.append, limits=self.limits)

    @property
    def seen(self) -> Seen | None:
        return look(self.hub.endpoint, f"acme/{self.name}")


def once(made: Push, place: str, kind: str, after: int, commits_before: int) -> None:
    """One call goes wrong, and the push deals with it."""
    fault = made.hub.faults(f"{place}: {kind} after={after} first=1")
    receipt = made.run(tag="v2")
    assert fault.hits == 1
    check(made, receipt, commits_before)


def check(made: Push, receipt: Receipt, commits_before: int) -> None:
    """The release is published, once."""
    seen = made.seen
    assert seen is not None
    assert len(seen.history) == commits_before + 1
    assert [commit.oid for commit in seen.of_release(receipt.plan.release)] == [receipt.commit] == [seen.history[0].oid]
    assert {file.path: file.blob for file in receipt.plan.files if file.path.endswith((".txt", ".md"))}.items() <= (
        seen.files.items()
    )
    assert seen.tags.get("v2") == receipt.commit
    assert not seen.private
    assert TOKEN not in "".join(made.said)
