"""What the card says of families of transformers whose files tell it in their own way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.models import save_plain
from support.weights import write_safetensors

from hubpub.card.document import Card
from hubpub.card.facts.collect import CardFacts, card_facts
from hubpub.card.writing.metadata import metadata
from hubpub.card.writing.render import render_card
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder


def facts_of(root: Path) -> CardFacts:
    return card_facts(ModelFolder.open(root), repo_id="acme/model", settings=CardSettings(license="mit"))


def saved(root: Path, architecture: str, model_type: str, **config: Any) -> Path:
    """A folder with a tokenizer, and a configuration of that class."""
    save_plain(root)
    known = {"architectures": [architecture], "model_type": model_type}
    (root / "config.json").write_text(json.dumps(known | config))
    return root


def code_of(root: Path, language: str = "python") -> str:
    blocks = Card.parse(render_card(facts_of(root))).blocks
    return "\n".join(block.text for block in blocks if block.kind == "code" and block.language == language)


@pytest.mark.parametrize(
    ("model_type", "config", "length", "source"),
    [
        ("roberta", {"max_position_embeddings": 514, "pad_token_id": 1}, 512, "max_position_embeddings - 2"),
        ("roberta", {"max_position_embeddings": 514, "pad_token_id": 0}, 513, "max_position_embeddings - 1"),
        ("esm", {"max_position_embeddings": 1026, "pad_token_id": 1}, 1024, "max_position_embeddings - 2"),
        ("layoutlmv3", {"max_position_embeddings": 514}, 512, "max_position_embeddings - 2"),
        ("led", {"max_encoder_position_embeddings": 16384}, 16384, "max_encoder_position_embeddings"),
        ("bart", {"max_position_embeddings": 1024, "pad_token_id": 1}, 1024, "max_position_embeddings"),
    ],
)
def test_the_context_is_what_can_be_used_of_the_positions(
    tmp_path: Path, model_type: str, config: dict[str, int], length: int, source: str
) -> None:
    facts = facts_of(saved(tmp_path / "m", "RobertaForMaskedLM", model_type, **config))
    assert (facts.context_length, facts.sources["context_length"]) == (length, f"config.json: {source}")


@pytest.mark.parametrize("positions", [1, 2, 1 << 50, [512], "512"])
def test_positions_that_cannot_be_are_not_told(tmp_path: Path, positions: Any) -> None:
    root = saved(tmp_path / "m", "RobertaForMaskedLM", "roberta", max_position_embeddings=positions, pad_token_id=1)
    assert facts_of(root).context_length is None


def test_the_experts_of_granite_are_counted(tmp_path: Path) -> None:
    root = saved(tmp_path / "m", "GraniteMoeForCausalLM", "granitemoe", num_experts_per_tok=2, num_local_experts=8)
    layer = "model.layers.0.block_sparse_moe"
    write_safetensors(
        root / "model.safetensors",
        {
            f"{layer}.input_linear.weight": ("F32", (8, 16, 4)),
            f"{layer}.output_linear.weight": ("F32", (8, 4, 8)),
            f"{layer}.router.layer.weight": ("F32", (8, 4)),
        },
    )
    assert facts_of(root).active_parameters == 2 * 16 * 4 + 2 * 4 * 8 + 8 * 4


@pytest.mark.parametrize(
    ("architecture", "model_type", "task"),
    [
        ("VisionEncoderDecoderModel", "vision-encoder-decoder", "image-to-text"),
        ("SpeechEncoderDecoderModel", "speech-encoder-decoder", "automatic-speech-recognition"),
        ("XLMWithLMHeadModel", "xlm", "fill-mask"),
        ("T5WithLMHeadModel", "t5", None),
    ],
)
def test_the_task_of_classes_with_names_of_their_own(
    tmp_path: Path, architecture: str, model_type: str, task: str | None
) -> None:
    assert facts_of(saved(tmp_path / "m", architecture, model_type)).pipeline_tag == task


def test_one_class_for_both_kinds_of_language_models_fills_masks(tmp_path: Path) -> None:
    assert 'pipeline("fill-mask"' in code_of(saved(tmp_path / "m", "XLMWithLMHeadModel", "xlm"))
    causal = code_of(saved(tmp_path / "c", "XLMWithLMHeadModel", "xlm", causal=True))
    assert 'pipeline("text-generation"' in causal


def test_the_question_encoder_of_dpr_has_one_vector(tmp_path: Path) -> None:
    code = code_of(saved(tmp_path / "m", "DPRQuestionEncoder", "dpr"))
    assert "model(**inputs).pooler_output.shape" in code
    assert "last_hidden_state" not in code


def test_what_reads_no_text_has_no_text_in_its_widget(tmp_path: Path) -> None:
    root = tmp_path / "m"
    root.mkdir()
    config = {"architectures": ["Wav2Vec2Model"], "model_type": "wav2vec2"}
    (root / "config.json").write_text(json.dumps(config))
    (root / "preprocessor_config.json").write_text(json.dumps({"sampling_rate": 16000}))
    facts = facts_of(root)
    assert facts.pipeline_tag == "feature-extraction"
    assert "widget" not in metadata(facts)
    assert "widget" not in metadata(facts_of(saved(tmp_path / "clap", "ClapModel", "clap", audio_config={})))
    assert "widget" in metadata(facts_of(saved(tmp_path / "bert", "BertModel", "bert")))


def test_weights_in_eight_bits_of_floating_point_want_accelerate(tmp_path: Path) -> None:
    root = saved(tmp_path / "m", "LlamaForCausalLM", "llama", quantization_config={"quant_method": "fp8"})
    assert "accelerate kernels" in code_of(root, "bash")
    assert 'device_map="auto"' in code_of(root)


@pytest.mark.parametrize(
    ("architecture", "model_type", "task"),
    [
        ("GitForCausalLM", "git", "image-to-text"),
        ("FuyuForCausalLM", "fuyu", "image-text-to-text"),
        ("Siglip2Model", "siglip2", "zero-shot-image-classification"),
        ("MoonshineForConditionalGeneration", "moonshine", "automatic-speech-recognition"),
        ("SpeechT5ForTextToSpeech", "speecht5", "text-to-speech"),
        ("MusicgenForConditionalGeneration", "musicgen", "text-to-audio"),
        ("XLNetForQuestionAnsweringSimple", "xlnet", "question-answering"),
        ("FSMTForConditionalGeneration", "fsmt", "translation"),
    ],
)
def test_the_task_of_families_whose_class_says_less(
    tmp_path: Path, architecture: str, model_type: str, task: str
) -> None:
    assert facts_of(saved(tmp_path / "m", architecture, model_type)).pipeline_tag == task


@pytest.mark.parametrize(
    ("architecture", "model_type"),
    [
        ("LayoutLMv3ForTokenClassification", "layoutlmv3"),
        ("LayoutLMForSequenceClassification", "layoutlm"),
        ("BrosForTokenClassification", "bros"),
        ("LayoutLMModel", "layoutlm"),
    ],
)
def test_a_model_that_wants_the_places_of_words_is_not_given_words_alone(
    tmp_path: Path, architecture: str, model_type: str
) -> None:
    root = saved(tmp_path / "m", architecture, model_type)
    assert "num_parameters()" in code_of(root)
    assert "widget" not in metadata(facts_of(root))


def test_a_model_that_speaks_is_not_asked_to_listen(tmp_path: Path) -> None:
    root = saved(tmp_path / "m", "DiaForConditionalGeneration", "dia")
    (root / "preprocessor_config.json").write_text(json.dumps({"sampling_rate": 44100}))
    assert "automatic-speech-recognition" not in render_card(facts_of(root))


@pytest.mark.parametrize(
    ("problem", "described", "called"),
    [
        ("regression", "It gives a number for each of 3 labels:", ", top_k=None))  # a number for each label"),
        (
            "multi_label_classification",
            "It tells apart 3 labels, of which several can be true at once:",
            ", top_k=None))  # the score of every label",
        ),
        ("single_label_classification", "It tells apart 3 labels:", '.")'),
    ],
)
def test_the_kind_of_problem_is_told(tmp_path: Path, problem: str, described: str, called: str) -> None:
    labels = {"0": "tone", "1": "length", "2": "grammar"}
    root = saved(tmp_path / "m", "BertForSequenceClassification", "bert", problem_type=problem, id2label=labels)
    assert f"\n{described}\n\n" in render_card(facts_of(root))
    assert called in code_of(root)


def test_only_the_weights_beside_the_configuration_are_the_model(tmp_path: Path) -> None:
    root = saved(tmp_path / "m", "Qwen3MoeForCausalLM", "qwen3_moe", num_experts_per_tok=1)
    experts = {"m.layers.0.mlp.experts.gate_up_proj": ("BF16", (4, 8, 8)), "m.embed.weight": ("BF16", (10, 8))}
    (root / "original").mkdir()
    write_safetensors(root / "model.safetensors", experts)
    write_safetensors(root / "original" / "consolidated.00.safetensors", experts)
    facts = facts_of(root)
    assert facts.parameters == 4 * 64 + 80
    assert facts.active_parameters == 64 + 80
    assert facts.dtypes == (("BF16", 4 * 64 + 80),)
    assert facts.weight_bytes == (root / "model.safetensors").stat().st_size


@pytest.mark.parametrize(("config", "wanted"), [({"video_token_id": 3}, " torchvision"), ({}, "")])
def test_a_processor_that_reads_films_wants_torchvision(tmp_path: Path, config: dict[str, int], wanted: str) -> None:
    parts = {"vision_config": {}, "text_config": {}}
    root = saved(tmp_path / "m", "Qwen2VLForConditionalGeneration", "qwen2_vl", **parts, **config)
    (root / "chat_template.jinja").write_text("{{ messages }}")
    (root / "preprocessor_config.json").write_text("{}")
    assert code_of(root, "bash") == f"pip install transformers torch pillow{wanted}\n"


@pytest.mark.parametrize(
    ("config", "rows"),
    [
        (
            {"num_layers": 6, "num_decoder_layers": 4, "is_encoder_decoder": True},
            {"of the encoder": 6, "of the decoder": 4},
        ),
        (
            {"encoder_layers": 12, "decoder_layers": 2, "is_encoder_decoder": True},
            {"of the encoder": 12, "of the decoder": 2},
        ),
        ({"num_layers": 6, "is_encoder_decoder": True}, {"": 6}),
        ({"encoder_layers": 12, "decoder_layers": 2}, {}),
        ({"num_hidden_layers": 3, "decoder_layers": [2], "is_encoder_decoder": True}, {"": 3}),
    ],
)
def test_encoder_and_decoder_have_their_own_layers(
    tmp_path: Path, config: dict[str, Any], rows: dict[str, int]
) -> None:
    root = saved(tmp_path / "m", "BartForConditionalGeneration", "bart", **config)
    shown = [line for line in render_card(facts_of(root)).splitlines() if line.startswith("| Layers")]
    assert shown == [f"| {f'Layers {name}'.strip()} | {count} |" for name, count in rows.items()]
