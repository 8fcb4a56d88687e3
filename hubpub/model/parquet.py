"""Rows and columns of a Parquet file, from its footer, without pyarrow; no data is read.

The footer is a FileMetaData in Thrift's compact protocol:
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift,
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, BinaryIO

from hubpub.model.protobuf import NotProtobufError, varint
from hubpub.model.tables import Column, Table

_MAGIC = b"PAR1"
_LARGEST_FOOTER = 64 << 20
_MOST_ELEMENTS = 100_000
_MOST_COLUMNS = 2000
_DEEPEST = 24
_PHYSICAL = ("bool", "int32", "int64", "int96", "float32", "float64", "binary", "fixed_size_binary")
_UTF8, _ENUM, _JSON = 0, 4, 19
_CONVERTED = {_UTF8: "string", _ENUM: "string", _JSON: "string", 6: "date", 9: "timestamp", 10: "timestamp"}
_CONVERTED |= {11: "uint8", 12: "uint16", 13: "uint32", 14: "uint64", 15: "int8", 16: "int16", 5: "decimal"}
_LOGICAL = {1: "string", 4: "string", 5: "decimal", 6: "date", 7: "time", 8: "timestamp", 12: "string"}
_LIST_OF = (3, 1)  # ConvertedType and LogicalType of a list
_MAP_OF = (1, 2)


def read_parquet(open_file: Callable[[], BinaryIO]) -> Table:
    """The rows and columns.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no sound Parquet file; the message is the end of a sentence.
    """
    with open_file() as file:
        size = file.seek(0, os.SEEK_END)
        if size < 12:
            raise ValueError("is no Parquet file: it is too small")
        file.seek(size - 8)
        end = file.read(8)
        if end[4:] == b"PARE":
            raise ValueError("is encrypted")
        if end[4:] != _MAGIC:
            raise ValueError("is no Parquet file, or cut short: it does not end with PAR1")
        length = int.from_bytes(end[:4], "little")
        if length > size - 12 or length > _LARGEST_FOOTER:
            raise ValueError(f"has a footer of {length:,} bytes, which it cannot have")
        file.seek(size - 8 - length)
        footer = file.read(length)
    try:
        return _table(_Thrift(footer))
    except (NotProtobufError, IndexError, RecursionError) as error:
        raise ValueError("has a footer that cannot be read") from error


def _table(thrift: _Thrift) -> Table:
    elements: list[dict[int, Any]] | None = None
    number = 0
    # schema and rows are before the row groups, which may be many
    while (field := thrift.field(number)) is not None:
        number, kind = field
        if number == 2 and kind == 9:
            elements = thrift.structs()
        elif number == 3 and kind == 6 and elements is not None:
            rows = thrift.integer()
            if rows < 0:
                raise ValueError("has a footer with less than no rows")
            return Table(rows, tuple(_columns(elements)))
        else:
            thrift.skip(kind, 0)
    raise ValueError("has a footer without schema or rows")


def _columns(elements: list[dict[int, Any]]) -> list[Column]:
    """The top columns; what is nested in them is behind each."""
    if not elements:
        raise ValueError("has a footer with an empty schema")
    columns: list[Column] = []
    at = 1
    for _ in range(elements[0].get(5, 0)):
        if at >= len(elements):
            raise ValueError("has a footer with a broken schema")
        element = elements[at]
        at = _after(elements, at)
        if len(columns) < _MOST_COLUMNS:
            name = element.get(4, b"").decode("utf-8", "replace")[:300]
            columns.append(Column(name, _type(element)))
    return columns


def _after(elements: list[dict[int, Any]], at: int) -> int:
    """Where what is nested in an element ends."""
    open_ = 1
    while open_ and at < len(elements):
        open_ += max(elements[at].get(5, 0), 0) - 1
        at += 1
    return at


def _type(element: dict[int, Any]) -> str:
    converted, logical = element.get(6), element.get(10)
    if element.get(5):
        if _LIST_OF[0] == converted or _LIST_OF[1] == logical or element.get(3) == 2:
            return "list"
        return "map" if _MAP_OF[0] == converted or _MAP_OF[1] == logical else "struct"
    if logical in _LOGICAL:
        return _LOGICAL[logical]
    if converted in _CONVERTED:
        return _CONVERTED[converted]
    kind = element.get(1)
    return _PHYSICAL[kind] if isinstance(kind, int) and 0 <= kind < len(_PHYSICAL) else "unknown"


class _Thrift:
    """A walk over a struct in the compact protocol."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.steps = 0

    def field(self, before: int) -> tuple[int, int] | None:
        """Number and type of the next field; None at the end of the struct."""
        self.steps += 1
        if self.steps > 50 * _MOST_ELEMENTS:
            raise ValueError("has a footer of more fields than are read")
        byte = self.data[self.at]
        self.at += 1
        if byte == 0:
            return None
        number = before + (byte >> 4) if byte >> 4 else self.integer()
        return number, byte & 15

    def integer(self) -> int:
        value, self.at = varint(self.data, self.at, len(self.data))
        return (value >> 1) ^ -(value & 1)

    def binary(self) -> bytes:
        length, self.at = varint(self.data, self.at, len(self.data))
        if length > len(self.data) - self.at:
            raise IndexError
        self.at += length
        return self.data[self.at - length : self.at]

    def collection(self) -> tuple[int, int]:
        """Count and type of the elements of a list."""
        byte = self.data[self.at]
        self.at += 1
        count = byte >> 4
        if count == 15:
            count, self.at = varint(self.data, self.at, len(self.data))
        if count > len(self.data) - self.at:  # an element has a byte at least
            raise IndexError
        return count, byte & 15

    def structs(self) -> list[dict[int, Any]]:
        """The SchemaElements of a list: numbers and names, and of their logical type which one it is."""
        count, kind = self.collection()
        if kind != 12 or count > _MOST_ELEMENTS:
            raise ValueError("has a footer with a broken schema, or one of too many columns")
        return [self._element() for _ in range(count)]

    def _element(self) -> dict[int, Any]:
        found: dict[int, Any] = {}
        number = 0
        while (field := self.field(number)) is not None:
            number, kind = field
            if kind in (4, 5, 6):
                found[number] = self.integer()
            elif kind == 8:
                found[number] = self.binary()
            elif kind == 12 and number == 10:
                found[number] = self._first()
            else:
                self.skip(kind, 0)
        return found

    def _first(self) -> int:
        """Which field of a union is set."""
        chosen = number = 0
        while (field := self.field(number)) is not None:
            number, kind = field
            chosen = chosen or number
            self.skip(kind, 0)
        return chosen

    def skip(self, kind: int, depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError("has a footer that is nested too deeply")
        if kind in (1, 2):
            return
        if kind == 3:
            self.at += 1
        elif kind in (4, 5, 6):
            self.integer()
        elif kind == 7:
            self.at += 8
        elif kind == 8:
            self.binary()
        elif kind in (9, 10):
            count, inner = self.collection()
            for _ in range(count):
                self.steps += 1
                self.at += inner in (1, 2)  # in a list, a boolean has a byte
                self.skip(inner, depth + 1)
        elif kind == 12:
            number = 0
            while (field := self.field(number)) is not None:
                number = field[0]
                self.skip(field[1], depth + 1)
        else:
            raise ValueError("has a footer that cannot be read")
