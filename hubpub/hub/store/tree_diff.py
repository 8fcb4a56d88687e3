"""What changed between two trees, file by file, and the unified diff of it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dulwich.objects import Blob, ObjectID, parse_tree
from dulwich.patch import gen_diff_header, is_binary, write_blob_diff

from hubpub.hub.store.git import GitRepo, TreeEntry

_LARGEST_TEXT = 128 << 10
_MOST_LINES = 4000
_OID_BYTES = 20


@dataclass(frozen=True, slots=True)
class Change:
    """A path that differs: what was there and what is there now. A folder that a file replaces is several changes.

    Attributes:
        path: of the file.
        old: None if there was no file.
        new: None if there is no file any more.
    """

    path: str
    old: TreeEntry | None
    new: TreeEntry | None


def changes(git: GitRepo, old: str | None, new: str | None, path: str = "") -> Iterator[Change]:
    """The files that differ between two trees (None: an empty one). Equal folders are not read."""
    was_items, now_items = _items(git, old), _items(git, new)
    before, after = _by_path(was_items - now_items, path), _by_path(now_items - was_items, path)
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if (was and not was.is_folder) or (now and not now.is_folder):
            yield Change(name, _file(was), _file(now))
        if (was and was.is_folder) or (now and now.is_folder):
            yield from changes(git, _folder(was), _folder(now), name)


def diff_text(git: GitRepo, old: str | None, new: str | None, most: int) -> str | None:
    """The changes in git's unified format; None when that is more than `most` bytes.

    Files that are binary, or too long to be compared line by line in bounded time, are only said to differ. Large
    files are compared as git has them, by their pointers.
    """
    out = io.BytesIO()
    for change in changes(git, old, new):
        _write(out, git, change)
        if out.tell() > most:
            return None
    return out.getvalue().decode("utf-8", "replace")


def _write(out: io.BytesIO, git: GitRepo, change: Change) -> None:
    name = change.path.encode("utf-8", "surrogateescape")
    was, now = change.old, change.new
    comparable = all(git.blob_facts(entry.oid).size <= _LARGEST_TEXT for entry in (was, now) if entry)
    blobs = [Blob.from_string(git.blob(entry.oid)) if entry and comparable else None for entry in (was, now)]
    if comparable and not any(blob and _is_long_or_binary(blob.data) for blob in blobs):
        write_blob_diff(
            out,
            (name if was else None, was.mode if was else None, blobs[0]),
            (name if now else None, now.mode if now else None, blobs[1]),
        )
        return
    out.writelines(
        gen_diff_header(
            (name if was else None, name if now else None),
            (was.mode if was else None, now.mode if now else None),
            (_oid(was), _oid(now)),
        )
    )
    sides = [prefix + name if entry else b"/dev/null" for prefix, entry in ((b"a/", was), (b"b/", now))]
    out.write(b"Binary files %s and %s differ\n" % (sides[0], sides[1]))


def _is_long_or_binary(data: bytes) -> bool:
    # Comparing lines takes time quadratic in their number, at worst.
    return is_binary(data) or data.count(b"\n") > _MOST_LINES


def _oid(entry: TreeEntry | None) -> ObjectID | None:
    return ObjectID(entry.oid.encode()) if entry else None


def _items(git: GitRepo, tree: str | None) -> set[tuple[bytes, int, bytes]]:
    """Name, mode and id of all that a tree holds; not in order, since they are only compared."""
    return set(parse_tree(git.objects.get_raw(ObjectID(tree.encode()))[1], _OID_BYTES)) if tree else set()


def _by_path(items: Iterable[tuple[bytes, int, bytes]], folder: str) -> dict[str, TreeEntry]:
    found = {}
    for name, mode, oid in items:
        text = name.decode("utf-8", "replace")
        path = f"{folder}/{text}" if folder else text
        found[path] = TreeEntry(path, mode, oid.decode())
    return found


def _file(entry: TreeEntry | None) -> TreeEntry | None:
    return None if entry is None or entry.is_folder else entry


def _folder(entry: TreeEntry | None) -> str | None:
    return entry.oid if entry is not None and entry.is_folder else None
