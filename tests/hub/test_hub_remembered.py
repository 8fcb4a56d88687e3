"""What the hub remembers between requests has a bound, and never outlives what is on the disk."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import RepositoryNotFoundError
from support.running_hub import CAROL, StartHub, TestHub

from hubpub.hub.naming import RepoId, RepoKind
from hubpub.hub.store.data_root import DataRoot
from hubpub.hub.store.remembered import Remembered
from hubpub.hub.store.repos import Repos

REPO = RepoId(RepoKind.MODEL, "acme", "model")


def test_what_was_used_last_is_kept() -> None:
    known: Remembered[str, int] = Remembered(3)
    for number, key in enumerate("abc"):
        known.put(key, number)
    assert known.get("a") == 0
    known.put("d", 3)
    assert [known.get(key) for key in "abcd"] == [0, None, 2, 3]


def test_a_heavy_value_drives_the_others_out_and_is_kept_alone() -> None:
    known: Remembered[str, int] = Remembered(10)
    known.put("a", 1, 5)
    known.put("a", 2, 6)
    known.put("b", 3, 4)
    assert [known.get("a"), known.get("b")] == [2, 3]
    known.put("c", 4, 11)
    assert [known.get(key) for key in "abc"] == [None, None, 4]
    known.put("d", 5, 1)
    assert [known.get(key) for key in "cd"] == [None, 5]


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Repos, Repos]]:
    """Two servers' views of one data folder."""
    root = DataRoot.open(tmp_path / "data")
    here, there = Repos(root, 1), Repos(root, 1)
    yield here, there
    here.close()
    there.close()
    root.close()


def created(repos: Repos) -> None:
    assert repos.create(REPO, "alice", private=False, first_commit=lambda git: None)


def test_another_servers_change_of_visibility_holds_at_once(both: tuple[Repos, Repos]) -> None:
    here, there = both
    created(here)
    for private in (True, False, True):
        known = here.get(REPO)
        assert known is not None
        there.update(known, private=private)
        found = here.get(REPO)
        assert found is not None
        assert found.private is private


def test_a_change_that_leaves_size_and_time_as_they_were_is_seen(both: tuple[Repos, Repos]) -> None:
    here, _ = both
    created(here)
    before = here.get(REPO)
    assert before is not None
    path = here.folder(REPO) / "repo.json"
    was = path.stat()
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"alice"', b'"carol"'))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    found = here.get(REPO)
    assert found == dataclasses.replace(before, creator="carol")


def test_a_repo_that_another_server_deletes_moves_or_makes_anew_is_not_remembered(both: tuple[Repos, Repos]) -> None:
    here, there = both
    created(here)
    old = here.get(REPO)
    assert old is not None
    there.delete(old)
    assert here.get(REPO) is None
    created(there)
    new = here.get(REPO)
    assert new is not None
    assert new.uid != old.uid
    to = RepoId(RepoKind.MODEL, "acme", "renamed")
    there.move(new, to)
    assert here.get(REPO) is None
    moved, found = here.moved(REPO), here.get(to)
    assert moved == found == dataclasses.replace(new, id=to)


def test_a_repo_whose_folder_becomes_a_link_is_gone(both: tuple[Repos, Repos], tmp_path: Path) -> None:
    here, _ = both
    created(here)
    assert here.get(REPO) is not None
    elsewhere = tmp_path / "elsewhere"
    shutil.move(here.folder(REPO), elsewhere)
    here.folder(REPO).symlink_to(elsewhere)
    assert here.get(REPO) is None


def test_two_hubs_on_one_folder_answer_alike(start_hub: StartHub, tmp_path: Path) -> None:
    one: TestHub = start_hub(tmp_path / "data")
    other: TestHub = start_hub(tmp_path / "data")
    name = "acme/model"
    here, there, stranger = one.api(), other.api(), one.api(token=False)
    here.create_repo(name)
    for number in range(3):
        operation = CommitOperationAdd(f"{number}.bin", bytes([number]) * 20_000)
        head = there.create_commit(name, [operation], commit_message="more").oid
        info = stranger.model_info(name, files_metadata=True)
        assert info.sha == head
        found = {item.path: item.lfs.sha256 for item in stranger.list_repo_tree(name) if getattr(item, "lfs", None)}
        assert found == {item.rfilename: item.lfs.sha256 for item in info.siblings or [] if item.lfs}
        assert f"{number}.bin" in found
        assert [ref.target_commit for ref in stranger.list_repo_refs(name).branches] == [head]
    there.update_repo_settings(name, private=True)
    for ask in (stranger.model_info, stranger.list_repo_refs):
        with pytest.raises(RepositoryNotFoundError):
            ask(name)
    assert one.api(CAROL).model_info(name).private
    there.update_repo_settings(name, private=False)
    assert stranger.model_info(name).sha == head
    there.move_repo(name, "acme/renamed")
    assert stranger.model_info(name).id == "acme/renamed"
    there.delete_repo("acme/renamed")
    with pytest.raises(RepositoryNotFoundError):
        stranger.model_info("acme/renamed")
