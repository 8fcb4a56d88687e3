from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from support.run_files import files_of

from hubpub.model.run_config import RunConfig, parse_run_config, read_run_configs, tool_of

AXOLOTL = """
base_model: NousResearch/Llama-3.2-1B
datasets:
  - path: teknium/GPT4-LLM-Cleaned
    type: alpaca
  - path: data/own.jsonl
adapter: lora
lora_r: 16
lora_alpha: 32
sequence_len: 2048
sample_packing: true
micro_batch_size: 2
gradient_accumulation_steps: 4
num_epochs: 1
optimizer: adamw_8bit
lr_scheduler: cosine
learning_rate: 2e-4
bf16: auto
hub_token: hf_secret
"""
LLAMA_FACTORY = """
model_name_or_path: meta-llama/Meta-Llama-3-8B-Instruct
stage: sft
do_train: true
finetuning_type: lora
lora_rank: 8
dataset: identity,alpaca_en_demo
cutoff_len: 2048
per_device_train_batch_size: 1
learning_rate: 1.0e-4
num_train_epochs: 3.0
warmup_ratio: 0.1
bf16: true
"""
TORCHTUNE = """
output_dir: /tmp/torchtune
model:
  _component_: torchtune.models.llama3_2.lora_llama3_2_1b
  lora_rank: 64
  lora_alpha: 128
tokenizer: {_component_: torchtune.models.llama3.llama3_tokenizer, max_seq_len: null}
dataset: {_component_: torchtune.datasets.alpaca_cleaned_dataset, packed: False}
seed: null
batch_size: 4
optimizer: {_component_: torch.optim.AdamW, lr: 3e-4, weight_decay: 0.01}
lr_scheduler:
  _component_: torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup
  num_warmup_steps: 100
epochs: 1
gradient_accumulation_steps: 8
"""
UNSLOTH = """
model: unsloth/Llama-3.2-1B
data: {dataset: yahma/alpaca-cleaned, format_type: auto}
training: {training_type: lora, batch_size: 2, num_epochs: 3, learning_rate: 2e-4, max_steps: 0, random_seed: 3407}
lora: {lora_r: 64, lora_alpha: 16}
logging: {hf_token: hf_secret}
"""


def parsed(text: str, **how: Any) -> RunConfig:
    config = parse_run_config(yaml.safe_load(text), "c.yaml", **how)
    assert config is not None
    return config


@pytest.mark.parametrize(
    ("text", "tool", "model", "datasets", "settings"),
    [
        (
            AXOLOTL,
            "axolotl",
            "NousResearch/Llama-3.2-1B",
            ["teknium/GPT4-LLM-Cleaned", "data/own.jsonl"],
            {"learning_rate": 2e-4, "per_device_train_batch_size": 2, "num_train_epochs": 1, "lora_r": 16}
            | {"max_length": 2048, "packing": True, "optim": "adamw_8bit", "finetuning_method": "lora"},
        ),
        (
            LLAMA_FACTORY,
            "llama-factory",
            "meta-llama/Meta-Llama-3-8B-Instruct",
            ["identity", "alpaca_en_demo"],
            {"learning_rate": 1e-4, "lora_r": 8, "max_length": 2048, "warmup_ratio": 0.1, "bf16": True},
        ),
        (
            TORCHTUNE,
            "torchtune",
            None,
            ["torchtune.datasets.alpaca_cleaned_dataset"],
            {"learning_rate": 3e-4, "per_device_train_batch_size": 4, "warmup_steps": 100, "optim": "AdamW"}
            | {"weight_decay": 0.01, "lora_r": 64, "num_train_epochs": 1, "packing": False},
        ),
        (
            UNSLOTH,
            "unsloth",
            "unsloth/Llama-3.2-1B",
            ["yahma/alpaca-cleaned"],
            {"learning_rate": 2e-4, "per_device_train_batch_size": 2, "seed": 3407, "lora_alpha": 16},
        ),
    ],
    ids=["axolotl", "llama-factory", "torchtune", "unsloth"],
)
def test_each_tool(text: str, tool: str, model: str | None, datasets: list[str], settings: dict[str, object]) -> None:
    config = parsed(text)
    assert config.tool == tool
    assert (config.base_model.value if config.base_model else None) == model
    assert [fact.value for fact in config.datasets] == datasets
    found = {fact.name: fact.value for fact in config.settings}
    assert settings.items() <= found.items()
    assert "max_steps" not in found
    assert "hf_secret" not in repr(config)


def test_a_fact_has_the_key_of_its_file() -> None:
    config = parsed(UNSLOTH)
    rate = config.setting("learning_rate")
    assert rate is not None
    assert (rate.path, rate.key) == ("c.yaml", "training.learning_rate")
    assert [fact.key for fact in parsed(AXOLOTL).datasets] == ["datasets.0", "datasets.1"]


@pytest.mark.parametrize(
    ("document", "tool"),
    [
        ({"learning_rate": 1, "seed": 1, "num_train_epochs": 3}, "transformers"),
        ({"learning_rate": 1, "seed": 1}, None),
        ({"model_name_or_path": "gpt2", "dataset_name": "imdb", "learning_rate": 1e-5}, "trl"),
        ({"manual_seed": 1, "train_batch_size": 8, "num_train_epochs": 1}, "simpletransformers"),
        ({"base_model": "x", "models": [], "merge_method": "slerp"}, None),
        ({"name": "env", "dependencies": ["torch"]}, None),
        ({"seed": 1, "optim": "x", "beta": 2}, None),
    ],
)
def test_recognition(document: dict[str, object], tool: str | None) -> None:
    assert tool_of(document) == tool


def test_files_by_name_and_by_keys() -> None:
    contents = {
        "hparams.json": json.dumps({"lr": 1e-3, "epochs": 5, "api_key": "secret"}),
        "config.json": json.dumps({"learning_rate": 1, "seed": 1, "num_train_epochs": 3}),
        "configs/axolotl.yml": AXOLOTL,
        "action.yml": "name: x\nruns: {using: node}\n",
        "broken.yaml": "a: [",
        "args.json": "{",
        "mergekit_config.yml": "base_model: a\nmerge_method: linear\nseed: 1\nlearning_rate: 2\nnum_train_epochs: 3\n",
    }
    configs, unread = read_run_configs(files_of(contents))
    assert [(config.path, config.tool) for config in configs] == [
        ("hparams.json", ""),
        ("configs/axolotl.yml", "axolotl"),
    ]
    assert {fact.name: fact.value for fact in configs[0].settings} == {"learning_rate": 1e-3, "num_train_epochs": 5}
    assert [file.path for file in unread] == ["args.json"]


@pytest.mark.parametrize("value", [None, [], {}, "x", float("nan"), 10**400, True, -1, "1e999", "0x10"])
def test_values_of_the_wrong_kind_are_left_out(value: object) -> None:
    document = {"num_train_epochs": 3, "seed": 1, "learning_rate": value, "bf16": "auto", "optim": ["x"]}
    config = parse_run_config(document, "args.json", named=True)
    assert config is not None
    assert [fact.name for fact in config.settings] == ["num_train_epochs", "seed"]
