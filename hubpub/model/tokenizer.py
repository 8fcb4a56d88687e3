"""The tokenizer of a folder: which of its files are there, and whether one of them holds a vocabulary.

The names come from transformers (`vocab_files_names` of its tokenizer classes, in data/tokenizers.json), from
mistral-common (tekken.json) and tiktoken (*.tiktoken).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from hubpub.model.jsonfile import JsonFile, JsonProblem
from hubpub.model.walk import FileEntry

TOKENIZER_JSON = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"

_COMPANIONS = (
    TOKENIZER_CONFIG,
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "chat_template.jinja",
)
_VOCABULARY_SUFFIXES = (".model", ".spm", ".tiktoken", ".bpe")


@dataclass(frozen=True, slots=True)
class TokenizerJson:
    """What is needed of tokenizer.json; the document itself, often 30 MB, is not kept.

    Attributes:
        algorithm: "BPE", "WordPiece", "Unigram", "WordLevel"; None when it does not say.
        vocabulary: entries of the model's vocabulary; None when there is no readable model.
        added_tokens: how many tokens are added to it.
        problem: what is wrong with the file.
    """

    algorithm: str | None
    vocabulary: int | None
    added_tokens: int
    problem: JsonProblem | None


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """The tokenizer files of one directory.

    Attributes:
        files: every file of a tokenizer, by path.
        vocabularies: those that hold a vocabulary (an empty tokenizer.json does not count).
        tokenizer_json: tokenizer.json as read; None when there is none.
        config: tokenizer_config.json as read; None when there is none.
    """

    files: tuple[str, ...] = ()
    vocabularies: tuple[str, ...] = ()
    tokenizer_json: TokenizerJson | None = None
    config: JsonFile | None = None

    @property
    def tokenizer_class(self) -> str | None:
        """`tokenizer_class` of tokenizer_config.json."""
        name = self.config.get("tokenizer_class") if self.config else None
        return name if isinstance(name, str) else None

    @property
    def usable(self) -> bool:
        """Whether a tokenizer can be made of these files without inventing a vocabulary.

        Byte-level classes such as ByT5Tokenizer need none; of a class from `auto_map` nothing can be told.
        """
        if self.vocabularies:
            return True
        if self.config is None:
            return False
        return bool(self.config.get("auto_map")) or self.tokenizer_class in classes_without_vocabulary()


def read_tokenizer(
    directory: str,
    files: Collection[FileEntry],
    *,
    tokenizer_json: Callable[[str], TokenizerJson],
    config: Callable[[str], JsonFile | None],
) -> TokenizerFiles:
    """The tokenizer files in `directory` ("" or "dir/").

    Args:
        directory: where to look; not below it.
        files: the files of the folder.
        tokenizer_json: reads and digests a tokenizer.json.
        config: reads a JSON file of the folder.
    """
    known = vocabulary_names()
    found: list[str] = []
    vocabularies: list[str] = []
    digest = None
    for entry in files:
        if entry.path != directory + entry.name or not entry.size:
            continue
        if entry.name == TOKENIZER_JSON:
            digest = tokenizer_json(entry.path)
        if entry.name in known or entry.name.endswith(_VOCABULARY_SUFFIXES):
            found.append(entry.path)
            if entry.name != TOKENIZER_JSON or (digest and (digest.problem or digest.vocabulary != 0)):
                vocabularies.append(entry.path)
        elif entry.name in _COMPANIONS:
            found.append(entry.path)
    return TokenizerFiles(tuple(found), tuple(vocabularies), digest, config(directory + TOKENIZER_CONFIG))


def digest_tokenizer_json(document: JsonFile) -> TokenizerJson:
    """What is needed of a tokenizer.json, format of https://github.com/huggingface/tokenizers."""
    model = document.get("model")
    added = document.get("added_tokens")
    algorithm = model.get("type") if isinstance(model, dict) else None
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    return TokenizerJson(
        algorithm if isinstance(algorithm, str) else None,
        len(vocabulary) if isinstance(vocabulary, dict | list) else None,
        len(added) if isinstance(added, list) else 0,
        document.problem,
    )


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((resources.files("hubpub.model") / "data" / "tokenizers.json").read_text("utf-8"))
    return data


@lru_cache(maxsize=1)
def vocabulary_names() -> frozenset[str]:
    """File names that hold a vocabulary."""
    return frozenset([*_data()["vocabulary_files"], "tekken.json"])


@lru_cache(maxsize=1)
def classes_without_vocabulary() -> frozenset[str]:
    """Tokenizer classes that need no vocabulary file."""
    return frozenset(_data()["classes_without_vocabulary"])


def takes_text(architectures: Collection[str], model_type: str | None) -> bool | None:
    """Whether a model is of no use without a text tokenizer; None when transformers does not know it.

    The class decides where it is known: `Wav2Vec2ForCTC` needs a tokenizer and
    `Wav2Vec2ForSequenceClassification` does not, though both have the model type wav2vec2.
    """
    data = _data()
    known = [
        name for name in architectures if name in data["text_architectures"] or name in data["other_architectures"]
    ]
    if known:
        return any(name in data["text_architectures"] for name in known)
    if architectures:
        return None
    return True if model_type in data["text_model_types"] else None
