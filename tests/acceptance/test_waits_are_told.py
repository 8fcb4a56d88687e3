"""The real verbs beside a push, when one waits for the hub or for a model: each says so, on a terminal as in a log."""

from __future__ import annotations

import importlib.util
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import REPO, CommandHub
from support.tiny_release import save_tiny

ERASE = "\r\x1b[K"
NO_PATIENCE = (
    "import sys; from hubpub.cli import progress; progress._PATIENCE = 0\n"
    "from hubpub.cli.main import main; main(sys.argv[1:])"
)


@pytest.fixture
def released(hub: CommandHub, tmp_path: Path) -> Iterator[CommandHub]:
    folder = save_tiny(tmp_path / "model", "a")
    assert hub.hubpub("push", folder, "--org", "acme", "--tag", "v1").code == 0
    yield hub
    hub.hub.faults()


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        ("tree", ("verify", "acme/model")),
        ("tree", ("notes", "acme/model", "v1")),
        ("whoami", ("whoami",)),
        ("tree", ("rollback", "acme/model", "--to", "v1", "--dry-run")),
    ],
)
def test_a_wait_that_the_hub_asks_for(released: CommandHub, rule: str, arguments: tuple[str, ...]) -> None:
    released.hub.faults(f"{rule}: 429 first=1 retry_after=1")
    run = released.hubpub(*arguments)
    assert run.code == 0, run.stderr
    assert "· the hub asks to wait 1 s\n" in run.stderr
    released.hub.faults(f"{rule}: 429 first=1 retry_after=1")
    quiet = released.hubpub(*arguments, "--json")
    assert (quiet.code, quiet.stderr) == (0, "")
    json.loads(quiet.stdout)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_a_step_does_not_stand_on_the_line_of_the_progress(hub: CommandHub, plain_copy: Path) -> None:
    assert hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model").code == 0
    ours, theirs = pty.openpty()
    try:
        command = [sys.executable, "-c", NO_PATIENCE, "verify", "acme/model", "--load"]
        env = hub.env(PYTHONPATH=str(REPO))
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=env, timeout=120, check=False)
        os.close(theirs)
        said = os.read(ours, 100_000).decode()
    finally:
        os.close(ours)
    assert done.returncode == 0, said
    assert f"{ERASE}fetching: " in said
    steps = [said[: match.start()] for match in re.finditer("\x1b\\[36m·", said)]
    assert len(steps) == 3
    assert all(before.endswith(("\n", ERASE)) for before in steps[1:]), repr(said)
    assert said.index(ERASE + "\x1b[36m·\x1b[0m loading acme/model at ") > said.index("fetching: ")
