"""What the API says of files, folders and commits."""

from __future__ import annotations

from html import escape
from typing import Any

from dulwich.objects import Commit

from hubpub.hub.store.git import GitRepo, TreeEntry
from hubpub.hub.store.large_files import LargeFiles
from hubpub.hub.store.pointer import LargeFile
from hubpub.hub.store.repos import RepoRecord, iso_time


class Lister:
    """Describes the entries of one repo."""

    def __init__(self, git: GitRepo, record: RepoRecord, large_files: LargeFiles) -> None:
        self._git = git
        self._record = record
        self._large_files = large_files

    def large(self, oid: str) -> LargeFile | None:
        """What a blob points to, if that was uploaded to this repo; a text that merely looks so is a text."""
        pointer = self._git.blob_facts(oid).pointer
        if pointer is None or not self._large_files.is_in(self._record.id, pointer.sha256):
            return None
        return pointer

    def entry(self, entry: TreeEntry, last: str | None = None) -> dict[str, Any]:
        """An entry of a tree listing; with the commit `last` that changed it, in the expanded form."""
        if entry.is_folder:
            found: dict[str, Any] = {"type": "directory", "oid": entry.oid, "size": 0, "path": entry.path}
        else:
            found = {
                "type": "file",
                "oid": entry.oid,
                "size": self._git.blob_facts(entry.oid).size,
                "path": entry.path,
            }
            if large := self.large(entry.oid):
                found["size"] = large.size
                found["lfs"] = {"oid": large.sha256, "size": large.size, "pointerSize": large.pointer_size}
                if file_hash := self._large_files.xet.file_hash(large.sha256):
                    found["xetHash"] = file_hash
        if last is not None:
            commit = self._git.commit(last)
            found["lastCommit"] = {"id": last, "title": title(commit), "date": iso_time(commit.commit_time)}
        return found

    def size(self, oid: str) -> int:
        """Size in bytes of a file, by the id of its blob."""
        large = self.large(oid)
        return large.size if large else self._git.blob_facts(oid).size

    def sibling(self, entry: TreeEntry, *, blobs: bool) -> dict[str, Any]:
        """A file in the info of a repo. Here the hash of a large file is called `sha256`."""
        found: dict[str, Any] = {"rfilename": entry.path}
        if blobs:
            found |= {"blobId": entry.oid, "size": self._git.blob_facts(entry.oid).size}
            if large := self.large(entry.oid):
                found["size"] = large.size
                found["lfs"] = {"sha256": large.sha256, "size": large.size, "pointerSize": large.pointer_size}
        return found


def title(commit: Commit) -> str:
    """The first line of a commit's message."""
    message: bytes = commit.message
    return message.decode("utf-8", "replace").partition("\n")[0]


def author_of(commit: Commit) -> str:
    """The user who made a commit."""
    author: bytes = commit.author
    return author.decode("utf-8", "replace").partition(" <")[0]


def commit_item(oid: str, commit: Commit, *, formatted: bool = False) -> dict[str, Any]:
    """A commit in a listing of commits; with its message as HTML if `formatted`."""
    _, _, body = commit.message.decode("utf-8", "replace").partition("\n")
    as_html = {"formatted": {"title": escape(title(commit)), "message": escape(body.strip())}} if formatted else {}
    return {
        "id": oid,
        "title": title(commit),
        "message": body.strip(),
        **as_html,
        "authors": [{"user": author_of(commit), "avatar": ""}],
        "date": iso_time(commit.commit_time),
        "parents": [parent.decode() for parent in commit.parents],
    }
