"""Models in a zip or tar archive, read where they are: nothing is unpacked, and no name leads out of the archive."""

from __future__ import annotations

import bz2
import gzip
import lzma
import posixpath
import shutil
import stat
import tarfile
import tempfile
import threading
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from hubpub.core.errors import UsageError
from hubpub.model.walk import MOST_ENTRIES, EntryKind, FileEntry, Walk, open_regular, shown
from hubpub.model.window import BoundedReads, rewinding, window

_LOCAL_HEADER = 30
_BLOCK = 1 << 20
_STREAMS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an archive: what it is, and how its content is opened (only of regular files)."""

    name: str
    kind: EntryKind
    size: int = 0
    target: str | None = None
    open: Callable[[], BinaryIO] | None = None


class ArchiveSource:
    """The files of an archive. A folder that holds everything is taken for the model's, and left out of the names."""

    directory: Path | None = None

    def __init__(self, file: BinaryIO, members: Iterable[Member]) -> None:
        # It stays open for as long as somebody may read a member.
        weakref.finalize(self, file.close)
        found: dict[str, Member] = {}
        for number, member in enumerate(members):
            if number >= MOST_ENTRIES:
                raise UsageError(f"the archive holds more than {MOST_ENTRIES:,} entries", "pack only the model")
            found[member.name] = member  # a name that comes twice: unpacking leaves the last one
        top = _common_folder(found)
        self._members = {name.removeprefix(top): member for name, member in found.items()}

    def walk(self, *, prune: Callable[[str], bool], leave_out: Callable[[str], bool]) -> Walk:
        """What the table of contents says is there."""
        return sort_entries(
            ((path, self._entry(path, member)) for path, member in self._members.items()), prune, leave_out
        )

    def open(self, path: str) -> BinaryIO:
        """A member that is a regular file."""
        member = self._members.get(path)
        if member is None or member.open is None:
            raise FileNotFoundError(f"{path} is not a file of the archive")
        try:
            return member.open()
        except (zipfile.BadZipFile, tarfile.TarError, zlib.error, RuntimeError, NotImplementedError) as error:
            raise OSError(f"cannot be unpacked: {error}") from error

    def _entry(self, path: str, member: Member) -> FileEntry:
        if shown(path) != path or not _plain(path):
            return FileEntry(shown(path), 0, EntryKind.UNUSABLE_NAME)
        return FileEntry(path, member.size, member.kind, member.target)


def sort_entries(
    found: Iterable[tuple[str, FileEntry]], prune: Callable[[str], bool], leave_out: Callable[[str], bool]
) -> Walk:
    """A walk from entries that are known by their full path, as archives and object stores have them."""
    files: list[FileEntry] = []
    others: list[FileEntry] = []
    pruned: set[str] = set()
    excluded: set[str] = set()
    for path, entry in found:
        folders = [path[: index + 1] for index, char in enumerate(path) if char == "/"]
        out = next((name for name in (*folders, path) if leave_out(name)), None)
        cut = next((name for name in folders if prune(name)), None)
        if out is not None:
            excluded.add(out)
        elif cut is not None:
            pruned.add(cut)
        else:
            (files if entry.kind is EntryKind.FILE else others).append(entry)
    files.sort(key=lambda entry: entry.path)
    others.sort(key=lambda entry: entry.path)
    return Walk(tuple(files), tuple(others), tuple(sorted(pruned)), tuple(sorted(excluded)))


def zip_source(path: Path) -> ArchiveSource:
    """The files of a zip archive.

    Raises:
        UsageError: it cannot be read as one.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open_regular(path))
            archive = zipfile.ZipFile(cast(BinaryIO, BoundedReads(file)))
        except (OSError, zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError) as error:
            raise _unreadable(path, error) from error
        source = ArchiveSource(file, _zip_members(archive, file))
        stack.pop_all()
        return source


def tar_source(path: Path) -> ArchiveSource:
    """The files of a tar archive; a compressed one is unpacked into a temporary file first.

    Raises:
        UsageError: it cannot be read as one, or does not fit on the disk.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open_regular(path))
            start = file.read(6)
            file.seek(0)
            for magic, stream in _STREAMS.items():
                if start.startswith(magic):
                    file = stack.enter_context(_unpacked(path, file, stream))
            source = ArchiveSource(file, _tar_members(tarfile.TarFile(fileobj=file), file))
        except (OSError, EOFError, tarfile.TarError, zlib.error, lzma.LZMAError, ValueError) as error:
            raise _unreadable(path, error) from error
        stack.pop_all()
        return source


