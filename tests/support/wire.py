"""Requests written to a socket as they are, and what comes back within a bounded time."""

from __future__ import annotations

import http.client
import io
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

PATIENCE = 5.0
_LARGEST_ANSWER = 64 << 20


@dataclass(frozen=True)
class Exchange:
    """What a server sent until it closed the connection; status 0 if that is no answer.

    Attributes:
        status: of the last answer that is not an interim one.
        head: names in lower case and values, in order.
        body: of that answer.
        seconds: until the end came.
        raw: every byte.
    """

    status: int
    head: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float
    raw: bytes

    def header(self, name: str) -> str | None:
        """The value of the first header of that name."""
        return next((value for key, value in self.head if key == name), None)


def exchange(endpoint: str, request: bytes, *, half_close: bool = False) -> Exchange:
    """Send a request that asks for the connection to be closed, or cannot be understood, and read to the end.

    Raises:
        TimeoutError: the server neither answered in full nor closed the connection in time.
    """
    address = urlsplit(endpoint)
    began = time.monotonic()
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(request)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except TimeoutError:
            raise TimeoutError(f"the server does not read what it is sent for {PATIENCE} s") from None
        except OSError:
            # The server may refuse before it has read everything; what it said is read below.
            pass
        received = _read_to_end(connection, began)
    return _parsed(received, request.split(b" ", 1)[0].decode("latin-1"), time.monotonic() - began)


def _read_to_end(connection: socket.socket, began: float) -> bytes:
    received = bytearray()
    while len(received) < _LARGEST_ANSWER:
        left = began + PATIENCE - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no end after {PATIENCE} s; so far: {bytes(received[:500])!r}")
        connection.settimeout(left)
        try:
            part = connection.recv(1 << 20)
        except ConnectionResetError:
            break
        except TimeoutError:
            raise TimeoutError(f"no end after {PATIENCE} s; so far: {bytes(received[:500])!r}") from None
        if not part:
            break
        received += part
    return bytes(received)


class _Received:
    """What http.client needs of a socket."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def makefile(self, *_: object, **__: object) -> io.BytesIO:
        return self._file


def _parsed(received: bytes, method: str, seconds: float) -> Exchange:
    answer = http.client.HTTPResponse(_Received(received), method=method)  # type: ignore[arg-type]
    try:
        answer.begin()
        head = tuple((name.lower(), value) for name, value in answer.getheaders())
        return Exchange(answer.status, head, answer.read(), seconds, received)
    except (http.client.HTTPException, OSError, ValueError):
        return Exchange(0, (), b"", seconds, received)
