"""What the API says of files, folders and commits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dulwich.objects import Commit

from hubpub.hub.git import GitRepo, TreeEntry
from hubpub.hub.large_files import LargeFiles
from hubpub.hub.pointer import LargeFile
from hubpub.hub.repos import RepoRecord, iso_time

_DEEPEST_SEARCH = 10_000


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

    def entry(self, entry: TreeEntry, last: tuple[str, Commit] | None = None) -> dict[str, Any]:
        """An entry of a tree listing; with the commit that last changed it, in the expanded form."""
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
            oid, commit = last
            found["lastCommit"] = {"id": oid, "title": title(commit), "date": iso_time(commit.commit_time)}
        return found

    def sibling(self, entry: TreeEntry, *, blobs: bool) -> dict[str, Any]:
        """A file in the info of a repo. Here the hash of a large file is called `sha256`."""
        found: dict[str, Any] = {"rfilename": entry.path}
        if blobs:
            found |= {"blobId": entry.oid, "size": self._git.blob_facts(entry.oid).size}
            if large := self.large(entry.oid):
                found["size"] = large.size
                found["lfs"] = {"sha256": large.sha256, "size": large.size, "pointerSize": large.pointer_size}
        return found

    def last_commits(self, head: str, entries: Iterable[TreeEntry]) -> dict[str, tuple[str, Commit]]:
        """For each entry of `head`, by path, the commit that last changed it, going back through first parents."""
        pending = {entry.path: entry.oid for entry in entries}
        found: dict[str, tuple[str, Commit]] = {}
        newer: tuple[str, Commit] | None = None
        for depth, (oid, commit) in enumerate(self._git.history(head)):
            if newer is not None:
                for path in [path for path, blob in pending.items() if self._at(commit, path) != blob]:
                    found[path] = newer
                    del pending[path]
            if not pending or depth > _DEEPEST_SEARCH:
                break
            newer = (oid, commit)
        if newer is not None:
            found.update(dict.fromkeys(pending, newer))
        return found

    def _at(self, commit: Commit, path: str) -> str | None:
        entry = self._git.entry(commit.tree.decode(), path)
        return None if entry is None else entry.oid


def title(commit: Commit) -> str:
    """The first line of a commit's message."""
    message: bytes = commit.message
    return message.decode("utf-8", "replace").partition("\n")[0]


def commit_item(oid: str, commit: Commit) -> dict[str, Any]:
    """A commit in a listing of commits."""
    author = commit.author.decode("utf-8", "replace").partition(" <")[0]
    _, _, body = commit.message.decode("utf-8", "replace").partition("\n")
    return {
        "id": oid,
        "title": title(commit),
        "message": body.strip(),
        "authors": [{"user": author, "avatar": ""}],
        "date": iso_time(commit.commit_time),
        "parents": [parent.decode() for parent in commit.parents],
    }
