"""Who am I, and may I?"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.call import Call
from hubpub.hub.errors import ApiError
from hubpub.hub.permissions import Action
from hubpub.hub.routing import repo_route, route


def whoami(call: Call) -> Response:
    """`GET /api/whoami-v2`."""
    who = call.signed_in()
    user = who.user
    orgs = [
        {
            "type": "org",
            "id": org.name,
            "name": org.name,
            "fullname": org.name,
            "isEnterprise": False,
            "roleInOrg": org.members[user.name].label,
        }
        for org in call.state.accounts.orgs.values()
        if user.name in org.members
    ]
    return JSONResponse(
        {
            "type": "user",
            "id": user.name,
            "name": user.name,
            "fullname": user.fullname or user.name,
            "isPro": False,
            "orgs": orgs,
            "auth": {
                "type": "access_token",
                "accessToken": {"displayName": who.token.name, "role": who.token.role.value},
            },
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


ROUTES: list[BaseRoute] = [
    route("GET", "/api/whoami-v2", whoami),
    route("GET", "/api/agent-harnesses", agent_harnesses),
    repo_route("GET", "auth-check", auth_check),
    repo_route("GET", "auth-check/write", auth_check_write),
]
