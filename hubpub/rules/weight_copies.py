"""WEIGHT: the same weights stored twice: tied ones, and files in several layouts or formats."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.model.safetensors import Header, Tensor
from hubpub.model.sameness import Place, Sum, place_of, same_bytes, sum_of, torch_storages
from hubpub.model.weights import ShardIndex
from hubpub.rules.registry import model_rules
from hubpub.rules.weight_dtypes import main_files

_ORDER = "https://huggingface.co/docs/transformers/models#model-files"
_HEAD = re.compile(
    r"(?:^|\.)(?:lm_head|lm_head\.decoder|embed_out|proj_out|generator_lm_head|predictions\.decoder|vocab_projector)\.weight$"
)
_EMBEDDING = re.compile(
    r"(?:^|\.)(?:embed_tokens|wte|word_embeddings?|shared|embed_in|tok_embeddings|embeddings?)\.weight$"
)
# What transformers, diffusers and peft call the same weights in the older format.
_OLDER = re.compile(
    r"(?P<directory>.*/)?(?:pytorch_(?P<model>model)|(?P<other>adapter_model|diffusion_pytorch_model))"
    r"(?:-\d{5}-of-\d{5})?\.bin"
)
_FLOATS = ("F16", "BF16", "F32", "F64")


class _Stored(NamedTuple):
    """A tensor, and the file that holds it."""

    path: str
    header: Header
    tensor: Tensor

    @property
    def place(self) -> Place:
        return place_of(self.path, self.header, self.tensor)


@model_rules.rule(
    "WEIGHT028",
    "tied-weights-differ",
    Severity.WARNING,
    summary="config.json ties the output head to the embedding, and the file stores a head with other values.",
    why="Libraries that believe config.json drop the stored head, others keep it: the same files give two models. "
    "It happens when a head was trained, or an embedding replaced, after the tie was broken.",
    bad='"tie_word_embeddings": true, and an lm_head.weight unlike model.embed_tokens.weight',
    good='"tie_word_embeddings": false, or no lm_head.weight in the file',
    hint='if the head was trained set "tie_word_embeddings": false in config.json, else save the model again',
    source="https://huggingface.co/docs/transformers/main_classes/configuration",
    depth=Depth.DEEP,
)
def tied_weights_differ(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """Heads that are like none of the embeddings of their shape; equal copies only cost room."""
    config = folder.config
    text = config.get("text_config") if config else None
    ties = (config.get("tie_word_embeddings") if config else None) is True
    if not ties and not (isinstance(text, dict) and text.get("tie_word_embeddings") is True):
        return
    stored = [
        stored for path in main_files(folder) for stored in _tensors(folder, path) if len(stored.tensor.shape) == 2
    ]
    embeddings = [one for one in stored if _EMBEDDING.search(one.tensor.name)]
    for head in (one for one in stored if _HEAD.search(one.tensor.name)):
        alike = [one for one in embeddings if one.tensor.shape == head.tensor.shape]
        comparable = [one for one in alike if one.tensor.dtype == head.tensor.dtype]
        if alike and not comparable:
            reason = f"they are stored in {head.tensor.dtype} and {alike[0].tensor.dtype}"
            yield Skip(f"whether {head.tensor.name[:200]} equals the embedding it is tied to", reason)
        elif comparable and not any(_same(folder, head, one) for one in comparable):
            names = f"{head.tensor.name[:200]} unlike {comparable[0].tensor.name[:200]}"
            message = f"{head.path} stores {names}, while config.json ties them"
            yield Problem(message, head.path, tensor=head.tensor.name[:1000])


@model_rules.rule(
    "WEIGHT029",
    "copies-unlike",
    Severity.ERROR,
    summary="One file and a set of shards lie side by side, and do not hold the same tensors.",
    why="transformers loads model.safetensors and never looks at the shards; other libraries take the index. Users get "
    "one of two models, depending on what they load it with.",
    bad="model.safetensors of an earlier save beside model.safetensors.index.json and new shards",
    good="either the file or the shards",
    hint="delete the one that is left over: model.safetensors, or the index with its shards",
    source=_ORDER,
)
def copies_unlike(folder: ModelFolder) -> Iterator[Problem]:
    """By names, shapes and dtypes; whether the values are the same is WEIGHT030."""
    for single, index in _pairs(folder):
        difference = _difference(folder, single, index)
        if difference:
            yield Problem(f"{single} and the shards of {index.path} differ: {difference}", single)


@model_rules.rule(
    "WEIGHT030",
    "copies-differ",
    Severity.ERROR,
    summary="The same weights are stored twice, with different values.",
    why="transformers takes model.safetensors before shards, and safetensors before pytorch_model.bin; other libraries "
    "choose otherwise. Users get one of two models, depending on what they load it with.",
    bad="a pytorch_model.bin of an earlier epoch beside model.safetensors",
    good="one copy, or copies with the same values",
    hint="delete the copy that is left over",
    source=_ORDER,
    depth=Depth.DEEP,
)
def copies_differ(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """One file beside shards, by value; torch's files beside safetensors, by what their numbers add up to."""
    for single, index in _pairs(folder):
        if _difference(folder, single, index):
            continue
        shards = {one.tensor.name: one for one in _sharded(folder, index)}
        both = [(one, shards[one.tensor.name]) for one in _tensors(folder, single) if one.tensor.name in shards]
        unlike = [one.tensor.name for one, other in both if not _same(folder, one, other)]
        if unlike:
            number = f"{len(unlike):,} of {counted(len(both), 'tensor')}"
            message = f"{single} and the shards of {index.path} hold different values in {number} ({listed(unlike)})"
            yield Problem(message, single, tensor=unlike[0][:1000])
        elif both:
            message = f"{single} and the shards of {index.path} hold the same tensors: users download them twice"
            yield Problem(message, single, severity=Severity.INFO)
    yield from _older_copies(folder)


