"""What people meet on the way to a release: odd places to stand in, wrong addresses, refusals, Ctrl-C."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.command import REPO, CommandHub
from support.proxy import running_proxy
from support.running_hub import ALICE, BOB

SCRIPT = ("-P", "-c", "from hubpub.cli.main import main; main()")
QUICK = ("--depth", "quick")


@pytest.mark.parametrize("command", [("-m", "hubpub"), SCRIPT])
def test_code_of_the_folder_that_one_stands_in_does_not_run(
    hub: CommandHub, plain_copy: Path, command: tuple[str, ...]
) -> None:
    for name in ("hf_xet", "huggingface_hub", "html", "requests", "json", "keyring"):
        (plain_copy / f"{name}.py").write_text("raise SystemExit('code of the model folder runs')\n")
    done = subprocess.run(
        [sys.executable, *command, "push", ".", "--repo", "acme/model", *QUICK],
        capture_output=True,
        text=True,
        env=hub.env(PYTHONPATH=str(REPO)),
        cwd=plain_copy,
        timeout=120,
        check=False,
    )
    assert (done.returncode, "runs" in done.stdout + done.stderr) == (0, False), done.stderr
    assert hub.read("acme/model", "hf_xet.py").startswith(b"raise")


def test_one_file_is_one_file(hub: CommandHub, plain_copy: Path) -> None:
    hub.hubpub("push", plain_copy, "--org", "acme", "--tag", "v1")
    (plain_copy / "notes.txt").write_text("more")
    second = hub.hubpub("push", plain_copy, "--org", "acme", "--tag", "v2")
    assert "· uploading 1 file, 4 bytes" in second.stderr
    assert "· committed 1 file to main as" in second.stderr
    back = hub.hubpub("rollback", "acme/model", "--to", "v1", "--yes")
    assert "restored 0 files and deleted 1 in one commit" in back.stdout
    assert "1 files" not in second.stderr + second.stdout + back.stderr + back.stdout


def test_a_tag_that_is_there_is_not_said_to_be_set(hub: CommandHub, plain_copy: Path) -> None:
    first = hub.hubpub("push", plain_copy, "--org", "acme", "--tag", "v1")
    commit = hub.api().model_info("acme/model").sha
    assert commit is not None
    assert f"· tagged {commit[:12]} as v1" in first.stderr
    again = hub.hubpub("push", plain_copy, "--org", "acme", "--tag", "v1")
    assert f"· v1 is on {commit[:12]} already, with the same files" in again.stderr
    assert "tagged" not in again.stderr


def test_the_steps_say_whose_token_and_what_the_card_lacks(hub: CommandHub, plain_copy: Path, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(ALICE)
    for source, more in (("HF_TOKEN", ()), (f"--token-file {file}", ("--token-file", str(file)))):
        done = hub.hubpub("plan", plain_copy, "--org", "acme", *more)
        assert f"· alice may publish to acme/model on {hub.endpoint}, with the token from {source}\n" in done.stderr
        assert "· checked the card, written from what the folder knows: 6 warnings, 1 info\n" in done.stderr
        assert "only at depth deep" in done.stdout
    refused = hub.hubpub("plan", plain_copy, "--org", "acme", token="hf_alicereads")
    assert "the token of alice, from HF_TOKEN, can only read" in refused.stderr


def test_a_plan_names_what_is_stale_once_and_how_it_is_published(
    hub: CommandHub, plain_copy: Path, tmp_path: Path
) -> None:
    hub.api().create_repo("acme/model")
    hub.api().upload_file(path_or_fileobj=b"old", path_in_repo="model-00001-of-00003.safetensors", repo_id="acme/model")
    out = tmp_path / "my plan.json"
    done = hub.hubpub("plan", plain_copy, "--org", "acme", "--hub", hub.endpoint, "--out", out)
    assert done.stdout.count("model-00001-of-00003.safetensors") == 1
    assert "= 1 file only on the hub, kept: .gitattributes" in done.stdout
    assert f"`hubpub push --plan '{out}' --hub {hub.endpoint}` publishes it" in done.stderr
    assert "a pull request: " in hub.hubpub("plan", plain_copy, "--org", "acme", "--pr").stdout


def test_an_endpoint_without_a_scheme(hub: CommandHub, plain_copy: Path) -> None:
    address = hub.endpoint.removeprefix("http://")
    done = hub.hubpub("push", plain_copy, HF_ENDPOINT=address)
    assert done.code == 2
    assert f"HF_ENDPOINT is '{address}', which is not the URL of a hub; set it to https://{address}" in done.stderr
    assert "attempt" not in done.stderr


def test_who_may_not_roll_back_is_told_why(hub: CommandHub, plain_copy: Path) -> None:
    hub.hubpub("push", plain_copy, "--org", "acme", "--tag", "v1")
    done = hub.hubpub("rollback", "acme/model", "--to", "v1", "--json", token=BOB)
    assert done.code == 3
    said = json.loads(done.stdout)
    assert said["layer"] == "role"
    assert said["message"] == "bob has the role read in acme and may not write to acme/model"
    assert said["next_step"] == "ask an administrator of acme for the role write"


def test_a_revision_that_is_not_there(hub: CommandHub, plain_copy: Path) -> None:
    hub.hubpub("push", plain_copy, "--org", "acme")
    none = hub.hubpub("rollback", "acme/model", "--to", "v1.0.0", "--yes")
    assert (none.code, none.stderr.count("it has no tags; look at its history on the hub")) == (2, 1)
    for tag in ("v1.0.0", "v1.1.0"):
        hub.api().create_tag("acme/model", tag=tag)
    assert "no branch, tag or commit 1.0.0; did you mean v1.0.0?" in hub.hubpub("verify", "acme/model@1.0.0").stderr
    assert "its tags are v1.1.0, v1.0.0" in hub.hubpub("notes", "acme/model", "first").stderr


def test_ctrl_c_says_what_is_left_and_how_to_go_on(hub: CommandHub, plain_copy: Path) -> None:
    hub.hub.faults("preupload: stall")
    with subprocess.Popen(
        [sys.executable, "-m", "hubpub", "push", plain_copy, "--org", "acme", *QUICK],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=hub.env(PYTHONPATH=str(REPO)),
        cwd=hub.home,
    ) as push:
        assert push.stderr is not None
        for line in push.stderr:
            if "created acme/model" in line:
                break
        push.send_signal(signal.SIGINT)
        said = push.stderr.read()
        assert push.wait(60) == 130
    assert (
        "interrupted: acme/model was created, which stays private until the push is finished, and has nothing of the "
        "release; the same command goes on, and sends nothing twice" in said
    )
    assert "Traceback" not in said
    assert hub.api().model_info("acme/model").private
    hub.hub.faults()
    assert hub.hubpub("push", plain_copy, "--org", "acme").code == 0
    assert not hub.api().model_info("acme/model").private


def test_what_only_the_hub_has_is_told_once(hub: CommandHub, plain_copy: Path) -> None:
    hub.hubpub("push", plain_copy, "--org", "acme")
    hub.api().upload_file(path_or_fileobj=b"x", path_in_repo="extra.txt", repo_id="acme/model")
    done = hub.hubpub("verify", "acme/model", plain_copy, "--complete")
    assert done.code == 6
    assert done.stdout.count("extra.txt") == 1
    assert "1 difference; 7 files on the hub" in done.stdout


def test_a_folder_is_verified_as_it_was_published(hub: CommandHub, plain_copy: Path) -> None:
    (plain_copy / "private.txt").write_text("stays here")
    (hub.home / "hubpub.toml").write_text('exclude = ["private.*"]\n')
    hub.hubpub("push", plain_copy, "--org", "acme")
    assert "private.txt" not in hub.api().list_repo_files("acme/model")
    assert hub.hubpub("verify", "acme/model", plain_copy).code == 0
    (hub.home / "hubpub.toml").unlink()
    assert hub.hubpub("verify", "acme/model", plain_copy).code == 6
    assert hub.hubpub("verify", "acme/model", plain_copy, "--exclude", "private.*").code == 0


def test_a_gated_release_is_never_open(hub: CommandHub, plain_copy: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    planned = hub.hubpub("plan", plain_copy, "--org", "acme", "--gated", "manual", "--out", plan)
    assert "gated: manual, its owners decide who gets access" in planned.stdout
    assert json.loads(plan.read_text())["gated"] == "manual"
    done = hub.run("-m", "hubpub", "push", "--plan", plan)
    assert "· made acme/model public, gated: its owners decide who gets access" in done.stderr
    info = hub.api().model_info("acme/model")
    assert (info.private, info.gated) == (False, "manual")

    (plain_copy / "notes.txt").write_text("more")
    hub.hub.faults("commit: 403")
    assert hub.hubpub("push", plain_copy, "--org", "acme", "--gated", "auto").code == 3
    assert hub.api().model_info("acme/model").gated == "auto", "before the commit, not after it"
    hub.hub.faults()
    again = hub.hubpub("push", plain_copy, "--org", "acme", "--gated", "auto", "--json")
    assert json.loads(again.stdout)["gated"] == "auto"
    refused = hub.hubpub("push", plain_copy, "--org", "acme", "--gated", "auto", "--pr", token=BOB)
    assert (refused.code, "leave out --gated" in refused.stderr) == (2, True)


def test_a_pull_request_tells_what_goes_and_what_stays(hub: CommandHub, plain_copy: Path, tmp_path: Path) -> None:
    hub.hubpub("push", plain_copy, "--org", "acme")
    hub.api().upload_file(path_or_fileobj=b"old", path_in_repo="model-00001-of-00003.safetensors", repo_id="acme/model")
    later = Path(shutil.copytree(plain_copy, tmp_path / "later" / "model"))
    (later / "notes.txt").write_text("more")
    (later / "other.txt").write_text("more")
    hub.hubpub("push", later, "--org", "acme", "--pr", token=BOB)
    described = hub.api().get_discussion_details("acme/model", 1).events[0]
    assert "Left by an older release" in described.content
    assert "`model-00001-of-00003.safetensors` (3 bytes)" in described.content
    (later / "notes.txt").unlink()
    again = hub.hubpub("push", later, "--org", "acme", "--pr", token=BOB)
    assert "· committed 0 files and deleted 1 to pull request 1 as" in again.stderr


def test_a_plan_knows_what_the_hub_would_drop(hub: CommandHub, plain_copy: Path) -> None:
    hub.hubpub("push", plain_copy, "--org", "acme")
    hub.api().upload_file(path_or_fileobj=b"*.dat\n", path_in_repo=".gitignore", repo_id="acme/model")
    (plain_copy / "table.dat").write_text("1")
    planned = hub.hubpub("plan", plain_copy, "--org", "acme")
    assert (planned.code, planned.stdout) == (4, "")
    assert "a .gitignore makes acme/model drop table.dat; change the .gitignore of" in planned.stderr
    assert hub.hubpub("plan", plain_copy, "--org", "acme", "--exclude", "*.dat").code == 0
    # A .gitignore that is published counts instead of the one that it replaces.
    (plain_copy / ".gitignore").write_text("*.tmp\n")
    assert hub.hubpub("push", plain_copy, "--org", "acme").code == 0
    assert "table.dat" in hub.api().list_repo_files("acme/model")


def test_everything_goes_through_the_proxy_of_the_environment(hub: CommandHub, plain_copy: Path) -> None:
    with running_proxy() as (address, seen):
        done = hub.hubpub(
            *("push", plain_copy, "--org", "acme"), HTTP_PROXY=address, NO_PROXY="", no_proxy="", HF_HUB_DISABLE_XET="1"
        )
    assert done.code == 0, done.stderr
    assert "POST /acme/model.git/info/lfs/objects/batch" in seen
    assert [request for request in seen if request.startswith("PUT /")], "the content of the weights"
    assert "POST /api/models/acme/model/commit/main" in seen
