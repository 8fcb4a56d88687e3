"""A strict reader of GGUF headers: metadata, with its arrays skipped, and the table of tensors; no tensor data.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. What is refused here is what llama.cpp refuses,
ggml/src/gguf.cpp.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO, NamedTuple

from hubpub.model.binary import BinaryReader, Broken, look
from hubpub.model.ggml import ARRAY, GGML_TYPES, REMOVED_TYPES, SCALARS, STRING, VALUE_NAMES
from hubpub.model.safetensors import HeaderProblem
from hubpub.model.signatures import describe

_LEGACY = {b"lmgg": "GGML", b"fmgg": "GGMF", b"tjgg": "GGJT", b"algg": "GGLA"}

_MOST_KEYS = 1 << 16
_MOST_TENSORS = 1 << 17
_MOST_STRINGS = 2_000_000  # of all arrays together; the largest vocabularies have 800,000 tokens and merges
_LONGEST_NAME = 65_535
_LONGEST_STRING = 4 << 20  # bytes that are kept of a metadata string
_KEPT_STRINGS = 16 << 20  # bytes of all metadata strings that are kept
_MOST_DIMENSIONS = 8  # llama.cpp has 4, stable-diffusion.cpp stores up to 5
_DEEPEST = 4
_MOST_PROBLEMS = 20
_LARGEST_COUNT = 1 << 63

Value = str | int | float | bool


class GgufTensor(NamedTuple):
    """A tensor of the table.

    Attributes:
        name: of the tensor.
        dims: lengths, the one that varies fastest first, as GGUF has them.
        type: its ggml_type.
        offset: of its data, from the start of all data.
        size: bytes of its data; None for a type that is not known here.
    """

    name: str
    dims: tuple[int, ...]
    type: int
    offset: int
    size: int | None


@dataclass(frozen=True, slots=True)
class GgufArray:
    """An array of the metadata: the type of its elements ("string", "i32", ...) and how many there are."""

    type: str
    length: int


@dataclass(frozen=True)
class GgufFile:
    """The header of a GGUF file.

    Attributes:
        size: bytes of the file.
        version: of the format; 0 when it was not read.
        big_endian: whether it is for big-endian machines.
        values: metadata that is no array, by key; of a string of more than 4 MB nothing is kept.
        arrays: metadata that is an array, by key.
        tensors: by name.
        data_start: byte at which the tensor data begins.
        problems: what llama.cpp would refuse; empty for a sound file, at most 20.
    """

    size: int
    version: int = 0
    big_endian: bool = False
    values: dict[str, Value] = field(default_factory=dict)
    arrays: dict[str, GgufArray] = field(default_factory=dict)
    tensors: dict[str, GgufTensor] = field(default_factory=dict)
    data_start: int = 0
    problems: tuple[HeaderProblem, ...] = ()

    def text(self, key: str) -> str | None:
        """The string that the metadata has for `key`."""
        value = self.values.get(key)
        return value if isinstance(value, str) else None

    def number(self, key: str) -> int | None:
        """The whole number that the metadata has for `key`."""
        value = self.values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def architecture(self) -> str | None:
        """`general.architecture`: "llama", "bert", "clip", ..."""
        return self.text("general.architecture")

    @property
    def is_model(self) -> bool:
        """Whether it is a model by itself: no LoRA, projector of pictures, importance matrix or vocabulary.

        Older projectors do not say `general.type`.
        """
        return self.text("general.type") in (None, "model") and self.architecture != "clip"

    @property
    def pooling(self) -> int | None:
        """How an embedding model makes one vector of many, as llama.cpp's `llama_pooling_type`; None for others."""
        return self.number(f"{self.architecture}.pooling_type")

    @property
    def tokens(self) -> int | None:
        """How many tokens its vocabulary has; None without one."""
        array = self.arrays.get("tokenizer.ggml.tokens")
        return array.length if array else None

    @cached_property
    def chat_templates(self) -> dict[str, str]:
        """The chat templates by their keys: `tokenizer.chat_template`, `tokenizer.chat_template.tool_use`, ..."""
        start = "tokenizer.chat_template"
        return {
            key: value
            for key, value in self.values.items()
            if isinstance(value, str) and (key == start or key.startswith(start + "."))
        }

    @property
    def split_count(self) -> int:
        """Of how many files it is one, by `split.count`; 1 for a whole model."""
        return self.number("split.count") or 1

    @cached_property
    def unknown_types(self) -> dict[int, str]:
        """The ggml types that are not known here, each with a tensor that has it."""
        return {kind: name for kind, name in self._sizeless.items() if kind not in REMOVED_TYPES}

    @cached_property
    def removed_types(self) -> dict[str, str]:
        """The types that llama.cpp once had, each with a tensor that has it."""
        return {REMOVED_TYPES[kind]: name for kind, name in self._sizeless.items() if kind in REMOVED_TYPES}

    @cached_property
    def _sizeless(self) -> dict[int, str]:
        return {tensor.type: tensor.name for tensor in self.tensors.values() if tensor.size is None}


