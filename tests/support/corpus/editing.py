"""Changing one thing in a saved model folder, without torch."""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Change = Callable[[Path], object]

WIDTHS = {"F32": 4, "F16": 2, "BF16": 2}


def nothing(folder: Path) -> None:
    """No change."""


class Defect(NamedTuple):
    """One defect.

    Attributes:
        what: it is.
        control: the sound folder that it is put into.
        change: what does that.
        training: files of a trainer that are put into the folder.
    """

    what: str
    control: str
    change: Change = nothing
    training: tuple[str, ...] = ()


class Stored(NamedTuple):
    """A tensor of a safetensors file."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


def edit_json(folder: Path, name: str, **changes: Any) -> None:
    """Rewrite a JSON file; a value of None removes the key."""
    path = folder / name
    document = json.loads(path.read_text()) | changes
    kept = {key: value for key, value in document.items() if value is not None}
    path.write_text(json.dumps(kept, indent=2) + "\n")


def with_json(name: str, **changes: Any) -> Change:
    """A change of keys in a JSON file."""
    return lambda folder: edit_json(folder, name, **changes)


def rewrite_json(name: str, change: Callable[[dict[str, Any]], object]) -> Change:
    """A change of the document of a JSON file."""

    def rewrite(folder: Path) -> None:
        document = json.loads((folder / name).read_text())
        change(document)
        (folder / name).write_text(json.dumps(document, indent=2) + "\n")

    return rewrite


def write(name: str, content: str | bytes) -> Change:
    """A file that is written or replaced."""

    def change(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


def replace(name: str, old: str, new: str) -> Change:
    """A text file in which `old`, which must be there, becomes `new`."""

    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text, f"{name} does not hold {old!r}"
        (folder / name).write_text(text.replace(old, new))

    return change


def remove(*names: str) -> Change:
    """Files that are taken away."""

    def change(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return change


def cut(name: str, size: int) -> Change:
    """A file that loses its last `size` bytes."""
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size - size)


def every(*changes: Change) -> Change:
    """Changes that make one defect together."""
    return lambda folder: [change(folder) for change in changes]


def read_tensors(path: Path) -> dict[str, Stored]:
    """The tensors of a sound safetensors file, in the order of their data."""
    header, data = split(path)
    header.pop("__metadata__", None)
    places = sorted(header.items(), key=lambda item: item[1]["data_offsets"])
    return {
        name: Stored(entry["dtype"], tuple(entry["shape"]), data[slice(*entry["data_offsets"])])
        for name, entry in places
    }


def write_tensors(path: Path, tensors: Mapping[str, Stored]) -> None:
    """Write a sound safetensors file."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, tensor in tensors.items():
        assert len(tensor.data) == math.prod(tensor.shape) * WIDTHS[tensor.dtype]
        header[name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [end, end + len(tensor.data)]}
        end += len(tensor.data)
    join(path, header, b"".join(tensor.data for tensor in tensors.values()))


def tensors(change: Callable[[dict[str, Stored]], object], name: str = "model.safetensors") -> Change:
    """A change of the tensors of a file, which stays sound."""

    def rewrite(folder: Path) -> None:
        found = read_tensors(folder / name)
        change(found)
        write_tensors(folder / name, found)

    return rewrite


def split(path: Path) -> tuple[dict[str, Any], bytes]:
    """Header and data of a safetensors file."""
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def join(path: Path, header: dict[str, Any] | bytes, data: bytes) -> None:
    """Write a safetensors file of these parts."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + data)


def parts(change: Callable[[dict[str, Any], bytes], tuple[dict[str, Any] | bytes, bytes]]) -> Change:
    """A change of the header and the data of model.safetensors, which may break it."""

    def rewrite(folder: Path) -> None:
        path = folder / "model.safetensors"
        join(path, *change(*split(path)))

    return rewrite


def numbers(tensor: Stored) -> np.ndarray[Any, Any]:
    """The numbers of a tensor, to change; those of BF16 as their bits."""
    kinds = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
    return np.frombuffer(tensor.data, kinds[tensor.dtype]).reshape(tensor.shape).copy()


def stored(array: np.ndarray[Any, Any], dtype: str = "F32") -> Stored:
    """Numbers as a tensor."""
    return Stored(dtype, array.shape, array.tobytes())
