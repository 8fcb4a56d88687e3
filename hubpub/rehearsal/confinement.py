"""The parent's side of running what nobody has read: starts the child, listens to it, and ends it when it must.

What the child tells is as little to be believed as what it runs: lines are bounded in size and number, and whoever
forges one only lies about their own card.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubpub.core.files import remove_tree
from hubpub.model.child import environment, import_path
from hubpub.rehearsal.relay import Relay

_BOOTSTRAP = "import sys; sys.path[:] = {path!r}; from hubpub.model.confined import serve; serve({control!r}, {file!r})"
_LONGEST_LINE = 1 << 20
_MOST_TOLD = 32 << 20
_KEPT_OUTPUT = 4000
_START_SECONDS = 60.0
_BLOCK = 1 << 16
_SCALARS = (str, int, type(None))
_NO_NAMESPACES = None if sys.platform == "linux" else f"{sys.platform} has no namespaces"
# Of everybody: temporary files, the sockets of services such as Docker, and terminals, which can be read and steered.
_SHARED = ("/tmp", "/var/tmp", "/run", "/var/run", "/dev/pts")  # noqa: S108 -- hidden, not written to


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take.

    Attributes:
        seconds: of wall time, for each step that it tells of.
        memory: bytes that it may write to.
        output: bytes that it may print.
        largest_file: bytes that one file of its may have.
        steps: how many times it may tell something.
    """

    seconds: float
    memory: int
    output: int = 1 << 20
    largest_file: int = 64 << 20
    steps: int = 100


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended.

    Attributes:
        failure: why it did not finish, as the end of a sentence; None when it did.
        walls: why there were no walls around it; None when there were.
    """

    failure: str | None
    walls: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where children live: a directory that is theirs, and the port of the hub."""

    home: Path
    endpoint: str
    port: int
    env: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        """The environment of a child: nothing of the user's but where programs are and which language is spoken."""
        home = str(self.home / "user")
        own = {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(self.home / "hf"),
            "HF_HUB_DISABLE_XET": "1",  # its own sockets would pass by the guard
            "TMPDIR": str(self.home / "tmp"),
            "USER": "rehearsal",
            "LOGNAME": "rehearsal",
            "MPLBACKEND": "Agg",
        }
        kept = environment(home)
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            del kept[name]
        return {**kept, **own, **self.env}


@contextlib.contextmanager
def place_for(parent: Path, endpoint: str, token: str | None) -> Iterator[Place]:
    """Make a place below `parent`; `token` is one of the throw-away hub, if its repos cannot be read without."""
    home = Path(tempfile.mkdtemp(prefix="child-", dir=parent)).resolve()
    try:
        for directory in ("user", "hf", "tmp", "work"):
            (home / directory).mkdir()
        yield Place(home, endpoint, int(endpoint.rpartition(":")[2]), {"HF_TOKEN": token} if token else {})
    finally:
        remove_tree(home)


def confine(
    function: str,
    request: Mapping[str, Any],
    place: Place,
    limits: Limits,
    on_event: Callable[[Mapping[str, Any]], None],
) -> Ending:
    """Run `function` of a module of hubpub on `request` in a child behind walls; behind a guard alone where it must be.

    Args:
        function: "module:function"; see `hubpub.model.confined`.
        request: what JSON can hold.
        place: where.
        limits: what it may take.
        on_event: is given each thing that the child tells.
    """
    reason: str | None = _NO_NAMESPACES
    if reason is None:
        with _Run(function, request, place, limits, walls=True) as run:
            ending = run.follow(on_event)
            if ending is not None:
                return ending
            reason = run.no_walls
    with _Run(function, request, place, limits, walls=False) as run:
        ending = run.follow(on_event)
        return Ending(ending.failure if ending else "did not start", reason or "they could not be built")


