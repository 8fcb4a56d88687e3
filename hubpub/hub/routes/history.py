"""Rewriting and comparing history: super-squash, and the diff between two revisions."""

from __future__ import annotations

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.permissions import Action
from hubpub.hub.errors import bad_request, revision_not_found, too_large
from hubpub.hub.routes.commit import writable
from hubpub.hub.store.commits import write_commit
from hubpub.hub.store.git import GitRepo
from hubpub.hub.store.tree_diff import diff_text
from hubpub.hub.web.call import Call
from hubpub.hub.web.routing import repo_route

_BRANCHES = ("refs/heads/", "refs/pr/", "refs/convert/")
_LARGEST_DIFF = 32 << 20


def super_squash(call: Call) -> Response:
    """`POST /api/{kind}/{id}/super-squash/{branch}`: its files as one commit without parents.

    What other branches and tags name keeps its history.
    """
    revision = call.params["ref"]
    message = call.text(call.json(), "message", "")
    user = call.signed_in().user
    writable(call, revision)
    with call.state.repos.lock(call.repo_id), call.state.repos.git(writable(call, revision)) as git:
        full = revision if revision.startswith(_BRANCHES) else f"refs/heads/{revision}"
        head = git.ref(full)
        if head is None:
            raise revision_not_found(revision)
        tree = git.tree(git.root_tree(head))
        oid = write_commit(git, [tree], {}, None, message.strip() or f"Super-squash branch '{revision}'", user)
        git.set_ref(full, oid)
    return JSONResponse({"commitOid": oid})


def compare(call: Call) -> Response:
    """`GET /api/{kind}/{id}/compare/{base}..{head}`: a unified diff; `...` compares from the last common commit."""
    text = call.params["revisions"]
    dots = "..." if "..." in text else ".."
    base_name, separator, head_name = text.partition(dots)
    if not (base_name and separator and head_name):
        raise bad_request("Name two revisions: BASE..HEAD")
    record = call.repo(Action.READ)
    with call.state.repos.git(record) as git:
        base, head = _commit(git, base_name), _commit(git, head_name)
        start = _common(git, base, head) if dots == "..." else base
        found = diff_text(git, git.root_tree(start) if start else None, git.root_tree(head), _LARGEST_DIFF)
    if found is None:
        raise too_large(f"The difference is larger than {_LARGEST_DIFF} bytes")
    return PlainTextResponse(found, headers={"X-Content-Type-Options": "nosniff"})


def _commit(git: GitRepo, revision: str) -> str:
    found = git.resolve(revision)
    if found is None:
        raise revision_not_found(revision)
    return found


def _common(git: GitRepo, base: str, head: str) -> str | None:
    known = {oid for oid, _ in git.history(base)}
    return next((oid for oid, _ in git.history(head) if oid in known), None)


ROUTES: list[BaseRoute] = [
    repo_route("POST", "super-squash/{ref}", super_squash),
    repo_route("GET", "compare/{revisions}", compare),
]
