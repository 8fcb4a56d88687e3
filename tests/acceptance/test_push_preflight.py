"""What somebody sees who may not publish, wants to propose, or changes their mind: the real command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import REPO, CommandHub
from support.running_hub import ALICE, BOB, CAROL, READER, hubs
from support.secrets_kept import keeps
from support.tiny_release import fresh_weights, save_tiny

TOKENS = (ALICE, BOB, CAROL, READER)


@pytest.fixture
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandHub]:
    with hubs(tmp_path_factory) as start:
        hub = start()
        yield CommandHub(hub.hub, hub.home)


def test_a_refusal_names_its_layer_to_readers_of_json(command: CommandHub, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model", "a")
    assert command.hubpub("push", folder, "--org", "Acme").code == 0  # as displayed
    for token, layer in ((READER, "token"), (BOB, "role"), (CAROL, "role"), ("hf_nobodyKnowsThisOne", "token")):
        run = command.hubpub("push", folder, "--org", "acme", "--json", token=token)
        error = json.loads(run.stdout)
        assert (run.code, error["layer"], error["exit_code"]) == (3, layer, 3)
        keeps([*TOKENS, "hf_nobodyKnowsThisOne"], run)


def test_whoami_asks_for_a_repo(command: CommandHub, tmp_path: Path) -> None:
    command.api().create_repo("acme/model")
    run = command.hubpub("whoami", "--repo", "acme/model")
    assert (run.code, "acme/model: may be published to" in run.stdout) == (0, True)
    assert "write 'token', from HF_TOKEN" in run.stdout
    run = command.hubpub("whoami", "--repo", "acme/model", token=BOB)
    assert (run.code, "has the role read in acme" in run.stderr) == (3, True)
    file = tmp_path / "token"
    file.write_text(CAROL + "\n")
    run = command.hubpub("whoami", "--token-file", file, "--json")
    document = json.loads(run.stdout)
    assert (document["user"], document["token_source"]) == ("carol", f"--token-file {file}")
    assert document["organisation_details"][0]["role"] == "contributor"
    keeps([CAROL], run)
    file.write_text(f'"{CAROL}"')
    run = command.hubpub("whoami", "--token-file", file)
    assert (run.code, "it is in quotes" in run.stderr) == (3, True)
    keeps([CAROL], run)


def test_a_pull_request_by_the_command(command: CommandHub, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model", "a")
    assert command.hubpub("push", folder, "--org", "acme").code == 0
    (folder / "notes.txt").write_text("b")
    refused = command.hubpub("push", folder, "--org", "acme", token=BOB)
    assert (refused.code, "propose it with --pr" in refused.stderr) == (3, True)
    opened = command.hubpub("push", folder, "--org", "acme", "--pr", token=BOB)
    assert (opened.code, "opened pull request 1: 1 file (1 byte) proposed" in opened.stdout) == (0, True), opened.stderr
    assert f"look    {command.endpoint}/acme/model/discussions/1" in opened.stdout
    again = command.hubpub("push", folder, "--org", "acme", "--pr", "--json", token=BOB)
    receipt = json.loads(again.stdout)
    assert receipt["pull_request"] == {
        "number": 1,
        "url": f"{command.endpoint}/acme/model/discussions/1",
        "status": "open",
        "opened": False,
    }
    both = command.hubpub("push", folder, "--org", "acme", "--pr", "--tag", "v1", token=BOB)
    assert (both.code, "is not tagged" in both.stderr) == (2, True)


def test_a_changelog_by_the_command(command: CommandHub, tmp_path: Path) -> None:
    folder, log = save_tiny(tmp_path / "model", "a"), tmp_path / "CHANGELOG.md"
    for mark, tag in (("a", "v1"), ("bb", "v2"), ("bb", "v2")):
        (folder / "notes.txt").write_text(mark)
        run = command.hubpub("push", folder, "--org", "acme", "--tag", tag, "--changelog", log)
        assert run.code == 0, run.stderr
    text = log.read_text()
    assert text.index("## v2") < text.index("## v1")
    assert text.count("## v2") == 1
    assert "- changed `notes.txt` (1 → 2 bytes)" in text
    run = command.hubpub("notes", "acme/model", "v1", "v2", "--changelog", log, "--json")
    assert json.loads(run.stdout)["files"]["changed"] == [{"name": "notes.txt", "before": 1, "after": 2}]
    assert log.read_text() == text
    inside = command.hubpub("push", folder, "--org", "acme", "--tag", "v2", "--changelog", folder / "CHANGELOG.md")
    assert (inside.code, "would be published with it" in inside.stderr) == (2, True)


def test_a_push_that_is_interrupted_says_how_to_go_on(command: CommandHub, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model", "a")
    assert command.hubpub("push", folder, "--org", "acme").code == 0
    fresh_weights(folder)
    head = command.api().model_info("acme/model").sha
    command.hub.faults("xorb-put: stall", "lfs-put: stall")
    arguments = ("push", folder, "--org", "acme", "--depth", "quick")
    process = subprocess.Popen(
        [sys.executable, "-m", "hubpub", *map(str, arguments)],
        env=command.env(PYTHONPATH=str(REPO)),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "uploading" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 130
    finally:
        process.kill()
        process.stderr.close()
    left = "interrupted: acme/model is as it was; the same command goes on, and sends nothing twice"
    assert rest.splitlines()[-1] == left
    assert "Traceback" not in rest
    assert command.api().model_info("acme/model").sha == head
    command.hub.faults()
    assert command.hubpub("push", folder, "--org", "acme").code == 0
