"""Discussions and pull requests.

API: `huggingface_hub.hf_api`, from `get_repo_discussions` to `hide_discussion_comment`. Who may read a repo may
open and comment; who opened one may rename and close it; merging needs the right to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.permissions import Action, may
from hubpub.hub.errors import ApiError, bad_request, forbidden
from hubpub.hub.store.discussions import (
    Discussion,
    PullRequest,
    Status,
    checked_title,
    comment,
    edited,
    event,
    hidden,
    opened,
)
from hubpub.hub.store.git import GitRepo
from hubpub.hub.store.pull_requests import all_events, conflicts, diff, merge, settled
from hubpub.hub.store.repos import MAIN, RepoRecord
from hubpub.hub.web.call import Call
from hubpub.hub.web.routing import repo_route

_PAGE = 25
_LARGEST_DIFF = 8 << 20
_MOST_DIGITS = 10
_FILTERS: dict[str, dict[str, Callable[[Discussion], bool]]] = {
    "type": {
        "discussion": lambda found: found.pull_request is None,
        "pull_request": lambda found: found.pull_request is not None,
    },
    "status": {"open": lambda found: found.is_open, "closed": lambda found: not found.is_open},
}


def create(call: Call) -> Response:
    """`POST /api/{kind}/{id}/discussions`; a pull request starts as a draft, with a ref at the head of main."""
    document = call.json()
    title, text = call.text(document, "title"), call.text(document, "description")
    user = call.signed_in().user
    with _locked(call, Action.PROPOSE) as (record, git):
        number = call.state.discussions.next_number(record, git)
        if document.get("pullRequest") is not True:
            call.state.discussions.save(record, opened(number, title, text, user.name, Status.OPEN))
        else:
            base = git.ref(MAIN)
            if base is None:
                raise ApiError(404, f"Invalid rev id: {MAIN}", code="RevisionNotFound")
            request = opened(number, title, text, user.name, Status.DRAFT, PullRequest(MAIN, base))
            call.state.discussions.save(record, request)
            git.set_ref(request.ref, base)
    return JSONResponse({"num": number, "url": f"{call.endpoint}/{record.id.web_path}/discussions/{number}"})


def listing(call: Call) -> Response:
    """`GET /api/{kind}/{id}/discussions?p=&type=&status=&author=`, the newest first."""
    wanted: list[Callable[[Discussion], bool]] = []
    for name, filters in _FILTERS.items():
        value = call.query(name, "all")
        if value != "all" and value not in filters:
            raise bad_request(f"{name} is not all, {' or '.join(filters)}")
        wanted += [filters[value]] if value != "all" else []
    if author := call.query("author"):
        wanted.append(lambda found: found.author == author)
    start = call.number("p", 0, 1 << 20) * _PAGE
    record = call.repo(Action.SEE)
    with call.state.repos.git(record) as git:
        every = (settled(git, found) for found in call.state.discussions.every(record, git))
        matching = [found for found in every if all(test(found) for test in wanted)]
    page = [_head(record, found) for found in islice(matching, start, start + _PAGE)]
    return JSONResponse({"discussions": page, "count": len(matching), "start": start})


def details(call: Call) -> Response:
    """`GET /api/{kind}/{id}/discussions/{num}`, with events; of a pull request with conflicts, and `diff` if asked."""
    record = call.repo(Action.SEE)
    reads = may(call.state.accounts, call.who, Action.READ, record)
    with call.state.repos.git(record) as git:
        found = found_discussion(call, record, git)
        answer = {**_head(record, found), "events": all_events(git, found)}
        request = found.pull_request
        if request is not None:
            answer["changes"] = {"base": request.target}
            if request.merge_commit:
                answer["changes"]["mergeCommitId"] = request.merge_commit
            answer["filesWithConflicts"] = list(conflicts(git, found))
            text = diff(git, found, _LARGEST_DIFF) if reads and call.flag("diff") else None
            if text is not None:
                answer["diff"] = text
    return JSONResponse(answer)


def add_comment(call: Call) -> Response:
    """`POST /api/{kind}/{id}/discussions/{num}/comment`."""
    author = call.signed_in().user.name
    added = comment(author, call.text(call.json(), "comment"))
    with _changing(call, Action.PROPOSE) as (record, _, found):
        call.state.discussions.save(record, found.with_event(added))
    return JSONResponse({"newMessage": added})


def rename(call: Call) -> Response:
    """`POST /api/{kind}/{id}/discussions/{num}/title`."""
    title, author = checked_title(call.text(call.json(), "title")), call.signed_in().user.name
    with _changing(call, Action.PROPOSE) as (record, _, found):
        _check_owner(call, record, found.author)
        renamed = event("title-change", author, {"from": found.title, "to": title})
        call.state.discussions.save(record, found.with_event(renamed, title=title))
    return JSONResponse({"newTitle": renamed})


def change_status(call: Call) -> Response:
    """`POST /api/{kind}/{id}/discussions/{num}/status`: open (also of a draft) or closed."""
    document = call.json()
    status, author = call.text(document, "status"), call.signed_in().user.name
    if status not in (Status.OPEN, Status.CLOSED):
        raise bad_request("status is not open or closed")
    said = document.get("comment")
    with _changing(call, Action.PROPOSE) as (record, _, found):
        _check_owner(call, record, found.author)
        if found.status is Status.MERGED:
            raise ApiError(409, "This pull request is merged")
        if isinstance(said, str) and said.strip():
            found = found.with_event(comment(author, said))
        changed = event("status-change", author, {"status": status})
        call.state.discussions.save(record, found.with_event(changed, status=Status(status)))
    return JSONResponse({"newStatus": changed})


def merge_request(call: Call) -> Response:
    """`POST /api/{kind}/{id}/discussions/{num}/merge`."""
    said = call.json().get("comment")
    user = call.signed_in().user
    with _changing(call, Action.WRITE) as (record, git, found):
        if isinstance(said, str) and said.strip():
            found = found.with_event(comment(user.name, said))
        merge(call.state.discussions, record, git, found, user)
    return JSONResponse({})


def edit_comment(call: Call) -> Response:
    """`POST /api/{kind}/{id}/discussions/{num}/comment/{comment}/edit`: one's own only."""
    text, author = call.text(call.json(), "content"), call.signed_in().user.name
    with _changing(call, Action.PROPOSE) as (record, _, found):
        old = _comment(call, found)
        if old["author"]["name"] != author:
            raise forbidden("Only who wrote a comment may edit it")
        changed = edited(old, author, text)
        call.state.discussions.save(record, found.with_comment(changed))
    return JSONResponse({"updatedComment": changed})


