"""Exactly once: a commit that is made one time, whatever becomes of the answers.

The hub takes a commit only on top of the parent that it names, so sending it again can never make a second one. What an
attempt has led to is read back from the branch: each commit carries a release id in its message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hubpub.core.errors import ConflictError, HubError
from hubpub.publish.body import ChangedOnDiskError, Operation
from hubpub.publish.client import HubClient
from hubpub.publish.movement import Made, movement
from hubpub.publish.refusals import NoAnswerError
from hubpub.publish.release_id import with_release_id

_MOST_REBASES = 10


@dataclass(frozen=True, slots=True)
class Change:
    """A commit to be made.

    Attributes:
        repo_id: namespace/name.
        revision: the branch.
        parent: commit that it is made on; None for a branch without commits.
        operations: what it does.
        title: the first line of its message.
        description: the rest, without the release id.
        release: the release id.
        paths: that nobody else may have changed meanwhile: all that the release consists of, and what it deletes.
        rebases: whether it may be made on top of commits that change other paths.
    """

    repo_id: str
    revision: str
    parent: str | None
    operations: Sequence[Operation]
    title: str
    description: str
    release: str
    paths: frozenset[str]
    rebases: bool = True


def commit_once(client: HubClient, change: Change, notify: Callable[[str], None]) -> Made:
    """Make the commit, one time.

    Raises:
        ConflictError: somebody else changed the same paths; it says who and what.
        HubError: the hub did not make it, again and again; it may not even say.
        HubpubError: the hub refuses.
    """
    failures = rebases = 0
    description = with_release_id(change.description, change.release)
    while True:
        try:
            oid = client.commit(
                change.repo_id,
                change.revision,
                change.operations,
                parent=change.parent,
                title=change.title,
                description=description,
            )
        except ChangedOnDiskError:
            raise
        except (ConflictError, HubError) as error:
            failed = error
        else:
            return Made(oid, change.parent)
        moved = movement(client, change.repo_id, change.revision, change.parent, failed)
        made = moved.made_by(change.release)
        if made is not None:
            notify(f"the commit was made, and its answer was lost: {made.oid[:12]}")
            return made
        if moved.commits:
            if rebases == _MOST_REBASES or not change.rebases or moved.touches(change.paths):
                raise moved.conflict()
            rebases += 1
            notify(f"{moved.told()}: other files, so the release goes on top of it")
            change = replace(change, parent=moved.head)
            continue
        failures += 1
        if not isinstance(failed, ConflictError | NoAnswerError):
            raise failed
        if failures == client.http.patience.attempts:
            raise failed
        wait = failed if isinstance(failed, NoAnswerError) else NoAnswerError(failed.message, failed.next_step)
        client.http.pause(failures + 1, wait)
