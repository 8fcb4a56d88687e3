"""HTTP/1.1 as the hub speaks it: heads are bounded, bodies are not held in memory, pipelines are answered in order."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from itertools import takewhile
from urllib.parse import urlsplit

import pytest
from support.running_hub import TestHub

from hubpub.hub.web.http_protocol import LARGEST_HEAD


@pytest.fixture
def connection(hub: TestHub) -> Iterator[socket.socket]:
    address = urlsplit(hub.endpoint)
    with closing(socket.create_connection((address.hostname, address.port), timeout=20)) as found:
        yield found


def head(connection: socket.socket, *lines: str) -> bytes:
    host, port = connection.getpeername()
    return "\r\n".join([lines[0], f"Host: {host}:{port}", *lines[1:], "", ""]).encode()


def everything(connection: socket.socket) -> bytes:
    """What comes until the hub ends the connection."""
    found = b""
    try:
        while block := connection.recv(1 << 16):
            found += block
    except ConnectionError:
        pass
    return found


@pytest.mark.parametrize(
    "lines",
    [
        ("GET /healthz HTTP/1.1", "X-Long: " + "x" * LARGEST_HEAD),
        ("GET /healthz?" + "x" * LARGEST_HEAD + " HTTP/1.1",),
        ("GET /healthz HTTP/1.1", *(f"X-{number}: {'y' * 100}" for number in range(700))),
    ],
    ids=["one header", "address", "many headers"],
)
def test_a_large_head_is_refused(connection: socket.socket, lines: tuple[str, ...]) -> None:
    connection.sendall(head(connection, *lines))
    assert everything(connection).startswith(b"HTTP/1.1 431 ")


def test_a_head_without_end_is_refused(connection: socket.socket) -> None:
    connection.sendall(b"GET / HTTP/1.1\r\nX: ")
    pieces = 100 * LARGEST_HEAD // 4096
    sent = sum(1 for _ in takewhile(lambda _: goes_out(connection, b"x" * 4096), range(pieces)))
    assert sent < pieces


def goes_out(connection: socket.socket, data: bytes) -> bool:
    """Whether the hub's side is still open."""
    try:
        connection.sendall(data)
    except ConnectionError:
        return False
    return True


def test_a_head_of_common_size_and_the_one_after_it(connection: socket.socket) -> None:
    request = head(connection, "GET /healthz HTTP/1.1", "X-Long: " + "x" * (LARGEST_HEAD // 2))
    connection.sendall(request * 4 + head(connection, "GET /healthz HTTP/1.1", "Connection: close"))
    assert everything(connection).count(b"HTTP/1.1 200 OK") == 5


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET \xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
    ],
    ids=["two lengths", "length and chunks", "bad address", "TLS", "nonsense"],
)
def test_what_is_no_http_is_refused(connection: socket.socket, request_bytes: bytes) -> None:
    connection.sendall(request_bytes)
    assert everything(connection).startswith(b"HTTP/1.1 400 ")


def test_a_chunked_body_counts_towards_the_limit(connection: socket.socket) -> None:
    connection.sendall(head(connection, "POST /api/validate-yaml HTTP/1.1", "Transfer-Encoding: chunked"))
    block = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    if all(goes_out(connection, block) for _ in range(1000)):
        connection.sendall(b"0\r\n\r\n")
    answer = connection.recv(1 << 16)
    assert b" 413 " in answer.split(b"\r\n")[0]
