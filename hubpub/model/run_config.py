"""What a training run was told to do, from the configuration files of the tools that people train with.

A file is recognised by its keys, not by its name, and only what is known here is taken from it: configurations hold
tokens and paths of the machine too. Settings get their names in transformers' TrainingArguments and PEFT's LoraConfig.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.core.pattern import Pattern
from hubpub.model.files import Fact, Files, Unread, finite, line_of
from hubpub.model.jsonfile import parse_json
from hubpub.model.tfevents import EventFile
from hubpub.model.yamlfile import YAML_LIMIT, parse_yaml

_JSON_NAME = Pattern(
    r"(?:training_args|train_args|training_arguments|training_config|train_config|hyperparameters|hparams|model_args|args"
    r"|finetuning_args|training_parameters)\.json",
    clues=("args.json", "arguments.json", "train_config", "training_config", "hparams", "parameters"),
)
_YAML_NAME = Pattern(
    r"(?!mergekit_config|environment|mkdocs|docker-compose|\.).+\.ya?ml", re.IGNORECASE, clues=(".yml", ".yaml")
)
_MOST_DATASETS = 100
_MOST_YAML = 4 << 20  # bytes of all files
_NUMBER = Pattern(r"[-+]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][-+]?\d{1,3})?")

# The names of transformers and PEFT, which other tools share in part.
_NUMBERS = (
    "learning_rate",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
    "num_train_epochs",
    "max_steps",
    "warmup_steps",
    "warmup_ratio",
    "weight_decay",
    "seed",
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "max_grad_norm",
    "label_smoothing_factor",
    "max_length",
    "lora_r",
    "lora_alpha",
    "lora_dropout",
    "beta",
)
_WORDS = (
    "optim",
    "lr_scheduler_type",
    "finetuning_method",
)
_SWITCHES = (
    "bf16",
    "fp16",
    "gradient_checkpointing",
    "packing",
    "load_in_4bit",
    "load_in_8bit",
    "group_by_length",
    "use_dora",
    "load_best_model_at_end",
)
_SETTINGS = {name: name for name in (*_NUMBERS, *_WORDS, *_SWITCHES) if name != "finetuning_method"}

# tool -> key in its files, parts joined by dots -> setting
_AXOLOTL = {
    "micro_batch_size": "per_device_train_batch_size",
    "eval_batch_size": "per_device_eval_batch_size",
    "num_epochs": "num_train_epochs",
    "optimizer": "optim",
    "lr_scheduler": "lr_scheduler_type",
    "sequence_len": "max_length",
    "sample_packing": "packing",
    "adapter": "finetuning_method",
}
_LLAMA_FACTORY = {"cutoff_len": "max_length", "lora_rank": "lora_r", "finetuning_type": "finetuning_method"}
_UNSLOTH = {
    "training.learning_rate": "learning_rate",
    "training.batch_size": "per_device_train_batch_size",
    "training.gradient_accumulation_steps": "gradient_accumulation_steps",
    "training.num_epochs": "num_train_epochs",
    "training.max_steps": "max_steps",
    "training.warmup_steps": "warmup_steps",
    "training.weight_decay": "weight_decay",
    "training.random_seed": "seed",
    "training.max_seq_length": "max_length",
    "training.packing": "packing",
    "training.load_in_4bit": "load_in_4bit",
    "training.training_type": "finetuning_method",
    "lora.lora_r": "lora_r",
    "lora.lora_alpha": "lora_alpha",
    "lora.lora_dropout": "lora_dropout",
    "lora.use_dora": "use_dora",
}
_TORCHTUNE = {
    "batch_size": "per_device_train_batch_size",
    "epochs": "num_train_epochs",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "seed": "seed",
    "clip_grad_norm": "max_grad_norm",
    "enable_activation_checkpointing": "gradient_checkpointing",
    "optimizer._component_": "optim",
    "optimizer.lr": "learning_rate",
    "optimizer.weight_decay": "weight_decay",
    "lr_scheduler._component_": "lr_scheduler_type",
    "lr_scheduler.num_warmup_steps": "warmup_steps",
    "model.lora_rank": "lora_r",
    "model.lora_alpha": "lora_alpha",
    "model.lora_dropout": "lora_dropout",
    "tokenizer.max_seq_len": "max_length",
    "dataset.packed": "packing",
}
_SIMPLE_TRANSFORMERS = {
    "manual_seed": "seed",
    "train_batch_size": "per_device_train_batch_size",
    "eval_batch_size": "per_device_eval_batch_size",
    "optimizer": "optim",
    "scheduler": "lr_scheduler_type",
    "max_seq_length": "max_length",
}
_OWN = {
    **_SIMPLE_TRANSFORMERS,
    "epochs": "num_train_epochs",
    "num_epochs": "num_train_epochs",
    "lr": "learning_rate",
    "batch_size": "per_device_train_batch_size",
}
_KEYS: Mapping[str, Mapping[str, str]] = {
    "axolotl": {**_SETTINGS, **_AXOLOTL},
    "llama-factory": {**_SETTINGS, **_LLAMA_FACTORY},
    "unsloth": _UNSLOTH,
    "torchtune": _TORCHTUNE,
    "trl": {**_SETTINGS, "max_seq_length": "max_length"},
    "transformers": _SETTINGS,
    "simpletransformers": {**_SETTINGS, **_SIMPLE_TRANSFORMERS},
    "": {**_SETTINGS, **_OWN},
}
_MODELS = {
    "axolotl": "base_model",
    "llama-factory": "model_name_or_path",
    "unsloth": "model",
    "trl": "model_name_or_path",
}
_DATASETS = {
    "axolotl": ("datasets",),
    "llama-factory": ("dataset",),
    "unsloth": ("data.dataset",),
    "torchtune": ("dataset.source", "dataset._component_"),
    "trl": ("dataset_name", "datasets"),
}
# Where a tool names the method, and its names for them.
_METHOD_KEYS = {"llama-factory": "stage", "axolotl": "rl"}
_METHODS = {"rm": "reward", **{name: name for name in ("sft", "dpo", "kto", "orpo", "cpo", "grpo", "ppo", "reward")}}
# Fields that only one trainer of TRL has: https://huggingface.co/docs/trl
_FIELDS_OF_METHODS = (
    ("rloo", {"num_generations", "normalize_advantages"}),
    ("grpo", {"num_generations", "scale_rewards"}),
    ("dpo", {"precompute_ref_log_probs", "label_smoothing", "beta"}),
    ("kto", {"desirable_weight", "undesirable_weight"}),
    ("reward", {"center_rewards_coefficient"}),
    ("sft", {"dataset_text_field", "packing"}),
)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """A configuration of a training run.

    Attributes:
        path: of the file.
        tool: "axolotl", "llama-factory", "unsloth", "torchtune", "trl", "transformers", "simpletransformers", or "" for
            one of somebody's own.
        settings: by their names in TrainingArguments and LoraConfig; `key` is the file's own.
        base_model: what was trained, as written: a repo of the Hub or a path.
        datasets: what it was trained on, as written: repos of the Hub, paths, or names of the tool's own.
        method: how, by the name of its trainer in TRL: "sft", "dpo", "grpo", ...
    """

    path: str
    tool: str
    settings: tuple[Fact, ...]
    base_model: Fact | None = None
    datasets: tuple[Fact, ...] = ()
    method: str | None = None

    def setting(self, name: str) -> Fact | None:
        """A setting by its name in TrainingArguments."""
        return next((fact for fact in self.settings if fact.name == name), None)


def read_run_configs(
    files: Files, events: tuple[EventFile, ...] = ()
) -> tuple[tuple[RunConfig, ...], tuple[Unread, ...]]:
    """The configurations, by path, and the arguments that Trainer wrote into TensorBoard's event files."""
    found: list[RunConfig | None] = []
    unread = []
    for entry in files.named(_JSON_NAME):
        document = files.json(entry.path, limit=YAML_LIMIT)
        if document.value is None and document.problem:
            unread.append(Unread(entry.path, document.problem.message))
        found.append(parse_run_config(document.value, entry.path, named=True))
    # YAML is written for everything, so what cannot be read is no news
    yaml_files = files.named(_YAML_NAME, total=_MOST_YAML)
    small = (entry for entry in yaml_files if entry.size <= YAML_LIMIT)
    found += [parse_run_config(parse_yaml(files.start(entry.path, YAML_LIMIT)).value, entry.path) for entry in small]
    for file in events:
        for tag, text in file.texts:
            if tag == "args/text_summary":
                document = parse_json(text.encode("utf-8", "replace"))
                found.append(parse_run_config(document.value, file.path, named=True))
    configs = [config for config in found if config is not None]
    return tuple(sorted(configs, key=lambda config: (config.path.count("/"), config.path))), tuple(unread)


