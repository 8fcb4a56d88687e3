"""What kind of model repository a folder is, by the names of its files and a look into config.json."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING

from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.model.jsonfile import JsonFile


class ModelKind(StrEnum):
    """The library or format that a folder is made for."""

    TRANSFORMERS = "transformers"
    ADAPTER = "adapter"
    SENTENCE_TRANSFORMERS = "sentence-transformers"
    DIFFUSERS = "diffusers"
    GGUF = "gguf"
    ONNX = "onnx"
    CTRANSLATE2 = "ctranslate2"
    SPACY = "spacy"
    TIMM = "timm"
    TOKENIZER = "tokenizer"
    WEIGHTS = "weights"
    OTHER = "other"


# WEIGHTS_NAME, SAFE_WEIGHTS_NAME and the like of transformers/utils/__init__.py, with variant and number.
_TRANSFORMERS_WEIGHTS = Pattern(
    r"(?:model|pytorch_model)(?:\.\w+)?(?:-\d{5}-of-\d{5})?\.(?:safetensors|bin)(?:\.index(?:\.\w+)?\.json)?"
    r"|tf_model\.h5|flax_model\.msgpack"
)
_TRANSFORMERS_KEYS = (
    "model_type",
    "architectures",
    "auto_map",
    "transformers_version",
    "quantization_config",
)
# Keys that a configuration of transformers has although somebody removed those above.
_SHAPE_KEYS = {
    "attention_probs_dropout_prob",
    "d_model",
    "hidden_act",
    "hidden_size",
    "id2label",
    "initializer_range",
    "intermediate_size",
    "max_position_embeddings",
    "n_layer",
    "num_attention_heads",
    "num_hidden_layers",
    "vocab_size",
}
_BESIDE_TRANSFORMERS = {
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
}
_PICKLED_OR_SAFE = {"safetensors", "pytorch", "flax", "keras"}


def model_kind(names: Collection[str], config: JsonFile | None, formats: Collection[str]) -> ModelKind:
    """The kind of a folder.

    Args:
        names: the files directly in the folder.
        config: config.json as read.
        formats: the weight formats present, as `Weights.formats` names them.
    """
    full_model = any(_TRANSFORMERS_WEIGHTS.fullmatch(name) for name in names)
    if not full_model and any(name.startswith(("adapter_config.", "adapter_model.")) for name in names):
        return ModelKind.ADAPTER
    if "model_index.json" in names:
        return ModelKind.DIFFUSERS
    if "modules.json" in names:
        return ModelKind.SENTENCE_TRANSFORMERS
    if {"meta.json", "config.cfg"} <= set(names):
        return ModelKind.SPACY
    if "ctranslate2" in formats and not _PICKLED_OR_SAFE & set(formats):
        return ModelKind.CTRANSLATE2
    if config is not None and config.get("architecture") and not config.get("model_type"):
        return ModelKind.TIMM
    if formats and not _PICKLED_OR_SAFE & set(formats):
        if "gguf" in formats:
            return ModelKind.GGUF
        if "onnx" in formats:
            return ModelKind.ONNX
    if config is not None and _is_transformers(config):
        return ModelKind.TRANSFORMERS
    if full_model and (config is None or looks_like_transformers(names)):
        return ModelKind.TRANSFORMERS
    if formats:
        return ModelKind.WEIGHTS
    return ModelKind.TOKENIZER if looks_like_transformers(names) else ModelKind.OTHER


def looks_like_transformers(names: Collection[str]) -> bool:
    """Whether files other than the weights and config.json are those that transformers writes."""
    return not _BESIDE_TRANSFORMERS.isdisjoint(names)


def _is_transformers(config: JsonFile) -> bool:
    """Whether config.json is one of transformers: an unreadable one counts, another library's does not."""
    if not isinstance(config.value, dict):
        return True
    return any(key in config.value for key in _TRANSFORMERS_KEYS) or len(_SHAPE_KEYS & config.value.keys()) >= 2
