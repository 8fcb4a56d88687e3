"""The folder that a hub keeps its data in, and the only ways to write there.

Layout, version 1::

    hub.json                                  {"format": "hubpub.hub/1", "store": ..., "secret": ...}, mode 0600
    repos/<models|datasets|spaces>/<ns>/<name>/
        repo.json                             visibility, gating and who may read, creator, time of creation, unique id
        git/                                  a bare git repository; large files are LFS pointers in it
        lfs/<xx>/<sha256>                     empty: this large file was uploaded to this repo
        discussions/<number>.json             a discussion, or what a pull request has besides its ref
    moved/<models|datasets|spaces>/<ns>/<name>.json
                                              which repo once had this name, and what it is called now
    lfs/<xx>/<sha256>                         large files as uploaded through LFS
    xet/xorbs/<xx>/<hash>                     xorbs as uploaded
    xet/files/<xx>/<file hash>.json           size, sha256 and terms of a file: where in which xorbs it is
    xet/sha256/<xx>/<sha256>                  the file hash of the file with that content
    locks/                                    one per repo, held while it is written; one per server, while it runs
    scratch/                                  uploads in flight; nothing in it is ever referred to

A file outside scratch/ is complete or absent: it is written in scratch/, flushed to the disk and moved into
place. A server that is killed leaves scratch behind, which a later start removes once it is a day old (another
server may be running on the same folder).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from filelock import BaseFileLock, FileLock, Timeout

from hubpub.core.errors import UsageError
from hubpub.hub.errors import ApiError

FORMAT = "hubpub.hub/1"
_FOLDERS = ("repos", "lfs", "xet/xorbs", "xet/files", "xet/sha256", "scratch")
_BEFORE_ABOUT = frozenset({"locks", "hub.new", "hub.json"})
_STALE_SECONDS = 24 * 3600
_OPENING = "hub"
_OPENING_SECONDS = 60
_SERVER = "serving-"


@dataclass(frozen=True, slots=True)
class DataRoot:
    """An open data folder.

    Attributes:
        path: the folder.
        store: the random name of this store. It is part of the CAS address, because hf_xet caches by that
            address what a store holds: a new store on an old address would be believed to hold the old data.
        secret: signs capabilities.
    """

    path: Path
    store: str
    secret: bytes = field(repr=False)
    _in_use: BaseFileLock | None = field(default=None, repr=False, compare=False)

    @classmethod
    def open(cls, path: Path) -> DataRoot:
        """Open the data folder at `path`, and make one there if the folder is missing or empty.

        Until it is closed, `alone` is refused; the lock is the system's, so it ends with the process at the latest.

        Raises:
            UsageError: it cannot be written to, holds something else, or is of another version.
        """
        path = path.absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            about = path / "hub.json"
            if not about.exists() and any(entry.name not in _BEFORE_ABOUT for entry in path.iterdir()):
                raise UsageError(
                    f"{path} holds files that are not a hub's", "name an empty folder, or one that does not exist"
                )
            (path / "locks").mkdir(exist_ok=True)
            with FileLock(path / "locks" / _OPENING, timeout=_OPENING_SECONDS):
                if not about.exists():
                    _write_about(
                        about, {"format": FORMAT, "store": secrets.token_hex(8), "secret": secrets.token_hex(32)}
                    )
                for folder in _FOLDERS:
                    make_folder(path / folder)
                root = cls.existing(path)
                in_use = FileLock(path / "locks" / f"{_SERVER}{secrets.token_hex(8)}", thread_local=False)
                in_use.acquire()
        except Timeout as error:
            raise UsageError(f"{path} is being cleaned", "start the hub when `hubpub serve --gc` is done") from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(
                f"{path} cannot hold a hub's data: {reason}", "name a folder that you can write to"
            ) from error
        root._remove_stale_scratch()
        return replace(root, _in_use=in_use)

    @classmethod
    def existing(cls, path: Path) -> DataRoot:
        """The data folder at `path`, which is there already; nothing is written.

        Raises:
            UsageError: it is not a hub's, is of another version, or its `hub.json` is damaged.
        """
        path = path.absolute()
        try:
            document = json.loads((path / "hub.json").read_bytes())
            if document.get("format") != FORMAT:
                raise UsageError(
                    f"{path} has the format {document.get('format')!r}, not {FORMAT!r}",
                    "use the hubpub that wrote it, or another folder",
                )
            return cls(path, document["store"], bytes.fromhex(document["secret"]))
        except OSError as error:
            raise UsageError(
                f"{path} does not hold a hub's data: {error.strerror}", "name a hub's data folder"
            ) from error
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise UsageError(f"{path}/hub.json is damaged", "restore it, or use another folder") from error

    def close(self) -> None:
        """Let go of the folder."""
        if self._in_use is not None:
            # Before the lock is let go: nobody else takes a lock of this name.
            Path(self._in_use.lock_file).unlink(missing_ok=True)
            self._in_use.release()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep servers from starting on this folder for as long as the block runs.

        Raises:
            UsageError: one is running.
        """
        with FileLock(self.path / "locks" / _OPENING, thread_local=False):
            for path in (self.path / "locks").glob(f"{_SERVER}*"):
                try:
                    with FileLock(path, timeout=0, thread_local=False):
                        # Left by a server that was killed.
                        path.unlink(missing_ok=True)
                except Timeout:
                    raise UsageError(
                        f"a hub is running on {self.path}", "stop it first; what it holds in flight must not go"
                    ) from None
            yield

    def new_store(self) -> DataRoot:
        """Give the store another name, so that no client counts on what it knew of the old one."""
        document = json.loads((self.path / "hub.json").read_bytes())
        document["store"] = secrets.token_hex(8)
        _write_about(self.path / "hub.json", document)
        return replace(self, store=document["store"])

    @contextlib.contextmanager
    def scratch_file(self) -> Iterator[tuple[BinaryIO, Path]]:
        """A new file to write an upload into; gone at the end unless it was moved with `keep`."""
        path = self.scratch_path()
        with path.open("x+b") as file:
            try:
                yield file, path
            finally:
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def scratch_folder(self) -> Iterator[Path]:
        """The path of a folder to be made in scratch/; gone at the end unless it was moved elsewhere."""
        path = self.scratch_path()
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def scratch_path(self) -> Path:
        """A path in scratch/ that nothing has."""
        return self.path / "scratch" / secrets.token_hex(16)

    def keep(self, file: BinaryIO, path: Path, target: Path) -> None:
        """Close a finished scratch file and move it to `target`, durably; what is there is replaced."""
        file.flush()
        os.fsync(file.fileno())
        file.close()
        make_folder(target.parent)
        path.replace(target)
        sync_folder(target.parent)

    def write(self, target: Path, data: bytes) -> None:
        """Write `data` to `target`, durably: a reader sees the old content or the new."""
        with self.scratch_file() as (file, path):
            file.write(data)
            self.keep(file, path, target)

    def remove_folder(self, folder: Path) -> None:
        """Remove a folder: it is there with all it holds, or it is gone."""
        doomed = self.scratch_path()
        folder.rename(doomed)
        sync_folder(folder.parent)
        shutil.rmtree(doomed, ignore_errors=True)

    @contextlib.contextmanager
    def lock(self, name: str, seconds: float) -> Iterator[None]:
        """Hold the lock `name` against other threads and other processes on this folder.

        Raises:
            ApiError: 409 when it is not free within `seconds`.
        """
        lock = FileLock(self.path / "locks" / name, timeout=seconds, poll_interval=0.005, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            raise ApiError(
                409, "Another commit operation is in progress for this repository. Please try again later."
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _remove_stale_scratch(self) -> None:
        for entry in (self.path / "scratch").iterdir():
            with contextlib.suppress(OSError):
                if time.time() - entry.lstat().st_mtime > _STALE_SECONDS:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def make_folder(folder: Path) -> None:
    """Create `folder` and what is missing above it, each one durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    # Also when another thread was first: it may not have come to this yet.
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Flush the entries of `folder` to the disk."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_about(about: Path, document: dict[str, str]) -> None:
    new = about.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(json.dumps(document, indent=2).encode())
        file.flush()
        os.fsync(file.fileno())
    new.replace(about)
    sync_folder(about.parent)