def parse_run_config(document: Any, path: str, *, named: bool = False) -> RunConfig | None:
    """What a document says when it is such a configuration.

    Args:
        document: as JSON or YAML was read.
        path: of its file.
        named: whether the file's name says already that it holds arguments, so that fewer keys must do so.
    """
    if not isinstance(document, dict):
        return None
    tool = tool_of(document)
    if tool is None and not named:
        return None
    tool = tool or ""
    settings = tuple(_settings(document, tool, path))
    if not settings:
        return None
    model_key = _MODELS.get(tool)
    model = line_of(document.get(model_key)) if model_key else None
    base = Fact("base_model", model, path, model_key or "") if model else None
    return RunConfig(path, tool, settings, base, tuple(_datasets(document, tool, path)), _method(document, tool))


def tool_of(document: Mapping[str, Any]) -> str | None:
    """The tool that a configuration is for, by its keys; None for none that is known."""
    keys = {key for key in document if isinstance(key, str)}
    known = keys & set(_SETTINGS)
    components = [value for value in document.values() if isinstance(value, dict) and "_component_" in value]
    if components and {"model", "optimizer", "dataset"} & keys:
        return "torchtune"
    if {"data", "training"} <= keys and {"model", "lora"} & keys and isinstance(document["training"], dict):
        return "unsloth"
    if "base_model" in keys and {"micro_batch_size", "sequence_len", "adapter", "datasets"} & keys and known:
        return "axolotl"
    if "model_name_or_path" in keys and {"stage", "finetuning_type"} <= keys:
        return "llama-factory"
    if "model_name_or_path" in keys and {"dataset_name", "datasets"} & keys and known:
        return "trl"
    if "manual_seed" in keys and {"train_batch_size", "num_train_epochs"} <= keys:
        return "simpletransformers"
    # a few of these names are common words of other files
    if len(known) >= 3 and known & {"per_device_train_batch_size", "num_train_epochs", "gradient_accumulation_steps"}:
        return "transformers"
    return None