def _pairs(folder: ModelFolder) -> Iterator[tuple[str, ShardIndex]]:
    """Each single file with the index that stands for the same weights."""
    for index in folder.weights.indexes:
        variant = index.path.partition(f"{index.suffix}.index")[2].removesuffix(".json")
        single = index.path.partition(f"{index.suffix}.index")[0] + variant + index.suffix
        header = folder.weights.headers.get(single)
        if header is not None and not header.problems and index.weight_map and single not in _shards(index):
            yield single, index


def _shards(index: ShardIndex) -> list[str]:
    return [index.directory + name for name in index.shards()]


def _tensors(folder: ModelFolder, path: str) -> list[_Stored]:
    header = folder.weights.headers[path]
    return [_Stored(path, header, tensor) for tensor in header.tensors.values() if tensor.end > tensor.begin]


def _sharded(folder: ModelFolder, index: ShardIndex) -> list[_Stored]:
    headers = folder.weights.headers
    sound = [path for path in _shards(index) if path in headers and not headers[path].problems]
    return [one for path in sound for one in _tensors(folder, path)]


def _difference(folder: ModelFolder, single: str, index: ShardIndex) -> str | None:
    """In what the tensors of the file and the shards differ, but for their values."""
    alone = {one.tensor.name: one.tensor for one in _tensors(folder, single)}
    shards = {one.tensor.name: one.tensor for one in _sharded(folder, index)}
    unlike = [
        name
        for name, tensor in alone.items()
        if name in shards and (tensor.dtype, tensor.shape) != (shards[name].dtype, shards[name].shape)
    ]
    only_alone = [name for name in alone if name not in index.weight_map]
    only_shards = [name for name in index.weight_map if name not in folder.weights.headers[single].tensors]
    parts = [
        f"{counted(len(names), 'tensor')} {what} ({listed(names)})"
        for names, what in (
            (only_alone, "only in the file"),
            (only_shards, "only in the shards"),
            (unlike, "of another shape or dtype"),
        )
        if names
    ]
    return ", ".join(parts) or None


def _same(folder: ModelFolder, one: _Stored, other: _Stored) -> bool:
    """Whether two tensors of one dtype and shape hold the same; what was gathered of their values tells most."""
    first, second = folder.readings.get(one.path), folder.readings.get(other.path)
    if first is None or second is None or first.problem or second.problem:
        return True  # WEIGHT031 tells that they could not be read
    if first.values.get(one.tensor.name) != second.values.get(other.tensor.name):
        return False
    try:
        return same_bytes(folder.open_file, one.place, other.place)
    except OSError:
        return True


def _older_copies(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """pytorch_model.bin beside model.safetensors, and the like, whole or in shards."""
    groups: dict[str, list[str]] = defaultdict(list)
    for entry in folder.weights.files.get("pytorch", ()):
        found = _OLDER.fullmatch(entry.path)
        if found:
            groups[(found["directory"] or "") + (found["model"] or found["other"])].append(entry.path)
    for stem, paths in groups.items():
        tensors = [one for path in _newer(folder, stem) for one in _tensors(folder, path)]
        if not tensors:
            continue
        what = f"whether {paths[0]} holds the values of the safetensors beside it"
        try:
            storages = [torch_storages(folder.open_file, path) for path in sorted(paths)]
            if None in storages:
                yield Skip(what, "it is not a zip file as torch writes them since 1.6")
                continue
            unlike = _unlike(folder, tensors, [place for places in storages for place in (places or {}).values()])
        except OSError:
            yield Skip(what, "it cannot be read")
            continue
        if unlike is None:
            yield Skip(what, "it stores them in another dtype or layout")
        elif unlike:
            message = f"{paths[0]} does not hold the values of {counted(len(unlike), 'tensor')} of "
            yield Problem(f"{message}{tensors[0].path} ({listed(unlike)})", paths[0], tensor=unlike[0][:1000])


def _newer(folder: ModelFolder, stem: str) -> list[str]:
    """The sound safetensors files that stand for the weights of that stem."""
    headers = folder.weights.headers
    single = f"{stem}.safetensors"
    indexed = [
        path for index in folder.weights.indexes if index.path == f"{single}.index.json" for path in _shards(index)
    ]
    return [
        path for path in ([single] if single in headers else indexed) if path in headers and not headers[path].problems
    ]


def _unlike(folder: ModelFolder, tensors: list[_Stored], storages: list[Place]) -> list[str] | None:
    """The tensors whose values no storage has; None when that cannot be told, [] when there are none.

    A storage that is larger than its tensor holds several, or a part that was cut out: only then may a tensor be there
    without a storage of its size.
    """
    floats = [one for one in tensors if one.tensor.dtype in _FLOATS]
    sizes = {one.place.size for one in tensors}
    odd = max((place.size for place in storages if place.size not in sizes), default=0)
    theirs: dict[int, set[Sum]] = defaultdict(set)
    for place in storages:
        if place.size in sizes:
            theirs[place.size].add(sum_of(folder.open_file, place))
    ours: dict[int, dict[Sum, str]] = defaultdict(dict)
    for one in floats:
        ours[one.place.size].setdefault(sum_of(folder.open_file, one.place), one.tensor.name)
    missing = {size: [name for sum_, name in sums.items() if sum_ not in theirs[size]] for size, sums in ours.items()}
    if not any(missing.values()):
        return []
    certain = [
        name for size, names in missing.items() if size > odd and len(theirs[size]) >= len(ours[size]) for name in names
    ]
    return certain or None
