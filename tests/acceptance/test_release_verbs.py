"""The real commands around a release: plan it, publish the plan, verify it, roll it back."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import REPO as CHECKOUT
from support.command import CommandHub, Run
from support.running_hub import ALICE, BOB

TRANSPORTS = pytest.mark.parametrize("xet", [True, False], ids=["xet", "lfs"])
MODEL = ("--repo", "acme/model")
QUICK = ("--depth", "quick")


def tree(hub: CommandHub, revision: str = "main") -> dict[str, str]:
    entries = hub.api().list_repo_tree("acme/model", recursive=True, revision=revision)
    return {entry.path: entry.blob_id for entry in entries if hasattr(entry, "blob_id")}


def commits(hub: CommandHub) -> int:
    return len(hub.api().list_repo_commits("acme/model"))


def silent_about_tokens(*runs: Run) -> bool:
    return not any(token in run.stdout + run.stderr for run in runs for token in (ALICE, BOB))


def other_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\x80\x3f")


@TRANSPORTS
def test_plan_push_verify_and_roll_back(hub: CommandHub, plain_copy: Path, tmp_path: Path, xet: bool) -> None:
    env = {} if xet else {"HF_HUB_DISABLE_XET": "1"}
    saved, receipt = tmp_path / "plan.json", tmp_path / "receipt.json"
    planned = hub.hubpub("plan", plain_copy, *MODEL, *QUICK, "--tag", "v1", "--out", saved, **env)
    assert planned.code == 0, planned.stderr
    assert "would be created, public" in planned.stdout
    assert "  tag: v1\n" in planned.stdout
    assert hub.repos() == [], "a plan creates nothing"

    pushed = hub.run("-m", "hubpub", "push", "--plan", saved, "--receipt", receipt, **env)
    assert pushed.code == 0, pushed.stderr
    first = tree(hub)
    again = hub.run("-m", "hubpub", "push", "--plan", saved, **env)
    assert again.code == 0, again.stderr
    assert "already published" in again.stderr
    assert tree(hub) == first

    public = hub.hubpub("verify", "acme/model@v1", "--receipt", receipt, "--json", token="", **env)
    assert public.code == 0, public.stderr
    assert json.loads(public.stdout)["fetched"] == len(first)

    other_weights(plain_copy)
    (plain_copy / "second.txt").write_text("second")
    second = hub.hubpub("push", plain_copy, *MODEL, "--tag", "v2", **env)
    assert second.code == 0, second.stderr
    changed = hub.hubpub("verify", "acme/model", "--receipt", receipt, **env)
    assert changed.code == 6
    assert "model.safetensors: another hash than in the receipt" in changed.stdout

    before = commits(hub)
    asked = hub.hubpub("rollback", "acme/model", "--to", "v1", **env)
    assert (asked.code, commits(hub)) == (2, before)
    assert "give --yes" in asked.stderr
    assert "  - second.txt" in asked.stdout, "the plan is shown first"
    back = hub.hubpub("rollback", "acme/model", "--to", "v1", "--yes", "--json", **env)
    assert back.code == 0, back.stderr
    assert json.loads(back.stdout)["published"] is True
    assert tree(hub) == first
    assert commits(hub) == before + 1
    verified = hub.hubpub("verify", "acme/model", "--receipt", receipt, **env)
    assert verified.code == 0, verified.stdout
    once_more = hub.hubpub("rollback", "acme/model", "--to", "v1", **env)
    assert (once_more.code, commits(hub)) == (0, before + 1)
    assert "holds the files of v1 already" in once_more.stdout
    assert silent_about_tokens(planned, pushed, again, public, second, changed, asked, back, verified, once_more)


def test_stale_shards_are_proposed_and_deleted_when_asked(hub: CommandHub, plain_copy: Path) -> None:
    assert hub.hubpub("push", plain_copy, *MODEL).code == 0
    stale = [f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)]
    for path in [*stale, "pytorch_model.bin"]:
        hub.api().upload_file(path_or_fileobj=b"PK\x03\x04old", path_in_repo=path, repo_id="acme/model")
    other_weights(plain_copy)
    planned = hub.hubpub("plan", plain_copy, *MODEL, *QUICK, "--json")
    plan = json.loads(planned.stdout)
    assert [item["path"] for item in plan["stale"]] == stale
    assert plan["delete"] == []
    assert [item["path"] for item in plan["older"]] == ["pytorch_model.bin"]
    text = hub.hubpub("push", plain_copy, *MODEL, "--dry-run")
    assert "--delete-stale does so, in the same commit" in text.stdout
    assert "(main; public, at " in text.stdout

    before = commits(hub)
    kept = hub.hubpub("push", plain_copy, *MODEL)
    assert kept.code == 0
    assert set(stale) < set(tree(hub))
    assert "of an older release, and still there" in kept.stdout
    gone = hub.hubpub("push", plain_copy, *MODEL, "--delete-stale")
    assert gone.code == 0, gone.stderr
    assert commits(hub) == before + 2
    assert not set(stale) & set(tree(hub))
    assert "pytorch_model.bin" in tree(hub)


def test_a_saved_plan_of_a_folder_that_changed(hub: CommandHub, plain_copy: Path, tmp_path: Path) -> None:
    saved = tmp_path / "plan.json"
    assert hub.hubpub("plan", plain_copy, *MODEL, *QUICK, "--out", saved).code == 0
    (plain_copy / "config.json").write_text((plain_copy / "config.json").read_text() + "\n")
    run = hub.run("-m", "hubpub", "push", "--plan", saved, "--json")
    error = json.loads(run.stdout)
    assert (run.code, error["exit_code"], error["error"]) == (4, 4, "ConflictError")
    assert "config.json has" in error["message"]
    assert hub.repos() == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("push",), "see `hubpub push --help`"),
        (("push", "--plan", "none.json"), "is not a file that can be read"),
        (("push", "--plan", "none.json", "--org", "acme"), "--plan says what is published, and --org was given too"),
        (("verify", "acme"), "is not a repo id"),
        (("verify", "acme/none"), "has no model acme/none"),
        (("rollback", "acme/none", "--to", "v1"), "has no model acme/none"),
        (("rollback", "acme/none"), "Missing option '--to'"),
    ],
)
def test_wrong_usage(hub: CommandHub, arguments: tuple[str, ...], says: str) -> None:
    run = hub.run("-m", "hubpub", *arguments)
    assert run.code == 2, run.stderr
    assert says in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_verify_with_a_folder(hub: CommandHub, plain_copy: Path) -> None:
    assert hub.hubpub("push", plain_copy, *MODEL).code == 0
    same = hub.hubpub("verify", "acme/model", plain_copy)
    assert (same.code, "no difference" in same.stdout) == (0, True)
    (plain_copy / "mine.txt").write_text("mine")
    differs = hub.hubpub("verify", "acme/model", plain_copy, "--json")
    assert differs.code == 6
    assert json.loads(differs.stdout)["differences"] == [{"path": "mine.txt", "what": "not on the hub"}]


def test_a_hub_that_serves_cut_files(hub: CommandHub, plain_copy: Path) -> None:
    assert hub.hubpub("push", plain_copy, *MODEL).code == 0
    hub.hub.faults("GET /**/resolve/*/model.safetensors: truncate bytes=100", "GET /**/resolve/*/config.json: 404")
    run = hub.hubpub("verify", "acme/model")
    assert run.code == 6
    assert "config.json: cannot be fetched: HTTP 404" in run.stdout
    assert "model.safetensors: the hub serves 100 bytes and states" in run.stdout
    assert "2 differences" in run.stdout
    assert silent_about_tokens(run)


def test_who_may_not_write_may_not_roll_back(hub: CommandHub, plain_copy: Path) -> None:
    assert hub.hubpub("push", plain_copy, *MODEL, "--tag", "v1").code == 0
    run = hub.hubpub("rollback", "acme/model", "--to", "v1", "--yes", token=BOB)
    assert run.code == 3
    assert silent_about_tokens(run)


@pytest.mark.parametrize(("answer", "code"), [("n", 130), ("y", 0)])
def test_a_terminal_is_asked(hub: CommandHub, plain_copy: Path, answer: str, code: int) -> None:
    assert hub.hubpub("push", plain_copy, *MODEL, "--tag", "v1").code == 0
    hub.api().upload_file(path_or_fileobj=b"x", path_in_repo="theirs.txt", repo_id="acme/model")
    terminal, stdin = pty.openpty()
    try:
        os.write(terminal, f"{answer}\n".encode())
        done = subprocess.run(
            [sys.executable, "-m", "hubpub", "rollback", "acme/model", "--to", "v1"],
            stdin=stdin,
            capture_output=True,
            text=True,
            env=hub.env(PYTHONPATH=str(CHECKOUT)),
            cwd=hub.home,
            timeout=120,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(stdin)
    assert done.returncode == code, done.stderr
    assert "Roll main of acme/model back to v1?" in done.stderr
    assert ("theirs.txt" in tree(hub)) is (answer == "n")


def test_the_local_hub(hub: CommandHub, plain_copy: Path, tmp_path: Path) -> None:
    saved, local = tmp_path / "plan.json", ("--hub", "local")
    assert hub.hubpub("plan", plain_copy, *MODEL, *QUICK, *local, "--out", saved, token="").code == 0
    elsewhere = hub.run("-m", "hubpub", "push", "--plan", saved)
    assert elsewhere.code == 2
    assert "give --hub local" in elsewhere.stderr
    pushed = hub.run("-m", "hubpub", "push", "--plan", saved, *local, token="")
    assert pushed.code == 0, pushed.stderr
    assert hub.hubpub("verify", "acme/model", *local, token="").code == 0
    assert hub.repos() == []


def test_a_plan_that_is_only_shown_does_not_read_the_weights(hub: CommandHub, plain_copy: Path, tmp_path: Path) -> None:
    weights = plain_copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\xc0\x7f")  # NaN
    shown = hub.hubpub("plan", plain_copy, *MODEL)
    assert shown.code == 0, shown.stderr
    assert "not checked tensor values" in shown.stdout
    assert "--depth deep does so now" in shown.stderr
    for more in (("--depth", "deep"), ("--json",), ("--out", tmp_path / "plan.json")):
        run = hub.hubpub("plan", plain_copy, *MODEL, *more)
        assert run.code == 1, more
        assert "WEIGHT020" in run.stdout + run.stderr, more
    assert not (tmp_path / "plan.json").exists()
    assert hub.run("-m", "hubpub", "push", plain_copy, *MODEL, "--dry-run").code == 1
