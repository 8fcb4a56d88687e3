"""The real command on real models: one commit, verified, loadable, and a second push that does nothing."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download
from support.command import CommandHub
from support.running_hub import ALICE

REQUIRED = [
    "## Model description",
    "## Intended uses & limitations",
    "## How to use",
    "## Limitations and bias",
    "## Training data",
    "## Training procedure",
    "## Evaluation results",
]


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ".cache" not in path.parts
    }


def download(hub: CommandHub, repo_id: str, into: Path) -> dict[str, str]:
    snapshot_download(repo_id, endpoint=hub.endpoint, token=ALICE, local_dir=into)
    return digests(into)


@pytest.mark.parametrize("xet", [True, False], ids=["xet", "lfs"])
def test_the_main_job_on_minilm(hub: CommandHub, minilm: Path, tmp_path: Path, xet: bool) -> None:
    env = {} if xet else {"HF_HUB_DISABLE_XET": "1"}
    before = digests(minilm)
    first = hub.hubpub("push", minilm, "--org", "acme", "--name", "minilm", "--tag", "v1", "--json", **env)
    assert first.code == 0, first.stderr
    receipt = json.loads(first.stdout)
    assert receipt["schema"] == "hubpub.receipt/1"
    assert (receipt["published"], receipt["created_repo"], receipt["tag"]) == (True, True, "v1")
    commits = hub.api().list_repo_commits("acme/minilm")
    assert [commit.commit_id for commit in commits][:1] == [receipt["commit"]]
    assert len(commits) == 2, "the repo's initial commit and ONE of ours"
    assert hub.api().list_repo_refs("acme/minilm").tags[0].target_commit == receipt["commit"]

    after = download(hub, "acme/minilm", tmp_path / "there")
    assert after == before, "every file is there byte for byte, and the folder is as it was"
    assert digests(minilm) == before

    second = hub.hubpub("push", minilm, "--org", "acme", "--name", "minilm", "--tag", "v1", **env)
    assert second.code == 0, second.stderr
    assert "nothing to publish" in second.stdout
    assert len(hub.api().list_repo_commits("acme/minilm")) == 2


def test_a_folder_without_a_card_gets_one_in_the_commit(hub: CommandHub, plain_copy: Path) -> None:
    run = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model", "--json")
    assert run.code == 0, run.stderr
    assert not (plain_copy / "README.md").exists(), "push does not change the folder"
    text = hub.read("acme/model", "README.md").decode()
    assert [line for line in text.splitlines() if line in REQUIRED] == REQUIRED
    assert "acme/model" in text, "the snippet names the repo"

    again = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model", "--write", "--json")
    assert json.loads(again.stdout)["published"] is False
    assert (plain_copy / "README.md").read_text() == text


def test_a_card_edited_on_the_hub_survives_the_next_push(hub: CommandHub, plain_copy: Path) -> None:
    assert hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model").code == 0
    edited = b"---\nlicense: mit\n---\n# Model\n\nWritten by hand on the hub.\n"
    hub.api().upload_file(path_or_fileobj=edited, path_in_repo="README.md", repo_id="acme/model")
    (plain_copy / "notes.txt").write_text("a new file")
    run = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model", "--json")
    assert json.loads(run.stdout)["card"]["source"] == "hub"
    assert hub.read("acme/model", "README.md") == edited

    (plain_copy / "README.md").write_bytes(edited + b"\nAnd another hand in the folder.\n")
    conflict = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model")
    assert conflict.code == 4
    assert "--card folder or --card hub" in conflict.stderr
    assert hub.read("acme/model", "README.md") == edited
    assert hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model", "--card", "folder").code == 0
    assert hub.read("acme/model", "README.md").endswith(b"another hand in the folder.\n")


def test_training_state_stays_here_and_is_listed(hub: CommandHub, plain_copy: Path) -> None:
    (plain_copy / "optimizer.pt").write_bytes(b"\0" * 5000)
    (plain_copy / "checkpoint-5").mkdir()
    (plain_copy / "checkpoint-5" / "config.json").write_text("{}")
    run = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model", "--json")
    assert run.code == 0, run.stderr
    left_out = {item["path"]: item["reason"] for item in json.loads(run.stdout)["left_out"]}
    assert set(left_out) == {"optimizer.pt", "checkpoint-5/config.json"}
    assert all(left_out.values())
    assert not set(left_out) & set(hub.api().list_repo_files("acme/model"))


def test_a_dry_run_sends_nothing(hub: CommandHub, plain_copy: Path) -> None:
    run = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model", "--dry-run", "--json")
    plan = json.loads(run.stdout)
    assert (run.code, plan["schema"], plan["creates_repo"]) == (0, "hubpub.plan/1", True)
    assert {"config.json", "model.safetensors", "README.md"} <= {item["path"] for item in plan["add"]}
    assert hub.repos() == []


def test_a_tag_never_moves(hub: CommandHub, plain_copy: Path) -> None:
    push = ("push", plain_copy, "--org", "acme", "--name", "model", "--tag", "v1")
    assert hub.hubpub(*push).code == 0
    tagged = hub.api().list_repo_refs("acme/model").tags[0].target_commit
    (plain_copy / "notes.txt").write_text("different")
    run = hub.hubpub(*push)
    assert run.code == 4
    assert "has a tag v1 already" in run.stderr
    assert hub.api().list_repo_refs("acme/model").tags[0].target_commit == tagged
    assert "notes.txt" not in hub.api().list_repo_files("acme/model")


def test_a_private_repo_is_private_and_a_public_one_is_not_made_so(hub: CommandHub, plain_copy: Path) -> None:
    assert hub.hubpub("push", plain_copy, "--org", "acme", "--name", "secret", "--private").code == 0
    assert hub.api().model_info("acme/secret").private is True
    assert hub.hubpub("push", plain_copy, "--org", "acme", "--name", "open").code == 0
    run = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "open", "--private")
    assert run.code == 4
    assert "is public already" in run.stderr


def test_a_reader_sees_the_old_tree_or_the_new_one(hub: CommandHub, plain_copy: Path) -> None:
    extra = plain_copy / "extra"
    extra.mkdir()
    for number in range(400):
        (extra / f"{number:03}.txt").write_text(f"first {number}")
    push = ("push", plain_copy, "--org", "acme", "--name", "model")
    assert hub.hubpub(*push).code == 0
    old = tree(hub)
    for number in range(400):
        (extra / f"{number:03}.txt").write_text(f"second, longer {number}")

    seen: set[frozenset[tuple[str, str]]] = set()
    done = threading.Event()
    polls = 0

    def poll() -> None:
        nonlocal polls
        while not done.is_set():
            seen.add(tree(hub))
            polls += 1

    poller = threading.Thread(target=poll)
    poller.start()
    try:
        assert hub.hubpub(*push).code == 0
    finally:
        done.set()
        poller.join()
    new = tree(hub)
    assert polls > 3
    assert old != new
    assert seen <= {old, new}
    assert len(hub.api().list_repo_commits("acme/model")) == 3


def tree(hub: CommandHub) -> frozenset[tuple[str, str]]:
    entries = hub.api().list_repo_tree("acme/model", recursive=True)
    return frozenset((entry.path, entry.blob_id) for entry in entries if hasattr(entry, "blob_id"))


LOAD = """
import sys
from transformers import AutoConfig, AutoTokenizer
config = AutoConfig.from_pretrained(sys.argv[1])
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
print(config.model_type, len(tokenizer))
"""


def test_transformers_loads_it_by_id_from_that_hub(hub: CommandHub, plain_copy: Path) -> None:
    assert hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model").code == 0
    done = hub.run("-c", LOAD, "acme/model", token="")
    assert done.code == 0, done.stderr
    model_type, vocabulary = done.stdout.split()
    config = json.loads((plain_copy / "config.json").read_text())
    assert model_type == config["model_type"]
    assert int(vocabulary) == config["vocab_size"]


@pytest.mark.parametrize("which", ["bert_classifier", "chat_lm", "chat_lm_sharded"])
def test_models_saved_by_transformers_are_published_and_generate(
    hub: CommandHub, which: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(which)
    run = hub.hubpub("push", folder, "--org", "acme", "--name", which.replace("_", "-"), "--json")
    assert run.code == 0, run.stderr
    report = json.loads(run.stdout)["report"]
    assert report["counts"]["error"] == 0
    assert [item for item in report["findings"] if not item["rule"].startswith(("SECT", "META"))] == []


def test_the_local_hub_needs_no_account_and_keeps_what_was_published(plain_copy: Path, hub: CommandHub) -> None:
    push = ("push", plain_copy, "--org", "acme", "--name", "model", "--hub", "local")
    first = hub.hubpub(*push, "--json", token="")
    assert first.code == 0, first.stderr
    again = hub.hubpub(*push, "--json", token="")
    assert json.loads(again.stdout)["published"] is False
    assert json.loads(again.stdout)["commit"] == json.loads(first.stdout)["commit"]
    assert hub.repos() == [], "nothing went to the hub that HF_ENDPOINT names"
    assert (hub.home / "data" / "hubpub").is_dir()
    assert os.fspath(hub.home) not in first.stdout


def test_what_is_included_by_hand_is_checked_like_the_rest(hub: CommandHub, plain_copy: Path) -> None:
    (plain_copy / "optimizer.pt").write_bytes(
        b"\x80\x02cposix\nsystem\nq\x00X\x04\x00\x00\x00trueq\x01\x85q\x02Rq\x03."
    )
    push = ("push", plain_copy, "--org", "acme", "--name", "model", "--include", "optimizer.pt")
    run = hub.hubpub(*push)
    assert run.code == 1
    assert "error CODE001 optimizer.pt" in run.stderr
    assert hub.repos() == []
    (plain_copy / "optimizer.pt").write_bytes(b"\x80\x02}q\x00.")
    assert hub.hubpub(*push).code == 0
    assert "optimizer.pt" in hub.api().list_repo_files("acme/model")


def test_what_is_excluded_is_listed_too(hub: CommandHub, plain_copy: Path) -> None:
    (plain_copy / "notes.txt").write_text("mine")
    run = hub.hubpub("push", plain_copy, "--org", "acme", "--name", "model", "--exclude", "notes.*", "--json")
    assert json.loads(run.stdout)["left_out"] == [{"path": "notes.txt", "size": None, "reason": "excluded as asked"}]
    assert "notes.txt" not in hub.api().list_repo_files("acme/model")
