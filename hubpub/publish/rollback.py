"""Roll back: one new commit that restores an older tree. Large files are copied within the hub; nothing is re-uploaded.

The history stays: the commit that is rolled back is its parent, so a rollback can be rolled back.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubpub.card.source import CARD, LARGEST_CARD
from hubpub.core.errors import ConflictError, UsageError, VerificationError
from hubpub.core.wording import counted
from hubpub.publish.body import Add, Copy, Operation, deletions
from hubpub.publish.card import card_line, last_published_card, sha256_hex
from hubpub.publish.client import HubClient
from hubpub.publish.local import LocalFile
from hubpub.publish.once import Change, commit_once
from hubpub.publish.preflight import check_may_write
from hubpub.publish.refusals import NoAnswerError
from hubpub.publish.release_id import rollback_id
from hubpub.publish.remote import RemoteFile
from hubpub.publish.served import Digest
from hubpub.publish.verify import Mismatch

if TYPE_CHECKING:
    from hubpub.publish.prepare import Notify

ROLLBACK_SCHEMA = "hubpub.rollback/1"

# Of files that are kept in git, as the body of a commit: the docstring of `HfApi.create_commit`.
_MOST_SMALL_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """What a rollback would do.

    Attributes:
        endpoint: the hub.
        repo_id: namespace/name.
        revision: the branch.
        head: commit that the branch is at, which becomes the parent.
        to: the tag or commit as it was named, and `target` the commit that it is.
        target: see `to`.
        add: files of the target that the branch lacks.
        replace: files of the target that the branch has with another content.
        delete: files of the branch that the target lacks.
        unchanged: files that are the same in both.
    """

    endpoint: str
    repo_id: str
    revision: str
    head: str
    to: str
    target: str
    add: tuple[RemoteFile, ...]
    replace: tuple[RemoteFile, ...]
    delete: tuple[RemoteFile, ...]
    unchanged: tuple[RemoteFile, ...]

    @property
    def changes(self) -> tuple[RemoteFile, ...]:
        """The files that are restored."""
        return self.add + self.replace

    @property
    def makes_commit(self) -> bool:
        """Whether the branch differs from the target."""
        return bool(self.changes or self.delete)

    @property
    def copied(self) -> int:
        """Bytes that are copied within the hub."""
        return sum(file.size for file in self.changes if file.sha256 is not None)

    @property
    def sent(self) -> int:
        """Bytes of small files, which a commit carries itself."""
        return sum(file.size for file in self.changes if file.sha256 is None)

    def to_json(self) -> dict[str, Any]:
        """The plan as plain data."""

        def listed(files: tuple[RemoteFile, ...]) -> list[dict[str, Any]]:
            return [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in files]

        return {
            "schema": ROLLBACK_SCHEMA,
            "endpoint": self.endpoint,
            "repo_id": self.repo_id,
            "revision": self.revision,
            "head": self.head,
            "to": self.to,
            "target": self.target,
            "add": listed(self.add),
            "replace": listed(self.replace),
            "delete": listed(self.delete),
            "unchanged": len(self.unchanged),
            "bytes_copied": self.copied,
            "bytes_sent": self.sent,
        }


@dataclass(frozen=True, slots=True)
class RollbackReceipt:
    """What a rollback did.

    Attributes:
        plan: what was to be done.
        commit: the commit with the restored tree; the branch's head when it had that tree already.
        published: whether a commit was made.
        verified: files that the hub holds at `commit` exactly as at the target.
        seconds: wall time.
    """

    plan: RollbackPlan
    commit: str
    published: bool
    verified: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The receipt in the schema `hubpub.rollback/1`."""
        return self.plan.to_json() | {
            "commit": self.commit,
            "published": self.published,
            "verified": self.verified,
            "seconds": round(self.seconds, 3),
        }


def plan_rollback(client: HubClient, repo_id: str, revision: str, to: str) -> RollbackPlan:
    """What restoring the tree of `to`, a tag or a commit, on the branch `revision` takes.

    Raises:
        UsageError: there is no such repo, branch or target.
        AuthError: the token may not write there.
    """
    head = client.resolve(repo_id, revision)
    check_may_write(client, repo_id)
    target = client.resolve(repo_id, to)
    now, then = client.tree(repo_id, head), client.tree(repo_id, target)
    add: list[RemoteFile] = []
    replace: list[RemoteFile] = []
    unchanged: list[RemoteFile] = []
    for path, file in sorted(then.items()):
        there = now.get(path)
        (add if there is None else unchanged if _same(file, there) else replace).append(file)
    plan = RollbackPlan(
        endpoint=client.endpoint,
        repo_id=repo_id,
        revision=revision,
        head=head,
        to=to,
        target=target,
        add=tuple(add),
        replace=tuple(replace),
        delete=tuple(now[path] for path in sorted(now.keys() - then.keys())),
        unchanged=tuple(unchanged),
    )
    if plan.sent > _MOST_SMALL_BYTES:
        raise UsageError(
            f"restoring {to} takes {plan.sent:,} bytes of small files, and a commit carries {_MOST_SMALL_BYTES:,}",
            "make a branch of the target on the hub instead",
        )
    return plan


