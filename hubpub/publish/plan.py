"""Plan: what a push would do to the repo, file by file, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.publish.card import CardChoice
from hubpub.publish.local import LocalFile
from hubpub.publish.release import LeftOut
from hubpub.publish.release_id import release_id
from hubpub.publish.remote import RemoteFile
from hubpub.publish.stale import Stale

PLAN_SCHEMA = "hubpub.plan/1"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push would do.

    Attributes:
        endpoint: the hub.
        repo_id: namespace/name.
        revision: the branch.
        base: commit that the branch is at; None when the repo does not exist or is empty.
        creates_repo: whether the repo is created.
        private: whether the repo is private, or will be when it is created.
        add: files the repo does not have.
        replace: files of which the repo has another content.
        unchanged: files the repo has already.
        kept: files that only the repo has; they stay.
        delete: files that only the repo has, left there by an older release; they go in the same commit.
        stale: such files that stay, because nobody said that they may go.
        older: files that stay and hold older weights in another format.
        left_out: files of the folder that are not published.
        card: where the README.md comes from.
        tag: the tag to set on the verified commit.
        title: the commit message.
        gated: "auto" or "manual" if readers are to ask for access; None leaves that as it is.
    """

    endpoint: str
    repo_id: str
    revision: str
    base: str | None
    creates_repo: bool
    private: bool
    add: tuple[LocalFile, ...]
    replace: tuple[LocalFile, ...]
    unchanged: tuple[LocalFile, ...]
    kept: tuple[str, ...]
    delete: tuple[Stale, ...]
    stale: tuple[Stale, ...]
    older: tuple[Stale, ...]
    left_out: tuple[LeftOut, ...]
    card: CardChoice
    tag: str | None
    title: str
    gated: str | None = None

    @property
    def changes(self) -> tuple[LocalFile, ...]:
        """The files that the commit holds."""
        return self.add + self.replace

    @property
    def files(self) -> tuple[LocalFile, ...]:
        """The files of the release."""
        return self.add + self.replace + self.unchanged

    @property
    def makes_commit(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.changes or self.delete)

    @property
    def bytes_to_send(self) -> int:
        """Bytes in added and replaced files; the transfer deduplicates on top of that."""
        return sum(file.size for file in self.changes)

    @property
    def release(self) -> str | None:
        """The release id, by which the commit is known again; None while not all files are hashed."""
        manifest = [(file.path, file.size, file.sha256) for file in self.files]
        return release_id(self.repo_id, self.revision, manifest) if all(sha256 for *_, sha256 in manifest) else None

    @property
    def url(self) -> str:
        """Where a person looks at the repo."""
        return f"{self.endpoint}/{self.repo_id}"

    def to_json(self) -> dict[str, Any]:
        """The plan in the schema `hubpub.plan/1`."""

        def listed(files: tuple[LocalFile, ...]) -> list[dict[str, Any]]:
            return [{"path": file.path, "size": file.size, "sha256": file.sha256 or None} for file in files]

        return {
            "schema": PLAN_SCHEMA,
            "endpoint": self.endpoint,
            "repo_id": self.repo_id,
            "url": self.url,
            "revision": self.revision,
            "base": self.base,
            "creates_repo": self.creates_repo,
            "private": self.private,
            "gated": self.gated,
            "add": listed(self.add),
            "replace": listed(self.replace),
            "unchanged": listed(self.unchanged),
            "kept": list(self.kept),
            "delete": [item.to_json() for item in self.delete],
            "stale": [item.to_json() for item in self.stale],
            "older": [item.to_json() for item in self.older],
            "left_out": [{"path": item.path, "size": item.size, "reason": item.reason} for item in self.left_out],
            "bytes_to_send": self.bytes_to_send,
            "card": self.card.to_json(),
            "tag": self.tag,
            "title": self.title,
            "release": self.release,
        }


def split_by_remote(
    files: tuple[LocalFile, ...], remote: Mapping[str, RemoteFile]
) -> tuple[tuple[LocalFile, ...], tuple[LocalFile, ...], tuple[LocalFile, ...], tuple[str, ...]]:
    """(added, replaced, unchanged, kept): the release against the tree that the repo has now."""
    add, replace, unchanged = [], [], []
    for file in files:
        there = remote.get(file.path)
        if there is None:
            add.append(file)
        elif file.equals(there):
            unchanged.append(file)
        else:
            replace.append(file)
    ours = {file.path for file in files}
    kept = sorted(path for path in remote if path not in ours)
    return tuple(add), tuple(replace), tuple(unchanged), tuple(kept)
