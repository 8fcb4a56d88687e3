"""What a pickle of torch holds, worked out from its opcodes: nothing is imported, called or built.

The opcodes: Lib/pickletools.py of CPython. What torch writes with them: torch/serialization.py (storages are persistent
ids) and torch/_utils.py (`_rebuild_tensor_v2` and its kin). Whatever else a pickle holds becomes `Unknown`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

MOST_OPCODES = 1_000_000
"""Opcodes that are followed, in about half a second; a checkpoint of 30,000 tensors has so many."""

# Names of dtypes as safetensors has them: torch/storage.py, _new_dtypes and the legacy storage classes.
_STORAGES = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
    "ComplexFloatStorage": "C64",
    "ComplexDoubleStorage": "C128",
    "QInt8Storage": "I8",
    "QUInt8Storage": "U8",
    "QInt32Storage": "I32",
    "UntypedStorage": "U8",
}
_DTYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "bool": "BOOL",
    "complex64": "C64",
    "complex128": "C128",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float8_e8m0fnu": "F8_E8M0",
}
BYTES = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0"), 1),
    "C128": 16,
}
"""Bytes of an element, by dtype."""

_DEEPEST = 32
_MOST_VISITS = 500_000
_MOST_DIMENSIONS = 64
_LARGEST = 1 << 63


class NotFollowed(Exception):  # noqa: N818 -- no fault of the pickle
    """Why a pickle was not followed to its end, as the end of a sentence."""


class Ended(Exception):  # noqa: N818 -- the caller may have more of it
    """The bytes end before the pickle does."""


class Unknown:
    """A value that is not looked into."""

    __slots__ = ()


UNKNOWN = Unknown()


class Global(NamedTuple):
    """A name that the pickle would import."""

    module: str
    name: str


class Storage(NamedTuple):
    """Where tensors keep their numbers: its key in the file, dtype and number of elements."""

    key: str
    dtype: str
    elements: int

    @property
    def size(self) -> int:
        """Bytes of its content."""
        return self.elements * BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class TorchTensor:
    """A tensor of the pickle.

    Attributes:
        dtype: as safetensors names it; torch's 128-bit complex numbers are "C128".
        shape: lengths.
        storage: where its numbers are.
        offset: of its first element in the storage, in elements.
        extent: elements of the storage from the first to the last of the tensor; 0 for an empty one.
    """

    dtype: str
    shape: tuple[int, ...]
    storage: Storage
    offset: int
    extent: int


class Ran(NamedTuple):
    """The value of a pickle, the byte at which the next one begins, and the storages that it refers to, by key."""

    value: Any
    end: int
    storages: dict[str, Storage]


def run(data: bytes, start: int = 0) -> Ran:
    """Follow the pickle at `start`.

    Raises:
        Ended: `data` ends before the pickle does.
        NotFollowed: it has too many opcodes, or such as torch never writes.
    """
    machine = _Machine(data, start)
    try:
        return machine.run()
    except struct.error as error:
        raise Ended from error
    except (IndexError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        if isinstance(error, IndexError) and machine.at >= len(data):
            raise Ended from error
        raise NotFollowed("its pickle cannot be followed") from error


def tensors_in(value: Any) -> dict[str, TorchTensor]:
    """The tensors of nested dicts and lists, by their keys joined with dots.

    Raises:
        NotFollowed: there is too much of it.
    """
    found: dict[str, TorchTensor] = {}
    stack: list[Iterator[tuple[str, Any]]] = [iter([("", value)])]
    visits = 0
    while stack:
        visits += 1
        if visits > _MOST_VISITS:
            raise NotFollowed("its pickle refers to itself too often")
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
            continue
        name, value = item
        if isinstance(value, TorchTensor):
            found[name] = value
        elif isinstance(value, dict | list) and len(stack) < _DEEPEST:
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            stack.append(_named(name, iter(pairs)))
    return found


def _named(prefix: str, pairs: Iterator[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    for key, value in pairs:
        if isinstance(value, dict | list | TorchTensor) and len(prefix) < 1000:
            yield (f"{prefix}.{key}" if prefix else str(key)[:1000]), value


class _Mark:
    __slots__ = ()


_MARK = _Mark()


def _u1(data: bytes, at: int) -> tuple[int, int]:
    return data[at], at + 1


def _reader(form: str) -> Callable[[bytes, int], tuple[Any, int]]:
    packed = struct.Struct(form)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        return packed.unpack_from(data, at)[0], at + packed.size

    return read


_U1, _U2, _U4, _U8, _I4 = _u1, _reader("<H"), _reader("<I"), _reader("<Q"), _reader("<i")
_F8 = _reader(">d")


class _Machine:
    """The stack machine of pickle, over stand-ins."""

    def __init__(self, data: bytes, start: int) -> None:
        self.data = data
        self.at = start
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.storages: dict[str, Storage] = {}

    def run(self) -> Ran:
        data, table = self.data, _OPCODES
        for _ in range(MOST_OPCODES):
            opcode = data[self.at]
            self.at += 1
            if opcode == 0x2E:  # STOP
                return Ran(self.stack.pop(), self.at, self.storages)
            table[opcode](self)
        raise NotFollowed(f"its pickle has more than {MOST_OPCODES:,} opcodes")

    def read(self, reader: Callable[[bytes, int], tuple[Any, int]]) -> Any:
        value, self.at = reader(self.data, self.at)
        return value

    def bytes_of(self, reader: Callable[[bytes, int], tuple[Any, int]]) -> bytes:
        length, begin = reader(self.data, self.at)
        if begin + length > len(self.data):
            raise Ended
        self.at = begin + length
        return self.data[begin : self.at]

    def text(self, reader: Callable[[bytes, int], tuple[Any, int]]) -> None:
        self.stack.append(self.bytes_of(reader).decode("utf-8", "surrogatepass"))

    def line(self) -> str:
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise Ended
        begin, self.at = self.at, end + 1
        return self.data[begin:end].decode("utf-8", "surrogateescape")

    def marked(self) -> list[Any]:
        """What was pushed since the last mark."""
        stack = self.stack
        at = len(stack) - 1
        while stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise ValueError("no mark")
        items = stack[at + 1 :]
        del stack[at:]
        return items

    def imported(self, module: str, name: str) -> None:
        dtype = _DTYPES.get(name) if module == "torch" else None
        self.stack.append(Global("torch.dtype", dtype) if dtype else Global(module, name))

    def call(self) -> None:
        arguments = self.stack.pop()
        function = self.stack.pop()
        self.stack.append(_call(function, arguments))

    def persistent(self, value: Any) -> None:
        storage = _storage(value)
        if isinstance(storage, Storage):
            self.storages[storage.key] = storage
        self.stack.append(storage)

    def append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, dict):
            _fill(target, items)

    def build(self) -> None:
        self.stack.pop()
        self.stack[-1]  # there must be something to set a state on


def _call(function: Any, arguments: Any) -> Any:
    if not isinstance(function, Global) or not isinstance(arguments, tuple):
        return UNKNOWN
    if function == ("collections", "OrderedDict"):
        return {}
    if function.module == "torch._utils":
        if function.name.startswith("_rebuild_parameter") and arguments:
            return arguments[0]
        if function.name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor"):
            return _tensor(function.name, arguments)
    if function == ("torch._tensor", "_rebuild_from_type_v2") and len(arguments) == 4:
        return _call(arguments[0], arguments[2]) if arguments[0] != function else UNKNOWN
    return UNKNOWN


def _tensor(function: str, arguments: tuple[Any, ...]) -> TorchTensor | Unknown:
    if len(arguments) < 4 or not isinstance(arguments[0], Storage):
        return UNKNOWN
    storage, offset, shape, stride = arguments[:4]
    if not _natural(offset) or not _naturals(shape) or not _naturals(stride) or len(shape) != len(stride):
        return UNKNOWN
    dtype = storage.dtype
    if function == "_rebuild_tensor_v3":
        given = arguments[6] if len(arguments) > 6 else None
        if not isinstance(given, Global) or given.module != "torch.dtype":
            return UNKNOWN
        dtype = given.name
    extent = 0 if 0 in shape else 1 + sum((length - 1) * step for length, step in zip(shape, stride, strict=True))
    return TorchTensor(dtype, shape, storage, offset, extent)


def _storage(value: Any) -> Storage | Unknown:
    """The storage that a persistent id stands for: ("storage", class, key, device, elements, ...)."""
    if not isinstance(value, tuple) or len(value) < 5 or value[0] != "storage" or not isinstance(value[1], Global):
        return UNKNOWN
    module, name = value[1]
    dtype = _STORAGES.get(name) if module in ("torch", "torch.storage", "torch.cuda") else None
    if dtype is None or not isinstance(value[2], str) or not _natural(value[4]):
        return UNKNOWN
    return Storage(value[2], dtype, value[4])


def _natural(value: Any) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


def _naturals(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) <= _MOST_DIMENSIONS and all(_natural(item) for item in value)


def _push(value: Any) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(value)


def _read(reader: Callable[[bytes, int], tuple[Any, int]]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.read(reader))


def _text(reader: Callable[[bytes, int], tuple[Any, int]]) -> Callable[[_Machine], None]:
    return lambda machine: machine.text(reader)


def _raw(reader: Callable[[bytes, int], tuple[Any, int]]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.bytes_of(reader))


def _long(reader: Callable[[bytes, int], tuple[Any, int]]) -> Callable[[_Machine], None]:
    def push(machine: _Machine) -> None:
        raw = machine.bytes_of(reader)
        machine.stack.append(int.from_bytes(raw, "little", signed=True) if len(raw) <= 16 else UNKNOWN)

    return push


def _tuple(count: int) -> Callable[[_Machine], None]:
    def build(machine: _Machine) -> None:
        if len(machine.stack) < count:
            raise ValueError("nothing on the stack")
        items = tuple(machine.stack[-count:])
        del machine.stack[-count:]
        machine.stack.append(items)

    return build


def _put(reader: Callable[[bytes, int], tuple[Any, int]]) -> Callable[[_Machine], None]:
    def put(machine: _Machine) -> None:
        machine.memo[machine.read(reader)] = machine.stack[-1]

    return put


def _get(reader: Callable[[bytes, int], tuple[Any, int]]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.memo[machine.read(reader)])


def _nothing(_machine: _Machine) -> None:
    """For opcodes that only frame."""


def _skip(reader: Callable[[bytes, int], tuple[Any, int]]) -> Callable[[_Machine], None]:
    def skip(machine: _Machine) -> None:
        machine.read(reader)

    return skip


def _marked(build: Callable[[list[Any]], Any]) -> Callable[[_Machine], None]:
    def push(machine: _Machine) -> None:
        items = machine.marked()
        machine.stack.append(build(items))

    return push


def _dict(items: list[Any]) -> dict[Any, Any]:
    built: dict[Any, Any] = {}
    _fill(built, items)
    return built


def _fill(target: dict[Any, Any], items: list[Any]) -> None:
    """Set the keys and values that follow each other in `items`."""
    if len(items) % 2:
        raise ValueError("a key without a value")
    # A tuple is hashed as deep as it goes, which a hostile one makes endless.
    pairs = zip(items[::2], items[1::2], strict=True)
    target.update((key, value) for key, value in pairs if isinstance(key, str | int | bytes))


def _instance(machine: _Machine) -> None:
    machine.line(), machine.line()
    machine.marked()
    machine.stack.append(UNKNOWN)


def _stack_global(machine: _Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise TypeError("an import without a name")
    machine.imported(module, name)


def _new_object(extra: int) -> Callable[[_Machine], None]:
    def push(machine: _Machine) -> None:
        del machine.stack[-extra:]
        cls = machine.stack.pop()
        machine.stack.append({} if cls == ("collections", "OrderedDict") else UNKNOWN)

    return push


def _line_value(convert: Callable[[str], Any]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(convert(machine.line()))


def _whole(line: str) -> Any:
    """The number of an INT or LONG opcode; I01 and I00 are truth values."""
    if line in ("01", "00"):
        return line == "01"
    return int(line.removesuffix("L")) if len(line) < 40 else UNKNOWN


_OPCODES: dict[int, Callable[[_Machine], None]] = {
    ord("("): _push(_MARK),
    ord("0"): lambda machine: _drop(machine),
    ord("1"): lambda machine: _drop_marked(machine),
    ord("2"): lambda machine: machine.stack.append(machine.stack[-1]),
    ord("N"): _push(None),
    0x88: _push(True),
    0x89: _push(False),
    ord("I"): _line_value(_whole),
    ord("L"): _line_value(_whole),
    ord("F"): _line_value(lambda line: float(line) if len(line) < 40 else UNKNOWN),
    ord("S"): _line_value(lambda line: line[1:-1]),
    ord("V"): _line_value(lambda line: line),
    ord("J"): _read(_I4),
    ord("K"): _read(_U1),
    ord("M"): _read(_U2),
    ord("G"): _read(_F8),
    0x8A: _long(_U1),
    0x8B: _long(_I4),
    ord("X"): _text(_U4),
    0x8C: _text(_U1),
    0x8D: _text(_U8),
    ord("T"): _raw(_U4),
    ord("U"): _raw(_U1),
    ord("B"): _raw(_U4),
    ord("C"): _raw(_U1),
    0x8E: _raw(_U8),
    0x96: _raw(_U8),
    0x97: _push(UNKNOWN),
    0x98: _nothing,
    ord("]"): lambda machine: machine.stack.append([]),
    ord("}"): lambda machine: machine.stack.append({}),
    ord(")"): _push(()),
    0x8F: _push(UNKNOWN),
    ord("l"): _marked(list),
    ord("t"): _marked(tuple),
    ord("d"): _marked(_dict),
    0x91: _marked(lambda items: UNKNOWN),
    0x85: _tuple(1),
    0x86: _tuple(2),
    0x87: _tuple(3),
    ord("a"): lambda machine: machine.append([machine.stack.pop()]),
    ord("e"): lambda machine: machine.append(machine.marked()),
    0x90: lambda machine: _add(machine),
    ord("s"): lambda machine: _set_item(machine),
    ord("u"): lambda machine: machine.set_items(machine.marked()),
    ord("p"): lambda machine: machine.memo.__setitem__(int(machine.line()[:20]), machine.stack[-1]),
    ord("q"): _put(_U1),
    ord("r"): _put(_U4),
    0x94: lambda machine: machine.memo.__setitem__(len(machine.memo), machine.stack[-1]),
    ord("g"): lambda machine: machine.stack.append(machine.memo[int(machine.line()[:20])]),
    ord("h"): _get(_U1),
    ord("j"): _get(_U4),
    ord("c"): lambda machine: machine.imported(machine.line(), machine.line()),
    0x93: _stack_global,
    ord("R"): _Machine.call,
    ord("b"): _Machine.build,
    ord("i"): _instance,
    ord("o"): _marked(lambda items: UNKNOWN),
    0x81: _new_object(1),
    0x92: _new_object(2),
    0x80: _skip(_U1),
    0x95: _skip(_U8),
    ord("P"): lambda machine: machine.persistent(machine.line()),
    ord("Q"): lambda machine: machine.persistent(machine.stack.pop()),
    0x82: lambda machine: _extension(machine, _U1),
    0x83: lambda machine: _extension(machine, _U2),
    0x84: lambda machine: _extension(machine, _U4),
}


def _drop(machine: _Machine) -> None:
    machine.stack.pop()


def _drop_marked(machine: _Machine) -> None:
    machine.marked()


def _add(machine: _Machine) -> None:
    machine.marked()
    machine.stack[-1]


def _set_item(machine: _Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.set_items([key, value])


def _extension(machine: _Machine, reader: Callable[[bytes, int], tuple[Any, int]]) -> None:
    machine.read(reader)
    machine.stack.append(UNKNOWN)
