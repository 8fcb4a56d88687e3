"""CONF: values of config.json that transformers refuses, or takes for something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import listed
from hubpub.model.configs import heads_must_divide, known_version, rope_types, sections
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.rules.registry import model_rules

PATH = "config.json"
_DOCS = "https://huggingface.co/docs/transformers/main_classes/configuration"
_SOURCE = "https://github.com/huggingface/transformers/blob/main/src/transformers/configuration_utils.py"

# Keys that are whole numbers in every architecture that has them, or lists of them in some. Only of the first group it
# is sure that no model has a negative one: -1 elsewhere stands for "not limited".
_SIZES = (
    "hidden_size",
    "num_hidden_layers",
    "vocab_size",
    "d_model",
    "n_embd",
    "n_layer",
    "num_attention_heads",
    "num_key_value_heads",
    "n_head",
)
_NUMBERS = (
    *_SIZES,
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
    "n_positions",
    "encoder_layers",
    "decoder_layers",
    "encoder_attention_heads",
    "decoder_attention_heads",
    "num_labels",
    "image_size",
    "patch_size",
    "num_channels",
    "head_dim",
)
_FLOATS = (
    "layer_norm_eps",
    "layer_norm_epsilon",
    "rms_norm_eps",
    "initializer_range",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "attention_dropout",
    "rope_theta",
)
_FLAGS = ("tie_word_embeddings", "use_cache", "is_decoder", "is_encoder_decoder", "add_cross_attention")


def transformers_config(folder: ModelFolder) -> dict[str, Any] | None:
    """The document of config.json when it is one that transformers reads with a class of its own."""
    if folder.kind not in (ModelKind.TRANSFORMERS, ModelKind.SENTENCE_TRANSFORMERS, ModelKind.ONNX):
        return None
    config = folder.config
    return config.value if config is not None and isinstance(config.value, dict) and folder.model_type else None


@model_rules.rule(
    "CONF009",
    "config-value-type",
    Severity.ERROR,
    summary="A value of config.json has a type that the configuration class refuses.",
    why='AutoConfig of transformers 5 validates types: "hidden_size": "32" raises, so the model does not load; a '
    'flag written as "false" counts as true in code that does not validate.',
    bad='{"model_type": "bert", "hidden_size": "32"}',
    good='{"model_type": "bert", "hidden_size": 32}',
    hint="write numbers and true or false without quotation marks",
    source=_DOCS,
)
def config_value_type(folder: ModelFolder) -> Iterator[Problem]:
    """Only keys that mean the same in every architecture; a configuration of custom code may differ."""
    config = transformers_config(folder)
    if config is None or config.get("auto_map"):
        return
    wrong = [f"{where}{text}" for where, part in sections(config) for text in _wrong_types(part)]
    if wrong:
        yield Problem(f"{PATH} has values of a wrong type: {listed(wrong)}", path=PATH)


def _wrong_types(config: dict[str, Any]) -> Iterator[str]:
    for key in _NUMBERS:
        value = config.get(key)
        if isinstance(value, str | bool):  # LXMERT's num_hidden_layers is an object, others have lists
            yield f"{key} is {_shown(value)}, not a whole number"
        elif isinstance(value, float) and not value.is_integer():
            yield f"{key} is {value}, not a whole number"
        elif isinstance(value, int) and key in _SIZES and (value < 0 or (value == 0 and key == "hidden_size")):
            yield f"{key} is {value}, which no model has"
    for key in _FLOATS:
        if isinstance(value := config.get(key), str | bool | dict | list):
            yield f"{key} is {_shown(value)}, not a number"
    for key in _FLAGS:
        if isinstance(value := config.get(key), str):
            yield f"{key} is {_shown(value)}, not true or false"


@model_rules.rule(
    "CONF010",
    "heads-do-not-divide",
    Severity.ERROR,
    summary="The width of the model is not a multiple of its number of attention heads.",
    why="Most architectures give each head an equal share of the width and raise ValueError when they are built.",
    bad='{"model_type": "bert", "hidden_size": 32, "num_attention_heads": 5}',
    good='{"model_type": "bert", "hidden_size": 32, "num_attention_heads": 4}',
    hint="one of the two numbers is not that of the saved model: restore it",
    source=_SOURCE,
)
def heads_do_not_divide(folder: ModelFolder) -> Iterator[Problem]:
    """Only model types of which transformers was seen to refuse it, and only without a head_dim of their own."""
    config = transformers_config(folder)
    if config is None or config.get("auto_map"):
        return
    for where, part in sections(config):
        model_type = part.get("model_type")
        if not isinstance(model_type, str) or part.get("head_dim") is not None:
            continue
        for width_key, heads_key in heads_must_divide(model_type):
            width, heads = part.get(width_key), part.get(heads_key)
            if type(width) is int and type(heads) is int and heads > 0 and width > 0 and width % heads:
                yield Problem(
                    f"{PATH}: {where}{width_key} {width:,} is not a multiple of {heads_key} {heads:,}", path=PATH
                )
                break


@model_rules.rule(
    "CONF013",
    "architectures-malformed",
    Severity.ERROR,
    summary="architectures in config.json is not a list of class names.",
    why="Every reader takes its first item for the name of the class: of a string that is its first letter.",
    bad='{"architectures": "BertModel"}',
    good='{"architectures": ["BertModel"]}',
    hint="write it as a list with the one name",
    source=_DOCS,
)
def architectures_malformed(folder: ModelFolder) -> Iterator[Problem]:
    """Anything but a list of strings; none at all is CONF004's."""
    value = folder.config.get("architectures") if folder.config else None
    if value in (None, []) or folder.kind is ModelKind.DIFFUSERS:
        return
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        yield Problem(f"{PATH}: architectures is {_shown(value)}, not a list of class names", path=PATH)


