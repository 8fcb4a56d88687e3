"""The repos of a hub: which there are, what is known of each, and the lock that serialises its writes."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hubpub.hub.data_root import DataRoot, make_folder, sync_folder
from hubpub.hub.git import BlobFacts, GitRepo, StorePool, init_git
from hubpub.hub.naming import RepoId, RepoKind, repo_id

MAIN = "refs/heads/main"
_OPEN_REPOS = 64


@dataclass(frozen=True, slots=True)
class RepoRecord:
    """What is known of a repo besides its git data.

    Attributes:
        id: kind, namespace and name.
        uid: random, so that a repo and a later one of the same name are told apart.
        private: whether only members of the namespace see it.
        gated: False, "auto" or "manual": whether its files are only for those given access.
        creator: the user who created it; a contributor may write to it for that.
        created_at: ISO 8601 with a final Z.
    """

    id: RepoId
    uid: str
    private: bool
    gated: str | bool
    creator: str
    created_at: str


class Repos:
    """All repos below a data folder."""

    def __init__(self, root: DataRoot, lock_wait: float) -> None:
        self._root = root
        self._lock_wait = lock_wait
        self._pools: dict[str, StorePool] = {}
        self._pools_lock = threading.Lock()
        self._facts: dict[str, BlobFacts] = {}

    def get(self, repo: RepoId) -> RepoRecord | None:
        """The record of a repo; None if there is none."""
        try:
            document = json.loads((self.folder(repo) / "repo.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        return RepoRecord(repo, **document)

    def create(
        self, repo: RepoId, creator: str, *, private: bool, first_commit: Callable[[GitRepo], None]
    ) -> RepoRecord | None:
        """Create a repo with its first commit, all at once; None if it exists. The caller holds its lock."""
        folder = self.folder(repo)
        if folder.exists():
            return None
        record = RepoRecord(repo, secrets.token_hex(8), private, False, creator, iso_time(time.time()))
        new = self._root.scratch_path()
        init_git(new / "git")
        (new / "lfs").mkdir()
        self._write(new, record)
        pool = StorePool(new / "git")
        with contextlib.closing(pool):
            store = pool.take()
            first_commit(GitRepo(new / "git", store, self._root, self._facts))
            pool.give_back(store)
        make_folder(folder.parent)
        new.rename(folder)
        sync_folder(folder.parent)
        return record

    def update(self, record: RepoRecord, **changes: Any) -> RepoRecord:
        """Change `private` or `gated`."""
        changed = replace(record, **changes)
        self._write(self.folder(record.id), changed)
        return changed

    def delete(self, record: RepoRecord) -> None:
        """Remove the repo and its git data; large files stay, since other repos may hold the same."""
        with self._pools_lock:
            pool = self._pools.pop(record.uid, None)
        if pool is not None:
            pool.close()
        self._root.remove_folder(self.folder(record.id))

    def every(self, kind: RepoKind, namespace: str | None = None) -> Iterator[RepoRecord]:
        """The repos of one kind, by namespace and name."""
        base = self._root.path / "repos" / kind.plural
        for folder in sorted(base.glob(f"{namespace or '*'}/*/repo.json")):
            found = repo_id(kind, folder.parent.parent.name, folder.parent.name)
            record = self.get(found) if found else None
            if record is not None:
                yield record

    def folder(self, repo: RepoId) -> Path:
        """Where a repo's data is."""
        return self._root.path / "repos" / repo.kind.plural / repo.namespace / repo.name

    @contextlib.contextmanager
    def git(self, record: RepoRecord) -> Iterator[GitRepo]:
        """A view of the repo's git data for the calling thread."""
        folder = self.folder(record.id) / "git"
        with self._pools_lock:
            pool = self._pools.pop(record.uid, None) or StorePool(folder)
            self._pools[record.uid] = pool
            oldest = next(iter(self._pools)) if len(self._pools) > _OPEN_REPOS else None
            surplus = self._pools.pop(oldest) if oldest else None
        if surplus is not None:
            surplus.close()
        store = pool.take()
        try:
            yield GitRepo(folder, store, self._root, self._facts)
        finally:
            pool.give_back(store)

    @contextlib.contextmanager
    def lock(self, repo: RepoId) -> Iterator[None]:
        """Hold the one right to write to a repo, against other threads and processes.

        Raises:
            ApiError: 409 if it is not free in time.
        """
        with self._root.lock(f"{repo.kind.plural}--{repo.namespace}--{repo.name}", self._lock_wait):
            yield

    def close(self) -> None:
        """Close every open git store."""
        with self._pools_lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()

    def _write(self, folder: Path, record: RepoRecord) -> None:
        document = asdict(record)
        del document["id"]
        self._root.write(folder / "repo.json", json.dumps(document, indent=2).encode())


def iso_time(seconds: float) -> str:
    """A Unix time as clients parse it: ISO 8601 in UTC with milliseconds and a final Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
