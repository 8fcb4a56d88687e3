"""Which model a training begins with: configurations that transformers 5 saves no longer say it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any


def loaded_from(model: Any) -> str | None:
    """The name that the weights were loaded by from the Hub; None for those of a folder, and for random ones.

    Args:
        model: of transformers, or a SentenceTransformer or a model of PEFT around one.
    """
    for name in _names(model):
        if isinstance(name, str) and name and not _is_folder(name):
            return name
    return None


def _names(model: Any) -> Iterator[Any]:
    # a SentenceTransformer is a sequence of modules, the first of which holds the model of transformers
    first = next(iter(model), None) if hasattr(model, "encode") and hasattr(model, "__iter__") else None
    for one in (model, getattr(first, "auto_model", None)):
        yield getattr(getattr(one, "config", None), "_name_or_path", None)
        yield getattr(one, "name_or_path", None)


def _is_folder(name: str) -> bool:
    """Whether transformers takes a folder of that name, and no repo; names of more than two parts are paths too."""
    return name.startswith(("/", ".", "~")) or "\\" in name or name.count("/") > 1 or Path(name).exists()
