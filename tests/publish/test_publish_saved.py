"""Saved plans on a real hub: published as they are, or refused with what changed. And what a plan deletes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.running_hub import ALICE, TestHub

import hubpub
from hubpub.core.errors import ConflictError, UsageError, VerificationError
from hubpub.core.rule import Depth
from hubpub.publish.body import Add
from hubpub.publish.client import HubClient
from hubpub.publish.prepare import PushOptions, prepare
from hubpub.publish.push import push
from hubpub.publish.receipt import Receipt
from hubpub.publish.saved import plan_document, read_plan, save_outside
from hubpub.publish.target import Target

REPO = "acme/model"


def client(hub: TestHub) -> HubClient:
    return HubClient(Target(hub.endpoint, ALICE, "the test"))


def options(folder: Path, **more: Any) -> PushOptions:
    return replace(PushOptions(path=folder, name="model", namespace="acme", depth=Depth.QUICK), **more)


def silent(_message: str) -> None: ...


def save(hub: TestHub, wanted: PushOptions, file: Path) -> Path:
    save_outside(file, wanted.path, plan_document(prepare(wanted, client(hub), silent).plan, wanted))
    return file


def push_saved(hub: TestHub, file: Path) -> Receipt:
    saved = read_plan(file)
    return push(saved.options, client(hub), silent, saved.expected)


def upload(hub: TestHub, path: str, content: bytes) -> None:
    hub.api().upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=REPO)


def test_a_saved_plan_is_published_and_only_once(hub: TestHub, plain_copy: Path, tmp_path: Path) -> None:
    file = save(hub, options(plain_copy, tag="v1", private=True, title="The first"), tmp_path / "plan.json")
    receipt = push_saved(hub, file)
    assert (receipt.published, receipt.tag) == (True, "v1")
    assert hub.api().model_info(REPO).private is True
    assert hub.api().list_repo_commits(REPO)[0].title == "The first"
    again = push_saved(hub, file)
    assert (again.published, again.commit, again.tag) == (False, receipt.commit, "v1")
    assert again.verified == receipt.verified == len(receipt.plan.files)
    assert again.plan.release == receipt.plan.release
    assert len(hub.api().list_repo_commits(REPO)) == 2  # the hub makes the first one


@pytest.mark.parametrize("with_card", [False, True])
def test_a_plan_that_was_carried_out_is_done_whatever_others_add(
    hub: TestHub, plain_copy: Path, tmp_path: Path, *, with_card: bool
) -> None:
    if with_card:
        (plain_copy / "README.md").write_text("---\nlicense: mit\n---\n# Mine\n")
    push(options(plain_copy), client(hub), silent)
    (plain_copy / "notes.txt").write_text("of the second")
    file = save(hub, options(plain_copy), tmp_path / "plan.json")
    commit = push_saved(hub, file).commit
    upload(hub, "other.txt", b"theirs")
    said: list[str] = []
    saved = read_plan(file)
    again = push(saved.options, client(hub), said.append, saved.expected)
    assert (again.published, again.commit) == (False, commit)
    assert f"already published: {REPO} holds the same {again.verified} files at {commit[:12]}" in said
    upload(hub, "notes.txt", b"theirs")
    with pytest.raises(ConflictError, match=f"was published as {commit[:12]}, and its files were changed after that"):
        push_saved(hub, file)


def test_a_plan_that_was_carried_out_may_have_deleted_files(hub: TestHub, plain_copy: Path, tmp_path: Path) -> None:
    push(options(plain_copy), client(hub), silent)
    upload(hub, "model-00001-of-00002.safetensors", b"old")
    (plain_copy / "notes.txt").write_text("of the second")
    file = save(hub, options(plain_copy, delete_stale=True), tmp_path / "plan.json")
    commit = push_saved(hub, file).commit
    assert read_plan(file).expected.delete
    again = push_saved(hub, file)
    assert (again.published, again.commit) == (False, commit)
    upload(hub, "model-00001-of-00002.safetensors", b"old")
    with pytest.raises(ConflictError, match="changed after that"):
        push_saved(hub, file)


def test_the_tree_of_a_plan_by_whatever_commit_is_the_plan_carried_out(
    hub: TestHub, plain_copy: Path, tmp_path: Path
) -> None:
    push(options(plain_copy), client(hub), silent)
    (plain_copy / "notes.txt").write_text("of the second")
    file = save(hub, options(plain_copy, tag="v2"), tmp_path / "plan.json")
    upload(hub, "notes.txt", b"of the second")
    receipt = push_saved(hub, file)
    assert (receipt.published, receipt.tag) == (False, "v2")
    assert hub.api().list_repo_refs(REPO).tags[0].target_commit == receipt.commit


def test_a_plan_whose_files_came_with_others_is_not_carried_out(hub: TestHub, plain_copy: Path, tmp_path: Path) -> None:
    push(options(plain_copy), client(hub), silent)
    (plain_copy / "notes.txt").write_text("of the second")
    file = save(hub, options(plain_copy, tag="v2"), tmp_path / "plan.json")
    upload(hub, "notes.txt", b"of the second")
    upload(hub, "more.txt", b"that nobody looked at")
    with pytest.raises(ConflictError, match=r"more\.txt is new"):
        push_saved(hub, file)
    assert not hub.api().list_repo_refs(REPO).tags


def test_a_repo_that_is_as_good_as_new_is_none(hub: TestHub, plain_copy: Path, tmp_path: Path) -> None:
    file = save(hub, options(plain_copy), tmp_path / "plan.json")
    hub.api().create_repo(REPO)
    assert push_saved(hub, file).published


def change(folder: Path) -> None:
    config = folder / "config.json"
    config.write_bytes(config.read_bytes().replace(b'"', b"'", 1).replace(b"'", b'"', 1) + b" ")


def same_size(folder: Path) -> None:
    vocabulary = folder / "notes.txt"
    vocabulary.write_bytes(vocabulary.read_bytes()[::-1])


@pytest.mark.parametrize(
    ("meddle", "says"),
    [
        (change, r"config\.json has [\d,]+ bytes"),
        (same_size, r"notes\.txt has another content"),
        (lambda folder: (folder / "more.txt").write_text("x"), r"more\.txt is new"),
        (lambda folder: (folder / "notes.txt").unlink(), r"notes\.txt is gone"),
        (lambda folder: (folder / "README.md").write_text("# A card"), r"README\.md has another content"),
    ],
    ids=["longer", "same size", "new", "gone", "card"],
)
def test_a_folder_that_changed_is_refused(
    hub: TestHub, plain_copy: Path, tmp_path: Path, meddle: Any, says: str
) -> None:
    (plain_copy / "notes.txt").write_text("some notes")
    file = save(hub, options(plain_copy), tmp_path / "plan.json")
    meddle(plain_copy)
    with pytest.raises(ConflictError, match=says) as caught:
        push_saved(hub, file)
    assert "nothing was published" in caught.value.message
    assert "hubpub plan" in caught.value.next_step
    assert list(hub.api().list_models()) == []


def test_a_folder_that_broke_is_refused_for_having_changed(hub: TestHub, plain_copy: Path, tmp_path: Path) -> None:
    file = save(hub, options(plain_copy), tmp_path / "plan.json")
    weights = plain_copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ConflictError, match=r"model\.safetensors has [\d,]+ bytes"):
        push_saved(hub, file)


def test_a_hub_that_changed_is_refused_with_what_changed(hub: TestHub, plain_copy: Path, tmp_path: Path) -> None:
    push(options(plain_copy), client(hub), silent)
    (plain_copy / "notes.txt").write_text("more")
    file = save(hub, options(plain_copy), tmp_path / "plan.json")
    upload(hub, "theirs.txt", b"theirs")
    upload(hub, "config.json", b"{}")
    with pytest.raises(ConflictError) as caught:
        push_saved(hub, file)
    assert caught.value.message.startswith(f"{REPO} changed since the plan was saved")
    assert "config.json has another content; theirs.txt is new" in caught.value.message
    assert "notes.txt" not in hub.api().list_repo_files(REPO)


def test_what_is_stale_stays_until_somebody_says_so(hub: TestHub, plain_copy: Path, tmp_path: Path) -> None:
    push(options(plain_copy), client(hub), silent)
    for path in ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "theirs.txt"):
        upload(hub, path, b"\0old")
    plan = prepare(options(plain_copy), client(hub), silent).plan
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    assert ([item.path for item in plan.stale], plan.delete, plan.makes_commit) == (shards, (), False)
    assert set(shards) < set(plan.kept)
    receipt = push(options(plain_copy), client(hub), silent)
    assert not receipt.published
    assert set(shards) < set(hub.api().list_repo_files(REPO))

    file = save(hub, options(plain_copy, delete_stale=True), tmp_path / "plan.json")
    document = json.loads(file.read_text())
    assert [item["path"] for item in document["delete"]] == shards
    assert document["stale"] == []
    assert "theirs.txt" in document["kept"]
    commits = len(hub.api().list_repo_commits(REPO))
    receipt = push_saved(hub, file)
    assert receipt.published
    assert receipt.to_json()["files"]["deleted"] == shards
    assert len(hub.api().list_repo_commits(REPO)) == commits + 1
    assert not set(shards) & set(hub.api().list_repo_files(REPO))
    assert "theirs.txt" in hub.api().list_repo_files(REPO)


class DeletesNothing(HubClient):
    """A hub that drops deletions without a word."""

    def commit(self, repo_id: str, revision: str, operations: Any, **kwargs: Any) -> str:
        return super().commit(repo_id, revision, [item for item in operations if isinstance(item, Add)], **kwargs)


def test_a_deletion_is_verified(hub: TestHub, plain_copy: Path) -> None:
    push(options(plain_copy), client(hub), silent)
    upload(hub, "model-00001-of-00001.safetensors", b"\0old")
    (plain_copy / "notes.txt").write_text("more")
    with pytest.raises(VerificationError, match=r"model-00001-of-00001\.safetensors: still there"):
        push(options(plain_copy, delete_stale=True), DeletesNothing(Target(hub.endpoint, ALICE, "")), silent)


def test_a_deletion_and_an_older_format_in_one_plan(hub: TestHub, plain_copy: Path) -> None:
    push(options(plain_copy), client(hub), silent)
    upload(hub, "pytorch_model.bin", b"PK\x03\x04")
    assert prepare(options(plain_copy), client(hub), silent).plan.older == (), "it is not older than what is there"
    upload(hub, "model.safetensors", b"\0other weights")
    plan = prepare(options(plain_copy, delete_stale=True), client(hub), silent).plan
    assert ([item.path for item in plan.older], plan.delete) == (["pytorch_model.bin"], ())


def test_the_cards_diff(hub: TestHub, plain_copy: Path) -> None:
    (plain_copy / "README.md").write_text("---\nlicense: mit\n---\n# Model\n\nOne.\n")
    push(options(plain_copy), client(hub), silent)
    (plain_copy / "README.md").write_text("---\nlicense: mit\n---\n# Model\n\nTwo.\n")
    diff = prepare(options(plain_copy), client(hub), silent).plan.to_json()["card"]["diff"]
    assert diff.splitlines()[-2:] == ["-One.", "+Two."]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff", b"{}", b'{"schema": "hubpub.receipt/1"}', b'{"schema": "hubpub.plan/1"}', b"[" * 100_000],
)
def test_what_is_not_a_saved_plan(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_plan(file)
    assert "hubpub plan PATH --out FILE" in caught.value.next_step


def test_a_plan_is_not_saved_into_the_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is in the model folder"):
        save_outside(tmp_path / "plan.json", tmp_path, {})
    with pytest.raises(UsageError, match="is not a folder"):
        save_outside(tmp_path / "none" / "plan.json", tmp_path, {})


def test_a_plan_does_not_say_where_the_token_goes(
    hub: TestHub, plain_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", ALICE)
    file = tmp_path / "plan.json"
    hubpub.plan(plain_copy, REPO, hub=hub.endpoint, depth="quick", out=file)
    document = json.loads(file.read_text())
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(json.dumps(document | {"endpoint": "http://127.0.0.1:1"}))
    with pytest.raises(UsageError, match=r"made for http://127\.0\.0\.1:1, not"):
        hubpub.push_plan(elsewhere, hub=hub.endpoint)
    assert hubpub.push_plan(file, hub=hub.endpoint).published
