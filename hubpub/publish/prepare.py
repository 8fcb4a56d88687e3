"""Prepare: all that a push does before it sends anything: check, sign in, choose the card, plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hubpub.card.render import render_folder_card
from hubpub.card.source import CARD, LARGEST_CARD, folder_card
from hubpub.core.errors import ConflictError, FindingsError, HubpubError
from hubpub.core.findings import Severity
from hubpub.core.report import Report, joined
from hubpub.core.rule import Depth
from hubpub.core.settings import CardSettings, LintSettings
from hubpub.model.folder import ModelFolder
from hubpub.publish.card import CardChoice, CardSource, PublishedCard, choose_card, last_published_card
from hubpub.publish.client import HubClient, Identity, RemoteFile
from hubpub.publish.expected import Expected
from hubpub.publish.plan import LocalFile, Plan, split_by_remote
from hubpub.publish.preflight import check_may_publish
from hubpub.publish.release import PublishSet, publish_set
from hubpub.publish.stale import find_stale
from hubpub.rules.run import check_folder, lint_card
from hubpub.rules.selection import Selection

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PushOptions:
    """What to publish, and where to.

    Attributes:
        path: the model folder.
        name: repo name.
        namespace: user or organisation; None takes the user whose token it is.
        revision: branch to publish to.
        tag: tag to set on the verified commit.
        private: the repo must be private; a new one is created so, an existing public one is refused.
        new_repos_private: whether a repo that has to be created is private.
        title: commit message; None writes one.
        card: which card wins when the folder's and the hub's were both written by hand.
        include: globs of files that are published although hubpub would leave them out.
        exclude: globs of files that are not published.
        ignore: rules that are not run.
        fail_on: lowest severity that stops the push.
        depth: how far the check of the folder goes.
        delete_stale: whether what older releases left on the hub is deleted in the same commit.
        card_settings: what the project says about the cards of all its models.
    """

    path: Path
    name: str
    namespace: str | None = None
    revision: str = "main"
    tag: str | None = None
    private: bool = False
    new_repos_private: bool = False
    title: str | None = None
    card: CardSource | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Severity = Severity.ERROR
    depth: Depth = Depth.DEEP
    delete_stale: bool = False
    card_settings: CardSettings = field(default_factory=CardSettings)
    lint_settings: LintSettings = field(default_factory=LintSettings)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A push that has passed every check: the plan, the report that let it pass, and what is sent."""

    plan: Plan
    report: Report
    additions: tuple[CommitOperationAdd, ...]


@dataclass(frozen=True, slots=True)
class RemoteState:
    """The repo before the push: whether it exists and is private, the commit its branch is at, and that one's files."""

    exists: bool
    private: bool
    head: str | None
    files: Mapping[str, RemoteFile]


def prepare(options: PushOptions, client: HubClient, notify: Notify, expected: Expected | None = None) -> Prepared:
    """Everything a push does before it sends anything.

    Args:
        options: what to publish, and where to.
        client: the hub.
        notify: is told of each step.
        expected: what a saved plan promises; None plans afresh.

    Raises:
        FindingsError: the folder or its card has findings that stop a release.
        AuthError: the token may not publish there.
        ConflictError: the card or the tag on the hub would be overwritten, or it is not as `expected`.
        HubError: the hub cannot be read.
    """
    folder = ModelFolder.open(options.path, exclude=options.exclude, include=options.include)
    if expected:
        expected.check_folder(folder)
    model_report = check_folder(
        folder, target=str(options.path), depth=options.depth, ignore=options.ignore, fail_on=options.fail_on
    )
    local = folder_card(folder)
    report = model_report if local is None else joined(model_report, _lint(local, folder, options))
    notify(f"checked {len(folder.files):,} files: {report.summary}")
    _stop_on_findings(report, options.name)

    identity = client.whoami()
    repo_id = f"{options.namespace or identity.name}/{options.name}"
    remote = _remote_state(client, identity, repo_id, options)
    if expected:
        expected.check_remote(client, remote.head, remote.files)
    notify(f"{identity.name} may publish to {repo_id} on {client.endpoint}")
    card = _card(folder, local, repo_id, options, client, remote)
    if card.source is not CardSource.FOLDER:
        report = joined(model_report, _lint(card.content, folder, options))
        _stop_on_findings(report, repo_id)

    release = publish_set(folder)
    additions = _additions(folder, release, card)
    files = tuple(_local_file(folder, path, addition) for path, addition in sorted(additions.items()))
    add, replaced, unchanged, only_there = split_by_remote(files, remote.files)
    found = find_stale(
        (file.path for file in files), (file.path for file in add + replaced), {p: remote.files[p] for p in only_there}
    )
    delete = found.stale if options.delete_stale else ()
    gone = {item.path for item in delete}
    plan = Plan(
        endpoint=client.endpoint,
        repo_id=repo_id,
        revision=options.revision,
        base=remote.head,
        creates_repo=not remote.exists,
        private=remote.private,
        add=add,
        replace=replaced,
        unchanged=unchanged,
        kept=tuple(path for path in only_there if path not in gone),
        delete=delete,
        stale=() if options.delete_stale else found.stale,
        older=found.older,
        left_out=release.left_out,
        card=card,
        tag=options.tag,
        title=options.title or f"Publish {options.name}" + (f" {options.tag}" if options.tag else ""),
    )
    if expected:
        expected.check_plan(plan)
    _check_tag(client, plan)
    return Prepared(plan, report, tuple(additions[file.path] for file in plan.changes))


