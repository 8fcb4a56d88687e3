"""Work that is heavy, or driven by what a model folder holds, done by a child process with limits.

The child gets a request and gives an answer, both JSON. It has no tokens in its environment, no network, and may start
no other program; time, memory, and what it writes are bounded, and whatever happens to it is an answer too.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_GIB = 1 << 30
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "OMP_NUM_THREADS")
_LARGEST_ANSWER = 64 << 20
_LARGEST_STDERR = 2000
_BOOTSTRAP = (
    "import sys; sys.path[:] = {path!r}; from hubpub.model.child import _serve; "
    "_serve({function!r}, {memory!r}, {seconds!r})"
)
# https://docs.python.org/3/library/audit_events.html
_REFUSED = frozenset(
    [
        "socket.connect",
        "socket.bind",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "os.forkpty",
    ]
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request.

    Attributes:
        value: what the function returned; None if it did not.
        failure: why there is no value, as the end of a sentence that begins with what was tried; None if there is one.
        timed_out: whether it took too long.
    """

    value: Any = None
    failure: str | None = None
    timed_out: bool = False


class Child:
    """A child process at work; `answer` waits for it."""

    def __init__(
        self,
        function: str,
        request: Mapping[str, Any],
        *,
        seconds: float,
        memory: int = 2 * _GIB,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start it.

        Args:
            function: "module:function", which takes the request and returns what JSON can hold.
            request: what JSON can hold.
            seconds: of wall time that it may take.
            memory: bytes of address space that it may take.
            env: further variables of its environment.
        """
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._home = tempfile.TemporaryDirectory(prefix="hubpub-child-")
        self._out, self._err = Path(self._home.name, "answer"), Path(self._home.name, "errors")
        bootstrap = _BOOTSTRAP.format(path=import_path(), function=function, memory=memory, seconds=seconds)
        self._process: subprocess.Popen[bytes] | None = None
        self._refusal = ""
        try:
            with self._out.open("wb") as out, self._err.open("wb") as err:
                self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and code
                    [sys.executable, "-I", "-S", "-X", "utf8", "-c", bootstrap],
                    stdin=subprocess.PIPE,
                    stdout=out,
                    stderr=err,
                    cwd=self._home.name,
                    env={**environment(self._home.name), **(env or {})},
                    start_new_session=True,
                )
        except OSError as error:
            # No room, say, or no right to run this interpreter.
            self._refusal = f"cannot be started: {error.strerror or error}"
        self._request = json.dumps(request).encode()

    def answer(self) -> Answer:
        """What became of it; a child that is not done in time is killed, and all that it started."""
        with self._home:
            if self._process is None:
                return Answer(None, self._refusal)
            try:
                self._process.communicate(self._request, timeout=max(self._deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                return Answer(None, f"took more than {self._seconds:g} seconds", timed_out=True)
            finally:
                _end(self._process)
            return self._read(self._process.returncode)

    def _read(self, code: int) -> Answer:
        if code == 0:
            try:
                document = json.loads(self._out.read_bytes())
                return Answer(document.get("value"), document.get("failure"))
            except (ValueError, AttributeError, RecursionError):
                return Answer(None, "gave no answer")
        if -code == getattr(signal, "SIGXCPU", None):
            return Answer(None, f"took more than {self._seconds:g} seconds of processor time", timed_out=True)
        last = self._err.read_bytes()[-_LARGEST_STDERR:].decode("utf-8", "replace").strip().rpartition("\n")[2]
        return Answer(None, f"ended with code {code}{': ' + last if last else ''}")


def ask(function: str, request: Mapping[str, Any], *, seconds: float, memory: int = 2 * _GIB) -> Answer:
    """Run `function` on `request` in a child process, and wait for its answer; see `Child`."""
    return Child(function, request, seconds=seconds, memory=memory).answer()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a child that is still there, and all that it started."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.communicate()


def import_path() -> list[str]:
    """Where a child finds hubpub and the libraries: it starts without site-packages of its own."""
    return [str(Path(__file__).parents[2]), *(entry for entry in sys.path if entry)]


def environment(home: str) -> dict[str, str]:
    """What a child needs of this process's environment, and nothing that is secret; offline, with a home of its own."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "HOME": home,
        "HF_HOME": home,
        "TMPDIR": home,
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _serve(function: str, memory: int, seconds: float) -> None:
    """The child's side: limits first, then the request."""
    _limit(memory, seconds)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Whatever a library prints goes where it cannot spoil the answer.
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    sys.addaudithook(_refuse)
    module, _, name = function.partition(":")
    document: dict[str, Any]
    try:
        document = {"value": getattr(importlib.import_module(module), name)(request)}
    except MemoryError:
        document = {"failure": f"took more than {memory / _GIB:.0f} GB of memory"}
    except RecursionError:
        document = {"failure": "is nested too deeply"}
    json.dump(document, answer)
    answer.close()
    # Without the farewell of heavy libraries, which can take seconds.
    os._exit(0)


def _limit(memory: int, seconds: float) -> None:
    try:
        import resource
    except ImportError:  # Windows: the parent's deadline is the bound that is left
        return
    processor = int(seconds * 4) + 1
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, processor),
        (resource.RLIMIT_FSIZE, _LARGEST_ANSWER),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _refuse(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in _REFUSED:
        raise PermissionError(f"{event} is not allowed here")