class _Run:
    """One child, from start to end."""

    def __init__(self, function: str, request: Mapping[str, Any], place: Place, limits: Limits, *, walls: bool) -> None:
        self._limits = limits
        self._port = place.port
        self._walls = walls
        self._stack = contextlib.ExitStack()
        self.no_walls: str | None = None
        self._request = {
            "function": function,
            "request": request,
            "home": str(place.home),
            "work": str(place.home / "work"),
            "port": place.port,
            "memory": limits.memory,
            "cpu": int(limits.seconds * limits.steps * (os.cpu_count() or 1)) + 60,
            "largest_file": limits.largest_file,
            "hidden": [str(path) for path in private_directories()],
            "shown": [str(path) for path in needed_paths()],
            "walls": walls,
        }
        self._env = place.environment()
        self._cwd = place.home
        self._told = b""
        self._total = 0
        self._printed = 0
        self._last = b""
        self._has_relay = False

    def __enter__(self) -> _Run:
        ours, theirs = socket.socketpair()
        self._channel = self._stack.enter_context(ours)
        # Beside the home, where nothing that an earlier child left, such as a link, can be in its place.
        order = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="order-", dir=self._cwd.parent)))
        (order / "order.json").write_text(json.dumps(self._request))
        bootstrap = _BOOTSTRAP.format(
            path=[str(path) for path in _library_paths()], control=theirs.fileno(), file=str(order / "order.json")
        )
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and code
                [sys.executable, "-I", "-S", "-X", "utf8", "-c", bootstrap],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                env=self._env,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        # first the child, so that nothing holds on to what the relay has open
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None  # noqa: S101 -- it is a pipe
        self._process.stdout.close()
        self._stack.close()

    def follow(self, on_event: Callable[[Mapping[str, Any]], None]) -> Ending | None:
        """Pass on what it tells until it ends; None when there are no walls, and nothing was done."""
        started, steps = False, 0
        assert self._process.stdout is not None  # noqa: S101 -- it is a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ, "told")
            selector.register(self._process.stdout, selectors.EVENT_READ, "printed")
            deadline = time.monotonic() + _START_SECONDS
            while True:
                ready = selector.select(max(deadline - time.monotonic(), 0))
                if not ready:
                    seconds = self._limits.seconds if started else _START_SECONDS
                    return Ending(f"took more than {seconds:g} seconds", None)
                for key, _ in ready:
                    if key.data == "printed":
                        if not self._read_output():
                            selector.unregister(key.fileobj)
                        if self._printed > self._limits.output:
                            return Ending(f"printed more than {self._limits.output / 1e6:.0f} MB", None)
                        continue
                    events = self._read_told()
                    if events is None:
                        return self._ended() if started else None
                    for event in events:
                        deadline = time.monotonic() + self._limits.seconds
                        if not started:
                            if event.get("walls") is not None:
                                self.no_walls = str(event["walls"])[:200]
                                return None
                            started = True
                        elif event.get("done") is True:
                            return Ending(None, None)
                        else:
                            steps += 1
                            on_event(event)
                    if steps > self._limits.steps or self._total > _MOST_TOLD:
                        return Ending("told more than it was asked for", None)

    def _read_output(self) -> bool:
        assert self._process.stdout is not None  # noqa: S101 -- it is a pipe
        block = os.read(self._process.stdout.fileno(), _BLOCK)
        self._printed += len(block)
        self._last = (self._last + block)[-_KEPT_OUTPUT:]
        return bool(block)

    def _read_told(self) -> list[Mapping[str, Any]] | None:
        """The next things that it told; None when it will tell no more."""
        block, descriptors, _, _ = socket.recv_fds(self._channel, _BLOCK, 1)
        for descriptor in descriptors:
            if self._has_relay:  # only the first comes from hubpub's own code
                os.close(descriptor)
                continue
            self._has_relay = True
            if self._walls:
                self._stack.enter_context(Relay(socket.socket(fileno=descriptor), self._port))
            else:
                os.close(descriptor)
        if not block:
            return None
        self._total += len(block)
        *lines, self._told = (self._told + block).split(b"\n")
        if len(self._told) > _LONGEST_LINE:
            return None
        events: list[Mapping[str, Any]] = []
        for line in lines:
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict) and all(map(_is_plain, event.values())):
                events.append(event)
        return events

    def _ended(self) -> Ending:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.returncode
        if code is None:
            return Ending("closed its channel", None)
        number = code - 128 if code > 128 else -code
        if number == signal.SIGKILL:
            return Ending("was killed, as a process that takes too much memory is", None)
        with contextlib.suppress(ValueError):
            if number > 0:
                return Ending(f"was ended by {signal.Signals(number).name}", None)
        while self._read_output():
            pass
        last = self._last.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
        return Ending(f"ended the process with code {code}{': ' + last if last and code else ''}", None)


def _is_plain(value: Any) -> bool:
    """Whether it is what hubpub's own code tells: a text, a number, a list of texts."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, _SCALARS) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def needed_paths() -> list[Path]:
    """What a Python needs of the user's own directories: itself, its libraries, and hubpub."""
    prefixes = [Path(entry) for entry in (sys.prefix, sys.base_prefix, sys.exec_prefix)]
    libraries = [Path(entry) for entry in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if entry]
    interpreter = Path(sys.executable)
    wanted = {*_library_paths(), *prefixes, interpreter.parent, interpreter.resolve().parent, *libraries}
    wanted |= {path.resolve() for path in wanted}
    return _outermost(path.absolute() for path in wanted if path.exists() and not _holds_everything(path))


def _library_paths() -> list[Path]:
    """Where packages are: not the script's directory, which may be the user's home, unless hubpub itself is there."""
    own, *entries = import_path()
    scripts = {Path(sys.path[0] or ".").resolve(), Path.cwd()}
    found = [Path(entry).resolve() for entry in entries]
    return [Path(own).resolve(), *(path for path in found if path not in scripts)]


def _holds_everything(path: Path) -> bool:
    """Whether showing it would show the user's home."""
    return Path.home().resolve().is_relative_to(path.resolve())


def _outermost(paths: Iterable[Path]) -> list[Path]:
    found = sorted(set(paths))
    return [path for path in found if not any(path != other and path.is_relative_to(other) for other in found)]


def private_directories() -> list[Path]:
    """What is of no concern to a model: the user's home, caches with tokens, temporary files, sockets of services."""
    variables = ("HOME", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "TMPDIR")
    named = [Path(os.environ[name]) for name in variables if os.environ.get(name)]
    if token := os.environ.get("HF_TOKEN_PATH"):
        named.append(Path(token).parent)
    named += [Path.home(), Path(tempfile.gettempdir()), *map(Path, _SHARED)]
    found = (path.resolve() for path in named if path.is_dir())
    return _outermost(path for path in found if path != Path(path.anchor))
