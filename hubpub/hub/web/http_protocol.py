"""HTTP/1.1 as this hub speaks it: uvicorn's httptools protocol, with a bound on heads and larger bites of bodies."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 << 10
HEAD_SECONDS = 30.0
_WAITING_BODY = 1 << 20
_CONNECTION = "hubpub.connection"
_REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection that a request came by. ASGI has no way to end one without an answer."""

    transport: asyncio.Transport

    def reset(self) -> None:
        """End it at once, so that the client sees a connection reset."""
        if (found := self.transport.get_extra_info("socket")) is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def close(self) -> None:
        """End it after what was sent so far."""
        self.transport.close()


def connection_of(scope: Scope) -> Connection:
    """The connection of a request to a server that speaks `HubProtocol`."""
    return cast(Connection, scope["extensions"][_CONNECTION])


class HubProtocol(HttpToolsProtocol):
    """One connection.

    httptools keeps what it has read of a head, of a chunk's header or of trailers until that is complete, however
    large; and uvicorn waits for a head for ever. Here both have an end. Also, uvicorn stops reading a body whenever
    64 KiB of it wait for the application, which for large uploads means after every read.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._since_body = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected; a head is due."""
        super().connection_made(transport)
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._clear_deadline()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins; the application can end its connection."""
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {_CONNECTION: Connection(self.transport)}

    def data_received(self, data: bytes) -> None:
        """Take in what has arrived, and refuse a head, or trailers, that grow too large."""
        if self._in_head and self._deadline is None:
            self._set_deadline()
        self._since_body += len(data)
        super().data_received(data)
        if self._since_body > LARGEST_HEAD and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Start to answer; what arrives from now on is body."""
        self._in_head = False
        self._clear_deadline()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > LARGEST_HEAD:
            self.transport.write(_REFUSAL)
            self.transport.close()
            raise ValueError("the head is too large")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand body to the application; stop reading when it does not keep up."""
        self._since_body = 0
        if self.cycle.response_complete:
            return
        # What waits alone is handed on as it is, without a copy.
        self.cycle.body = self.cycle.body + body if self.cycle.body else body  # type: ignore[assignment]
        if len(self.cycle.body) > _WAITING_BODY:
            self.flow.pause_reading()
        self.cycle.message_event.set()

    def on_message_complete(self) -> None:
        """The next thing to arrive is a head."""
        self._in_head, self._since_body = True, 0
        super().on_message_complete()

    def _set_deadline(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._on_deadline)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _on_deadline(self) -> None:
        """Let go of a client that does not finish its head, unless it has an answer coming to an earlier one."""
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
