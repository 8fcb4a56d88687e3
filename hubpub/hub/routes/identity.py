"""Who am I, and may I?"""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.accounts import Identity
from hubpub.hub.access.fine_grained import Grants
from hubpub.hub.access.permissions import Action
from hubpub.hub.access.tokens import Token
from hubpub.hub.errors import ApiError
from hubpub.hub.naming import RepoId
from hubpub.hub.store.repos import iso_time
from hubpub.hub.web.call import Call
from hubpub.hub.web.routing import repo_route, route


def whoami(call: Call) -> Response:
    """`GET /api/whoami-v2`."""
    who = call.signed_in()
    if who.token.repo is not None:
        return JSONResponse(_publisher(who.token, who.token.repo))
    user = who.user
    orgs = [
        {
            "type": "org",
            "id": _id(org.name),
            "name": org.name,
            "fullname": org.name,
            "isEnterprise": False,
            "roleInOrg": org.members[user.name].label,
        }
        for org in list(call.state.accounts.orgs.values())
        if user.name in org.members
    ]
    return JSONResponse(
        {
            "type": "user",
            "id": _id(user.name),
            "name": user.name,
            "fullname": user.fullname or user.name,
            "canPay": False,
            "isPro": False,
            "orgs": orgs,
            "auth": _auth(who),
        }
    )


def auth_check(call: Call) -> Response:
    """`GET /api/{kind}/{id}/auth-check`: may the caller read the files?"""
    call.repo(Action.READ)
    return JSONResponse({})


def auth_check_write(call: Call) -> Response:
    """`GET /api/{kind}/{id}/auth-check/write`: may the caller commit?"""
    call.repo(Action.WRITE)
    return JSONResponse({})


def agent_harnesses(_: Call) -> Response:
    """`GET /api/agent-harnesses`: the client asks once a day, and needs no answer."""
    raise ApiError(404, "Not found")


def _auth(who: Identity) -> dict[str, Any]:
    token = who.token
    access: dict[str, Any] = {
        "displayName": token.name,
        "role": token.role.value,
        "createdAt": iso_time(token.created),
    }
    if token.grants is not None:
        access["fineGrained"] = _fine_grained(token.grants)
    return {"type": "access_token", "accessToken": access, **_expiry(token)}


def _fine_grained(grants: Grants) -> dict[str, Any]:
    return {
        "canReadGatedRepos": grants.gated,
        "global": sorted(grants.everywhere),
        "scoped": [
            {
                "entity": {"_id": _id(scope.name), "type": scope.kind, "name": scope.name},
                "permissions": sorted(scope.permissions),
            }
            for scope in grants.scopes
        ],
    }


def _publisher(token: Token, repo: RepoId) -> dict[str, Any]:
    """A trusted publisher is no user, but an app that may write to one entity."""
    entity = {"_id": _id(repo.web_path), "type": repo.kind.value, "name": str(repo)}
    return {
        "type": "app",
        "id": _id(token.name),
        "name": str(repo),
        "fullname": token.name,
        "orgs": [],
        "scope": {"role": "write", "entities": [entity]},
        "auth": {"type": "oauth_resource", "resource": {"sub": repo.web_path}, **_expiry(token)},
    }


def _expiry(token: Token) -> dict[str, str]:
    return {} if token.expires is None else {"expiresAt": iso_time(token.expires)}


def _id(name: str) -> str:
    """A stable id of the form that the Hub's ids have: 24 hex digits."""
    return hashlib.sha256(name.encode()).hexdigest()[:24]


ROUTES: list[BaseRoute] = [
    route("GET", "/api/whoami-v2", whoami),
    route("GET", "/api/agent-harnesses", agent_harnesses),
    repo_route("GET", "auth-check", auth_check),
    repo_route("GET", "auth-check/write", auth_check_write),
]
