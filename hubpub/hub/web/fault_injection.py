"""The layer of the application that makes chosen requests go wrong. See `hubpub.hub.web.faults` for the rules."""

from __future__ import annotations

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hubpub.hub.errors import ApiError
from hubpub.hub.web.faults import Effect, Fault, Faults
from hubpub.hub.web.http_protocol import connection_of
from hubpub.hub.web.routing import error_response, segments

ADMIN_PATH = "/api/hubpub-admin"
_SLOW_STEP = 0.05
_ENDLESS = b"HTTP/1.1 200 OK\r\nx-endless: "


class FaultInjection:
    """Lets requests through to `app`, but for those that a rule hits. Its own admin route is never hit."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        fault = None
        if scope["type"] == "http" and self._faults.active:
            path = "/" + "/".join(segments(scope))
            if not path.startswith(ADMIN_PATH):
                fault = self._faults.pick(scope["method"], path)
        if fault is None:
            await self._app(scope, receive, send)
            return
        connection = connection_of(scope)
        # What is done to an answer is done to the messages that it is made of.
        connection.direct = False
        match fault.effect:
            case Effect.DROP:
                connection.reset()
                await _gone(receive)
            case Effect.STALL:
                try:
                    await asyncio.wait_for(_gone(receive), fault.seconds)
                except TimeoutError:
                    connection.reset()
                    await _gone(receive)
            case Effect.LOSE:
                await self._app(scope, receive, _swallow)
                connection.reset()
                await _gone(receive)
            case Effect.CUT:
                answer = _Shortened(send, fault.bytes)
                await self._app(scope, receive, answer.send)
                if answer.ended:
                    connection.close()
                    await _gone(receive)
            case Effect.TRUNCATE:
                await self._app(scope, receive, _Shortened(send, fault.bytes, honest=True).send)
            case Effect.TRICKLE:
                connection.say(_ENDLESS)
                # Not `==`: the same rule may have been set again for another test.
                while any(rule is fault for rule, _, _ in self._faults):
                    try:
                        await asyncio.wait_for(_gone(receive), fault.seconds or 1)
                    except TimeoutError:
                        connection.say(b".")
                    else:
                        return
                connection.reset()
                await _gone(receive)
            case Effect.LATE:
                await self._app(scope, receive, self._late(send, fault))
            case Effect.SLOW:
                await self._app(scope, receive, _slow(send, fault.rate))
            case int(status):
                await error_response(_refusal(status, fault))(scope, receive, send)

    def _late(self, send: Send, fault: Fault) -> Send:
        async def held(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._faults.held(fault)
                await asyncio.sleep(fault.seconds or 0)
            await send(message)

        return held


def _refusal(status: int, fault: Fault) -> ApiError:
    headers = {}
    if fault.retry_after is not None or status == 429:
        wait = fault.retry_after if fault.retry_after is not None else 1
        headers["Retry-After"] = str(wait)
        if status == 429:
            # https://huggingface.co/docs/hub/rate-limits
            headers["RateLimit"] = f'"api";r=0;t={wait}'
            headers["RateLimit-Policy"] = '"fixed window";"api";q=500;w=300'
    message = "We had to rate limit you" if status == 429 else "Injected by a fault rule of this hub"
    return ApiError(status, message, headers=headers)


async def _swallow(_: Message) -> None:
    """Where answers go that nobody is to get."""


async def _gone(receive: Receive) -> None:
    """Wait until the client has gone, and take no notice of what it still sends."""
    while (await receive())["type"] != "http.disconnect":
        pass


class _Shortened:
    """Lets `most` bytes of an answer's body through; if `honest`, it says so in the headers and ends the answer."""

    def __init__(self, send: Send, most: int, *, honest: bool = False) -> None:
        self._send = send
        self._left = most
        self._honest = honest
        self.ended = False

    async def send(self, message: Message) -> None:
        if self.ended:
            return
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if self._honest and "content-length" in headers:
                headers["content-length"] = str(min(int(headers["content-length"]), self._left))
            await self._send(message)
            return
        body = message.get("body", b"")
        self.ended = len(body) > self._left or (self._honest and len(body) == self._left)
        body = body[: self._left]
        self._left -= len(body)
        more = message.get("more_body", False) and not (self.ended and self._honest)
        await self._send({**message, "body": body, "more_body": more or (self.ended and not self._honest)})


def _slow(send: Send, rate: int) -> Send:
    step = max(int(rate * _SLOW_STEP), 1)

    async def throttled(message: Message) -> None:
        body = message.get("body", b"")
        while len(body) > step:
            await send({**message, "body": body[:step], "more_body": True})
            await asyncio.sleep(step / rate)
            body = body[step:]
        if message["type"] == "http.response.body":
            message = {**message, "body": body}
        await send(message)

    return throttled
