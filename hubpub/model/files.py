"""Files to read facts from: those of a model folder, or of a file or directory that the user names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, BinaryIO

from hubpub.core.errors import UsageError
from hubpub.core.pattern import Pattern
from hubpub.model.jsonfile import CONFIG_LIMIT, JsonFile, read_json
from hubpub.model.leftovers import never_entered
from hubpub.model.source import DirectorySource
from hubpub.model.walk import EntryKind, FileEntry, open_regular

MOST_FILES = 200
"""Files of one kind that are read; further ones are left out."""

MOST_BYTES = 256 << 20
"""Bytes of all files of one kind that are read."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value, and where it stands.

    Attributes:
        name: what it is.
        value: as the file has it.
        path: of the file.
        key: where in the file, keys joined by dots.
        line: 1-based line, where lines tell more than keys.
    """

    name: str
    value: int | float | str | bool
    path: str
    key: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was recognised and tells nothing, and why, as the end of a sentence that begins with the path."""

    path: str
    reason: str


@dataclass(frozen=True)
class Files:
    """What readers of facts are given.

    Attributes:
        entries: the files, sorted by path.
        open: opens one of them for reading, seekable; raises OSError.
    """

    entries: tuple[FileEntry, ...]
    open: Callable[[str], BinaryIO]

    @cached_property
    def by_path(self) -> dict[str, FileEntry]:
        """The files by path."""
        return {entry.path: entry for entry in self.entries}

    def named(self, pattern: Pattern, *, total: int = MOST_BYTES) -> Iterator[FileEntry]:
        """The files whose name, without its directories, is one of those of `pattern`, within bounds.

        Args:
            pattern: matches the whole name.
            total: bytes that they may have together; a file for which too little is left is left out.
        """
        count = 0
        for entry in self.entries:
            if count < MOST_FILES and entry.size <= total and pattern.fullmatch(entry.name):
                count += 1
                total -= entry.size
                yield entry

    def opener(self, path: str) -> Callable[[], BinaryIO]:
        """What opens the file at `path`."""
        return partial(self.open, path)

    def start(self, path: str, size: int) -> bytes:
        """The first `size` bytes of a file; b"" when it cannot be read."""
        try:
            with self.open(path) as file:
                return file.read(size)
        except OSError:
            return b""

    def json(self, path: str, *, limit: int = CONFIG_LIMIT, top: type = dict) -> JsonFile:
        """A JSON file whose document is a `top`."""
        return read_json(self.opener(path), limit=limit, top=top)


def files_at(path: Path | str) -> Files:
    """The file at `path`, or those of the directory there, without version control, caches and editor junk.

    Raises:
        UsageError: there is neither, it cannot be read, or there is more than facts are read from.
    """
    place = Path(path)
    try:
        real = place.resolve(strict=True)
        size = real.stat().st_size
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', error)}", "name what exists") from error
    if real.is_dir():
        source = DirectorySource(real)
        return Files(source.walk(prune=never_entered, leave_out=lambda _: False).files, source.open)
    if not real.is_file():
        raise UsageError(f"{path} is neither a file nor a directory", "name a regular file")

    def open_it(_: str) -> BinaryIO:
        return open_regular(real)

    return Files((FileEntry(place.name, size, EntryKind.FILE),), open_it)


def finite(value: Any) -> int | float | None:
    """The value when it is a number that a card can show, else None; a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -1e308 < value < 1e308 else None


def whole(value: Any) -> int | None:
    """The value when it is a whole number from 0 up to 2^63, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63 else None


def line_of(value: Any, longest: int = 500) -> str | None:
    """The value when it is text, in one line of at most `longest` characters; None when nothing is left."""
    if not isinstance(value, str):
        return None
    return " ".join(value[: 4 * longest].split())[:longest] or None
