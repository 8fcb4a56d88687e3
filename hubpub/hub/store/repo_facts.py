"""What a commit says of its repo: the card's metadata, and the tags, task, library and parameters that follow.

Tags are derived as the Hub derives them: https://huggingface.co/docs/hub/model-cards
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hubpub.card.metadata.schema import card_data
from hubpub.hub.naming import RepoKind
from hubpub.hub.store.content import BytesContent
from hubpub.hub.store.git import GitRepo, TreeEntry
from hubpub.hub.store.large_files import LargeFiles
from hubpub.hub.store.remembered import Remembered
from hubpub.hub.store.repos import RepoRecord
from hubpub.hub.store.safetensors_counts import parameter_counts, weights_of
from hubpub.hub.web.listing import Lister

_LARGEST_CARD = 2 << 20
_LARGEST_CONFIG = 1 << 20
_LEAST_WEIGHT = 2 << 10
_LARGEST_MEMORY = 16 << 20
_MOST_COUNTS = 10_000
_MOST_FILES = 50_000
_ARXIV = re.compile(r"arxiv(?:\.org/(?:abs|pdf|html)/|:\s?)(\d{4}\.\d{4,5})", re.IGNORECASE)
_MOST_PAPERS = 20

_FORMATS = (
    ("pytorch", re.compile(r"pytorch_model.*\.bin")),
    ("tf", re.compile(r"tf_model.*\.h5")),
    ("jax", re.compile(r"flax_model.*\.msgpack")),
    ("onnx", re.compile(r".*\.onnx")),
    ("safetensors", re.compile(r".*\.safetensors")),
    ("gguf", re.compile(r".*\.gguf")),
)
_NO_KEYWORDS = {"self", "ignore_metadata_errors"}
"""Clients pass the metadata to a constructor that has these already: one such card would break every list for them."""

_LIBRARIES = (
    ("modules.json", "sentence-transformers"),
    ("config_sentence_transformers.json", "sentence-transformers"),
    ("adapter_config.json", "peft"),
    ("model_index.json", "diffusers"),
)
_TASKS = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForImageClassification": "image-classification",
    "ForObjectDetection": "object-detection",
    "ForAudioClassification": "audio-classification",
    "ForCTC": "automatic-speech-recognition",
}
_DATASET_KEYS = (
    "annotations_creators",
    "language_creators",
    "task_categories",
    "task_ids",
    "multilinguality",
    "size_categories",
    "source_datasets",
    "language",
    "license",
)


@dataclass(frozen=True, slots=True)
class RepoFacts:
    """What one commit says.

    Attributes:
        card: the metadata of README.md, as JSON can hold it.
        tags: what the repo is found by.
        pipeline_tag: the task of a model.
        library: what loads a model.
        config: `architectures` and `model_type` of a model's config.json.
        parameters: of a model's safetensors files, by dtype.
    """

    card: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    pipeline_tag: str | None = None
    library: str | None = None
    config: Mapping[str, Any] | None = None
    parameters: Mapping[str, int] | None = None


class FactsReader:
    """Reads the facts of commits and remembers them: a commit never changes."""

    def __init__(self, large_files: LargeFiles) -> None:
        self._large_files = large_files
        self._known: Remembered[tuple[str, str], RepoFacts] = Remembered(_LARGEST_MEMORY)
        self._counts: dict[str, Mapping[str, int]] = {}
        self._files: Remembered[str, tuple[TreeEntry, ...]] = Remembered(_MOST_FILES)

    def files(self, git: GitRepo, commit: str) -> tuple[TreeEntry, ...]:
        """Every file of a commit, in git's order."""
        tree = git.root_tree(commit)
        files = self._files.get(tree)
        if files is None:
            files = tuple(entry for entry in git.walk(tree, recursive=True) if not entry.is_folder)
            self._files.put(tree, files, len(files))
        return files

    def at(self, git: GitRepo, record: RepoRecord, commit: str) -> RepoFacts:
        """The facts of a commit."""
        key = (record.uid, commit)
        facts = self._known.get(key)
        if facts is None:
            facts, weight = self._read(git, record, commit)
            self._known.put(key, facts, weight)
        return facts

    def _read(self, git: GitRepo, record: RepoRecord, commit: str) -> tuple[RepoFacts, int]:
        """The facts, and how long the card is that they are from."""
        files = {entry.path: entry for entry in git.walk(git.root_tree(commit), recursive=False) if not entry.is_folder}
        readme = _text(git, files.get("README.md"), _LARGEST_CARD)
        card = _card(readme, record.id.kind)
        weight = len(readme) + _LEAST_WEIGHT
        if record.id.kind is RepoKind.DATASET:
            return RepoFacts(card, _unique(_dataset_tags(card, readme))), weight
        if record.id.kind is RepoKind.SPACE:
            return RepoFacts(card, _unique(_space_tags(card))), weight
        config = _config(_text(git, files.get("config.json"), _LARGEST_CONFIG))
        library = _one(card.get("library_name")) or _library(files, config)
        task = _one(card.get("pipeline_tag")) or _task(library, config)
        tags = _unique(_model_tags(card, readme, files, library, task, config))
        return RepoFacts(card, tags, task, library, config, self._parameters(git, record, files)), weight

    def _parameters(self, git: GitRepo, record: RepoRecord, files: Mapping[str, TreeEntry]) -> Mapping[str, int] | None:
        total: dict[str, int] = {}
        for name in weights_of(files):
            counts = self._count(git, record, files[name].oid)
            if counts is None:
                return None
            for dtype, number in counts.items():
                total[dtype] = total.get(dtype, 0) + number
        return total or None

    def _count(self, git: GitRepo, record: RepoRecord, oid: str) -> Mapping[str, int] | None:
        counts = self._counts.get(oid)
        if counts is None:
            large = Lister(git, record, self._large_files).large(oid)
            content = self._large_files.open(large.sha256) if large else BytesContent(git.blob(oid))
            counts = parameter_counts(content) if content else None
            if counts is not None:
                if len(self._counts) >= _MOST_COUNTS:
                    self._counts.clear()
                self._counts[oid] = counts
        return counts


