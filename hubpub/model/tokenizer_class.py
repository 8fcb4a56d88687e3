"""Which tokenizer class AutoTokenizer takes for a folder, and which files that class reads.

The choice follows `AutoTokenizer.from_pretrained` of transformers 5 (models/auto/tokenization_auto.py); names, files
and algorithms of the classes are in data/tokenizer_classes.json, so that transformers need not be imported.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hubpub.model.data_files import read_data

GENERIC = "TokenizersBackend"
"""The class without a vocabulary of its own; PreTrainedTokenizerFast is its former name."""

_GENERIC_NAMES = (GENERIC, "PythonBackend", "PreTrainedTokenizerFast", "PreTrainedTokenizer", "MistralCommonBackend")
# Read by every class when there is no tokenizer.json (`other_pattern` of tokenization_utils_base.py).
_ALWAYS_READ = ("tekken.json", "tiktoken.model")
_ALWAYS_READ_STEM = "tokenizer.model"
_NO_VOCABULARY = ("merges.txt", "tokenizer_config.json", "normalizer.json", "emoji.json", "entity_vocab.json")


@dataclass(frozen=True, slots=True)
class TokenizerClass:
    """A tokenizer class of transformers.

    Attributes:
        name: without "Fast".
        files: that it reads besides tokenizer.json; None when that is not known.
        algorithm: that it builds anew whatever tokenizer.json says; None when it takes what is there.
        toy: how many tokens it has when it finds no file and does not fail; None when it fails.
    """

    name: str
    files: tuple[str, ...] | None
    algorithm: str | None = None
    toy: int | None = None

    @property
    def vocabularies(self) -> tuple[str, ...]:
        """Those of its files that hold a vocabulary."""
        return tuple(name for name in self.files or () if name not in _NO_VOCABULARY)

    def reads(self, name: str) -> bool:
        """Whether it takes its vocabulary from a file of this name."""
        always = name in _ALWAYS_READ or name.startswith(_ALWAYS_READ_STEM)
        return self.files is None or name in self.vocabularies or always


def class_of(name: str) -> TokenizerClass | None:
    """The class of that name, with or without "Fast"; None when transformers has none."""
    bare = name.removesuffix("Fast")
    if bare in _GENERIC_NAMES or bare == "PreTrainedTokenizer":
        return TokenizerClass(GENERIC, ())
    facts = _data()["classes"].get(bare)
    if facts is None:
        return None
    files = facts["files"]
    known = tuple(files) if files is not None else None
    return TokenizerClass(bare, known, facts.get("algorithm"), facts.get("toy"))


def is_former_class(name: str) -> bool:
    """Whether transformers 4 had the class, and 5 takes the generic one in its place."""
    return name.removesuffix("Fast") in _data()["former_classes"]


def auto_class(model_type: str | None, declared: str | None, *, byte_level: bool) -> TokenizerClass | None:
    """The class that AutoTokenizer takes; None when there is nothing to choose by.

    Args:
        model_type: of config.json.
        declared: `tokenizer_class` of tokenizer_config.json, else of config.json.
        byte_level: whether tokenizer.json is byte-level, for which LlamaTokenizer is not taken.
    """
    registered = _data()["model_types"].get(model_type or "", "").removesuffix("Fast") or None
    wrong = model_type in _data()["declared_wrongly"]
    bare = declared.removesuffix("Fast") if declared else None
    if bare == "LlamaTokenizer" and byte_level and not wrong:
        return TokenizerClass(GENERIC, ())
    if bare and registered and bare != registered:
        if registered in _GENERIC_NAMES:
            return TokenizerClass(GENERIC, ())
        return class_of(registered if wrong else bare) or TokenizerClass(GENERIC, ())
    if bare:
        return class_of(bare) or TokenizerClass(GENERIC, ())
    if registered:
        return class_of(registered)
    return TokenizerClass(GENERIC, ()) if model_type else None


def generates_text(architectures: Collection[str]) -> bool:
    """Whether the first class continues a text, as causal and encoder-decoder language models do."""
    return next(iter(architectures), None) in _generators()


@lru_cache(maxsize=1)
def _generators() -> frozenset[str]:
    return frozenset(_data()["generators"])


def _data() -> dict[str, Any]:
    data: dict[str, Any] = read_data("tokenizer_classes.json")
    return data
