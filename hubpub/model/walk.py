"""The walk: what is in a model folder, by lstat alone, before anything opens a file.

Nothing is followed out of the folder and no directory is entered through a symlink. The walk ends, with an
error, on folders that cannot be a model (too many entries, too deep), so that no input makes it run on.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from hubpub.core.errors import UsageError
from hubpub.core.pattern import Pattern

# The Hub advises against repositories of more than 100,000 files
# (https://huggingface.co/docs/hub/storage-limits#repository-limitations-and-recommendations).
MOST_ENTRIES = 200_000
DEEPEST = 64

_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_EFFECTIVE = os.access in os.supports_effective_ids
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ARCHIVE = Pattern(r".+\.(?:zip|tar|tgz|tar\.(?:gz|xz|bz2|zst)|7z|rar)", re.IGNORECASE)


class EntryKind(StrEnum):
    """What an entry of the folder is; everything but FILE cannot be published as it is."""

    FILE = "file"
    ESCAPING_SYMLINK = "symlink out of the folder"
    BROKEN_SYMLINK = "broken symlink"
    LOOPING_SYMLINK = "symlink loop"
    DIRECTORY_SYMLINK = "symlink to a directory"
    FIFO = "FIFO"
    SOCKET = "socket"
    DEVICE = "device"
    UNREADABLE_FILE = "unreadable file"
    UNREADABLE_DIRECTORY = "unreadable directory"
    UNUSABLE_NAME = "unusable name"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One entry of the folder.

    Attributes:
        path: posix path relative to the folder; bytes that are not UTF-8 and control characters are escaped.
        size: bytes of the file, or of the file that a symlink inside the folder leads to; 0 for the rest.
        kind: what it is.
        target: what the symlink says, escaped like `path`; None when it is not a symlink.
        mtime_ns: time of the last change.
        inode: (device, inode) of the file.
    """

    path: str
    size: int
    kind: EntryKind
    target: str | None = None
    mtime_ns: int = 0
    inode: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The extension in lower case with its dot, or "" ("model.safetensors" gives ".safetensors")."""
        stem, dot, extension = self.name.rpartition(".")
        return dot + extension.lower() if stem else ""

    @property
    def is_archive(self) -> bool:
        """Whether its name is that of an archive, as which some libraries save a whole model."""
        return _ARCHIVE.fullmatch(self.name) is not None


@dataclass(frozen=True, slots=True)
class Walk:
    """What the walk found, each sorted by path.

    Attributes:
        files: regular readable files, and symlinks to such inside the folder.
        others: everything that is neither a file nor a directory, and what cannot be read.
        pruned: directories that were not entered because `prune` said so, as "name/".
        excluded: what `leave_out` named, as "file" or "dir/".
    """

    files: tuple[FileEntry, ...]
    others: tuple[FileEntry, ...]
    pruned: tuple[str, ...]
    excluded: tuple[str, ...]


def walk(root: Path, *, prune: Callable[[str], bool], leave_out: Callable[[str], bool]) -> Walk:
    """Walk the folder `root`, which must be absolute and free of symlinks.

    Args:
        root: the folder.
        prune: given "dir/", whether to record the directory in `Walk.pruned` instead of entering it.
        leave_out: given "file" or "dir/", whether to act as if it were not there.

    Raises:
        UsageError: the folder itself cannot be read, or it is too large or too deep to be a model.
    """
    files: list[FileEntry] = []
    others: list[FileEntry] = []
    pruned: list[str] = []
    excluded: list[str] = []
    pending = [("", 0)]
    seen = 0
    while pending:
        prefix, depth = pending.pop()
        if depth > DEEPEST:
            raise UsageError(
                f"{root} holds folders more than {DEEPEST} deep", "name the folder that holds only the model"
            )
        try:
            entries = list(_scan(root / prefix, MOST_ENTRIES - seen))
        except OSError as error:
            if not prefix:
                raise UsageError(f"{root} cannot be read: {error.strerror}", "make the folder readable") from error
            others.append(FileEntry(prefix.rstrip("/"), 0, EntryKind.UNREADABLE_DIRECTORY))
            continue
        seen += len(entries)
        if seen >= MOST_ENTRIES:
            raise UsageError(
                f"{root} holds more than {MOST_ENTRIES:,} entries",
                "name the folder that holds only the model",
            )
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if leave_out(path + "/"):
                    excluded.append(path + "/")
                    continue
                if shown(path) != path:
                    others.append(FileEntry(shown(path), 0, EntryKind.UNUSABLE_NAME))
                elif prune(path + "/"):
                    pruned.append(path + "/")
                else:
                    pending.append((path + "/", depth + 1))
            elif leave_out(path):
                excluded.append(path)
            else:
                found = _entry(root, path, entry)
                (files if found.kind is EntryKind.FILE else others).append(found)
    return Walk(_sorted(files), _sorted(others), tuple(sorted(pruned)), tuple(sorted(excluded)))


def open_regular(path: Path | str) -> BinaryIO:
    """Open a regular file for reading; a FIFO that took its place since the walk is refused, not waited for.

    Raises:
        OSError: it cannot be opened, or it is not a regular file.
    """
    descriptor = os.open(path, _OPEN_FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _scan(folder: Path, most: int) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count > most:
                return
            yield entry


def _sorted(entries: list[FileEntry]) -> tuple[FileEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.path))


def _entry(root: Path, path: str, entry: os.DirEntry[str]) -> FileEntry:
    if shown(path) != path:
        return FileEntry(shown(path), 0, EntryKind.UNUSABLE_NAME)
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return FileEntry(path, 0, EntryKind.UNREADABLE_FILE)
    target = None
    if stat.S_ISLNK(status.st_mode):
        target = shown(_link_text(entry.path))
        resolved = _resolve(root, entry.path)
        if isinstance(resolved, EntryKind):
            return FileEntry(path, 0, resolved, target)
        status = resolved
    kind = _kind(status.st_mode)
    if kind is EntryKind.FILE and not _readable(entry.path):
        kind = EntryKind.UNREADABLE_FILE
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return FileEntry(path, size, kind, target, status.st_mtime_ns, (status.st_dev, status.st_ino))


def _resolve(root: Path, link: str) -> os.stat_result | EntryKind:
    """The status of what a symlink leads to, when that is inside the folder; else what is wrong with it."""
    try:
        real = os.path.realpath(link, strict=True)
        status = os.lstat(real)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return EntryKind.LOOPING_SYMLINK
        return EntryKind.UNREADABLE_FILE if error.errno == errno.EACCES else EntryKind.BROKEN_SYMLINK
    if not _inside(root, real):
        return EntryKind.ESCAPING_SYMLINK
    return EntryKind.DIRECTORY_SYMLINK if stat.S_ISDIR(status.st_mode) else status


def _inside(root: Path, real: str) -> bool:
    return real == str(root) or real.startswith(os.path.join(root, ""))  # noqa: PTH118


def _link_text(link: str) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115
    except OSError:
        return "?"


def _kind(mode: int) -> EntryKind:
    if stat.S_ISREG(mode):
        return EntryKind.FILE
    if stat.S_ISFIFO(mode):
        return EntryKind.FIFO
    if stat.S_ISSOCK(mode):
        return EntryKind.SOCKET
    return EntryKind.DEVICE


def _readable(path: str) -> bool:
    return os.access(path, os.R_OK, effective_ids=_EFFECTIVE)


def shown(path: str) -> str:
    """The path with undecodable bytes and control characters escaped, so that it can be printed anywhere."""
    return _UNPRINTABLE.sub(lambda match: _escape(match[0]), path)


def _escape(char: str) -> str:
    r"""`\xff` for a byte that is not UTF-8 (in Python a lone surrogate), else `\n` and the like."""
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return repr(char)[1:-1]
