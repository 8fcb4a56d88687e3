"""One bare git repository: revisions, trees, blobs, and the two ways to write, objects first and then one ref.

Objects are flushed to the disk before a ref names them, and a ref is replaced by a rename, so a ref always
points to a complete commit. Writers hold the repo's lock (see `hubpub.hub.store.repos`); readers need none, because
they resolve a revision once and objects never change.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tag, Tree

from hubpub.hub.store.data_root import DataRoot, make_folder, sync_folder
from hubpub.hub.store.packs import write_pack
from hubpub.hub.store.pointer import LargeFile, parse_pointer
from hubpub.hub.store.refs import Refs

FILE_MODE = 0o100644
FOLDER_MODE = 0o040000
_HEX = re.compile(r"[0-9a-f]{5,40}")
_PACK_FROM = 64
_REMEMBERED_BLOBS = 500_000
_REMEMBERED_OBJECTS = 512
_REMEMBERED_SMALL = 128
_SMALL = 4096

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


@dataclass(frozen=True, slots=True)
class AdvertisedRef:
    """A ref as git's protocol names it: its full name, the object it points to, and the commit that one peels to.

    `symref` is the ref that HEAD stands for, and empty for every other.
    """

    name: bytes
    oid: ObjectID
    peeled: ObjectID
    symref: bytes = b""


class GitRepo:
    """A view of one repository for one thread."""

    def __init__(
        self,
        git_folder: Path,
        objects: DiskObjectStore,
        root: DataRoot,
        facts: dict[str, BlobFacts],
        small: dict[bytes, ShaFile],
    ) -> None:
        self._folder = git_folder
        self._small = small
        self._objects = objects
        self._refs = Refs(git_folder)
        self._root = root
        self._facts = facts
        self._seen: dict[bytes, ShaFile] = {}

    # Refs

    def refs(self, prefix: str) -> dict[str, str]:
        """The refs below `prefix` (such as `refs/heads/`), by what follows it, with the commits they peel to."""
        found = {}
        for name in self._refs.names(prefix.encode()):
            commit = self._peeled(self._refs.read(name))
            if commit:
                found[name.removeprefix(prefix.encode()).decode("utf-8", "replace")] = commit
        return found

    def ref(self, name: str) -> str | None:
        """The commit that the full ref `name` peels to."""
        return self._peeled(self._refs.read(name.encode("utf-8", "surrogatepass")))

    def advertised(self) -> Iterator[AdvertisedRef]:
        """HEAD, which is `main`, and every ref of the repo in the order of their names."""
        main = self.ref("refs/heads/main")
        if main is not None:
            yield AdvertisedRef(b"HEAD", ObjectID(main.encode()), ObjectID(main.encode()), b"refs/heads/main")
        for name in self._refs.names(b"refs/"):
            oid = self._refs.read(name)
            peeled = self._peeled(oid)
            if oid is not None and peeled is not None:
                yield AdvertisedRef(name, ObjectID(oid), ObjectID(peeled.encode()))

    def set_ref(self, name: str, oid: str) -> None:
        """Point the full ref `name` at an object that is on the disk already.

        Raises:
            FileExistsError, NotADirectoryError, IsADirectoryError: another ref's name is a folder of this one,
                or the other way round.
        """
        path = self._folder / name
        if path.is_dir():
            # A server that was killed while it deleted a ref may have left the folder it was in.
            with contextlib.suppress(OSError):
                _remove_empty_folders(path)
        self._root.write(path, oid.encode() + b"\n")

    def delete_ref(self, name: str) -> None:
        """Remove the full ref `name`, and the folders that it leaves empty."""
        path = self._folder / name
        path.unlink()
        sync_folder(path.parent)
        for folder in path.parents:
            if folder.parent.name == "refs" or any(folder.iterdir()):
                return
            folder.rmdir()

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

    @property
    def objects(self) -> DiskObjectStore:
        """The store itself, for what dulwich does with one."""
        return self._objects

    def present(self, oids: Iterable[ObjectID]) -> Iterator[ObjectID]:
        """Those of the objects that are here, in order. Cheaper than a look-up each, which searches anew on a miss."""
        packs = self._objects.packs
        for oid in oids:
            if any(oid in pack for pack in packs) or self._objects.contains_loose(oid):
                yield oid

    def history_tip(self, oid: bytes) -> ObjectID | None:
        """The commit that a commit or an annotated tag stands for; None for any other object, or none."""
        peeled = self._peeled(oid)
        return None if peeled is None else ObjectID(peeled.encode())

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
            folder = self.tree(oid)
            try:
                mode, found = folder[segment.encode("utf-8", "surrogatepass")]
            except KeyError:
                return None
            oid = found.decode()
        return TreeEntry(path, mode, oid)

    def walk(self, tree: str, path: str = "", *, recursive: bool, after: str = "") -> Iterator[TreeEntry]:
        """The entries below a tree in git's order, each folder before what it holds.

        The first is the one that follows `after`, a path relative to the tree.
        """
        passed, _, below = after.partition("/")
        for item in self.tree(tree).iteritems():
            name = item.path.decode("utf-8", "replace")
            if passed not in ("", name):
                continue
            entry = TreeEntry(f"{path}/{name}" if path else name, item.mode, item.sha.decode())
            if not passed:
                yield entry
            if recursive and entry.is_folder:
                yield from self.walk(entry.oid, entry.path, recursive=True, after=below)
            passed = below = ""

    def blob_facts(self, oid: str) -> BlobFacts:
        """Size of a blob, and what it points to; remembered, since blobs never change."""
        facts = self._facts.get(oid)
        if facts is None:
            facts = self._note(oid, self.blob(oid))
        return facts

    def _note(self, oid: str, data: bytes) -> BlobFacts:
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
        found = self._seen.get(oid) or self._small.get(oid)
        if found is None:
            found = self._objects[ObjectID(oid)]
            if isinstance(found, Commit | Tree):
                is_small = found.raw_length() <= _SMALL
                seen, most = (self._small, _REMEMBERED_SMALL) if is_small else (self._seen, _REMEMBERED_OBJECTS)
                if len(seen) >= most:
                    seen.clear()
                seen[oid] = found
        return found

    # Writing

    def add(self, objects: Iterable[ShaFile], count: int) -> None:
        """Write `count` objects durably: a few as loose files, many as one pack, which is one flush instead of many."""
        objects = map(self._noted, objects)
        if count >= _PACK_FROM:
            write_pack(self._root, self._folder, objects, count)
            return
        for item in objects:
            oid = item.id.decode()
            path = self._folder / "objects" / oid[:2] / oid[2:]
            # Not dulwich's add_object: a server that is killed would leave its lock file, and the object could
            # never be written again.
            if not path.exists():
                self._root.write(path, item.as_legacy_object())

    def _noted(self, item: ShaFile) -> ShaFile:
        if isinstance(item, Blob):
            self._note(item.id.decode(), item.data)
        return item


def init_git(folder: Path, root: DataRoot) -> None:
    """Create an empty bare repository whose HEAD is `main`."""
    for name in ("objects/pack", "objects/info", "refs/heads", "refs/tags"):
        make_folder(folder / name)
    root.write(folder / "HEAD", b"ref: refs/heads/main\n")
    root.write(folder / "config", b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n")


def _remove_empty_folders(folder: Path) -> None:
    """Remove a folder that holds nothing but folders.

    Raises:
        OSError: it holds a file.
    """
    for entry in folder.iterdir():
        if not entry.is_dir():
            raise OSError(f"{entry} is not a folder")
        _remove_empty_folders(entry)
    folder.rmdir()
