"""The ASGI application: all routes, and what holds for every request."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hubpub.hub import (
    pages,
    pages_discussions,
    routes_access,
    routes_admin,
    routes_commit,
    routes_copies,
    routes_discussions,
    routes_git,
    routes_history,
    routes_identity,
    routes_info,
    routes_lfs,
    routes_oauth,
    routes_read,
    routes_refs,
    routes_repos,
    routes_xet,
)
from hubpub.hub.config import HubConfig
from hubpub.hub.errors import ApiError
from hubpub.hub.fault_injection import FaultInjection
from hubpub.hub.metrics import Measured
from hubpub.hub.router import Router
from hubpub.hub.routing import error_response, route, web_routes
from hubpub.hub.state import HubState

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")

_FALLBACKS: list[BaseRoute] = [
    *(
        route(method, f"/api/{kind}/{{rest*}}", routes_repos.unknown_repo)
        for kind in ("models", "datasets", "spaces", "kernels")
        for method in ("GET", "POST", "PUT", "DELETE")
    ),
    *web_routes("POST", "{rest*}", routes_repos.unknown_repo, suffix=".git"),
    route("GET", "/{name}/resolve/{rest*}", routes_repos.unknown_repo),
    route("GET", "/{kind}/{ns}/{name}/resolve/{rest*}", routes_repos.unknown_repo),
]


def build_app(state: HubState) -> ASGIApp:
    """The application that serves `state`."""
    app = Router(
        [
            *routes_identity.ROUTES,
            *routes_oauth.ROUTES,
            *routes_access.ROUTES,
            *routes_repos.ROUTES,
            *routes_info.ROUTES,
            *routes_commit.ROUTES,
            *routes_copies.ROUTES,
            *routes_discussions.ROUTES,
            *routes_history.ROUTES,
            *routes_read.ROUTES,
            *routes_refs.ROUTES,
            *routes_lfs.ROUTES,
            *routes_git.ROUTES,
            *routes_xet.ROUTES,
            *pages.ROUTES,
            *pages_discussions.ROUTES,
            *routes_admin.ROUTES,
            *_FALLBACKS,
        ],
        state,
    )
    return Measured(_Edge(FaultInjection(app, state.faults), _accepted_hosts(state.config)), state.metrics)


class _Edge:
    """Gives every answer a request id, and refuses requests that were made for another host.

    A page on the web can make a browser call a server on this machine under the page's own host name (DNS
    rebinding); such a request has that name in its Host header.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(12)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        hosts = Headers(scope=scope).getlist("host")
        match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None or match[1].strip("[]").lower() not in self._hosts:
            refusal = error_response(ApiError(421, "This hub is not the host that the request is for"))
            await refusal(scope, receive, send_with_id)
            return
        await self._app(scope, receive, send_with_id)


def _accepted_hosts(config: HubConfig) -> frozenset[str]:
    public = urlsplit(config.public_url).hostname if config.public_url else None
    return LOOPBACK_NAMES | {config.host.lower()} | ({public} if public else set())
