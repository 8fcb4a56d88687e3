"""The child's side of running what nobody has read: walls, limits, a guard, and then the work.

Three processes stand in a row. The first leaves its namespaces and waits; the second is the init of a process namespace
and waits, so that all that is started ends with it; the third gives up every right and works. Without walls there is
only the last. The parent is in `hubpub.rehearsal.confinement`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from hubpub.model import walls
from hubpub.model.guard import Guard

_MOST_PROCESSES = 4096
_ROOM = 16 << 30  # address space that libraries map and never touch


def serve(control: int, file: str) -> NoReturn:
    """Do what the JSON document `file` asks for, and tell of it on the socket `control`, a line of JSON at a time.

    The document has "function" ("module:function", which takes the request, a function that tells, and the guard),
    "request", "home", "work" (the working directory), "port", "memory", "cpu", "largest_file", "hidden", "shown" and
    "walls", whether there are to be any. The first line tells whether there are: {"walls": null} or why not.
    """
    channel = socket.socket(fileno=control)
    order = json.loads(Path(file).read_text())
    if order["walls"]:
        try:
            walls.die_with_parent()
            listener = walls.enter_namespaces(order["port"])
        except (OSError, AttributeError, ImportError) as error:
            _tell(channel, {"walls": str(error)})
            os._exit(0)
        first = os.fork()
        if first:
            listener.close()
            os._exit(_wait(first))
        _init(channel, listener, order)
    _tell(channel, {"walls": None})
    _work(channel, order)


def _init(channel: socket.socket, listener: socket.socket, order: Mapping[str, Any]) -> NoReturn:
    try:
        walls.die_with_parent()
        home, hidden, shown = Path(order["home"]), order["hidden"], order["shown"]
        walls.close_files(home, [Path(path) for path in hidden], [Path(path) for path in shown])
    except OSError as error:
        _tell(channel, {"walls": str(error)})
        os._exit(0)
    socket.send_fds(channel, [json.dumps({"walls": None}).encode() + b"\n"], [listener.fileno()])
    listener.close()
    worker = os.fork()
    if worker:
        walls.refuse_tracing()
        channel.close()
        os._exit(_wait(worker))
    walls.drop_capabilities()
    _work(channel, order)


def _wait(awaited: int) -> int:
    """The exit code of a child; those of others, which were left to this process, are let go."""
    while True:
        process, status = os.wait()
        if process == awaited:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _work(channel: socket.socket, order: Mapping[str, Any]) -> NoReturn:
    home = order["home"]
    os.chdir(order["work"])
    _limit(order)
    module, _, name = order["function"].partition(":")
    function = getattr(importlib.import_module(module), name)
    guard = Guard(home, order["hidden"], order["shown"], order["port"])
    guard.install()
    function(order["request"], lambda event: _tell(channel, event), guard)
    _tell(channel, {"done": True})
    # Without the farewell of heavy libraries, and of threads that a block may have left.
    os._exit(0)


def _tell(channel: socket.socket, event: Mapping[str, Any]) -> None:
    channel.sendall(json.dumps(event).encode() + b"\n")


def _limit(order: Mapping[str, Any]) -> None:
    import resource

    memory = order["memory"]
    limits = [
        ("RLIMIT_AS", memory + _ROOM),
        ("RLIMIT_CPU", order["cpu"]),
        ("RLIMIT_FSIZE", order["largest_file"]),
        ("RLIMIT_CORE", 0),
    ]
    if sys.platform == "linux":
        # What is written to counts, not what libraries only reserve.
        limits.append(("RLIMIT_DATA", memory))
    if order["walls"]:
        limits.append(("RLIMIT_NPROC", _MOST_PROCESSES))  # of this user namespace alone
    for name, most in limits:
        what = getattr(resource, name)
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS does not take every one
            resource.setrlimit(what, (least, least))
