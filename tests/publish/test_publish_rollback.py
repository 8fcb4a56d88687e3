"""Rolling back on a real hub: one commit with the older tree, by copies within the hub, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.running_hub import ALICE, BOB, READER, TestHub

import hubpub
from hubpub.core.errors import AuthError, ConflictError, HubError, UsageError, VerificationError
from hubpub.core.rule import Depth
from hubpub.publish.card import CardSource
from hubpub.publish.client import HubClient
from hubpub.publish.http import Patience
from hubpub.publish.prepare import PushOptions, prepare
from hubpub.publish.push import push
from hubpub.publish.rollback import plan_rollback, roll_back
from hubpub.publish.target import Target

REPO = "acme/model"


def target(hub: TestHub, token: str = ALICE) -> Target:
    return Target(hub.endpoint, token, "the test")


def silent(_message: str) -> None: ...


def options(folder: Path, tag: str | None = None) -> PushOptions:
    return PushOptions(path=folder, name="model", namespace="acme", tag=tag, depth=Depth.QUICK)


@pytest.fixture
def two_releases(hub: TestHub, plain_copy: Path) -> Path:
    """The folder of the second release, which has other weights, a file more, and one less."""
    (plain_copy / "notes.txt").write_text("of the first")
    push(options(plain_copy, "v1"), HubClient(target(hub)), silent)
    (plain_copy / "second.txt").write_text("of the second")
    weights = plain_copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\x80\x3f")
    push(options(plain_copy, "v2"), HubClient(target(hub)), silent)
    hub.api().delete_file("notes.txt", REPO)
    return plain_copy


def tree(hub: TestHub, revision: str = "main") -> dict[str, str]:
    return {
        item.path: item.blob_id
        for item in hub.api().list_repo_tree(REPO, recursive=True, revision=revision)
        if hasattr(item, "blob_id")
    }


def history(hub: TestHub) -> list[str]:
    return [commit.commit_id for commit in hub.api().list_repo_commits(REPO)]


def run(hub: TestHub, to: str, client: HubClient | None = None) -> Any:
    client = client or HubClient(target(hub))
    return roll_back(plan_rollback(client, REPO, "main", to), client, silent)


class UploadsNothing(HubClient):
    """Fails when anything is uploaded."""

    def upload(self, *args: Any, **kwargs: Any) -> None:
        raise AssertionError("something was uploaded")


def test_the_older_tree_in_one_commit_and_nothing_uploaded(hub: TestHub, two_releases: Path) -> None:
    before = history(hub)
    hub.hub.faults("lfs-put: 500", "xorb-put: 500", "lfs-batch: 500", "preupload: 500")
    receipt = run(hub, "v1", UploadsNothing(target(hub)))
    plan = receipt.plan
    assert [file.path for file in plan.add] == ["notes.txt"]
    assert [file.path for file in plan.replace] == ["model.safetensors"]
    assert [file.path for file in plan.delete] == ["second.txt"]
    assert plan.copied == (two_releases / "model.safetensors").stat().st_size
    assert tree(hub) == tree(hub, "v1")
    assert history(hub) == [receipt.commit, *before], "one commit, on top of what was there"
    assert receipt.verified == len(tree(hub))
    commit = hub.api().list_repo_commits(REPO)[0]
    assert commit.title == f"Roll back to v1 ({plan.target[:12]})"
    assert f"from {plan.head} to {plan.target}" in commit.message


def test_there_and_back_again_and_twice_is_once(hub: TestHub, two_releases: Path) -> None:
    second = tree(hub)
    before = history(hub)[0]
    assert run(hub, "v1").published
    again = run(hub, "v1")
    assert (again.published, again.commit) == (False, history(hub)[0])
    assert run(hub, before[:12]).published
    assert tree(hub) == second


@pytest.mark.parametrize("to", ["v9", "0" * 40, "no such"])
def test_an_unknown_target_is_wrong_usage(hub: TestHub, two_releases: Path, to: str) -> None:
    with pytest.raises(UsageError, match="has no branch, tag or commit"):
        run(hub, to)
    with pytest.raises(UsageError, match="has no model acme/none"):
        plan_rollback(HubClient(target(hub)), "acme/none", "main", "v1")


@pytest.mark.parametrize("token", [BOB, READER])
def test_who_may_not_write_may_not_roll_back(hub: TestHub, two_releases: Path, token: str) -> None:
    before = history(hub)
    with pytest.raises(AuthError):
        run(hub, "v1", HubClient(target(hub, token)))
    assert history(hub) == before


def test_a_branch_that_moved_is_a_conflict(hub: TestHub, two_releases: Path) -> None:
    client = HubClient(target(hub))
    plan = plan_rollback(client, REPO, "main", "v1")
    hub.api().upload_file(path_or_fileobj=b"theirs", path_in_repo="theirs.txt", repo_id=REPO)
    before = history(hub)
    with pytest.raises(ConflictError, match=rf"main of acme/model moved from {plan.head[:12]} to {before[0][:12]}"):
        roll_back(plan, client, silent)
    assert history(hub) == before


class SomebodyElseCommits(HubClient):
    """Another client commits between the last look at the branch and the commit."""

    hub: TestHub

    def commit(self, *args: Any, **kwargs: Any) -> str:
        self.hub.api().upload_file(path_or_fileobj=b"theirs", path_in_repo="theirs.txt", repo_id=REPO)
        return super().commit(*args, **kwargs)


def test_a_commit_at_the_last_moment_is_a_conflict_and_survives(hub: TestHub, two_releases: Path) -> None:
    client = SomebodyElseCommits(target(hub))
    client.hub = hub
    with pytest.raises(ConflictError):
        run(hub, "v1", client)
    assert hub.read(REPO, "theirs.txt") == b"theirs"
    assert "second.txt" in tree(hub)


def test_a_lost_answer_is_read_back(hub: TestHub, two_releases: Path) -> None:
    before = history(hub)
    hub.hub.faults("commit: lose first=1")
    receipt = run(hub, "v1")
    assert history(hub) == [receipt.commit, *before]


@pytest.mark.parametrize("fault", ["commit: 503", "commit: 500", "commit: drop"])
def test_a_commit_that_fails_changes_nothing(hub: TestHub, two_releases: Path, fault: str) -> None:
    before = history(hub)
    hub.hub.faults(fault)
    with pytest.raises(HubError):
        run(hub, "v1", HubClient(target(hub), Patience(pause=0.01)))
    assert history(hub) == before


class ServesOtherBytes(HubClient):
    """A hub that serves other bytes of small files than it states."""

    def stream(self, repo_id: str, path: str, revision: str) -> Iterator[bytes]:
        for block in super().stream(repo_id, path, revision):
            yield block.replace(b"first", b"worst")


def test_other_bytes_are_not_committed(hub: TestHub, two_releases: Path) -> None:
    before = history(hub)
    with pytest.raises(VerificationError, match=r"serves other bytes of notes\.txt"):
        run(hub, "v1", ServesOtherBytes(target(hub), Patience(attempts=2, pause=0.01)))
    assert history(hub) == before


class ForgetsOperations(HubClient):
    """A hub that makes another commit than it was asked for."""

    def commit(self, repo_id: str, revision: str, operations: Any, **kwargs: Any) -> str:
        return super().commit(repo_id, revision, operations[:-1], **kwargs)


def test_the_result_is_verified_path_by_path(hub: TestHub, two_releases: Path) -> None:
    with pytest.raises(VerificationError, match=r"second\.txt: still there") as caught:
        run(hub, "v1", ForgetsOperations(target(hub)))
    assert "roll back to" in caught.value.next_step


def test_files_that_the_newer_gitattributes_would_make_large(hub: TestHub, two_releases: Path) -> None:
    rules = "*.txt filter=lfs diff=lfs merge=lfs -text\n*.safetensors filter=lfs diff=lfs merge=lfs -text\n"
    for path, content in ((".gitattributes", rules), (".gitignore", "notes.*\n")):
        hub.api().upload_file(path_or_fileobj=content.encode(), path_in_repo=path, repo_id=REPO)
    run(hub, "v1")
    assert tree(hub) == tree(hub, "v1")


def test_the_card_is_known_again_after_a_rollback(hub: TestHub, plain_copy: Path) -> None:
    client = HubClient(target(hub))
    push(options(plain_copy, "v1"), client, silent)
    (plain_copy / "README.md").write_text("---\nlicense: mit\n---\n# Model\n\nBy hand.\n")
    push(options(plain_copy, "v2"), client, silent)
    run(hub, "v1")
    (plain_copy / "README.md").unlink()
    assert prepare(options(plain_copy), client, silent).plan.card.source is CardSource.RENDERED
    run(hub, "v2")
    assert prepare(options(plain_copy), client, silent).plan.card.source is CardSource.HUB


def test_the_python_verb(hub: TestHub, two_releases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", ALICE)
    receipt = hubpub.rollback(REPO, "v1", hub=hub.endpoint)
    assert receipt.to_json()["schema"] == "hubpub.rollback/1"
    assert tree(hub) == tree(hub, "v1")
