"""Creating, changing, deleting and listing repos."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.card.schema import validate_card
from hubpub.hub.call import Call
from hubpub.hub.commits import first_commit
from hubpub.hub.errors import ApiError, bad_request, forbidden, repo_not_found
from hubpub.hub.naming import RepoId, RepoKind, repo_id
from hubpub.hub.permissions import Action, may, may_create
from hubpub.hub.repos import MAIN, RepoRecord
from hubpub.hub.routing import kind_route, repo_route, route


def create(call: Call) -> Response:
    """`POST /api/repos/create`. An existing repo is 409 with its `url`, which `exist_ok` needs."""
    document = call.json()
    who = call.signed_in()
    repo = _named(call, document)
    existing = call.state.repos.get(repo)
    if existing is not None and may(call.state.accounts, who, Action.SEE, existing):
        raise _exists(call, repo)
    if not may_create(call.state.accounts, who, repo.namespace):
        raise forbidden(
            f"You don't have the rights to create a {repo.kind.value} under the namespace {repo.namespace!r}"
        )
    private = _is_private(document)
    with call.state.repos.lock(repo):
        created = call.state.repos.create(
            repo, who.user.name, private=private, first_commit=lambda git: first_commit(git, who.user)
        )
    if created is None:
        raise _exists(call, repo)
    return JSONResponse({"url": _url(call, repo), "name": str(repo), "id": created.uid})


def delete(call: Call) -> Response:
    """`DELETE /api/repos/delete`."""
    call.signed_in()
    repo = _named(call, call.json())
    record = call.allowed(call.state.repos.get(repo), Action.MANAGE)
    with call.state.repos.lock(repo):
        if call.state.repos.get(repo) == record:
            call.state.repos.delete(record)
    return JSONResponse({})


def settings(call: Call) -> Response:
    """`PUT /api/{kind}/{id}/settings`: visibility and gating."""
    document = call.json()
    changes: dict[str, Any] = {}
    if "visibility" in document or "private" in document:
        changes["private"] = _is_private(document)
    if "gated" in document:
        if document["gated"] not in (False, "auto", "manual"):
            raise bad_request("gated is not false, auto or manual")
        changes["gated"] = document["gated"]
    call.repo(Action.MANAGE)
    with call.state.repos.lock(call.repo_id):
        record = call.state.repos.update(call.repo(Action.MANAGE), **changes)
    return JSONResponse({"private": record.private, "gated": record.gated})


def listing(call: Call) -> Response:
    """`GET /api/models?author=..&search=..&limit=..`: the repos that the caller may see."""
    author, search = call.query("author") or None, call.query("search").lower()
    if author is not None and repo_id(RepoKind.MODEL, author, "x") is None:
        return JSONResponse([])
    kind = RepoKind(call.params["kind"].removesuffix("s"))
    found: list[dict[str, Any]] = []
    limit = call.number("limit", call.state.limits.page, call.state.limits.page)
    for record in call.state.repos.every(kind, author):
        if len(found) == limit:
            break
        if search in str(record.id).lower() and may(call.state.accounts, call.who, Action.SEE, record):
            with call.state.repos.git(record) as git:
                head = git.ref(MAIN)
            if head:
                found.append({**summary(record), "sha": head})
    return JSONResponse(found)


def summary(record: RepoRecord) -> dict[str, Any]:
    """What every listing says of a repo."""
    name = str(record.id)
    return {
        "_id": record.uid,
        "id": name,
        **({"modelId": name} if record.id.kind is RepoKind.MODEL else {}),
        "author": record.id.namespace,
        "private": record.private,
        "gated": record.gated,
        "disabled": False,
        "createdAt": record.created_at,
        "downloads": 0,
        "likes": 0,
        "tags": [],
    }


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


def _named(call: Call, document: dict[str, Any]) -> RepoId:
    kind = call.text(document, "type", RepoKind.MODEL.value)
    if kind not in list(RepoKind):
        raise bad_request(f"This hub does not hold repos of type {kind}")
    name = call.text(document, "name")
    namespace = document.get("organization") or call.signed_in().user.name
    found = repo_id(RepoKind(kind), namespace, name) if isinstance(namespace, str) else None
    if found is None:
        raise bad_request(f"Invalid repo name: {namespace}/{name}")
    return found


def _is_private(document: dict[str, Any]) -> bool:
    visibility: object = document.get("visibility", "private" if document.get("private") is True else "public")
    if visibility not in ("public", "private"):
        raise bad_request("visibility is not public or private")
    return visibility == "private"


def _exists(call: Call, repo: RepoId) -> ApiError:
    return ApiError(409, f"You already created this {repo.kind.value} repo: {repo}", body={"url": _url(call, repo)})


def _url(call: Call, repo: RepoId) -> str:
    return f"{call.endpoint}/{repo.web_path}"


def unknown_repo(call: Call) -> Response:
    """Any other path of a repo, such as one with a name that no repo can have: clients expect RepoNotFound."""
    raise repo_not_found(signed_in=call.who is not None)


ROUTES: list[BaseRoute] = [
    route("POST", "/api/repos/create", create),
    route("DELETE", "/api/repos/delete", delete),
    route("POST", "/api/validate-yaml", validate_yaml),
    kind_route("GET", listing),
    repo_route("PUT", "settings", settings),
]
