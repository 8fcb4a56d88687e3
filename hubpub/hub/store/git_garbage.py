"""Git objects that nothing leads to any more: which of a repository's may go, and how they go.

An object that was written a short while ago stays, and so does all that it leads to: what is there is whole. A pack
that holds both kinds is written anew with what stays before the old one goes, so a kill at any moment costs nothing
that stays. What points goes before what it points to, which is older; so nobody finds a commit without its files.
"""

from __future__ import annotations

import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID
from dulwich.pack import load_pack_index

from hubpub.hub.store.data_root import DataRoot, sync_folder
from hubpub.hub.store.packs import write_pack
from hubpub.hub.store.reachable import Damaged, reachable

_LOOSE_NAME = 38
_HEAD = 64
_HALVES = {".pack", ".idx", ".rev", ".bitmap", ".lock"}
_COMMITS = (b"commit ", b"tag ")


@dataclass(frozen=True, slots=True)
class _Doomed:
    """A file with objects that are to go: a loose object or a pack, of which `survivors` stay."""

    path: Path
    written: int
    has_commits: bool
    survivors: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[int, bool]:
        """What points was written after what it points to; within one tick of the clock, commits last."""
        return -self.written, not self.has_commits


@dataclass(frozen=True, slots=True)
class GitGarbage:
    """What is to go from one repository.

    Attributes:
        git_folder: the repository.
        doomed: files with objects that nothing leads to, in the order in which they may go.
        leftovers: what was cut off while it was written: half of a pack, a lock.
        objects: how many objects go.
    """

    git_folder: Path
    doomed: tuple[_Doomed, ...]
    leftovers: tuple[Path, ...]
    objects: int

    @classmethod
    def of(
        cls, git_folder: Path, objects: DiskObjectStore, live: set[str], cutoff: float, damaged: Damaged
    ) -> GitGarbage:
        """What may go from a repository in which `live` objects are led to, and those stay that were written since.

        `live` is extended by those. Damage is told of; it is then not safe to remove anything.
        """
        folder = git_folder / "objects"
        loose = {path: path.parent.name + path.name for path in _loose(folder)}
        packs = {path: _oids_of(path, damaged) for path in sorted((folder / "pack").glob("*.pack")) if _is_whole(path)}
        young = {oid for path, oid in loose.items() if _is_young(path, cutoff)}
        young.update(*(oids for path, oids in packs.items() if _is_young(path, cutoff)))
        for _ in reachable(objects, {oid: oid for oid in young}, _nothing, live):
            pass
        doomed = [
            _Doomed(path, path.stat().st_mtime_ns, _is_commit(path)) for path, oid in loose.items() if oid not in live
        ]
        for path, oids in packs.items():
            survivors = tuple(oid for oid in oids if oid in live)
            if len(survivors) < len(oids):
                doomed.append(_Doomed(path, path.stat().st_mtime_ns, has_commits=True, survivors=survivors))
        gone = {oid for path, oid in loose.items() if oid not in live}
        gone.update(*(set(oids) - live for oids in packs.values()))
        leftovers = tuple(path for path in _leftovers(folder) if not _is_young(path, cutoff))
        return cls(git_folder, tuple(sorted(doomed, key=lambda item: item.order)), leftovers, len(gone))

    def remove(self, root: DataRoot) -> tuple[Counter[str], int]:
        """Remove it; how many of each kind went, and how many bytes that frees."""
        freed = sum(_remove_file(path) for path in self.leftovers)
        for item in self.doomed:
            if item.survivors:
                freed -= self._rewrite(root, item)
            freed += _remove_pack(item.path) if item.path.suffix == ".pack" else _remove_file(item.path)
        counted = {"git objects": self.objects, "git leftovers": len(self.leftovers)}
        return +Counter(counted), freed

    def _rewrite(self, root: DataRoot, item: _Doomed) -> int:
        """Write what stays of a pack as another; returns the bytes that it takes."""
        objects = DiskObjectStore(self.git_folder / "objects")
        try:
            survivors = (objects[ObjectID(oid.encode())] for oid in item.survivors)
            new = write_pack(root, self.git_folder, survivors, len(item.survivors))
        finally:
            objects.close()
        files = (new, new.with_suffix(".idx"))
        for path in files:
            # Its objects are as old as they were.
            os.utime(path, ns=(item.written, item.written))
        return sum(path.stat().st_size for path in files)


def _loose(folder: Path) -> Iterator[Path]:
    for sub in sorted(folder.glob("[0-9a-f][0-9a-f]")):
        yield from (path for path in sorted(sub.iterdir()) if len(path.name) == _LOOSE_NAME)


def _is_whole(pack: Path) -> bool:
    return pack.with_suffix(".idx").exists()


def _oids_of(pack: Path, damaged: Damaged) -> tuple[str, ...]:
    """The objects of a pack, in the order in which they lie there."""
    try:
        index = load_pack_index(pack.with_suffix(".idx"), DEFAULT_OBJECT_FORMAT)
        try:
            entries = sorted((offset, bytes(oid).hex()) for oid, offset, _ in index.iterentries())
        finally:
            index.close()
    except Exception as error:
        # Whatever damaged bytes make dulwich or struct raise.
        damaged(pack.name, f"its index cannot be read: {type(error).__name__}", "")
        return ()
    return tuple(oid for _, oid in entries)


def _is_commit(path: Path) -> bool:
    """Whether a loose object is a commit or a tag; one that cannot be read is neither."""
    try:
        with path.open("rb") as file:
            return zlib.decompressobj().decompress(file.read(_HEAD), _HEAD).startswith(_COMMITS)
    except zlib.error:
        return False


def _leftovers(folder: Path) -> Iterator[Path]:
    for path in sorted((folder / "pack").iterdir()):
        pack = path.with_suffix(".pack")
        belongs = path.suffix != ".lock" and pack.exists() and _is_whole(pack)
        if not belongs and (path.suffix in _HALVES or path.name.startswith("tmp_")):
            yield path
    for sub in sorted(folder.glob("[0-9a-f][0-9a-f]")):
        yield from (path for path in sorted(sub.iterdir()) if path.suffix == ".lock" or path.name.startswith("tmp_"))


def _is_young(path: Path, cutoff: float) -> bool:
    return path.stat().st_mtime > cutoff


def _nothing(*_: str) -> None:
    """What is missing from something that nothing leads to is nobody's loss."""


def _remove_pack(pack: Path) -> int:
    """Remove a pack, its index first: without one it is not there for anybody."""
    freed = _remove_file(pack.with_suffix(".idx"))
    sync_folder(pack.parent)
    return freed + sum(_remove_file(path) for path in _siblings(pack))


def _siblings(pack: Path) -> Iterable[Path]:
    return sorted(pack.parent.glob(f"{pack.stem}.*"))


def _remove_file(path: Path) -> int:
    size = path.stat().st_size
    path.unlink()
    return size
