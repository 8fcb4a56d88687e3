"""What a model folder consists of: tensors as a tree of modules, the memory that they take, tokenizer, files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hubpub.model.folder import ModelFolder
from hubpub.model.safetensors import Tensor
from hubpub.model.tensors import stated_tensors

INSPECTION_SCHEMA = "hubpub.inspection/1"

# What people load weights as, and bits per parameter.
LOAD_BITS: Mapping[str, int] = {"float32": 32, "bfloat16": 16, "float16": 16, "int8": 8, "int4": 4}

_NUMBER = re.compile(r"\d+")
_DEEPEST = 64


@dataclass
class Module:
    """A module by the names of its tensors: `model.layers` holds what is below `model.layers.*`.

    Attributes:
        name: its part of the name; for repeated modules of one shape, "0-31".
        repeats: how many modules it stands for.
        parameters: elements of all tensors in it and below, those of all repeats together.
        bytes: that they take in the files.
        dtypes: elements by dtype.
        tensors: directly in it, by their part of the name.
        children: modules below it, in the order of the files.
    """

    name: str
    repeats: int = 1
    parameters: int = 0
    bytes: int = 0
    dtypes: dict[str, int] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    children: dict[str, Module] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many tensors are in it and below, those of all repeats together."""
        below = sum(child.count for child in self.children.values())
        return self.repeats * len(self.tensors) + self.repeats * below

    @property
    def bits(self) -> float:
        """Bits per parameter, on average."""
        return 8 * self.bytes / self.parameters if self.parameters else 0.0

    def add(self, parts: list[str], tensor: Tensor) -> None:
        """Put in a tensor, whose name below this module has these parts."""
        self.parameters += tensor.elements
        self.bytes += tensor.end - tensor.begin
        self.dtypes[tensor.dtype] = self.dtypes.get(tensor.dtype, 0) + tensor.elements
        if len(parts) == 1:
            self.tensors[parts[0]] = tensor
        else:
            self.children.setdefault(parts[0], Module(parts[0])).add(parts[1:], tensor)

    def shape(self) -> tuple[Any, ...]:
        """What two modules have in common when one is a repeat of the other."""
        return (
            tuple((name, tensor.dtype, tensor.shape) for name, tensor in self.tensors.items()),
            tuple((name, child.shape()) for name, child in self.children.items()),
        )

    def folded(self) -> Module:
        """The same with runs of numbered modules of one shape as one module."""
        children: list[Module] = []
        last: tuple[Any, ...] | None = None
        for child in self.children.values():
            shape = child.shape() if _NUMBER.fullmatch(child.name) else None
            if shape is not None and shape == last:
                _join(children[-1], child)
            else:
                children.append(child.folded())
            last = shape
        return Module(
            self.name,
            self.repeats,
            self.parameters,
            self.bytes,
            self.dtypes,
            self.tensors,
            {child.name: child for child in children},
        )

    def to_json(self) -> dict[str, Any]:
        """The module and all below it as plain data."""
        return {
            "name": self.name,
            "repeats": self.repeats,
            "parameters": self.parameters,
            "bytes": self.bytes,
            "dtypes": self.dtypes,
            "tensors": [
                {"name": name, "dtype": tensor.dtype, "shape": list(tensor.shape)}
                for name, tensor in self.tensors.items()
            ],
            "modules": [child.to_json() for child in self.children.values()],
        }


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a model folder consists of.

    Attributes:
        facts: `ModelFolder.facts()`.
        modules: the tensors of the weights that loaders take.
        files: (path, bytes) of every file of the release.
        left_out: paths that are no part of it.
    """

    facts: Mapping[str, Any]
    modules: Module
    files: tuple[tuple[str, int], ...]
    left_out: tuple[str, ...]

    @property
    def memory(self) -> dict[str, int]:
        """Bytes that the parameters alone take when loaded as each dtype; empty when their number is unknown."""
        parameters = self.facts["parameters"]
        return {name: parameters * bits // 8 for name, bits in LOAD_BITS.items()} if parameters else {}

    def to_json(self) -> dict[str, Any]:
        """The inspection in the schema `hubpub.inspection/1`."""
        return {
            "schema": INSPECTION_SCHEMA,
            "facts": dict(self.facts),
            "memory": self.memory,
            "modules": self.modules.to_json(),
            "files": [{"path": path, "bytes": size} for path, size in self.files],
            "left_out": list(self.left_out),
        }


def inspect_folder(folder: ModelFolder) -> Inspection:
    """What the folder consists of; only headers and small files are read."""
    facts, modules = folder.facts(), module_tree(stated_tensors(folder))
    if not folder.weights.primary and modules.parameters:
        # the facts of a check count what the Hub counts, which is safetensors alone
        by_dtype = dict(sorted(modules.dtypes.items()))
        facts |= {"parameters": modules.parameters, "parameters_by_dtype": by_dtype, "tensors": modules.count}
    return Inspection(
        facts,
        modules,
        tuple((entry.path, entry.size) for entry in folder.release_files),
        tuple(entry.path for entry in folder.files if folder.leftover(entry.path) is not None),
    )


def module_tree(tensors: Iterable[Tensor]) -> Module:
    """The tensors as a tree of modules, with repeated ones folded."""
    root = Module("")
    for tensor in sorted(tensors, key=_by_number):
        root.add(tensor.name.split(".", _DEEPEST), tensor)
    return root.folded()


def _join(first: Module, repeat: Module) -> None:
    first.name = f"{first.name.partition('-')[0]}-{repeat.name}"
    first.repeats += 1
    first.parameters += repeat.parameters
    first.bytes += repeat.bytes
    for dtype, number in repeat.dtypes.items():
        first.dtypes[dtype] = first.dtypes.get(dtype, 0) + number


def _by_number(tensor: Tensor) -> list[tuple[int, str]]:
    """layers.2 comes before layers.10."""
    return [(int(part[:9]), "") if _NUMBER.fullmatch(part) else (-1, part) for part in tensor.name.split(".", _DEEPEST)]
