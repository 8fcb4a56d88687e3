"""What an ONNX file says of itself, read from its protobuf without the onnx package; no tensor data is read.

The messages: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; their encoding:
https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from hubpub.model.binary import BinaryReader, Broken, look
from hubpub.model.safetensors import HeaderProblem
from hubpub.model.signatures import describe

# Bits of an element, by TensorProto.DataType; strings (8) have none.
_BITS = {
    1: 32,
    2: 8,
    3: 8,
    4: 16,
    5: 16,
    6: 32,
    7: 64,
    9: 8,
    10: 16,
    11: 64,
    12: 32,
    13: 64,
    14: 64,
    15: 128,
    16: 16,
    17: 8,
    18: 8,
    19: 8,
    20: 8,
    21: 4,
    22: 4,
    23: 4,
    24: 8,
    25: 2,
    26: 2,
}

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EXTERNAL = 1

_MOST_FIELDS = 1_500_000
_MOST_TENSORS = 200_000
_LONGEST_TEXT = 4096
_LARGEST_DIMS = 1 << 16
_DEEPEST = 16
_LARGEST = 1 << 63
_NUMBER = re.compile(r"\d{1,19}")
_LARGEST_SEARCHED = 1 << 18  # bytes of a node
_SEARCHED = 1 << 28  # bytes of all nodes


class OnnxTensor(NamedTuple):
    """A tensor of the graph.

    Attributes:
        name: "" for one that has none.
        type: TensorProto.DataType.
        dims: lengths.
        raw: bytes of raw_data; None when the numbers are stored otherwise.
        place: byte of the file at which it is described.
        raw_at: byte at which raw_data begins; None without any.
    """

    name: str
    type: int
    dims: tuple[int, ...]
    raw: int | None
    place: int
    raw_at: int | None = None

    @property
    def size(self) -> int | None:
        """Bytes that its elements need; None for a type that is not known here, or strings."""
        bits = _BITS.get(self.type)
        if bits is None:
            return None
        count = 1
        for length in self.dims:
            count *= length
            if count >= _LARGEST:
                return None
        return (count * bits + 7) // 8


class External(NamedTuple):
    """Where the numbers of a tensor are outside of the file.

    Attributes:
        tensor: which tensor.
        location: path relative to the file, as it says.
        offset: in that file, as it says; "" for 0.
        length: bytes there, as it says; "" when it does not say.
    """

    tensor: OnnxTensor
    location: str
    offset: str
    length: str

    @property
    def end(self) -> int | None:
        """Up to which byte the other file must go; None when offset or length are no numbers."""
        if not all(_NUMBER.fullmatch(number) for number in (self.offset, self.length) if number):
            return None
        length = int(self.length) if self.length else self.tensor.size or 0
        return int(self.offset or 0) + length


@dataclass(frozen=True)
class OnnxFile:
    """What one file says.

    Attributes:
        size: bytes of the file.
        ir_version: of the format; 0 when it has none.
        producer: program that wrote it.
        opsets: version by domain; "" is ONNX's own.
        functions: domains of functions that the file defines itself.
        inputs: names of the graph's inputs.
        outputs: names of its outputs.
        nodes: how many nodes the graph has.
        initializers: the graph's tensors.
        external: tensors whose numbers are in other files.
        problems: what breaks the format; empty for a sound file.
        unseen: why part of it was not looked at; None when all of it was.
    """

    size: int
    ir_version: int = 0
    producer: str = ""
    opsets: dict[str, int] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    nodes: int = 0
    initializers: tuple[OnnxTensor, ...] = ()
    external: tuple[External, ...] = ()
    problems: tuple[HeaderProblem, ...] = ()
    unseen: str | None = None


def read_onnx(open_file: Callable[[], BinaryIO]) -> OnnxFile:
    """Read an ONNX file; what is wrong with it is in `OnnxFile.problems`."""
    try:
        file, size = look(open_file)
        with file:
            return parse_onnx(file, size)
    except OSError as error:
        return OnnxFile(0, problems=(HeaderProblem(f"cannot be read: {error.strerror or error}"),))


def parse_onnx(file: BinaryIO, size: int) -> OnnxFile:
    """Read what `file`, which has `size` bytes, says."""
    return _Reader(file, size).read()


class _TooMuchError(Exception):
    """There is more than is looked at."""


class _Reader:
    """Collects what one ModelProto says."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size
        self.reader = BinaryReader(file, size)
        self.fields = 0
        self.searched = 0
        self.has_graph = False
        self.ir_version = 0
        self.producer = ""
        self.opsets: dict[str, int] = {}
        self.functions: set[str] = set()
        self.inputs: list[str] = []
        self.outputs: list[str] = []
        self.nodes = 0
        self.initializers: list[OnnxTensor] = []
        self.external: list[External] = []
        self.problems: list[HeaderProblem] = []
        self.unseen: str | None = None

    def read(self) -> OnnxFile:
        try:
            self._start()
            self._model()
            self._verdict()
        except Broken as broken:
            self.problems.insert(0, HeaderProblem(broken.message, broken.offset))
        except _TooMuchError:
            self.unseen = f"it has more than {_MOST_FIELDS:,} fields, or nodes of more than {_SEARCHED:,} bytes"
        return OnnxFile(
            self.size,
            self.ir_version,
            self.producer,
            self.opsets,
            frozenset(self.functions),
            tuple(self.inputs),
            tuple(self.outputs),
            self.nodes,
            tuple(self.initializers),
            tuple(self.external),
            tuple(self.problems[:20]),
            self.unseen,
        )

    def _start(self) -> None:
        begin = self.file.read(512) if self.file.seek(0) == 0 else b""
        if not begin:
            raise Broken("has 0 bytes")
        foreign = describe(begin)
        if foreign:
            raise Broken(f"is {foreign}, not ONNX", 0)
        if not begin.strip(b"\0"):
            raise Broken("begins with zero bytes, not with an ONNX model", 0)

    def _message(self, end: int) -> Iterator[tuple[int, int, int]]:
        """The fields up to byte `end`: number, wire type, and value or length; the caller reads or skips bytes."""
        reader = self.reader
        while reader.position < end:
            self.fields += 1
            if self.fields > _MOST_FIELDS:
                raise _TooMuchError
            place = reader.position
            tag = reader.varint()
            number, wire = tag >> 3, tag & 7
            if wire == _BYTES:
                value = reader.varint()
                if reader.position + value > end:
                    if end == self.size and self.ir_version:
                        missing = reader.position + value - self.size
                        raise Broken(f"is cut short: at least {missing:,} bytes are missing", self.size)
                    raise Broken("is not an ONNX model: a field reaches past the end of what holds it", place)
                after = reader.position + value
                yield number, wire, value
                reader.skip(after - reader.position)
            elif wire == _VARINT:
                yield number, wire, reader.varint()
            elif wire in (_FIXED32, _FIXED64):
                reader.skip(4 if wire == _FIXED32 else 8)
            else:
                raise Broken(f"is not an ONNX model: byte {place:,} begins no field of protobuf", place)
            if not number:
                raise Broken("is not an ONNX model: it has a field of number 0", place)

    def _model(self) -> None:
        for number, wire, value in self._message(self.size):
            if number == 1 and wire == _VARINT:
                self.ir_version = value
            elif number == 2 and wire == _BYTES:
                self.producer = self._text(value)
            elif number == 7 and wire == _BYTES:
                self.has_graph = True
                self._graph(self.reader.position + value, 0)
            elif number == 8 and wire == _BYTES:
                domain, version = self._opset(self.reader.position + value)
                self.opsets[domain] = version
            elif number == 25 and wire == _BYTES:
                self._function(self.reader.position + value)

    def _verdict(self) -> None:
        if not self.has_graph:
            self.problems.append(HeaderProblem("is not an ONNX model: it has no graph"))
        elif not self.ir_version:
            self.problems.append(HeaderProblem("has no ir_version, without which runtimes refuse it"))
        elif self.ir_version >= 3 and not self.opsets:
            self.problems.append(HeaderProblem("has no opset_import, without which runtimes refuse it"))

    def _text(self, length: int) -> str:
        return self.reader.take(min(length, _LONGEST_TEXT)).decode("utf-8", "replace")

    def _opset(self, end: int) -> tuple[str, int]:
        domain, version = "", 0
        for number, wire, value in self._message(end):
            if number == 1 and wire == _BYTES:
                domain = self._text(value)
            elif number == 2 and wire == _VARINT:
                version = value
        return domain, version

    def _function(self, end: int) -> None:
        for number, wire, value in self._message(end):
            if number == 10 and wire == _BYTES:
                self.functions.add(self._text(value))

    def _graph(self, end: int, depth: int) -> None:
        for number, wire, value in self._message(end):
            if wire != _BYTES:
                continue
            if number == 1:
                self.nodes += not depth
                self._node(value, depth)
            elif number == 5:
                tensor = self._tensor(self.reader.position + value)
                if not depth:
                    self.initializers.append(tensor)
            elif number in (11, 12) and not depth:
                (self.inputs if number == 11 else self.outputs).append(self._name(self.reader.position + value))

    def _name(self, end: int) -> str:
        name = ""
        for number, wire, value in self._message(end):
            if number == 1 and wire == _BYTES:
                name = self._text(value)
        return name

    def _node(self, length: int, depth: int) -> None:
        """Nodes are many, and few hold tensors whose numbers are elsewhere: those name a location."""
        end = self.reader.position + length
        if depth >= _DEEPEST:
            return
        if length <= _LARGEST_SEARCHED:
            self.searched += length
            if self.searched > _SEARCHED:
                raise _TooMuchError
            content = self.reader.take(length)
            if b"location" not in content:
                return
            self.reader.back(length)
        for number, wire, value in self._message(end):
            if number == 5 and wire == _BYTES:
                self._attribute(self.reader.position + value, depth)

    def _attribute(self, end: int, depth: int) -> None:
        for number, wire, value in self._message(end):
            if wire != _BYTES:
                continue
            if number in (5, 10):
                self._tensor(self.reader.position + value)
            elif number in (6, 11):
                self._graph(self.reader.position + value, depth + 1)

    def _tensor(self, end: int) -> OnnxTensor:
        if len(self.initializers) + len(self.external) > _MOST_TENSORS:
            raise _TooMuchError
        place = self.reader.position
        dims: list[int] = []
        name, kind, raw, raw_at, elsewhere = "", 0, None, None, False
        entries: dict[str, str] = {}
        for number, wire, value in self._message(end):
            if number == 1 and wire == _VARINT:
                dims.append(value)
            elif number == 1 and wire == _BYTES:
                dims += self._packed(value)
            elif number == 2 and wire == _VARINT:
                kind = value
            elif number == 8 and wire == _BYTES:
                name = self._text(value)
            elif number == 9 and wire == _BYTES:
                raw, raw_at = value, self.reader.position
            elif number == 13 and wire == _BYTES:
                key, text = self._entry(self.reader.position + value)
                entries[key] = text
            elif number == 14 and wire == _VARINT:
                elsewhere = value == _EXTERNAL
        tensor = OnnxTensor(name, kind, tuple(dims), raw, place, raw_at)
        if elsewhere:
            where = entries.get("location", ""), entries.get("offset", ""), entries.get("length", "")
            self.external.append(External(tensor, *where))
        elif raw is not None and tensor.size is not None and raw != tensor.size:
            shown = name if len(name) <= 100 else name[:97] + "..."
            message = f"has {raw:,} bytes for {shown!r} of shape {dims[:8]}, which needs {tensor.size:,}"
            self.problems.append(HeaderProblem(message, place, name[:1000]))
        return tensor

    def _packed(self, length: int) -> list[int]:
        end = self.reader.position + length
        if length > _LARGEST_DIMS:
            raise Broken("has a tensor of absurdly many dimensions", self.reader.position)
        self.fields += length
        numbers = []
        while self.reader.position < end:
            numbers.append(self.reader.varint())
        if self.reader.position != end:
            raise Broken("is not an ONNX model: a number reaches past the end of what holds it", end)
        return numbers

    def _entry(self, end: int) -> tuple[str, str]:
        key = text = ""
        for number, wire, value in self._message(end):
            if number == 1 and wire == _BYTES:
                key = self._text(value)
            elif number == 2 and wire == _BYTES:
                text = self._text(value)
        return key, text
