"""One bare git repository: revisions, trees, blobs, and the two ways to write, objects first and then one ref.

Objects are flushed to the disk before a ref names them, and a ref is replaced by a rename, so a ref always
points to a complete commit. Writers hold the repo's lock (see `hubpub.hub.repos`); readers need none, because
they resolve a revision once and objects never change.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tag, Tree
from dulwich.pack import full_unpacked_object
from dulwich.refs import DiskRefsContainer, Ref

from hubpub.hub.data_root import DataRoot, sync_folder
from hubpub.hub.pointer import LargeFile, parse_pointer

FILE_MODE = 0o100644
FOLDER_MODE = 0o040000
_HEX = re.compile(r"[0-9a-f]{5,40}")
_PACK_FROM = 64
_IDLE_STORES = 4
_REMEMBERED_BLOBS = 500_000
_REMEMBERED_OBJECTS = 512

_Object = TypeVar("_Object", Blob, Commit, Tree)


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file or folder at one commit: its path, git mode and git id."""

    path: str
    mode: int
    oid: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.mode == FOLDER_MODE


@dataclass(frozen=True, slots=True)
class BlobFacts:
    """What a listing says of a blob: its size in bytes, and what it points to if it is an LFS pointer."""

    size: int
    pointer: LargeFile | None


class StorePool:
    """Open object stores of one repository, each used by one thread at a time; opening one maps its packs."""

    def __init__(self, git_folder: Path) -> None:
        self.git_folder = git_folder
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


