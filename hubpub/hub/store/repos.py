"""The repos of a hub: which there are, what is known of each, and the lock that serialises its writes."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from hubpub.hub.naming import RepoId, RepoKind, repo_id
from hubpub.hub.store.data_root import DataRoot, make_folder, sync_folder
from hubpub.hub.store.git import BlobFacts, GitRepo, init_git
from hubpub.hub.store.remembered import Remembered
from hubpub.hub.store.small_files import is_link, read_small
from hubpub.hub.store.store_pool import StorePool

MAIN = "refs/heads/main"
_OPEN_REPOS = 64
_REMEMBERED_RECORDS = 4 << 20
_MOST_MOVES = 20


class AccessStatus(StrEnum):
    """What has become of a user's wish to read a gated repo."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


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
        access: by user, the `status` and time (`at`) of their wish to read the gated repo.
    """

    id: RepoId
    uid: str
    private: bool
    gated: str | bool
    creator: str
    created_at: str
    access: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Repos:
    """All repos below a data folder."""

    def __init__(self, root: DataRoot, lock_wait: float) -> None:
        self._root = root
        self._base = str(root.path / "repos")
        self._lock_wait = lock_wait
        self._pools: dict[tuple[str, RepoId], StorePool] = {}
        self._pools_lock = threading.Lock()
        self._facts: dict[str, BlobFacts] = {}
        self._records: Remembered[RepoId, tuple[bytes, RepoRecord]] = Remembered(_REMEMBERED_RECORDS)

    def get(self, repo: RepoId) -> RepoRecord | None:
        """The record of a repo; None if there is none."""
        folder = self.address(repo)
        if is_link(folder) or is_link(folder.rpartition("/")[0]):
            # The hub makes no links; one may lead out of the data folder.
            return None
        try:
            # Read every time, since other processes write it; what is remembered is only what these bytes mean.
            data = read_small(f"{folder}/repo.json")
        except (FileNotFoundError, NotADirectoryError):
            return None
        known = self._records.get(repo)
        if known is not None and known[0] == data:
            return known[1]
        record = RepoRecord(repo, **json.loads(data))
        self._records.put(repo, (data, record), len(data))
        return record

    def create(
        self,
        repo: RepoId,
        creator: str,
        *,
        private: bool,
        first_commit: Callable[[GitRepo], None],
        large_files: Iterable[str] = (),
    ) -> RepoRecord | None:
        """Create a repo with its first commit, all at once; None if it exists. The caller holds its lock.

        `large_files` are the SHA-256 of those that count as uploaded to it from the start.
        """
        folder = self.folder(repo)
        if folder.exists():
            return None
        record = RepoRecord(repo, secrets.token_hex(8), private, False, creator, iso_time(time.time()))
        with self._root.scratch_folder() as new:
            init_git(new / "git", self._root)
            (new / "lfs").mkdir()
            for sha256 in large_files:
                make_folder(new / "lfs" / sha256[:2])
                (new / "lfs" / sha256[:2] / sha256).touch()
            self._write(new, record)
            pool = StorePool(new / "git")
            with contextlib.closing(pool):
                store = pool.take()
                first_commit(GitRepo(new / "git", store, self._root, self._facts, pool.seen))
                pool.give_back(store)
            self._put(new, folder)
        self._redirect(repo).unlink(missing_ok=True)
        return record

    def move(self, record: RepoRecord, to: RepoId) -> RepoRecord | None:
        """Give a repo another name; None if that is taken. The caller holds the locks of both names.

        The old name leads to it from then on, until another repo takes it.
        """
        folder = self.folder(to)
        if folder.exists():
            return None
        # Written before the move, and without effect until then: a repo goes before a redirect.
        document = {"namespace": to.namespace, "name": to.name, "uid": record.uid}
        self._root.write(self._redirect(record.id), json.dumps(document).encode())
        self._forget(record)
        self._put(self.folder(record.id), folder)
        self._redirect(to).unlink(missing_ok=True)
        return replace(record, id=to)

    def moved(self, repo: RepoId) -> RepoRecord | None:
        """The repo that once was called that, under its present name; None if there is none."""
        target, uid = repo, None
        for _ in range(_MOST_MOVES):
            try:
                document = json.loads(self._redirect(target).read_bytes())
            except (FileNotFoundError, NotADirectoryError):
                return None
            if uid not in (None, document["uid"]):
                return None
            target, uid = RepoId(repo.kind, document["namespace"], document["name"]), document["uid"]
            record = self.get(target)
            # Whatever has taken the name meanwhile is another repo.
            if record is not None and record.uid == uid:
                return record
        return None

    def update(self, record: RepoRecord, **changes: Any) -> RepoRecord:
        """Change `private`, `gated` or `access`. The caller holds the repo's lock."""
        changed = replace(record, **changes)
        self._write(self.folder(record.id), changed)
        return changed

    def delete(self, record: RepoRecord) -> None:
        """Remove the repo and its git data; large files stay, since other repos may hold the same."""
        self._forget(record)
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
        return Path(self.address(repo))

    def address(self, repo: RepoId) -> str:
        """As `folder`, as text."""
        return f"{self._base}/{repo.kind.plural}/{repo.namespace}/{repo.name}"

    @contextlib.contextmanager
    def git(self, record: RepoRecord) -> Iterator[GitRepo]:
        """A view of the repo's git data for the calling thread."""
        key = (record.uid, record.id)
        with self._pools_lock:
            pool = self._pools.pop(key, None) or StorePool(self.folder(record.id) / "git")
            self._pools[key] = pool
            oldest = next(iter(self._pools)) if len(self._pools) > _OPEN_REPOS else None
            surplus = self._pools.pop(oldest) if oldest else None
        if surplus is not None:
            surplus.close()
        store = pool.take()
        try:
            yield GitRepo(pool.git_folder, store, self._root, self._facts, pool.seen)
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

    def _put(self, new: Path, folder: Path) -> None:
        make_folder(folder.parent)
        new.rename(folder)
        sync_folder(new.parent)
        sync_folder(folder.parent)

    def _forget(self, record: RepoRecord) -> None:
        with self._pools_lock:
            pool = self._pools.pop((record.uid, record.id), None)
        if pool is not None:
            pool.close()

    def _redirect(self, repo: RepoId) -> Path:
        return self._root.path / "moved" / repo.kind.plural / repo.namespace / f"{repo.name}.json"

    def _write(self, folder: Path, record: RepoRecord) -> None:
        document = asdict(record)
        del document["id"]
        self._root.write(folder / "repo.json", json.dumps(document, indent=2).encode())


def iso_time(seconds: float) -> str:
    """A Unix time as clients parse it: ISO 8601 in UTC with milliseconds and a final Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
