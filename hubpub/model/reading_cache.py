"""What reading a file through told, kept for the next time: a file of the same stamp is not read again."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hubpub.model.kept import Kept, cache_directory
from hubpub.model.reading import Reading
from hubpub.model.stamp import Stamp
from hubpub.model.values import Values

FORMAT = 1
"""To be raised when what is kept, or what it means, changes."""

SMALLEST = 1 << 20
"""Bytes of a file; a smaller one is read as fast as its entry."""

_MOST_BYTES = 64 << 20


class ReadingCache:
    """Readings by path and stamp."""

    def __init__(self, directory: Path, *, most_bytes: int = _MOST_BYTES) -> None:
        """Args: `directory` is made when needed; `most_bytes` is what `trim` leaves of it."""
        self._kept = Kept(directory / f"readings-{FORMAT}", most_bytes=most_bytes)
        self.trim = self._kept.trim

    @classmethod
    def of_user(cls) -> ReadingCache:
        """The cache of this user."""
        return cls(cache_directory())

    def get(self, path: str, stamp: Stamp, names: set[str]) -> Reading | None:
        """What is known of the file at `path`, if it has this stamp and these tensors."""
        body = self._kept.get(path) if stamp.size >= SMALLEST else None
        if body is None:
            return None
        try:
            entry = json.loads(body)
            if entry["path"] != path or entry["stamp"] != asdict(stamp):
                return None
            values = {name: _values(row) for name, row in entry["values"].items()}
            digest = entry["sha256"]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        return Reading(stamp.size, digest, values, stamp=stamp) if values.keys() == names else None

    def put(self, path: str, reading: Reading, begun: int) -> None:
        """Keep what was read, unless the file may have changed meanwhile without a sign in its stamp.

        Args:
            path: of the file on this machine, absolute.
            reading: what was read.
            begun: when the reading began, in nanoseconds since the epoch: a file that was written to just before could
                be written to again within the same tick of its clock.
        """
        stamp = reading.stamp
        if reading.sha256 is None or stamp is None or stamp.size < SMALLEST:
            return
        if not stamp.is_settled(begun):
            return
        entry = {
            "path": path,
            "stamp": asdict(stamp),
            "sha256": reading.sha256,
            "values": {name: _row(values) for name, values in reading.values.items()},
        }
        self._kept.put(path, json.dumps(entry, separators=(",", ":")).encode())


def _row(values: Values) -> list[Any]:
    return [values.nan, values.infinite, int(values.zero), int(values.constant), values.largest]


def _values(row: list[Any]) -> Values:
    nan, infinite, zero, constant, largest = row
    if largest is not None and not math.isfinite(largest):
        raise ValueError("no largest finite magnitude")
    return Values(int(nan), int(infinite), bool(zero), bool(constant), largest)
