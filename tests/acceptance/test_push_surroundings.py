"""The real command on CI machines: a home that takes no files, places that a result cannot be written to."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import pytest
from support.command import CommandHub
from support.secrets_kept import keeps
from support.tiny_release import save_tiny

PUSH = ("--org", "acme", "--tag", "v1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_tiny(tmp_path / "model", "a", weights=3_000)


def test_a_home_that_takes_no_files(hub: CommandHub, folder: Path, tmp_path: Path) -> None:
    """hf_xet refuses to work without a place for its cache; what it is given instead is gone afterwards."""
    home, temporary = tmp_path / "home-is-a-file", tmp_path / "tmp"
    home.write_text("")
    temporary.mkdir()
    places = {"HOME": home, "HF_HOME": home / "hf", "HUBPUB_CACHE_DIR": home / "cache", "TMPDIR": temporary}
    run = hub.hubpub("push", folder, *PUSH, **{name: str(place) for name, place in places.items()})
    assert run.code == 0, run.stderr
    assert "attempt" not in run.stderr
    assert hub.read("acme/model", "model.safetensors") == (folder / "model.safetensors").read_bytes()
    assert [*temporary.iterdir()] == []


@pytest.mark.parametrize("option", ["--receipt", "--changelog"])
@pytest.mark.parametrize(("place", "why"), [("link", "is a symlink"), ("device", "is not a regular file")])
def test_where_nothing_can_be_written_is_said_before_anything_is_done(
    hub: CommandHub, folder: Path, tmp_path: Path, option: str, place: str, why: str
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "device")
    run = hub.hubpub("push", folder, *PUSH, option, tmp_path / place, "--json")
    assert (run.code, why in json.loads(run.stdout)["message"]) == (2, True), run.stdout
    assert hub.repos() == []


def test_a_folder_that_takes_no_card_does_not_undo_a_release(hub: CommandHub, plain_copy: Path, tmp_path: Path) -> None:
    (plain_copy / ".hubpub").write_text("in the way")
    receipt = tmp_path / "receipt.json"
    run = hub.hubpub("push", plain_copy, "--org", "acme", "--write", "--receipt", receipt, "--json")
    assert run.code == 0, run.stderr
    assert "README.md was not written" in run.stderr
    assert "the release stands" in run.stderr
    assert json.loads(run.stdout)["commit"] == json.loads(receipt.read_text())["commit"]


def test_a_receipt_that_cannot_be_written_after_all_is_an_error_that_names_the_release(
    hub: CommandHub, folder: Path, tmp_path: Path
) -> None:
    name = "r" * 250  # with what a file has in its name while it is written, it is too long
    run = hub.hubpub("push", folder, *PUSH, "--receipt", tmp_path / name, "--changelog", tmp_path / "log.md", "--json")
    error = json.loads(run.stdout)
    assert (run.code, error["exit_code"]) == (2, 2)
    head = hub.api().model_info("acme/model").sha
    assert head is not None
    assert f"the release stands, as {head[:12]} of acme/model" in error["message"]
    assert (tmp_path / "log.md").exists()


def test_notes_that_cannot_be_kept_are_one_document(hub: CommandHub, folder: Path, tmp_path: Path) -> None:
    assert hub.hubpub("push", folder, *PUSH).code == 0
    run = hub.hubpub("notes", "acme/model", "v1", "--json", "--changelog", tmp_path / "nowhere" / "log.md")
    assert run.code == 2
    assert json.loads(run.stdout)["schema"] == "hubpub.error/1"


def test_a_quiet_dry_run_says_the_plan_and_no_steps(hub: CommandHub, folder: Path) -> None:
    run = hub.hubpub("push", folder, *PUSH, "--dry-run", "--quiet")
    assert (run.code, run.stderr) == (0, "")
    assert "plan http" in run.stdout


@pytest.mark.parametrize("xet", ["0", "1"], ids=["xet", "lfs"])
def test_the_hub_of_the_command_itself_is_not_looked_for_behind_a_proxy(
    hub: CommandHub, folder: Path, xet: str
) -> None:
    nobody = "http://127.0.0.1:9"
    proxies = {"http_proxy": nobody, "HTTPS_PROXY": nobody, "ALL_PROXY": nobody, "NO_PROXY": "example.org"}
    arguments = ("push", folder, *PUSH, "--hub", "local", "--attempts", "1", "--json")
    run = hub.hubpub(*arguments, HF_HUB_DISABLE_XET=xet, **proxies)
    assert (run.code, json.loads(run.stdout)["published"]) == (0, True), run.stderr
    run = hub.hubpub("verify", "acme/model", "--hub", hub.endpoint, "--attempts", "1", **proxies)
    assert "Connection refused" in run.stderr, "the proxy is meant for all other hubs"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        pytest.param(
            "http_proxy",
            "socks5://127.0.0.1:9",
            "speaks SOCKS, which needs a package: http_proxy; pip install socksio",
            marks=pytest.mark.skipif(importlib.util.find_spec("socksio") is not None, reason="the package is here"),
        ),
        ("ALL_PROXY", "nonsense://u:theSecret@x", "a proxy of the environment cannot be used: ALL_PROXY; set it to"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "the certificates cannot be read: No such file or directory; see where"),
        ("HF_ENDPOINT", "", "HF_ENDPOINT is empty; give the URL"),
    ],
)
def test_an_environment_that_cannot_be_used_is_named(
    hub: CommandHub, folder: Path, variable: str, value: str, said: str
) -> None:
    run = hub.hubpub("push", folder, *PUSH, **{variable: value})
    assert run.code == 2
    assert said in run.stderr
    assert run.stderr.count("\n") == 1, "at once, in one line"
    assert "theSecret" not in run.stderr


def test_a_token_in_the_place_of_its_file_is_not_shown(hub: CommandHub, folder: Path) -> None:
    token = "hf_theTokenThatStandsWhereItsFileShould"
    run = hub.hubpub("push", folder, *PUSH, "--token-file", token, "--json", token="")
    assert (run.code, json.loads(run.stdout)["layer"]) == (3, "token")
    assert "looks like the token itself" in run.stderr
    keeps([token], run)


def test_a_token_that_is_not_accepted_is_replaced_where_it_is(hub: CommandHub, folder: Path) -> None:
    """HF_TOKEN goes before what `hf auth login` stores, so logging in would change nothing."""
    refused = "hf_aStrangerToThisHub00"
    run = hub.hubpub("push", folder, *PUSH, token=refused)
    assert "from HF_TOKEN; make a new token in the hub's settings, and put it in place of this one" in run.stderr
    (hub.home / "token").write_text(refused)
    run = hub.hubpub("push", folder, *PUSH, token="")
    assert "make a new token in the hub's settings, and run `hf auth login` with it" in run.stderr
