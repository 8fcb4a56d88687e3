"""What the refs of a repo lead to: every object of every commit in their history, each checked against its name.

Only refs count (branches, tags, pull requests), and the commits that pull requests started from; what a deleted branch
or a squashed history leaves behind is nobody's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tag, Tree, object_class

from hubpub.hub.naming import RepoId, RepoKind, repo_id
from hubpub.hub.store.data_root import DataRoot

_HEX = frozenset(b"0123456789abcdef")
_OID = 40


@dataclass(frozen=True, slots=True)
class Reached:
    """An object, and where it was first met: `path` (empty for a commit or its root tree) in the history of `ref`."""

    oid: str
    item: ShaFile
    path: str
    ref: str


Damaged = Callable[[str, str, str], None]
"""Told of what cannot be read: which file or object, what is wrong with it, and what needs it."""


def repo_folders(root: DataRoot) -> Iterator[tuple[RepoId | None, Path]]:
    """Every folder that holds a repo, with the repo's id; None if no repo can have that name."""
    for kind in RepoKind:
        for folder in sorted((root.path / "repos" / kind.plural).glob("*/*")):
            yield repo_id(kind, folder.parent.name, folder.name), folder


def read_refs(git_folder: Path, damaged: Damaged) -> dict[str, str]:
    """Every ref below `refs/`, by its full name, with the object that it names; damaged ones are told of and left out.

    Read from the files themselves, because dulwich takes a damaged ref for one that is not there.
    """
    found: dict[str, str] = {}
    packed = git_folder / "packed-refs"
    if packed.exists():
        for line in packed.read_bytes().splitlines():
            # Comments, and what the tag of the line before peels to.
            if line.startswith((b"#", b"^")):
                continue
            oid, _, ref = line.partition(b" ")
            if _is_oid(oid) and ref.startswith(b"refs/"):
                found[ref.decode("utf-8", "replace")] = oid.decode()
            else:
                damaged("packed-refs", "a line of it is no ref", "")
    for path in sorted((git_folder / "refs").rglob("*")):
        # No ref can end in .lock: it is what a git that was killed leaves.
        if path.is_dir() or path.suffix == ".lock":
            continue
        name = path.relative_to(git_folder).as_posix()
        try:
            value = path.read_bytes().rstrip(b"\n")
        except FileNotFoundError:
            # Deleted meanwhile.
            continue
        if _is_oid(value):
            found[name] = value.decode()
        else:
            damaged(name, "it does not hold an object id", "")
    return found


def _is_oid(text: bytes) -> bool:
    return len(text) == _OID and _HEX.issuperset(text)


def read_bases(folder: Path, refs: Mapping[str, str], damaged: Damaged) -> dict[str, str]:
    """The commits that pull requests started from: after a squash no ref need lead to them, but their diffs do.

    Of each discussion that cannot be read, a pull request or not, is told.
    """
    found: dict[str, str] = {}
    for path in sorted((folder / "discussions").glob("*.json")):
        try:
            request = json.loads(path.read_bytes())["pull_request"]
            base = request["base"].encode("ascii") if request else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            damaged(f"discussions/{path.name}", "it cannot be read", "")
            continue
        # Without its ref, a pull request was cut off while it was opened.
        if base is not None and f"refs/pr/{path.stem}" in refs:
            found[f"refs/pr/{path.stem} (base)"] = base.decode()
    return found


def reachable(
    objects: DiskObjectStore, refs: Mapping[str, str], damaged: Damaged, seen: set[str] | None = None
) -> Iterator[Reached]:
    """Every object that the refs lead to, once; what cannot be read or is not what it is called is told of.

    Objects in `seen` are passed over, and those that are met are added to it.
    """
    seen = set() if seen is None else seen
    for ref, tip in sorted(refs.items()):
        waiting: list[tuple[str, str, type[ShaFile] | None]] = [(tip, "", None)]
        while waiting:
            oid, path, kind = waiting.pop()
            if oid in seen:
                continue
            seen.add(oid)
            item = _checked(objects, oid)
            if kind is not None and isinstance(item, ShaFile) and not isinstance(item, kind):
                item = f"it is not a {kind.__name__.lower()}"
            if isinstance(item, str):
                damaged(oid, item, f"{path} at {ref}" if path else ref)
                continue
            yield Reached(oid, item, path, ref)
            waiting += _next(item, path)


def _next(item: ShaFile, path: str) -> Iterator[tuple[str, str, type[ShaFile] | None]]:
    if isinstance(item, Tag):
        yield item.object[1].decode(), path, None
    elif isinstance(item, Commit):
        for parent in item.parents:
            yield parent.decode(), "", Commit
        yield item.tree.decode(), "", Tree
    elif isinstance(item, Tree):
        for entry in item.iteritems():
            name = entry.path.decode("utf-8", "replace")
            yield entry.sha.decode(), f"{path}/{name}" if path else name, Tree if entry.mode == 0o040000 else Blob


def _checked(objects: DiskObjectStore, oid: str) -> ShaFile | str:
    """The object of that name, or what is wrong with it."""
    try:
        number, data = objects.get_raw(ObjectID(oid.encode()))
        kind = object_class(number)
        if kind is None:
            return f"it is of the unknown type {number}"
        header = b"%s %d\0" % (kind.type_name, len(data))
        if hashlib.sha1(header + data, usedforsecurity=False).hexdigest() != oid:
            return "its content has another hash"
        return ShaFile.from_raw_string(number, data)
    except KeyError:
        return "it is missing"
    except Exception as error:
        # Whatever damaged bytes make dulwich, zlib or struct raise.
        return f"it cannot be read: {type(error).__name__}"
