"""Gated repos: asking to read one, and deciding who may.

API: `huggingface_hub.HfApi.grant_access` and its neighbours; https://huggingface.co/docs/hub/models-gated. In a
repo that is gated `auto`, whoever asks may read; in one that is gated `manual`, its owners decide.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.permissions import Action
from hubpub.hub.errors import ApiError, bad_request, forbidden
from hubpub.hub.store.repos import AccessStatus, RepoRecord, iso_time
from hubpub.hub.web.call import Call
from hubpub.hub.web.routing import repo_route, web_routes

_MOST_REQUESTS = 10_000

_Access = Mapping[str, Mapping[str, str]]


def ask(call: Call) -> Response:
    """`POST /{id}/ask-access`: accepted at once or put before the owners; who was turned down stays so."""
    call.repo(Action.SEE)
    who = call.signed_in()
    if who.token.repo is not None:
        raise forbidden("The token of a trusted publisher cannot ask for access")
    user = who.user.name

    def asked(record: RepoRecord) -> _Access:
        if user in record.access:
            return record.access
        if len(record.access) >= _MOST_REQUESTS:
            raise ApiError(429, "Too many have asked for access to this repo")
        status = AccessStatus.ACCEPTED if record.gated == "auto" else AccessStatus.PENDING
        return _with(record, user, status)

    record = _change(call, Action.SEE, asked)
    return JSONResponse({"status": record.access[user]["status"]})


def requests(call: Call) -> Response:
    """`GET /api/{kind}/{id}/user-access-request/{status}`: those who asked."""
    record = call.repo(Action.MANAGE)
    status = call.params["status"]
    if status not in list(AccessStatus):
        raise bad_request("The status is not pending, accepted or rejected")
    return JSONResponse(
        [_item(call, user, entry) for user, entry in record.access.items() if entry["status"] == status]
    )


def handle(call: Call) -> Response:
    """`POST /api/{kind}/{id}/user-access-request/handle`: accept, reject, or put back a request."""
    document = call.json()
    status = call.text(document, "status")
    if status not in list(AccessStatus):
        raise bad_request("The status is not pending, accepted or rejected")
    user = call.text(document, "requestId" if "requestId" in document else "user")

    def handled(record: RepoRecord) -> _Access:
        if user not in record.access:
            raise ApiError(404, f"There is no access request of {user}")
        if record.access[user]["status"] == status:
            raise ApiError(404, f"The access request of {user} is {status} already")
        return _with(record, user, AccessStatus(status))

    _change(call, Action.MANAGE, handled)
    return JSONResponse({})


def grant(call: Call) -> Response:
    """`POST /api/{kind}/{id}/user-access-request/grant`: let somebody read who did not ask."""
    user = call.text(call.json(), "user")

    def granted(record: RepoRecord) -> _Access:
        if user not in call.state.accounts.users:
            raise ApiError(404, f"User {user} does not exist")
        if user in record.access and record.access[user]["status"] == AccessStatus.ACCEPTED:
            raise bad_request(f"{user} already has access to this repo")
        return _with(record, user, AccessStatus.ACCEPTED)

    _change(call, Action.MANAGE, granted)
    return JSONResponse({})


def _change(call: Call, action: Action, change: Callable[[RepoRecord], _Access]) -> RepoRecord:
    call.repo(action)
    with call.state.repos.lock(call.repo_id):
        record = call.repo(action)
        if not record.gated:
            raise bad_request("This repo is not gated")
        access = change(record)
        return record if access is record.access else call.state.repos.update(record, access=access)


def _with(record: RepoRecord, user: str, status: AccessStatus) -> _Access:
    return {**record.access, user: {"status": status.value, "at": iso_time(time.time())}}


def _item(call: Call, user: str, entry: Mapping[str, str]) -> dict[str, Any]:
    known = call.state.accounts.users.get(user)
    return {
        "requestId": user,
        "user": {"user": user, "fullname": known.fullname if known and known.fullname else user},
        "status": entry["status"],
        "timestamp": entry["at"],
    }


ROUTES: list[BaseRoute] = [
    repo_route("GET", "user-access-request/{status}", requests),
    repo_route("POST", "user-access-request/handle", handle),
    repo_route("POST", "user-access-request/grant", grant),
    *web_routes("POST", "ask-access", ask),
]
