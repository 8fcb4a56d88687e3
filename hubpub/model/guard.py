"""A guard inside a child process that runs what nobody has read: Python's audit hooks, which cannot be taken out again.

It stops code that does not mean to break out, and tells what that code wanted, which no wall around the process can.
Native code passes it (`ctypes`, a library's own sockets), so that it is the second line where there are walls, and a
best effort where there are none.

https://docs.python.org/3/library/audit_events.html
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROGRAMS = frozenset(
    ["subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty"]
)
_NAMES = frozenset(["socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"])
_SENDING = frozenset(["socket.connect", "socket.sendto", "socket.sendmsg"])
# Which of their arguments are the paths that change, and must be below the home.
_CHANGES: Mapping[str, tuple[int, ...]] = {
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.mkdir": (0,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.truncate": (0,),
    "os.rename": (0, 1),
    "os.link": (1,),
    "os.symlink": (1,),
}
# Those that take the descriptor of a directory end with it: paths relative to one that is open are let pass.
_RELATIVE = frozenset(_CHANGES) - {"os.truncate"}
# Those that change what a link leads to; the others change the link.
_FOLLOWING = frozenset(["os.chmod", "os.chown", "os.truncate"])
_LOOPBACK = frozenset(["127.0.0.1", "::1", "localhost"])
_DEVICES = ("/dev/null", "/dev/shm/", "/dev/tty")  # noqa: S108 -- named, not written to
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MOST = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was not allowed.

    Attributes:
        kind: "network", "program", "file" or "process".
        what: the host, the program, the path, or the signal's addressee.
    """

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.what})"


class RefusedError(PermissionError):
    """What code sees of a refusal."""


class Guard:
    """What may be done, and what was refused so far."""

    def __init__(self, home: str, hidden: Sequence[str], shown: Sequence[str], port: int) -> None:
        """Make one; `install` puts it up.

        Args:
            home: the only directory to be written in.
            hidden: directories that are not to be read,
            shown: but for these in them.
            port: the only one of this machine that may be connected to.
        """
        self._home = home + os.sep
        self._hidden = tuple(path + os.sep for path in hidden)
        self._shown = tuple(path + os.sep for path in shown)
        self._port = port
        self.refusals: list[Refusal] = []

    def install(self) -> None:
        """Put it up, for the rest of this process."""
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            self._open(*arguments)
        elif event in _PROGRAMS:
            self._refuse("program", _program(event, arguments))
        elif event in _SENDING:
            self._send(arguments[1] if len(arguments) > 1 else None)
        elif event in _NAMES:
            if not (arguments[0] is None or _text(arguments[0]) in _LOOPBACK):
                self._refuse("network", _text(arguments[0]))
        elif event == "socket.bind":
            address = arguments[1]
            # urllib3 binds to any free port of ::1 to find out whether there is IPv6
            if not (isinstance(address, tuple) and _text(address[0]) in _LOOPBACK and address[1] == 0):
                self._refuse("network", "a port of its own")
        elif event in _CHANGES:
            self._change(event, arguments)
        elif event in ("os.kill", "os.killpg") and arguments[0] not in (os.getpid(), 0):
            self._refuse("process", str(arguments[0]))

    def _refuse(self, kind: str, what: str) -> None:
        if len(self.refusals) < _MOST:
            self.refusals.append(Refusal(kind, what[:200]))
        raise RefusedError(f"{what[:200]}: not allowed in a rehearsal ({kind})")

    def _send(self, address: Any) -> None:
        if address is None:  # of a socket that is connected already
            return
        if not isinstance(address, tuple) or len(address) < 2:
            self._refuse("network", _text(address))
        host, port = _text(address[0]), address[1]
        if host not in _LOOPBACK or port != self._port:
            self._refuse("network", host if host not in _LOOPBACK else f"{host}:{port}")

    def _open(self, path: Any, _mode: Any, flags: Any) -> None:
        if isinstance(path, int) or path is None:
            return
        name = _absolute(_text(path))
        # libraries are where they seem to be: every import would pay for asking the file system
        of_library = name.startswith(self._shown) and not name.startswith(self._home)
        real = name if of_library else os.path.realpath(name)
        if isinstance(flags, int) and flags & _WRITING and not self._may_write(real):
            self._refuse("file", name)
        if not self._may_read(name) or not self._may_read(real):
            self._refuse("file", name)

    def _may_read(self, name: str) -> bool:
        if _is_of_another_process(name):
            return False
        folder = name + os.sep
        return not folder.startswith(self._hidden) or folder.startswith((self._home, *self._shown))

    def _change(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _RELATIVE and isinstance(arguments[-1], int) and arguments[-1] >= 0:
            return
        for path in (arguments[index] for index in _CHANGES[event]):
            if isinstance(path, int):
                continue
            name = _absolute(_text(path))
            if not self._may_write(os.path.realpath(name) if event in _FOLLOWING else name):
                self._refuse("file", _text(path))
        if event == "os.link" and not self._may_read(os.path.realpath(_absolute(_text(arguments[0])))):
            self._refuse("file", _text(arguments[0]))

    def _may_write(self, name: str) -> bool:
        folder, _, last = name.rpartition(os.sep)
        real = os.path.realpath(folder or os.sep) + os.sep + last  # a link that is replaced is not followed
        return (real + os.sep).startswith(self._home) or real.startswith(_DEVICES)


def _program(event: str, arguments: tuple[Any, ...]) -> str:
    first = arguments[0] if arguments else None
    if isinstance(first, str | bytes | os.PathLike):
        words = _text(first).split()
        return Path(words[0]).name if words else event
    return event


def _is_of_another_process(name: str) -> bool:
    """Whether a file tells of another process: its environment may hold a token."""
    _, _, below = name.partition("/proc/")
    process = below.partition("/")[0]
    return name.startswith("/proc/") and process.isdecimal() and process != str(os.getpid())


def _absolute(name: str) -> str:
    """Without `..`, and without asking the file system, which every import would pay for."""
    return os.path.normpath(name if name.startswith(os.sep) else str(Path.cwd()) + os.sep + name)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return os.fsdecode(value) if isinstance(value, os.PathLike) else str(value)