def _lint(content: bytes, folder: ModelFolder, options: PushOptions) -> Report:
    return lint_card(
        content,
        path=CARD,
        target=CARD,
        folder=folder,
        fail_on=options.fail_on,
        selection=Selection.for_cards(options.ignore, options.lint_settings),
        inline_ignores=options.lint_settings.inline_ignores,
        given={"checked": True},
    )


def _stop_on_findings(report: Report, name: str) -> None:
    if not report.ok:
        raise FindingsError(
            f"{name} was not published: the checks found {report.summary}",
            "mend what is named above; `hubpub rule CODE` explains a finding",
            report,
        )


def _remote_state(client: HubClient, identity: Identity, repo_id: str, options: PushOptions) -> RemoteState:
    """The repo as it is, after the hub has said that this token may write there."""
    found = client.head(repo_id, options.revision)
    check_may_publish(client, identity, repo_id, exists=found is not None)
    if found is None:
        return RemoteState(exists=False, private=options.private or options.new_repos_private, head=None, files={})
    head, private = found
    if options.private and not private:
        raise ConflictError(
            f"{repo_id} is public already, and --private was asked for",
            "make it private in its settings on the hub first, or push without --private",
        )
    return RemoteState(exists=True, private=private, head=head, files=client.tree(repo_id, head) if head else {})


def _card(
    folder: ModelFolder,
    local: bytes | None,
    repo_id: str,
    options: PushOptions,
    client: HubClient,
    remote: RemoteState,
) -> CardChoice:
    """The card to publish: the folder's, the hub's, or one from the templates."""
    there, published = None, None
    if remote.head and CARD in remote.files:
        there = client.read(repo_id, CARD, remote.head, LARGEST_CARD)
        published = last_published_card(client.commits(repo_id, remote.head), merged=local is None)

    def read_published(card: PublishedCard) -> bytes | None:
        try:
            return client.read(repo_id, CARD, card.commit, LARGEST_CARD)
        except HubpubError:
            return None  # the history was rewritten: nothing is known of it

    def render() -> bytes:
        return render_folder_card(folder, repo_id=repo_id, settings=options.card_settings).encode()

    choice = choose_card(local, there, published, render, options.card, read_published)
    return replace(choice, before=there)


def _additions(folder: ModelFolder, release: PublishSet, card: CardChoice) -> dict[str, CommitOperationAdd]:
    """One operation per file of the release, by path; their SHA-256 is that of the one reading of the folder."""
    from huggingface_hub import CommitOperationAdd

    additions = {}
    for entry in release.files:
        reading = folder.readings[entry.path]
        if reading.sha256 is None:
            raise ConflictError(
                f"{entry.path} {reading.problem}; nothing was sent",
                "wait until nothing writes to the folder, then run the same command again",
            )
        addition = CommitOperationAdd(path_in_repo=entry.path, path_or_fileobj=folder.root / entry.path)
        addition.upload_info.sha256 = bytes.fromhex(reading.sha256)
        additions[entry.path] = addition
    if card.source is not CardSource.HUB:
        additions[CARD] = CommitOperationAdd(path_in_repo=CARD, path_or_fileobj=card.content)
    return additions


def _local_file(folder: ModelFolder, path: str, addition: CommitOperationAdd) -> LocalFile:
    entry = folder.entry(path)
    in_memory = isinstance(addition.path_or_fileobj, bytes)
    return LocalFile(
        path=path,
        source=addition.path_or_fileobj if isinstance(addition.path_or_fileobj, bytes) else folder.root / path,
        size=addition.upload_info.size,
        sha256=addition.upload_info.sha256.hex(),
        mtime_ns=0 if in_memory or entry is None else entry.mtime_ns,
    )


def _check_tag(client: HubClient, plan: Plan) -> None:
    """A tag never moves: an existing one is only right when it is on the very commit that holds this release."""
    if plan.tag is None or plan.base is None:
        return
    at = client.tags(plan.repo_id).get(plan.tag)
    if at is not None and (plan.makes_commit or at != plan.base):
        raise ConflictError(
            f"{plan.repo_id} has a tag {plan.tag} already, at {at[:12]}, and this release differs from it",
            "choose another tag; hubpub never moves one",
        )
