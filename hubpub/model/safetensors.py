"""A strict reader of safetensors headers; the tensor data is never read.

The format, and what it forbids (holes, overlaps, trailing bytes, duplicate names, headers above 100 MB):
https://github.com/huggingface/safetensors#format and its reference implementation, safetensors/src/tensor.rs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from hubpub.model.signatures import describe

MAX_HEADER = 100_000_000
_LENGTH = 8
_LARGEST_COUNT = 1 << 63
_MOST_PROBLEMS = 20

# Bits per element; safetensors 0.8, enum Dtype.
DTYPE_BITS = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}


class Tensor(NamedTuple):
    """A tensor as the header describes it; `begin` and `end` count from the end of the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def elements(self) -> int:
        """How many elements it has; a packed 4-bit dtype counts each element, not each byte."""
        return _elements(self.shape)


@dataclass(frozen=True, slots=True)
class HeaderProblem:
    """What is wrong with a file.

    Attributes:
        message: the problem as the end of a sentence that begins with the name of the file.
        offset: byte of the file where it shows, where there is one.
        tensor: the tensor it is about, where there is one.
    """

    message: str
    offset: int | None = None
    tensor: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one file.

    Attributes:
        size: bytes of the file.
        tensors: by name; only those that are described correctly.
        metadata: `__metadata__`.
        problems: what breaks the format; empty for a sound file, at most 20.
    """

    size: int
    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    problems: tuple[HeaderProblem, ...] = ()

    @property
    def data_start(self) -> int:
        """The offset in the file that the tensors' offsets count from; only known of a sound file."""
        return self.size - max((tensor.end for tensor in self.tensors.values()), default=0)

    def elements_by_dtype(self) -> dict[str, int]:
        """Elements of all tensors, by dtype."""
        counts: dict[str, int] = {}
        for tensor in self.tensors.values():
            counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.elements
        return counts


def read_header(open_file: Callable[[], BinaryIO]) -> Header:
    """Read the header of a file; what is wrong with the file is in `Header.problems`."""
    try:
        with open_file() as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            return parse_header(file, size)
    except OSError as error:
        return _refused(0, f"cannot be read: {error.strerror or error}")


def parse_header(file: BinaryIO, size: int) -> Header:
    """Read the header from the start of `file`, which has `size` bytes."""
    start = file.read(512)
    if not start:
        return _refused(size, "has 0 bytes")
    # A header length may look like another format's magic bytes (0x0280: a pickle), but { follows only here.
    foreign = None if start[_LENGTH : _LENGTH + 1] == b"{" else describe(start)
    if len(start) < _LENGTH:
        return _refused(
            size, f"is {foreign}, not safetensors" if foreign else f"is cut off after {len(start)} bytes", 0
        )
    length = int.from_bytes(start[:_LENGTH], "little")
    if foreign:
        return _refused(size, f"is {foreign}, not safetensors", 0)
    if length > MAX_HEADER:
        return _refused(size, f"claims a header of {length:,} bytes; the format allows {MAX_HEADER:,}", 0)
    if length > size - _LENGTH:
        return _refused(size, f"claims a header of {length:,} bytes but has {size - _LENGTH:,} after the length", 0)
    raw = start[_LENGTH : _LENGTH + length]
    raw += file.read(length - len(raw))
    if len(raw) < length:
        return _refused(size, "changed while it was read", len(raw))
    return _Reader(size, length).read(raw)


def _refused(size: int, message: str, offset: int | None = None) -> Header:
    return Header(size, {}, {}, (HeaderProblem(message, offset),))


