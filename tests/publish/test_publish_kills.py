"""Either side dies at every step of a push: readers see the old release or the new one; a re-run ends in one commit.

Client and hub are real processes, and die as they do when a machine is lost.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from support.killable_hub import ADMIN_TOKEN, TOKEN, Nursery, Server, hits, nursery, set_faults
from support.killable_push import Command, Commands, commands
from support.tiny_release import Seen, fresh_weights, look, save_tiny

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
# Before the hub has done it, and after it has.
MOMENTS = {"before": "stall", "after": "late seconds=60"}

_numbers = iter(range(10_000))


@pytest.fixture(scope="module")
def servers() -> Iterator[Nursery]:
    with nursery() as running:
        yield running


@dataclass
class Machine:
    """A hub that may be killed, and a machine that publishes to it."""

    servers: Nursery
    commands: Commands
    root: Path
    home: Path
    server: Server
    said: list[Path] = field(default_factory=list)

    def push(self, folder: Path, repo: str) -> Command:
        output = self.home / f"output-{len(self.said)}.txt"
        self.said.append(output)
        return self.commands.start(
            "push", folder, "--repo", repo, "--hub", self.server.endpoint, "--depth", "quick", "--tag", "v1",
            "--card", "folder", "--timeout", "30", "--attempts", "20",
            output=output, environment={"HF_TOKEN": TOKEN},
        )  # fmt: skip

    def until_hit(self, running: Command) -> None:
        end = time.monotonic() + 60
        while not hits(self.server.endpoint):
            assert running.code is None, running.said
            assert time.monotonic() < end, running.said
            time.sleep(0.005)

    def restart(self) -> None:
        port = self.server.port
        self.server.kill()
        self.server = self.servers.start(self.root, port)

    def seen(self, repo: str) -> Seen | None:
        return look(self.server.endpoint, repo, TOKEN)


@pytest.fixture(scope="module")
def machine(servers: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    root, home = tmp_path_factory.mktemp("hub"), tmp_path_factory.mktemp("home")
    environment = {
        "HF_HOME": str(home / "hf"),
        "HUBPUB_CACHE_DIR": str(home / "cache"),
        "HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "1",
    }
    server = servers.start(root)
    with commands(environment) as starts:
        made = Machine(servers, starts, root, home, server)
        yield made
        made.server.kill()


@pytest.fixture
def repo(machine: Machine) -> Iterator[str]:
    yield f"acme/model-{next(_numbers)}"
    set_faults(machine.server.endpoint)
    outputs = "".join(path.read_text() for path in machine.said if path.exists())
    assert TOKEN not in outputs
    assert ADMIN_TOKEN not in outputs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = save_tiny(tmp_path / "model", os.urandom(8).hex())
    fresh_weights(made)
    return made


def published_before(machine: Machine, repo: str, folder: Path) -> Seen:
    """The first release of a repo; the folder is another then."""
    api = HfApi(endpoint=machine.server.endpoint, token=TOKEN)
    api.create_repo(repo)
    for name in ("README.md", "config.json"):
        api.upload_file(path_or_fileobj=folder / name, path_in_repo=name, repo_id=repo)
    (folder / "config.json").write_text('{"second": true}')
    seen = machine.seen(repo)
    assert seen is not None
    return seen


def check(machine: Machine, repo: str, folder: Path, before: int) -> None:
    """All of the release is there, in one commit more than before, which is tagged and public."""
    seen = machine.seen(repo)
    assert seen is not None
    assert [commit.title for commit in seen.history[:1]] == [f"Publish {repo.partition('/')[2]} v1"]
    assert len(seen.history) == before + 1
    assert seen.files.keys() >= {path.name for path in folder.iterdir()}
    assert seen.tags == {"v1": seen.history[0].oid}
    assert not seen.private


def steps(calls: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(place, moment) for place in calls for moment in MOMENTS]


@pytest.mark.parametrize(("place", "moment"), steps(FIRST))
def test_the_client_dies_during_a_first_release(
    machine: Machine, repo: str, folder: Path, place: str, moment: str
) -> None:
    set_faults(machine.server.endpoint, f"{place}: {MOMENTS[moment]} first=1")
    running = machine.push(folder, repo)
    machine.until_hit(running)
    running.kill()
    set_faults(machine.server.endpoint)
    seen = machine.seen(repo)
    if seen is not None:
        whole = seen.files.keys() >= {path.name for path in folder.iterdir()}
        assert whole or seen.files.keys() == {".gitattributes"}
        # Nobody sees the repo before all of it is there, verified and tagged.
        assert seen.private or (whole and place == "settings" and moment == "after")
    assert machine.push(folder, repo).wait() == 0
    check(machine, repo, folder, before=1)


@pytest.mark.parametrize(("place", "moment"), steps(SECOND))
def test_the_client_dies_during_a_release(machine: Machine, repo: str, folder: Path, place: str, moment: str) -> None:
    before = published_before(machine, repo, folder)
    set_faults(machine.server.endpoint, f"{place}: {MOMENTS[moment]} first=1")
    running = machine.push(folder, repo)
    machine.until_hit(running)
    running.kill()
    set_faults(machine.server.endpoint)
    seen = machine.seen(repo)
    assert seen is not None
    assert len(seen.history) - len(before.history) in (0, 1)
    assert (seen.files == before.files) == (seen.history == before.history)
    again = machine.push(folder, repo)
    assert again.wait() == 0, again.said
    check(machine, repo, folder, before=len(before.history))


@pytest.mark.parametrize(("place", "moment"), steps(FIRST))
def test_the_hub_dies_during_a_first_release(
    machine: Machine, repo: str, folder: Path, place: str, moment: str
) -> None:
    set_faults(machine.server.endpoint, f"{place}: {MOMENTS[moment]} first=1")
    running = machine.push(folder, repo)
    machine.until_hit(running)
    machine.restart()
    assert running.wait() == 0, running.said
    check(machine, repo, folder, before=1)
    again = machine.push(folder, repo)
    assert again.wait() == 0, again.said
    assert "nothing to publish" in again.said
    check(machine, repo, folder, before=1)


@pytest.mark.parametrize(("place", "moment"), steps(SECOND))
def test_the_hub_dies_during_a_release(machine: Machine, repo: str, folder: Path, place: str, moment: str) -> None:
    before = published_before(machine, repo, folder)
    set_faults(machine.server.endpoint, f"{place}: {MOMENTS[moment]} first=1")
    running = machine.push(folder, repo)
    machine.until_hit(running)
    machine.restart()
    assert running.wait() == 0, running.said
    check(machine, repo, folder, before=len(before.history))


def test_eight_at_once_publish_or_say_who_was_first(machine: Machine, repo: str, tmp_path: Path) -> None:
    """Each ends as published, or as a conflict; the history holds exactly the published ones."""
    folders = [save_tiny(tmp_path / f"model-{number}", f"of {number}") for number in range(8)]
    for folder in folders:
        fresh_weights(folder)
    HfApi(endpoint=machine.server.endpoint, token=TOKEN).create_repo(repo)
    running = [
        machine.commands.start(
            "push", folder, "--repo", repo, "--hub", machine.server.endpoint, "--depth", "quick", "--card", "folder",
            "--message", f"release of {folder.name}",
            output=tmp_path / f"{folder.name}.txt", environment={"HF_TOKEN": TOKEN},
        )
        for folder in folders
    ]  # fmt: skip
    codes = {command.output.stem: command.wait() for command in running}
    seen = machine.seen(repo)
    assert seen is not None
    published = {f"release of {name}" for name, code in codes.items() if code == 0}
    assert published
    assert set(codes.values()) <= {0, 4}
    assert sorted(commit.title for commit in seen.history[:-1]) == sorted(published)
    for command in running:
        if codes[command.output.stem] == 4:
            assert "alice committed" in command.said
            assert "model.safetensors" in command.said
        assert TOKEN not in command.said
