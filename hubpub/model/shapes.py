"""What config.json promises of the tensors, for well-known model types: layers, vocabulary, labels. Headers only.

Only model types are listed whose stored names and shapes follow from config.json alone in every version of
transformers; for all others, the class itself has to be asked (`hubpub.model.architecture`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hubpub.model.safetensors import Tensor

# What wraps a model while it is trained or compiled, and stays in the names of a state_dict saved from the outside:
# torch.nn.parallel (module), torch.compile (_orig_mod), FSDP, activation checkpointing, an adapter that was not merged.
_ADAPTED = "base_layer"
_WRAPPERS = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module", _ADAPTED)
_ADAPTER_PARTS = frozenset(
    ("lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B", "lora_magnitude_vector", "lora_bias")
)
_LEADING = ("module.", "base_model.model.")


@dataclass(frozen=True, slots=True)
class _Plain:
    """How a model type names things: {stack: key of config.json with its layers}, and its embedding."""

    layers: tuple[tuple[str, str], ...]
    embedding: str


_BERT = _Plain((("encoder.layer", "num_hidden_layers"),), "embeddings.word_embeddings.weight")
_LLAMA = _Plain((("layers", "num_hidden_layers"),), "embed_tokens.weight")
_GPT2 = _Plain((("h", "n_layer"),), "wte.weight")
_T5 = _Plain((("encoder.block", "num_layers"), ("decoder.block", "num_decoder_layers")), "shared.weight")
_BART = _Plain((("encoder.layers", "encoder_layers"), ("decoder.layers", "decoder_layers")), "shared.weight")
_PLAIN = {
    **dict.fromkeys(
        ("bert", "roberta", "xlm-roberta", "camembert", "electra", "mpnet", "deberta", "deberta-v2"), _BERT
    ),
    **dict.fromkeys(("llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe"), _LLAMA),
    **dict.fromkeys(("gemma", "gemma2", "phi", "phi3", "starcoder2", "stablelm", "olmo", "olmo2", "granite"), _LLAMA),
    **dict.fromkeys(("gpt2", "gptj", "codegen"), _GPT2),
    **dict.fromkeys(("t5", "mt5"), _T5),
    **dict.fromkeys(("bart", "mbart"), _BART),
    "distilbert": _Plain((("transformer.layer", "n_layers"),), "embeddings.word_embeddings.weight"),
    "gpt_neox": _Plain((("layers", "num_hidden_layers"),), "embed_in.weight"),
}

_HEADS = ("classifier.weight", "score.weight", "classifier.out_proj.weight", "classification_head.out_proj.weight")
_LABELLED = ("ForSequenceClassification", "ForTokenClassification", "ForImageClassification", "ForAudioClassification")
_FLOATS = ("F16", "BF16", "F32", "F64")


@dataclass(frozen=True, slots=True)
class LayerCount:
    """Another number of layers than config.json says.

    Attributes:
        key: of config.json.
        stack: what the names of the layers begin with.
        said: by config.json.
        stored: layers that there are.
    """

    key: str
    stack: str
    said: int
    stored: int


@dataclass(frozen=True, slots=True)
class RowCount:
    """A matrix with another number of rows than config.json says.

    Attributes:
        key: of config.json.
        tensor: its name.
        said: by config.json.
        rows: of the matrix.
    """

    key: str
    tensor: str
    said: int
    rows: int


@dataclass(frozen=True, slots=True)
class Promises:
    """Where the tensors of a folder are not as config.json says.

    Attributes:
        layers: stacks of another depth.
        vocabulary: the embedding, when it has other rows than `vocab_size`.
        labels: the head of a classifier, when it has other rows than there are labels.
        num_labels: (num_labels, number of labels in id2label), when both are there and differ.
    """

    layers: tuple[LayerCount, ...] = ()
    vocabulary: RowCount | None = None
    labels: RowCount | None = None
    num_labels: tuple[int, int] | None = None


def wrapped(names: Iterable[str]) -> dict[str, list[str]]:
    """The names that carry what training wraps around a model, by that wrapper.

    `module.` and `base_model.model.` are wrappers only where nearly every name begins with them.
    """
    found: dict[str, list[str]] = {}
    total = 0
    for name in names:
        total += 1
        parts = name.split(".")
        for wrapper in (*_WRAPPERS, *_LEADING):
            if wrapper in parts or (wrapper in _LEADING and name.startswith(wrapper)):
                found.setdefault(wrapper.removesuffix(".") + ".", []).append(name)
    return {
        wrapper: names for wrapper, names in found.items() if wrapper not in _LEADING or len(names) * 10 >= total * 9
    }


def unwrapped_names(tensors: Mapping[str, Tensor]) -> dict[str, str] | None:
    """The names that tensors have without what training wraps around a model, by those that carry it.

    None where it takes more than other names: an adapter that was not merged, or two tensors for one name.
    """
    wrappers = wrapped(tensors)
    if _ADAPTED + "." in wrappers:
        return None
    names = {name: _unwrapped(name, wrappers) for name in tensors}
    if len(set(names.values())) < len(names):
        return None
    return {name: new for name, new in names.items() if new != name}


def unwrap(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names that they have without what training wraps around a model.

    The matrices of an adapter that was not merged are left out: it is `wrapped` that tells of it.
    """
    wrappers = wrapped(tensors)
    if not wrappers:
        return dict(tensors)
    adapted = _ADAPTED + "." in wrappers
    return {
        _unwrapped(name, wrappers): tensor
        for name, tensor in tensors.items()
        if not adapted or _ADAPTER_PARTS.isdisjoint(name.split("."))
    }


