"""Loading what was published, before it is tagged: in a child process, from what the hub serves at that commit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import safetensors.numpy
from support.command import CommandHub
from support.running_hub import ALICE, TestHub
from support.secrets_kept import keeps

from hubpub.core.errors import VerificationError
from hubpub.core.rule import Depth
from hubpub.publish.client import HubClient
from hubpub.publish.load_check import load_published
from hubpub.publish.prepare import PushOptions
from hubpub.publish.push import push
from hubpub.publish.target import Target


def test_a_model_is_loaded_before_it_is_tagged(hub: TestHub, bert_classifier: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bert_classifier, tmp_path / "model"))
    command = CommandHub(hub.hub, hub.home)
    arguments = ("push", folder, "--org", "acme", "--load", "--tag", "v1", "--json")
    run = command.hubpub(*arguments, "--ignore", "ALL")
    receipt = json.loads(run.stdout)
    assert run.code == 0, run.stderr
    assert receipt["loaded"]["commit"] == receipt["commit"]
    assert {"model", "forward"} <= set(receipt["loaded"]["steps"])
    checked = command.hubpub("verify", "acme/model@v1", "--load")
    assert (checked.code, "loads: " in checked.stdout) == (0, True), checked.stderr
    keeps([ALICE], run, checked)

    weights = folder / "model.safetensors"
    tensors = safetensors.numpy.load_file(weights)
    safetensors.numpy.save_file({name: array * float("nan") for name, array in tensors.items()}, weights)
    run = command.hubpub("push", folder, "--org", "acme", "--load", "--tag", "v2", "--ignore", "ALL")
    assert run.code == VerificationError.exit_code
    assert "does not load as its users load it" in run.stderr
    assert [ref.name for ref in hub.api().list_repo_refs("acme/model").tags] == ["v1"]


def test_what_cannot_be_loaded_is_not_taken_for_loaded(hub: TestHub, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    client = HubClient(Target(hub.endpoint, ALICE, "HF_TOKEN"))
    options = PushOptions(folder, "model", namespace="acme", depth=Depth.QUICK, ignore=("ALL",), tag="v1", load=True)
    with pytest.raises(VerificationError, match="could not be loaded: it holds no weights"):
        push(options, client, lambda _: None)
    assert hub.api().list_repo_refs("acme/model").tags == []


def test_other_bytes_than_the_hub_states_are_not_loaded(hub: TestHub, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"a": 1}')
    client = HubClient(Target(hub.endpoint, ALICE, "HF_TOKEN"))
    options = PushOptions(folder, "model", namespace="acme", depth=Depth.QUICK, ignore=("ALL",))
    commit = push(options, client, lambda _: None).commit
    original = HubClient.stream
    monkeypatch = pytest.MonkeyPatch()
    with monkeypatch.context() as patch:
        patch.setattr(
            HubClient,
            "stream",
            lambda self, repo, path, revision: map(bytes.upper, original(self, repo, path, revision)),
        )
        with pytest.raises(VerificationError, match="serves other bytes of"):
            load_published(client, "acme/model", commit, lambda _: None)