def is_zip(start: bytes) -> bool:
    """Whether a file that starts like this is a zip archive."""
    return start.startswith(b"PK\x03\x04")


def is_tar(start: bytes) -> bool:
    """Whether a file that starts like this, of at least 262 bytes, is a tar archive or may be a compressed one."""
    return start[257:262] == b"ustar" or start.startswith(tuple(_STREAMS))


def _zip_members(archive: zipfile.ZipFile, file: BinaryIO) -> Iterator[Member]:
    lock = threading.Lock()
    for info in archive.infolist():
        if info.is_dir():
            continue
        name, mode = info.filename, info.external_attr >> 16
        if stat.S_ISLNK(mode):
            yield Member(name, EntryKind.ESCAPING_SYMLINK, target="another place")
        else:
            yield Member(name, EntryKind.FILE, info.file_size, open=_zip_opener(archive, file, lock, info))


def _zip_opener(
    archive: zipfile.ZipFile, file: BinaryIO, lock: threading.Lock, info: zipfile.ZipInfo
) -> Callable[[], BinaryIO]:
    def open_stored() -> BinaryIO:
        with lock:
            file.seek(info.header_offset)
            header = file.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or not is_zip(header):
            raise OSError("its header in the archive is damaged")
        skipped = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        return window(file, lock, info.header_offset + _LOCAL_HEADER + skipped, info.file_size)

    def open_packed() -> BinaryIO:
        return rewinding(lambda: cast(BinaryIO, archive.open(info)), info.file_size)

    stored = info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1
    return open_stored if stored and info.compress_size == info.file_size else open_packed


def _tar_members(archive: tarfile.TarFile, file: BinaryIO) -> Iterator[Member]:
    lock = threading.Lock()
    for info in archive:
        name = posixpath.normpath(info.name) if not info.name.startswith("/") else info.name
        if info.isreg() and not info.issparse():
            yield Member(name, EntryKind.FILE, info.size, open=_tar_opener(file, lock, info.offset_data, info.size))
        elif info.issym() or info.islnk():
            yield Member(name, EntryKind.ESCAPING_SYMLINK, target=shown(info.linkname))
        elif info.isfifo():
            yield Member(name, EntryKind.FIFO)
        elif info.ischr() or info.isblk():
            yield Member(name, EntryKind.DEVICE)
        elif info.issparse():
            yield Member(name, EntryKind.UNREADABLE_FILE)


def _tar_opener(file: BinaryIO, lock: threading.Lock, start: int, size: int) -> Callable[[], BinaryIO]:
    return lambda: window(file, lock, start, size)


def _unpacked(path: Path, packed: BinaryIO, unpack: Callable[[BinaryIO], Any]) -> BinaryIO:
    target = tempfile.TemporaryFile(prefix="hubpub-")  # noqa: SIM115 -- closed with the source
    try:
        written = 0
        room = shutil.disk_usage(tempfile.gettempdir()).free // 2
        with packed, unpack(packed) as stream:
            while block := stream.read(_BLOCK):
                written += len(block)
                if written > room:
                    raise UsageError(
                        f"{path} needs more room unpacked than the disk has", "unpack it elsewhere, and name the folder"
                    )
                target.write(block)
        target.seek(0)
    except BaseException:
        target.close()
        raise
    return cast(BinaryIO, target)


def _common_folder(members: dict[str, Member]) -> str:
    """`name/` when everything is below it, else ""."""
    first = next(iter(members), "")
    top = first[: first.find("/") + 1]
    return top if top not in ("", "/", "../") and all(name.startswith(top) for name in members) else ""


def _plain(path: str) -> bool:
    """Whether a path leads nowhere but below the archive."""
    parts = path.split("/")
    return not path.startswith("/") and "\\" not in path and ":" not in parts[0] and not {"", ".", ".."} & set(parts)


def _unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(
        f"{path} cannot be read as an archive: {error}", "name the model folder, or a zip or tar archive of it"
    )
