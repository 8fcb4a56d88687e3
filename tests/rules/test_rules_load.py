"""What only loading shows: real models in a real child, and every outcome by a stub of its answer."""

from __future__ import annotations

import importlib.util
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.judging import judge_opened

from hubpub.core.findings import Finding
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.model import child, load
from hubpub.model.architecture import Architecture, Status
from hubpub.model.folder import ModelFolder

SAFE = "model.safetensors"
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")


def judge(path: Path, architecture: Architecture | None = None) -> list[Finding | Skip]:
    """What the LOAD rules say of a folder whose architecture is taken to be right."""
    folder = ModelFolder.open(path)
    vars(folder)["architecture"] = architecture or Architecture(Status.COMPARED)
    return judge_opened(folder, Depth.LOAD, family="LOAD")


def spoil(path: Path, name: str) -> None:
    """Make the first value of an F32 tensor NaN."""
    data = bytearray(path.read_bytes())
    length = struct.unpack("<Q", data[:8])[0]
    begin = json.loads(data[8 : 8 + length])[name]["data_offsets"][0]
    data[8 + length + begin : 8 + length + begin + 4] = struct.pack("<f", float("nan"))
    path.write_bytes(data)


@needs_torch
def test_a_sound_model_loads_and_runs(chat_lm: Path) -> None:
    folder = ModelFolder.open(chat_lm)
    vars(folder)["architecture"] = Architecture(Status.COMPARED)
    assert judge_opened(folder, Depth.LOAD, family="LOAD") == []
    assert folder.loading is not None
    steps = [step.name for step in folder.loading.steps]
    assert steps == ["config", "tokenizer", "model", "forward", "generate", "pipeline"]
    assert folder.facts()["loading"]["class"] == "LlamaForCausalLM"


@needs_torch
def test_nan_is_an_error(bert_classifier: Path, copy_of: Callable[[Path], Path]) -> None:
    model = copy_of(bert_classifier)
    spoil(model / SAFE, "classifier.weight")
    [finding] = judge(model)
    assert isinstance(finding, Finding)
    assert (finding.rule, finding.severity.value, finding.path) == ("LOAD002", "error", SAFE)
    assert "logits" in finding.message


@pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is None, reason="sentence-transformers is missing"
)
def test_a_sentence_transformer_embeds(minilm: Path) -> None:
    assert judge(minilm) == []


def answered(monkeypatch: pytest.MonkeyPatch, value: Any, failure: str | None = None) -> None:
    """Let the child process answer this."""

    class Stub:
        def __init__(self, *_: Any, **__: Any) -> None: ...

        def answer(self) -> child.Answer:
            return child.Answer(value, failure)

    monkeypatch.setattr(child, "Child", Stub)


def steps(*names: str, error: str | None = None, skip: str | None = None, **more: Any) -> dict[str, Any]:
    """An answer whose last step has the error or the reason."""
    done: list[dict[str, Any]] = [{"step": name, "error": None, "skip": None} for name in names]
    done[-1] |= {"error": error, "skip": skip}
    return {"steps": done, "not_finite": None, "empty": False, "tokens": 200} | more


@pytest.mark.parametrize(
    ("value", "code", "severity", "words"),
    [
        (steps("config", error="ValueError: no"), "LOAD001", "error", "config.json does not load: ValueError: no"),
        (steps("config", "tokenizer", error="KeyError: 'x'"), "LOAD001", "error", "the tokenizer does not load"),
        (
            steps("config", "model", error="RuntimeError: bad"),
            "LOAD001",
            "error",
            "BertForSequenceClassification does not",
        ),
        (steps("forward", error="IndexError: out of range"), "LOAD005", "error", "a forward pass of Bert"),
        (steps("generate", error="ValueError: x"), "LOAD005", "error", "generate() of"),
        (steps("pipeline", error="TypeError: x"), "LOAD005", "error", "its pipeline of"),
        (steps("forward", not_finite="logits"), "LOAD002", "error", "logits of BertForSequenceClassification is NaN"),
        (steps("generate", empty=True), "LOAD004", "warning", "nothing but special tokens"),
        (steps("tokenizer", tokens=5), "LOAD003", "error", "makes 5 tokens"),
    ],
)
def test_outcome(
    value: Any, code: str, severity: str, words: str, plain_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch, value)
    [finding] = judge(plain_model)
    assert isinstance(finding, Finding)
    assert (finding.rule, finding.severity.value) == (code, severity)
    assert words in finding.message
    assert str(finding.path) in finding.message
    assert finding.hint


@pytest.mark.parametrize(
    ("value", "failure", "reason"),
    [
        ({"absent": "torch"}, None, "torch is not installed"),
        (None, "took more than 300 seconds", "took more than"),
        (steps("forward", skip="no made-up input fits"), None, "no made-up input"),
    ],
)
def test_what_was_not_tried_is_said(
    value: Any, failure: str | None, reason: str, plain_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch, value, failure)
    [skip] = judge(plain_model)
    assert isinstance(skip, Skip)
    assert reason in skip.reason


def test_a_model_larger_than_the_memory_is_not_loaded(plain_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "available_memory", lambda: 1 << 20)
    [skip] = judge(plain_model)
    assert isinstance(skip, Skip)
    assert "GB of memory" in skip.reason


def test_free_memory_is_known_here() -> None:
    free = load.available_memory()
    assert free is None or free > 1 << 20


def test_what_the_architecture_check_told_is_not_told_again(plain_model: Path) -> None:
    [skip] = judge(plain_model, Architecture(Status.REFUSED, reason="no"))
    assert isinstance(skip, Skip)
    assert "architecture check" in skip.reason


@pytest.mark.parametrize("kind", ["pickle", "link", "foreign module", "adapter", "code"])
def test_what_is_unsafe_to_load_is_not_loaded(kind: str, model: Path) -> None:
    """No child is started for these: what it would run, follow or unpickle never is."""
    if kind == "pickle":
        (model / SAFE).rename(model / "pytorch_model.bin")
        (model / "pytorch_model.bin").write_bytes(b"\x80\x02}.")
    elif kind == "link":
        (model / "notes").symlink_to("/etc/passwd")
    elif kind == "foreign module":
        (model / "modules.json").write_text('[{"type": "os.system"}, {"type": "x.Transformer", "path": ""}]')
    elif kind == "adapter":
        for path in model.iterdir():
            path.unlink()
        (model / "adapter_config.json").write_text('{"peft_type": "LORA", "base_model_name_or_path": "a/b"}')
        (model / "adapter_model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    else:
        config = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "modeling.Net"}}))
    [skip] = judge(model)
    assert isinstance(skip, Skip)
