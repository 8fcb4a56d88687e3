"""Large bodies, moved between a socket and the disk by a thread.

Through the event loop every block of a body is copied several times, and all uploads and downloads take turns on one
thread of Python. A thread of their own that calls `recv_into` or `sendfile` needs little more than the kernel does.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

from starlette.requests import ClientDisconnect

from hubpub.hub.store.content import BLOCK, Content, FileContent

WORTH_A_THREAD = 256 << 10
"""Bodies of fewer bytes go through the event loop: a thread's start costs more than it saves."""

STALL_SECONDS = 60.0
"""How long a body may stand still before its connection is given up."""

_MOST_AT_ONCE = 16
_Done = TypeVar("_Done")


class Transfers:
    """The threads that move bodies. They are few: what finds none free goes through the event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="hubpub-transfer")
        self._free = threading.Semaphore(_MOST_AT_ONCE)

    def claim(self) -> bool:
        """Take a thread for one `run`; False if none is free."""
        return self._free.acquire(blocking=False)

    async def run(self, descriptor: int, work: Callable[[socket.socket], _Done]) -> _Done:
        """Run `work` on the socket of that descriptor in a claimed thread.

        When the task is cancelled, the socket is shut down, so that the thread ends too.

        A call of the socket fails with TimeoutError when nothing moves for `STALL_SECONDS`.
        """
        try:
            with closing(socket.socket(fileno=os.dup(descriptor))) as copy:
                copy.settimeout(STALL_SECONDS)
                running = asyncio.get_running_loop().run_in_executor(self._threads, work, copy)
                try:
                    return await asyncio.shield(running)
                except asyncio.CancelledError:
                    shut_down(copy)
                    await asyncio.wait([running])
                    raise
        finally:
            self._free.release()

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def shut_down(connection: socket.socket) -> None:
    """Wake up whoever waits for a socket."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It is closed already.
        return


class SocketBody:
    """A request's body, of which a thread reads what is missing straight from the socket."""

    def __init__(self, connection: socket.socket, begun: bytes, missing: int) -> None:
        self._connection = connection
        self._begun = begun
        self._missing = missing

    def blocks(self) -> Iterator[memoryview | bytes]:
        """The body in blocks of at most `BLOCK` bytes; each is only valid until the next one is asked for.

        Raises:
            ClientDisconnect: the client is gone or stalls.
        """
        if self._begun:
            begun, self._begun = self._begun, b""
            yield begun
        buffer = memoryview(bytearray(min(BLOCK, self._missing)))
        while self._missing:
            block = buffer[: min(len(buffer), self._missing)]
            self._fill(block)
            yield block

    def drain(self) -> None:
        """Read what has not been read yet: a client hears an answer only once it has sent all.

        Raises:
            ClientDisconnect: the client is gone or stalls.
        """
        for _ in self.blocks():
            pass

    def _fill(self, block: memoryview) -> None:
        filled = 0
        while filled < len(block):
            try:
                received = self._connection.recv_into(block[filled:])
            except OSError:
                received = 0
            if not received:
                raise ClientDisconnect
            filled += received
        self._missing -= filled


def send_content(connection: socket.socket, content: Content, start: int, stop: int) -> None:
    """Send the bytes from `start` up to `stop`; a plain file never comes into this process.

    Raises:
        OSError: the client is gone or stalls, or the content ends early.
    """
    if isinstance(content, FileContent):
        with content.path.open("rb", buffering=0) as file:
            # Its peer would wait for the rest for ever.
            if connection.sendfile(file, start, stop - start) != stop - start:
                raise OSError(f"{content.path.name} ends early")
        return
    for block in content.read(start, stop):
        connection.sendall(block)
