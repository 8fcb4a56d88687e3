"""How many tokens a model has room for: rows of its token embedding, and positions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from hubpub.model.jsonfile import JsonFile
from hubpub.model.safetensors import Tensor
from hubpub.model.weights import Weights

_TOKENS = frozenset(
    [
        "embed_in",
        "embed_tokens",
        "shared",
        "tok_embeddings",
        "token_embedding",
        "token_embeddings",
        "tokens_embed",
        "word_embedding",
        "word_embeddings",
        "wte",
    ]
)
# Rows behind those of the main table (DecoupledEmbedding of Idefics).
_FURTHER_TOKENS = frozenset(["additional_embedding"])
_POSITIONS = frozenset(["embed_positions", "position_embedding", "position_embeddings", "positions_embed", "wpe"])
# Parts of a name that say of what else the positions are: patches of an image, frames of a sound.
_NOT_TEXT = re.compile(r"(?:^|[._])(?:vision|visual|image|vit|audio|speech|patch|pixel)", re.IGNORECASE)
_FLOATS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Room:
    """A number, and where it comes from.

    Attributes:
        rows: how many tokens (or positions) there is room for.
        path: the file that says so.
        what: the tensor or key, as a message names it.
    """

    rows: int
    path: str
    what: str


def token_room(weights: Weights, directory: str, config: JsonFile | None) -> Room | None:
    """How many tokens the model of one directory can take; None when nothing says.

    The largest embedding counts, and the largest `vocab_size` of config.json where no header shows an embedding: a
    model of several parts (text and audio, encoder and decoder) has several.

    Args:
        weights: of the folder.
        directory: "" or "dir/", where the model is.
        config: its config.json.
    """
    found = _largest(weights, directory, _TOKENS)
    if found is not None:
        path, tensor = found
        further = _largest(weights, directory, _FURTHER_TOKENS)
        return Room(tensor.shape[0] + (further[1].shape[0] if further else 0), path, tensor.name)
    if config is None:
        return None
    size = max(_sizes(config.value, "vocab_size"), default=0)
    if not size:
        return None
    return Room(size + max(_sizes(config.value, "additional_vocab_size"), default=0), "config.json", "vocab_size")


def position_room(weights: Weights, directory: str) -> Room | None:
    """How many positions of text a model with learnt absolute positions has; None for others."""
    found = _largest(weights, directory, _POSITIONS, _NOT_TEXT)
    return Room(found[1].shape[0], found[0], found[1].name) if found else None


def _largest(
    weights: Weights, directory: str, names: Collection[str], but: re.Pattern[str] | None = None
) -> tuple[str, Tensor] | None:
    tables = [
        (path, tensor)
        for path in weights.primary
        if path[: path.rfind("/") + 1] == directory
        for tensor in weights.headers[path].tensors.values()
        if _called(tensor.name, names) and len(tensor.shape) == 2 and tensor.dtype in _FLOATS
        if but is None or not but.search(tensor.name)
    ]
    return max(tables, key=lambda each: each[1].shape[0], default=None)


def _called(name: str, names: Collection[str]) -> bool:
    parts = name.rsplit(".", 2)
    return parts[-1] == "weight" and len(parts) > 1 and parts[-2] in names


def _sizes(value: Any, wanted: str, depth: int = 0) -> Iterator[int]:
    if not isinstance(value, dict) or depth > _DEEPEST:
        return
    for key, inner in value.items():
        if key == wanted and type(inner) is int and inner > 0:
            yield inner
        elif isinstance(inner, dict):
            yield from _sizes(inner, wanted, depth + 1)
