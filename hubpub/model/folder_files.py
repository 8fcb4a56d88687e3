"""FolderFiles: which files a model folder holds, which of them belong to a release, and how they are opened."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import BinaryIO, Self

from hubpub.core.errors import UsageError
from hubpub.model.jsonfile import CONFIG_LIMIT, JsonFile, JsonProblem, read_json
from hubpub.model.leftovers import Leftover, leftover, leftover_database, never_entered
from hubpub.model.locate import find_source
from hubpub.model.signatures import LFS_POINTER_LIMIT, LfsPointer, lfs_pointer
from hubpub.model.source import Source
from hubpub.model.textfiles import TextFile, read_text_files
from hubpub.model.trackio_file import SCHEMA_WITHIN, is_trackio
from hubpub.model.walk import EntryKind, FileEntry


@dataclass(frozen=True)
class FolderFiles:
    """The files of a model folder.

    Attributes:
        source: where it is read from.
        files: regular readable files, sorted by path, and symlinks to such inside the folder.
        others: what cannot be published: symlinks out of the folder, FIFOs, unreadable files, ...
        pruned: directories that were not entered because nothing in them belongs to a model (".git/").
        excluded: what the globs of `exclude` named, as "file" or "dir/".
        include: globs of files that belong to the release although they look like leftovers.
        progress: is told how far long work is: bytes done, bytes to do; see `hubpub.model.digests.Progress`.
    """

    source: Source
    files: tuple[FileEntry, ...]
    others: tuple[FileEntry, ...] = ()
    pruned: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    progress: Callable[[int, int], None] | None = field(default=None, repr=False, compare=False)
    _json: dict[str, JsonFile] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        exclude: Sequence[str] = (),
        include: Sequence[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Walk the folder at `path`.

        Args:
            path: the folder, a zip or tar archive of one, or an address (hf://namespace/name@revision, s3://...).
            exclude: globs of paths to act as if they were not there, as in `hf upload --exclude`: matched
                on the whole path, `*` crosses slashes; a glob that names a directory excludes all of it.
            include: globs of files that belong to the release although they look like leftovers.
            progress: is told how far long work is.

        Raises:
            UsageError: there is no such folder, it is another file, empty, unreadable, or too large for a model.
            HubError: it is elsewhere and cannot be reached.
        """

        def leave_out(entry: str) -> bool:
            return any(_matches(entry, glob) for glob in exclude)

        source = find_source(path)
        found = source.walk(prune=never_entered, leave_out=leave_out)
        if not found.files and not found.others:
            excluded = " that --exclude leaves" if exclude else ""
            next_step = "save the model there first, with save_pretrained"
            raise UsageError(f"{path} holds no files{excluded}", next_step)
        return cls(source, found.files, found.others, found.pruned, found.excluded, tuple(include), progress)

    @property
    def root(self) -> Path:
        """The folder, absolute and free of symlinks.

        Raises:
            UsageError: it is not a directory of this machine.
        """
        if self.source.directory is None:
            raise UsageError("this needs a directory of this machine", "download or unpack the model first")
        return self.source.directory

    @cached_property
    def _by_path(self) -> dict[str, FileEntry]:
        return {entry.path: entry for entry in (*self.files, *self.others)}

    @cached_property
    def _published(self) -> frozenset[str]:
        return frozenset(entry.path for entry in self.release_files)

    def entry(self, path: str) -> FileEntry | None:
        """The entry at `path` (posix, relative), whatever it is."""
        return self._by_path.get(path)

    @cached_property
    def release_files(self) -> tuple[FileEntry, ...]:
        """The files that belong to a release: `files` without training state, caches and junk."""
        return tuple(entry for entry in self.files if entry.path not in self._leftovers)

    @cached_property
    def _leftovers(self) -> dict[str, Leftover]:
        entries = (*self.files, *self.others)
        return {entry.path: found for entry in entries if (found := self._leftover(entry.path)) is not None}

    def leftover(self, path: str) -> Leftover | None:
        """Why one of the entries is not part of the release; None when it is."""
        return self._leftovers.get(path) if path in self._by_path else self._leftover(path)

    def _leftover(self, path: str) -> Leftover | None:
        if any(_matches(path, glob) for glob in self.include):
            return None
        if (found := leftover(path)) is not None or not path.endswith(".db"):
            return found
        # of one that is open the tables may be in its journal alone
        start = self.start(path, SCHEMA_WITHIN) + self.start(f"{path}-wal", SCHEMA_WITHIN)
        return leftover_database(path) if is_trackio(start) else None

    @cached_property
    def root_names(self) -> frozenset[str]:
        """The names of the release files directly in the folder."""
        return frozenset(path for path in self._published if "/" not in path)

    def open_file(self, path: str) -> BinaryIO:
        """Open one of `files` for reading.

        Raises:
            OSError: it is not one of them, or can no longer be read.
        """
        entry = self._by_path.get(path)
        if entry is None or entry.kind is not EntryKind.FILE:
            raise FileNotFoundError(f"{path} is not a readable file of the model")
        return self.source.open(path)

    def start(self, path: str, size: int = 512) -> bytes:
        """The first `size` bytes of one of `files`; b"" when it can no longer be read."""
        try:
            with self.open_file(path) as file:
                return file.read(size)
        except OSError:
            return b""

    def text(self, path: str, limit: int) -> str:
        """The first `limit` bytes of one of `files` as UTF-8; what is not becomes replacement characters."""
        return self.start(path, limit).decode("utf-8", "replace")

    def json(self, path: str, *, limit: int = CONFIG_LIMIT, top: type = dict) -> JsonFile | None:
        """A JSON file of the folder, read once; None when it is not among the release files.

        A git-LFS pointer in its place has no value, and a problem that says so.
        """
        if path not in self._published:
            return None
        if path not in self._json:
            self._json[path] = self.read_again(path, limit, top)
        return self._json[path]

    def read_again(self, path: str, limit: int, top: type) -> JsonFile:
        """A JSON file of the folder, read now and not kept: for what is large and asked for once."""
        if path in self.lfs_pointers:
            return JsonFile(None, JsonProblem("is a git-LFS pointer"))
        return read_json(partial(self.open_file, path), limit=limit, top=top)

    @cached_property
    def lfs_pointers(self) -> dict[str, LfsPointer]:
        """The release files that are git-LFS pointers instead of the file itself, by path."""
        small = (entry for entry in self.release_files if 100 < entry.size < LFS_POINTER_LIMIT)
        pointers = ((entry.path, lfs_pointer(self.start(entry.path, LFS_POINTER_LIMIT))) for entry in small)
        return {path: pointer for path, pointer in pointers if pointer is not None}

    @cached_property
    def text_files(self) -> dict[str, TextFile]:
        """What is odd about text files of the release, whatever they are for, by path."""
        files = (entry for entry in self.release_files if entry.path not in self.lfs_pointers)
        return read_text_files(files, self.start)


def _matches(path: str, glob: str) -> bool:
    """Whether the glob names the path; "dir/" is matched by "dir", "dir/", "dir/*" and "dir/**" alike."""
    if path.endswith("/"):
        stem = glob.removesuffix("**").removesuffix("*")
        return fnmatch.fnmatchcase(path, stem if stem.endswith("/") else glob.rstrip("/") + "/")
    return fnmatch.fnmatchcase(path, glob + "*" if glob.endswith("/") else glob)
