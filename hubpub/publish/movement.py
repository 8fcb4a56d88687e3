"""What happened to a branch since it was looked at: the commits, who made them, and which paths they changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from hubpub.core.errors import ConflictError, HubpubError
from hubpub.publish.client import HubClient
from hubpub.publish.release_id import carries
from hubpub.publish.remote import Commit, RemoteFile

_MOST_COMMITS = 1000
_TOLD_COMMITS = 3
_TOLD_PATHS = 5
# They decide how other files are kept, or whether at all.
_OF_ALL = frozenset({".gitattributes", ".gitignore"})


@dataclass(frozen=True, slots=True)
class Made:
    """A commit that was made, and the one that it is on top of."""

    oid: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class Movement:
    """A branch now, against a commit that it was at.

    Attributes:
        client: the hub.
        repo_id: namespace/name.
        revision: the branch.
        base: where it was.
        head: where it is.
        commits: those since, the newest first; all there are if `rewritten`.
        rewritten: whether `base` is not in its history any more.
    """

    client: HubClient = field(repr=False)
    repo_id: str
    revision: str
    base: str | None
    head: str | None
    commits: tuple[Commit, ...]
    rewritten: bool

    def made_by(self, release: str) -> Made | None:
        """The commit among these that carries the release id."""
        parents = [*(commit.oid for commit in self.commits[1:]), None if self.rewritten else self.base]
        found = zip(self.commits, parents, strict=False)
        return next((Made(one.oid, up) for one, up in found if carries(one.message, one.title, release)), None)

    def touches(self, paths: Collection[str]) -> bool:
        """Whether any of these paths was changed, or what decides about them, or nobody can tell."""
        if self.rewritten or self.head is None:
            return True
        changed = changed_paths(*(self.client.tree(self.repo_id, oid) if oid else {} for oid in (self.base, self.head)))
        names = {path for path in changed if PurePosixPath(path).name in _OF_ALL}
        folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
        inside = any(str(parent) in paths for path in changed for parent in PurePosixPath(path).parents)
        return bool(names or inside or changed & (set(paths) | folders))

    def told(self) -> str:
        """Who committed what meanwhile, as a sentence."""
        if self.rewritten:
            return f"the history of {self.revision} of {self.repo_id} was rewritten meanwhile"
        told = [self._told(number) for number in range(min(len(self.commits), _TOLD_COMMITS))]
        more = len(self.commits) - len(told)
        return f"{self.revision} of {self.repo_id} moved meanwhile: " + "; ".join(
            told + ([f"and {more} more commits"] if more else [])
        )

    def _told(self, number: int) -> str:
        commit = self.commits[number]
        before = self.commits[number + 1].oid if number + 1 < len(self.commits) else self.base
        try:
            trees = [self.client.tree(self.repo_id, oid) if oid else {} for oid in (before, commit.oid)]
            paths = sorted(changed_paths(*trees))
        except HubpubError:
            paths = []
        shown = ", ".join(paths[:_TOLD_PATHS]) + (
            f" and {len(paths) - _TOLD_PATHS} more" if paths[_TOLD_PATHS:] else ""
        )
        return f"{commit.author or 'somebody'} committed {commit.oid[:12]} ({commit.title})" + (
            f", which changes {shown}" if shown else ""
        )

    def conflict(self) -> ConflictError:
        """The error for a release that would silently overwrite what others did."""
        return ConflictError(
            f"{self.told()}; nothing of this release is on the branch",
            "look at what changed, then run the same command again: it compares with what is on the hub now",
        )


def movement(client: HubClient, repo_id: str, revision: str, base: str | None, otherwise: HubpubError) -> Movement:
    """What happened to a branch since it was at `base`.

    Raises:
        HubpubError: `otherwise`, if the repo is not there any more, or the hub cannot be read.
    """
    try:
        found = client.head(repo_id, revision)
        if found is None:
            raise otherwise
        head = found[0]
        if head is None or head == base:
            return Movement(client, repo_id, revision, base, head, (), rewritten=False)
        commits: list[Commit] = []
        for commit in client.history(repo_id, head):
            if commit.oid == base:
                return Movement(client, repo_id, revision, base, head, tuple(commits), rewritten=False)
            commits.append(commit)
            if len(commits) == _MOST_COMMITS:
                break
        return Movement(client, repo_id, revision, base, head, tuple(commits), rewritten=base is not None)
    except HubpubError:
        raise otherwise from None


def changed_paths(before: Mapping[str, RemoteFile], after: Mapping[str, RemoteFile]) -> set[str]:
    """The paths that two trees of a hub do not have in common, with the same content."""
    return {path for path in before.keys() | after.keys() if _blob(before, path) != _blob(after, path)}


def _blob(tree: Mapping[str, RemoteFile], path: str) -> str | None:
    return tree[path].blob if path in tree else None
