"""Open object stores, kept from one request to the next: opening one lists and maps the packs of its repository."""

from __future__ import annotations

import threading
from pathlib import Path

from dulwich.object_store import DiskObjectStore
from dulwich.objects import ShaFile

_IDLE_STORES = 4


class StorePool:
    """Open object stores of one repository, each used by one thread at a time."""

    def __init__(self, git_folder: Path) -> None:
        self.git_folder = git_folder
        self.seen: dict[bytes, ShaFile] = {}
        """Small commits and trees that were read last, for every request on the repository."""
        self._idle: list[DiskObjectStore] = []
        self._lock = threading.Lock()
        self._closed = False

    def take(self) -> DiskObjectStore:
        """A store for the calling thread alone."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return DiskObjectStore(self.git_folder / "objects", fsync_object_files=True)

    def give_back(self, store: DiskObjectStore) -> None:
        """Return a store after use."""
        with self._lock:
            if not self._closed and len(self._idle) < _IDLE_STORES:
                self._idle.append(store)
                return
        store.close()

    def close(self) -> None:
        """Close the idle stores now and the others when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for store in idle:
            store.close()
