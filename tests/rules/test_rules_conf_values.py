"""One defect each in the settings of a sound model: the report names it, with file and severity, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.defects import REMOVED, Defect, Expected, all_of, settings, write
from support.judging import judge_folder as judge

from hubpub.core.findings import Finding

CONFIG, GENERATION = "config.json", "generation_config.json"


def config(**changes: Any) -> Defect:
    return settings(CONFIG, **changes)


def generation(**changes: Any) -> Defect:
    return settings(GENERATION, **changes)


def llama(**changes: Any) -> Defect:
    """The classifier's configuration as that of a model that generates."""
    keys = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "id2label": REMOVED, "label2id": REMOVED}
    return config(**keys | changes)


def one(code: str, severity: str, path: str = CONFIG) -> Expected:
    return [(code, severity, path)]


TURNS = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}[SEP]{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
THREE = {"0": "a", "1": "b", "2": "c"}

DEFECTS: dict[str, tuple[Defect, Expected]] = {
    # e09 and i04
    "home in _name_or_path": (config(_name_or_path="/home/alice/runs/7"), one("CONF005", "warning")),
    "mac": (config(_name_or_path="/Users/alice/model"), one("CONF005", "warning")),
    "windows": (config(_name_or_path="C:\\Users\\alice\\model"), one("CONF005", "warning")),
    "windows with slashes": (config(_name_or_path="D:/models/bert"), one("CONF005", "warning")),
    "relative": (config(_name_or_path="./bert-finetuned"), one("CONF005", "warning")),
    "above": (config(_name_or_path="../base"), one("CONF005", "warning")),
    "a folder three deep": (config(_name_or_path="out/bert/final"), one("CONF005", "warning")),
    "a checkpoint": (config(_name_or_path="out/checkpoint-500"), one("CONF005", "warning")),
    "bucket": (config(_name_or_path="s3://acme-internal/models/bert"), one("CONF005", "warning")),
    "scratch, in another key": (config(data="/scratch/alice/reviews.csv"), one("CONF005", "warning")),
    "tokenizer": (
        settings("tokenizer_config.json", special_tokens_map_file="/root/.cache/huggingface/x/special_tokens_map.json"),
        one("CONF005", "warning", "tokenizer_config.json"),
    ),
    "trainer state": (
        settings("trainer_state.json", best_model_checkpoint="/mnt/ssd/out/checkpoint-500"),
        one("CONF005", "warning", "trainer_state.json"),
    ),
    "trainer state, relative": (
        settings("trainer_state.json", best_model_checkpoint="./out/checkpoint-500"),
        one("CONF005", "warning", "trainer_state.json"),
    ),
    "list of files": (config(files=["/home/alice/a.csv", "/home/alice/b.csv"]), one("CONF005", "warning")),
    # e11
    "three values": (
        generation(temperature=-1, top_p=3, num_beams=0),
        one("CONF006", "error", GENERATION),
    ),
    "temperature 0 with sampling": (generation(do_sample=True, temperature=0.0), one("CONF006", "error", GENERATION)),
    "whole temperature": (generation(do_sample=True, temperature=2), one("CONF006", "error", GENERATION)),
    "top_p": (generation(do_sample=True, top_p=1.5), one("CONF006", "error", GENERATION)),
    "top_k -1": (generation(do_sample=True, top_k=-1), one("CONF006", "error", GENERATION)),
    "top_k half": (generation(do_sample=True, top_k=0.5), one("CONF006", "error", GENERATION)),
    "penalty 0": (generation(repetition_penalty=0.0), one("CONF006", "error", GENERATION)),
    "whole penalty": (generation(repetition_penalty=2), one("CONF006", "error", GENERATION)),
    "no new tokens": (generation(max_new_tokens=0), one("CONF006", "error", GENERATION)),
    "string": (generation(max_new_tokens="512"), one("CONF006", "error", GENERATION)),
    "string for a flag": (generation(do_sample="true"), one("CONF006", "error", GENERATION)),
    "min above max": (generation(min_length=50, max_length=20), one("CONF006", "error", GENERATION)),
    "min_new above max_new": (generation(min_new_tokens=9, max_new_tokens=8), one("CONF006", "error", GENERATION)),
    "sequences without beams": (generation(num_return_sequences=3), one("CONF006", "error", GENERATION)),
    "sequences above beams": (
        generation(num_return_sequences=5, num_beams=4),
        one("CONF006", "error", GENERATION),
    ),
    # e12
    "sampling off": (
        generation(do_sample=False, temperature=0.7, top_p=0.9),
        one("CONF007", "warning", GENERATION),
    ),
    "sampling unset": (generation(temperature=0.7), one("CONF007", "warning", GENERATION)),
    "temperature 0 without sampling": (generation(temperature=0), one("CONF007", "warning", GENERATION)),
    "beam setting": (generation(early_stopping=True), one("CONF007", "warning", GENERATION)),
    "misspelt key": (generation(do_sample=True, temprature=0.7), one("CONF008", "info", GENERATION)),
    "key of another API": (generation(max_tokens=512), one("CONF008", "info", GENERATION)),
    # e14
    "string size": (config(hidden_size="32"), one("CONF009", "error")),
    "fraction": (config(num_hidden_layers=1.5), one("CONF009", "error")),
    "negative": (config(vocab_size=-1), one("CONF009", "error")),
    "no width": (config(hidden_size=0), one("CONF009", "error")),
    "string epsilon": (config(layer_norm_eps="1e-12"), one("CONF009", "error")),
    "string flag": (config(use_cache="false"), one("CONF009", "error")),
    "string in a part": (config(text_config={"hidden_size": "32"}), one("CONF009", "error")),
    # e15
    "heads": (config(num_attention_heads=5), one("CONF010", "error")),
    "heads of gpt2": (
        config(model_type="gpt2", architectures=["GPT2ForSequenceClassification"], n_embd=32, n_head=5),
        one("CONF010", "error"),
    ),
    "heads of llama": (llama(num_attention_heads=5, num_key_value_heads=5), one("CONF010", "error")),
    "heads of the decoder": (
        config(
            model_type="bart",
            architectures=["BartForSequenceClassification"],
            d_model=32,
            encoder_attention_heads=4,
            decoder_attention_heads=5,
        ),
        one("CONF010", "error"),
    ),
    # d11
    "num_labels": (config(num_labels=5), one("CONF011", "warning")),
    "gap": (config(id2label={"0": "a", "2": "b"}, label2id=REMOVED), one("CONF011", "warning")),
    "from 1 on": (config(id2label={"1": "a", "2": "b"}, label2id=REMOVED), one("CONF011", "warning")),
    "exchanged": (config(label2id={"negative": 1, "positive": 0}), one("CONF011", "warning")),
    "label2id left": (config(label2id={"LABEL_0": 0, "LABEL_1": 1}), one("CONF011", "warning")),
    "label2id short": (config(label2id={"negative": 0}), one("CONF011", "warning")),
    "keys are words": (config(id2label={"negative": 0, "positive": 1}, label2id=REMOVED), one("CONF011", "error")),
    "id2label is a list": (config(id2label=["negative", "positive"], label2id=REMOVED), one("CONF011", "error")),
    "default names": (
        config(id2label={"0": "LABEL_0", "1": "LABEL_1"}, label2id={"LABEL_0": 0, "LABEL_1": 1}),
        one("CONF012", "info"),
    ),
    "architectures is a string": (config(architectures="BertForSequenceClassification"), one("CONF013", "error")),
    "architectures holds null": (config(architectures=[None]), one("CONF013", "error")),
    "dtype": (config(dtype="fp16"), one("CONF014", "error")),
    "dtype with module": (config(dtype="torch.float32"), one("CONF014", "error")),
    "two dtypes": (config(dtype="float32", torch_dtype="float16"), one("CONF014", "warning")),
    "version": (config(transformers_version="main"), one("CONF015", "info")),
    "version to come": (config(transformers_version="99.1.0.dev0"), one("CONF015", "info")),
    "rope without factor": (llama(rope_scaling={"type": "linear"}), one("CONF016", "error")),
    "rope is a string": (llama(rope_scaling="linear"), one("CONF016", "error")),
    "rope factor": (llama(rope_parameters={"rope_type": "linear", "factor": "2"}), one("CONF016", "error")),
    "rope per layer": (
        llama(rope_parameters={"full_attention": {"rope_type": "yarn"}, "sliding_attention": None}),
        one("CONF016", "error"),
    ),
    "quantisation": (config(quantization_config={"bits": 4}), one("CONF017", "warning")),
    "cache": (llama(use_cache=False), one("CONF018", "warning")),
    "cache of the text part": (
        config(
            model_type="llava",
            architectures=["LlavaForConditionalGeneration"],
            id2label=REMOVED,
            label2id=REMOVED,
            text_config={"model_type": "llama", "use_cache": False},
        ),
        [("CONF018", "warning", CONFIG), ("CONF021", "warning", "preprocessor_config.json")],
    ),
    "flash attention": (config(_attn_implementation="flash_attention_2"), one("CONF019", "warning")),
    "gradient checkpointing": (config(gradient_checkpointing=True), one("CONF019", "warning")),
    "code of another repo": (
        settings("tokenizer_config.json", auto_map={"AutoTokenizer": ["acme/code--tok.Tok", None]}),
        [("CODE005", "warning", "tokenizer_config.json"), ("CONF020", "info", "tokenizer_config.json")],
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_defect(name: str, model: Path) -> None:
    assert judge(model) == []
    defect, expected = DEFECTS[name]
    defect(model)
    found = judge(model)
    assert [(f.rule, f.severity.value, f.path or "") for f in found if isinstance(f, Finding)] == expected
    assert len(found) == len(expected)
    for finding in found:
        assert isinstance(finding, Finding)
        assert finding.hint
        assert finding.path in finding.message
        assert "\n" not in finding.message


SOUND: dict[str, Defect] = {
    "ids of repos": config(_name_or_path="google-bert/bert-base-uncased", other="acme/checkpoint-large"),
    "an old id": config(_name_or_path="bert-base-uncased"),
    "urls": config(url="https://acme.example/home/models/x", license="file in /LICENSE"),
    "patterns": config(pattern="/", splitter="a/b", unit="m/s", mime="application/json"),
    "here": config(_name_or_path="."),
    "words of a vocabulary": write("strings.json", '["~/.vimrc", "/tmp/", "/usr/bin/x", "./configure", "C:\\\\x"]'),
    "a template": settings("tokenizer_config.json", chat_template="{# /home/{{ user }}/x #}" + TURNS),
    "generation defaults": generation(do_sample=False, temperature=1.0, top_p=1.0, top_k=50, num_beams=1),
    "generation with beams": generation(num_beams=4, early_stopping=True, length_penalty=2.0, num_return_sequences=4),
    "sampling": generation(do_sample=True, temperature=0.7, top_p=0.9, top_k=0, min_p=0.1, repetition_penalty=1.1),
    "whole numbers for 1": generation(do_sample=True, temperature=1, top_p=1, repetition_penalty=1),
    "nulls": generation(temperature=None, max_length=None, do_sample=None),
    "keys of Whisper": generation(is_multilingual=True, lang_to_id={"<|en|>": 3}, no_timestamps_token_id=4),
    "eos list": generation(eos_token_id=[1, 2], pad_token_id=0),
    "coco": config(id2label={"0": "N/A", "1": "N/A"}, label2id={"N/A": 1}),
    "label2id of strings": config(label2id={"negative": "0", "positive": "1"}),
    "no label2id": config(label2id=REMOVED),
    "regression": config(
        id2label={"0": "LABEL_0", "1": "LABEL_1"}, label2id={"LABEL_0": 0, "LABEL_1": 1}, problem_type="regression"
    ),
    "num_labels": config(num_labels=2),
    "lists of sizes": config(num_attention_heads=[1, 2], num_key_value_heads=[1, 1], patch_size=[4, 4]),
    "heads with head_dim": llama(num_attention_heads=5, num_key_value_heads=5, head_dim=16),
    "heads of a type that allows it": config(
        model_type="mistral", architectures=["MistralForSequenceClassification"], num_attention_heads=5
    ),
    "both dtypes": config(dtype="float32", torch_dtype="float32"),
    "old version": config(transformers_version="4.5.1"),
    "rope": llama(rope_scaling={"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4}),
    "rope of one architecture": llama(rope_scaling={"type": "mrope", "mrope_section": [2, 3, 3]}),
    "rope by default": llama(rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
    "bitsandbytes of old": config(quantization_config={"load_in_8bit": True}),
    "encoder without cache": config(use_cache=False),
    "cache on again": all_of(llama(use_cache=False), generation(use_cache=True)),
    "sdpa": config(_attn_implementation="sdpa", gradient_checkpointing=False),
}


@pytest.mark.parametrize("name", SOUND)
def test_no_false_alarm(name: str, model: Path) -> None:
    SOUND[name](model)
    assert judge(model) == []


def test_a_path_has_its_line_and_the_number_of_others(model: Path) -> None:
    write("trainer_state.json", '{\n "step": 1,\n "a_dir": "/home/x/a",\n "b_dir": "/home/x/b"\n}')(model)
    [finding] = judge(model)
    assert isinstance(finding, Finding)
    assert finding.line == 3
    assert "and 1 more path" in finding.message


def test_what_is_not_published_is_not_read_for_paths(model: Path) -> None:
    settings("checkpoint-5/config.json", _name_or_path="/home/alice")(model)
    assert [finding.rule for finding in judge(model) if isinstance(finding, Finding)] == ["FILE006"]
