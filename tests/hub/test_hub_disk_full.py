"""A disk without room: a clear 507 for whoever writes, nothing damaged, and all is well once there is room again.

On a file system of a few MB where root may mount one; and everywhere with a bound on the size of the server's files,
which its writes meet as they meet a full disk.
"""

from __future__ import annotations

import io
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import support.client_env  # noqa: F401  before huggingface_hub
from huggingface_hub import CommitOperationAdd, HfApi, get_session
from huggingface_hub.errors import HfHubHTTPError
from support.killable_hub import TOKEN, Nursery, nursery

from hubpub.hub.store.fsck import fsck

REPO = "acme/model"
# The client's own: it hands httpx a file object where that wants something else.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
    pytest.mark.skipif(os.name != "posix", reason="servers are forked"),
]


@pytest.fixture(scope="module")
def servers() -> Iterator[Nursery]:
    with nursery() as found:
        yield found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def adds(way: str, size: int) -> list[CommitOperationAdd]:
    if way == "regular":
        return [CommitOperationAdd(f"{way}.txt", noise(size // 2).hex().encode())]
    if way == "many":
        return [
            CommitOperationAdd(f"{way}/{number}.txt", noise(size // 200 + number).hex().encode())
            for number in range(100)
        ]
    data = noise(size)
    return [CommitOperationAdd(f"{way}.bin", data if way == "xet" else io.BytesIO(data))]


WAYS = ("regular", "many", "lfs", "parts", "xet")


def refusal(push: Callable[[], object]) -> str:
    """What the client makes of it: the HTTP error, its cause, or hf_xet's words."""
    with pytest.raises((HfHubHTTPError, RuntimeError, ConnectionError)) as caught:
        push()
    error = caught.value.__cause__ if isinstance(caught.value.__cause__, HfHubHTTPError) else caught.value
    if isinstance(error, HfHubHTTPError):
        assert error.response.status_code == 507
        assert error.response.headers["X-Error-Message"] == error.response.json()["error"]
    return str(error)


def check_full(servers: Nursery, root: Path, way: str, size: int, largest_file: int = 0) -> None:
    server = servers.start(root)
    api = HfApi(endpoint=server.endpoint, token=TOKEN)
    api.create_repo(REPO)
    before = api.create_commit(REPO, [CommitOperationAdd("before.bin", b"\0before")], commit_message="before").oid
    server.kill()
    server = servers.start(root, largest_file=largest_file)
    api = HfApi(endpoint=server.endpoint, token=TOKEN)
    message = refusal(lambda: api.create_commit(REPO, adds(way, size), commit_message="too much"))
    assert "507" in message
    if way != "xet":
        assert "The hub's disk is full: nothing was changed" in message
    assert get_session().get(f"{server.endpoint}/healthz").status_code == 200
    assert api.model_info(REPO).sha == before
    assert list((root / "scratch").glob("*")) == []
    api.create_commit(REPO, [CommitOperationAdd("small.txt", b"fits")], commit_message="small")
    server.kill()
    assert fsck(root).damage == []


@pytest.mark.parametrize("way", WAYS)
def test_files_that_cannot_grow(servers: Nursery, tmp_path: Path, way: str) -> None:
    root = tmp_path / "hub"
    size = 3_000_000 if way == "parts" else 500_000
    check_full(servers, root, way, size, largest_file=300_000)
    server = servers.start(root)
    api = HfApi(endpoint=server.endpoint, token=TOKEN)
    api.create_commit(REPO, adds(way, size), commit_message="again, with room")
    server.kill()
    assert fsck(root).damage == []


@pytest.mark.parametrize("way", WAYS)
def test_a_full_disk(servers: Nursery, small_disk: Path, way: str) -> None:
    check_full(servers, small_disk / "hub", way, 9_000_000)
