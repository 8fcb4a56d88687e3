"""What a file's bytes are read from, whole or in part, in blocks of bounded size."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

BLOCK = 1 << 20


class Content(Protocol):
    """The content of a file."""

    @property
    def size(self) -> int:
        """In bytes."""

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `stop`."""


@dataclass(frozen=True, slots=True)
class BytesContent:
    """Content that is in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.data)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """One block."""
        yield self.data[start:stop]


@dataclass(frozen=True, slots=True)
class FileContent:
    """Content that is a file on the disk."""

    path: Path
    size: int

    @classmethod
    def of(cls, path: Path) -> FileContent | None:
        """The content of a plain file; None if there is none at `path`. A link is none: it may lead anywhere."""
        try:
            found = path.lstat()
        except FileNotFoundError:
            return None
        return cls(path, found.st_size) if stat.S_ISREG(found.st_mode) else None

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Blocks of at most `BLOCK` bytes.

        Raises:
            OSError: the file ends early.
        """
        with self.path.open("rb", buffering=0) as file:
            file.seek(start)
            while start < stop:
                block = file.read(min(BLOCK, stop - start))
                if not block:
                    raise OSError(f"{self.path.name} ends early")
                start += len(block)
                yield block
