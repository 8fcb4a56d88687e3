"""The ASGI application: all routes, and what holds for every request."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hubpub.hub.config import HubConfig
from hubpub.hub.errors import ApiError
from hubpub.hub.routes import ROUTES
from hubpub.hub.state import HubState
from hubpub.hub.web.fault_injection import FaultInjection
from hubpub.hub.web.metrics import Measured
from hubpub.hub.web.router import Router
from hubpub.hub.web.routing import error_response

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_HOST = re.compile(rb"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


def build_app(state: HubState) -> ASGIApp:
    """The application that serves `state`."""
    app = Router(
        ROUTES,
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
        request_id = secrets.token_hex(12).encode()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        # Names of headers are lower case in ASGI.
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None or match[1].strip(b"[]").lower().decode("ascii") not in self._hosts:
            refusal = error_response(ApiError(421, "This hub is not the host that the request is for"))
            await refusal(scope, receive, send_with_id)
            return
        await self._app(scope, receive, send_with_id)


def _accepted_hosts(config: HubConfig) -> frozenset[str]:
    public = urlsplit(config.public_url).hostname if config.public_url else None
    return LOOPBACK_NAMES | {config.host.lower()} | ({public} if public else set())
