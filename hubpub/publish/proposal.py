"""Proposing a release: one pull request that is opened once and updated when the push is run again.

It is known by a mark in its description, beside who opened it. Nothing of main is touched: no tag, no visibility.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from hubpub.core.errors import UsageError, VerificationError
from hubpub.core.wording import counted
from hubpub.publish.body import Operation
from hubpub.publish.card import card_trailer
from hubpub.publish.client import HubClient
from hubpub.publish.once import Change, commit_once
from hubpub.publish.plan import Plan, split_by_remote
from hubpub.publish.proposal_text import describe_proposal
from hubpub.publish.pull_requests import Opened, PullRequest, PullRequests
from hubpub.publish.refusals import RETRY_HINT
from hubpub.publish.remote import RemoteFile
from hubpub.publish.stale import Stale
from hubpub.publish.verify import compare

_MARK = re.compile(r"<!-- hubpub:pull-request base=([0-9a-f]{4,64}) -->")
_OPENING = re.compile(r"<!-- hubpub:opening ([0-9a-f]{4,64}) -->")
_MOST_LOOKED_AT = 30
_MOST_COMMITS = 200
_OF_A_RELEASE = re.compile(r"^Hubpub-Release: ", re.MULTILINE)

Send = Callable[[Plan], Sequence[Operation]]
"""Uploads what a plan changes, and gives the operations of its commit."""
Parts = Callable[[Sequence[Operation]], Sequence[Sequence[Operation]]]
"""Cuts operations into commits that a hub takes."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What became of a pull request.

    Attributes:
        number: of the pull request.
        url: where a person looks at it.
        status: "open", "merged" or "closed".
        opened: whether this push opened it.
        commit: the newest commit of its branch; of a merged one, the one that main holds it by.
        committed: whether this push made that commit.
        verified: files that it holds as they are here.
    """

    number: int
    url: str
    status: str
    opened: bool
    commit: str
    committed: bool
    verified: int

    def to_json(self) -> dict[str, Any]:
        """What a receipt says of it."""
        return {"number": self.number, "url": self.url, "status": self.status, "opened": self.opened}


def check_can_be_proposed(revision: str, tag: str | None, *, private: bool, gated: bool) -> None:
    """Return if a pull request can be for this.

    Raises:
        UsageError: it cannot, and why.
    """
    if revision != "main":
        raise UsageError(f"a pull request is for main, not {revision}", "leave out --revision")
    if tag:
        raise UsageError(
            f"a pull request is not tagged, and --tag {tag} was given",
            "leave it out; when the pull request is merged, the same push with --tag, without --pr, tags it",
        )
    if private:
        raise UsageError("a pull request changes no visibility", "leave out --private")
    if gated:
        raise UsageError("a pull request does not change who may read the repo", "leave out --gated")


def propose(
    client: HubClient, plan: Plan, author: str, report: str, send: Send, parts: Parts, notify: Callable[[str], None]
) -> Proposal | None:
    """Open or update the pull request of this user for this release; None when there is nothing to propose.

    Args:
        client: the hub.
        plan: what is proposed, against main.
        author: whose token it is; the pull requests of others are left alone.
        report: of the checks, as Markdown.
        send: uploads.
        parts: cuts a large commit.
        notify: is told of each step.

    Raises:
        ConflictError: somebody else commits to the pull request meanwhile.
        VerificationError: it does not hold what was sent.
        HubError: the hub or the network failed; the pull request stays, and the same command goes on with it.
    """
    requests = PullRequests(client.http, plan.repo_id)
    found = _ours(requests, author, "open")
    if not plan.makes_commit or plan.base is None:
        return _done_already(client, requests, plan, author, notify)
    mark = f"<!-- hubpub:pull-request base={plan.base} -->"
    opened = found is None
    if found is None:
        _tell_of_closed(requests, author, notify)
        new = _open(requests, plan, author, mark, notify)
        found, may_have_twin = new.request, new.may_have_twin
    else:
        may_have_twin = found.status == "draft"  # an earlier run did not come to its end
        notify(f"pull request {found.number} is open already, and is updated")
        mark = f"<!-- hubpub:pull-request base={_base(found.description)} -->"
    commit, committed, verified = _fill(client, plan, found, send, parts, notify)
    text = describe_proposal(plan, report, mark, verified)
    if text.strip() != found.description.strip():
        requests.describe(found.number, text)
    if found.status == "draft":
        requests.set_status(found.number, "open")
    if may_have_twin:
        _close_twins(requests, author, found)
    url = f"{plan.url}/discussions/{found.number}"
    notify(f"verified {counted(verified, 'file')} in pull request {found.number}: {url}")
    return Proposal(found.number, url, "open", opened, commit, committed, verified)


def _ours(requests: PullRequests, author: str, status: str) -> PullRequest | None:
    """The newest one of this user that carries the mark, with its description."""
    for looked_at, item in enumerate(requests.of(author, status)):
        if looked_at == _MOST_LOOKED_AT:
            break
        found = requests.read(item.number)
        if found.author == author and _base(found.description):
            return found
    return None


def _base(description: str) -> str | None:
    """The commit of main that a pull request of ours began at; the mark is the first line."""
    found = _MARK.match(description)
    return found[1] if found else None


def _done_already(
    client: HubClient, requests: PullRequests, plan: Plan, author: str, notify: Callable[[str], None]
) -> Proposal | None:
    """Main holds the release: by a pull request of ours, perhaps."""
    notify(f"nothing to propose: {plan.repo_id} holds the same {counted(len(plan.unchanged), 'file')}")
    found = _ours(requests, author, "closed")
    if found is None or found.status != "merged" or plan.base is None:
        return None
    notify(f"pull request {found.number} was merged")
    held = client.tree(plan.repo_id, plan.base)
    verified = sum(file.equals(held.get(file.path)) for file in plan.files)
    url = f"{plan.url}/discussions/{found.number}"
    return Proposal(found.number, url, "merged", False, plan.base, False, verified)


def _tell_of_closed(requests: PullRequests, author: str, notify: Callable[[str], None]) -> None:
    found = _ours(requests, author, "closed")
    if found is not None:
        notify(f"pull request {found.number} was {found.status}; this release gets a new one")


def _open(requests: PullRequests, plan: Plan, author: str, mark: str, notify: Callable[[str], None]) -> Opened:
    """A new one; after a lost answer, that which was opened."""
    description = f"{mark}\nThe files are being uploaded.\n<!-- hubpub:opening {secrets.token_hex(8)} -->"
    opened = requests.open_or_find(plan.title, description, lambda: _ours(requests, author, "open"))
    if opened.is_new:
        notify(f"opened pull request {opened.request.number}")
    return opened


def _close_twins(requests: PullRequests, author: str, chosen: PullRequest) -> None:
    """Close the other drafts that the opening of this one led to: a hub may open one after it was looked for."""
    opening = _OPENING.search(chosen.description)
    if opening is None:
        return
    for item in list(islice(requests.of(author, "open"), _MOST_LOOKED_AT)):
        if item.number != chosen.number and item.status == "draft":
            found = requests.read(item.number)
            if found.author == author and opening[0] in found.description:
                why = f"Opened twice, as an answer was lost: see pull request {chosen.number}."
                requests.set_status(found.number, "closed", why)


def _fill(
    client: HubClient, plan: Plan, request: PullRequest, send: Send, parts: Parts, notify: Callable[[str], None]
) -> tuple[str, bool, int]:
    """Have its branch hold the release; (newest commit, whether it is new, files that were compared)."""
    head = client.resolve(plan.repo_id, request.ref)
    tree = client.tree(plan.repo_id, head)
    add, replaced, unchanged, only_there = split_by_remote(plan.files, tree)
    gone = {item.path for item in plan.delete} & tree.keys()
    if _only_releases(client, plan.repo_id, head, _base(request.description)):
        gone |= set(only_there) - set(plan.kept) - {item.path for item in plan.delete}
    delete = tuple(_dropped(path, tree[path]) for path in sorted(gone))
    wanted = replace(plan, revision=request.ref, add=add, replace=replaced, unchanged=unchanged, delete=delete)
    first = head
    if wanted.makes_commit:
        pieces = parts(send(wanted))
        for number, piece in enumerate(pieces, 1):
            head = _commit(client, wanted, head, piece, len(pieces) - number, notify)
        done = counted(len(wanted.changes), "file") + (f" and deleted {len(delete):,}" if delete else "")
        notify(f"committed {done} to pull request {request.number} as {head[:12]}")
    else:
        notify(f"pull request {request.number} holds these files already")
    found = compare(plan.files, (), gone, client.tree(plan.repo_id, head))
    if found:
        raise VerificationError(
            f"pull request {request.number} of {plan.repo_id} does not hold what was sent "
            f"({found[0].path}: {found[0].what})",
            RETRY_HINT,
        )
    return head, head != first, len(plan.files)


def _commit(
    client: HubClient, plan: Plan, head: str, piece: Sequence[Operation], left: int, notify: Callable[[str], None]
) -> str:
    trailer = card_trailer(plan.card)
    # A merge keeps titles alone, and the next push has to know which card this one published.
    title = trailer if trailer and not left else plan.title
    change = Change(
        repo_id=plan.repo_id,
        revision=plan.revision,
        parent=head,
        operations=piece,
        title=title,
        description="Proposed by hubpub.",
        release=f"{plan.release}.{head[:8]}",
        paths=frozenset(item.path for item in piece),
        rebases=False,
    )
    return commit_once(client, change, notify).oid


def _dropped(path: str, there: RemoteFile) -> Stale:
    return Stale(path, there.size, "not of the release")


def _only_releases(client: HubClient, repo_id: str, head: str, base: str | None) -> bool:
    """Whether nobody but hubpub has committed to the pull request, so that what it holds is of earlier pushes."""
    for number, commit in enumerate(client.history(repo_id, head)):
        if commit.oid == base:
            return True
        if number == _MOST_COMMITS or not _OF_A_RELEASE.search(commit.message):
            return False
    return False
