"""The publish set: which files of a folder go into a release, and what is left out and why."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from hubpub.card.source import CARD
from hubpub.model.folder import ModelFolder
from hubpub.model.leftovers import leftover
from hubpub.model.walk import FileEntry



@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that is not published, and why."""

    path: str
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class PublishSet:
    """The files that go up as they are (the card apart), and those that stay."""

    files: tuple[FileEntry, ...]
    left_out: tuple[LeftOut, ...]


def publish_set(folder: ModelFolder, *, include: Sequence[str] = ()) -> PublishSet:
    """Sort the folder's files into what is published and what is not.

    What the folder was opened without stays; training state, caches and editor junk stay unless a glob of
    `include` names them. Globs are those of `hf upload --include`: matched on the whole path, `*` crosses slashes.
    """
    published: list[FileEntry] = []
    left_out: list[LeftOut] = []
    for entry in folder.files:
        if entry.path == CARD:
            continue
        reason = _reason(entry.path, include)
        if reason is None:
            published.append(entry)
        else:
            left_out.append(LeftOut(entry.path, entry.size, reason))
    return PublishSet(tuple(published), tuple(left_out))


def _reason(path: str, include: Sequence[str]) -> str | None:
    if path.startswith(".git/") or "/.git/" in path:
        return "git's own data; the hub keeps its own"
    found = leftover(path)
    if found is None or any(_matches(path, glob) for glob in include):
        return None
    return found.reason


def _matches(path: str, glob: str) -> bool:
    return fnmatch.fnmatchcase(path, glob + "*" if glob.endswith("/") else glob)