class _Reader:
    """Collects tensors and problems from one header."""

    def __init__(self, size: int, length: int) -> None:
        self.size = size
        self.data_start = _LENGTH + length
        self.problems: list[HeaderProblem] = []
        self.duplicates: set[str] = set()

    def read(self, raw: bytes) -> Header:
        document = self._document(raw)
        if document is None:
            return Header(self.size, {}, {}, tuple(self.problems))
        metadata = self._metadata(document.pop("__metadata__", {}))
        tensors: dict[str, Tensor] = {}
        for name, entry in document.items():
            tensor = self._tensor(name, entry)
            if tensor is not None:
                tensors[name] = tensor
        if len(tensors) == len(document):
            self._layout(tensors)
        return Header(self.size, tensors, metadata, tuple(self.problems[:_MOST_PROBLEMS]))

    def _problem(self, message: str, offset: int | None = None, tensor: str | None = None) -> None:
        self.problems.append(HeaderProblem(message, offset, tensor))

    def _document(self, raw: bytes) -> dict[str, Any] | None:
        if not raw.startswith(b"{"):
            self._problem("has a header that does not begin with {", _LENGTH)
            return None
        try:
            document = json.loads(raw.decode("utf-8"), object_pairs_hook=self._pairs)
        except UnicodeDecodeError as error:
            self._problem("has a header that is not UTF-8", _LENGTH + error.start)
            return None
        except json.JSONDecodeError as error:
            offset = _LENGTH + len(error.doc[: error.pos].encode())
            self._problem(f"has a header that is not JSON: {error.msg[:1].lower()}{error.msg[1:]}", offset)
            return None
        except (RecursionError, ValueError):
            self._problem("has a header that is nested too deeply or holds an absurd number", _LENGTH)
            return None
        for name in sorted(self.duplicates):
            offset = raw.rfind(json.dumps(name, ensure_ascii=False).encode())
            at = _LENGTH + offset if offset >= 0 else None
            self._problem(f"names {_quoted(name)} twice in its header", at, _tensor_name(name))
        return document  # type: ignore[no-any-return]

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                (self.duplicates if key in seen else seen).add(key)
        return value

    def _metadata(self, metadata: Any) -> dict[str, str]:
        if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
            self._problem("has a __metadata__ that is not a map of strings to strings", _LENGTH)
            return {}
        return metadata

    def _tensor(self, name: str, entry: Any) -> Tensor | None:
        """The tensor, unless its description breaks the format by itself."""
        shown = _quoted(name)
        if not isinstance(entry, dict) or entry.keys() != _FIELDS:
            self._problem(f"describes {shown} without exactly dtype, shape and data_offsets", None, _tensor_name(name))
            return None
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        bits = DTYPE_BITS.get(dtype) if isinstance(dtype, str) else None
        problem = None
        if bits is None:
            problem = f"gives {shown} the dtype {_quoted(str(dtype))}, which the format does not have"
        elif not _naturals(shape):
            problem = f"gives {shown} a shape that is not a list of natural numbers"
        elif not _naturals(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
            problem = f"gives {shown} data_offsets that are not [begin, end]"
        else:
            needed, odd = divmod(_elements(shape) * bits, 8)
            if _elements(shape) >= _LARGEST_COUNT:
                problem = f"gives {shown} a shape of more than 2^63 elements"
            elif odd:
                problem = f"gives {shown} a shape that does not fill whole bytes in {dtype}"
            elif needed != offsets[1] - offsets[0]:
                problem = f"gives {shown} {offsets[1] - offsets[0]:,} bytes, but {dtype} {list(shape)} needs {needed:,}"
        if problem is not None:
            self._problem(problem, None, _tensor_name(name))
            return None
        return Tensor(name, dtype, tuple(shape), offsets[0], offsets[1])

    def _layout(self, tensors: dict[str, Tensor]) -> None:
        """Every byte after the header belongs to exactly one tensor."""
        end = 0
        last: Tensor | None = None
        for tensor in sorted(tensors.values(), key=_by_place):
            if tensor.begin < end and last is not None:
                message = f"stores {_quoted(tensor.name)} over the bytes of {_quoted(last.name)}"
                self._problem(message, self.data_start + tensor.begin, tensor.name)
            elif tensor.begin > end:
                hole = tensor.begin - end
                message = f"has a hole of {hole:,} bytes before {_quoted(tensor.name)}"
                self._problem(message, self.data_start + end, tensor.name)
            if tensor.end >= end:
                end, last = tensor.end, tensor
        stored = self.size - self.data_start
        if end > stored:
            self._problem(f"is cut short: {end - stored:,} of {end:,} bytes of tensor data are missing", self.size)
        elif end < stored:
            self._problem(f"has {stored - end:,} bytes after its last tensor", self.data_start + end)


_FIELDS = {"dtype", "shape", "data_offsets"}


def _by_place(tensor: Tensor) -> tuple[int, int]:
    return tensor[3], tensor[4]


def _naturals(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < _LARGEST_COUNT for item in value)


def _elements(shape: tuple[int, ...] | list[int]) -> int:
    """The product of the shape; it stops growing at 2^63, where no file can follow."""
    count = 1
    for length in shape:
        count *= length
        if count >= _LARGEST_COUNT:
            return _LARGEST_COUNT
    return count


def _quoted(name: str) -> str:
    shown = name if len(name) <= 100 else name[:97] + "..."
    return repr(shown)


def _tensor_name(name: str) -> str | None:
    return name if len(name) <= 1000 else None
