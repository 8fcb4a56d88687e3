"""Every call that uploads, or makes a new repo, goes wrong in every way: the release is published once."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fault_matrix import Counted, Push, cases, once
from support.tiny_release import fresh_weights, save_tiny

from hubpub.hub import Hub

pytestmark = pytest.mark.faults

# How often each call is made by the pushes below; a test holds these numbers.
FIRST = {"create-repo": 1, "settings": 1, "revision": 2}
XET = {"xet-write-token": 1, "xorb-put": 1, "shard": 1}
LFS = {"lfs-batch": 1, "lfs-put": 2, "lfs-part": 3, "lfs-complete": 1, "lfs-verify": 3}
_numbers = iter(range(10_000))


@pytest.fixture
def name() -> str:
    return f"upload-{next(_numbers)}"


@pytest.fixture
def first(faulty_hub: Hub, name: str, tmp_path: Path) -> Push:
    """The first release of a repo, by xet."""
    made = Push(faulty_hub, save_tiny(tmp_path / "model", "first"), name)
    fresh_weights(made.folder)
    return made


@pytest.fixture
def by_lfs(first: Push, monkeypatch: pytest.MonkeyPatch) -> Push:
    """The same by git-LFS: three files, one of them in parts."""
    monkeypatch.setattr("hubpub.publish.upload._has_xet", lambda: False)
    fresh_weights(first.folder, 650_000)
    (first.folder / "a.npy").write_bytes(b"\0" + first.name.encode())
    (first.folder / "b.npy").write_bytes(b"\1" + first.name.encode())
    return first


@pytest.mark.parametrize(("place", "kind", "after"), cases(FIRST))
def test_a_call_of_a_first_release(first: Push, place: str, kind: str, after: int) -> None:
    once(first, place, kind, after, commits_before=1)


@pytest.mark.parametrize(("place", "kind", "after"), cases(XET))
def test_a_call_of_an_upload_by_xet(first: Push, place: str, kind: str, after: int) -> None:
    once(first, place, kind, after, commits_before=1)


@pytest.mark.parametrize(("place", "kind", "after"), cases(LFS))
def test_a_call_of_an_upload_by_lfs(by_lfs: Push, place: str, kind: str, after: int) -> None:
    once(by_lfs, place, kind, after, commits_before=1)


@pytest.mark.parametrize(("calls", "made"), [(FIRST, "first"), (XET, "first"), (LFS, "by_lfs")])
def test_these_are_the_calls(calls: dict[str, int], made: str, request: pytest.FixtureRequest) -> None:
    push: Push = request.getfixturevalue(made)
    counted = Counted(push.hub, calls)
    push.run(tag="v2")
    assert counted.calls == calls
