"""Either side dies during a rollback, `--pr`, or the publishing of a saved plan: a re-run ends as if nothing had been.

Client and hub are real processes, as in test_publish_kills.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from support.killable_hub import TOKEN
from support.killable_machine import PATIENT, Machine, steps
from support.killable_push import Command
from support.tiny_release import Seen, fresh_weights, save_tiny

pytestmark = pytest.mark.faults

ROLLBACK = ("revision", "auth-check", "tree", "resolve", "commits", "commit")
PROPOSAL = (
    *("whoami", "revision", "tree", "discussions", "create-discussion", "discussion", "preupload", "commit"),
    *("discussion-edit", "discussion-status"),
)
PLAN_FIRST = ("create-repo", "preupload", "xorb-put", "commit", "tree", "tag", "settings")
PLAN_SECOND = ("preupload", "commit", "tag")

_numbers = iter(range(10_000))


@pytest.fixture
def api(killable: Machine) -> HfApi:
    return HfApi(endpoint=killable.server.endpoint, token=TOKEN)


@pytest.fixture
def repo() -> str:
    return f"acme/other-{next(_numbers)}"


def done(command: Command) -> str:
    """What it said, once it has ended well."""
    assert command.wait() == 0, command.said
    return command.said


def seen(killable: Machine, repo: str) -> Seen:
    found = killable.seen(repo)
    assert found is not None
    return found


# ---- rollback ----


@pytest.fixture
def releases(killable: Machine, api: HfApi, repo: str, tmp_path: Path) -> tuple[Seen, Seen]:
    """A repo with two releases: as it was at the first one, and as it is at the second."""
    api.create_repo(repo)
    folder = save_tiny(tmp_path / "model", "first")
    found = []
    for tag in ("v1", "v2"):
        (folder / "config.json").write_text(f'{{"of": "{tag}"}}')
        (folder / f"{tag}.txt").write_text(tag)
        files = [path for path in folder.iterdir() if path.suffix != ".safetensors"]
        api.create_commit(
            repo, [CommitOperationAdd(path.name, path.read_bytes()) for path in files], commit_message=tag
        )
        api.create_tag(repo, tag=tag)
        found.append(seen(killable, repo))
    return found[0], found[1]


def roll_back(killable: Machine, repo: str) -> Command:
    return killable.run("rollback", repo, "--to", "v1", "--yes", *PATIENT)


@pytest.mark.parametrize(("place", "moment"), steps(ROLLBACK))
def test_the_client_dies_during_a_rollback(
    killable: Machine, repo: str, releases: tuple[Seen, Seen], place: str, moment: str
) -> None:
    first, second = releases
    landed = (place, moment) == ("commit", "after")
    killable.set_fault(place, moment)
    killable.kill_at(
        roll_back(killable, repo),
        # A call is held after the hub has done it; it is counted before.
        when=lambda: not landed or seen(killable, repo).files == first.files,
    )
    between = seen(killable, repo)
    assert (between.files, len(between.history)) == (
        (first.files, len(second.history) + 1) if landed else (second.files, len(second.history))
    )
    said = done(roll_back(killable, repo))
    assert ("nothing to restore" in said) is landed
    after = seen(killable, repo)
    assert (after.files, len(after.history)) == (first.files, len(second.history) + 1)


@pytest.mark.parametrize(("place", "moment"), steps(ROLLBACK))
def test_the_hub_dies_during_a_rollback(
    killable: Machine, repo: str, releases: tuple[Seen, Seen], place: str, moment: str
) -> None:
    first, second = releases
    killable.set_fault(place, moment)
    running = roll_back(killable, repo)
    killable.until_hit(running)
    killable.restart()
    done(running)
    after = seen(killable, repo)
    assert (after.files, len(after.history)) == (first.files, len(second.history) + 1)


# ---- pull requests ----


@pytest.fixture
def changed(killable: Machine, api: HfApi, repo: str, tmp_path: Path) -> Path:
    """A folder that differs from its repo in a small file."""
    folder = save_tiny(tmp_path / "model", "first")
    api.create_repo(repo)
    api.create_commit(
        repo, [CommitOperationAdd(path.name, path.read_bytes()) for path in folder.iterdir()], commit_message="first"
    )
    (folder / "notes.txt").write_text("second")
    return folder


@pytest.mark.parametrize(("place", "moment"), steps(PROPOSAL))
def test_the_client_dies_during_a_proposal(
    killable: Machine, api: HfApi, repo: str, changed: Path, place: str, moment: str
) -> None:
    main = seen(killable, repo)
    killable.set_fault(place, moment)
    killable.kill_at(killable.push(changed, repo, "--pr"))
    done(killable.push(changed, repo, "--pr"))
    (found,) = api.get_repo_discussions(repo)
    assert found.status == "open"
    ref = f"refs/pr/{found.num}"
    trailers = [commit.message.count("Hubpub-Release: ") for commit in api.list_repo_commits(repo, revision=ref)]
    assert sum(trailers) == 1
    files = {item.path: item.blob_id for item in api.list_repo_tree(repo, revision=ref) if hasattr(item, "blob_id")}
    assert {path for path in main.files if files[path] != main.files[path]} == {"notes.txt"}
    assert seen(killable, repo) == main


# ---- saved plans ----


def saved(killable: Machine, folder: Path, repo: str) -> Path:
    file = folder.parent / "plan.json"
    arguments = ("--repo", repo, "--depth", "quick", "--card", "folder", "--tag", "v1", "--out", file)
    done(killable.run("plan", folder, *arguments))
    assert json.loads(file.read_text())["release"]
    return file


def push_saved(killable: Machine, file: Path) -> Command:
    return killable.run("push", "--plan", file, *PATIENT)


def check(killable: Machine, repo: str, folder: Path, before: int) -> None:
    found = seen(killable, repo)
    assert len(found.history) == before + 1
    assert found.files.keys() >= {path.name for path in folder.iterdir()}
    assert found.tags == {"v1": found.history[0].oid}
    assert not found.private


def carry_out(killable: Machine, repo: str, folder: Path, place: str, moment: str, before: int) -> None:
    """Publish a saved plan, die at that step, and run the same command twice more."""
    file = saved(killable, folder, repo)
    killable.set_fault(place, moment)
    landed = place in ("tree", "tag", "settings") or (place, moment) == ("commit", "after")

    def has_landed() -> bool:
        between = killable.seen(repo)
        return between is not None and len(between.history) == before + 1

    killable.kill_at(push_saved(killable, file), when=lambda: not landed or has_landed())
    assert has_landed() is landed
    assert ("already published" in done(push_saved(killable, file))) is landed
    check(killable, repo, folder, before)
    assert "already published" in done(push_saved(killable, file))
    check(killable, repo, folder, before)


@pytest.mark.parametrize(("place", "moment"), steps(PLAN_FIRST))
def test_the_client_dies_while_it_publishes_a_saved_plan(
    killable: Machine, repo: str, tmp_path: Path, place: str, moment: str
) -> None:
    folder = save_tiny(tmp_path / "model", repo)
    fresh_weights(folder)
    carry_out(killable, repo, folder, place, moment, before=1)


@pytest.mark.parametrize(("place", "moment"), steps(PLAN_SECOND))
def test_the_client_dies_while_it_publishes_the_saved_plan_of_a_second_release(
    killable: Machine, repo: str, changed: Path, place: str, moment: str
) -> None:
    carry_out(killable, repo, changed, place, moment, before=len(seen(killable, repo).history))
