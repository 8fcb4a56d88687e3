"""The real command where its output goes wrong: what becomes of a release never depends on who reads of it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.command import REPO, CommandHub
from support.tiny_release import save_tiny

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")


def in_shell(hub: CommandHub, script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as `"$@"` of the script; the test's Python buffers its output as a user's does."""
    command = [sys.executable, "-m", "hubpub", *map(str, arguments)]
    env = hub.env(PYTHONPATH=str(REPO))
    env.pop("PYTHONUNBUFFERED", None)
    return subprocess.run(
        ["/bin/sh", "-c", script, "sh", *command],
        capture_output=True,
        text=True,
        env=env,
        cwd=hub.home,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "script", ['"$@" 2>&-', '"$@" >&- 2>&- <&-', pytest.param('"$@" 2>/dev/full', marks=needs_full)]
)
def test_a_push_does_not_need_anybody_who_listens(hub: CommandHub, tmp_path: Path, script: str) -> None:
    folder = save_tiny(tmp_path / "model", "a")
    done = in_shell(hub, script, "push", folder, "--org", "acme", "--depth", "quick", "--tag", "v1")
    assert (done.returncode, done.stderr) == (0, "")
    assert hub.api().list_repo_refs("acme/model").tags[0].name == "v1"


def test_a_push_goes_on_when_its_log_is_cut_off(hub: CommandHub, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model", "a")
    script = '{ "$@"; echo "$?" >code; } 2>&1 | head -n 1'
    done = in_shell(hub, script, "push", folder, "--org", "acme", "--depth", "quick", "--tag", "v1")
    assert done.stdout.startswith("· alice may publish")
    assert (hub.home / "code").read_text() == "141\n"  # the release was made, and its result was for nobody
    info = hub.api().model_info("acme/model")
    assert not info.private
    assert hub.api().list_repo_refs("acme/model").tags[0].target_commit == info.sha


@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        pytest.param(">/dev/full", 2, "error: the result cannot be written to stdout: No space left", marks=needs_full),
        ("| true", 141, ""),
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_what_follows_a_push_is_done_when_its_result_cannot_be_said(
    hub: CommandHub, tmp_path: Path, where: str, code: int, said: str, form: str
) -> None:
    folder, receipt = save_tiny(tmp_path / "model", "a"), tmp_path / "receipt.json"
    arguments = ("push", folder, "--org", "acme", "--depth", "quick", "-q", "--receipt", receipt, "--format", form)
    done = in_shell(hub, f'{{ "$@"; echo "$?" >code; }} {where}', *arguments)
    assert ((hub.home / "code").read_text(), done.stdout) == (f"{code}\n", "")
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == bool(said), "one line, and no traceback"
    assert json.loads(receipt.read_text())["commit"] == hub.api().model_info("acme/model").sha


@needs_full
def test_an_error_that_cannot_be_said_as_json_is_said_once(hub: CommandHub) -> None:
    done = in_shell(hub, '"$@" >/dev/full', "plan", "nowhere", "--json")
    assert done.returncode == 2
    assert done.stderr.startswith("error: the result cannot be written to stdout")
    assert "Traceback" not in done.stderr


def test_a_pipe_that_does_not_block_gets_all_of_the_result(hub: CommandHub) -> None:
    """Some runners hand such a pipe to their jobs, and read it when they come round to it."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETFL, os.O_NONBLOCK)
    command = [sys.executable, "-m", "hubpub", "rules", "--json"]
    with subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE, env=hub.env(PYTHONPATH=str(REPO))) as child:
        os.close(writing)
        time.sleep(1.5)  # until it is full
        with os.fdopen(reading, "rb") as pipe:
            content = pipe.read()
        _, complaints = child.communicate(timeout=60)
    assert (child.returncode, complaints) == (0, b"")
    assert len(json.loads(content)) > 300
    assert len(content) > 1 << 16, "or a pipe holds all of it"