def read_gguf(open_file: Callable[[], BinaryIO]) -> GgufFile:
    """Read the header of a GGUF file; what is wrong with the file is in `GgufFile.problems`."""
    try:
        file, size = look(open_file)
        with file:
            return parse_gguf(file, size)
    except OSError as error:
        return GgufFile(0, problems=(HeaderProblem(f"cannot be read: {error.strerror or error}"),))


def parse_gguf(file: BinaryIO, size: int) -> GgufFile:
    """Read the header from the start of `file`, which has `size` bytes."""
    return _Reader(file, size).read()


class _Reader:
    """Collects what one header says."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.reader = BinaryReader(file, size)
        self.size = size
        self.order = "<"
        self.version = 0
        self.values: dict[str, Value] = {}
        self.arrays: dict[str, GgufArray] = {}
        self.tensors: dict[str, GgufTensor] = {}
        self.places: dict[str, int] = {}  # byte of each tensor's entry in the table
        self.problems: list[HeaderProblem] = []
        self.strings = 0
        self.kept = 0
        self.data_start = 0

    def read(self) -> GgufFile:
        try:
            keys, tensors = self._start()
            self._metadata(keys)
            self._table(tensors)
            self._layout()
        except Broken as broken:
            message = broken.message
            if message == "is cut short":
                message = f"is cut short: its header goes on after its {self.size:,} bytes"
            self._problem(message, broken.offset)
        return GgufFile(
            self.size,
            self.version,
            self.order == ">",
            self.values,
            self.arrays,
            self.tensors,
            self.data_start,
            tuple(self.problems),
        )

    def _problem(self, message: str, offset: int | None = None, tensor: str | None = None) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(HeaderProblem(message, offset, tensor))

    def _start(self) -> tuple[int, int]:
        """How many keys and tensors the header claims to have."""
        if not self.size:
            raise Broken("has 0 bytes")
        begin = self.reader.take(min(self.size, 512))
        if not begin.startswith(b"GGUF"):
            raise Broken(_other(begin), 0)
        self.reader = BinaryReader(self.file, self.size)
        self.reader.skip(4)
        (version,) = self.reader.unpack(struct.Struct("<I"))
        if version and not version & 0xFFFF:
            self.order = ">"
            version = int.from_bytes(version.to_bytes(4, "little"), "big")
        if version not in (2, 3):
            raise Broken(f"is GGUF version {version:,}; engines read versions 2 and 3", 4)
        self.version = version
        self.u32, self.u64 = struct.Struct(self.order + "I"), struct.Struct(self.order + "Q")
        tensors, keys = self.reader.unpack(struct.Struct(self.order + "QQ"))
        # The shortest entries: an empty key with a u8, an empty name of a tensor without dimensions.
        self._possible(tensors, 24, _MOST_TENSORS, "tensors", 8)
        self._possible(keys, 13, _MOST_KEYS, "metadata entries", 16)
        return keys, tensors

    def _possible(self, count: int, least: int, most: int, noun: str, offset: int) -> None:
        room = self.reader.left // least
        if count > room:
            raise Broken(f"claims {count:,} {noun}; it has room for {room:,} at most", offset)
        if count > most:
            raise Broken(f"claims {count:,} {noun}; more than {most:,} are absurd", offset)

    def _metadata(self, count: int) -> None:
        for _ in range(count):
            place = self.reader.position
            key = self._string("a key of the metadata", _LONGEST_NAME)
            (kind,) = self.reader.unpack(self.u32)
            if key in self.values or key in self.arrays:
                self._problem(f"has the metadata key {_quoted(key)} twice", place)
            if kind == ARRAY:
                self.arrays[key] = self._array(key)
            elif kind == STRING:
                self.values[key] = self._kept_string(key)
            else:
                self.values[key] = self._scalar(key, kind)

    def _scalar(self, key: str, kind: int) -> Value:
        code = SCALARS.get(kind)
        if code is None:
            at = self.reader.position - 4
            raise Broken(f"gives {_quoted(key)} the value type {kind:,}, which the format does not have", at)
        return self.reader.unpack(struct.Struct(self.order + code))[0]

    def _length(self, what: str) -> int:
        place = self.reader.position
        (length,) = self.reader.unpack(self.u64)
        if length > self.reader.left:
            message = f"claims {length:,} bytes for {what}; {self.reader.left:,} are left"
            raise Broken(message, place)
        return length

    def _string(self, what: str, most: int) -> str:
        place = self.reader.position
        length = self._length(what)
        if length > most:
            raise Broken(f"claims {length:,} bytes for {what}; the format allows {most:,}", place)
        return self.reader.take(length).decode("utf-8", "replace")

    def _kept_string(self, key: str) -> str:
        length = self._length(_quoted(key))
        if length > _LONGEST_STRING or self.kept + length > _KEPT_STRINGS:
            self.reader.skip(length)
            return ""
        self.kept += length
        return self.reader.take(length).decode("utf-8", "replace")

    def _array(self, key: str, depth: int = 1) -> GgufArray:
        place = self.reader.position
        (kind,) = self.reader.unpack(self.u32)
        (length,) = self.reader.unpack(self.u64)
        if kind in SCALARS:
            width = struct.calcsize("<" + SCALARS[kind])
            self._fits(length, width, key, place)
            self.reader.skip(length * width)
        elif kind == STRING:
            self._fits(length, 8, key, place)
            self._count_strings(length, key, place)
            self.reader.skip_strings(length, self.u64)
        elif kind == ARRAY:
            self._fits(length, 12, key, place)
            if depth == _DEEPEST:
                raise Broken(f"nests the arrays of {_quoted(key)} more than {_DEEPEST} deep", place)
            self._count_strings(length, key, place)
            for _ in range(length):
                self._array(key, depth + 1)
        else:
            message = f"gives {_quoted(key)} elements of type {kind:,}, which the format does not have"
            raise Broken(message, place)
        return GgufArray(VALUE_NAMES[kind], length)

    def _fits(self, length: int, width: int, key: str, place: int) -> None:
        if length * width > self.reader.left:
            message = f"claims {length:,} elements for {_quoted(key)}; there is room for {self.reader.left // width:,}"
            raise Broken(message, place)

    def _count_strings(self, length: int, key: str, place: int) -> None:
        self.strings += length
        if self.strings > _MOST_STRINGS:
            message = f"claims {length:,} elements for {_quoted(key)}; more than {_MOST_STRINGS:,} are absurd"
            raise Broken(message, place)

    def _table(self, count: int) -> None:
        pair = struct.Struct(self.order + "IQ")
        for _ in range(count):
            place = self.reader.position
            name = self._string("the name of a tensor", _LONGEST_NAME)
            (rank,) = self.reader.unpack(self.u32)
            if rank > _MOST_DIMENSIONS:
                raise Broken(f"gives {_quoted(name)} {rank:,} dimensions", place)
            dims = self.reader.unpack(struct.Struct(f"{self.order}{rank}Q"))
            kind, offset = self.reader.unpack(pair)
            if name in self.tensors:
                self._problem(f"names the tensor {_quoted(name)} twice", place, name[:1000])
            self.tensors[name] = GgufTensor(name, dims, kind, offset, self._bytes(name, dims, kind, place))
            self.places[name] = place

    def _bytes(self, name: str, dims: tuple[int, ...], kind: int, place: int) -> int | None:
        count = 1
        for length in dims:
            count *= length
            if count >= _LARGEST_COUNT:
                raise Broken(f"gives {_quoted(name)} a shape of more than 2^63 elements", place)
        if kind not in GGML_TYPES:
            return None
        noun, block, width = GGML_TYPES[kind]
        if dims and dims[0] % block:
            message = f"gives {_quoted(name)} rows of {dims[0]:,} elements, but {noun} packs {block} at a time"
            self._problem(message, place, name[:1000])
        return count // block * width

    def _layout(self) -> None:
        """Tensor after tensor in the order of the table, each at the next multiple of the alignment."""
        alignment = self.values.get("general.alignment", 32)
        if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
            self._problem(f"has a general.alignment of {str(alignment)[:40]}, which is not a power of two")
            return
        self.data_start = -(-self.reader.position // alignment) * alignment
        expected: int | None = 0
        end = 0
        told = False
        for tensor in self.tensors.values():
            if not told and expected is not None and tensor.offset != expected:
                told = True
                self._problem(
                    self._misplaced(tensor, expected, alignment), self.places[tensor.name], tensor.name[:1000]
                )
            if tensor.size is None:
                end = max(end, tensor.offset)
                expected = None
            else:
                end = max(end, tensor.offset + tensor.size)
                expected = -(-(tensor.offset + tensor.size) // alignment) * alignment
        stored = max(self.size - self.data_start, 0)
        if self.tensors and end > stored:
            self._problem(f"is cut short: {end - stored:,} of {end:,} bytes of tensor data are missing", self.size)

    def _misplaced(self, tensor: GgufTensor, expected: int, alignment: int) -> str:
        shown = _quoted(tensor.name)
        if tensor.offset % alignment:
            return f"stores {shown} at {tensor.offset:,}, which is not a multiple of the alignment {alignment}"
        for other in self.tensors.values():
            last = other.offset + (other.size or 0)
            if other.name != tensor.name and other.offset <= tensor.offset < last:
                return f"stores {shown} over the bytes of {_quoted(other.name)}"
        if tensor.offset > expected:
            return f"has a hole of {tensor.offset - expected:,} bytes before {shown}"
        return f"stores {shown} out of the order of its table, at {tensor.offset:,} instead of {expected:,}"


def _other(begin: bytes) -> str:
    """What a file is that does not begin like GGUF."""
    if begin[:4] in _LEGACY:
        return f"is in the old {_LEGACY[begin[:4]]} format, not GGUF"
    foreign = describe(begin)
    return f"is {foreign}, not GGUF" if foreign else f"begins with {begin[:4]!r} instead of b'GGUF'"


def _quoted(name: str) -> str:
    return repr(name if len(name) <= 100 else name[:97] + "...")
