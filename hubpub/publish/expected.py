"""Expected: what a saved plan promises of the folder and of the hub, and the refusal when either has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from hubpub.card.source import CARD
from hubpub.core.errors import ConflictError, HubpubError
from hubpub.model.folder import ModelFolder
from hubpub.publish.client import HubClient
from hubpub.publish.plan import Plan
from hubpub.publish.release import publish_set
from hubpub.publish.release_id import release_id
from hubpub.publish.remote import RemoteFile
from hubpub.publish.visibility import is_as_new

Told = TypeVar("Told")

_SHOWN = 5
_NEXT_STEP = "look at what changed, and save a new plan with `hubpub plan PATH --out FILE`"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a saved plan promises.

    Attributes:
        repo_id: namespace/name.
        base: commit that the branch was at; None when there was no repo, or an empty one.
        files: size and SHA-256 of each file of the release, by path, the card among them.
        delete: the files that the commit deletes.
    """

    repo_id: str
    base: str | None
    files: Mapping[str, tuple[int, str]]
    delete: frozenset[str]

    def release(self, revision: str) -> str:
        """The release id, if it is published to that branch."""
        manifest = ((path, size, sha256) for path, (size, sha256) in self.files.items())
        return release_id(self.repo_id, revision, manifest)

    def check_folder(self, folder: ModelFolder) -> None:
        """Return if the folder holds the files of the plan; sizes are compared before a byte is hashed.

        Raises:
            ConflictError: naming what changed.
        """
        # A card that is rendered or taken from the hub is not in the folder: that one is compared with the plan.
        now = {entry.path: entry.size for entry in publish_set(folder).files}
        then = {path: size for path, (size, _) in self.files.items() if path != CARD}
        changes = _differences(then, now, lambda size: f"{size:,} bytes")
        if not changes:
            read = {path: folder.readings[path].sha256 for path in now}
            changes = [f"{path} has another content" for path in now if read[path] != self.files[path][1]]
        self._refuse("the folder", changes)

    def check_remote(self, client: HubClient, head: str | None, files: Mapping[str, RemoteFile]) -> None:
        """Return if the branch is where it was, or is as good as new: an earlier run may have got as far as that.

        Raises:
            ConflictError: naming what changed.
        """
        if head == self.base or (self.base is None and is_as_new(files)):
            return
        changes = [f"the branch is at {_short(head)} and was at {_short(self.base)}"]
        try:
            before = client.tree(self.repo_id, self.base) if self.base and head else {}
        except HubpubError:
            before = {}  # the history was rewritten: that the branch moved is all that can be told
        if before:
            changes += _differences(
                {path: file.blob for path, file in before.items()},
                {path: file.blob for path, file in files.items()},
                lambda _: "another content",
            )
        self._refuse(self.repo_id, changes)

    def check_plan(self, plan: Plan, *, finished: bool = False) -> None:
        """Return if the commit would be the one that was planned, or, if it is made already, is that one.

        Raises:
            ConflictError: naming what changed.
        """
        now = {file.path: (file.size, file.sha256) for file in plan.files}
        changes = _differences(self.files, now, lambda _: "another content")
        delete = self.delete - set(plan.kept) if finished else {item.path for item in plan.delete}
        changes += [f"{file.path} has another content on the hub" for file in plan.changes if finished]
        changes += [f"{path} was to be deleted" for path in sorted(self.delete - delete)]
        changes += [f"{path} was not to be deleted" for path in sorted(delete - self.delete)]
        self._refuse("the release", changes)

    def _refuse(self, what: str, changes: list[str]) -> None:
        if not changes:
            return
        more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
        raise ConflictError(
            f"{what} changed since the plan was saved, and nothing was published: {'; '.join(changes[:_SHOWN])}{more}",
            _NEXT_STEP,
        )


def _differences(then: Mapping[str, Told], now: Mapping[str, Told], tell: Callable[[Told], str]) -> list[str]:
    """What of two listings differs, one short sentence each, in the order of the paths."""
    found = []
    for path in sorted(then.keys() | now.keys()):
        if path not in now:
            found.append(f"{path} is gone")
        elif path not in then:
            found.append(f"{path} is new")
        elif then[path] != now[path]:
            found.append(f"{path} has {tell(now[path])}")
    return found


def _short(oid: str | None) -> str:
    return oid[:12] if oid else "no commit"
