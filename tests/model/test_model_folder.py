from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.weights import write_safetensors

from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.model.leftovers import LeftoverKind, leftover
from hubpub.model.tokenizer import takes_text


def test_facts_of_a_small_model(plain_model: Path) -> None:
    folder = ModelFolder.open(plain_model)
    facts = folder.facts()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["kind"] == "transformers"
    assert facts["model_type"] == "bert"
    assert facts["architectures"] == ["BertForSequenceClassification"]
    assert facts["weight_formats"] == ["safetensors"]
    assert facts["parameters"] == facts["parameters_by_dtype"]["F32"]
    assert facts["tokenizer_files"] == ["tokenizer.json", "tokenizer_config.json"]
    assert facts["vocabulary"] == json.loads((plain_model / "config.json").read_text())["vocab_size"]
    assert facts["bytes"] == sum(path.stat().st_size for path in plain_model.iterdir())


def test_facts_of_a_real_model(minilm: Path) -> None:
    facts = ModelFolder.open(minilm).facts()
    assert facts["kind"] == "sentence-transformers"
    assert facts["parameters"] == 22_713_728
    assert facts["vocabulary"] == 30_522


def test_parameters_as_torch_counts_them(chat_lm: Path, chat_lm_sharded: Path) -> None:
    single, sharded = ModelFolder.open(chat_lm).weights, ModelFolder.open(chat_lm_sharded).weights
    assert single.parameters == sharded.parameters
    assert len(sharded.primary) > 1


def test_what_cannot_be_read_has_no_value_and_does_not_raise(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('["a"]')
    (tmp_path / "modules.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text("nonsense")
    (tmp_path / "model.safetensors").write_text("nonsense")
    folder = ModelFolder.open(tmp_path)
    assert folder.config is not None
    assert folder.config.value is None
    assert folder.model_type is None
    assert folder.architectures == ()
    assert folder.generation_config is None
    assert folder.facts()["parameters"] is None


@pytest.mark.parametrize(
    "config",
    [
        '{"model_type": 7, "architectures": "Bert"}',
        '{"model_type": {}, "architectures": [1, null]}',
        '{"model_type": "", "architectures": {}}',
    ],
)
def test_values_of_the_wrong_type_are_none(config: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(config)
    folder = ModelFolder.open(tmp_path)
    assert folder.model_type is None
    assert folder.architectures == ()


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"config.json": '{"model_type": "bert"}', "model.safetensors": ""}, ModelKind.TRANSFORMERS),
        ({"config.json": "{broken", "model.safetensors": ""}, ModelKind.TRANSFORMERS),
        ({"tokenizer.json": "{}", "model.safetensors": ""}, ModelKind.TRANSFORMERS),
        ({"config.json": '{"hidden_size": 8, "vocab_size": 9}', "pytorch_model.bin": "x"}, ModelKind.TRANSFORMERS),
        ({"config.json": '{"depth": 3}', "model.safetensors": ""}, ModelKind.WEIGHTS),
        ({"adapter_config.json": "{}", "adapter_model.safetensors": ""}, ModelKind.ADAPTER),
        ({"adapter_model.safetensors": ""}, ModelKind.ADAPTER),
        ({"modules.json": "[]", "config.json": '{"model_type": "bert"}'}, ModelKind.SENTENCE_TRANSFORMERS),
        ({"model_index.json": "{}", "unet/diffusion_pytorch_model.safetensors": ""}, ModelKind.DIFFUSERS),
        ({"x-Q4_K_M.gguf": "GGUF", "config.json": '{"model_type": "llama"}'}, ModelKind.GGUF),
        ({"onnx/model.onnx": "x", "config.json": '{"model_type": "bert"}'}, ModelKind.ONNX),
        ({"config.json": '{"architecture": "resnet50", "num_classes": 10}', "model.safetensors": ""}, ModelKind.TIMM),
        ({"meta.json": "{}", "config.cfg": "x", "ner/model": "x"}, ModelKind.SPACY),
        ({"tokenizer.json": "{}", "tokenizer_config.json": "{}"}, ModelKind.TOKENIZER),
        ({"l2_supercat_256.safetensors": ""}, ModelKind.WEIGHTS),
        ({"README.md": "# Hello"}, ModelKind.OTHER),
    ],
)
def test_kind(files: dict[str, str], kind: ModelKind, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert ModelFolder.open(tmp_path).kind is kind


@pytest.mark.parametrize(
    ("architectures", "model_type", "expected"),
    [
        (["BertModel"], "bert", True),
        (["LlamaForCausalLM"], "llama", True),
        (["WhisperForConditionalGeneration"], "whisper", True),
        (["LlavaForConditionalGeneration"], "llava", True),
        (["Wav2Vec2ForCTC"], "wav2vec2", True),
        (["Wav2Vec2ForSequenceClassification"], "wav2vec2", False),
        (["ViTForImageClassification"], "vit", False),
        (["ASTForAudioClassification"], "audio-spectrogram-transformer", False),
        (["PatchTSTForRegression"], "patchtst", False),
        (["Gemma4VisionModel"], "gemma4_vision", False),
        ([], "bert", True),
        ([], "vit", None),
        ([], None, None),
        (["AcmeForCausalLM"], "acme", None),
    ],
)
def test_takes_text(architectures: list[str], model_type: str | None, expected: bool | None) -> None:
    assert takes_text(architectures, model_type) is expected


@pytest.mark.parametrize(
    ("path", "top"),
    [
        ("optimizer.pt", "optimizer.pt"),
        ("sub/optimizer_0.bin", "sub/optimizer_0.bin"),
        ("rng_state_7.pth", "rng_state_7.pth"),
        ("checkpoint-500/model.safetensors", "checkpoint-500/"),
        ("a/checkpoint-500/b/c", "a/checkpoint-500/"),
        ("global_step1000/mp_rank_00_model_states.pt", "global_step1000/"),
        ("runs/Nov/events.out.tfevents.1.h", "runs/"),
        (".git/HEAD", ".git/"),
        ("x/.cache/huggingface/download/a.lock", "x/.cache/huggingface/"),
        ("README.md.orig", "README.md.orig"),
        ("README.md~", "README.md~"),
        (".config.json.swp", ".config.json.swp"),
    ],
)
def test_leftovers(path: str, top: str) -> None:
    found = leftover(path)
    assert found is not None
    assert found.top == top
    assert found.what
    assert found.reason


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        ".gitattributes",
        ".gitignore",
        "model.safetensors",
        "trainer_state.json",
        "checkpoint-best.safetensors",
        "my-checkpoint-5/x",
        "scheduler/scheduler_config.json",
        "runs/notes.md",
        "original/consolidated.pth",
        "1_Pooling/config.json",
        "modeling_acme.py",
    ],
)
def test_no_leftovers(path: str) -> None:
    assert leftover(path) is None


def test_leftovers_are_not_release_files(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "model.safetensors", {"a": ("F32", (1,))})
    (tmp_path / "optimizer.pt").write_text("x")
    folder = ModelFolder.open(tmp_path)
    assert [entry.path for entry in folder.release_files] == ["model.safetensors"]
    found = leftover("optimizer.pt")
    assert found is not None
    assert found.kind is LeftoverKind.TRAINING
