"""Which snippet a folder gets, for libraries that the tests do not run, and for what its files say in passing."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.formats import gguf
from support.formats import onnx as onnx_file
from support.linting import findings_of
from support.models import CHAT_TEMPLATE, save_plain

from hubpub.card.document import Card
from hubpub.card.facts.collect import card_facts
from hubpub.card.hub_lists import read_data
from hubpub.card.writing.render import render_card
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import CardSubject

REPO = "acme/model"
LLAMA = {"general.architecture": "llama"}


def card_of(root: Path, files: Mapping[str, Any], language: tuple[str, ...] = ("en",), repo: str | None = REPO) -> str:
    """The card of a folder with these files, as the linter has nothing to say of its snippets."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        (root / name).write_bytes(raw)
    folder = ModelFolder.open(root)
    text = render_card(card_facts(folder, repo_id=repo, settings=CardSettings(license="mit", language=language)))
    findings = findings_of(CardSubject(Card.parse(text), folder=folder, repo_id=repo), "USAGE")
    assert [(found.rule, found.message) for found in findings if found.rule != "USAGE012"] == []
    for code in blocks(text, "python"):
        ast.parse(code)
    return text


def blocks(text: str, language: str) -> list[str]:
    return [block.text for block in Card.parse(text).blocks if block.kind == "code" and block.language == language]