def _unwrapped(name: str, wrappers: Iterable[str]) -> str:
    for wrapper in wrappers:
        if wrapper in _LEADING:
            name = name.removeprefix(wrapper)
        else:
            name = ".".join(part for part in name.split(".") if part + "." != wrapper)
    return name


def broken_promises(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Promises:
    """Compare config.json with the headers of a model whose class is one of transformers and not quantised."""
    plain = _PLAIN.get(str(config.get("model_type")))
    stripped = unwrap(tensors)
    return Promises(
        layers=tuple(_layers(plain, config, stripped)) if plain else (),
        vocabulary=_vocabulary(plain, config, stripped) if plain else None,
        labels=_labels(config, stripped),
        num_labels=_num_labels(config),
    )


def _layers(plain: _Plain, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Iterator[LayerCount]:
    if config.get("num_nextn_predict_layers"):
        return
    for stack, key in plain.layers:
        said = config.get(key)
        place = _place(stack)
        found = [match for name in tensors if (match := place.match(name))]
        if type(said) is int and found:
            stored = max(int(match["index"]) for match in found) + 1
            if stored != said:
                yield LayerCount(key, found[0]["stack"], said, stored)


@lru_cache(maxsize=32)
def _place(stack: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<stack>(?:\w+\.)?{re.escape(stack)})\.(?P<index>\d{{1,9}})\.")


def _vocabulary(plain: _Plain, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> RowCount | None:
    said = config.get("vocab_size")
    if type(said) is not int:
        return None
    name = next((name for name in tensors if _at_most_one_below(name, plain.embedding)), None)
    return _rows("vocab_size", said, name, tensors)


def _at_most_one_below(name: str, wanted: str) -> bool:
    """Whether the name is the wanted one, or that with the name of a base model in front."""
    return name == wanted or (name.endswith("." + wanted) and name.count(".") == wanted.count(".") + 1)


def _rows(key: str, said: int, name: str | None, tensors: Mapping[str, Tensor]) -> RowCount | None:
    tensor = tensors.get(name) if name is not None else None
    if name is None or tensor is None or len(tensor.shape) != 2 or tensor.dtype not in _FLOATS:
        return None
    return None if tensor.shape[0] == said else RowCount(key, name, said, tensor.shape[0])


def _labels(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> RowCount | None:
    names = config.get("architectures")
    if not (isinstance(names, list) and names and str(names[0]).endswith(_LABELLED)):
        return None
    id2label, num_labels = config.get("id2label"), config.get("num_labels")
    if isinstance(id2label, dict) and id2label:
        key, said = "id2label", len(id2label)
    elif type(num_labels) is int:
        key, said = "num_labels", num_labels
    else:
        return None
    return _rows(key, said, next((name for name in _HEADS if name in tensors), None), tensors)


def _num_labels(config: Mapping[str, Any]) -> tuple[int, int] | None:
    id2label, num_labels = config.get("id2label"), config.get("num_labels")
    if isinstance(id2label, dict) and id2label and type(num_labels) is int and num_labels != len(id2label):
        return num_labels, len(id2label)
    return None
