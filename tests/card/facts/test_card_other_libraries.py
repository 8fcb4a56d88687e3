"""What the card says of models that other libraries than transformers made, and in which they are loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.formats import gguf
from support.formats import onnx as onnx_file
from support.judging import judge_folder
from support.layouts import sentence_transformers
from support.linting import findings_of
from support.models import CHAT_TEMPLATE, save_plain
from support.weights import write_safetensors

from hubpub.card.document import Card
from hubpub.card.facts.collect import CardFacts, card_facts
from hubpub.card.writing.metadata import metadata
from hubpub.card.writing.render import render_card
from hubpub.core.findings import Finding
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder
from hubpub.publish.load_request import no_load_check
from hubpub.rules.registry import CardSubject


def facts_of(root: Path) -> CardFacts:
    return card_facts(ModelFolder.open(root), repo_id="acme/model", settings=CardSettings(license="mit"))


def code_of(root: Path, language: str = "python") -> str:
    """The blocks of the card in a language; the linter has nothing to say of its snippets."""
    text = render_card(facts_of(root))
    findings = findings_of(CardSubject(Card.parse(text), folder=ModelFolder.open(root), repo_id="acme/model"), "USAGE")
    assert [found.message for found in findings if found.rule != "USAGE012"] == []
    blocks = Card.parse(text).blocks
    return "\n".join(block.text for block in blocks if block.kind == "code" and block.language == language)


def put(root: Path, files: Mapping[str, Any]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return root


def exported(root: Path, files: Mapping[str, Any], architecture: str = "BertForSequenceClassification") -> Path:
    """A folder as optimum exports it: configuration and tokenizer of the model beside the graphs."""
    save_plain(root)
    (root / "model.safetensors").unlink()
    return put(root, {"config.json": {"model_type": "bert", "architectures": [architecture]}, **files})


def test_an_exported_model_says_its_task_and_installs_its_tokenizer(tmp_path: Path) -> None:
    graph = onnx_file(inputs=("input_ids", "attention_mask"))
    root = exported(tmp_path / "model", {"onnx/model.onnx": graph, "onnx/model_quantized.onnx": graph})
    assert facts_of(root).pipeline_tag == "text-classification"
    assert code_of(root, "bash") == "pip install onnxruntime huggingface_hub transformers\n"
    assert 'Path(folder, "onnx/model.onnx")' in code_of(root)


def test_of_an_exported_encoder_and_decoder_the_encoder_reads_the_text(tmp_path: Path) -> None:
    files = {
        "decoder_model.onnx": onnx_file(inputs=("input_ids", "encoder_hidden_states")),
        "encoder_model.onnx": onnx_file(inputs=("input_ids", "attention_mask")),
    }
    code = code_of(exported(tmp_path / "model", files, "BartForConditionalGeneration"))
    assert 'Path(folder, "encoder_model.onnx")' in code
    assert "session.run(" in code


@pytest.mark.parametrize("wanted", [("input_features",), ("input_ids", "past_key_values.0.key")])
def test_an_exported_model_that_wants_more_than_a_tokenizer_gives_is_only_opened(
    tmp_path: Path, wanted: tuple[str, ...]
) -> None:
    root = exported(tmp_path / "model", {"model.onnx": onnx_file(inputs=wanted)})
    code = code_of(root)
    assert "AutoTokenizer" not in code
    assert "session.run(" not in code
    assert code_of(root, "bash") == "pip install onnxruntime huggingface_hub\n"


MODEL = {"general.architecture": "qwen3", "qwen3.context_length": 4096, "tokenizer.chat_template": CHAT_TEMPLATE}
MATRIX = {"blk.0.ffn_up.weight": ("F16", (64, 32))}


@pytest.mark.parametrize(
    "beside",
    [
        {"general.architecture": "clip"},
        {"general.architecture": "clip", "general.type": "mmproj"},
        {"general.type": "imatrix"},
        {"general.architecture": "qwen3", "general.type": "adapter"},
    ],
    ids=["old projector", "projector", "importance matrix", "lora"],
)
def test_what_lies_beside_a_gguf_model_is_not_taken_for_it(tmp_path: Path, beside: dict[str, Any]) -> None:
    files = {"a-first.gguf": gguf({"v.weight": ("F32", (8, 4))}, beside), "model-F16.gguf": gguf(MATRIX, MODEL)}
    facts = facts_of(put(tmp_path, files))
    assert (facts.model_type, facts.parameters, facts.context_length) == ("qwen3", 2048, 4096)
    assert [file.path for file in facts.quantised_files] == ["model-F16.gguf"]
    assert 'filename="model-F16.gguf"' in code_of(tmp_path)


def test_a_lora_alone_in_gguf_is_no_model_to_run(tmp_path: Path) -> None:
    put(tmp_path, {"lora.gguf": gguf(metadata={"general.architecture": "llama", "general.type": "adapter"})})
    assert code_of(tmp_path, "bash") == "pip install huggingface_hub\n"
    assert facts_of(tmp_path).quantised_files == ()


def test_several_quantisations_have_no_one_data_type(tmp_path: Path) -> None:
    files = {"m-F16.gguf": gguf(MATRIX, MODEL), "m-F32.gguf": gguf({"blk.0.ffn_up.weight": ("F32", (64, 32))}, MODEL)}
    assert "Data type" not in render_card(facts_of(put(tmp_path, files)))


def test_a_gguf_model_that_pools_makes_vectors(tmp_path: Path) -> None:
    known = {"general.architecture": "bert", "bert.pooling_type": 1, "tokenizer.chat_template": CHAT_TEMPLATE}
    put(tmp_path, {"embed-Q8_0.gguf": gguf(metadata=known)})
    facts = facts_of(tmp_path)
    assert facts.pipeline_tag == "feature-extraction"
    assert metadata(facts)["tags"] == ["gguf"]
    assert "llama-embedding -hf acme/model:Q8_0 -p " in code_of(tmp_path, "bash")
    assert "embedding=True" in code_of(tmp_path)
    assert "max_tokens" not in code_of(tmp_path)


@pytest.mark.parametrize(("pooling", "task"), [(4, None), (0, "text-generation")], ids=["ranks", "does not pool"])
def test_a_gguf_model_is_given_no_task_that_it_does_not_have(tmp_path: Path, pooling: int, task: str | None) -> None:
    known = {"general.architecture": "bert", "bert.pooling_type": pooling, "tokenizer.chat_template": CHAT_TEMPLATE}
    assert facts_of(put(tmp_path, {"m.gguf": gguf(metadata=known)})).pipeline_tag == task


def test_setfit_classifies_and_says_its_labels(tmp_path: Path) -> None:
    sentence_transformers(tmp_path / "model")
    root = put(tmp_path / "model", {"config_setfit.json": {"labels": ["bad", "good"], "normalize_embeddings": False}})
    facts = facts_of(root)
    assert (facts.library_name, facts.pipeline_tag, facts.labels) == ("setfit", "text-classification", ("bad", "good"))
    known = metadata(facts)
    assert known["tags"] == ["sentence-transformers"]
    assert set(known["widget"][0]) == {"text"}
    assert facts.sources["labels"] == "config_setfit.json: labels"
    card = Card.parse("---\nlicense: mit\nlibrary_name: sentence-transformers\n---\n")
    assert findings_of(CardSubject(card, folder=ModelFolder.open(root), repo_id="acme/model"), "META028") == []


def mlx(root: Path, **more: Any) -> Path:
    """A Llama with four bits for each weight, as mlx-lm saves it."""
    save_plain(root)
    settings = {"group_size": 32, "bits": 4}
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "quantization": settings}
    put(root, {"config.json": config | {"quantization_config": settings} | more})
    write_safetensors(
        root / "model.safetensors",
        {"lm_head.weight": ("U32", (64, 8)), "lm_head.scales": ("F16", (64, 2)), "lm_head.biases": ("F16", (64, 2))},
        metadata={"format": "mlx"},
    )
    return root


def test_weights_that_mlx_packed_are_loaded_by_mlx_and_not_counted(tmp_path: Path) -> None:
    root = mlx(tmp_path / "model")
    facts = facts_of(root)
    assert (facts.library_name, facts.quantization, facts.parameters) == ("mlx", "mlx", None)
    assert {value.name: value.value for value in facts.quantization_settings} == {"group_size": 32, "bits": 4}
    assert facts.sources["quantization"] == "config.json: quantization"
    assert "from mlx_lm import generate, load" in code_of(root)
    assert "transformers" not in code_of(root)
    assert "pip install mlx-lm\n" in code_of(root, "bash")
    assert "vllm" not in code_of(root, "bash")
    assert no_load_check(ModelFolder.open(root), facts) == "only MLX reads weights that it quantised"
    assert "CONF017" not in {found.rule for found in judge_folder(root) if isinstance(found, Finding)}


def test_weights_of_another_task_that_mlx_packed_are_downloaded(tmp_path: Path) -> None:
    root = mlx(tmp_path / "model", architectures=["LlamaForSequenceClassification"])
    assert "snapshot_download" in code_of(root)


def test_weights_alone_are_of_no_library(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "model.safetensors", {"a": ("F32", (2, 2))})
    assert facts_of(tmp_path).library_name is None


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            {"peft_type": "ADALORA", "r": 8, "init_r": 12, "target_r": 4, "lora_alpha": 16},
            {"Method": "ADALORA", "Initial rank": 12, "Target rank": 4, "Alpha": 16},
        ),
        ({"peft_type": "OFT", "r": 0, "oft_block_size": 32}, {"Method": "OFT", "Block size": 32}),
        ({"peft_type": "LOHA", "r": 8, "alpha": 4}, {"Method": "LOHA", "Rank": 8, "Alpha": 4}),
        (
            {"peft_type": "IA3", "target_modules": ["k"], "feedforward_modules": ["ff"]},
            {"Method": "IA3", "Target modules": "k", "Feed-forward modules": "ff"},
        ),
    ],
    ids=lambda value: value.get("peft_type"),
)
def test_adapters_of_every_kind_say_their_own_settings(
    tmp_path: Path, told: dict[str, Any], said: dict[str, Any]
) -> None:
    put(tmp_path, {"adapter_config.json": told})
    assert {value.name: value.value for value in facts_of(tmp_path).adapter} == said


@pytest.mark.parametrize(
    ("name", "config"), [("model.skops", {"sklearn": {}}), ("pytorch_adapter.bin", {"model_type": "bert"})]
)
def test_weights_of_skops_and_of_adapters_are_weights(tmp_path: Path, name: str, config: dict[str, Any]) -> None:
    file = "adapter_config.json" if "adapter" in name else "config.json"
    put(tmp_path, {name: b"PK\x05\x06" + bytes(18), file: config})
    assert "WEIGHT001" not in {found.rule for found in judge_folder(tmp_path) if isinstance(found, Finding)}


def weights(root: Path) -> Path:
    write_safetensors(root / "model.safetensors", {"head.weight": ("F32", (3, 8))})
    return root


def test_timm_says_its_architecture_task_and_labels(tmp_path: Path) -> None:
    config = {"architecture": "vit_base_patch16_224.augreg", "num_classes": 2, "label_names": ["cat", "dog"]}
    facts = facts_of(weights(put(tmp_path, {"config.json": config})))
    assert (facts.architecture, facts.labels) == ("vit_base_patch16_224.augreg", ("cat", "dog"))
    assert (facts.library_name, facts.pipeline_tag) == ("timm", "image-classification")
    assert facts.sources["architecture"] == "config.json: architecture"
    assert facts.sources["labels"] == "config.json: label_names"
    assert "for image classification (`vit_base_patch16_224.augreg`)" in render_card(facts)


@pytest.mark.parametrize(("classes", "task"), [(0, "image-feature-extraction"), (None, None), (True, None)])
def test_timm_without_a_head_makes_features(tmp_path: Path, classes: Any, task: str | None) -> None:
    config = {"architecture": "resnet18", "num_classes": classes, "label_names": ["a", 1]}
    facts = facts_of(weights(put(tmp_path, {"config.json": config})))
    assert (facts.pipeline_tag, facts.labels) == (task, ())


@pytest.mark.parametrize(
    ("pipeline", "task"),
    [
        ("FluxPipeline", "text-to-image"),
        ("DDPMPipeline", "unconditional-image-generation"),
        ("StableDiffusionInpaintPipeline", None),
        (["FluxPipeline"], None),
        ("<b>Flux</b>", None),
    ],
)
def test_a_pipeline_of_diffusers_says_its_class_and_what_that_is_for(
    tmp_path: Path, pipeline: Any, task: str | None
) -> None:
    facts = facts_of(put(tmp_path, {"model_index.json": {"_class_name": pipeline}}))
    assert facts.pipeline_tag == task
    told = isinstance(pipeline, str) and pipeline.isalnum()
    assert facts.architecture == (pipeline if told else None)
    assert facts.sources.get("architecture") == ("model_index.json: _class_name" if told else None)


@pytest.mark.parametrize(("task", "tag"), [("tabular-regression", "tabular-regression"), ("magic", None), ([], None)])
def test_scikit_learn_as_skops_describes_it(tmp_path: Path, task: Any, tag: str | None) -> None:
    files = {"model.skops": b"PK\x05\x06" + bytes(18), "config.json": {"sklearn": {"task": task}}}
    facts = facts_of(put(tmp_path, files))
    assert (facts.library_name, facts.pipeline_tag) == ("sklearn", tag)


def named(root: Path, *bases: str, name: str = "adapter_model.safetensors") -> Path:
    """A folder of adapters for these base models, in directories a, b, ..."""
    for directory, base in zip("abc", bases, strict=False):
        config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": base}
        put(root, {f"{directory}/adapter_config.json": config})
        write_safetensors(root / directory / name, {"base_model.q.lora_A.weight": ("F32", (2, 8))})
    return root


def test_several_adapters_are_not_one_model(tmp_path: Path) -> None:
    facts = facts_of(named(tmp_path, "acme/base", "acme/base"))
    assert (facts.library_name, facts.pipeline_tag, facts.parameters) == ("peft", "text-generation", None)
    assert (facts.base_model, facts.base_model_relation) == ("acme/base", "adapter")
    assert facts.sources["base_model"] == "a/adapter_config.json: base_model_name_or_path"
    assert facts.sources["pipeline_tag"] == "a/adapter_config.json: task_type"
    code = code_of(tmp_path)
    assert 'PeftModel.from_pretrained(base, "acme/model", adapter_name="a", subfolder="a")' in code
    assert 'load_adapter("acme/model", adapter_name="b", subfolder="b")' in code


def test_several_adapters_of_several_base_models_name_none(tmp_path: Path) -> None:
    assert facts_of(named(tmp_path, "acme/base", "acme/other")).base_model is None
    assert "snapshot_download" in code_of(tmp_path)


def test_weights_beside_adapters_are_no_adapters(tmp_path: Path) -> None:
    weights(named(tmp_path, "acme/base", "acme/base"))
    assert facts_of(tmp_path).library_name is None


@pytest.mark.parametrize(("said", "told"), [("apache-2.0", "apache-2.0"), ("All rights reserved", None), (3, None)])
def test_the_licence_that_a_gguf_file_names(tmp_path: Path, said: Any, told: str | None) -> None:
    put(tmp_path, {"m.gguf": gguf(metadata=MODEL | {"general.license": said})})
    facts = card_facts(ModelFolder.open(tmp_path), repo_id=None, settings=CardSettings())
    assert facts.license == told
    assert facts.sources.get("license") == (told and "m.gguf: general.license")
    assert facts_of(tmp_path).license == "mit"  # a person's word counts before