# The attributes of torch that are a dtype by which a model can be loaded (torch 2.13).
_DTYPES = re.compile(
    r"b?float16|float(?:32|64)|half|float|double|float8_e(?:4m3fn|5m2|4m3fnuz|5m2fnuz|8m0fnu)|float4_e2m1fn_x2"
    r"|u?int(?:8|16|32|64)|short|int|long|bool|complex(?:32|64|128)|cfloat|cdouble|chalf"
)
_SAME = {"half": "float16", "float": "float32", "double": "float64"}


@model_rules.rule(
    "CONF014",
    "dtype-unknown",
    Severity.ERROR,
    summary="config.json names a dtype that torch does not have, or two different ones.",
    why="AutoConfig looks the name up in torch and raises AttributeError, so the model does not load. With dtype and "
    "torch_dtype both there, versions 4 and 5 of transformers load the model in different precisions.",
    bad='{"dtype": "fp16"}',
    good='{"dtype": "float16"}',
    hint="name the dtype of the stored tensors as torch does: float32, float16 or bfloat16",
    source=_SOURCE,
)
def dtype_unknown(folder: ModelFolder) -> Iterator[Problem]:
    """The configuration and those of its parts; two names that differ are a warning."""
    config = transformers_config(folder)
    if config is None:
        return
    for where, part in sections(config):
        old, new = part.get("torch_dtype"), part.get("dtype")
        unknown = [name for name in (old, new) if name is not None and not _is_dtype(name)]
        if unknown:
            key = "torch_dtype" if unknown[0] is old else "dtype"
            yield Problem(f"{PATH}: {where}{key} is {_shown(unknown[0])}, which torch does not have", path=PATH)
        elif old and new and _SAME.get(old, old) != _SAME.get(new, new):
            message = f"{PATH}: {where}dtype is {new} and {where}torch_dtype is {old}"
            yield Problem(
                message,
                path=PATH,
                severity=Severity.WARNING,
                hint="keep dtype alone, with the dtype of the stored tensors",
            )


def _is_dtype(name: Any) -> bool:
    # "auto" was written by early versions of transformers 4, and custom code still reads it.
    return isinstance(name, str) and (_DTYPES.fullmatch(name) is not None or name == "auto")


@model_rules.rule(
    "CONF015",
    "transformers-version-odd",
    Severity.INFO,
    summary="transformers_version in config.json is not a version, or a development version.",
    why="It tells users which transformers they need at least; a development version cannot be installed by name.",
    bad='{"transformers_version": "5.24.0.dev0"}',
    good='{"transformers_version": "5.24.0"}',
    hint="save the model with a released version of transformers, or say in the card what it needs",
    source=_SOURCE,
)
def transformers_version_odd(folder: ModelFolder) -> Iterator[Problem]:
    """What is no version at all; and a development version newer than all releases known here."""
    config = transformers_config(folder)
    version = config.get("transformers_version") if config else None
    if version is None:
        return
    if not isinstance(version, str) or (numbers := _release(version)) is None:
        yield Problem(f"{PATH}: transformers_version is {_shown(version)}, which is no version", path=PATH)
    elif "dev" in version and numbers > (_release(known_version()) or ()):
        yield Problem(f"{PATH}: transformers_version is {version}, a development version", path=PATH)


