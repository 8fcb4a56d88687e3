"""Creating, changing, moving and deleting repos."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.card.metadata.schema import validate_card
from hubpub.hub.access.permissions import Action, checked_creation, checked_visibility, may
from hubpub.hub.errors import ApiError, bad_request, repo_not_found
from hubpub.hub.naming import RepoId, RepoKind, repo_id
from hubpub.hub.store.commits import first_commit
from hubpub.hub.web.call import Call
from hubpub.hub.web.routing import repo_route, route

_SPACE_SDKS = ("gradio", "streamlit", "docker", "static")


def create(call: Call) -> Response:
    """`POST /api/repos/create`. An existing repo is 409 with its `url`, which `exist_ok` needs."""
    document = call.json()
    who = call.signed_in()
    repo = _named(call, document)
    existing = call.state.repos.get(repo)
    if existing is not None and may(call.state.accounts, who, Action.SEE, existing):
        raise already_exists(call, repo)
    private = checked_creation(call.state.accounts, who, repo, is_private(document))
    readme = _space_readme(call, repo, document) if repo.kind is RepoKind.SPACE else ""
    with call.state.repos.lock(repo):
        created = call.state.repos.create(
            repo, who.user.name, private=private, first_commit=lambda git: first_commit(git, who.user, readme)
        )
    if created is None:
        raise already_exists(call, repo)
    return JSONResponse({"url": repo_url(call, repo), "name": str(repo), "id": created.uid})


def delete(call: Call) -> Response:
    """`DELETE /api/repos/delete`."""
    call.signed_in()
    repo = _named(call, call.json())
    record = call.allowed(call.state.repos.get(repo), Action.MANAGE)
    with call.state.repos.lock(repo):
        present = call.state.repos.get(repo)
        if present is not None and present.uid == record.uid:
            call.state.repos.delete(record)
    return JSONResponse({})


def move(call: Call) -> Response:
    """`POST /api/repos/move`. The old name leads to the new one (see `Call.repo`)."""
    document = call.json()
    who = call.signed_in()
    kind = _kind(call, document)
    old, new = (_split(call.text(document, key), kind) for key in ("fromRepo", "toRepo"))
    record = call.allowed(call.state.repos.get(old), Action.MANAGE)
    taken = ApiError(409, f"A {kind.value} repository called {new} already exists")
    if old == new:
        raise taken
    checked_creation(call.state.accounts, who, new, record.private)
    first, second = sorted((old, new), key=str)
    with call.state.repos.lock(first), call.state.repos.lock(second):
        record = call.allowed(call.state.repos.get(old), Action.MANAGE)
        if call.state.repos.move(record, new) is None:
            raise taken
    return JSONResponse({"url": repo_url(call, new)})


def settings(call: Call) -> Response:
    """`PUT /api/{kind}/{id}/settings`: visibility and gating."""
    call.repo(Action.MANAGE)
    document = call.json()
    changes: dict[str, Any] = {}
    private = is_private(document)
    if private is not None:
        changes["private"] = checked_visibility(call.state.accounts, call.repo_id, private)
    if "gated" in document:
        if document["gated"] not in (False, "auto", "manual"):
            raise bad_request("gated is not false, auto or manual")
        changes["gated"] = document["gated"]
    with call.state.repos.lock(call.repo_id):
        record = call.state.repos.update(call.repo(Action.MANAGE), **changes)
    return JSONResponse({"private": record.private, "gated": record.gated})


def validate_yaml(call: Call) -> Response:
    """`POST /api/validate-yaml`: the metadata of a README. The body is JSON whatever the status."""
    document = call.json()
    content, kind = call.text(document, "content"), call.text(document, "repoType", "model")
    if kind not in ("model", "dataset", "space"):
        raise bad_request(f"repoType {kind} has no metadata to validate")
    verdict = validate_card(content.encode("utf-8", "replace").decode("utf-8"), kind)
    body = {
        "errors": [{"message": message} for message in verdict.errors],
        "warnings": [{"message": message} for message in verdict.warnings],
    }
    return JSONResponse(body, 400 if verdict.errors else 200)


def _kind(call: Call, document: dict[str, Any]) -> RepoKind:
    kind = call.text(document, "type", RepoKind.MODEL.value)
    if kind not in list(RepoKind):
        raise bad_request(f"This hub does not hold repos of type {kind}")
    return RepoKind(kind)


def _split(text: str, kind: RepoKind) -> RepoId:
    namespace, _, name = text.partition("/")
    found = repo_id(kind, namespace, name)
    if found is None:
        raise bad_request(f"Invalid repo name: {text}")
    return found


def _space_readme(call: Call, repo: RepoId, document: dict[str, Any]) -> str:
    sdk = call.text(document, "sdk", "")
    if sdk not in _SPACE_SDKS:
        raise bad_request(f"sdk is not {', '.join(_SPACE_SDKS)}")
    if document.get("template") is not None:
        raise bad_request("This hub has no templates of Spaces")
    return f"---\ntitle: {json.dumps(repo.name)}\nsdk: {sdk}\n---\n"


def _named(call: Call, document: dict[str, Any]) -> RepoId:
    kind = _kind(call, document)
    name = call.text(document, "name")
    namespace = document.get("organization") or call.signed_in().user.name
    found = repo_id(kind, namespace, name) if isinstance(namespace, str) else None
    if found is None:
        raise bad_request(f"Invalid repo name: {namespace}/{name}")
    return found


def is_private(document: dict[str, Any]) -> bool | None:
    """What is asked for: a private repo, a public one, or whatever is usual."""
    if "visibility" not in document:
        private = document.get("private")
        return private if isinstance(private, bool) else None
    if document["visibility"] not in ("public", "private"):
        raise bad_request("visibility is not public or private")
    return bool(document["visibility"] == "private")


def already_exists(call: Call, repo: RepoId) -> ApiError:
    """409 with the repo's `url`."""
    return ApiError(409, f"You already created this {repo.kind.value} repo: {repo}", body={"url": repo_url(call, repo)})


def repo_url(call: Call, repo: RepoId) -> str:
    """The repo's page."""
    return f"{call.endpoint}/{repo.web_path}"


def unknown_repo(call: Call) -> Response:
    """Any other path of a repo, such as one with a name that no repo can have: clients expect RepoNotFound."""
    raise repo_not_found(signed_in=call.who is not None)


ROUTES: list[BaseRoute] = [
    route("POST", "/api/repos/create", create),
    route("DELETE", "/api/repos/delete", delete),
    route("POST", "/api/repos/move", move),
    route("POST", "/api/validate-yaml", validate_yaml),
    repo_route("PUT", "settings", settings),
]
