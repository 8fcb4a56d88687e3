"""Every call of a rollback goes wrong in every way: the older tree is made the newest once, or not and then once."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from huggingface_hub import HfApi
from support.fault_matrix import IMPATIENT, KINDS, QUICK, Counted, cases
from support.tiny_release import TOKEN, Seen, fresh_weights, look, save_tiny

from hubpub.core.errors import HubpubError
from hubpub.core.rule import Depth
from hubpub.hub import Hub
from hubpub.publish.card import CardSource, last_published_card
from hubpub.publish.client import HubClient
from hubpub.publish.http import Patience
from hubpub.publish.prepare import PushOptions
from hubpub.publish.push import push
from hubpub.publish.rollback import RollbackReceipt, plan_rollback, roll_back
from hubpub.publish.target import Target

pytestmark = pytest.mark.faults

REPO = "acme/rolled-back"
# How often each call is made; a test holds these numbers.
CALLS = {"revision": 3, "auth-check": 1, "tree": 7, "resolve": 3, "commits": 1, "commit": 1}


@dataclass
class Rollback:
    """A repo with two releases, which is at the second one."""

    hub: Hub
    said: list[str] = field(default_factory=list)

    def client(self, patience: Patience = QUICK) -> HubClient:
        return HubClient(Target(self.hub.endpoint, TOKEN, "the test"), patience)

    def run(self, to: str, patience: Patience = QUICK) -> RollbackReceipt:
        client = self.client(patience)
        return roll_back(plan_rollback(client, REPO, "main", to), client, self.said.append)

    @property
    def seen(self) -> Seen:
        seen = look(self.hub.endpoint, REPO)
        assert seen is not None
        return seen


@dataclass(frozen=True)
class Trees:
    """The files of the two releases."""

    first: dict[str, str]
    second: dict[str, str]


@pytest.fixture(scope="module")
def trees(shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Trees:
    folder = save_tiny(tmp_path_factory.mktemp("releases") / "model", "first")
    made = Rollback(shared_hub)
    seen = []
    for tag in ("v1", "v2"):
        fresh_weights(folder)
        (folder / "config.json").write_text(f'{{"of": "{tag}"}}')
        (folder / "README.md").write_text(f"---\nlicense: mit\n---\n# {tag}\n")
        (folder / f"{tag}.txt").write_text(tag)
        name = REPO.partition("/")[2]
        options = PushOptions(folder, name, "acme", depth=Depth.QUICK, tag=tag, card=CardSource.FOLDER)
        push(options, made.client(Patience()), made.said.append)
        seen.append(made.seen.files)
    return Trees(*seen)


@pytest.fixture
def rollback(faulty_hub: Hub, trees: Trees) -> Rollback:
    made = Rollback(faulty_hub)
    made.run("v2", Patience())
    # Otherwise each test reads the history of all that went before.
    HfApi(endpoint=faulty_hub.endpoint, token=TOKEN).super_squash_history(REPO)
    assert made.seen.files == trees.second
    return made


def check(rollback: Rollback, trees: Trees, commits_before: int) -> None:
    """It is at the first release, by one commit more, and its card is still known as the one that was published."""
    seen = rollback.seen
    assert seen.files == trees.first
    assert len(seen.history) == commits_before + 1
    assert seen.history[0].title.startswith("Roll back to v1")
    assert last_published_card(seen.history[:1]) is not None
    assert seen.tags.keys() == {"v1", "v2"}
    assert TOKEN not in "".join(rollback.said)


@pytest.mark.parametrize(("place", "kind", "after"), cases(CALLS))
def test_a_call_of_a_rollback(rollback: Rollback, trees: Trees, place: str, kind: str, after: int) -> None:
    before = len(rollback.seen.history)
    fault = rollback.hub.faults(f"{place}: {kind} after={after} first=1")
    receipt = rollback.run("v1")
    assert fault.hits == 1
    rollback.hub.faults()
    check(rollback, trees, before)
    assert (receipt.published, receipt.commit) == (True, rollback.seen.history[0].oid)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", CALLS)
def test_a_call_that_always_goes_wrong(rollback: Rollback, trees: Trees, place: str, kind: str) -> None:
    """The branch has the newer tree or the older one, and another run makes one commit in all."""
    before = rollback.seen
    rollback.hub.faults(f"{place}: {kind}")
    try:
        rollback.run("v1", IMPATIENT)
    except HubpubError as error:
        rollback.said += [error.message, error.next_step]
    rollback.hub.faults()
    between = rollback.seen
    assert (between.history, between.files) == (before.history, trees.second) or between.files == trees.first
    rollback.run("v1")
    check(rollback, trees, len(before.history))
    assert rollback.run("v1").published is False


def test_these_are_the_calls(rollback: Rollback) -> None:
    counted = Counted(rollback.hub, CALLS)
    rollback.run("v1")
    assert counted.calls == CALLS
