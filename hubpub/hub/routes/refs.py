"""Branches and tags."""

from __future__ import annotations

import time
from typing import Any

from dulwich.objects import Commit, ObjectID, Tag
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.permissions import Action
from hubpub.hub.errors import ApiError, forbidden, revision_not_found
from hubpub.hub.naming import checked_ref
from hubpub.hub.store.git import GitRepo
from hubpub.hub.store.repos import MAIN
from hubpub.hub.web.call import Call
from hubpub.hub.web.routing import repo_route

_HEADS, _TAGS = "refs/heads/", "refs/tags/"


def refs(call: Call) -> Response:
    """`GET /api/{kind}/{id}/refs`, with pull requests if asked for."""
    record = call.repo(Action.SEE)
    with call.state.repos.git(record) as git:
        found: dict[str, Any] = {
            "branches": _items(git, _HEADS),
            "converts": _items(git, "refs/convert/"),
            "tags": _items(git, _TAGS),
        }
        if call.flag("include_prs"):
            found["pullRequests"] = [{**item, "name": item["ref"]} for item in _items(git, "refs/pr/")]
    return JSONResponse(found)


def create_branch(call: Call) -> Response:
    """`POST /api/{kind}/{id}/branch/{branch}`, at `startingPoint` or main."""
    start = call.text(call.json(), "startingPoint", "main")
    full = checked_ref(call.params["ref"], _HEADS)
    record = call.repo(Action.WRITE)
    with call.state.repos.lock(record.id), call.state.repos.git(record) as git:
        _create(git, full, _commit(git, start))
    return JSONResponse({})


def delete_branch(call: Call) -> Response:
    """`DELETE /api/{kind}/{id}/branch/{branch}`; main stays."""
    return _delete(call, _HEADS)


def create_tag(call: Call) -> Response:
    """`POST /api/{kind}/{id}/tag/{rev}`: name a commit; with a message, by an annotated tag."""
    document = call.json()
    name = call.text(document, "tag")
    message = document.get("message")
    full = checked_ref(name, _TAGS)
    record = call.repo(Action.WRITE)
    with call.state.repos.lock(record.id), call.state.repos.git(record) as git:
        target = _commit(git, call.params["rev"])
        if git.ref(full) is None and isinstance(message, str) and message.strip():
            tag = _annotated(name, target, message, call.signed_in().user.name)
            git.add([tag], 1)
            target = tag.id.decode()
        _create(git, full, target)
    return JSONResponse({})


def delete_tag(call: Call) -> Response:
    """`DELETE /api/{kind}/{id}/tag/{tag}`."""
    return _delete(call, _TAGS)


def _delete(call: Call, prefix: str) -> Response:
    name = call.params["ref"]
    record = call.repo(Action.WRITE)
    with call.state.repos.lock(record.id), call.state.repos.git(record) as git:
        if name not in git.refs(prefix):
            raise revision_not_found(name)
        if prefix + name == MAIN:
            raise forbidden(f"Cannot delete {MAIN}")
        git.delete_ref(prefix + name)
    return JSONResponse({})


def _create(git: GitRepo, full: str, target: str) -> None:
    if git.ref(full) is not None:
        raise ApiError(409, f"Reference {full} already exists")
    try:
        git.set_ref(full, target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise ApiError(409, f"Reference {full} cannot exist beside another that starts or ends like it") from None


def _commit(git: GitRepo, revision: str) -> str:
    found = git.resolve(revision)
    if found is None:
        raise revision_not_found(revision)
    return found


def _annotated(name: str, target: str, message: str, tagger: str) -> Tag:
    tag = Tag()
    tag.name = name.encode("utf-8")
    tag.object = (Commit, ObjectID(target.encode()))
    tag.message = message.encode("utf-8", "replace") + b"\n"
    tag.tagger = f"{tagger} <{tagger}@users.noreply.localhost>".encode()
    tag.tag_time = int(time.time())
    tag.tag_timezone = 0
    return tag


def _items(git: GitRepo, prefix: str) -> list[dict[str, Any]]:
    return [{"name": name, "ref": prefix + name, "targetCommit": commit} for name, commit in git.refs(prefix).items()]


ROUTES: list[BaseRoute] = [
    repo_route("GET", "refs", refs),
    repo_route("POST", "branch/{ref}", create_branch),
    repo_route("DELETE", "branch/{ref}", delete_branch),
    repo_route("POST", "tag/{rev}", create_tag),
    repo_route("DELETE", "tag/{ref}", delete_tag),
]
