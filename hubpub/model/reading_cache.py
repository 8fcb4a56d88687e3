"""What reading a file through told, kept for the next time: a file of the same stamp is not read again.

One small file per entry in the user's cache directory. Each carries its own checksum and is replaced in one step, so
that neither a crash nor another process leaves anything that would be believed; what is not believed is read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hubpub.model.reading import Reading, Stamp
from hubpub.model.values import Values

FORMAT = 1
"""To be raised when what is kept, or what it means, changes."""

DIRECTORY_VARIABLE = "HUBPUB_CACHE_DIR"
SMALLEST = 1 << 20
"""Bytes of a file; a smaller one is read as fast as its entry."""

_RACY = 2_000_000_000  # ns; https://git-scm.com/docs/racy-git
_MOST_BYTES = 64 << 20
_LARGEST_ENTRY = 16 << 20


class ReadingCache:
    """Readings by path and stamp. What goes wrong with the cache itself is nobody's concern: it then knows nothing."""

    def __init__(self, directory: Path, *, most_bytes: int = _MOST_BYTES) -> None:
        """Args: `directory` is made when needed; `most_bytes` is what `trim` leaves of it."""
        self._directory = directory / f"readings-{FORMAT}"
        self._most_bytes = most_bytes
        self._grown = False

    @classmethod
    def of_user(cls) -> ReadingCache:
        """The cache in `HUBPUB_CACHE_DIR`, else in the cache directory of this user."""
        named = os.environ.get(DIRECTORY_VARIABLE)
        if named:
            return cls(Path(named))
        import platformdirs

        return cls(Path(platformdirs.user_cache_dir("hubpub", appauthor=False)))

    def get(self, path: str, stamp: Stamp, names: set[str]) -> Reading | None:
        """What is known of the file at `path`, if it has this stamp and these tensors."""
        if stamp.size < SMALLEST:
            return None
        try:
            with self._place(path).open("rb") as file:
                content = file.read(_LARGEST_ENTRY + 1)
            checksum, _, body = content.partition(b"\n")
            if checksum != _checksum(body):
                return None
            entry = json.loads(body)
            if entry["path"] != path or entry["stamp"] != asdict(stamp):
                return None
            values = {name: _values(row) for name, row in entry["values"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        if values.keys() != names:
            return None
        return Reading(stamp.size, entry["sha256"], values, stamp=stamp)

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
        if max(stamp.mtime_ns, stamp.ctime_ns) > begun - _RACY:
            return
        entry = {
            "path": path,
            "stamp": asdict(stamp),
            "sha256": reading.sha256,
            "values": {name: _row(values) for name, values in reading.values.items()},
        }
        body = json.dumps(entry, separators=(",", ":")).encode()
        if len(body) > _LARGEST_ENTRY:
            return
        with contextlib.suppress(OSError):
            self._write(self._place(path), _checksum(body) + b"\n" + body)
            self._grown = True

    def trim(self) -> None:
        """Delete the oldest entries until the rest is small enough; done only after something was added."""
        if not self._grown:
            return
        with contextlib.suppress(OSError):
            entries = [(status.st_mtime_ns, status.st_size, entry) for entry, status in self._entries()]
            total = sum(size for _, size, _ in entries)
            for _, size, entry in sorted(entries):
                if total <= self._most_bytes:
                    break
                entry.unlink(missing_ok=True)
                total -= size

    def _entries(self) -> list[tuple[Path, os.stat_result]]:
        with os.scandir(self._directory) as listing:
            return [(Path(item.path), item.stat(follow_symlinks=False)) for item in listing if item.is_file()]

    def _place(self, path: str) -> Path:
        return self._directory / hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:40]

    def _write(self, place: Path, content: bytes) -> None:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(prefix="new-", dir=place.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(temporary).replace(place)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _row(values: Values) -> list[Any]:
    return [values.nan, values.infinite, int(values.zero), int(values.constant), values.largest]


def _values(row: list[Any]) -> Values:
    nan, infinite, zero, constant, largest = row
    if largest is not None and not math.isfinite(largest):
        raise ValueError("no largest finite magnitude")
    return Values(int(nan), int(infinite), bool(zero), bool(constant), largest)
