"""The publish set: which files of a folder go into a release, and what is left out and why."""

from __future__ import annotations

from dataclasses import dataclass

from hubpub.card.source import CARD
from hubpub.model.folder import ModelFolder
from hubpub.model.leftovers import leftover
from hubpub.model.walk import FileEntry


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is not published, and why: a file with its size in bytes, or a "dir/" that was not looked into."""

    path: str
    size: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class PublishSet:
    """The files that go up as they are (the card apart), and what stays."""

    files: tuple[FileEntry, ...]
    left_out: tuple[LeftOut, ...]


def publish_set(folder: ModelFolder) -> PublishSet:
    """What of the folder is published: the files that were checked as its release, and nothing else."""
    left_out = [LeftOut(path, None, "excluded as asked") for path in folder.excluded]
    left_out += [
        LeftOut(entry.path, entry.size, found.reason)
        for entry in folder.files
        if (found := folder.leftover(entry.path)) is not None
    ]
    left_out += [LeftOut(path, None, found.reason) for path in folder.pruned if (found := leftover(path)) is not None]
    return PublishSet(
        files=tuple(entry for entry in folder.release_files if entry.path != CARD),
        left_out=tuple(sorted(left_out, key=lambda item: item.path)),
    )
