"""How many rows an Arrow stream has, as `datasets` saves them, from the heads of its messages; no data is read.

The format: https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format; the heads are FlatBuffers,
https://github.com/apache/arrow/blob/main/format/Message.fbs
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import BinaryIO

_CONTINUES = b"\xff\xff\xff\xff"
_LARGEST_HEAD = 16 << 20
_MOST_MESSAGES = 200_000
_RECORD_BATCH = 3
_FILE_MAGIC = b"ARROW1"


def read_arrow_rows(open_file: Callable[[], BinaryIO]) -> int:
    """The number of rows of an Arrow stream, or of an Arrow file (Feather V2), which begins with the same messages.

    Raises:
        OSError: it cannot be read.
        ValueError: it is neither; the message is the end of a sentence.
    """
    with open_file() as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        at = 8 if file.read(6) == _FILE_MAGIC else 0
        rows = 0
        for _ in range(_MOST_MESSAGES):
            file.seek(at)
            start = file.read(8)
            if not start and at:
                return rows  # a stream may end without saying so
            if len(start) < 8 or start[:4] != _CONTINUES:
                raise ValueError("is no Arrow stream, or cut short")
            length = int.from_bytes(start[4:], "little", signed=True)
            if length == 0:
                return rows
            if not 0 < length <= min(_LARGEST_HEAD, size - at - 8):
                raise ValueError("is cut short, or no Arrow stream")
            kind, count, body = _head(file.read(length))
            if body < 0 or body > size - at - 8 - length:
                raise ValueError("is cut short, or no Arrow stream")
            if kind == _RECORD_BATCH:
                rows += count
            at += 8 + length + body
    raise ValueError(f"has more than {_MOST_MESSAGES:,} batches")


def _head(data: bytes) -> tuple[int, int, int]:
    """Kind of a message, rows of a record batch, and the length of what follows."""
    try:
        table = _number(data, 0, "<I")
        kind_at, header_at, body_at = (_field(data, table, slot) for slot in (1, 2, 3))
        kind = data[kind_at] if kind_at else 0
        body = _number(data, body_at, "<q") if body_at else 0
        rows = 0
        if kind == _RECORD_BATCH and header_at:
            batch = header_at + _number(data, header_at, "<I")
            length_at = _field(data, batch, 0)
            rows = _number(data, length_at, "<q") if length_at else 0
    except (struct.error, IndexError) as error:
        raise ValueError("is no Arrow stream: the head of a message is broken") from error
    if not 0 <= rows < 1 << 48:
        raise ValueError("is no Arrow stream: it has an impossible number of rows")
    return kind, rows, body


def _field(data: bytes, table: int, slot: int) -> int:
    """Where a field of a table is; 0 when it is not set."""
    vtable = table - _number(data, table, "<i")
    if vtable < 0:
        raise IndexError
    if 4 + 2 * slot >= _number(data, vtable, "<H"):
        return 0
    offset = _number(data, vtable + 4 + 2 * slot, "<H")
    return table + offset if offset else 0


def _number(data: bytes, at: int, form: str) -> int:
    if at < 0:
        raise IndexError
    value: int = struct.unpack_from(form, data, at)[0]
    return value
