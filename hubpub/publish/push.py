"""Push: prepare, upload, one commit, verify, tag, show. Nothing is sent before every check has passed.

Each step can be cut short and run again: what has been done is recognised, on the hub or in the journal.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from hubpub.core.errors import UsageError, VerificationError
from hubpub.core.report import Report
from hubpub.core.wording import counted
from hubpub.publish.body import Add, ChangedOnDiskError, Operation, deletions
from hubpub.publish.card import card_trailer
from hubpub.publish.client import HubClient
from hubpub.publish.expected import Expected
from hubpub.publish.gitignored import dropped
from hubpub.publish.interrupted import Begun, told_when_interrupted
from hubpub.publish.journal import Entry
from hubpub.publish.load_check import Loaded, load_published
from hubpub.publish.movement import Made, movement
from hubpub.publish.once import Change, commit_once
from hubpub.publish.plan import Plan
from hubpub.publish.prepare import Notify, Prepared, PushOptions, prepare
from hubpub.publish.proposal import propose
from hubpub.publish.proposal_text import findings_in_markdown
from hubpub.publish.receipt import Receipt
from hubpub.publish.refusals import RETRY_HINT, NoAnswerError
from hubpub.publish.remote import UploadMode
from hubpub.publish.staged import CommitLimits, close_leftovers, commit_in_parts
from hubpub.publish.tagging import tag_release
from hubpub.publish.verify import Mismatch, compare
from hubpub.publish.visibility import GATINGS, create_hidden, gate, show
from hubpub.rules.run import NOT_LOADED

_CARD = "README.md"


def push(
    options: PushOptions,
    client: HubClient,
    notify: Notify,
    expected: Expected | None = None,
    limits: CommitLimits | None = None,
) -> Receipt:
    """Publish the folder in one commit, verify it, tag it, and make a new repo public.

    Args:
        options: what to publish, and where to.
        client: the hub.
        notify: is told of each step, and of what makes it wait.
        expected: what a saved plan promises; None plans afresh.
        limits: of one commit; None takes those of the Hub.

    Raises:
        HubpubError: as `prepare`; ConflictError when somebody else changed the same files or a file changed on disk;
            VerificationError when the hub does not serve what was sent, or what it serves does not load.
        KeyboardInterrupt: with a note of what is left.
    """
    with told_when_interrupted() as far:
        return _push(options, client, notify, expected, limits or CommitLimits(), far)


def _push(
    options: PushOptions,
    client: HubClient,
    notify: Notify,
    expected: Expected | None,
    limits: CommitLimits,
    far: Begun,
) -> Receipt:
    started = time.monotonic()
    client.http.notify = notify
    prepared = prepare(options, client, notify, expected)
    far.repo_id = prepared.plan.repo_id
    if options.pull_request:
        far.proposes = True
        return _propose(prepared, client, notify, limits, started, options)
    plan, journal = prepared.plan, prepared.journal
    release = _release(plan)
    begun = journal.read() or Entry()
    unveils = not plan.private and (plan.creates_repo or begun.unveils)
    far.created = begun.unveils
    gating = None if unveils else plan.gated  # what becomes public is gated in the same call
    earlier = _made_by_an_earlier_run(client, plan, begun) if plan.makes_commit else None
    published = plan.makes_commit and earlier is None
    if earlier is not None:
        plan = replace(plan, kept=(), delete=())
        commit = earlier.oid
        notify(f"an earlier run has published this already, as {commit[:12]}; the branch has moved on since")
    elif published:
        staged = begun.staged and begun.release == release
        journal.write(Entry(release, plan.base, unveils=unveils, staged=begun.staged))
        made = _publish(prepared, client, notify, limits, far, gating, rebases=expected is None, staged=staged)
        commit = made.oid
        if made.parent != plan.base and not plan.creates_repo:
            plan = _on_top_of(client, plan, made)
    elif plan.base is None:
        raise AssertionError("a repo without commits has no unchanged files")
    else:
        commit = plan.base
        what = "already published" if prepared.finished else "nothing to publish"
        notify(f"{what}: {plan.repo_id} holds the same {counted(len(plan.unchanged), 'file')} at {commit[:12]}")
    if gating and not published:
        notify(gate(client, plan.repo_id, gating))
    far.commit = commit
    verified = _verify(client, plan, commit)
    notify(f"verified {counted(verified, 'file')} at {commit[:12]}: path, size and hash")
    loaded = _load(client, options, plan, commit, notify, unveils) if options.load else None
    if plan.tag:
        notify(tag_release(client, plan, commit))
    if unveils:
        show(client, plan.repo_id, plan.gated)
        notify(f"made {plan.repo_id} public" + (f", gated: {GATINGS[plan.gated]}" if plan.gated else ""))
    if (journal.read() or begun).staged:
        close_leftovers(client, plan.repo_id, prepared.identity.name)
    journal.close()
    return Receipt(
        plan=plan,
        report=_report(prepared.report, loaded),
        commit=commit,
        published=published,
        verified=verified,
        tag=plan.tag,
        seconds=time.monotonic() - started,
        loaded=loaded,
    )


def _propose(
    prepared: Prepared, client: HubClient, notify: Notify, limits: CommitLimits, started: float, options: PushOptions
) -> Receipt:
    """Open or update a pull request with the release."""
    plan = prepared.plan
    found = propose(
        client,
        plan,
        prepared.identity.name,
        findings_in_markdown(prepared.report),
        lambda wanted: _upload(client, wanted, notify),
        lambda operations: list(limits.parts(operations)),
        notify,
    )
    loaded = _load(client, options, plan, found.commit, notify, unveils=False) if found and options.load else None
    return Receipt(
        plan=plan,
        report=_report(prepared.report, loaded),
        commit=found.commit if found else str(plan.base),
        published=False,
        verified=found.verified if found else 0,
        tag=None,
        seconds=time.monotonic() - started,
        proposal=found,
        loaded=loaded,
    )


def _load(client: HubClient, options: PushOptions, plan: Plan, commit: str, notify: Notify, unveils: bool) -> Loaded:
    """Load what was published, before a tag or its visibility shows it."""
    try:
        return load_published(client, plan.repo_id, commit, notify, options.base_limit)
    except VerificationError as error:
        undone = [f"it was not tagged as {plan.tag}"] if plan.tag else []
        undone += ["the repo is still private"] if unveils else []
        raise VerificationError("; ".join([error.message, *undone]), error.next_step) from error


def _report(report: Report, loaded: Loaded | None) -> Report:
    """That of the checks, which know nothing of what was loaded from the hub."""
    if loaded is None or loaded.skipped:
        return report
    return replace(report, skipped=tuple(skip for skip in report.skipped if skip != NOT_LOADED))


def _made_by_an_earlier_run(client: HubClient, plan: Plan, begun: Entry) -> Made | None:
    """The commit that an unfinished push made, if others have changed the branch after it."""
    release = _release(plan)
    if begun.release != release or begun.base == plan.base or plan.base is None:
        return None
    moved = movement(
        client, plan.repo_id, plan.revision, begun.base, UsageError(f"{plan.repo_id} cannot be read", RETRY_HINT)
    )
    return moved.made_by(release)


def _release(plan: Plan) -> str:
    release = plan.release
    if release is None:
        raise AssertionError("a push hashes every file")
    return release


def _publish(
    prepared: Prepared,
    client: HubClient,
    notify: Notify,
    limits: CommitLimits,
    far: Begun,
    gating: str | None,
    *,
    rebases: bool,
    staged: bool,
) -> Made:
    """Create the repo if needed, upload, and make the one commit."""
    plan = prepared.plan
    parent = plan.base
    if plan.creates_repo:
        far.created = True
        parent = create_hidden(client, plan.repo_id, plan.revision)
        notify(f"created {plan.repo_id} (private{'' if plan.private else ' until the release is verified'})")
    operations = _upload(client, plan, notify)
    trailer = card_trailer(plan.card)
    change = Change(
        repo_id=plan.repo_id,
        revision=plan.revision,
        parent=parent,
        operations=operations,
        title=plan.title,
        description="Published by hubpub." + (f"\n\n{trailer}" if trailer else ""),
        release=_release(plan),
        paths=frozenset((*(file.path for file in plan.files), *(item.path for item in plan.delete), _CARD)),
        rebases=rebases,
    )
    if gating:
        # Before anybody can read the release without asking.
        notify(gate(client, plan.repo_id, gating))
    far.commits = True
    made = _commit(client, change, prepared, notify, limits, staged=staged)
    gone = f" and deleted {len(plan.delete)}" if plan.delete else ""
    notify(f"committed {counted(len(plan.changes), 'file')}{gone} to {plan.revision} as {made.oid[:12]}, in one commit")
    return made


def _commit(
    client: HubClient, change: Change, prepared: Prepared, notify: Notify, limits: CommitLimits, *, staged: bool
) -> Made:
    """Make the one commit, at once or by way of a pull request if it holds more than a hub takes at once."""
    if not staged and limits.allow(change.operations):
        try:
            return commit_once(client, change, notify)
        except NoAnswerError as error:
            if len(change.operations) <= limits.part:
                raise
            notify(f"{error.message}: {counted(len(change.operations), 'file')} may be too many at once")
    prepared.journal.note(staged=True)
    close_leftovers(client, change.repo_id, prepared.identity.name, change.release)
    return commit_in_parts(client, change, notify, limits, prepared.identity.name)


def _upload(client: HubClient, plan: Plan, notify: Notify) -> list[Operation]:
    """Send what does not fit into a commit; the operations of the commit."""
    modes = client.modes(plan.repo_id, plan.revision, plan.changes)
    _check_not_ignored(plan, modes)
    for file in plan.changes:
        if file.path == _CARD:
            client.check_card(file.read())
    if plan.changes:
        notify(f"uploading {counted(len(plan.changes), 'file')}, {counted(plan.bytes_to_send, 'byte')}")
    client.upload(plan.repo_id, plan.revision, [file for file in plan.changes if modes[file.path].large])
    for file in plan.changes:
        if not file.unchanged_on_disk:
            raise ChangedOnDiskError(file.path)
    adds = [Add(file, modes[file.path].large) for file in plan.changes]
    return [*adds, *deletions(item.path for item in plan.delete)]


def _check_not_ignored(plan: Plan, modes: Mapping[str, UploadMode]) -> None:
    """The hub drops what the repo's .gitignore names without a word, so that must be found before the commit."""
    ignored = [path for path, mode in modes.items() if mode.ignored]
    if ignored:
        raise dropped(plan.repo_id, ignored)


def _on_top_of(client: HubClient, plan: Plan, made: Made) -> Plan:
    """The plan as it turned out, after others had changed other files."""
    there = client.tree(plan.repo_id, made.parent) if made.parent else {}
    ours = {file.path for file in plan.files} | {item.path for item in plan.delete}
    return replace(plan, base=made.parent, kept=tuple(sorted(there.keys() - ours)))


def _mismatches(client: HubClient, plan: Plan, commit: str) -> list[Mismatch]:
    deleted = (item.path for item in plan.delete)
    return compare(plan.files, plan.kept, deleted, client.tree(plan.repo_id, commit))


def _verify(client: HubClient, plan: Plan, commit: str) -> int:
    """Number of files that the hub serves at `commit` as they are here: all of them, or VerificationError."""
    found = _mismatches(client, plan, commit)
    if found:
        first = "; ".join(f"{item.path}: {item.what}" for item in found[:3])
        raise VerificationError(
            f"{plan.repo_id} at {commit[:12]} differs from what was sent in {counted(len(found), 'file')} ({first})",
            "run the same command again; if it stays so, the hub or its storage is at fault",
        )
    return len(plan.files)
