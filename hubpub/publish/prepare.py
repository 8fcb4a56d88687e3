"""Prepare: all that a push does before it sends anything: check, sign in, choose the card, plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hubpub.card.own_id import id_below
from hubpub.card.source import CARD, LARGEST_CARD, folder_card
from hubpub.card.writing.render import render_folder_card
from hubpub.core.errors import ConflictError, FindingsError, HubpubError
from hubpub.core.findings import Severity
from hubpub.core.report import Report, joined
from hubpub.core.rule import Depth
from hubpub.core.settings import CardSettings, LintSettings
from hubpub.core.wording import counted
from hubpub.model.folder import ModelFolder
from hubpub.model.reading import Reading
from hubpub.publish.card import (
    CardChoice,
    CardSource,
    PublishedCard,
    choose_card,
    last_published_card,
    sha256_hex,
)
from hubpub.publish.client import HubClient
from hubpub.publish.expected import Expected
from hubpub.publish.finished import SavedRelease
from hubpub.publish.gitignored import check_gitignore_of_the_hub
from hubpub.publish.journal import Journal
from hubpub.publish.local import LocalFile
from hubpub.publish.namespaces import find_namespace
from hubpub.publish.plan import Plan, split_by_remote
from hubpub.publish.preflight import check_may_propose, check_may_publish, sign_in
from hubpub.publish.proposal import check_can_be_proposed
from hubpub.publish.release import PublishSet, publish_set
from hubpub.publish.remote import Identity, RemoteFile
from hubpub.publish.stale import find_stale
from hubpub.publish.tagging import check_tag
from hubpub.publish.visibility import hidden_by_us
from hubpub.rules.run import check_folder, lint_card
from hubpub.rules.selection import Selection

Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PushOptions:
    """What to publish, and where to.

    Attributes:
        path: the model folder.
        name: repo name.
        namespace: user or organisation, by its name or as it is displayed; None takes the user whose token it is.
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
        lint_settings: what it asks of them.
        pull_request: whether the release is proposed, in a pull request, and not published.
        load: whether the published model is loaded before it is tagged.
        base_limit: bytes that the base model of an adapter may have to be fetched for that; None takes `BASE_LIMIT`.
        gated: "auto" or "manual": readers have to ask for access to the repo; None leaves that as it is.
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
    pull_request: bool = False
    load: bool = False
    base_limit: int | None = None
    gated: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A push that has passed every check.

    Attributes:
        plan: what it is to do.
        report: that let it pass.
        identity: whose token it is.
        journal: of what it does.
        finished: whether it is of a saved plan whose commit was made before.
    """

    plan: Plan
    report: Report
    identity: Identity
    journal: Journal
    finished: bool = False


@dataclass(frozen=True, slots=True)
class RemoteState:
    """The repo before the push: whether it exists and is private, the commit its branch is at, and that one's files."""

    exists: bool
    private: bool
    head: str | None
    files: Mapping[str, RemoteFile]


def prepare(
    options: PushOptions,
    client: HubClient,
    notify: Notify,
    expected: Expected | None = None,
    *,
    hashed: bool = True,
) -> Prepared:
    """Everything a push does before it sends anything.

    Args:
        options: what to publish, and where to.
        client: the hub.
        notify: is told of each step.
        expected: what a saved plan promises; None plans afresh.
        hashed: whether the plan has the hash of every file, and not only of those that the hub may have already.

    Raises:
        FindingsError: the folder or its card has findings that stop a release.
        AuthError: the token may not publish there.
        ConflictError: the card or the tag on the hub would be overwritten, or it is not as `expected`.
        HubError: the hub cannot be read.
    """
    if options.pull_request:
        check_can_be_proposed(options.revision, options.tag, private=options.private, gated=options.gated is not None)
    watch = client.http.watch
    folder = ModelFolder.open(
        options.path,
        exclude=options.exclude,
        include=options.include,
        progress=(lambda done, total: watch("reading", done, total, "")) if watch else None,
    )
    if expected:
        expected.check_folder(folder)
    local = folder_card(folder)
    named = f"{options.namespace}/{options.name}" if options.namespace else None
    model_report, report = _checked(folder, local, options, Depth.QUICK, id_below(options.namespace, options.name))

    # Before a byte is hashed: a token that may not publish is refused within seconds, however large the model is.
    identity = sign_in(client, named)
    repo_id = f"{find_namespace(identity, options.namespace)}/{options.name}"
    if named and repo_id != named:
        notify(f"{options.namespace} is {repo_id.partition('/')[0]} on {client.endpoint}")
    journal = Journal(client.endpoint, repo_id, options.revision, options.path)
    remote = _remote_state(client, identity, repo_id, options, journal)
    finished = None
    if expected:
        saved = SavedRelease(expected, options.revision, folder)
        finished = saved.finished(client, remote.head, remote.files, local, journal.read())
        if finished:
            remote = replace(remote, head=finished.commit, files=finished.files)
        else:
            expected.check_remote(client, remote.head, remote.files)
    may = "may propose changes to" if options.pull_request else "may publish to"
    notify(f"{identity.name} {may} {repo_id} on {client.endpoint}, with the token from {client.http.token_source}")

    if options.depth is not Depth.QUICK:
        model_report, report = _checked(folder, local, options, options.depth, repo_id)
    notify(f"checked {counted(len(folder.files), 'file')}: {report.summary}")
    card = finished.card if finished else _card(folder, local, repo_id, options, client, remote)
    if card.source is not CardSource.FOLDER:
        linted = _lint(card.content, folder, options, repo_id)
        notify(f"checked the card, {card.note}: {linted.summary}")
        report = joined(model_report, linted)
        _stop_on_findings(report, repo_id)

    release = publish_set(folder)
    files = _files(folder, release, card, _digests(folder, release, remote, hashed=hashed))
    add, replaced, unchanged, only_there = split_by_remote(files, remote.files)
    check_gitignore_of_the_hub(client, repo_id, remote.head, remote.files, files, add + replaced)
    found = find_stale(
        (file.path for file in files), (file.path for file in add + replaced), {p: remote.files[p] for p in only_there}
    )
    delete = found.stale if options.delete_stale and not finished else ()
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
        gated=options.gated,
        title=options.title or f"Publish {options.name}" + (f" {options.tag}" if options.tag else ""),
    )
    if expected:
        expected.check_plan(plan, finished=finished is not None)
    begun = journal.read()
    check_tag(client, plan, begun=begun is not None and plan.release is not None and begun.release == plan.release)
    return Prepared(plan, report, identity, journal, finished=finished is not None)


