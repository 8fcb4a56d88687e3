"""What was worked out once, kept in the user's cache directory for the next time.

One small file per entry. Each carries its own checksum and is replaced in one step, so that neither a crash nor another
process leaves anything that would be believed; what is not believed is worked out again. What goes wrong with the
cache itself is nobody's concern: it then knows nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

DIRECTORY_VARIABLE = "HUBPUB_CACHE_DIR"

LARGEST_ENTRY = 16 << 20
"""Bytes; a larger one is not kept."""

_MOST_BYTES = 64 << 20


def cache_directory() -> Path:
    """`HUBPUB_CACHE_DIR`, else the cache directory of this user."""
    named = os.environ.get(DIRECTORY_VARIABLE)
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_cache_dir("hubpub", appauthor=False))


class Kept:
    """Bodies by key, in one directory."""

    def __init__(self, directory: Path, *, most_bytes: int = _MOST_BYTES) -> None:
        """Args: `directory` is made when needed; `most_bytes` is what `trim` leaves of it."""
        self._directory = directory
        self._most_bytes = most_bytes
        self._grown = False

    def get(self, key: str) -> bytes | None:
        """The body that was kept for `key`; None when there is none, or it cannot be believed."""
        try:
            with self._place(key).open("rb") as file:
                content = file.read(LARGEST_ENTRY + 1)
        except OSError:
            return None
        checksum, _, body = content.partition(b"\n")
        return body if checksum == _checksum(body) else None

    def put(self, key: str, body: bytes) -> None:
        """Keep `body` for `key`."""
        if len(body) > LARGEST_ENTRY:
            return
        with contextlib.suppress(OSError):
            self._write(self._place(key), _checksum(body) + b"\n" + body)
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

    def _place(self, key: str) -> Path:
        return self._directory / hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:40]

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
