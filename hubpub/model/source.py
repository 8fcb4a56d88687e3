"""Where a model folder is read from: a directory of this machine, or anything else that has files.

Nothing else of hubpub opens a file of a model: a source says what there is, and opens it for reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from hubpub.model.walk import Walk, open_regular, walk


class Source(Protocol):
    """The files of one model."""

    @property
    def directory(self) -> Path | None:
        """The directory, absolute and free of symlinks, when the files are on this machine; else None."""

    def walk(self, *, prune: Callable[[str], bool], leave_out: Callable[[str], bool]) -> Walk:
        """What there is; the arguments are those of `hubpub.model.walk.walk`.

        Raises:
            UsageError: it cannot be read, or is too large or too deep to be a model.
        """

    def open(self, path: str) -> BinaryIO:
        """A regular file of the walk, seekable; reading a part of it does not fetch all of it.

        Raises:
            OSError: it cannot be opened.
        """


@dataclass(frozen=True, slots=True)
class DirectorySource:
    """A directory of this machine."""

    directory: Path

    def walk(self, *, prune: Callable[[str], bool], leave_out: Callable[[str], bool]) -> Walk:
        """What lstat says is there."""
        return walk(self.directory, prune=prune, leave_out=leave_out)

    def open(self, path: str) -> BinaryIO:
        """The file, which must still be a regular one."""
        return open_regular(f"{self.directory}/{path}")  # joining paths takes longer than opening the file
