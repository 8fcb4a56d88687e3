"""Loading what was published, before it is tagged: by its id at that commit, in a child process without token."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from safetensors.numpy import load_file, save_file
from support.command import CommandHub
from support.running_hub import ALICE, TestHub
from support.secrets_kept import keeps

import hubpub
from hubpub.core.errors import VerificationError
from hubpub.core.rule import Depth
from hubpub.publish import load_check
from hubpub.publish.client import HubClient
from hubpub.publish.load_cache import throw_away_cache
from hubpub.publish.load_check import Loaded, load_from, load_published
from hubpub.publish.prepare import PushOptions
from hubpub.publish.push import push
from hubpub.publish.target import Target

Copy = Callable[[Path], Path]
RANK = 2


@pytest.fixture
def client(hub: TestHub) -> HubClient:
    return HubClient(Target(hub.endpoint, ALICE, "HF_TOKEN"))


def publish(client: HubClient, folder: Path, name: str, **more: Any) -> str:
    """The commit of the folder on the hub, whatever the checks say of it."""
    options = PushOptions(folder, name, namespace="acme", depth=Depth.QUICK, ignore=("ALL",), **more)
    return push(options, client, lambda _: None).commit


def loaded(client: HubClient, repo_id: str, commit: str, **more: Any) -> Loaded:
    with throw_away_cache() as cache:
        tree = client.tree(repo_id, commit)
        return load_from(cache, client, repo_id, commit, tree, lambda _: None, **more)


def edit(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_a_private_model_is_loaded_at_its_commit_before_it_is_tagged(
    hub: TestHub, bert_classifier: Path, copy_of: Copy
) -> None:
    folder = copy_of(bert_classifier)
    command = CommandHub(hub.hub, hub.home)
    arguments = ("push", folder, "--repo", "acme/model", "--private", "--load", "--ignore", "ALL")
    run = command.hubpub(*arguments, "--tag", "v1", "--json")
    receipt = json.loads(run.stdout)
    assert run.code == 0, run.stderr
    told = receipt["loaded"]
    assert (told["ok"], told["commit"], told["class"]) == (True, receipt["commit"], "BertForSequenceClassification")
    assert {"AutoTokenizer", "model", "tensors", "forward pass", "pipeline"} <= set(told["steps"])
    assert "loading and running the model" not in [skip["what"] for skip in receipt["report"]["skipped"]]

    weights = folder / "model.safetensors"
    save_file({name: array * float("nan") for name, array in load_file(weights).items()}, weights, {"format": "pt"})
    run = command.hubpub(*arguments, "--tag", "v2")
    head = hub.api().model_info("acme/model").sha
    assert run.code == VerificationError.exit_code
    assert (
        f"acme/model@{head} does not load as its users load it: forward pass: ValueError: logits is NaN" in run.stderr
    )
    assert "it was not tagged as v2; mend the folder" in run.stderr
    assert [ref.name for ref in hub.api().list_repo_refs("acme/model").tags] == ["v1"]

    # The branch is broken now; the release before is not.
    checked = command.hubpub("verify", "acme/model@v1", "--load")
    assert checked.code == 0, checked.stderr
    assert f"by its id, at {receipt['commit'][:12]})" in checked.stdout
    assert "no difference, it loads" in checked.stdout
    keeps([ALICE], run, checked)

    alone = command.hubpub("verify", "acme/model@v1", "--base-limit", "20")
    assert (alone.code, "give --load, too" in alone.stderr) == (2, True)


def test_weights_that_do_not_match_their_config_are_named(hub: TestHub, bert_classifier: Path, copy_of: Copy) -> None:
    folder = copy_of(bert_classifier)
    size = json.loads((folder / "config.json").read_text())["intermediate_size"]
    edit(folder / "config.json", intermediate_size=2 * size)
    command = CommandHub(hub.hub, hub.home)
    run = command.hubpub("push", folder, "--repo", "acme/model", "--load", "--ignore", "ALL", "--tag", "v1", "--json")
    error = json.loads(run.stdout)
    assert (run.code, error["exit_code"], error["error"]) == (6, 6, "VerificationError")
    assert "of another shape: bert.encoder.layer.0.intermediate.dense.bias" in error["message"]
    assert f"([{size}] in the files, [{2 * size}] by config.json)" in error["message"]
    assert "it was not tagged as v1; the repo is still private" in error["message"]
    assert "push again" in error["next_step"]
    assert hub.api().list_repo_refs("acme/model").tags == []
    assert hub.api().model_info("acme/model").private


def test_python_is_told_of_a_tokenizer_that_is_not_there(
    hub: TestHub, client: HubClient, bert_classifier: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of(bert_classifier)
    for file in folder.glob("tokenizer*"):
        file.unlink()
    commit = publish(client, folder, "model")
    monkeypatch.setenv("HF_TOKEN", ALICE)
    found = hubpub.verify("acme/model", hub=hub.endpoint, load=True)
    assert not found.ok
    assert found.differences == ()
    assert found.fetched == found.files
    assert found.loaded is not None
    assert found.loaded.commit == commit
    assert "AutoTokenizer: ValueError: the repo holds no vocabulary" in str(found.loaded.error)
    assert found.to_json()["loaded"]["error"] == found.loaded.error


def test_the_library_takes_the_file_that_is_older(client: HubClient, chat_lm_sharded: Path, copy_of: Copy) -> None:
    """A single file beside newer shards is what from_pretrained takes, and here it lacks a layer's norm."""
    folder = copy_of(chat_lm_sharded)
    tensors = {name: array for file in folder.glob("model-*") for name, array in load_file(file).items()}
    del tensors["model.norm.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    found = loaded(client, "acme/model", publish(client, folder, "model"))
    assert "tensors: ValueError: 1 missing from the files: model.norm.weight" in str(found.error)


def test_a_pickle_that_the_library_takes_is_not_unpickled(
    client: HubClient, saved_models: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of(saved_models / "both_formats")
    (folder / "model.safetensors").rename(folder / "weights.safetensors")
    commit = publish(client, folder, "model")
    with pytest.raises(VerificationError, match=f"acme/model@{commit} could not be loaded: that unpickles weights"):
        load_published(client, "acme/model", commit, lambda _: None)

    # What the parent fails to see, the child refuses.
    monkeypatch.setattr(load_check, "needs_consent", lambda _: None)
    found = loaded(client, "acme/model", commit)
    assert "could not be loaded: the library takes a pickle" in str(found.error)


def test_what_cannot_be_loaded_is_not_taken_for_loaded(hub: TestHub, client: HubClient, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with pytest.raises(VerificationError, match="could not be loaded: it holds no weights"):
        publish(client, folder, "model", tag="v1", load=True)
    assert hub.api().list_repo_refs("acme/model").tags == []


def test_other_bytes_than_the_hub_states_are_not_loaded(
    client: HubClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"a": 1}')
    commit = publish(client, folder, "model")
    original = HubClient.stream
    monkeypatch.setattr(
        HubClient, "stream", lambda self, repo, path, revision: map(bytes.upper, original(self, repo, path, revision))
    )
    with pytest.raises(VerificationError, match=r"of acme/model at \w+: the hub serves other bytes than the hash"):
        load_published(client, "acme/model", commit, lambda _: None)


def test_one_file_that_is_fetched_is_counted_as_one(client: HubClient, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    commit = publish(client, folder, "model")
    words: list[str] = []
    client.http.watch = lambda _doing, _done, _total, note: words.append(note)
    with throw_away_cache() as cache:
        cache.fill(client, "acme/model", commit, {"config.json": client.tree("acme/model", commit)["config.json"]})
    assert set(words) == {"1 file of acme/model"}


def lora(folder: Path, model: Path, base: str, **more: Any) -> Path:
    """An adapter for a model, as PEFT saves it, with a tokenizer of its own."""
    config = json.loads((model / "config.json").read_text())
    size = config["hidden_size"]
    folder.mkdir()
    tensors = {
        f"base_model.model.model.layers.{layer}.self_attn.q_proj.lora_{half}.weight": numpy.full(
            (RANK, size) if half == "A" else (size, RANK), 0.01, numpy.float32
        )
        for layer in range(config["num_hidden_layers"])
        for half in "AB"
    }
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": RANK,
        "lora_alpha": RANK,
        "target_modules": ["q_proj"],
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(settings | more))
    for file in model.glob("tokenizer*"):
        shutil.copy(file, folder)
    return folder


def test_an_adapter_is_loaded_on_its_base_at_the_revision_that_it_names(
    client: HubClient, chat_lm: Path, copy_of: Copy, tmp_path: Path
) -> None:
    base = copy_of(chat_lm)
    good = publish(client, base, "base", tag="v1")
    edit(base / "config.json", hidden_size=8)
    publish(client, base, "base")
    commit = publish(client, lora(tmp_path / "lora", chat_lm, "acme/base", revision="v1"), "lora")
    found = loaded(client, "acme/lora", commit)
    assert found.error is None
    assert found.skipped is None
    assert found.base is not None
    assert (found.base.repo_id, found.base.commit) == ("acme/base", good)
    assert found.steps == ("PeftConfig", "model", "AutoTokenizer", "forward pass", "generate")

    small = loaded(client, "acme/lora", commit, base_limit=1000)
    assert small.ok
    assert small.steps == ()
    assert "its base model acme/base has" in str(small.skipped)
    assert "--base-limit is 1.0 kB" in str(small.skipped)


def test_a_base_that_is_not_there_is_a_skip_that_everybody_sees(hub: TestHub, chat_lm: Path, tmp_path: Path) -> None:
    folder = lora(tmp_path / "lora", chat_lm, "acme/elsewhere")
    command = CommandHub(hub.hub, hub.home)
    run = command.hubpub("push", folder, "--repo", "acme/lora", "--load", "--tag", "v1", "--ignore", "ALL", "--json")
    assert run.code == 0, run.stderr
    receipt = json.loads(run.stdout)
    assert (receipt["loaded"]["ok"], receipt["loaded"]["steps"], receipt["tag"]) == (True, [], "v1")
    assert "has no model acme/elsewhere" in receipt["loaded"]["skipped"]
    assert "warning: acme/lora at" in run.stderr
    checked = command.hubpub("verify", "acme/lora", "--load")
    assert checked.code == 0
    assert "no difference, not loaded" in checked.stdout
    assert "has no model acme/elsewhere" in checked.stdout
    assert "loading and running the model" in [skip["what"] for skip in receipt["report"]["skipped"]]


def test_a_base_that_is_a_path_of_some_machine_cannot_be_loaded_by_anybody(
    client: HubClient, chat_lm: Path, tmp_path: Path
) -> None:
    commit = publish(client, lora(tmp_path / "lora", chat_lm, "/home/me/base"), "lora")
    found = loaded(client, "acme/lora", commit)
    assert "could not be loaded: adapter_config.json names its base model by a path, /home/me/base" in str(found.error)
