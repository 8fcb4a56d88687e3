"""WEIGHT: what a shard index says besides where the tensors are, and how to make it anew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from hubpub.core.findings import Edit, Fix, Problem, Renaming, Severity
from hubpub.core.rule import Fixable
from hubpub.core.wording import listed
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import model_rules

_LARGEST_TEXT = 64 << 20


@model_rules.rule(
    "WEIGHT008",
    "index-total-size",
    Severity.WARNING,
    summary="A shard index says nothing of the total size, or another one than the shards have.",
    why="Loaders plan memory and devices by metadata.total_size, and older versions of transformers stop with a "
    "KeyError without it. A wrong one is only worth knowing: it may tell that the index was made for other shards.",
    bad='{"weight_map": {"a.weight": "model-00001-of-00001.safetensors"}}',
    good='{"metadata": {"total_size": 4096}, "weight_map": {"a.weight": "model-00001-of-00001.safetensors"}}',
    hint="rebuild the index: `hubpub check PATH --fix`",
    source="https://huggingface.co/docs/transformers/big_models#sharded-checkpoints",
    fixable=Fixable.SAFE,
)
def index_total_size(folder: ModelFolder) -> Iterator[Problem]:
    """Each index of sound safetensors shards that are all there."""
    for index in folder.weights.indexes:
        headers = {name: folder.weights.headers.get(index.directory + name) for name in index.shards()}
        sound = {name: header for name, header in headers.items() if header is not None and not header.problems}
        stored = {(tensor, name) for name, header in sound.items() for tensor in header.tensors}
        if index.suffix != ".safetensors" or not stored or stored != set(index.weight_map.items()):
            continue
        actual = sum(tensor.end - tensor.begin for header in sound.values() for tensor in header.tensors.values())
        document = folder.json(index.path)
        metadata = document.get("metadata") if document else None
        said = metadata.get("total_size") if isinstance(metadata, dict) else None
        fix = rebuilt_index(folder, index.path)
        if said is None:
            yield Problem(f"{index.path} has no metadata.total_size", path=index.path, fix=fix)
        elif isinstance(said, bool) or not isinstance(said, int | float) or said != actual:
            shown = f"{said:,}" if isinstance(said, int) else json.dumps(said)[:40]
            message = f"{index.path} gives the total size {shown}, but the shards hold {actual:,} bytes of tensors"
            yield Problem(message, path=index.path, fix=fix, severity=Severity.INFO)


def rebuilt_index(folder: ModelFolder, path: str) -> Fix | None:
    """The fix that writes the safetensors index at `path` anew from its shards.

    None when the shards do not say it all: one is missing or broken, two hold the same tensor, or the index cannot be
    replaced.
    """
    weights = folder.weights
    series = [shards for shards in weights.shard_sets if shards.index_path == path and shards.suffix == ".safetensors"]
    if not series or series[0].missing_count:
        return None
    weight_map: dict[str, str] = {}
    total = 0
    for shard in series[0].present.values():
        header = weights.headers.get(shard)
        if header is None or header.problems or weight_map.keys() & header.tensors.keys():
            return None
        weight_map.update(dict.fromkeys(header.tensors, shard.removeprefix(series[0].directory)))
        total += sum(tensor.end - tensor.begin for tensor in header.tensors.values())
    if (length := _characters(folder, path)) is None:
        return None
    document = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return Fix(f"rebuild {path} from its shards", safe=True, edits=(Edit(path, 0, length, text),))


def _characters(folder: ModelFolder, path: str) -> int | None:
    """How many characters the file has, 0 when it is not there; None when it is not UTF-8 or no regular file."""
    entry = folder.entry(path)
    if entry is None:
        return 0
    if entry.size > _LARGEST_TEXT:
        return None
    try:
        return len(folder.start(path, _LARGEST_TEXT).decode("utf-8"))
    except UnicodeDecodeError:
        return None


def renamed_tensors(folder: ModelFolder, path: str, names: Mapping[str, str]) -> Fix | None:
    """The fix that gives tensors other names, in a single safetensors file or in the shards of the index at `path`.

    None when the index cannot be replaced.
    """
    index = next((index for index in folder.weights.indexes if index.path == path), None)
    files = [index.directory + name for name in index.shards()] if index else [path]
    headers = folder.weights.headers
    renamings = [
        Renaming(file, {name: names[name] for name in headers[file].tensors if name in names}) for file in files
    ]
    edits: tuple[Edit, ...] = ()
    if index is not None:
        length, document = _characters(folder, path), folder.json(path)
        if length is None or document is None:
            return None
        weight_map = {names.get(name, name): file for name, file in index.weight_map.items()}
        text = json.dumps(
            {"metadata": document.get("metadata") or {}, "weight_map": weight_map}, indent=2, ensure_ascii=False
        )
        edits = (Edit(path, 0, length, text + "\n"),)
    return Fix(
        f"write {listed(files)} anew with other names for its tensors, and keep the old one as .orig",
        safe=False,
        edits=edits,
        renamings=tuple(renaming for renaming in renamings if renaming.names),
    )
