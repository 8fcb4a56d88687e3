"""run-<id>.wandb, all that an offline run of Weights & Biases leaves: records in the frames of LevelDB's log.

The frames: https://github.com/google/leveldb/blob/main/doc/log_format.md, behind seven bytes of wandb's own. The
records: https://github.com/wandb/wandb/blob/main/wandb/proto/wandb_internal.proto. Checksums are not looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from hubpub.model.curves import Curve, CurveMaker
from hubpub.model.jsonfile import parse_json
from hubpub.model.protobuf import BYTES, VARINT, NotProtobufError, fields

_START = b":W&B\xe1\xbe"
_BLOCK = 1 << 15
_HEAD = 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_LARGEST_RECORD = 1 << 20
_LARGEST_READ = 256 << 20
_MOST_RECORDS = 200_000
_MOST_FIELDS = 3_000_000
_MOST_KEYS = 1000
_LONGEST_VALUE = 1 << 14
_NUMBER = re.compile(rb"-?\d{1,25}(?:\.\d{1,25})?(?:[eE][-+]?\d{1,3})?")


@dataclass
class WandbFile:
    """What such a file says, in the form of the files that an online run has.

    Attributes:
        summary: as wandb-summary.json.
        metadata: as wandb-metadata.json, without what tells of persons and paths.
        config: value by name.
        curves: what was logged, by step.
        problem: why it was not read to its end; None when it was.
    """

    summary: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    problem: str | None = None


def read_wandb_file(open_file: Callable[[], BinaryIO], path: str) -> WandbFile:
    """Read such a file as far as it is sound."""
    reader = _Reader()
    try:
        with open_file() as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            for count, record in enumerate(_records(file, size)):
                if count >= _MOST_RECORDS or reader.fields > _MOST_FIELDS:
                    raise _BrokenError("has more records than are read; further ones are left out")
                reader.record(record)
    except OSError as error:
        reader.found.problem = f"cannot be read: {error.strerror or error}"
    except _BrokenError as error:
        reader.found.problem = str(error)
    except NotProtobufError as error:
        reader.found.problem = f"holds what is no record: {error}"
    reader.found.curves = tuple(maker.curve(name, path) for name, maker in reader.makers.items())
    return reader.found


class _BrokenError(Exception):
    """Why reading ends before the file does."""


def _records(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The records that are not large, put together from their parts."""
    if file.read(_HEAD)[: len(_START)] != _START:
        raise _BrokenError("is no file of wandb")
    at, whole = _HEAD, bytearray()
    large = False
    while at < min(size, _LARGEST_READ):
        room = _BLOCK - at % _BLOCK
        if room < _HEAD:
            at += room
            file.seek(at)
            continue
        head = file.read(_HEAD)
        if len(head) < _HEAD:
            raise _BrokenError("is cut short")
        length, kind = int.from_bytes(head[4:6], "little"), head[6]
        if kind == 0 and not any(head):
            return  # what was prepared for more
        if kind > _LAST or length > room - _HEAD:
            raise _BrokenError(f"is damaged at byte {at:,}")
        part = file.read(length)
        if len(part) < length:
            raise _BrokenError("is cut short")
        at += _HEAD + length
        if kind in (_FULL, _FIRST):
            whole, large = bytearray(), False
        large = large or len(whole) + length > _LARGEST_RECORD
        if not large:
            whole += part
        if kind in (_FULL, _LAST) and not large:
            yield bytes(whole)
    if at < size:
        raise _BrokenError(f"has more than {_LARGEST_READ:,} bytes; further ones are not read")


