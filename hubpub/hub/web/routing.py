"""Routes that match the raw path.

Clients send a revision as one encoded segment: `refs%2Fpr%2F1`. ASGI's `path` is decoded as a whole, which
makes three segments of it; so the raw path is split first and each segment is decoded after.
"""

from __future__ import annotations

import errno
import inspect
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from hubpub.hub.errors import ApiError
from hubpub.hub.naming import RepoKind
from hubpub.hub.state import log
from hubpub.hub.web.call import Call

Handler = Callable[[Call], Response] | Callable[[Call], Awaitable[Response]]
_LONGEST_MESSAGE = 500
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class Param:
    """A segment of a path that varies.

    Attributes:
        name: of the parameter.
        choices: what it may be; empty for anything.
        suffix: what the segment ends with besides.
        rest: whether it takes all further segments too, perhaps none.
    """

    name: str
    choices: frozenset[str] = frozenset()
    suffix: str = ""
    rest: bool = False

    def value(self, segment: str) -> str | None:
        """The value in a decoded segment; None if it does not match."""
        if not segment.endswith(self.suffix) or (self.choices and segment not in self.choices):
            return None
        return segment.removesuffix(self.suffix) or None


_KIND = Param("kind", choices=frozenset(kind.plural for kind in RepoKind))


class RawRoute(BaseRoute):
    """A route on decoded segments of the raw path.

    A handler that is a plain function runs in a thread, with the body read before (a GET has none); one that is a
    coroutine reads the body itself.
    """

    def __init__(self, method: str, pattern: Iterable[str | Param], handler: Handler) -> None:
        self.methods = {method, "HEAD"} if method == "GET" else {method}
        self.pattern = tuple(pattern)
        self.handler = handler
        self._is_coroutine = inspect.iscoroutinefunction(handler)

    def word(self, position: int) -> str | None:
        """The fixed word at a position of the paths that this route is for; None if it varies."""
        part = self.pattern[position] if position < len(self.pattern) else None
        return part if isinstance(part, str) else None

    def takes(self, length: int) -> bool:
        """Whether a path of so many segments can be one that this route is for."""
        fixed = len(self.pattern)
        last = self.pattern[-1] if self.pattern else None
        return length >= fixed - 1 if isinstance(last, Param) and last.rest else length == fixed

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this route is for the request: fully, or but for the method."""
        if scope["type"] != "http":
            return Match.NONE, {}
        params = self._params(segments(scope))
        if params is None:
            return Match.NONE, {}
        found = Match.FULL if scope["method"] in self.methods else Match.PARTIAL
        return found, {"path_params": params, "endpoint": self.handler}

    def _params(self, path: tuple[str, ...]) -> dict[str, str] | None:
        params: dict[str, str] = {}
        for index, part in enumerate(self.pattern):
            if isinstance(part, Param) and part.rest:
                params[part.name] = "/".join(path[index:])
                return params
            if index >= len(path):
                return None
            if isinstance(part, str):
                if part != path[index]:
                    return None
                continue
            value = part.value(path[index])
            if value is None:
                return None
            params[part.name] = value
        return params if len(path) == len(self.pattern) else None

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request; whatever goes wrong becomes an answer that clients understand."""
        request = Request(scope, receive)
        try:
            if request.method not in self.methods:
                raise ApiError(405, "Method not allowed", headers={"Allow": ", ".join(sorted(self.methods))})
            response = await self._respond(Call(request, scope["hubpub.state"], scope["path_params"]))
        except ApiError as error:
            response = error_response(error)
        except ClientDisconnect:
            return
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _DISK_FULL:
                response = error_response(ApiError(507, "The hub's disk is full: nothing was changed"))
            else:
                # Not the path: it may hold a capability.
                log.exception("%s of %s failed", getattr(self.handler, "__name__", "handler"), request.method)
                response = error_response(ApiError(500, "Internal error of the hub"))
        await response(scope, receive, send)

    async def _respond(self, call: Call) -> Response:
        if self._is_coroutine:
            return await cast(Awaitable[Response], self.handler(call))
        handler = cast(Callable[[Call], Response], self.handler)
        if call.request.method in ("GET", "HEAD"):
            return await call.state.readers.run(handler, call)
        call.body = await call.read_body(call.state.limits.json_body)
        return await run_in_threadpool(handler, call)


def segments(scope: Scope) -> tuple[str, ...]:
    """The decoded segments of a request's raw path. Invalid UTF-8 becomes U+FFFD, which names nothing."""
    found: tuple[str, ...] | None = scope.get("hubpub.segments")
    if found is None:
        raw = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
        path = raw.split(b"?")[0].decode("ascii", "replace").removeprefix("/")
        found = tuple(unquote(segment) for segment in path.split("/")) if path else ()
        scope["hubpub.segments"] = found
    return found


def error_response(error: ApiError) -> Response:
    """The answer that a refusal becomes."""
    # What the message quotes came from the request: nothing of it may end the header.
    message = re.sub(r"[^ -~]", "?", error.message)[:_LONGEST_MESSAGE]
    headers = {"X-Error-Message": message, **error.headers}
    if error.code:
        headers["X-Error-Code"] = error.code
    # With every other character escaped: what the message quotes need not be valid Unicode.
    body = json.dumps({"error": error.message, **error.body})
    return Response(body, error.status, headers, "application/json")


def route(method: str, path: str, handler: Handler) -> RawRoute:
    """A route on a path such as `/api/whoami-v2` or `/lfs/{capability}`."""
    return RawRoute(method, _pattern(path), handler)


def kind_route(method: str, handler: Handler) -> RawRoute:
    """A route on `/api/models` and the like."""
    return RawRoute(method, ("api", _KIND), handler)


def repo_route(method: str, tail: str, handler: Handler) -> RawRoute:
    """A route below `/api/models/{ns}/{name}` and the like."""
    pattern = ("api", _KIND, Param("ns"), Param("name"), *_pattern(tail))
    return RawRoute(method, pattern, handler)


def web_routes(method: str, tail: str, handler: Handler, *, suffix: str = "") -> list[RawRoute]:
    """Routes below `/{ns}/{name}`, and below `/datasets/{ns}/{name}`."""
    below = (Param("ns"), Param("name", suffix=suffix), *_pattern(tail))
    kinds = Param("kind", choices=frozenset(kind.plural for kind in RepoKind if kind.web_prefix))
    return [
        RawRoute(method, (kinds, *below), handler),
        RawRoute(method, below, handler),
    ]


def _pattern(path: str) -> list[str | Param]:
    pattern: list[str | Param] = []
    for part in filter(None, path.split("/")):
        if part.startswith("{"):
            name = part.strip("{}")
            pattern.append(Param(name.rstrip("*"), rest=name.endswith("*")))
        else:
            pattern.append(part)
    return pattern
