"""What transformers expects of configuration files, as plain data (data/configs.json); nothing is imported from it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from hubpub.model.data_files import read_data


def _data() -> dict[str, Any]:
    data: dict[str, Any] = read_data("configs.json")
    return data


def known_version() -> str:
    """The version of transformers that the data is from."""
    return str(_data()["version"])


def heads_must_divide(model_type: str) -> list[tuple[str, str]]:
    """The pairs (key of the width, key of the heads) of which transformers refuses a remainder; [] when unsure."""
    return [(width, heads) for width, heads in _data()["heads_divide"].get(model_type, ())]


def wants_preprocessor(architecture: str) -> str | None:
    """What a class of transformers takes by way of a preprocessor: "images", "sound" or None."""
    data = _data()
    if architecture in data["image_architectures"]:
        return "images"
    return "sound" if architecture in data["audio_architectures"] else None


@lru_cache(maxsize=1)
def generation_keys() -> frozenset[str]:
    """The keys that GenerationConfig knows."""
    return frozenset(_data()["generation_keys"])


@lru_cache(maxsize=1)
def rope_types() -> frozenset[str]:
    """The kinds of rotary embedding that transformers can build."""
    return frozenset(_data()["rope_types"])


def sections(config: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The configuration itself ("") and those of its parts ("text_config.", ...), one level deep."""
    yield "", config
    for key, value in config.items():
        if isinstance(value, dict) and (key.endswith("_config") or key in ("encoder", "decoder")):
            yield f"{key}.", value
