"""What a hub serves, against a folder, a receipt, and the hashes that it states itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.running_hub import ALICE, TestHub

import hubpub
from hubpub.core.errors import HubError, UsageError
from hubpub.core.rule import Depth
from hubpub.publish.client import HubClient
from hubpub.publish.http import Patience
from hubpub.publish.prepare import PushOptions
from hubpub.publish.push import push
from hubpub.publish.receipt import Receipt
from hubpub.publish.remote import RemoteFile
from hubpub.publish.target import Target, parse_revision
from hubpub.publish.verification import Verification, VerifyOptions, verify

REPO = "acme/model"


@pytest.fixture
def published(hub: TestHub, plain_copy: Path) -> Receipt:
    (plain_copy / "notes.txt").write_text("some notes")
    options = PushOptions(path=plain_copy, name="model", namespace="acme", depth=Depth.QUICK, tag="v1")
    return push(options, client(hub), silent)


@pytest.fixture
def receipt(published: Receipt, tmp_path: Path) -> Path:
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(published.to_json()))
    return file


def client(hub: TestHub, token: str | None = ALICE) -> HubClient:
    return HubClient(Target(hub.endpoint, token, "the test"))


def silent(_message: str) -> None: ...


def run(hub: TestHub, **more: Any) -> Verification:
    return verify(VerifyOptions(REPO, **more), client(hub), silent)


def differences(result: Verification) -> dict[str, str]:
    return {item.path: item.what for item in result.differences}


def test_every_file_is_fetched_and_hashed(hub: TestHub, published: Receipt) -> None:
    seen: list[tuple[int, int]] = []
    result = verify(
        VerifyOptions(REPO, "v1"), client(hub, token=None), silent, lambda done, total: seen.append((done, total))
    )
    assert result.ok
    tree = hub.api().list_repo_files(REPO)
    assert (result.files, result.fetched, result.commit) == (len(tree), len(tree), published.commit)
    assert seen[-1] == (result.bytes, result.bytes)
    assert result.only_on_hub == ()


def test_a_receipt_is_compared_with_what_is_served(hub: TestHub, published: Receipt, receipt: Path) -> None:
    result = run(hub, receipt=receipt)
    assert result.ok
    assert result.only_on_hub == (".gitattributes",)

    hub.api().upload_file(path_or_fileobj=b"some NOTES", path_in_repo="notes.txt", repo_id=REPO)
    hub.api().upload_file(path_or_fileobj=b"\0" * 9, path_in_repo="model.safetensors", repo_id=REPO)
    hub.api().upload_file(path_or_fileobj=b"x", path_in_repo="theirs.txt", repo_id=REPO)
    hub.api().delete_file("config.json", REPO)
    expected = {
        "config.json": "not there",
        "model.safetensors": f"9 bytes instead of {size(published, 'model.safetensors'):,}",
        "notes.txt": "another content than in the receipt",
    }
    for fetch in (True, False):
        result = run(hub, receipt=receipt, fetch=fetch)
        assert differences(result) == expected
        assert result.only_on_hub == (".gitattributes", "theirs.txt")
    assert run(hub, revision="v1", receipt=receipt).ok, "the release itself is as it was"


def size(published: Receipt, path: str) -> int:
    return next(file.size for file in published.plan.files if file.path == path)


def test_a_folder_is_compared_by_what_the_hub_states(hub: TestHub, published: Receipt, plain_copy: Path) -> None:
    result = run(hub, path=plain_copy)
    assert (result.ok, result.fetched, result.only_on_hub) == (True, 0, ())
    assert run(hub, path=plain_copy, fetch=True).fetched == result.files

    weights = plain_copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    (plain_copy / "notes.txt").write_text("other, longer notes")
    (plain_copy / "mine.txt").write_text("mine")
    (plain_copy / "optimizer.pt").write_bytes(b"stays here")
    (plain_copy / "config.json").unlink()
    result = run(hub, path=plain_copy)
    assert differences(result) == {
        "mine.txt": "not on the hub",
        "model.safetensors": "another content than here",
        "notes.txt": "10 bytes on the hub, 19 here",
    }
    assert result.only_on_hub == ("config.json",)
    assert differences(run(hub, path=plain_copy, complete=True))["config.json"] == "only on the hub"


def test_a_cache_of_links_is_a_folder_too(hub: TestHub, published: Receipt, tmp_path: Path) -> None:
    snapshot = Path(hub.api().snapshot_download(REPO, cache_dir=tmp_path / "cache"))
    assert (snapshot / "config.json").is_symlink()
    assert run(hub, path=snapshot, complete=True).ok
    blob = (snapshot / "config.json").resolve()
    blob.write_bytes(blob.read_bytes() + b" ")
    assert list(differences(run(hub, path=snapshot))) == ["config.json"]


class ServesOtherBytes(HubClient):
    """A hub whose storage, or a proxy before it, changes a bit."""

    def stream(self, repo_id: str, path: str, revision: str) -> Iterator[bytes]:
        for block in super().stream(repo_id, path, revision):
            yield bytes([block[0] ^ 1]) + block[1:] if path in ("config.json", "model.safetensors") else block


def test_other_bytes_than_the_hash_that_is_stated(hub: TestHub, published: Receipt) -> None:
    result = verify(VerifyOptions(REPO), ServesOtherBytes(Target(hub.endpoint, ALICE, "")), silent)
    what = "the hub serves other bytes than the hash that it states"
    assert differences(result) == {"config.json": what, "model.safetensors": what}


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "before", lambda _patience, _attempt: 0.001)


WEIGHTS = "GET /**/resolve/*/model.safetensors"


@pytest.mark.parametrize(
    "fault", ["cut bytes=1000 first=2", "503 first=2", "429 first=1", "drop first=3", "500 first=3"]
)
def test_a_download_that_breaks_off_goes_on(hub: TestHub, published: Receipt, quick_retries: None, fault: str) -> None:
    hub.hub.faults(f"{WEIGHTS}: {fault}")
    assert run(hub).ok


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("404", "cannot be fetched: HTTP 404"),
        ("410", "cannot be fetched: HTTP 410"),
        ("500", "cannot be fetched: HTTP 500"),
        ("truncate bytes=1000", "the hub serves 1,000 bytes and states"),
        ("truncate bytes=0", "the hub serves 0 bytes and states"),
    ],
)
def test_a_file_that_is_not_handed_out_is_a_difference(
    hub: TestHub, published: Receipt, quick_retries: None, fault: str, says: str
) -> None:
    hub.hub.faults(f"{WEIGHTS}: {fault}")
    found = differences(run(hub))
    assert list(found) == ["model.safetensors"]
    assert found["model.safetensors"].startswith(says)


@pytest.mark.parametrize("fault", ["503", "429", "drop", "cut bytes=1000"])
def test_a_hub_that_is_down_is_not_a_difference(
    hub: TestHub, published: Receipt, quick_retries: None, fault: str
) -> None:
    hub.hub.faults(f"{WEIGHTS}: {fault}")
    with pytest.raises(HubError, match=r"model\.safetensors"):
        run(hub)


class NamesOtherPlaces(HubClient):
    """A hub that lists paths which no folder can have."""

    def tree(self, repo_id: str, revision: str) -> dict[str, RemoteFile]:
        files = super().tree(repo_id, revision)
        config = files["config.json"]
        return files | {path: replace(config, path=path) for path in ("../outside", "/etc/passwd", "a\0b")}


def test_paths_of_a_hub_do_not_lead_out_of_the_folder(hub: TestHub, published: Receipt, plain_copy: Path) -> None:
    (plain_copy.parent / "outside").write_text("not of the model")
    result = verify(VerifyOptions(REPO, path=plain_copy), NamesOtherPlaces(Target(hub.endpoint, ALICE, "")), silent)
    assert result.ok
    assert set(result.only_on_hub) == {"../outside", "/etc/passwd", "a\0b"}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"revision": "v9"}, "has no branch, tag or commit v9"),
        ({"path": Path("none")}, "is not a folder"),
        ({"receipt": Path("none.json")}, "is not a file that can be read"),
        ({"fetch": False}, "there is nothing to compare with"),
    ],
)
def test_wrong_usage(hub: TestHub, published: Receipt, more: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        run(hub, **more)
    with pytest.raises(UsageError, match="has no model acme/none"):
        verify(VerifyOptions("acme/none"), client(hub), silent)


def test_a_receipt_without_hashes(hub: TestHub, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    file.write_text('{"schema": "hubpub.receipt/1", "files": {}}')
    with pytest.raises(UsageError, match="records no hashes"):
        run(hub, receipt=file)


def test_repos_with_a_revision() -> None:
    assert parse_revision("acme/model") == ("acme", "model", "main")
    assert parse_revision("acme/model@refs/pr/1") == ("acme", "model", "refs/pr/1")
    for wrong in ("acme/model@", "model@v1", "@"):
        with pytest.raises(UsageError):
            parse_revision(wrong)


def test_the_python_verb(hub: TestHub, published: Receipt, receipt: Path) -> None:
    result = hubpub.verify(REPO, receipt=receipt, hub=hub.endpoint)
    assert result.ok
    assert result.to_json()["schema"] == "hubpub.verification/1"
