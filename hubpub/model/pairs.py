"""The same weights in safetensors and as files of torch: which tensors each has, and where they differ for real.

Differences that are no defect: tied weights that safetensors leaves out, old names (`gamma`, `beta`), a prefix that one
side has (`bert.`), buffers that older versions stored, weights that are packed or merged otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hubpub.model.safetensors import Header
from hubpub.model.torchfile import TorchFile
from hubpub.model.weights import ShardIndex, escapes

Shape = tuple[int, ...]

_STEMS = (
    ("model.safetensors", "pytorch_model.bin"),
    ("adapter_model.safetensors", "adapter_model.bin"),
    ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"),
)
_OLD_NAMES = (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias"))


@dataclass(frozen=True, slots=True)
class Difference:
    """How the two sides differ.

    Attributes:
        safe: path of the safetensors file or index.
        torch: path of the torch file or index.
        shapes: names with two shapes: name, safetensors' shape, torch's shape.
        only_safe: numbered layers that only safetensors has: "encoder.layer.11".
        only_torch: layers that only torch has, as it names them.
        strangers: whether no name is in both.
    """

    safe: str
    torch: str
    shapes: tuple[tuple[str, Shape, Shape], ...] = ()
    only_safe: tuple[str, ...] = ()
    only_torch: tuple[str, ...] = ()
    strangers: bool = False


def differences(
    headers: Mapping[str, Header], indexes: Iterable[ShardIndex], torch: Mapping[str, TorchFile]
) -> tuple[Difference, ...]:
    """The directories in which both sides are there, whole, and differ."""
    by_path = {index.path: index for index in indexes}
    directories = sorted({path[: path.rfind("/") + 1] for path in torch})
    found = []
    for directory in directories:
        for safe_name, torch_name in _STEMS:
            safe = _safe_side(directory + safe_name, headers, by_path)
            other = _torch_side(directory + torch_name, torch, by_path)
            if safe and other:
                difference = _compare(safe, other)
                if difference is not None:
                    found.append(difference)
    return tuple(found)


def _safe_side(
    path: str, headers: Mapping[str, Header], indexes: Mapping[str, ShardIndex]
) -> tuple[str, dict[str, Shape]] | None:
    shown, paths = _files(path, headers, indexes)
    chosen = [headers.get(path) for path in paths]
    if not chosen or any(header is None or header.problems for header in chosen):
        return None
    return shown, {tensor.name: tensor.shape for header in chosen if header for tensor in header.tensors.values()}


def _torch_side(
    path: str, files: Mapping[str, TorchFile], indexes: Mapping[str, ShardIndex]
) -> tuple[str, dict[str, Shape]] | None:
    shown, paths = _files(path, files, indexes)
    chosen = [files.get(path) for path in paths]
    if not chosen or any(file is None or not file.known for file in chosen):
        return None
    shapes = {name: tensor.shape for file in chosen if file for name, tensor in file.tensors.items()}
    return shown, shapes


def _files(path: str, there: Mapping[str, object], indexes: Mapping[str, ShardIndex]) -> tuple[str, list[str]]:
    """The single file, or the index and the shards that it names."""
    if path in there:
        return path, [path]
    index = indexes.get(path + ".index.json")
    if index is None or any(escapes(file) for file in index.shards()):
        return path, []
    return index.path, [index.directory + file for file in index.shards()]


def _compare(safe: tuple[str, dict[str, Shape]], other: tuple[str, dict[str, Shape]]) -> Difference | None:
    safe_path, safe_shapes = safe
    torch_path, torch_shapes = other
    ours = {_modern(name): name for name in safe_shapes}
    theirs = {_modern(name): name for name in torch_shapes}
    if not ours or not theirs:
        return None
    ours, theirs = _aligned(ours, theirs)
    common = ours.keys() & theirs.keys()
    if not common:
        return Difference(safe_path, torch_path, strangers=True)
    shapes = tuple(
        (ours[name], safe_shapes[ours[name]], torch_shapes[theirs[name]])
        for name in sorted(common)
        if _differ(safe_shapes[ours[name]], torch_shapes[theirs[name]])
    )
    shared = _layers(common)
    stacks = {_stack(layer) for layer in shared}
    lost = {layer for layer in _layers(theirs.keys() - common) - shared if _stack(layer) in stacks}
    added = {layer for layer in _layers(ours.keys() - common) - shared if _stack(layer) in stacks}
    if lost and added:
        lost = added = set()  # a stack with other names on either side is renamed or merged, not cut
    if not (shapes or lost or added):
        return None
    return Difference(safe_path, torch_path, shapes, tuple(sorted(added)), tuple(sorted(lost)))


def _layers(names: Iterable[str]) -> set[str]:
    """The numbered layers that the weights among `names` belong to: "encoder.layer.0"."""
    found = set()
    for name in names:
        parts = name.split(".")
        number = next((at for at, part in enumerate(parts) if part.isdecimal()), None)
        if number and number + 1 < len(parts) and parts[-1] == "weight":
            found.add(".".join(parts[: number + 1]))
    return found


def _stack(layer: str) -> str:
    """What a numbered layer is one of: "encoder.layer."."""
    return layer[: layer.rfind(".") + 1]


def _modern(name: str) -> str:
    for old, new in _OLD_NAMES:
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def _aligned(ours: dict[str, str], theirs: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Both with the same prefix, where one side has one that the other lacks ("bert.", "module.")."""
    common = len(ours.keys() & theirs.keys())
    if 2 * common >= min(len(ours), len(theirs)):
        return ours, theirs
    for short, long, swapped in ((ours, theirs, False), (theirs, ours, True)):
        for prefix in _prefixes(short, long):
            longer = {prefix + name: original for name, original in short.items()}
            if 2 * len(longer.keys() & long.keys()) >= min(len(ours), len(theirs)):
                # A head beside the prefixed part has no prefix on either side.
                longer = {
                    name if name in long or short_name not in long else short_name: original
                    for (name, original), short_name in zip(longer.items(), short, strict=True)
                }
                return (long, longer) if swapped else (longer, long)
    return ours, theirs


def _prefixes(short: Mapping[str, str], long: Mapping[str, str]) -> list[str]:
    """What names of `long` begin with before a name of `short`."""
    first = max(short.keys() - long.keys(), key=lambda name: (len(name), name))
    return sorted({name.removesuffix(first) for name in long if name.endswith("." + first)})[:5]


def _differ(one: Shape, other: Shape) -> bool:
    return one != other and not (math.prod(one) == math.prod(other) == 1)