def hide_comment(call: Call) -> Response:
    """`POST /api/{kind}/{id}/discussions/{num}/comment/{comment}/hide`: its texts are gone for good."""
    author = call.signed_in().user.name
    with _changing(call, Action.PROPOSE) as (record, _, found):
        old = _comment(call, found)
        _check_owner(call, record, old["author"]["name"])
        changed = hidden(old, author)
        call.state.discussions.save(record, found.with_comment(changed))
    return JSONResponse({"updatedComment": changed})


@contextmanager
def _locked(call: Call, action: Action) -> Iterator[tuple[RepoRecord, GitRepo]]:
    call.repo(action)
    with call.state.repos.lock(call.repo_id):
        # Looked up again: only now can nobody delete or move it.
        record = call.repo(action)
        with call.state.repos.git(record) as git:
            yield record, git


@contextmanager
def _changing(call: Call, action: Action) -> Iterator[tuple[RepoRecord, GitRepo, Discussion]]:
    """The discussion of the path, to be changed by a caller who may do `action`, with the repo's lock held."""
    with _locked(call, action) as (record, git):
        yield record, git, found_discussion(call, record, git)


def found_discussion(call: Call, record: RepoRecord, git: GitRepo) -> Discussion:
    """The discussion that the path names.

    Raises:
        ApiError: 404 if there is none.
    """
    number = call.params["num"]
    plain = number.isascii() and number.isdecimal() and len(number) < _MOST_DIGITS
    found = call.state.discussions.get(record, git, int(number)) if plain else None
    if found is None:
        raise ApiError(404, "There is no such discussion")
    return settled(git, found)


def _comment(call: Call, found: Discussion) -> dict[str, Any]:
    old = found.comment(call.params["comment"])
    if old is None:
        raise ApiError(404, "There is no such comment")
    return old


def _check_owner(call: Call, record: RepoRecord, author: str) -> None:
    who = call.signed_in()
    if who.user.name != author and not may(call.state.accounts, who, Action.WRITE, record):
        raise forbidden("Only who wrote it, or who may write to the repo, may change this")


def _head(record: RepoRecord, found: Discussion) -> dict[str, Any]:
    return {
        "num": found.number,
        "title": found.title,
        "author": {"name": found.author},
        "status": found.status.value,
        "createdAt": found.created_at,
        "isPullRequest": found.pull_request is not None,
        "repo": {"name": str(record.id), "type": record.id.kind.value},
        "numComments": sum(item["type"] == "comment" for item in found.events),
    }


ROUTES: list[BaseRoute] = [
    repo_route("POST", "discussions", create),
    repo_route("GET", "discussions", listing),
    repo_route("GET", "discussions/{num}", details),
    repo_route("POST", "discussions/{num}/comment", add_comment),
    repo_route("POST", "discussions/{num}/title", rename),
    repo_route("POST", "discussions/{num}/status", change_status),
    repo_route("POST", "discussions/{num}/merge", merge_request),
    repo_route("POST", "discussions/{num}/comment/{comment}/edit", edit_comment),
    repo_route("POST", "discussions/{num}/comment/{comment}/hide", hide_comment),
]
