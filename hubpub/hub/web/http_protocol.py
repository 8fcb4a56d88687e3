"""HTTP/1.1 as this hub speaks it: uvicorn's httptools protocol, with bounds, and large bodies past the event loop."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, TypeVar, cast

import httptools
from starlette.requests import ClientDisconnect
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from hubpub.hub.store.content import Content
from hubpub.hub.web.direct import STALL_SECONDS, WORTH_A_THREAD, SocketBody, Transfers, send_content

LARGEST_HEAD = 64 << 10
HEAD_SECONDS = 30.0
_WAITING_BODY = 1 << 20
_CONNECTION = "hubpub.connection"
_Done = TypeVar("_Done")
_REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Connection:
    """The connection that a request came by, for what ASGI has no words for.

    Attributes:
        cycle: uvicorn's state of this request and its answer; a pipeline has several on one connection.
        direct: whether bodies may go past the application's `receive` and `send`.
        received: bytes of the request's body that did.
        sent: bytes of the answer's body that did.
    """

    def __init__(self, protocol: HubProtocol) -> None:
        self._protocol = protocol
        self.cycle: RequestResponseCycle | None = None
        self.direct = True
        self.received = 0
        self.sent = 0

    def reset(self) -> None:
        """End it at once, so that the client sees a connection reset."""
        transport = self._protocol.transport
        if (found := transport.get_extra_info("socket")) is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    def say(self, raw: bytes) -> None:
        """Send bytes as they are, whatever they do to the protocol."""
        self._protocol.transport.write(raw)

    def close(self) -> None:
        """End it after what was sent so far."""
        self._protocol.transport.close()

    async def take_body(self, transfers: Transfers, work: Callable[[SocketBody], _Done]) -> tuple[_Done] | None:
        """What `work` makes of the body in a thread; None, and nothing is read, if the body must come by `receive`.

        Raises:
            ClientDisconnect: the client is gone or stalls.
        """
        # A request whose body is here may have others behind it, and the missing body may be one of theirs.
        missing = self._protocol.missing_body() if self.direct and self.cycle is self._protocol.cycle else 0
        if missing < WORTH_A_THREAD or not transfers.claim():
            return None
        begun = self._protocol.lend()
        self.received = len(begun) + missing

        def run(connection: socket.socket) -> _Done:
            body = SocketBody(connection, begun, missing)
            try:
                return work(body)
            finally:
                body.drain()

        try:
            done = await transfers.run(self._descriptor(), run)
        except (ClientDisconnect, asyncio.CancelledError):
            self._lose()
            raise
        except Exception:
            self._protocol.take_back()
            raise
        self._protocol.take_back()
        return (done,)

    async def send_content(self, transfers: Transfers, content: Content, start: int, stop: int) -> bool:
        """Send that part of the content in a thread, after the head; False, and nothing is sent, if it cannot be."""
        if not self.direct or self.cycle is None or stop - start < WORTH_A_THREAD or not transfers.claim():
            return False
        try:
            await self._protocol.flush()
            await transfers.run(self._descriptor(), lambda connection: send_content(connection, content, start, stop))
        except OSError:
            self._lose()
        else:
            self.sent += stop - start
            self.cycle.expected_content_length -= stop - start
        return True

    def _descriptor(self) -> int:
        return int(self._protocol.transport.get_extra_info("socket").fileno())

    def _lose(self) -> None:
        """There is nobody to answer any more: how much of the body was moved is not known."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        self._protocol.transport.abort()


def connection_of(scope: Scope) -> Connection:
    """The connection of a request to a server that speaks `HubProtocol`."""
    return cast(Connection, scope["extensions"][_CONNECTION])


class HubProtocol(HttpToolsProtocol):
    """One connection.

    httptools keeps what it has read of a head, of a chunk's header or of trailers until that is complete, however
    large; and uvicorn waits for a head or a body for ever. Here all of them have an end. Also, uvicorn stops reading a
    body whenever 64 KiB of it wait for the application, which for large uploads means after every read.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._since_body = 0
        self._body_seen = 0
        self._moved_at = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected; a head is due."""
        super().connection_made(transport)
        self._set_deadline(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._clear_deadline()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins; the application can end its connection."""
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {_CONNECTION: Connection(self)}

    def data_received(self, data: bytes) -> None:
        """Take in what has arrived, and refuse a head, or trailers, that grow too large."""
        if self._in_head and self._deadline is None:
            self._set_deadline(HEAD_SECONDS)
        self._since_body += len(data)
        super().data_received(data)
        if self._since_body > LARGEST_HEAD and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Start to answer; what arrives from now on is body."""
        self._in_head = False
        self._body_seen, self._moved_at = 0, self.loop.time()
        self._set_deadline(STALL_SECONDS)
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > LARGEST_HEAD:
            self.transport.write(_REFUSAL)
            self.transport.close()
            raise ValueError("the head is too large")
        super().on_headers_complete()
        connection_of(cast(Scope, self.scope)).cycle = self.cycle

    def on_body(self, body: bytes) -> None:
        """Hand body to the application; stop reading when it does not keep up."""
        self._since_body = 0
        self._body_seen += len(body)
        self._moved_at = self.loop.time()
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
        self._clear_deadline()
        super().on_message_complete()

    def missing_body(self) -> int:
        """How many bytes of the body of announced length have not arrived; 0 if its length was not announced."""
        return max(self._announced_body() - self._body_seen, 0)

    def lend(self) -> bytes:
        """Leave the rest of the body in the socket to somebody else; what has arrived of it is returned."""
        self.flow.pause_reading()
        self._clear_deadline()
        if self.cycle.waiting_for_100_continue:
            self.cycle.waiting_for_100_continue = False
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        begun, self.cycle.body = bytes(self.cycle.body), bytearray()
        return begun

    def take_back(self) -> None:
        """Go on after a body that somebody else has read to its end."""
        # The old parser waits for that body.
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._in_head, self._since_body = True, 0
        self.cycle.more_body = False
        self.cycle.message_event.set()
        self.flow.resume_reading()

    async def flush(self) -> None:
        """Wait until everything written so far is in the socket."""
        while self.transport.get_write_buffer_size() and not self.transport.is_closing():
            await asyncio.sleep(0.001)

    def _announced_body(self) -> int:
        found = {name: value for name, value in self.headers if name in (b"content-length", b"transfer-encoding")}
        return 0 if b"transfer-encoding" in found else int(found.get(b"content-length", b"0"))

    def _set_deadline(self, seconds: float) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(seconds, self._on_deadline)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _on_deadline(self) -> None:
        """Let go of a client that does not finish its head, unless it has an answer coming, or whose body stalls."""
        self._deadline = None
        if self._in_head:
            if self.cycle is None or self.cycle.response_complete:
                self.transport.close()
            return
        # While reading is paused it is the application that does not keep up.
        left = STALL_SECONDS if self.flow.read_paused else self._moved_at + STALL_SECONDS - self.loop.time()
        if left > 0:
            self._set_deadline(left)
        else:
            self.transport.abort()
