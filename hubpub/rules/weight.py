"""WEIGHT: the weight files, by their headers and indexes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from hubpub.core.findings import Fix, Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.model.series import find_pieces
from hubpub.model.weights import ShardIndex, escapes
from hubpub.rules.registry import model_rules
from hubpub.rules.weight_index import rebuilt_index
from hubpub.rules.wording import malformed

_FORMAT = "https://github.com/huggingface/safetensors#format"
_SHARDS = "https://huggingface.co/docs/transformers/big_models#sharded-checkpoints"


@model_rules.rule(
    "WEIGHT001",
    "weights-missing",
    Severity.ERROR,
    summary="There are no weights in the folder.",
    why="The model cannot be loaded; saving only the configuration or the tokenizer looks the same from outside.",
    bad="config.json and tokenizer.json alone",
    good="model.safetensors beside them",
    hint="save the model itself: model.save_pretrained(FOLDER)",
    source="https://huggingface.co/docs/transformers/main_classes/model",
)
def weights_missing(folder: ModelFolder) -> Iterator[Problem]:
    """No weight file of any format; for a tokenizer on its own, or an archive that may hold a model, a warning."""
    if folder.weights.files or folder.kind is ModelKind.SPACY or _weights_among_others(folder):
        return
    if find_pieces(folder.release_files):
        return  # WEIGHT054 tells that they must be joined
    if folder.kind is ModelKind.TOKENIZER:
        yield Problem("the folder holds a tokenizer and no weights", severity=Severity.WARNING)
    elif folder.kind is ModelKind.ADAPTER:
        yield Problem("the folder holds no adapter weights (adapter_model.safetensors)")
    elif folder.kind is ModelKind.OTHER and (packed := _archive(folder)) is not None:
        yield Problem(
            f"the folder holds no weights of a format that hubpub knows, unless they are in {packed}",
            severity=Severity.WARNING,
        )
    else:
        yield Problem("the folder holds no weights of any format")


def _archive(folder: ModelFolder) -> str | None:
    """Where the model may be: some libraries save theirs as an archive."""
    return next((entry.path for entry in folder.release_files if entry.is_archive), None)


def _weights_among_others(folder: ModelFolder) -> bool:
    """Whether weights are there that cannot be read or published; the FILE rules tell why."""
    return any(entry.suffix in (".safetensors", ".bin", ".gguf", ".onnx", ".pt") for entry in folder.others)


@model_rules.rule(
    "WEIGHT002",
    "safetensors-malformed",
    Severity.ERROR,
    summary="A safetensors file breaks the format: cut short, overlapping or missing bytes, or something else inside.",
    why="Loaders refuse such a file, or read other values than were saved: a duplicate tensor name is accepted in "
    "silence and the last one wins.",
    bad="model.safetensors of which a copy stopped halfway",
    good="every byte after the header belongs to exactly one tensor",
    hint="save or copy the file again, and compare its size",
    source=_FORMAT,
)
def safetensors_malformed(folder: ModelFolder) -> Iterator[Problem]:
    """One finding per file: the first problem, and how many more there are."""
    for path, header in folder.weights.headers.items():
        if path not in folder.lfs_pointers:
            yield from malformed(path, header.problems)


@model_rules.rule(
    "WEIGHT003",
    "shard-index-missing",
    Severity.ERROR,
    summary="There are numbered shards but no index that says which tensor is where.",
    why="from_pretrained looks for the single file or the index, not for shards: the model does not load.",
    bad="model-00001-of-00002.safetensors, model-00002-of-00002.safetensors",
    good="model.safetensors.index.json beside them",
    hint="save the model again with save_pretrained, which writes the index",
    source=_SHARDS,
    fixable=Fixable.SAFE,
)
def shard_index_missing(folder: ModelFolder) -> Iterator[Problem]:
    """Each series of safetensors or torch shards that no index names."""
    indexed = {path for index in folder.weights.indexes for path in _paths(index)}
    indexes = {index.path for index in folder.weights.indexes}
    for shards in folder.weights.shard_sets:
        if shards.suffix == ".gguf" or shards.index_path in indexes or indexed & set(shards.present.values()):
            continue
        if folder.entry(shards.index_path) is None:
            number = counted(len(shards.present), "shard")
            yield Problem(
                f"{shards.index_path} is missing beside its {number}",
                path=shards.index_path,
                fix=rebuilt_index(folder, shards.index_path),
            )


@model_rules.rule(
    "WEIGHT004",
    "shard-missing",
    Severity.ERROR,
    summary="A shard that the index or the file names promise is not there.",
    why="The model does not load, which is noticed after everything else was downloaded.",
    bad="model-00001-of-00003.safetensors and model-00003-of-00003.safetensors",
    good="all three",
    hint="add the missing file, or save the model again",
    source=_SHARDS,
    fixable=Fixable.SAFE,
)
def shard_missing(folder: ModelFolder) -> Iterator[Problem]:
    """Each index with shards that are not there; without an index, each series with gaps."""
    present = {entry.path for entry in (*folder.release_files, *folder.others)}
    usable = {index.path for index in folder.weights.indexes if index.weight_map}
    for index in folder.weights.indexes:
        gone = sorted(_paths(index) - present)
        if gone:
            message = f"{index.path} names {counted(len(gone), 'shard')} not in the folder: {listed(gone)}"
            yield Problem(message, path=index.path, fix=rebuilt_index(folder, index.path))
    for shards in folder.weights.shard_sets:
        if shards.missing_count and shards.index_path not in usable:
            number = f"{shards.missing_count:,} of {counted(shards.total, 'shard')}"
            names = listed(shards.missing(3), shards.missing_count)
            yield Problem(
                f"{number} of {shards.stem}{shards.suffix} not in the folder: {names}", path=shards.missing(1)[0]
            )


@model_rules.rule(
    "WEIGHT005",
    "index-disagrees",
    Severity.ERROR,
    summary="The index and the shards disagree about which tensors there are, or where.",
    why="transformers merges the shards without a word and the last one wins: a tensor that only the index has is "
    "random after loading; engines that read tensor by tensor fail.",
    bad='{"weight_map": {"a.weight": "model-00001-of-00002.safetensors"}} while that file has no a.weight',
    good="the index names each tensor once, in the shard that holds it",
    hint="save the model again, or rebuild the index from the shards",
    source=_SHARDS,
    fixable=Fixable.SAFE,
)
def index_disagrees(folder: ModelFolder) -> Iterator[Problem]:
    """Per index: tensors that no shard has, that the index lacks, in another shard, in two; shards never named."""
    for index in folder.weights.indexes:
        headers = _names_in(folder, index)
        if not headers:
            continue
        holders: dict[str, str] = {}
        twice: list[str] = []
        for path in sorted(headers):
            twice.extend(holders.keys() & headers[path])
            holders.update(dict.fromkeys(headers[path], path))
        named = {name: index.directory + file for name, file in index.weight_map.items() if not escapes(file)}
        absent = [name for name, path in named.items() if name not in holders and path in headers]
        unlisted = [name for name in holders if name not in index.weight_map]
        elsewhere = [
            name for name, path in named.items() if path in headers and name in holders and name not in headers[path]
        ]
        fix = rebuilt_index(folder, index.path)
        yield from _tensors(index, absent, "names {} that no shard holds", fix)
        yield from _tensors(index, unlisted, "does not name {} that its shards hold", fix)
        yield from _tensors(index, elsewhere, "sends {} to a shard that does not hold it", fix)
        yield from _tensors(index, sorted(twice), "covers shards that both hold {}", None)
    yield from _orphans(folder)


def _names_in(folder: ModelFolder, index: ShardIndex) -> dict[str, Collection[str]]:
    """The names of the tensors in each shard that is there; none when a shard is broken, which other rules tell."""
    found: dict[str, Collection[str]] = {}
    for path in _paths(index) if index.weight_map else ():
        if index.suffix == ".safetensors" and (header := folder.weights.headers.get(path)) is not None:
            if header.problems:
                return {}
            found[path] = header.tensors
        elif index.suffix == ".bin" and (file := folder.torch_files.get(path)) is not None:
            if not file.known:
                return {}
            found[path] = file.tensors
    return found


def _tensors(index: ShardIndex, names: list[str], wording: str, fix: Fix | None) -> Iterator[Problem]:
    if names:
        what = f"{counted(len(names), 'tensor')} ({listed(names)})"
        yield Problem(f"{index.path} {wording.format(what)}", path=index.path, tensor=names[0][:1000], fix=fix)


def _orphans(folder: ModelFolder) -> Iterator[Problem]:
    """Shards of an indexed series that the index never names; nobody loads them."""
    usable = [index for index in folder.weights.indexes if index.weight_map]
    for shards in folder.weights.shard_sets:
        for index in usable:
            stem = index.path.removesuffix(".json").removesuffix(".index").removesuffix(index.suffix)
            if stem == shards.directory + shards.stem and index.suffix == shards.suffix:
                for path in sorted(set(shards.present.values()) - _paths(index)):
                    message = f"{path} is a shard that {index.path} never names"
                    yield Problem(message, path=path, hint="delete it if it is left over", severity=Severity.WARNING)


@model_rules.rule(
    "WEIGHT006",
    "index-path-escape",
    Severity.ERROR,
    summary="The index sends a tensor to a file outside of its folder.",
    why="transformers 5.23 follows it and loads whatever is there; on another machine that is another file, or "
    "somebody else's.",
    bad='{"weight_map": {"a.weight": "../outside.safetensors"}}',
    good='{"weight_map": {"a.weight": "model-00001-of-00002.safetensors"}}',
    hint="put the file into the folder and name it without a directory",
    source=_SHARDS,
)
def index_path_escape(folder: ModelFolder) -> Iterator[Problem]:
    """One finding per index and outside file."""
    for index in folder.weights.indexes:
        for file in index.shards():
            if escapes(file):
                name = next(name for name, target in index.weight_map.items() if target == file)
                message = f"{index.path} sends {name[:100]} to {file[:200]!r}, outside of the folder"
                yield Problem(message, path=index.path, tensor=name[:1000])


@model_rules.rule(
    "WEIGHT007",
    "index-unreadable",
    Severity.ERROR,
    summary="A shard index is not JSON, or has no weight map.",
    why="The shards cannot be loaded without it.",
    bad='{"metadata": {"total_size": 4096}}',
    good='{"metadata": {"total_size": 4096}, "weight_map": {"a.weight": "model-00001-of-00001.safetensors"}}',
    hint="save the model again with save_pretrained, which writes the index",
    source=_SHARDS,
    fixable=Fixable.SAFE,
)
def index_unreadable(folder: ModelFolder) -> Iterator[Problem]:
    """Each index that cannot be used; what only loses something (a duplicate key) is a warning."""
    for index in folder.weights.indexes:
        problem = index.problem
        seen = folder.text_files.get(index.path)
        if problem is not None and index.path not in folder.lfs_pointers and not (seen and seen.conflict):
            severity = None if problem.fatal else Severity.WARNING
            message = f"{index.path} {problem.message}"
            fix = rebuilt_index(folder, index.path)
            yield Problem(message, index.path, problem.line, problem.column, severity=severity, fix=fix)


def _paths(index: ShardIndex) -> set[str]:
    """The files that the index names, relative to the model folder, without those that leave it."""
    return set(_inside(index, index.shards()))


def _inside(index: ShardIndex, files: Iterable[str]) -> Iterator[str]:
    return (index.directory + file for file in files if not escapes(file))