class _Reader:
    """Collects what the records say."""

    def __init__(self) -> None:
        self.found = WandbFile()
        self.makers: dict[str, CurveMaker] = {}
        self.fields = 0

    def record(self, data: bytes) -> None:
        for number, start, end in self._parts(data, 0, len(data)):
            if number == 2:
                self._history(data, start, end)
            elif number == 3:
                self._update(data, start, end, self.found.summary)
            elif number == 5:
                self._update(data, start, end, self.found.config)
            elif number == 17:
                self._run(data, start, end)
            elif number == 18:
                self._exit(data, start, end)
            elif number == 26:
                self._environment(data, start, end)

    def _parts(self, data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        for number, wire, begin, after in fields(data, start, end):
            self.fields += 1
            if wire == BYTES:
                yield number, begin, after

    def _numbers(self, data: bytes, start: int, end: int) -> dict[int, int]:
        found = {}
        for number, wire, value, _ in fields(data, start, end):
            self.fields += 1
            if wire == VARINT:
                found[number] = value
        return found

    def _item(self, data: bytes, start: int, end: int) -> tuple[str, bytes]:
        """Name and JSON of an item; a nested name is joined by dots."""
        key, value = "", b""
        nested: list[str] = []
        for number, begin, after in self._parts(data, start, end):
            if number == 1:
                key = _text(data, begin, after)
            elif number == 2 and len(nested) < 10:
                nested.append(_text(data, begin, after))
            elif number == 16 and after - begin <= _LONGEST_VALUE:
                value = data[begin:after]
        return key or ".".join(nested), value

    def _history(self, data: bytes, start: int, end: int) -> None:
        step, items = 0, []
        for number, begin, after in self._parts(data, start, end):
            if number == 1:
                items.append(self._item(data, begin, after))
            elif number == 2:
                step = self._numbers(data, begin, after).get(1, 0)
        for name, value in items:
            if name == "_step" and _NUMBER.fullmatch(value):
                step = int(float(value))
        for name, value in items:
            if name and not name.startswith("_") and _NUMBER.fullmatch(value):
                if name not in self.makers and len(self.makers) < _MOST_KEYS:
                    self.makers[name] = CurveMaker()
                number_logged = float(value) if any(mark in value for mark in b".eE") else int(value)
                if name in self.makers and 0 <= step < 1 << 63 and abs(number_logged) < 1e308:
                    self.makers[name].add(step, number_logged)

    def _update(self, data: bytes, start: int, end: int, into: dict[str, Any]) -> None:
        for number, begin, after in self._parts(data, start, end):
            if number == 1:
                name, value = self._item(data, begin, after)
                if name and value and (name in into or len(into) < _MOST_KEYS):
                    document = parse_json(b'{"value": ' + value + b"}")
                    into[name] = document.get("value")

    def _run(self, data: bytes, start: int, end: int) -> None:
        for number, begin, after in self._parts(data, start, end):
            if number == 4:
                self._update(data, begin, after, self.found.config)
            elif number == 5:
                self._update(data, begin, after, self.found.summary)
            elif number == 21:
                self._git(data, begin, after)

    def _git(self, data: bytes, start: int, end: int) -> None:
        names = {1: "remote", 2: "commit"}
        git = {
            names[number]: _text(data, at, to) for number, at, to in self._parts(data, start, end) if number in names
        }
        if git:
            self.found.metadata["git"] = git

    def _exit(self, data: bytes, start: int, end: int) -> None:
        seconds = self._numbers(data, start, end).get(2)
        if seconds:
            self.found.summary["_runtime"] = seconds

    def _environment(self, data: bytes, start: int, end: int) -> None:
        metadata = self.found.metadata
        texts = {2: "python", 18: "gpu", 25: "cudaVersion"}
        counts = {16: "cpu_count", 17: "cpu_count_logical", 19: "gpu_count"}
        for number, begin, after in self._parts(data, start, end):
            if number in texts:
                metadata[texts[number]] = _text(data, begin, after)
            elif number == 9:
                self._git(data, begin, after)
            elif number == 21:
                metadata["memory"] = {"total": self._numbers(data, begin, after).get(1)}
            elif number == 24 and "gpu_nvidia" not in metadata:
                metadata["gpu_nvidia"] = [{"memoryTotal": self._numbers(data, begin, after).get(2)}]
        metadata.update(
            {counts[number]: value for number, value in self._numbers(data, start, end).items() if number in counts}
        )


def _text(data: bytes, start: int, end: int) -> str:
    return data[start : min(end, start + 2000)].decode("utf-8", "replace")
