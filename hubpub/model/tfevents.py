"""Scalars and texts in TensorBoard's event files, read without tensorflow.

The framing is that of TFRecord files, https://www.tensorflow.org/tutorials/load_data/tfrecord; what is framed are Event
messages, https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto and summary.proto.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from hubpub.core.pattern import Pattern
from hubpub.model.curves import Curve, CurveMaker
from hubpub.model.files import Files, Unread
from hubpub.model.protobuf import BYTES, FIXED32, FIXED64, VARINT, NotProtobufError, fields

_NAME = Pattern(r".*\.tfevents\..*", clues=(".tfevents.",))
_LARGEST_FILE = 2 << 30
_LARGEST_RECORD = 1 << 20  # images and audio are larger, and of no use here
_LARGEST_READ = 256 << 20  # of all files, as the two that follow
_MOST_RECORDS = 200_000
_MOST_FIELDS = 3_000_000
_MOST_TAGS = 1000
_LONGEST_TAG = 300
_MOST_TEXTS = 20
_LENGTH = struct.Struct("<QI")
_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")
_DT_FLOAT, _DT_DOUBLE, _DT_STRING = 1, 2, 7


@dataclass(frozen=True, slots=True)
class EventFile:
    """An event file.

    Attributes:
        path: of the file.
        curves: its scalars by step.
        texts: its texts by tag; Trainer writes its arguments as JSON there, under "args/text_summary".
        began: time of its first event, in seconds since 1970.
        ended: time of its last event.
        problem: why it was not read to its end; None when it was.
    """

    path: str
    curves: tuple[Curve, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    began: float | None = None
    ended: float | None = None
    problem: str | None = None


def read_event_files(files: Files) -> tuple[tuple[EventFile, ...], tuple[Unread, ...]]:
    """The event files that tell something, by path."""
    budget = _Budget()
    found = files.named(_NAME, total=_LARGEST_FILE)
    read = [_read(files.opener(entry.path), entry.path, budget) for entry in found]
    unread = tuple(Unread(file.path, file.problem) for file in read if file.problem)
    return tuple(file for file in read if file.curves or file.texts), unread


def read_event_file(open_file: Callable[[], BinaryIO], path: str) -> EventFile:
    """Read an event file as far as it is sound: one that is still written to ends anywhere."""
    return _read(open_file, path, _Budget())


@dataclass
class _Budget:
    """What may still be read."""

    records: int = _MOST_RECORDS
    bytes: int = _LARGEST_READ
    fields: int = _MOST_FIELDS

    def take(self, size: int) -> None:
        self.records -= 1
        self.bytes -= size
        if min(self.records, self.bytes, self.fields) < 0:
            raise _BrokenError("has more events than are read; further ones are left out")


def _read(open_file: Callable[[], BinaryIO], path: str, budget: _Budget) -> EventFile:
    collected = _Collected(budget)
    try:
        with open_file() as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            for record in _records(file, size, budget):
                collected.event(record)
    except OSError as error:
        collected.problem = f"cannot be read: {error.strerror or error}"
    except _BrokenError as error:
        collected.problem = str(error)
    except NotProtobufError as error:
        collected.problem = f"holds what is no event: {error}"
    return EventFile(
        path,
        tuple(_short(maker.curve(tag, path)) for tag, maker in collected.makers.items()),
        tuple(collected.texts.items()),
        collected.began,
        collected.ended,
        collected.problem,
    )


class _BrokenError(Exception):
    """Why reading ends before the file does."""


def _records(file: BinaryIO, size: int, budget: _Budget) -> Iterator[bytes]:
    """The framed bytes. The checksum of a length is looked at; that of what is framed would take most of the time."""
    at = 0
    while head := file.read(_LENGTH.size):
        if len(head) < _LENGTH.size:
            raise _BrokenError("is cut short")
        length, check = _LENGTH.unpack(head)
        if _masked_crc(head[:8]) != check:
            raise _BrokenError("is no event file" if not at else f"is damaged at byte {at:,}")
        if length + 4 > size - at - _LENGTH.size:
            raise _BrokenError("is cut short")
        at += _LENGTH.size + length + 4
        budget.take(length if length <= _LARGEST_RECORD else 0)
        if length <= _LARGEST_RECORD:
            data = file.read(length + 4)
            if len(data) < length + 4:
                raise _BrokenError("changed while it was read")
            yield data[:length]
        else:
            file.seek(at)


class _Collected:
    """What the events of one file said so far."""

    def __init__(self, budget: _Budget) -> None:
        self._budget = budget
        self.makers: dict[str, CurveMaker] = {}
        self.texts: dict[str, str] = {}
        self.began: float | None = None
        self.ended: float | None = None
        self.problem: str | None = None

    def event(self, data: bytes) -> None:
        step, summaries = 0, []
        for number, wire, start, end in fields(data, 0, len(data)):
            self._budget.fields -= 1
            if number == 1 and wire == FIXED64:
                self._time(_DOUBLE.unpack_from(data, start)[0])
            elif number == 2 and wire == VARINT:
                step = start if start < 1 << 63 else 0  # a negative number has its top bit set
            elif number == 5 and wire == BYTES:
                summaries.append((start, end))
        for start, end in summaries:
            for number, wire, begin, after in fields(data, start, end):
                self._budget.fields -= 1
                if number == 1 and wire == BYTES:
                    self._value(data, begin, after, step)

    def _time(self, time: float) -> None:
        if math.isfinite(time) and time > 0:
            self.began = self.began or time
            self.ended = time

    def _value(self, data: bytes, start: int, end: int, step: int) -> None:
        tag, value, text = "", None, None
        for number, wire, begin, after in fields(data, start, end):
            self._budget.fields -= 1
            if number == 1 and wire == BYTES:
                tag = data[begin : min(after, begin + 4 * _LONGEST_TAG)].decode("utf-8", "replace")[:_LONGEST_TAG]
            elif number == 2 and wire == FIXED32:
                value = _FLOAT.unpack_from(data, begin)[0]
            elif number == 8 and wire == BYTES:
                value, text = _tensor(data, begin, after)
        if value is not None and math.isfinite(value) and tag:
            if tag not in self.makers and len(self.makers) < _MOST_TAGS:
                self.makers[tag] = CurveMaker()
            if tag in self.makers:
                self.makers[tag].add(step, value)
        elif text is not None and tag and (tag in self.texts or len(self.texts) < _MOST_TEXTS):
            self.texts[tag] = text


def _tensor(data: bytes, start: int, end: int) -> tuple[float | None, str | None]:
    """The number, or the first text, of a TensorProto that holds one."""
    kind, raw, number, text = 0, b"", None, None
    for field, wire, begin, after in fields(data, start, end):
        if field == 1 and wire == VARINT:
            kind = begin
        elif field == 4 and wire == BYTES:
            raw = data[begin : min(after, begin + 9)]
        elif field == 5 and (wire == FIXED32 or (wire == BYTES and after - begin == 4)):
            number = _FLOAT.unpack_from(data, begin)[0]
        elif field == 6 and (wire == FIXED64 or (wire == BYTES and after - begin == 8)):
            number = _DOUBLE.unpack_from(data, begin)[0]
        elif field == 8 and wire == BYTES and text is None:
            text = data[begin:after].decode("utf-8", "replace")
    if kind == _DT_STRING:
        return None, text
    if kind == _DT_FLOAT and len(raw) == 4:
        return _FLOAT.unpack(raw)[0], None
    if kind == _DT_DOUBLE and len(raw) == 8:
        return _DOUBLE.unpack(raw)[0], None
    return (number, None) if kind in (_DT_FLOAT, _DT_DOUBLE) else (None, None)


def _short(curve: Curve) -> Curve:
    points = tuple((step, _shortest(value)) for step, value in curve.points)
    return Curve(curve.name, curve.path, points, curve.count)


def _shortest(value: float) -> float:
    """A number of 32 bits with the digits that it has: 0.1 and not 0.10000000149011612."""
    for digits in (6, 7, 8):
        shown = float(f"{value:.{digits}g}")
        try:
            if _FLOAT.pack(shown) == _FLOAT.pack(value):
                return shown
        except OverflowError:  # a double that no float can hold
            break
    return value


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_CRC32C = _crc_table()


def _masked_crc(data: bytes) -> int:
    """The CRC-32C of a few bytes, masked as TFRecord has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC32C[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
