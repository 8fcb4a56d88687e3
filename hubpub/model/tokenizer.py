"""The tokenizer of a folder: which of its files are there, and whether one of them holds a vocabulary.

The names come from transformers (`vocab_files_names` of its tokenizer classes, in data/tokenizers.json), from
mistral-common (tekken.json) and tiktoken (*.tiktoken).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hubpub.model.data_files import read_data
from hubpub.model.jsonfile import JsonFile
from hubpub.model.special_tokens import ModelIds, SpecialTokens, read_model_ids, read_special_tokens, wanted_of
from hubpub.model.tokenizer_class import TokenizerClass, auto_class
from hubpub.model.tokenizer_json import TokenizerJson
from hubpub.model.vocabulary import Wanted
from hubpub.model.vocabulary_files import Read, VocabularyFile, read_vocabulary_file
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
class TokenizerFiles:
    """The tokenizer files of one directory.

    Attributes:
        files: every file of a tokenizer, by path.
        vocabularies: those that hold a vocabulary (an empty tokenizer.json does not count).
        tokenizer_json: tokenizer.json as read; None when there is none.
        config: tokenizer_config.json as read; None when there is none.
        directory: "" or "dir/".
        special: the special tokens that the small files name.
        model_ids: the ids of special tokens that config.json and generation_config.json beside it name.
        chosen: the class that AutoTokenizer takes; None when that cannot be told.
        fallback: the vocabulary where there is no tokenizer.json.
    """

    files: tuple[str, ...] = ()
    vocabularies: tuple[str, ...] = ()
    tokenizer_json: TokenizerJson | None = None
    config: JsonFile | None = None
    directory: str = ""
    special: SpecialTokens = field(default_factory=SpecialTokens)
    model_ids: ModelIds = field(default_factory=lambda: ModelIds({}, {}))
    chosen: TokenizerClass | None = None
    fallback: VocabularyFile | None = None

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
    tokenizer_json: Callable[[str, Wanted], TokenizerJson],
    json_file: Callable[[str], JsonFile | None],
    read: Read,
) -> TokenizerFiles:
    """The tokenizer files in `directory` ("" or "dir/").

    Args:
        directory: where to look; not below it.
        files: the files of the folder.
        tokenizer_json: reads and digests a tokenizer.json, looking up what is wanted of it.
        json_file: reads a JSON file of the folder.
        read: the first bytes of a file of the folder.
    """
    known = vocabulary_names()
    config, model_config = json_file(directory + TOKENIZER_CONFIG), json_file(directory + "config.json")
    special = read_special_tokens(
        config, json_file(directory + "special_tokens_map.json"), json_file(directory + "added_tokens.json")
    )
    model_ids = read_model_ids(model_config, json_file(directory + "generation_config.json"))
    wanted = wanted_of(special, model_ids)
    found: list[str] = []
    vocabularies: list[str] = []
    digest = None
    for entry in files:
        if entry.path != directory + entry.name or not entry.size:
            continue
        if entry.name == TOKENIZER_JSON:
            digest = tokenizer_json(entry.path, wanted)
        if entry.name in known or entry.name.endswith(_VOCABULARY_SUFFIXES):
            found.append(entry.path)
            if entry.name != TOKENIZER_JSON or (digest and (digest.problem or digest.vocabulary != 0)):
                vocabularies.append(entry.path)
        elif entry.name in _COMPANIONS:
            found.append(entry.path)
    chosen = _chosen(config, model_config, digest)
    names = [path.removeprefix(directory) for path in vocabularies]
    if any(path == f"{directory}merges.txt" for path in found):
        names.append("merges.txt")
    return TokenizerFiles(
        files=tuple(found),
        vocabularies=tuple(vocabularies),
        tokenizer_json=digest,
        config=config,
        directory=directory,
        special=special,
        model_ids=model_ids,
        chosen=chosen,
        fallback=read_vocabulary_file(directory, names, chosen, wanted, read) if digest is None else None,
    )


def _chosen(
    config: JsonFile | None, model_config: JsonFile | None, digest: TokenizerJson | None
) -> TokenizerClass | None:
    """The class that AutoTokenizer takes; None for code of the folder's own, which is never run."""
    if any(_own_tokenizer(document) for document in (config, model_config) if document is not None):
        return None
    declared = [document.get("tokenizer_class") for document in (config, model_config) if document is not None]
    name = next((name for name in declared if isinstance(name, str)), None)
    model_type = model_config.get("model_type") if model_config is not None else None
    byte_level = digest is not None and digest.byte_level
    return auto_class(model_type if isinstance(model_type, str) else None, name, byte_level=byte_level)


def _own_tokenizer(document: JsonFile) -> bool:
    auto_map = document.get("auto_map")
    return bool(auto_map) if isinstance(auto_map, list) else isinstance(auto_map, dict) and "AutoTokenizer" in auto_map


def _data() -> dict[str, Any]:
    data: dict[str, Any] = read_data("tokenizers.json")
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


def takes_only_text(model_type: str | None) -> bool:
    """Whether all classes that transformers has for a model type take text."""
    data = _data()
    if model_type is None or model_type not in data["text_model_types"]:
        return False
    stem = model_type.replace("-", "").replace("_", "")
    return not any(name.lower().startswith(stem) for name in data["other_architectures"])