def _checked(
    folder: ModelFolder, local: bytes | None, options: PushOptions, depth: Depth, repo_id: str | None
) -> tuple[Report, Report]:
    """(what the checks of the folder found, the same with those of its card).

    Raises:
        FindingsError: what stops a release.
    """
    found = check_folder(folder, target=str(options.path), depth=depth, ignore=options.ignore, fail_on=options.fail_on)
    report = found if local is None else joined(found, _lint(local, folder, options, repo_id))
    _stop_on_findings(report, options.name)
    return found, report


def _lint(content: bytes, folder: ModelFolder, options: PushOptions, repo_id: str | None) -> Report:
    return lint_card(
        content,
        path=CARD,
        target=CARD,
        folder=folder,
        fail_on=options.fail_on,
        selection=Selection.for_cards(options.ignore, options.lint_settings),
        inline_ignores=options.lint_settings.inline_ignores,
        given={"checked": True, "repo_id": repo_id},
    )


def _stop_on_findings(report: Report, name: str) -> None:
    if not report.ok:
        raise FindingsError(
            f"{name} was not published: the checks found {report.summary}",
            "mend what is named above; `hubpub rule CODE` explains a finding",
            report,
        )


def _remote_state(
    client: HubClient, identity: Identity, repo_id: str, options: PushOptions, journal: Journal
) -> RemoteState:
    """The repo as it is, after the hub has said that this token may write there."""
    found = client.head(repo_id, options.revision)
    if options.pull_request:
        check_may_propose(identity, repo_id, exists=found is not None)
    else:
        check_may_publish(client, identity, repo_id, exists=found is not None)
    if found is None:
        return RemoteState(exists=False, private=options.private or options.new_repos_private, head=None, files={})
    head, private = found
    if options.private and not private:
        raise ConflictError(
            f"{repo_id} is public already, and --private was asked for",
            "make it private in its settings on the hub first, or push without --private",
        )
    files = client.tree(repo_id, head) if head else {}
    wanted = options.private or options.new_repos_private
    if private and not wanted and hidden_by_us(client, repo_id, head, files, journal.read()):
        private = False  # only until the push that created it is finished
    return RemoteState(exists=True, private=private, head=head, files=files)


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
        there = client.read(repo_id, remote.files[CARD], remote.head, LARGEST_CARD)
        published = last_published_card(client.commits(repo_id, remote.head), merged=local is None)

    def read_published(card: PublishedCard) -> bytes | None:
        try:
            file = client.tree(repo_id, card.commit).get(CARD)
            return client.read(repo_id, file, card.commit, LARGEST_CARD) if file else None
        except HubpubError:
            return None  # the history was rewritten: nothing is known of it

    def render() -> bytes:
        return render_folder_card(folder, repo_id=repo_id, settings=options.card_settings).encode()

    choice = choose_card(local, there, published, render, options.card, read_published)
    return replace(choice, before=there)


def _digests(folder: ModelFolder, release: PublishSet, remote: RemoteState, *, hashed: bool) -> dict[str, str]:
    """The SHA-256 of the files of the release by path, of each reading of the folder only one.

    A file that the hub does not have, or has with another size, is sent whatever its hash: a plan does without.
    """
    if hashed or "readings" in vars(folder):
        readings: Mapping[str, Reading] = folder.readings
    else:
        entries = [
            entry for entry in release.files if (there := remote.files.get(entry.path)) and there.size == entry.size
        ]
        readings = folder.read(entries)
    digests = {}
    for entry in release.files:
        reading = readings.get(entry.path)
        if reading is None:
            continue
        if reading.sha256 is None:
            raise ConflictError(
                f"{entry.path} {reading.problem}; nothing was sent",
                "wait until nothing writes to the folder, then run the same command again",
            )
        digests[entry.path] = reading.sha256
    return digests


def _files(
    folder: ModelFolder, release: PublishSet, card: CardChoice, digests: Mapping[str, str]
) -> tuple[LocalFile, ...]:
    """The files of the release, in the order of their paths."""
    root = folder.root
    files = [
        LocalFile(entry.path, f"{root}/{entry.path}", entry.size, digests.get(entry.path, ""), entry.mtime_ns)
        for entry in release.files
    ]
    if card.source is not CardSource.HUB:
        files.append(LocalFile(CARD, card.content, len(card.content), sha256_hex(card.content), 0))
    return tuple(sorted(files, key=lambda file: file.path))
