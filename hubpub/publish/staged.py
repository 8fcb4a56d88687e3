"""Releases beyond what one commit may hold: several commits in a pull request, verified there, merged as one.

Readers of main see the old release until the merge, and the new one after it. What a pull request of an earlier run
holds already is not committed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hubpub.core.errors import ConflictError, HubError, UsageError, VerificationError
from hubpub.core.wording import counted
from hubpub.publish.body import Add, Delete, Operation
from hubpub.publish.client import HubClient
from hubpub.publish.movement import Made, movement
from hubpub.publish.once import Change, commit_once
from hubpub.publish.pull_requests import PullRequest, PullRequests
from hubpub.publish.refusals import NoAnswerError
from hubpub.publish.release_id import marked
from hubpub.publish.remote import RemoteFile

_MARK = "[hubpub "
_MAIN = "main"


@dataclass(frozen=True, slots=True)
class CommitLimits:
    """What one commit may hold, from the docstring of `HfApi.create_commit`.

    Attributes:
        large_files: files that go through LFS or xet.
        small_bytes: of the files that are in the commit itself.
        operations: of any kind; a hub checks each within the time of one request.
        part: operations of each commit of a release that is published in parts.
    """

    large_files: int = 25_000
    small_bytes: int = 1_000_000_000
    operations: int = 50_000
    part: int = 5_000

    def allow(self, operations: Sequence[Operation]) -> bool:
        """Whether these may be one commit."""
        adds = [item for item in operations if isinstance(item, Add)]
        return (
            len(operations) <= self.operations
            and sum(item.large for item in adds) <= self.large_files
            and sum(item.file.size for item in adds if not item.large) <= self.small_bytes
        )

    def parts(self, operations: Sequence[Operation]) -> Iterator[list[Operation]]:
        """The operations in commits that are allowed."""
        part: list[Operation] = []
        small = large = 0
        for item in operations:
            is_large = isinstance(item, Add) and item.large
            size = item.file.size if isinstance(item, Add) and not item.large else 0
            full = len(part) == min(self.part, self.operations) or large + is_large > self.large_files
            if part and (full or small + size > self.small_bytes):
                yield part
                part, small, large = [], 0, 0
            part.append(item)
            small += size
            large += is_large
        if part:
            yield part


def commit_in_parts(
    client: HubClient, change: Change, notify: Callable[[str], None], limits: CommitLimits, author: str
) -> Made:
    """Make the change as one commit on main, by way of a pull request.

    Args:
        client: the hub.
        change: what is to be made; its operations may be more than one commit holds.
        notify: is told of each step.
        limits: of one commit.
        author: whose token it is; only the pull requests of this user are looked at.

    Raises:
        ConflictError: somebody else changed the same paths.
        VerificationError: the pull request does not hold what was sent.
        HubError: the hub or the network failed; the pull request stays, for the next run.
    """
    if change.revision != _MAIN:
        raise UsageError(
            f"the release has more files than one commit may hold, and a hub merges only into {_MAIN}",
            f"publish to {_MAIN}, or leave files out with --exclude",
        )
    requests = PullRequests(client.http, change.repo_id)
    request = _request(requests, change, author, notify)
    try:
        _fill(client, change, request, limits, notify)
        found = _unlike(change.operations, client.tree(change.repo_id, request.ref))
        if found:
            raise VerificationError(
                f"pull request {request.number} of {change.repo_id} does not hold what was sent ({found[0]})",
                "run the same command again; if it stays so, the hub or its storage is at fault",
            )
        return _merge(client, requests, change, request, notify)
    except (ConflictError, VerificationError) as error:
        requests.set_status(request.number, "closed", f"Not published: {error.message}")
        raise


def close_leftovers(client: HubClient, repo_id: str, author: str, release: str | None = None) -> None:
    """Close the pull requests that killed pushes of this user left behind, but for that of `release`."""
    requests = PullRequests(client.http, repo_id)
    for found in list(requests.unfinished(author)):
        if _MARK in found.title and (release is None or marked("", release).strip() not in found.title):
            requests.set_status(found.number, "closed", "Given up: another release was published instead.")


def _request(requests: PullRequests, change: Change, author: str, notify: Callable[[str], None]) -> PullRequest:
    """The pull request of this release: that of an earlier run, or a new one."""
    title = marked(change.title, change.release)

    def existing() -> PullRequest | None:
        same = marked("", change.release).strip()
        return next((found for found in requests.unfinished(author) if same in found.title), None)

    found = existing()
    if found is not None:
        notify(f"going on with pull request {found.number}, which an earlier run began")
        return found
    description = "Published by hubpub in parts, which become one commit when this is merged."
    return requests.open_or_find(title, description, existing).request


def _fill(
    client: HubClient, change: Change, request: PullRequest, limits: CommitLimits, notify: Callable[[str], None]
) -> None:
    """Commit to the pull request what it does not hold yet."""
    head = client.resolve(change.repo_id, request.ref)
    tree = client.tree(change.repo_id, head)
    parts = list(limits.parts([item for item in change.operations if not _is_done(item, tree)]))
    for number, part in enumerate(parts, 1):
        # A merge keeps titles alone, and the next push has to know which card this one published.
        title = change.description.splitlines()[-1] if number == len(parts) else change.title
        piece = Change(
            repo_id=change.repo_id,
            revision=request.ref,
            parent=head,
            operations=part,
            title=title if number == len(parts) else f"{title} (part {number} of {len(parts)})",
            description="",
            release=f"{change.release}.{number}.{head[:8]}",
            paths=change.paths,
            rebases=False,
        )
        head = commit_once(client, piece, notify).oid
        notify(f"part {number} of {len(parts)}: {counted(len(part), 'file')} in pull request {request.number}")


def _merge(
    client: HubClient, requests: PullRequests, change: Change, request: PullRequest, notify: Callable[[str], None]
) -> Made:
    """Merge, one time."""
    number = 1
    while True:
        moved = movement(client, change.repo_id, change.revision, change.parent, _cannot_read(change))
        made = moved.made_by(change.release)
        if made is not None:
            return made
        if moved.commits and (not change.rebases or moved.touches(change.paths)):
            raise moved.conflict()
        if moved.commits:
            notify(f"{moved.told()}: other files, so the release goes on top of it")
        number += 1
        try:
            if requests.read(request.number).status == "draft":
                requests.set_status(request.number, "open")
            requests.merge(request.number)
            error: HubError | ConflictError = _cannot_read(change)
        except (NoAnswerError, ConflictError) as failed:
            error = failed
        moved = movement(client, change.repo_id, change.revision, change.parent, error)
        made = moved.made_by(change.release)
        if made is not None:
            return made
        if number > requests.attempts:
            raise error
        wait = error if isinstance(error, NoAnswerError) else NoAnswerError(error.message, error.next_step)
        requests.pause(number, wait)


def _cannot_read(change: Change) -> HubError:
    return HubError(f"{change.repo_id} does not show the merged release", "run the same command again")


def _is_done(item: Operation, tree: Mapping[str, RemoteFile]) -> bool:
    there = tree.get(item.path)
    if isinstance(item, Delete):
        return there is None
    return isinstance(item, Add) and item.file.equals(there)


def _unlike(operations: Sequence[Operation], tree: Mapping[str, RemoteFile]) -> list[str]:
    return [item.path for item in operations if not _is_done(item, tree)]
