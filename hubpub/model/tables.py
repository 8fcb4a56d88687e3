"""Rows and columns of plain data files: CSV, TSV, JSON, JSON Lines and text, compressed with gzip or not.

Rows are counted to the end within bounds; columns and their types come from the first rows. No value is kept.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from hubpub.core.pattern import Pattern
from hubpub.model.jsonfile import parse_json

LARGEST_TABLE = 1 << 30
"""Bytes, after decompression, in which the rows of a file are counted."""

_LARGEST_JSON = 64 << 20
_LONGEST_LINE = 16 << 20
_SAMPLE = 1000
_SAMPLE_BYTES = 8 << 20
_MOST_COLUMNS = 2000
_LONGEST_NAME = 300
_INTEGER = Pattern(r"[-+]?\d{1,30}")
_FLOAT = Pattern(
    r"[-+]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][-+]?\d{1,4})?|[-+]?(?:nan|inf|infinity)", re.IGNORECASE
)
_BOOLEAN = Pattern(r"true|false", re.IGNORECASE)
_ORDER = ("bool", "int64", "float64", "string")


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: of the column.
        type: "string", "int64", "float64", "bool", "list", "struct", "class_label", "image", ...; "null" where the rows
            that were looked at have nothing, "mixed" where they differ.
        classes: names of the classes, when the file names them.
    """

    name: str
    type: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """What a data file holds.

    Attributes:
        rows: how many; None when there is too much to count.
        columns: in their order.
        note: why there are no rows, or what else is to be known, as the end of a sentence.
    """

    rows: int | None
    columns: tuple[Column, ...] = ()
    note: str | None = None


class _TooMuchError(ValueError):
    """The file is larger than what is read of one."""


