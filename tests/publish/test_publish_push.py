"""What happens between the plan and the commit, on a real hub: each client below lets one thing go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.running_hub import ALICE, TestHub

import hubpub
from hubpub.core.errors import ConflictError, HubError, UsageError, VerificationError
from hubpub.core.rule import Depth
from hubpub.publish.client import HubClient
from hubpub.publish.http import Patience
from hubpub.publish.local import LocalFile
from hubpub.publish.prepare import PushOptions, prepare
from hubpub.publish.push import push
from hubpub.publish.refusals import NoAnswerError
from hubpub.publish.remote import RemoteFile
from hubpub.publish.target import Target

REPO = "acme/model"


def target(hub: TestHub) -> Target:
    return Target(hub.endpoint, ALICE, "the test")


def options(folder: Path) -> PushOptions:
    return PushOptions(path=folder, name="model", namespace="acme", depth=Depth.QUICK)


def silent(_message: str) -> None: ...


def commits(hub: TestHub) -> list[str]:
    return [commit.title for commit in hub.api().list_repo_commits(REPO)]


class SomebodyElseCommits(HubClient):
    """While the files are uploaded, another client commits to the branch."""

    hub: TestHub
    path = "theirs.txt"

    def upload(self, repo_id: str, revision: str, files: Sequence[LocalFile]) -> None:
        super().upload(repo_id, revision, files)
        self.hub.api().upload_file(
            path_or_fileobj=b"---\nlicense: mit\n---\ntheirs",
            path_in_repo=self.path,
            repo_id=repo_id,
            commit_message="theirs",
        )


def test_a_commit_to_other_files_in_between_survives_below_the_release(hub: TestHub, plain_copy: Path) -> None:
    client = SomebodyElseCommits(target(hub))
    client.hub = hub
    said: list[str] = []
    receipt = push(options(plain_copy), client, said.append)
    assert commits(hub) == ["Publish model", "theirs", "initial commit"]
    assert hub.read(REPO, "theirs.txt").endswith(b"theirs")
    assert receipt.to_json()["parent"] != hub.api().list_repo_commits(REPO)[-1].commit_id
    assert any("alice committed" in line and "which changes theirs.txt" in line for line in said)


@pytest.mark.parametrize("path", ["config.json", "README.md", ".gitattributes", "sub/.gitignore"])
def test_a_commit_to_the_same_files_in_between_is_a_conflict(hub: TestHub, plain_copy: Path, path: str) -> None:
    push(options(plain_copy), HubClient(target(hub)), silent)
    (plain_copy / "new.txt").write_text("new")
    client = SomebodyElseCommits(target(hub))
    client.hub, client.path = hub, path
    with pytest.raises(ConflictError) as caught:
        push(options(plain_copy), client, silent)
    assert "alice committed" in caught.value.message
    assert f"(theirs), which changes {path}" in caught.value.message
    assert "run the same command again" in caught.value.next_step
    assert commits(hub) == ["theirs", "Publish model", "initial commit"]


class LosesTheAnswer(HubClient):
    """The commit lands, and the connection breaks before the answer arrives."""

    def commit(self, *args: Any, **kwargs: Any) -> str:
        super().commit(*args, **kwargs)
        raise NoAnswerError("the connection broke", "try again")


def test_a_lost_answer_is_read_back_from_the_branch(hub: TestHub, plain_copy: Path) -> None:
    receipt = push(options(plain_copy), LosesTheAnswer(target(hub)), silent)
    assert receipt.published
    assert receipt.commit == hub.api().model_info(REPO).sha
    assert len(commits(hub)) == 2


class NeverCommits(HubClient):
    """The hub fails before it commits."""

    def commit(self, *args: Any, **kwargs: Any) -> str:
        raise NoAnswerError("503 from the hub", "try again")


def test_a_failed_commit_is_not_taken_for_one_that_landed(hub: TestHub, plain_copy: Path) -> None:
    with pytest.raises(HubError, match="503"):
        push(options(plain_copy), NeverCommits(target(hub), Patience(pause=0.01)), silent)
    assert hub.api().list_repo_files(REPO) == [".gitattributes"]


class WritesWhileUploading(HubClient):
    """A training run still writes to the folder."""

    folder: Path

    def upload(self, repo_id: str, revision: str, files: Sequence[LocalFile]) -> None:
        super().upload(repo_id, revision, files)
        config = self.folder / "config.json"
        config.write_text(config.read_text() + "\n")


def test_a_file_that_changes_meanwhile_is_not_published(hub: TestHub, plain_copy: Path) -> None:
    client = WritesWhileUploading(target(hub))
    client.folder = plain_copy
    with pytest.raises(ConflictError, match=r"config\.json changed on disk"):
        push(options(plain_copy), client, silent)
    assert hub.api().list_repo_files(REPO) == [".gitattributes"]


class ServesSomethingElse(HubClient):
    """A hub, or a proxy before it, that shows another content than what was committed."""

    def tree(self, repo_id: str, revision: str) -> dict[str, RemoteFile]:
        files = super().tree(repo_id, revision)
        return {path: replace(file, sha256="0" * 64, blob="0" * 40) for path, file in files.items()}


def test_what_the_hub_serves_is_compared_hash_by_hash(hub: TestHub, plain_copy: Path) -> None:
    with pytest.raises(VerificationError, match="another hash"):
        push(options(plain_copy), ServesSomethingElse(target(hub)), silent)


def test_files_that_a_gitignore_hides_stop_the_push(hub: TestHub, plain_copy: Path) -> None:
    (plain_copy / ".gitignore").write_text("*.safetensors\n")
    with pytest.raises(ConflictError, match=r"a \.gitignore makes acme/model drop model\.safetensors"):
        push(options(plain_copy), HubClient(target(hub)), silent)
    assert hub.api().list_repo_files(REPO) == [".gitattributes"]


def test_the_plan_names_each_file_once(hub: TestHub, plain_copy: Path) -> None:
    push(options(plain_copy), HubClient(target(hub)), silent)
    (plain_copy / "config.json").write_text((plain_copy / "config.json").read_text() + "\n")
    (plain_copy / "new.txt").write_text("new")
    plan = prepare(options(plain_copy), HubClient(target(hub)), silent).plan
    assert [file.path for file in plan.add] == ["new.txt"]
    assert [file.path for file in plan.replace] == ["config.json"]
    assert {file.path for file in plan.unchanged} >= {"README.md", "model.safetensors", "tokenizer.json"}
    assert plan.kept == (".gitattributes",)
    assert plan.bytes_to_send == sum((plain_copy / name).stat().st_size for name in ("new.txt", "config.json"))


def test_a_branch_that_is_not_there(hub: TestHub, plain_copy: Path) -> None:
    push(options(plain_copy), HubClient(target(hub)), silent)
    with pytest.raises(UsageError, match="has no branch dev"):
        push(replace(options(plain_copy), revision="dev"), HubClient(target(hub)), silent)
    hub.api().create_branch(REPO, branch="dev")
    (plain_copy / "new.txt").write_text("new")
    receipt = push(replace(options(plain_copy), revision="dev"), HubClient(target(hub)), silent)
    assert hub.api().model_info(REPO, revision="dev").sha == receipt.commit
    assert hub.api().model_info(REPO).sha != receipt.commit


def test_the_python_verbs(hub: TestHub, plain_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", ALICE)
    assert hubpub.check(plain_copy).ok
    assert hubpub.render(plain_copy, repo_id=REPO).startswith("---\n")
    assert hubpub.plan(plain_copy, REPO, hub=hub.endpoint).creates_repo
    receipt = hubpub.push(plain_copy, REPO, hub=hub.endpoint, tag="v1", private=True)
    assert (receipt.tag, hub.api().model_info(REPO).private) == ("v1", True)
    (plain_copy / "README.md").write_text(receipt.plan.card.content.decode())
    assert hubpub.lint(plain_copy).counts["error"] == 0