def _settings(document: Mapping[str, Any], tool: str, path: str) -> Iterator[Fact]:
    named: set[str] = set()
    for key, name in _KEYS[tool].items():
        value = _setting(name, _at(document, key))
        if value is not None and name not in named:
            named.add(name)
            yield Fact(name, value, path, key)


def _setting(name: str, value: Any) -> int | float | str | bool | None:
    """A value of the kind that the setting has; None for what was not set."""
    if name in _SWITCHES:
        return value if isinstance(value, bool) else None
    if name in _WORDS:
        word = line_of(value, 100)
        return word.rpartition(".")[2] if word else None
    # YAML 1.1 takes 2e-4, without a dot, for text
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    number = finite(value)
    return None if number is None or number < 0 or (name == "max_steps" and number == 0) else number


def _method(document: Mapping[str, Any], tool: str) -> str | None:
    key = _METHOD_KEYS.get(tool)
    if key is not None:
        named = line_of(document.get(key), 20)
        return _METHODS.get(named or "")
    if tool not in ("trl", "transformers"):
        return None
    return next((method for method, fields in _FIELDS_OF_METHODS if fields <= document.keys()), None)


def _datasets(document: Mapping[str, Any], tool: str, path: str) -> Iterator[Fact]:
    for key in _DATASETS.get(tool, ()):
        value = _at(document, key)
        if isinstance(value, str):
            names = value.split(",", _MOST_DATASETS)[:_MOST_DATASETS]
            found = [(key, name) for one in names if (name := line_of(one))]
        else:
            listed = value[:_MOST_DATASETS] if isinstance(value, list) else []
            found = [(f"{key}.{index}", name) for index, one in enumerate(listed) if (name := _dataset(one))]
        if found:
            yield from (Fact("dataset", name, path, place) for place, name in found)
            return


def _dataset(one: Any) -> str | None:
    """An entry of a list of data sets: its path, or the entry itself."""
    return line_of(one.get("path")) if isinstance(one, dict) else line_of(one)


def _at(document: Mapping[str, Any], key: str) -> Any:
    value: Any = document
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
