"""Every call of `--pr` goes wrong in every way: there is one pull request, with one commit, and main is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from support.fault_matrix import IMPATIENT, KINDS, QUICK, Counted, cases
from support.tiny_release import TOKEN, Seen, look, save_tiny

from hubpub.core.errors import HubpubError
from hubpub.core.rule import Depth
from hubpub.hub import Hub
from hubpub.publish.card import CardSource
from hubpub.publish.client import HubClient
from hubpub.publish.http import Patience
from hubpub.publish.prepare import PushOptions
from hubpub.publish.push import push
from hubpub.publish.receipt import Receipt
from hubpub.publish.target import Target

pytestmark = pytest.mark.faults

REPO = "acme/proposed-to"
# How often each call is made that a push does not make in the same way; a test holds these numbers.
OPENED = {
    "revision": 2,
    "tree": 6,
    "discussions": 2,
    "create-discussion": 1,
    "discussion": 3,
    "commit": 1,
    "discussion-edit": 1,
    "discussion-status": 1,
}
UPDATED = {"discussions": 1, "discussion": 2, "commits": 2, "commit": 1, "discussion-edit": 1}


@dataclass
class Proposals:
    """A repo with a release, and a folder that differs from it."""

    hub: Hub
    folder: Path
    main: Seen
    said: list[str] = field(default_factory=list)

    def run(self, patience: Patience = QUICK, *, pull_request: bool = True) -> Receipt:
        name = REPO.partition("/")[2]
        options = PushOptions(
            self.folder, name, "acme", depth=Depth.QUICK, card=CardSource.FOLDER, pull_request=pull_request
        )
        return push(options, HubClient(Target(self.hub.endpoint, TOKEN, "the test"), patience), self.said.append)

    @property
    def api(self) -> HfApi:
        return HfApi(endpoint=self.hub.endpoint, token=TOKEN)

    @property
    def unfinished(self) -> dict[int, str]:
        """Number and status of each pull request that is neither merged nor closed."""
        found = self.api.get_repo_discussions(REPO, discussion_type="pull_request")
        return {item.num: item.status for item in found if item.status in ("draft", "open")}

    def check(self, receipt: Receipt, commits: int = 1) -> None:
        """There is one, open, which holds the folder by so many commits of its own; main is as it was."""
        assert receipt.proposal is not None
        number = receipt.proposal.number
        assert self.unfinished == {number: "open"}
        assert look(self.hub.endpoint, REPO) == self.main
        ref = f"refs/pr/{number}"
        history = self.api.list_repo_commits(REPO, revision=ref)
        # The hub begins the branch with a commit of its own.
        ours = [
            commit for commit in history if "Hubpub-Release: " in commit.message and commit not in self.main.history
        ]
        assert [commit.commit_id for commit in ours][:1] == [receipt.commit]
        assert len({commit.commit_id for commit in ours} - {commit.oid for commit in self.main.history}) == commits
        held = {
            item.path: item.blob_id
            for item in self.api.list_repo_tree(REPO, recursive=True, revision=ref)
            if hasattr(item, "blob_id")
        }
        assert {file.path: file.blob for file in receipt.plan.files if file.path.endswith((".txt", ".md"))}.items() <= (
            held.items()
        )
        assert TOKEN not in "".join(self.said)


_numbers = iter(range(10_000))


@pytest.fixture(scope="module")
def published(shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Proposals:
    folder = save_tiny(tmp_path_factory.mktemp("proposed") / "model", "first")
    made = Proposals(shared_hub, folder, Seen((), {}, {}, private=False))
    made.run(Patience(), pull_request=False)
    seen = look(shared_hub.endpoint, REPO)
    assert seen is not None
    made.main = seen
    # One that is closed, as for all tests but the first: it is looked at, too.
    change(made)
    closed = made.run(Patience()).proposal
    assert closed is not None
    made.api.change_discussion_status(REPO, closed.number, "closed")
    return made


@pytest.fixture
def proposals(published: Proposals, faulty_hub: Hub) -> Iterator[Proposals]:
    made = Proposals(faulty_hub, published.folder, published.main)
    change(made)
    yield made
    faulty_hub.faults()
    for number in made.unfinished:
        made.api.change_discussion_status(REPO, number, "closed")


@pytest.fixture
def opened(proposals: Proposals) -> Proposals:
    """The same, with a pull request that is open and holds another release."""
    proposals.run(Patience())
    change(proposals)
    return proposals


def change(proposals: Proposals) -> None:
    mark = next(_numbers)
    (proposals.folder / "notes.txt").write_text(f"notes {mark}")
    (proposals.folder / "README.md").write_text(f"---\nlicense: mit\n---\n# {mark}\n")


@pytest.mark.parametrize(("place", "kind", "after"), cases(OPENED))
def test_a_call_of_a_proposal(proposals: Proposals, place: str, kind: str, after: int) -> None:
    fault = proposals.hub.faults(f"{place}: {kind} after={after} first=1")
    receipt = proposals.run()
    assert fault.hits == 1
    proposals.check(receipt)


@pytest.mark.parametrize(("place", "kind", "after"), cases(UPDATED))
def test_a_call_of_an_update(opened: Proposals, place: str, kind: str, after: int) -> None:
    fault = opened.hub.faults(f"{place}: {kind} after={after} first=1")
    receipt = opened.run()
    assert fault.hits == 1
    opened.check(receipt, commits=2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [place for place in OPENED if place not in ("revision", "tree")])
def test_a_call_that_always_goes_wrong(proposals: Proposals, place: str, kind: str) -> None:
    """Another run ends in one pull request with one commit, and the one after that changes nothing."""
    proposals.hub.faults(f"{place}: {kind}")
    try:
        proposals.run(IMPATIENT)
    except HubpubError as error:
        proposals.said += [error.message, error.next_step]
    proposals.hub.faults()
    assert look(proposals.hub.endpoint, REPO) == proposals.main
    assert len(proposals.unfinished) <= 1
    receipt = proposals.run()
    proposals.check(receipt)
    again = proposals.run()
    assert again.proposal is not None
    assert (again.commit, again.proposal.committed) == (receipt.commit, False)
    proposals.check(again)


def test_these_are_the_calls_of_the_first_run(proposals: Proposals) -> None:
    counted = Counted(proposals.hub, OPENED)
    proposals.run()
    assert counted.calls == OPENED


def test_these_are_the_calls_of_an_update(opened: Proposals) -> None:
    counted = Counted(opened.hub, UPDATED)
    opened.run()
    assert counted.calls == UPDATED