def with_tokenizer(root: Path, config: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """A folder of transformers with a tokenizer and this configuration; no weights."""
    save_plain(root / "plain")
    tokenizer = (root / "plain" / "tokenizer.json").read_bytes()
    known = json.loads((root / "plain" / "tokenizer_config.json").read_text())
    for file in (root / "plain").iterdir():
        file.unlink()
    (root / "plain").rmdir()
    return {"config.json": config, "tokenizer.json": tokenizer, "tokenizer_config.json": known | settings}


def test_a_gguf_model_is_run_by_llama_cpp_and_from_python(tmp_path: Path) -> None:
    files = {f"tiny-{kind}.gguf": gguf(metadata=LLAMA) for kind in ("Q8_0", "Q4_K_M", "F16")}
    text = card_of(tmp_path, files)
    assert "llama-cli -hf acme/model:Q4_K_M\n" in blocks(text, "bash")
    (code,) = blocks(text, "python")
    assert 'Llama.from_pretrained("acme/model", filename="tiny-Q4_K_M.gguf")' in code
    assert 'model("Once upon a time", max_tokens=50)' in code


def test_a_gguf_model_that_chats_gets_messages(tmp_path: Path) -> None:
    files = {
        "tiny.gguf": gguf(metadata=LLAMA | {"tokenizer.chat_template": CHAT_TEMPLATE}),
        "mmproj-tiny-F16.gguf": gguf(metadata={"general.architecture": "clip"}),
    }
    text = card_of(tmp_path, files)
    assert "llama-cli -hf acme/model\n" in blocks(text, "bash")
    (code,) = blocks(text, "python")
    assert "create_chat_completion(" in code
    assert 'filename="tiny.gguf"' in code


def test_a_gguf_model_in_parts_is_left_to_llama_cpp(tmp_path: Path) -> None:
    files = {f"big-Q4_K_M-0000{part}-of-00002.gguf": gguf(metadata=LLAMA) for part in (1, 2)}
    text = card_of(tmp_path, files)
    assert blocks(text, "bash") == ["llama-cli -hf acme/model:Q4_K_M\n"]
    assert blocks(text, "python") == []


def test_an_onnx_model_is_run_by_onnxruntime(tmp_path: Path) -> None:
    config = {"architectures": ["BertForSequenceClassification"], "model_type": "bert"}
    graph = onnx_file(inputs=("input_ids", "attention_mask"))
    files = with_tokenizer(tmp_path, config) | {"onnx/model.onnx": graph, "onnx/model_int8.onnx": graph}
    (code,) = blocks(card_of(tmp_path, files), "python")
    assert 'InferenceSession(Path(folder, "onnx/model.onnx"))' in code
    assert 'allow_patterns="onnx/model.onnx*"' in code
    assert "session.run(None, {name: inputs[name]" in code


def test_an_onnx_model_without_a_tokenizer_shows_what_it_takes(tmp_path: Path) -> None:
    (code,) = blocks(card_of(tmp_path, {"net.onnx": onnx_file()}), "python")
    assert "AutoTokenizer" not in code
    assert "session.get_inputs()" in code


def test_timm_diffusers_and_setfit(tmp_path: Path) -> None:
    timm = {
        "config.json": {"architecture": "resnet18", "num_classes": 3},
        "model.safetensors": b"\x02" + bytes(7) + b"{}",
    }
    assert 'timm.create_model("hf-hub:acme/model", pretrained=True)' in card_of(tmp_path / "timm", timm)
    painting = {"model_index.json": {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.35.0"}}
    text = card_of(tmp_path / "painting", painting)
    assert 'DiffusionPipeline.from_pretrained("acme/model")' in text
    assert 'image.save("lighthouse.png")' in text
    editing = {"model_index.json": {"_class_name": "FluxKontextPipeline"}}
    assert "lighthouse" not in card_of(tmp_path / "editing", editing)
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    few = {
        "config_setfit.json": {"labels": ["a", "b"]},
        "modules.json": modules,
        "config.json": {"model_type": "mpnet"},
    }
    assert 'SetFitModel.from_pretrained("acme/model")' in card_of(tmp_path / "few", few)


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Once upon a time"), ("de", "Es war einmal"), ("fr-CA", "Il était une fois"), ("sw", "Once upon a time")],
)
def test_the_examples_are_in_the_language_of_the_model(tmp_path: Path, language: str, said: str) -> None:
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}
    assert f'generator("{said}"' in card_of(tmp_path, with_tokenizer(tmp_path, config), (language,))


def test_there_are_all_texts_in_every_language() -> None:
    texts = read_data("example-texts.json")["texts"]
    assert len(texts) >= 10
    for language, examples in texts.items():
        assert examples.keys() == texts["en"].keys(), language
        assert all(examples.values()), language


def test_vllm_serves_what_it_knows(tmp_path: Path) -> None:
    known = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
    text = card_of(tmp_path, with_tokenizer(tmp_path, known, chat_template=CHAT_TEMPLATE))
    assert "vllm serve acme/model\n" in blocks(text, "bash")[-1]
    other = {"architectures": ["XGLMForCausalLM"], "model_type": "xglm"}
    assert "vllm" not in card_of(tmp_path, {"config.json": other})


def test_a_name_cannot_leave_its_shell_word(tmp_path: Path) -> None:
    root = tmp_path / "a; rm -rf $HOME `id`"
    root.mkdir()
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
    text = card_of(root, with_tokenizer(root, config), repo=None)
    assert "vllm serve 'a; rm -rf $HOME `id`'\n" in blocks(text, "bash")[-1]


def test_thinking_is_switched_where_the_template_can(tmp_path: Path) -> None:
    config = {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3"}
    files = with_tokenizer(tmp_path, config)
    plain = card_of(tmp_path, files | {"chat_template.jinja": CHAT_TEMPLATE.encode()})
    assert "apply_chat_template" in plain
    assert "enable_thinking" not in plain
    thinking = CHAT_TEMPLATE + "{% if enable_thinking %}<think>{% endif %}"
    assert "enable_thinking=False," in card_of(tmp_path, {"chat_template.jinja": thinking.encode()})


def test_code_of_the_repo_is_named_before_it_is_trusted(tmp_path: Path) -> None:
    auto_map = {"AutoConfig": "configuration_x.XConfig", "AutoModelForCausalLM": "modeling_x.XForCausalLM"}
    config = {"architectures": ["XForCausalLM"], "model_type": "x", "auto_map": auto_map}
    files = with_tokenizer(tmp_path, config) | {"modeling_x.py": b"", "configuration_x.py": b""}
    text = card_of(tmp_path, files)
    assert "read `configuration_x.py`, `modeling_x.py` of this repo first" in text
    assert 'pipeline("text-generation", model="acme/model", dtype="auto", trust_remote_code=True)' in text
    known = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "auto_map": auto_map}
    assert "trust_remote_code" not in card_of(tmp_path, {"config.json": known})


def test_a_module_of_the_repo_is_trusted_too(tmp_path: Path) -> None:
    modules = [{"idx": 0, "name": "0", "path": "", "type": "custom_st.Transformer"}]
    files = {"modules.json": modules, "config.json": {"model_type": "bert"}, "custom_st.py": b""}
    text = card_of(tmp_path, files)
    assert "read `custom_st.py` of this repo first" in text
    assert 'SentenceTransformer("acme/model", trust_remote_code=True)' in text


def test_what_hears_sound_gets_no_text(tmp_path: Path) -> None:
    config = {"architectures": ["Wav2Vec2Model"], "model_type": "wav2vec2"}
    heard = {"preprocessor_config.json": {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 16000}}
    (code,) = blocks(card_of(tmp_path, with_tokenizer(tmp_path, config) | heard), "python")
    assert "model.num_parameters()" in code


def test_quantised_weights_need_what_reads_them(tmp_path: Path) -> None:
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
    config |= {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}  # type: ignore[dict-item]
    text = card_of(tmp_path, with_tokenizer(tmp_path, config))
    assert "pip install transformers torch accelerate bitsandbytes\n" in blocks(text, "bash")[0]
    assert 'device_map="auto"' in text


def test_a_translator_is_told_its_languages(tmp_path: Path) -> None:
    config = {"architectures": ["M2M100ForConditionalGeneration"], "model_type": "m2m_100"}
    text = card_of(tmp_path, with_tokenizer(tmp_path, config, tokenizer_class="NllbTokenizer"), ("de",))
    assert 'src_lang="eng_Latn"' in text
    assert 'convert_tokens_to_ids("fra_Latn")' in text
    assert "Ada Lovelace was born in London." in text


def test_a_t5_for_one_task_gets_its_prefix(tmp_path: Path) -> None:
    config: dict[str, Any] = {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5"}
    config["task_specific_params"] = {"summarization": {"prefix": "summarize: "}}
    assert 'text = "summarize: The tower' in card_of(tmp_path, with_tokenizer(tmp_path, config))


def test_a_cross_encoder_of_an_earlier_version_is_known_by_its_configuration(tmp_path: Path) -> None:
    config: dict[str, Any] = {"architectures": ["BertForSequenceClassification"], "model_type": "bert"}
    config["sentence_transformers"] = {"activation_fn": "torch.nn.modules.activation.Sigmoid", "version": "4.1.0"}
    config["id2label"] = {"0": "LABEL_0"}
    text = card_of(tmp_path, with_tokenizer(tmp_path, config))
    assert 'CrossEncoder("acme/model")' in text
    assert "library_name: sentence-transformers\npipeline_tag: text-ranking\n" in text


@pytest.mark.parametrize(
    ("loader", "labels", "task", "tags"),
    [
        ("CrossEncoder", 1, "text-ranking", ["cross-encoder", "reranker"]),
        ("CrossEncoder", 3, "text-classification", ["cross-encoder"]),
        ("SparseEncoder", 2, "feature-extraction", ["sparse-encoder", "sparse"]),
        ("SentenceTransformer", 2, "sentence-similarity", ["feature-extraction"]),
        (None, 2, "sentence-similarity", ["feature-extraction"]),
    ],
)
def test_what_sentence_transformers_has_saved_is_called_what_it_is(
    loader: str | None, labels: int, task: str, tags: list[str], tmp_path: Path
) -> None:
    """Since version 5, all of them have a modules.json, and a file says which class loads it."""
    config: dict[str, Any] = {"architectures": ["BertForSequenceClassification"], "model_type": "bert"}
    config |= {"id2label": {str(number): f"LABEL_{number}" for number in range(labels)}, "hidden_size": 8}
    files = with_tokenizer(tmp_path, config)
    files["modules.json"] = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    files["config_sentence_transformers.json"] = {"model_type": loader} if loader else {}
    text = card_of(tmp_path, files)
    data = Card.parse(text).front_matter.data or {}
    assert (data["library_name"], data["pipeline_tag"]) == ("sentence-transformers", task)
    assert data["tags"] == ["sentence-transformers", *tags]
    assert f'{loader or "SentenceTransformer"}("acme/model")' in text
    assert ("A text becomes a vector of 8 dimensions." in text) is (task == "sentence-similarity")


def test_an_adapter_without_a_task_is_put_on_its_base_model(tmp_path: Path) -> None:
    config = {"base_model_name_or_path": "acme/base", "peft_type": "LORA"}
    files = {"adapter_config.json": config, "adapter_model.safetensors": b"\x02" + bytes(7) + b"{}"}
    text = card_of(tmp_path, files)
    assert 'AutoModel.from_pretrained("acme/base")' in text
    assert 'PeftModel.from_pretrained(base, "acme/model")' in text


def test_what_transformers_does_not_know_is_downloaded(tmp_path: Path) -> None:
    config = {"architectures": ["Strange"], "model_type": "strange", "hidden_size": 8, "vocab_size": 9}
    (code,) = blocks(card_of(tmp_path, {"config.json": config}), "python")
    assert "snapshot_download" in code