class GitRepo:
    """A view of one repository for one thread."""

    def __init__(self, git_folder: Path, objects: DiskObjectStore, root: DataRoot, facts: dict[str, BlobFacts]) -> None:
        self._folder = git_folder
        self._objects = objects
        self._refs = DiskRefsContainer(git_folder)
        self._root = root
        self._facts = facts
        self._seen: dict[bytes, ShaFile] = {}

    # Refs

    def refs(self, prefix: str) -> dict[str, str]:
        """The refs below `prefix` (such as `refs/heads/`), by what follows it, with the commits they peel to."""
        found = {}
        for key in sorted(self._refs.subkeys(Ref(prefix.encode()))):
            commit = self._peeled(self._read_ref(prefix.encode() + key))
            if commit:
                found[key.decode("utf-8", "replace")] = commit
        return found

    def ref(self, name: str) -> str | None:
        """The commit that the full ref `name` peels to."""
        return self._peeled(self._read_ref(name.encode("utf-8", "surrogatepass")))

    def set_ref(self, name: str, oid: str) -> None:
        """Point the full ref `name` at an object that is on the disk already.

        Raises:
            FileExistsError, NotADirectoryError, IsADirectoryError: another ref's name is a folder of this one,
                or the other way round.
        """
        self._root.write(self._folder / name, oid.encode() + b"\n")

    def delete_ref(self, name: str) -> None:
        """Remove the full ref `name`, and the folders that it leaves empty."""
        path = self._folder / name
        path.unlink()
        sync_folder(path.parent)
        for folder in path.parents:
            if folder.parent.name == "refs" or any(folder.iterdir()):
                return
            folder.rmdir()

    def _read_ref(self, name: bytes) -> bytes | None:
        try:
            return self._refs.read_ref(Ref(name))
        except ValueError:
            return None

    def _peeled(self, value: bytes | None) -> str | None:
        for _ in range(5):
            if value is None or not re.fullmatch(rb"[0-9a-f]{40}", value):
                return None
            found = self._get(value)
            if isinstance(found, Commit):
                return value.decode()
            if not isinstance(found, Tag):
                return None
            value = found.object[1]
        return None

    # Reading

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag, full ref, commit id or start of a commit id names; None if none."""
        branch = "main" if revision == "HEAD" else revision
        for name in (f"refs/heads/{branch}", f"refs/tags/{revision}", revision):
            if name.startswith("refs/") and (commit := self.ref(name)):
                return commit
        if not _HEX.fullmatch(revision):
            return None
        if len(revision) == 40:
            return revision if isinstance(self._get(revision.encode()), Commit) else None
        starts = self._objects.iter_prefix(revision.encode())
        commits = [oid.decode() for oid in list(starts) if isinstance(self._get(oid), Commit)]
        return commits[0] if len(commits) == 1 else None

    def commit(self, oid: str) -> Commit:
        """A commit that is known to be there."""
        return self._read(oid, Commit)

    def root_tree(self, commit: str) -> str:
        """The id of a commit's tree."""
        tree: bytes = self.commit(commit).tree
        return tree.decode()

    def tree(self, oid: str) -> Tree:
        """A tree that is known to be there. It is not to be changed."""
        return self._read(oid, Tree)

    def blob(self, oid: str) -> bytes:
        """The content of a blob that is known to be there."""
        return self._read(oid, Blob).data

    def entry(self, tree: str, path: str) -> TreeEntry | None:
        """What is at `path` below the tree, if anything; the empty path is the tree itself."""
        mode, oid = FOLDER_MODE, tree
        for segment in filter(None, path.split("/")):
            if mode != FOLDER_MODE:
                return None
            try:
                mode, found = self.tree(oid)[segment.encode("utf-8", "surrogatepass")]
            except KeyError:
                return None
            oid = found.decode()
        return TreeEntry(path, mode, oid)

    def walk(self, tree: str, path: str = "", *, recursive: bool) -> Iterator[TreeEntry]:
        """The entries below a tree in git's order, each folder before what it holds."""
        for item in self.tree(tree).iteritems():
            name = item.path.decode("utf-8", "replace")
            entry = TreeEntry(f"{path}/{name}" if path else name, item.mode, item.sha.decode())
            yield entry
            if recursive and entry.is_folder:
                yield from self.walk(entry.oid, entry.path, recursive=True)

    def blob_facts(self, oid: str) -> BlobFacts:
        """Size of a blob, and what it points to; remembered, since blobs never change."""
        facts = self._facts.get(oid)
        if facts is None:
            data = self.blob(oid)
            facts = BlobFacts(len(data), parse_pointer(data))
            if len(self._facts) > _REMEMBERED_BLOBS:
                self._facts.clear()
            self._facts[oid] = facts
        return facts

    def history(self, commit: str) -> Iterator[tuple[str, Commit]]:
        """A commit and its first parents, newest first."""
        oid: str | None = commit
        while oid:
            found = self.commit(oid)
            yield oid, found
            oid = found.parents[0].decode() if found.parents else None

    def _read(self, oid: str, kind: type[_Object]) -> _Object:
        found = self._load(oid.encode())
        if not isinstance(found, kind):
            raise TypeError(f"{oid} is not a {kind.__name__}")
        return found

    def _get(self, oid: bytes) -> ShaFile | None:
        try:
            return self._load(oid)
        except KeyError:
            return None

    def _load(self, oid: bytes) -> ShaFile:
        """An object; commits and trees are remembered, since one request looks at the same ones again and again."""
        found = self._seen.get(oid)
        if found is None:
            found = self._objects[ObjectID(oid)]
            if isinstance(found, Commit | Tree):
                if len(self._seen) >= _REMEMBERED_OBJECTS:
                    self._seen.clear()
                self._seen[oid] = found
        return found

    # Writing

    def add(self, objects: Iterable[ShaFile], count: int) -> None:
        """Write `count` objects durably: a few as loose files, many as one pack, which is one flush instead of many."""
        if count >= _PACK_FROM:
            self._objects.add_pack_data(count, map(full_unpacked_object, objects))
            sync_folder(self._folder / "objects" / "pack")
            return
        for item in objects:
            oid = item.id.decode()
            path = self._folder / "objects" / oid[:2] / oid[2:]
            # Not dulwich's add_object: a server that is killed would leave its lock file, and the object could
            # never be written again.
            if not path.exists():
                self._root.write(path, item.as_legacy_object())


def init_git(folder: Path) -> None:
    """Create an empty bare repository whose HEAD is `main`."""
    for name in ("objects/pack", "objects/info", "refs/heads", "refs/tags"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_bytes(b"ref: refs/heads/main\n")
    (folder / "config").write_bytes(b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n")
