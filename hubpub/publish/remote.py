"""What a hub tells: the files of a tree, the commits of a branch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hubpub.publish.identity import Identity as Identity  # by this name for those who know the client alone

# A merged pull request keeps the titles of its commits, as a list, and nothing else of them.
_LISTED_TRAILER = re.compile(r"^- (Hubpub-[A-Za-z]+: .*) \([0-9a-f]{7,64}\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repo's tree. `sha256` is set for LFS and xet files, `blob` (git's SHA-1) for all."""

    path: str
    size: int
    blob: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a branch."""

    oid: str
    title: str
    message: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class UploadMode:
    """How a file goes to the hub, from `POST preupload`.

    Attributes:
        large: through LFS or xet; the others are in the commit itself.
        ignored: a .gitignore has the hub drop it without a word.
    """

    large: bool
    ignored: bool


def file_of(item: dict[str, Any]) -> RemoteFile:
    """A file of `GET tree`."""
    lfs = item.get("lfs")
    return RemoteFile(item["path"], item["size"], item["oid"], lfs["oid"] if lfs else None)


def commit_of(item: dict[str, Any]) -> Commit:
    """A commit of `GET commits`."""
    authors = [author.get("user") or "" for author in item.get("authors") or []]
    message = _LISTED_TRAILER.sub(r"\1", item.get("message") or "")
    return Commit(item["id"], item.get("title") or "", message, ", ".join(filter(None, authors)))