def roll_back(plan: RollbackPlan, client: HubClient, notify: Notify) -> RollbackReceipt:
    """Restore the tree of the plan's target in one commit, and verify it path by path.

    Raises:
        ConflictError: the branch moved since the plan was made.
        VerificationError: the hub does not hold the target's files at the new commit, or serves other bytes of one.
    """
    started = time.monotonic()
    client.http.notify = notify
    commit = plan.head
    if plan.makes_commit:
        try:
            with tempfile.TemporaryDirectory(prefix="hubpub-") as folder:
                commit = _commit(plan, client, notify, Path(folder))
        except KeyboardInterrupt as interruption:
            interruption.add_note(f"{plan.repo_id} has all files of {plan.to}, or is as it was")
            raise
    else:
        notify(f"nothing to restore: {plan.repo_id} holds the files of {plan.to} at {commit[:12]}")
    then = {file.path: file for file in plan.changes + plan.unchanged}
    found = differences(then, client.tree(plan.repo_id, commit))
    if found:
        first = "; ".join(f"{item.path}: {item.what}" for item in found[:3])
        raise VerificationError(
            f"{plan.repo_id} at {commit[:12]} differs from {plan.to} in {counted(len(found), 'file')} ({first})",
            f"roll back to {plan.head[:12]}, where it was, or run the same command again",
        )
    notify(f"verified {counted(len(then), 'file')} at {commit[:12]}: path, size and hash are those of {plan.to}")
    return RollbackReceipt(plan, commit, plan.makes_commit, len(then), time.monotonic() - started)


def differences(then: Mapping[str, RemoteFile], now: Mapping[str, RemoteFile]) -> list[Mismatch]:
    """What differs between two trees of a hub."""
    found = []
    for path in sorted(then.keys() | now.keys()):
        if path not in now:
            found.append(Mismatch(path, "not there"))
        elif path not in then:
            found.append(Mismatch(path, "still there, and was to be deleted"))
        elif now[path].size != then[path].size:
            found.append(Mismatch(path, f"{now[path].size:,} bytes instead of {then[path].size:,}"))
        elif not _same(now[path], then[path]):
            found.append(Mismatch(path, "another hash"))
    return found


def _same(one: RemoteFile, other: RemoteFile) -> bool:
    """Whether two files hold the same bytes. Pointers to one large file may be written in different ways."""
    if one.sha256 is None and other.sha256 is None:
        return one.blob == other.blob
    return one.sha256 == other.sha256


def _commit(plan: RollbackPlan, client: HubClient, notify: Notify, folder: Path) -> str:
    """Make the one commit; returns its oid."""
    small = [file for file in plan.changes if file.sha256 is None]
    operations: list[Operation] = [
        *(_small_file(plan, client, file, folder / str(number)) for number, file in enumerate(small)),
        *(Copy(file.path, file.sha256) for file in plan.changes if file.sha256 is not None),
        *deletions(file.path for file in plan.delete),
    ]
    named = plan.to if plan.to in plan.target else f"{plan.to} ({plan.target[:12]})"
    trailer = _card_trailer(plan, client)
    _check_head(plan, client)
    change = Change(
        repo_id=plan.repo_id,
        revision=plan.revision,
        parent=plan.head,
        operations=operations,
        title=f"Roll back to {named}",
        description=f"Rolled back by hubpub from {plan.head} to {plan.target}." + (f"\n\n{trailer}" if trailer else ""),
        release=rollback_id(plan.repo_id, plan.revision, plan.head, plan.target),
        paths=frozenset(file.path for file in plan.changes + plan.delete + plan.unchanged),
        # What others add meanwhile is not of the older tree.
        rebases=False,
    )
    commit = commit_once(client, change, notify).oid
    notify(
        f"restored {counted(len(plan.changes), 'file')} and deleted {len(plan.delete):,} in one commit, {commit[:12]}"
    )
    return commit


def _small_file(plan: RollbackPlan, client: HubClient, file: RemoteFile, copy: Path) -> Add:
    """The operation that adds a file of the target again; its bytes must be those that git's id speaks of.

    It goes as it was: the .gitattributes and .gitignore of the tree that is rolled back have no say in the older one.
    """

    def attempt() -> str:
        with copy.open("wb") as written:

            def kept() -> Iterator[bytes]:
                for block in client.stream(plan.repo_id, file.path, plan.target):
                    written.write(block)
                    yield block

            digest = Digest.of(kept(), file.size)
        if digest.blob != file.blob:
            raise _OtherBytesError(
                f"{plan.repo_id} serves other bytes of {file.path} at {plan.target[:12]} than the hash that it states",
                "nothing was changed; run the same command again; if it stays so, the hub or its storage is at fault",
            )
        return digest.sha256

    try:
        digest = client.http.repeated(attempt)
    except _OtherBytesError as error:
        raise VerificationError(error.message, error.next_step) from error
    status = copy.stat()
    return Add(LocalFile(file.path, str(copy), status.st_size, digest, status.st_mtime_ns), large=False)


class _OtherBytesError(NoAnswerError):
    """It may have been an answer that was cut off, or the fault may be lasting."""


def _card_trailer(plan: RollbackPlan, client: HubClient) -> str | None:
    """The line that tells the next push which card hubpub published, if the restored one is such a card."""
    restored = next((file for file in plan.changes + plan.unchanged if file.path == CARD), None)
    published = last_published_card(client.commits(plan.repo_id, plan.target))
    if restored is None or published is None:
        return None
    if restored.size > LARGEST_CARD:
        return None
    content = client.read(plan.repo_id, restored, plan.target, LARGEST_CARD)
    return card_line(published) if sha256_hex(content) == published.sha256 else None


def _check_head(plan: RollbackPlan, client: HubClient) -> None:
    head = client.resolve(plan.repo_id, plan.revision)
    if head != plan.head:
        raise ConflictError(
            f"{plan.revision} of {plan.repo_id} moved from {plan.head[:12]} to {head[:12]}; nothing was changed",
            "look at the new commit, then run the same command again",
        )
