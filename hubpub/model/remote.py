"""Models that are elsewhere: on the Hub (`hf://org/repo@revision`), or in any store that fsspec knows (`s3://...`).

Ranges are read where they are needed; no large file is fetched whole.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from hubpub.core.errors import HubError, UsageError
from hubpub.model.archive import sort_entries
from hubpub.model.walk import MOST_ENTRIES, EntryKind, FileEntry, Walk, shown
from hubpub.model.window import view

_SMALL = 2 << 20
_BLOCK = 1 << 18
_BLOCKS = 32
_OPEN_FILES = 64
# Who has read so many bytes in a row reads on: then so many are fetched at once, as each request takes its time.
_IN_A_ROW = 1 << 20
_STRETCH = 16 << 20
_HELD = 256 << 20


class RemoteSource:
    """The files below a path of an fsspec file system. Small files are fetched once; of large ones, blocks are kept."""

    directory: Path | None = None

    def __init__(self, system: Any, path: str) -> None:
        self._system = system
        self._path = path.rstrip("/")
        self._sizes: dict[str, int] = {}
        self._small: OrderedDict[str, bytes] = OrderedDict()
        self._held = 0
        self._large: OrderedDict[str, tuple[Any, threading.Lock]] = OrderedDict()
        self._lock = threading.Lock()

    def walk(self, *, prune: Callable[[str], bool], leave_out: Callable[[str], bool]) -> Walk:
        """What the store lists.

        Raises:
            UsageError: there is no such path, or it holds too much to be a model.
            HubError: the store cannot be reached.
        """
        try:
            found = self._system.find(self._path, detail=True)
        except FileNotFoundError as error:
            raise UsageError(
                f"{self._path} does not exist", "check the address, and that the token may read it"
            ) from error
        except Exception as error:
            # Each store has errors of its own.
            raise HubError(
                f"{self._path} cannot be listed: {_first_line(error)}", "check the address and the network"
            ) from error
        if len(found) > MOST_ENTRIES:
            raise UsageError(f"{self._path} holds more than {MOST_ENTRIES:,} entries", "name the folder of one model")
        entries = []
        for name, info in found.items():
            path = name.removeprefix(self._path).lstrip("/")
            size = int(info.get("size") or 0)
            self._sizes[path] = size
            usable = shown(path) == path and path
            entries.append((path, FileEntry(shown(path), size, EntryKind.FILE if usable else EntryKind.UNUSABLE_NAME)))
        return sort_entries(entries, prune, leave_out)

    def open(self, path: str) -> BinaryIO:
        """A file of the walk."""
        size = self._sizes.get(path)
        if size is None:
            raise FileNotFoundError(f"{path} is not a file of the model")
        try:
            if size <= _SMALL:
                return io.BytesIO(self._content(path, size))
            file, lock = self._file(path)
        except OSError:
            raise
        except Exception as error:
            raise OSError(f"cannot be fetched: {_first_line(error)}") from error
        return view(_Reader(self._system, f"{self._path}/{path}", file, lock, size).read_at, size)

    def _content(self, path: str, size: int) -> bytes:
        with self._lock:
            content = self._small.get(path)
        if content is not None:
            return content
        content = bytes(self._system.cat_file(f"{self._path}/{path}", start=0, end=size)) if size else b""
        with self._lock:
            self._small[path] = content
            self._held += len(content)
            while self._held > _HELD:
                self._held -= len(self._small.popitem(last=False)[1])
        return content

    def _file(self, path: str) -> tuple[Any, threading.Lock]:
        with self._lock:
            if path not in self._large:
                file = self._system.open(
                    f"{self._path}/{path}",
                    "rb",
                    block_size=_BLOCK,
                    cache_type="blockcache",
                    cache_options={"maxblocks": _BLOCKS},
                )
                self._large[path] = file, threading.Lock()
                while len(self._large) > _OPEN_FILES:
                    self._large.popitem(last=False)
            self._large.move_to_end(path)
            return self._large[path]


class _Reader:
    """Reads one file: blocks that are kept where it jumps, long stretches where it goes from front to back."""

    def __init__(self, system: Any, path: str, file: Any, lock: threading.Lock, size: int) -> None:
        self._system, self._path, self._file, self._lock, self._size = system, path, file, lock, size
        self._stretch, self._begin = b"", 0
        self._end = self._row = 0

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on; at the end of a stretch they may be fewer."""
        self._row = self._row + length if offset == self._end else 0
        if not self._begin <= offset < self._begin + len(self._stretch):
            if self._row <= _IN_A_ROW:
                with self._lock:
                    self._file.seek(offset)
                    data = bytes(self._file.read(length))
                self._end = offset + len(data)
                return data
            end = min(offset + _STRETCH, self._size)
            try:
                self._stretch = bytes(self._system.cat_file(self._path, start=offset, end=end))
            except OSError:
                raise
            except Exception as error:
                raise OSError(f"cannot be fetched: {_first_line(error)}") from error
            self._begin = offset
        start = offset - self._begin
        data = self._stretch[start : start + length]
        self._end = offset + len(data)
        return data


def hub_source(address: str) -> RemoteSource:
    """The files of `hf://[datasets/|spaces/]namespace/name[@revision]` at the commit that the revision is now.

    The hub and the token are those of huggingface_hub: `HF_ENDPOINT`, `HF_TOKEN`, `hf auth login`.

    Raises:
        UsageError: there is no such repo or revision, or the token may not read it.
        HubError: the hub cannot be reached.
    """
    from huggingface_hub import HfApi, HfFileSystem
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    system = HfFileSystem(skip_instance_cache=True)
    try:
        resolved: Any = system.resolve_path(address.removeprefix("hf://"))
        sha = HfApi().repo_info(resolved.repo_id, revision=resolved.revision, repo_type=resolved.repo_type).sha
    except (
        FileNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
        NotImplementedError,
        ValueError,
    ) as error:
        raise UsageError(
            f"{address} does not exist, or the token may not read it",
            "write hf://namespace/name or hf://namespace/name@revision",
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise HubError(
            f"{address} cannot be read: {_first_line(error)}", "check HF_ENDPOINT and the network"
        ) from error
    resolved.revision, resolved._raw_revision = sha, None
    return RemoteSource(system, resolved.unresolve())


def store_source(address: str) -> RemoteSource:
    """The files below an address of any store that fsspec knows.

    Raises:
        UsageError: fsspec does not know the protocol, or its package is not installed.
    """
    import fsspec  # type: ignore[import-untyped]

    try:
        system, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{address}: {_first_line(error)}", "install the package that it names into hubpub's environment"
        ) from error
    return RemoteSource(system, path)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
