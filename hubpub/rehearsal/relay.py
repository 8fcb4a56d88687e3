"""The one way out of a child behind walls: connections to its loopback port are passed on to the hub's."""

from __future__ import annotations

import contextlib
import socket
import threading

_BLOCK = 1 << 17
_MOST = 64
_WAIT = 0.2


class Relay:
    """Passes on what is accepted on a listening socket, which may be in another network namespace."""

    def __init__(self, listener: socket.socket, port: int) -> None:
        """Take over the socket; `port` of this machine's loopback interface is where everything goes."""
        self._listener = listener
        self._port = port
        self._stopped = threading.Event()
        self._room = threading.BoundedSemaphore(_MOST)
        self._thread = threading.Thread(target=self._accept, name="hubpub-relay", daemon=True)

    def __enter__(self) -> Relay:
        self._listener.settimeout(_WAIT)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            if not self._room.acquire(timeout=_WAIT):
                continue
            try:
                inside = self._listener.accept()[0]
            except OSError:
                self._room.release()
                continue
            threading.Thread(target=self._pass_on, args=(inside,), daemon=True).start()

    def _pass_on(self, inside: socket.socket) -> None:
        try:
            with inside, socket.create_connection(("127.0.0.1", self._port)) as outside:
                inside.settimeout(None)
                back = threading.Thread(target=_pump, args=(outside, inside), daemon=True)
                back.start()
                _pump(inside, outside)
                back.join()
        except OSError:  # the hub is gone, and with it what there was to say
            pass
        finally:
            self._room.release()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Everything that comes, until one side is done; then the other is told."""
    block = memoryview(bytearray(_BLOCK))
    with contextlib.suppress(OSError):
        while count := source.recv_into(block):
            target.sendall(block[:count])
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
