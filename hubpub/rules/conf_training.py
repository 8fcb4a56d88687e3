"""CONF: what training and the training machine left in configuration files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import counted
from hubpub.model.configs import sections
from hubpub.model.folder import ModelFolder
from hubpub.rules.conf_values import PATH, transformers_config
from hubpub.rules.registry import model_rules


@model_rules.rule(
    "CONF005",
    "local-path",
    Severity.WARNING,
    summary="A configuration file names a path of the machine that it was made on.",
    why="It tells everybody names of users, projects and servers, and whoever follows it finds nothing: the base model "
    "stays unknown. Published models carry such paths in _name_or_path, special_tokens_map_file, trainer_state.json.",
    bad='{"_name_or_path": "/home/alice/runs/checkpoint-500"}',
    good='{"_name_or_path": "google-bert/bert-base-uncased"}',
    hint="write the id of the repo on the Hub in its place, or remove the key",
    source="https://github.com/huggingface/transformers/blob/main/src/transformers/configuration_utils.py",
)
def local_path(folder: ModelFolder) -> Iterator[Problem]:
    """One finding per JSON file: its first path, and how many more there are."""
    for seen in folder.text_files.values():
        paths = [
            (path, line)
            for path, line in zip(seen.local_paths, seen.lines, strict=True)
            # Without its base model an adapter does not load at all: that is a finding about the adapter.
            if not (path.key == "base_model_name_or_path" and seen.path.endswith("adapter_config.json"))
        ]
        if not paths:
            continue
        first, line = paths[0]
        more = f", and {counted(len(paths) - 1, 'more path')}" if len(paths) > 1 else ""
        value = first.value if len(first.value) <= 100 else first.value[:97] + "..."
        named = f"{first.key}: {value}" if first.key else value
        yield Problem(f"{seen.path} names a path of one machine ({named}){more}", seen.path, line)


@model_rules.rule(
    "CONF018",
    "cache-switched-off",
    Severity.WARNING,
    summary="config.json of a model that generates has use_cache: false.",
    why="Training with gradient checkpointing switches the cache off, and save_pretrained writes that down. Every user "
    "then generates without the key-value cache: the same text, many times slower.",
    bad='{"model_type": "llama", "use_cache": false}',
    good='{"model_type": "llama", "use_cache": true}',
    hint="set use_cache to true",
    source="https://github.com/huggingface/trl/pull/3891",
)
def cache_switched_off(folder: ModelFolder) -> Iterator[Problem]:
    """Only classes that generate, and not where generation_config.json switches it on again."""
    config = transformers_config(folder)
    if config is None or not any(name.endswith(_GENERATING) for name in folder.architectures):
        return
    if folder.model_type in _OFF_BY_DEFAULT:
        return
    generation = folder.generation_config
    if generation is not None and generation.get("use_cache") is True:
        return
    off = [where for where, part in sections(config) if part.get("use_cache") is False]
    # In the parts of a composed model only that of the text matters.
    named = [where for where in off if where in ("", "text_config.", "llm_config.", "decoder.")]
    if named:
        yield Problem(
            f"{PATH}: {named[0]}use_cache is false, as training with gradient checkpointing sets it", path=PATH
        )


# Model types whose configuration class has use_cache off by default (transformers 5.24).
_OFF_BY_DEFAULT = frozenset({"evolla", "mimi", "mpt", "pix2struct"})
_GENERATING = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "ForSpeechSeq2Seq", "ForImageTextToText")


@model_rules.rule(
    "CONF019",
    "training-setting-left",
    Severity.WARNING,
    summary="config.json fixes how the model is run: an attention kernel, or gradient checkpointing.",
    why="With flash_attention_2 written into config.json the model does not load where that package or a GPU is "
    "missing; gradient_checkpointing belongs to the training and is ignored, or refused, afterwards.",
    bad='{"_attn_implementation": "flash_attention_2"}',
    good="config.json without the key; whoever loads the model chooses by attn_implementation=",
    hint="remove the key",
    source="https://huggingface.co/docs/transformers/attention_interface",
)
def training_setting_left(folder: ModelFolder) -> Iterator[Problem]:
    """Kernels that a package or a GPU is needed for, and gradient_checkpointing: true; all in one finding."""
    config = transformers_config(folder)
    if config is None:
        return
    found = [f"{where}{text}" for where, part in sections(config) for text in _settings(part)]
    if found:
        yield Problem(f"{PATH} fixes how the model is run: {', '.join(dict.fromkeys(found))}", path=PATH)


def _settings(config: dict[str, Any]) -> Iterator[str]:
    for key in ("_attn_implementation", "attn_implementation", "_attn_implementation_internal"):
        value = config.get(key)
        if isinstance(value, str) and ("flash" in value or value == "flex_attention"):
            yield f"{key} is {value[:60]}"
    if config.get("gradient_checkpointing") is True:
        yield "gradient_checkpointing is true"


@model_rules.rule(
    "CONF020",
    "code-of-another-repo",
    Severity.INFO,
    summary="auto_map in a configuration names code of another repo.",
    why="Whoever loads the model with trust_remote_code runs code that somebody else can change at any time, and the "
    "model stops loading when that repo is renamed or deleted.",
    bad='{"auto_map": {"AutoModel": "someone/repo--modeling.Model"}}',
    good='{"auto_map": {"AutoModel": "modeling.Model"}} with modeling.py beside it',
    hint="copy the code into the folder and name it without the repo, if its licence allows",
    source="https://huggingface.co/docs/transformers/custom_models",
)
def code_of_another_repo(folder: ModelFolder) -> Iterator[Problem]:
    """One finding per file, with the repos."""
    for path in ("config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json"):
        document = folder.json(path)
        auto_map = document.get("auto_map") if document else None
        values = auto_map.values() if isinstance(auto_map, dict) else ()
        named = [name for value in values for name in (value if isinstance(value, list) else [value])]
        repos = sorted({name.partition("--")[0] for name in named if isinstance(name, str) and "--" in name})
        if repos:
            yield Problem(f"{path}: auto_map names code of another repo: {', '.join(repos)[:200]}", path=path)
