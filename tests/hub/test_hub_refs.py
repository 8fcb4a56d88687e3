"""Refs as they are on the disk, and in step with what git's own rules for names say."""

from __future__ import annotations

from pathlib import Path

import pytest
from dulwich.refs import Ref, check_ref_format
from hypothesis import given
from hypothesis import strategies as st

from hubpub.hub.store.refs import Refs, is_ref

A, B = b"a" * 40, b"b" * 40


@pytest.fixture
def git(tmp_path: Path) -> Path:
    (tmp_path / "refs" / "heads").mkdir(parents=True)
    (tmp_path / "refs" / "tags").mkdir()
    return tmp_path


def test_a_ref_is_what_its_file_says_at_the_moment(git: Path) -> None:
    refs = Refs(git)
    assert refs.read(b"refs/heads/main") is None
    (git / "refs/heads/main").write_bytes(A + b"\n")
    assert refs.read(b"refs/heads/main") == A
    (git / "refs/heads/main").write_bytes(B + b"\r\n")
    assert refs.read(b"refs/heads/main") == B
    (git / "refs/heads/main").unlink()
    assert refs.read(b"refs/heads/main") is None
    (git / "refs/heads/main").touch()
    assert refs.read(b"refs/heads/main") is None


def test_a_packed_ref_gives_way_to_a_file(git: Path) -> None:
    (git / "packed-refs").write_bytes(
        b"# pack-refs with: peeled fully-peeled sorted \n"
        + (A + b" refs/heads/main\n" + A + b" refs/heads/old\n" + B + b" refs/tags/v1\n^" + A + b"\n")
    )
    (git / "refs/heads/main").write_bytes(B + b"\n")
    refs = Refs(git)
    assert refs.read(b"refs/heads/main") == B
    assert refs.read(b"refs/heads/old") == A
    assert refs.names(b"refs/heads/") == [b"refs/heads/main", b"refs/heads/old"]
    assert refs.names(b"refs/") == [b"refs/heads/main", b"refs/heads/old", b"refs/tags/v1"]
    (git / "packed-refs").unlink()
    assert refs.names(b"refs/") == [b"refs/heads/main"]


def test_names_are_found_in_folders_and_are_names(git: Path) -> None:
    for name in ("heads/main", "heads/a/b", "heads/a/c.lock", "pr/1", "heads/.hidden"):
        (git / "refs" / name).parent.mkdir(parents=True, exist_ok=True)
        (git / "refs" / name).write_bytes(A + b"\n")
    (git / "refs/heads/empty/folder").mkdir(parents=True)
    (git / "refs/heads/loop").symlink_to(git / "refs")
    refs = Refs(git)
    assert refs.names(b"refs/heads/") == [b"refs/heads/a/b", b"refs/heads/loop", b"refs/heads/main"]
    assert refs.read(b"refs/heads/loop") is None
    assert refs.names(b"refs/pr/") == [b"refs/pr/1"]
    assert refs.names(b"refs/convert/") == []
    assert refs.read(b"refs/heads/a") is None


@pytest.mark.parametrize(
    "name",
    [b"HEAD", b"config", b"refs/main", b"refs/heads/../../config", b"refs//heads/x", b"refs/heads/" + b"x" * 5000],
)
def test_what_is_no_name_of_a_ref_is_not_looked_for(git: Path, name: bytes) -> None:
    (git / "HEAD").write_bytes(A + b"\n")
    (git / "config").write_bytes(A + b"\n")
    assert Refs(git).read(name) is None


@given(st.one_of(st.binary(max_size=30), st.text("ab/.@{~lock\\:*\x7f", max_size=20).map(str.encode)))
def test_names_are_those_that_git_takes(tail: bytes) -> None:
    assert is_ref(b"refs/" + tail) is check_ref_format(Ref(tail))
    assert not is_ref(tail.removeprefix(b"refs/"))
