"""Pull request mode: opened once, updated after that, and main is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd
from support.running_hub import ALICE, BOB, READER, TestHub
from support.secrets_kept import keeps
from support.tiny_release import CARD, fresh_weights, save_tiny

from hubpub.core.errors import AuthError, HubError, UsageError
from hubpub.core.rule import Depth
from hubpub.hub.access.fine_grained import Grants, Scope
from hubpub.publish.client import HubClient
from hubpub.publish.http import Patience
from hubpub.publish.prepare import PushOptions
from hubpub.publish.pull_requests import PullRequest, PullRequests
from hubpub.publish.push import push
from hubpub.publish.receipt import Receipt
from hubpub.publish.refusals import NoAnswerError
from hubpub.publish.staged import CommitLimits
from hubpub.publish.target import Target

REPO = "acme/model"
QUICK = Patience(attempts=4, pause=0.01)


@pytest.fixture
def folder(hub: TestHub, tmp_path: Path) -> Path:
    """A model, published by alice, and changed since."""
    found = save_tiny(tmp_path / "model", "first")
    publish(hub, found, ALICE)
    (found / "notes.txt").write_text("second")
    return found


def publish(hub: TestHub, folder: Path, token: str, **more: Any) -> Receipt:
    said: list[str] = []
    limits = more.pop("limits", None)
    options = PushOptions(folder, "model", namespace="acme", depth=Depth.QUICK, **more)
    receipt = push(options, HubClient(Target(hub.endpoint, token, "HF_TOKEN"), QUICK), said.append, limits=limits)
    keeps([ALICE, BOB], *said, json.dumps(receipt.to_json()))
    return receipt


def propose(hub: TestHub, folder: Path, token: str = BOB, **more: Any) -> Receipt:
    """As bob, who may read."""
    return publish(hub, folder, token, pull_request=True, **more)


def numbers(hub: TestHub) -> list[tuple[int, str]]:
    return [(item.num, item.status) for item in hub.api().get_repo_discussions(REPO)]


def description(hub: TestHub, number: int) -> str:
    return str(hub.api().get_discussion_details(REPO, number).events[0].content)  # type: ignore[attr-defined]


def test_one_pull_request_that_is_updated(hub: TestHub, folder: Path) -> None:
    main = hub.api().model_info(REPO).sha
    first = propose(hub, folder)
    assert first.proposal is not None
    assert (first.proposal.number, first.proposal.opened, first.published, first.tag) == (1, True, False, None)
    assert first.to_json()["pull_request"] == {
        "number": 1,
        "url": f"{hub.endpoint}/{REPO}/discussions/1",
        "status": "open",
        "opened": True,
    }
    assert numbers(hub) == [(1, "open")]
    assert hub.read(REPO, "notes.txt", revision="refs/pr/1") == b"second"
    text = description(hub, 1)
    assert "| `notes.txt` | replace | 6 |" in text
    assert "### Checks" in text

    again = propose(hub, folder)
    assert again.proposal is not None
    assert (again.commit, again.proposal.opened, again.proposal.committed) == (first.commit, False, False)

    (folder / "notes.txt").write_text("third time")
    (folder / "more.txt").write_text("more")
    fresh_weights(folder)
    updated = propose(hub, folder)
    assert updated.proposal is not None
    assert (updated.proposal.number, updated.proposal.committed, updated.verified) == (1, True, 5)
    assert updated.commit != first.commit
    assert numbers(hub) == [(1, "open")]
    assert "| `more.txt` | add | 4 |" in description(hub, 1)
    files = {item.path for item in hub.api().list_repo_tree(REPO, revision="refs/pr/1")}
    assert "more.txt" in files

    (folder / "more.txt").unlink()  # what an earlier push proposed goes again
    propose(hub, folder)
    assert "more.txt" not in {item.path for item in hub.api().list_repo_tree(REPO, revision="refs/pr/1")}
    assert hub.api().model_info(REPO).sha == main
    assert hub.api().list_repo_refs(REPO).tags == []


def test_what_others_put_into_it_stays(hub: TestHub, folder: Path) -> None:
    propose(hub, folder)
    add = [CommitOperationAdd("theirs.txt", b"theirs")]
    hub.api().create_commit(REPO, add, commit_message="Help", revision="refs/pr/1")
    (folder / "notes.txt").write_text("third")
    propose(hub, folder)
    assert hub.read(REPO, "theirs.txt", revision="refs/pr/1") == b"theirs"
    assert hub.read(REPO, "notes.txt", revision="refs/pr/1") == b"third"


def test_a_merged_one(hub: TestHub, folder: Path) -> None:
    (folder / "README.md").write_text(CARD + "\nMore.\n")
    propose(hub, folder, card=None)
    hub.api().merge_pull_request(REPO, 1)
    merged = propose(hub, folder)
    assert merged.proposal is not None
    assert (merged.proposal.number, merged.proposal.status, merged.verified) == (1, "merged", 4)
    tagged = publish(hub, folder, ALICE, tag="v2")
    assert (tagged.published, tagged.tag) == (False, "v2")
    # The card of the pull request is known as one that hubpub published.
    (folder / "README.md").write_text(CARD + "\nMore and more.\n")
    following = propose(hub, folder)
    assert following.proposal is not None
    assert (following.proposal.number, following.proposal.opened) == (2, True)


def test_a_closed_one_is_left_closed(hub: TestHub, folder: Path) -> None:
    propose(hub, folder)
    hub.api().change_discussion_status(REPO, 1, "closed")
    following = propose(hub, folder)
    assert following.proposal is not None
    assert (following.proposal.number, following.proposal.opened) == (2, True)
    assert sorted(numbers(hub)) == [(1, "closed"), (2, "open")]


def test_those_of_others_are_left_alone(hub: TestHub, folder: Path) -> None:
    """Their descriptions may say what they like, the mark of ours too."""
    base = hub.api().model_info(REPO).sha
    hub.api().create_pull_request(REPO, title="x", description=f"<!-- hubpub:pull-request base={base} -->\n")
    hub.api(BOB).create_pull_request(REPO, title="x", description="something else")
    mine = propose(hub, folder)
    assert mine.proposal is not None
    assert mine.proposal.number == 3


def test_several_commits_when_one_holds_too_little(hub: TestHub, folder: Path) -> None:
    for number in range(5):
        (folder / f"{number}.txt").write_text(str(number))
    receipt = propose(hub, folder, limits=CommitLimits(part=2))
    assert receipt.verified == 9
    again = propose(hub, folder, limits=CommitLimits(part=2))
    assert again.commit == receipt.commit


@pytest.mark.parametrize("call", ["create-discussion", "commit", "preupload", "POST /api/**/edit", "discussion-status"])
def test_lost_answers_open_no_second_one(hub: TestHub, folder: Path, call: str) -> None:
    (folder / "notes.txt").write_text(call)
    hub.hub.faults(f"{call}: lose first=1")
    receipt = propose(hub, folder)
    assert receipt.verified == 4
    assert numbers(hub) == [(1, "open")]
    assert hub.read(REPO, "notes.txt", revision="refs/pr/1") == call.encode()


@pytest.mark.parametrize("interrupted", [False, True])
def test_one_that_the_hub_opens_late(
    hub: TestHub, folder: Path, monkeypatch: pytest.MonkeyPatch, interrupted: bool
) -> None:
    """The answer is lost, and the pull request is not to be seen before a second one is opened."""
    opened: list[int] = []
    really_open, really_of = PullRequests.open, PullRequests.of

    def lose_the_first(self: PullRequests, title: str, description: str) -> int:
        opened.append(really_open(self, title, description))
        if len(opened) == 1:
            raise NoAnswerError("no answer", "try again")
        return opened[-1]

    def show_late(self: PullRequests, author: str, status: str) -> Iterator[PullRequest]:
        return iter(()) if len(opened) == 1 else really_of(self, author, status)

    monkeypatch.setattr(PullRequests, "open", lose_the_first)
    monkeypatch.setattr(PullRequests, "of", show_late)
    draft = hub.api(BOB).create_pull_request(REPO, title="x", description="mine, and by hand").num
    if interrupted:
        hub.hub.faults("commit: 500")
        with pytest.raises(HubError):
            propose(hub, folder)
        hub.hub.faults()
    receipt = propose(hub, folder)
    assert receipt.proposal is not None
    assert receipt.proposal.number == 3
    assert sorted(numbers(hub)) == [(draft, "draft"), (2, "closed"), (3, "open")]


@pytest.mark.parametrize(
    ("change", "why"),
    [({"tag": "v1"}, "is not tagged"), ({"revision": "dev"}, "is for main"), ({"private": True}, "no visibility")],
)
def test_what_cannot_be_proposed(hub: TestHub, folder: Path, change: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        propose(hub, folder, **change)
    assert numbers(hub) == []


def test_who_may_not_propose(hub: TestHub, folder: Path) -> None:
    with pytest.raises(AuthError, match="can only read") as caught:
        propose(hub, folder, READER)
    assert caught.value.layer == "token"
    grants = Grants((Scope("org", "acme", frozenset({"repo.content.read"})),))
    with pytest.raises(AuthError, match=r"has no discussion\.write") as caught:
        propose(hub, folder, hub.hub.token("bob", grants=grants))
    assert caught.value.layer == "scope"
    both = Grants((Scope("org", "acme", frozenset({"repo.content.read", "discussion.write"})),))
    assert propose(hub, folder, hub.hub.token("bob", grants=both)).proposal is not None
    options = PushOptions(folder, "absent", namespace="acme", depth=Depth.QUICK, pull_request=True)
    with pytest.raises(UsageError, match="there is no acme/absent"):
        push(options, HubClient(Target(hub.endpoint, BOB, "HF_TOKEN")), lambda _: None)


def test_a_refusal_offers_it(hub: TestHub, folder: Path) -> None:
    with pytest.raises(AuthError) as caught:
        publish(hub, folder, BOB)
    assert "propose it with --pr" in caught.value.next_step


def test_names_of_files_are_no_markup(hub: TestHub, folder: Path) -> None:
    (folder / "a`|@everyone <b>.txt").write_text("x")
    propose(hub, folder)
    assert "``a`¦@everyone <b>.txt``" in description(hub, 1)
