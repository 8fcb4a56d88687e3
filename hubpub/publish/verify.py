"""Verify: every path, size and hash that the hub serves at a commit, against what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hubpub.publish.local import LocalFile
from hubpub.publish.remote import RemoteFile


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A file that the hub does not serve as it was sent."""

    path: str
    what: str


def compare(
    files: Iterable[LocalFile], kept: Iterable[str], deleted: Iterable[str], remote: Mapping[str, RemoteFile]
) -> list[Mismatch]:
    """What differs between the release and a tree of the hub; empty when every file is there as it was sent."""
    found = []
    for file in files:
        there = remote.get(file.path)
        if there is None:
            found.append(Mismatch(file.path, "not there"))
        elif there.size != file.size:
            found.append(Mismatch(file.path, f"{there.size:,} bytes instead of {file.size:,}"))
        elif not file.equals(there):
            found.append(Mismatch(file.path, "another hash"))
    found += [Mismatch(path, "gone from the repo") for path in kept if path not in remote]
    found += [Mismatch(path, "still there, and was to be deleted") for path in deleted if path in remote]
    return found
