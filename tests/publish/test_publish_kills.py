"""Either side dies at every step of a push: readers see the old release or the new one; a re-run ends in one commit.

Client and hub are real processes, and die as they do when a machine is lost.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from support.killable_hub import TOKEN
from support.killable_machine import Machine, steps
from support.tiny_release import Seen, fresh_weights, save_tiny

pytestmark = pytest.mark.faults

# The calls of a first release, in their order.
FIRST = (
    "whoami",
    "create-repo",
    "revision",
    "preupload",
    "validate-yaml",
    "xet-write-token",
    "xorb-put",
    "shard",
    "commit",
    "tree",
    "tag",
    "settings",
)
# Those of a second one that come on top, or another time.
SECOND = ("revision", "auth-check", "tree", "resolve", "commits", "refs", "preupload", "commit", "tag")
_numbers = iter(range(10_000))


@pytest.fixture
def repo() -> str:
    return f"acme/model-{next(_numbers)}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = save_tiny(tmp_path / "model", os.urandom(8).hex())
    fresh_weights(made)
    return made


SECOND_REPO = "acme/second"


@pytest.fixture(scope="module")
def seeded(shared_machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a repo with one release."""
    folder = save_tiny(tmp_path_factory.mktemp("seeded") / "model", "first")
    first = shared_machine.push(folder, SECOND_REPO, "--tag", "v0")
    assert first.wait() == 0, first.said
    return folder


@dataclass(frozen=True)
class Second:
    """The second release of a repo, in which small files differ; and the repo before it."""

    folder: Path
    before: Seen


@pytest.fixture
def second(killable: Machine, seeded: Path) -> Second:
    api = HfApi(endpoint=killable.server.endpoint, token=TOKEN)
    for tag in api.list_repo_refs(SECOND_REPO).tags:
        api.delete_tag(SECOND_REPO, tag=tag.name)
    api.super_squash_history(SECOND_REPO)
    (seeded / "config.json").write_text(f'{{"second": {next(_numbers)}}}')
    before = killable.seen(SECOND_REPO)
    assert before is not None
    return Second(seeded, before)


def check(killable: Machine, repo: str, folder: Path, before: int) -> None:
    """All of the release is there, in one commit more than before, which is tagged and public."""
    seen = killable.seen(repo)
    assert seen is not None
    assert [commit.title for commit in seen.history[:1]] == [f"Publish {repo.partition('/')[2]} v1"]
    assert len(seen.history) == before + 1
    assert seen.files.keys() >= {path.name for path in folder.iterdir()}
    assert seen.tags == {"v1": seen.history[0].oid}
    assert not seen.private


@pytest.mark.parametrize(("place", "moment"), steps(FIRST))
def test_the_client_dies_during_a_first_release(
    killable: Machine, repo: str, folder: Path, place: str, moment: str
) -> None:
    killable.set_fault(place, moment)
    running = killable.push(folder, repo)
    killable.kill_at(running)
    seen = killable.seen(repo)
    if seen is not None:
        whole = seen.files.keys() >= {path.name for path in folder.iterdir()}
        assert whole or seen.files.keys() == {".gitattributes"}
        # Nobody sees the repo before all of it is there, verified and tagged.
        assert seen.private or (whole and place == "settings" and moment == "after")
    assert killable.push(folder, repo).wait() == 0
    check(killable, repo, folder, before=1)


@pytest.mark.parametrize(("place", "moment"), steps(SECOND))
def test_the_client_dies_during_a_release(killable: Machine, second: Second, place: str, moment: str) -> None:
    folder, before, repo = second.folder, second.before, SECOND_REPO
    killable.set_fault(place, moment)
    running = killable.push(folder, repo)
    killable.kill_at(running)
    seen = killable.seen(repo)
    assert seen is not None
    assert len(seen.history) - len(before.history) in (0, 1)
    assert (seen.files == before.files) == (seen.history == before.history)
    again = killable.push(folder, repo)
    assert again.wait() == 0, again.said
    check(killable, repo, folder, before=len(before.history))


@pytest.mark.parametrize(("place", "moment"), steps(FIRST))
def test_the_hub_dies_during_a_first_release(
    killable: Machine, repo: str, folder: Path, place: str, moment: str
) -> None:
    killable.set_fault(place, moment)
    running = killable.push(folder, repo)
    killable.until_hit(running)
    killable.restart()
    assert running.wait() == 0, running.said
    check(killable, repo, folder, before=1)
    again = killable.push(folder, repo)
    assert again.wait() == 0, again.said
    assert "nothing to publish" in again.said
    check(killable, repo, folder, before=1)


@pytest.mark.parametrize(("place", "moment"), steps(SECOND))
def test_the_hub_dies_during_a_release(killable: Machine, second: Second, place: str, moment: str) -> None:
    folder, before, repo = second.folder, second.before, SECOND_REPO
    killable.set_fault(place, moment)
    running = killable.push(folder, repo)
    killable.until_hit(running)
    killable.restart()
    assert running.wait() == 0, running.said
    check(killable, repo, folder, before=len(before.history))


def test_eight_at_once_publish_or_say_who_was_first(killable: Machine, repo: str, tmp_path: Path) -> None:
    """Each ends as published, or as a conflict; the history holds exactly the published ones."""
    folders = [save_tiny(tmp_path / f"model-{number}", f"of {number}") for number in range(8)]
    for folder in folders:
        fresh_weights(folder)
    HfApi(endpoint=killable.server.endpoint, token=TOKEN).create_repo(repo)
    running = [
        killable.run(
            *("push", folder, "--repo", repo, "--depth", "quick", "--card", "folder"),
            *("--message", f"release of {folder.name}"),
        )
        for folder in folders
    ]
    codes = {folder.name: command.wait() for folder, command in zip(folders, running, strict=True)}
    seen = killable.seen(repo)
    assert seen is not None
    published = {f"release of {name}" for name, code in codes.items() if code == 0}
    assert published
    assert set(codes.values()) <= {0, 4}
    assert sorted(commit.title for commit in seen.history[:-1]) == sorted(published)
    for command in running:
        if command.code == 4:
            assert "alice committed" in command.said
            assert "model.safetensors" in command.said
