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
from hubpub.model.window import window

_SMALL = 2 << 20
_BLOCK = 1 << 18
_BLOCKS = 32
_OPEN_FILES = 64
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
        return window(file, lock, 0, size)

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