class _Bounded(io.RawIOBase):
    """What a file holds, decompressed when it is gzip, up to a bound."""

    def __init__(self, file: BinaryIO, compressed: bool, most: int) -> None:
        super().__init__()
        self._source: Any = gzip.GzipFile(fileobj=file) if compressed else file
        self._most = self._left = most

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer; a gzip file gives up with OSError, EOFError or zlib.error when it is broken."""
        data = self._source.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise _TooMuchError(f"has more than {self._most:,} bytes; its rows are not counted")
        buffer[: len(data)] = data
        return len(data)


def read_table(open_file: Callable[[], BinaryIO], form: str, *, compressed: bool, most: int = LARGEST_TABLE) -> Table:
    """The rows and columns of a file.

    Args:
        open_file: opens it.
        form: "csv", "tsv", "json", "jsonl" or "text".
        compressed: whether it is compressed with gzip.
        most: bytes, after decompression, in which rows are counted.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not of that form; the message is the end of a sentence.
    """
    readers = {"csv": _csv, "tsv": _tsv, "json": _json, "jsonl": _jsonl, "text": _text}
    try:
        with open_file() as file, _buffered(file, compressed, most) as stream:
            return readers[form](stream)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError("is no sound gzip file") from error


def _buffered(file: BinaryIO, compressed: bool, most: int) -> io.BufferedReader:
    raw: Any = _Bounded(file, compressed, most)
    return io.BufferedReader(raw, 1 << 18)


def _csv(stream: io.BufferedReader) -> Table:
    return _separated(stream, None)


def _tsv(stream: io.BufferedReader) -> Table:
    return _separated(stream, "\t")


def _separated(stream: io.BufferedReader, delimiter: str | None) -> Table:
    start = stream.peek(1 << 16)
    if b"\0" in start:
        raise ValueError("is no text")
    delimiter = delimiter or _delimiter(start.decode("utf-8", "replace").removeprefix("\ufeff").split("\n", 1)[0])
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
    rows = csv.reader(text, delimiter=delimiter)
    try:
        header = next(rows, None)
        if not header:
            return Table(0, note="is empty")
        names = [name.strip()[:_LONGEST_NAME] for name in header[:_MOST_COLUMNS]]
        sample, count = _sampled(row for row in rows if row)
    except csv.Error as error:
        raise ValueError(f"is not CSV: {error}") from error
    except _TooMuchError as error:
        return Table(None, note=str(error))
    finally:
        text.detach()
    columns = (Column(name, _text_type(row[at] for row in sample if at < len(row))) for at, name in enumerate(names))
    note = None
    if all(_INTEGER.fullmatch(name) or _FLOAT.fullmatch(name) for name in names):
        note = "begins with numbers, so that it may have no header, and one row more"
    return Table(count, tuple(columns), note)


def _delimiter(line: str) -> str:
    """Which character separates the columns of a header."""
    return max(",;\t|", key=lambda character: (line.count(character), character == ","))


def _sampled(rows: Iterable[Any]) -> tuple[list[Any], int]:
    """The first rows, as far as they are not large, and how many there are."""
    sample: list[Any] = []
    count = size = 0
    for row in rows:
        if count < _SAMPLE and size < _SAMPLE_BYTES:
            sample.append(row)
            size += sum(map(len, row))
        count += 1
    return sample, count


def _text_type(values: Iterable[str]) -> str:
    kinds = {_kind_of_text(value) for value in values if value}
    if not kinds:
        return "null"
    if len(kinds) > 1:
        return "float64" if kinds <= {"int64", "float64"} else "string"
    return kinds.pop()


def _kind_of_text(value: str) -> str:
    if len(value) <= 64:
        if _INTEGER.fullmatch(value):
            return "int64"
        if _FLOAT.fullmatch(value):
            return "float64"
        if _BOOLEAN.fullmatch(value):
            return "bool"
    return "string"


def _lines(stream: io.BufferedReader) -> Iterator[bytes]:
    while line := stream.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise ValueError(f"has a line of more than {_LONGEST_LINE:,} bytes")
        yield line


def _text(stream: io.BufferedReader) -> Table:
    if b"\0" in stream.peek(1 << 16):
        raise ValueError("is no text")
    try:
        count = sum(1 for line in _lines(stream) if not line.isspace())
    except _TooMuchError as error:
        return Table(None, (Column("text", "string"),), str(error))
    return Table(count, (Column("text", "string"),))


def _jsonl(stream: io.BufferedReader) -> Table:
    types: dict[str, set[str]] = {}
    count = seen = 0
    try:
        for number, line in enumerate(_lines(stream), 1):
            if line.isspace():
                continue
            if count < _SAMPLE and seen < _SAMPLE_BYTES:
                seen += len(line)
                _take(types, _value(line, number))
            count += 1
    except _TooMuchError as error:
        return Table(None, _typed(types), str(error))
    return Table(count, _typed(types), None if count else "is empty")


def _value(line: bytes, number: int) -> dict[str, Any]:
    document = parse_json(line)
    if not isinstance(document.value, dict):
        reason = document.problem.message if document.problem else "holds no object"
        raise ValueError(f"is not JSON Lines: line {number:,} {reason}")
    return document.value


def _json(stream: io.BufferedReader) -> Table:
    """An array of objects, an object that has one ("data"), or JSON Lines under another name."""
    first, _, following = stream.peek(1 << 16).lstrip().partition(b"\n")
    if first.startswith(b"{") and following.lstrip().startswith(b"{"):
        return _jsonl(stream)
    data = stream.read(_LARGEST_JSON + 1)
    if len(data) > _LARGEST_JSON:
        return Table(None, note=f"is larger than {_LARGEST_JSON:,} bytes, in which JSON is read")
    document = parse_json(data, top=list)
    rows: Any = document.value
    if rows is None:
        outer = parse_json(data)
        if not isinstance(outer.value, dict):
            raise ValueError(document.problem.message if document.problem else "holds no rows")
        lists = [value for value in outer.value.values() if _is_rows(value)]
        if len(lists) != 1:
            raise ValueError("holds an object, but no list of rows")
        rows = lists[0]
    types: dict[str, set[str]] = {}
    for row in rows[:_SAMPLE]:
        if isinstance(row, dict):
            _take(types, row)
    return Table(len(rows), _typed(types), None if types or not rows else "holds a list of other things than objects")


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value[:_SAMPLE])


def _take(types: dict[str, set[str]], row: dict[str, Any]) -> None:
    for name, value in row.items():
        if name in types or len(types) < _MOST_COLUMNS:
            types.setdefault(name, set()).add(_kind(value))


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int64"
    if isinstance(value, float):
        return "float64"
    return "string" if isinstance(value, str) else "list" if isinstance(value, list) else "struct"


def _typed(types: dict[str, set[str]]) -> tuple[Column, ...]:
    columns = []
    for name, kinds in types.items():
        said = kinds - {"null"}
        if said == {"int64", "float64"}:
            said = {"float64"}
        kind = "null" if not said else said.pop() if len(said) == 1 else "mixed"
        columns.append(Column(name[:_LONGEST_NAME], kind))
    return tuple(columns)