def _release(version: str) -> tuple[int, ...] | None:
    found = re.match(r"(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?:[.\-+]?[A-Za-z][\w.+-]*)?$", version)
    return tuple(int(number or 0) for number in found.groups()) if found else None


@model_rules.rule(
    "CONF016",
    "rope-malformed",
    Severity.ERROR,
    summary="The scaling of the rotary embedding in config.json is not one that transformers can build.",
    why="transformers raises on a missing factor, and of an unknown type it only logs that it has no check for it "
    "before the model fails to build.",
    bad='{"rope_scaling": {"type": "linear"}}',
    good='{"rope_scaling": {"rope_type": "linear", "factor": 2.0}}',
    hint="restore the setting of the model that this one was trained from",
    source="https://github.com/huggingface/transformers/blob/main/src/transformers/modeling_rope_utils.py",
)
def rope_malformed(folder: ModelFolder) -> Iterator[Problem]:
    """rope_scaling and rope_parameters, also one per layer type; what custom code reads is its own business."""
    config = transformers_config(folder)
    if config is None or config.get("auto_map"):
        return
    for where, part in sections(config):
        for key in ("rope_scaling", "rope_parameters"):
            if (value := part.get(key)) is not None and (reason := _rope_problem(value)) is not None:
                yield Problem(f"{PATH}: {where}{key} {reason}", path=PATH)


# Keys that modeling_rope_utils.py requires; rope_theta may also stand beside the dictionary.
_ROPE_NEEDS = {
    "linear": ("factor",),
    "dynamic": ("factor",),
    "yarn": ("factor",),
    "longrope": ("short_factor", "long_factor"),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor"),
}


def _rope_problem(value: Any) -> str | None:
    if not isinstance(value, dict):
        return f"is {_shown(value)}, not an object"
    if not value:
        return None
    nested = [item for item in value.values() if isinstance(item, dict)]
    if nested and "rope_type" not in value and "type" not in value:
        return next((reason for item in nested if (reason := _rope_problem(item)) is not None), None)
    kind = value.get("rope_type", value.get("type", "default"))
    if not isinstance(kind, str):
        return f"has the type {_shown(kind)}"
    # Types that only one architecture has (mrope, su, ntk, ...) are left alone.
    missing = [key for key in _ROPE_NEEDS.get(kind, ()) if kind in rope_types() and key not in value]
    if missing:
        return f"has the type {kind} and no {listed(missing)}"
    factor = value.get("factor")
    if factor is not None and (isinstance(factor, bool) or not isinstance(factor, int | float)):
        return f"has the factor {_shown(factor)}, not a number"
    return None


@model_rules.rule(
    "CONF017",
    "quantization-without-method",
    Severity.WARNING,
    summary="quantization_config in config.json does not say how the weights are quantised.",
    why="transformers raises, or loads the packed integers as if they were weights; servers cannot choose a kernel.",
    bad='{"quantization_config": {"bits": 4, "group_size": 128}}',
    good='{"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}}',
    hint="add quant_method: gptq, awq, bitsandbytes, compressed-tensors, fp8, ...",
    source="https://huggingface.co/docs/transformers/main_classes/quantization",
)
def quantization_without_method(folder: ModelFolder) -> Iterator[Problem]:
    """load_in_4bit and load_in_8bit imply bitsandbytes, as in files of transformers 4.30; MLX has one method only."""
    config = transformers_config(folder)
    value = config.get("quantization_config") if config else None
    if value is None or folder.weights.mlx:
        return
    if not isinstance(value, dict):
        yield Problem(f"{PATH}: quantization_config is {_shown(value)}, not an object", path=PATH)
    elif not value.get("quant_method") and not value.get("load_in_8bit") and not value.get("load_in_4bit"):
        yield Problem(f"{PATH}: quantization_config has no quant_method", path=PATH)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
