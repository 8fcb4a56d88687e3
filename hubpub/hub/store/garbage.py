"""Removing what nothing leads to: uploads of pushes that were given up, what deleted branches and squashes left behind.

What a commit of any ref of any repo names stays, and so does what was written a short while ago: its commit may be
on the way, or somebody may want it back. Nothing is removed while a server runs on the folder, or from a store in
which anything that would tell what is named cannot be read.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob

from hubpub.core.errors import UsageError
from hubpub.hub.store.data_root import DataRoot
from hubpub.hub.store.git_garbage import GitGarbage
from hubpub.hub.store.pointer import parse_pointer
from hubpub.hub.store.reachable import reachable, read_bases, read_refs, repo_folders
from hubpub.hub.store.repos import MAIN
from hubpub.hub.store.xet import XetFile, XetStore
from hubpub.hub.store.xet_format import is_hash

SCHEMA = "hubpub.gc/1"
DEFAULT_AGE = 24 * 3600.0


@dataclass(slots=True)
class GcReport:
    """What was removed, by kind, and what that frees.

    The kinds: `git objects`, `git leftovers`, `upload notes`, `lfs files`, `xet files`, `xorbs`, `scratch`.
    """

    root: Path
    removed: Counter[str] = field(default_factory=Counter)
    freed: int = 0
    kept: int = 0

    def to_json(self) -> dict[str, Any]:
        """The report as plain data; `freed` is in bytes, `kept` the number of large files that are named."""
        return {
            "schema": SCHEMA,
            "root": str(self.root),
            "removed": dict(sorted(self.removed.items())),
            "freed": self.freed,
            "kept": self.kept,
        }


def collect_garbage(path: Path, age: float = DEFAULT_AGE) -> GcReport:
    """Remove the git objects and uploads that no ref's history leads to and that are older than `age` seconds.

    If xorbs go, the store gets another name: hf_xet remembers by that name which xorbs are there.

    Raises:
        UsageError: it is not a hub's data folder, a hub runs on it, or it is damaged.
    """
    root = DataRoot.existing(path)
    with root.alone():
        plan = _Plan(root, time.time() - age)
        report = GcReport(root.path, kept=len(plan.named))
        if plan.xorbs:
            root.new_store()
        # What points before what is pointed to, so that one who is killed here leaves nothing that points nowhere.
        for garbage in plan.git:
            removed, freed = garbage.remove(root)
            report.removed += removed
            report.freed += freed
        for kind, doomed in (
            ("upload notes", plan.notes),
            ("xet files", [*plan.mappings, *plan.records]),
            ("lfs files", plan.lfs),
            ("xorbs", plan.xorbs),
            ("scratch", plan.scratch),
        ):
            for entry in doomed:
                report.removed[kind] += 1
                report.freed += _remove(entry)
        return report


class _Plan:
    """What is to go; made whole before anything goes."""

    def __init__(self, root: DataRoot, cutoff: float) -> None:
        self._root = root
        self._cutoff = cutoff
        self.named: set[str] = set()
        """SHA-256 of every large file that a commit names."""
        recent: set[str] = set()
        self.git: list[GitGarbage] = []
        self.notes: list[Path] = []
        for _, folder in repo_folders(root):
            named, garbage = _look_through(folder, cutoff)
            self.named |= named
            self.git.append(garbage)
            for note in _files(folder / "lfs"):
                if self._is_recent(note):
                    recent.add(note.name)
                elif note.name not in named:
                    self.notes.append(note)
        keep = self.named | recent
        xet = XetStore(root, 0)
        self.lfs = self._old(path for path in _files(root.path / "lfs") if path.name not in keep)
        mappings = _files(root.path / "xet" / "sha256")
        self.mappings = self._old(path for path in mappings if path.name not in keep)
        doomed = set(self.mappings)
        live = {_file(xet, xet.file_path(_text(path))).hash for path in mappings if path not in doomed}
        records = _files(root.path / "xet" / "files")
        self.records = self._old(path for path in records if path.stem not in live)
        doomed = set(self.records)
        xorbs = {term.xorb for path in records if path not in doomed for term in _file(xet, path).terms}
        self.xorbs = self._old(path for path in _files(root.path / "xet" / "xorbs") if path.name not in xorbs)
        self.scratch = self._old((root.path / "scratch").iterdir())

    def _old(self, paths: Iterable[Path]) -> list[Path]:
        return [path for path in paths if not self._is_recent(path)]

    def _is_recent(self, path: Path) -> bool:
        return path.lstat().st_mtime > self._cutoff


def _look_through(folder: Path, cutoff: float) -> tuple[set[str], GitGarbage]:
    """The SHA-256 of every large file that the history of a repo's refs names, and the git objects that may go.

    Raises:
        UsageError: part of it cannot be read.
    """

    def damaged(what: str, why: str, _needed_by: str) -> None:
        raise UsageError(
            f"{folder} is damaged: {what}: {why}", "nothing was removed; see what `hubpub serve --fsck` says"
        )

    git = folder / "git"
    refs = read_refs(git, damaged)
    if MAIN not in refs:
        damaged(MAIN, "it is missing", "")
    live: set[str] = set()
    objects = DiskObjectStore(git / "objects")
    try:
        reached = reachable(objects, refs | read_bases(folder, refs, damaged), damaged, live)
        blobs = (found.item.data for found in reached if isinstance(found.item, Blob))
        named = {pointer.sha256 for data in blobs if (pointer := parse_pointer(data))}
        return named, GitGarbage.of(git, objects, live, cutoff, damaged)
    finally:
        objects.close()


def _file(store: XetStore, record: Path) -> XetFile:
    try:
        found = store.file(record.stem)
    except (OSError, ValueError, KeyError, TypeError):
        found = None
    if found is None:
        raise UsageError(f"{record} cannot be read", "nothing was removed; see what `hubpub serve --fsck` says")
    return found


def _text(path: Path) -> str:
    text = path.read_bytes().decode("ascii", "replace")
    # Not a name that would lead elsewhere.
    return text if is_hash(text) else "damaged"


def _files(folder: Path) -> list[Path]:
    """The files of a folder that spreads them over subfolders."""
    return list(_spread(folder))


def _spread(folder: Path) -> Iterator[Path]:
    for sub in sorted(folder.iterdir()) if folder.is_dir() else ():
        if sub.is_dir():
            yield from sorted(sub.iterdir())


def _remove(path: Path) -> int:
    """Remove a file or a folder, and return the bytes that it took."""
    if path.is_dir() and not path.is_symlink():
        size = sum(entry.lstat().st_size for entry in path.rglob("*") if entry.is_file())
        shutil.rmtree(path)
    else:
        size = path.lstat().st_size
        path.unlink()
    return size
