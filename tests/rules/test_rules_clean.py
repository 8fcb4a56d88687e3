"""Good models: not one error, warning, or thing that could not be checked."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from support.formats import gguf, onnx
from support.judging import judge_folder as judge
from support.tokenizer_kinds import grow_vocabulary
from support.weights import llama_shards, write_safetensors, write_shards

from hubpub.model.folder import ModelFolder


def test_plain(plain_model: Path) -> None:
    assert judge(plain_model) == []


def test_sharded(sharded: Path) -> None:
    assert judge(sharded) == []


@pytest.mark.parametrize("name", ["bert_classifier", "chat_lm", "chat_lm_sharded"])
def test_saved_by_transformers(name: str, request: pytest.FixtureRequest) -> None:
    assert judge(request.getfixturevalue(name)) == []


def test_minilm(minilm: Path) -> None:
    """Its modules.json names 2_Normalize/, which is not there, as is normal for that layout."""
    assert judge(minilm) == []


def test_one_terabyte_in_a_hundred_shards(model: Path) -> None:
    (model / "model.safetensors").unlink()
    (model / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
    grow_vocabulary(model, 2000)
    shards = llama_shards(layers=126, hidden=18432, intermediate=61440, vocabulary=128256, count=100)
    write_shards(model, shards)
    weights = ModelFolder.open(model).weights
    assert weights.weight_bytes > 10**12
    assert weights.parameters == sum(math.prod(shape) for tensors in shards for _, shape in tensors.values())
    assert judge(model) == []


def test_vision_model_needs_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "vit", "architectures": ["ViTForImageClassification"]}')
    (tmp_path / "preprocessor_config.json").write_text("{}")
    write_safetensors(tmp_path / "model.safetensors", {"classifier.weight": ("F32", (2, 8))})
    assert judge(tmp_path) == []


@pytest.mark.parametrize("name", ["byt5", "canine"])
def test_byte_level_tokenizer_needs_no_vocabulary(name: str, tmp_path: Path) -> None:
    classes = {
        "byt5": ("t5", "T5ForConditionalGeneration", "ByT5Tokenizer"),
        "canine": ("canine", "CanineModel", "CanineTokenizer"),
    }
    model_type, architecture, tokenizer = classes[name]
    (tmp_path / "config.json").write_text(f'{{"model_type": "{model_type}", "architectures": ["{architecture}"]}}')
    (tmp_path / "tokenizer_config.json").write_text(f'{{"tokenizer_class": "{tokenizer}"}}')
    write_safetensors(tmp_path / "model.safetensors", {"shared.weight": ("F32", (8, 8))})
    assert judge(tmp_path) == []


def test_adapter(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(
        '{"peft_type": "LORA", "base_model_name_or_path": "acme/base", "r": 4, "task_type": "CAUSAL_LM"}'
    )
    halves = {"q.lora_A.weight": ("F32", (4, 8)), "q.lora_B.weight": ("F32", (8, 4))}
    write_safetensors(tmp_path / "adapter_model.safetensors", halves)
    assert judge(tmp_path) == []


def test_gguf_onnx_ctranslate2_and_mixin_models_are_not_taken_for_transformers(tmp_path: Path) -> None:
    for name in ("gguf", "onnx", "ctranslate2", "mixin"):
        (tmp_path / name).mkdir()
    (tmp_path / "gguf" / "model-Q4_K_M.gguf").write_bytes(gguf())
    (tmp_path / "onnx" / "model.onnx").write_bytes(onnx())
    (tmp_path / "ctranslate2" / "model.bin").write_bytes(b"\x06\0\0\0\x0c\0WhisperSpec\0\3\0\0\0" + bytes(8))
    (tmp_path / "ctranslate2" / "vocabulary.json").write_text("[]")
    (tmp_path / "mixin" / "config.json").write_text('{"hidden_size": 8, "dropout": 0.1}')
    write_safetensors(tmp_path / "mixin" / "model.safetensors", {"head.weight": ("F32", (2, 8))})
    for name in ("gguf", "onnx", "ctranslate2", "mixin"):
        assert judge(tmp_path / name) == [], name
