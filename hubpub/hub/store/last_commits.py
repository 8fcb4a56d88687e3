"""Which commit last changed each path: worked out once per commit, from what its parent's answer was."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from hubpub.hub.store.git import GitRepo
from hubpub.hub.store.tree_diff import changes

_REMEMBERED_PATHS = 400_000


class LastCommits:
    """Remembers the answers for the commits that were asked for last. A commit's id stands for its whole history."""

    def __init__(self) -> None:
        self._known: dict[str, Mapping[str, str]] = {}
        self._lock = threading.Lock()

    def at(self, git: GitRepo, head: str) -> Mapping[str, str]:
        """For each file and folder at the commit `head`, by path, the id of the commit that last changed it."""
        with self._lock:
            if head in self._known:
                return self._known[head]
            known = dict(self._known)
        new: list[str] = []
        found: dict[str, str] = {}
        for oid, _ in git.history(head):
            if oid in known:
                found = dict(known[oid])
                break
            new.append(oid)
        for oid in reversed(new):
            _apply(git, oid, found)
        self._remember(head, found)
        return found

    def _remember(self, head: str, found: Mapping[str, str]) -> None:
        with self._lock:
            self._known[head] = found
            while len(self._known) > 1 and sum(map(len, self._known.values())) > _REMEMBERED_PATHS:
                del self._known[next(iter(self._known))]


def _apply(git: GitRepo, oid: str, last: dict[str, str]) -> None:
    """Change the answer for a commit's parent into the one for the commit. Folders that went may stay in it."""
    commit = git.commit(oid)
    parent = git.root_tree(commit.parents[0].decode()) if commit.parents else None
    for change in changes(git, parent, commit.tree.decode()):
        if change.new is None:
            last.pop(change.path, None)
        else:
            last[change.path] = oid
        folder = change.path.rpartition("/")[0]
        while folder and last.get(folder) != oid:
            last[folder] = oid
            folder = folder.rpartition("/")[0]
