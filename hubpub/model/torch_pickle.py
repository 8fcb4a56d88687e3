"""The stack machine of pickle, over stand-ins: nothing is imported, called or built.

The opcodes: Lib/pickletools.py of CPython.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from hubpub.model.torch_values import UNKNOWN, NotFollowed, Storage, called, imported, storage_of

MOST_OPCODES = 1_000_000
"""Opcodes that are followed, in about half a second; a checkpoint of 30,000 tensors has so many."""


class Ended(Exception):  # noqa: N818 -- the caller may have more of it
    """The bytes end before the pickle does."""


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


_Reader = Callable[[bytes, int], tuple[Any, int]]
"""Takes bytes and a place, gives a value and the place after it."""


class _Mark:
    __slots__ = ()


_MARK = _Mark()


def _u1(data: bytes, at: int) -> tuple[int, int]:
    return data[at], at + 1


def _reader(form: str) -> _Reader:
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

    def read(self, reader: _Reader) -> Any:
        value, self.at = reader(self.data, self.at)
        return value

    def bytes_of(self, reader: _Reader) -> bytes:
        length, begin = reader(self.data, self.at)
        if begin + length > len(self.data):
            raise Ended
        self.at = begin + length
        return self.data[begin : self.at]

    def text(self, reader: _Reader) -> None:
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
        self.stack.append(imported(module, name))

    def call(self) -> None:
        arguments = self.stack.pop()
        function = self.stack.pop()
        self.stack.append(called(function, arguments))

    def persistent(self, value: Any) -> None:
        storage = storage_of(value)
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


_Step = Callable[[_Machine], None]
"""What an opcode does."""


def _push(value: Any) -> _Step:
    return lambda machine: machine.stack.append(value)


def _read(reader: _Reader) -> _Step:
    return lambda machine: machine.stack.append(machine.read(reader))


def _text(reader: _Reader) -> _Step:
    return lambda machine: machine.text(reader)


def _raw(reader: _Reader) -> _Step:
    return lambda machine: machine.stack.append(machine.bytes_of(reader))


def _long(reader: _Reader) -> _Step:
    def push(machine: _Machine) -> None:
        raw = machine.bytes_of(reader)
        machine.stack.append(int.from_bytes(raw, "little", signed=True) if len(raw) <= 16 else UNKNOWN)

    return push


def _tuple(count: int) -> _Step:
    def build(machine: _Machine) -> None:
        if len(machine.stack) < count:
            raise ValueError("nothing on the stack")
        items = tuple(machine.stack[-count:])
        del machine.stack[-count:]
        machine.stack.append(items)

    return build


def _put(reader: _Reader) -> _Step:
    def put(machine: _Machine) -> None:
        machine.memo[machine.read(reader)] = machine.stack[-1]

    return put


def _get(reader: _Reader) -> _Step:
    return lambda machine: machine.stack.append(machine.memo[machine.read(reader)])


def _nothing(_machine: _Machine) -> None:
    """For opcodes that only frame."""


def _skip(reader: _Reader) -> _Step:
    def skip(machine: _Machine) -> None:
        machine.read(reader)

    return skip


def _marked(build: Callable[[list[Any]], Any]) -> _Step:
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


def _new_object(extra: int) -> _Step:
    def push(machine: _Machine) -> None:
        del machine.stack[-extra:]
        cls = machine.stack.pop()
        machine.stack.append(called(cls, ()))

    return push


def _line_value(convert: Callable[[str], Any]) -> _Step:
    return lambda machine: machine.stack.append(convert(machine.line()))


def _unescaped(line: str) -> str:
    return line.encode("utf-8", "surrogateescape").decode("raw-unicode-escape")


def _whole(line: str) -> Any:
    """The number of an INT or LONG opcode; I01 and I00 are truth values."""
    if line in ("01", "00"):
        return line == "01"
    return int(line.removesuffix("L")) if len(line) < 40 else UNKNOWN


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


def _extension(reader: _Reader) -> _Step:
    def push(machine: _Machine) -> None:
        machine.read(reader)
        machine.stack.append(UNKNOWN)

    return push


_OPCODES: dict[int, _Step] = {
    ord("("): _push(_MARK),
    ord("0"): _drop,
    ord("1"): _drop_marked,
    ord("2"): lambda machine: machine.stack.append(machine.stack[-1]),
    ord("N"): _push(None),
    0x88: _push(True),
    0x89: _push(False),
    ord("I"): _line_value(_whole),
    ord("L"): _line_value(_whole),
    ord("F"): _line_value(lambda line: float(line) if len(line) < 40 else UNKNOWN),
    ord("S"): _line_value(lambda line: line[1:-1]),
    ord("V"): _line_value(_unescaped),
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
    0x90: _add,
    ord("s"): _set_item,
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
    0x82: _extension(_U1),
    0x83: _extension(_U2),
    0x84: _extension(_U4),
}
