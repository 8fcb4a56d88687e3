"""The real command on bad input: one clear line with the next step, the right exit code, nothing on the hub."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command import CommandHub, Run
from support.running_hub import BOB, READER


def only_error(run: Run) -> str:
    """The one line of stderr that says what is wrong."""
    lines = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, run.stderr
    assert "Traceback" not in run.stderr + run.stdout
    assert "; " in lines[0], "no next step"
    return lines[0]


def missing(folder: Path) -> Path:
    return folder / "nowhere"


def a_file(folder: Path) -> Path:
    return folder / "config.json"


def empty(folder: Path) -> Path:
    path = folder / "empty"
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [(missing, "does not exist"), (a_file, "is a file"), (empty, "holds no files")],
)
def test_a_path_that_is_no_model_folder(
    hub: CommandHub, plain_copy: Path, make: Callable[[Path], Path], says: str
) -> None:
    run = hub.hubpub("push", make(plain_copy), "--org", "acme", "--name", "model")
    assert run.code == 2
    assert says in only_error(run)
    assert hub.repos() == []


@pytest.mark.parametrize("repo_id", ["model", "a/b/c", "acme/-x", "acme/a b", "acme/x.git"])
def test_what_is_not_a_repo_id(hub: CommandHub, plain_copy: Path, repo_id: str) -> None:
    run = hub.hubpub("push", plain_copy, "--repo-id", repo_id)
    assert run.code == 2
    assert "is not a repo id" in only_error(run)
    assert hub.repos() == []


def huge_config(folder: Path) -> None:
    with (folder / "config.json").open("r+b") as file:
        file.truncate(1 << 30)


def deep_config(folder: Path) -> None:
    (folder / "config.json").write_text('{"a":' * 100_000 + "1" + "}" * 100_000)


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    os.truncate(path, path.stat().st_size - 4)


def pointer_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 90868376\n"
    )


def leaked_secret(folder: Path) -> None:
    (folder / "notes.txt").write_text("token = hf_" + "aB3dE5gH7jK9mN1pQ3sT5vX7zA1cE3gH5j\n")


def link_out(folder: Path) -> None:
    (folder / "passwd.txt").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("spoil", "rule", "path"),
    [
        (huge_config, "CONF002", "config.json"),
        (deep_config, "CONF002", "config.json"),
        (cut_weights, "WEIGHT002", "model.safetensors"),
        (pointer_weights, "FILE005", "model.safetensors"),
        (leaked_secret, "SECRET001", "notes.txt"),
        (link_out, "FILE001", "passwd.txt"),
    ],
)
def test_a_broken_folder_is_refused_before_anything_is_created(
    hub: CommandHub, plain_copy: Path, spoil: Callable[[Path], None], rule: str, path: str
) -> None:
    spoil(plain_copy)
    run = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model")
    assert run.code == 1
    assert "was not published" in only_error(run)
    assert f"error {rule} {path}" in run.stderr
    assert "hf_aB3dE5" not in run.stderr + run.stdout
    assert hub.repos() == []


# The interpreter may be one that only root can read: a first check imports and reads what the command will need.
AS_NOBODY = """
import os, sys
import huggingface_hub.hf_api, huggingface_hub.utils.tqdm, picklescan.scanner
import hubpub.cli.main, hubpub.cli.push, hubpub.publish.push, hubpub.report.text, hubpub.rules.catalogue
try:
    hubpub.cli.main.main(["check", sys.argv[2]])
except SystemExit:
    pass
os.setuid(65534)
hubpub.cli.main.main(sys.argv[1:])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user who may not read a file")
def test_unreadable_files_are_named(hub: CommandHub, plain_copy: Path) -> None:
    with tempfile.TemporaryDirectory() as public:
        folder = Path(shutil.copytree(plain_copy, Path(public) / "model"))
        Path(public).chmod(0o755)
        (folder / "vocab.txt").write_text("[PAD]")
        (folder / "vocab.txt").chmod(0)
        run = hub.run("-c", AS_NOBODY, "push", folder, "--org", "acme", "--name", "model")
    assert run.code == 1
    assert "error FILE004 vocab.txt" in run.stderr
    assert "was not published" in only_error(run)
    assert hub.repos() == []


def test_without_a_token(hub: CommandHub, plain_copy: Path) -> None:
    run = hub.hubpub("push", plain_copy, "--org", "acme", token="")
    assert run.code == 3
    assert "no token" in only_error(run)
    assert "HF_TOKEN" in only_error(run)
    assert hub.repos() == []


@pytest.mark.parametrize(
    ("token", "org", "says"),
    [
        ("hf_stranger" + "0" * 20, "acme", "does not accept the token"),
        (READER, "acme", "the token of alice, from HF_TOKEN, can only read"),
        (BOB, "elsewhere", "bob is not a member of elsewhere"),
        (BOB, "acme", "bob has the role read in acme"),
    ],
)
def test_a_token_that_may_not_write_there(hub: CommandHub, plain_copy: Path, token: str, org: str, says: str) -> None:
    run = hub.hubpub("push", plain_copy, "--org", org, "--name", "model", token=token)
    assert run.code == 3
    assert says in only_error(run)
    assert token not in run.stderr + run.stdout
    assert hub.repos() == []


def test_a_hub_that_is_not_there(hub: CommandHub, plain_copy: Path) -> None:
    run = hub.hubpub("push", plain_copy, "--org", "acme", HF_ENDPOINT="http://127.0.0.1:9")
    assert run.code == 5
    assert "does not answer" in only_error(run)


def test_the_reader_of_json_gets_the_error_and_the_report(hub: CommandHub, plain_copy: Path) -> None:
    cut_weights(plain_copy)
    run = hub.hubpub("push", plain_copy, "--org", "acme", "--json")
    document = json.loads(run.stdout)
    assert (run.code, document["schema"], document["error"], document["exit_code"]) == (
        1,
        "hubpub.error/1",
        "FindingsError",
        1,
    )
    assert [item["rule"] for item in document["report"]["findings"] if item["severity"] == "error"] == ["WEIGHT002"]


def test_a_card_that_is_a_link_out_of_the_folder_is_never_followed(hub: CommandHub, plain_copy: Path) -> None:
    outside = plain_copy.parent / "outside.md"
    outside.write_text("# Private notes\n\nTODO: the merger\n")
    (plain_copy / "README.md").symlink_to(outside)
    push = ("push", plain_copy, "--org", "acme", "--name", "model")
    assert hub.hubpub(*push).code == 1
    assert hub.repos() == []
    run = hub.hubpub("lint", plain_copy)
    assert (run.code, run.stdout) == (2, "")
    assert "Private notes" not in hub.hubpub("card", plain_copy).stdout
    assert hub.hubpub(*push, "--ignore", "FILE001").code == 0
    assert b"Private notes" not in hub.read("acme/model", "README.md")
