"""Push: prepare, upload, one commit, verify, tag. Nothing is sent before every check has passed."""

from __future__ import annotations

import time

from hubpub.core.errors import AuthError, ConflictError, FindingsError, HubpubError, VerificationError
from hubpub.publish.card import card_trailer
from hubpub.publish.client import HubClient, deletions
from hubpub.publish.expected import Expected
from hubpub.publish.plan import Plan
from hubpub.publish.prepare import Notify, Prepared, PushOptions, prepare
from hubpub.publish.receipt import Receipt
from hubpub.publish.verify import Mismatch, compare


def push(options: PushOptions, client: HubClient, notify: Notify, expected: Expected | None = None) -> Receipt:
    """Publish the folder in one commit, verify it, tag it.

    Raises:
        HubpubError: as `prepare`; ConflictError when somebody else committed meanwhile or a file changed on disk;
            VerificationError when the hub does not serve what was sent.
    """
    started = time.monotonic()
    prepared = prepare(options, client, notify, expected)
    plan = prepared.plan
    published = plan.makes_commit
    if published:
        commit = _publish(prepared, client, notify)
    elif plan.base is None:
        raise AssertionError("a repo without commits has no unchanged files")
    else:
        commit = plan.base
        notify(f"nothing to publish: {plan.repo_id} holds these {len(plan.unchanged)} files at {commit[:12]}")
    verified = _verify(client, plan, commit)
    notify(f"verified {verified} files at {commit[:12]}: path, size and hash")
    if plan.tag:
        _tag(client, plan, commit)
        notify(f"tagged {commit[:12]} as {plan.tag}")
    return Receipt(
        plan=plan,
        report=prepared.report,
        commit=commit,
        published=published,
        verified=verified,
        tag=plan.tag,
        seconds=time.monotonic() - started,
    )


def _publish(prepared: Prepared, client: HubClient, notify: Notify) -> str:
    """Create the repo if needed, upload, and make the one commit; returns its oid."""
    plan = prepared.plan
    parent = plan.base
    if plan.creates_repo:
        client.create_repo(plan.repo_id, private=plan.private)
        created = client.head(plan.repo_id, plan.revision)
        parent = created[0] if created else None
        notify(f"created {plan.repo_id} ({'private' if plan.private else 'public'})")
    if plan.changes:
        notify(f"uploading {len(plan.changes)} files, {plan.bytes_to_send:,} bytes")
        client.upload(plan.repo_id, plan.revision, prepared.additions)
    _check_not_ignored(prepared)
    _check_unchanged_on_disk(plan)
    trailer = card_trailer(plan.card)
    try:
        commit = client.commit(
            plan.repo_id,
            plan.revision,
            [*prepared.additions, *deletions(item.path for item in plan.delete)],
            parent=parent,
            title=plan.title,
            description="Published by hubpub." + (f"\n\n{trailer}" if trailer else ""),
        )
    except (AuthError, FindingsError):
        raise
    except HubpubError as error:
        commit = _landed_after_all(client, plan, parent, error)
    gone = f" and deleted {len(plan.delete)}" if plan.delete else ""
    notify(f"committed {len(plan.changes)} files{gone} to {plan.revision} as {commit[:12]}, in one commit")
    return commit


def _landed_after_all(client: HubClient, plan: Plan, parent: str | None, error: HubpubError) -> str:
    """The commit, if it landed although the answer was lost; otherwise raise `error` again."""
    try:
        found = client.head(plan.repo_id, plan.revision)
        head = found[0] if found else None
        landed = head is not None and head != parent and not _mismatches(client, plan, head)
    except HubpubError:
        raise error from None
    if not landed or head is None:
        raise error
    return head


def _check_not_ignored(prepared: Prepared) -> None:
    """The hub drops what the repo's .gitignore names without a word, so that must be found before the commit."""
    ignored = [item.path_in_repo for item in prepared.additions if getattr(item, "_should_ignore", False)]
    if ignored:
        raise ConflictError(
            f"a .gitignore makes {prepared.plan.repo_id} drop {', '.join(ignored[:5])}",
            "change the .gitignore of the folder or the repo, or leave the files out with --exclude",
        )


def _check_unchanged_on_disk(plan: Plan) -> None:
    """A file that changed since it was hashed would be published half old, half new."""
    for file in plan.changes:
        if isinstance(file.source, bytes):
            continue
        status = file.source.stat()
        if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
            raise ConflictError(
                f"{file.path} changed on disk while it was being published; nothing was committed",
                "wait until nothing writes to the folder, then run the same command again",
            )


def _mismatches(client: HubClient, plan: Plan, commit: str) -> list[Mismatch]:
    deleted = (item.path for item in plan.delete)
    return compare(plan.files, plan.kept, deleted, client.tree(plan.repo_id, commit))


def _verify(client: HubClient, plan: Plan, commit: str) -> int:
    """Number of files that the hub serves at `commit` as they are here: all of them, or VerificationError."""
    found = _mismatches(client, plan, commit)
    if found:
        first = "; ".join(f"{item.path}: {item.what}" for item in found[:3])
        raise VerificationError(
            f"{plan.repo_id} at {commit[:12]} differs from what was sent in {len(found)} files ({first})",
            "run the same command again; if it stays so, the hub or its storage is at fault",
        )
    return len(plan.files)


def _tag(client: HubClient, plan: Plan, commit: str) -> None:
    if plan.tag and client.tags(plan.repo_id).get(plan.tag) != commit:
        client.create_tag(plan.repo_id, plan.tag, commit, plan.title)