def _card(readme: str, kind: RepoKind) -> dict[str, Any]:
    card = {_plain(str(key)): _plain(value) for key, value in card_data(readme, kind.value).items()}
    if not isinstance(card.get("tags"), list | str | None):
        del card["tags"]
    return {key: value for key, value in card.items() if key not in _NO_KEYWORDS}


def _text(git: GitRepo, entry: TreeEntry | None, most: int) -> str:
    if entry is None or git.blob_facts(entry.oid).size > most:
        return ""
    return git.blob(entry.oid).decode("utf-8", "replace")


def _config(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    found: dict[str, Any] = {}
    if architectures := _texts(document.get("architectures")):
        found["architectures"] = architectures
    if model_type := _one(document.get("model_type")):
        found["model_type"] = model_type
    return found


def _library(files: Mapping[str, TreeEntry], config: Mapping[str, Any] | None) -> str | None:
    for name, library in _LIBRARIES:
        if name in files:
            return library
    return "transformers" if config and "model_type" in config else None


def _task(library: str | None, config: Mapping[str, Any] | None) -> str | None:
    if library == "sentence-transformers":
        return "sentence-similarity"
    for architecture in (config or {}).get("architectures", ()):
        for ending, task in _TASKS.items():
            if architecture.endswith(ending):
                return task
    return None


def _model_tags(
    card: Mapping[str, Any],
    readme: str,
    files: Mapping[str, TreeEntry],
    library: str | None,
    task: str | None,
    config: Mapping[str, Any] | None,
) -> Iterator[str]:
    if library:
        yield library
    for name, pattern in _FORMATS:
        if any(pattern.fullmatch(path) for path in files):
            yield name
    if config and "model_type" in config:
        yield config["model_type"]
    if task:
        yield task
    yield from _texts(card.get("tags"))
    yield from _texts(card.get("language"))
    yield from (f"dataset:{name}" for name in _texts(card.get("datasets")))
    yield from _papers(readme)
    relation = _one(card.get("base_model_relation"))
    for base in _texts(card.get("base_model")):
        yield f"base_model:{base}"
        if relation:
            yield f"base_model:{relation}:{base}"
    yield from (f"license:{name}" for name in _texts(card.get("license")))


def _dataset_tags(card: Mapping[str, Any], readme: str) -> Iterator[str]:
    for key in _DATASET_KEYS:
        yield from (f"{key}:{value}" for value in _texts(card.get(key)))
    yield from _papers(readme)
    yield from _texts(card.get("tags"))


def _space_tags(card: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts(card.get("sdk"))
    yield from _texts(card.get("tags"))


def _papers(readme: str) -> Iterator[str]:
    papers = dict.fromkeys(match[1] for match in _ARXIV.finditer(readme))
    yield from (f"arxiv:{number}" for number in list(papers)[:_MOST_PAPERS])


def _unique(tags: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tags))


def _one(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: Any) -> list[str]:
    found = value if isinstance(value, list) else [value]
    return [item for item in found if isinstance(item, str) and item]


def _plain(value: Any) -> Any:
    """A value of YAML as JSON can hold it."""
    if isinstance(value, dict):
        return {_plain(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if value.bit_length() <= 64 else None
    return None
