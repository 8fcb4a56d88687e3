"""How the weights of a model were quantised: what config.json says, and what each GGUF file holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubpub.card.facts.model_identity import quantisation_key
from hubpub.card.facts.sourced import Value, source_of
from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder
    from hubpub.model.gguf import GgufFile

_MOST_SETTINGS = 24
_MOST_FILES = 60
_LONGEST = 100
# -00002-of-00005.gguf belongs to the first file of its series.
_FURTHER_SHARD = Pattern(r".*-(?!00001)\d{5}-of-\d{5}\.gguf")
_HIDDEN = ("quant_method",)


@dataclass(frozen=True, slots=True)
class QuantisedFile:
    """A GGUF file.

    Attributes:
        path: of the file.
        scheme: the type of most of its elements, as ggml names it.
        bytes: of the file, or of the whole series that it begins.
        bits: per parameter, on average.
        parameters: in it.
    """

    path: str
    scheme: str
    bytes: int
    bits: float
    parameters: int


def quantisation_settings(config: Mapping[str, Any]) -> tuple[Value, ...]:
    """The plain settings of the quantisation, by their keys in config.json; those of nested objects with dots."""
    place = quantisation_key(config)
    document = config.get(place)
    found = list(_plain(document, "")) if isinstance(document, dict) else []
    return tuple(
        Value(key, value, source_of("config.json", f"{place}.{key}"))
        for key, value in found[:_MOST_SETTINGS]
        if key not in _HIDDEN
    )


def _plain(document: Mapping[str, Any], prefix: str, depth: int = 0) -> Iterator[tuple[str, int | float | str | bool]]:
    for key, value in list(document.items())[:200]:
        if key.startswith("_"):
            continue
        if isinstance(value, dict) and depth < 3:
            yield from _plain(value, f"{prefix}{key}.", depth + 1)
        elif isinstance(value, bool | int | float) or (isinstance(value, str) and 0 < len(value) <= _LONGEST):
            yield f"{prefix}{key}", value


def quantised_files(folder: ModelFolder) -> tuple[QuantisedFile, ...]:
    """The GGUF files that are models, each series of shards once."""
    series: dict[str, list[str]] = {}
    for path in (path for path, file in folder.gguf.items() if file.is_model):
        first = path if not _FURTHER_SHARD.fullmatch(path) else path[:-20] + "-00001" + path[-14:]
        series.setdefault(first, []).append(path)
    found = (_file(first, [folder.gguf[path] for path in sorted(paths)]) for first, paths in series.items())
    return tuple(sorted(filter(None, found), key=lambda file: file.bytes))[:_MOST_FILES]


def _file(path: str, parts: list[GgufFile]) -> QuantisedFile | None:
    from hubpub.model.ggml import GGML_TYPES

    elements: dict[str, int] = {}
    stored = 0
    for file in parts:
        for tensor in file.tensors.values():
            if tensor.size is None:
                return None
            count = 1
            for length in tensor.dims:
                count *= length
            name = GGML_TYPES[tensor.type][0]
            elements[name] = elements.get(name, 0) + count
            stored += tensor.size
    total = sum(elements.values())
    if not total:
        return None
    scheme = max(elements, key=lambda name: (elements[name], name))
    return QuantisedFile(path, scheme, sum(file.size for file in parts), round(8 * stored / total, 2), total)
