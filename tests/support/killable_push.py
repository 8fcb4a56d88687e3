"""The real command in processes that a test may kill, started in a moment: forked from one that has imported all.

As a program it reads lines of JSON from stdin, `{"arguments": [...], "environment": {...}, "output": path}`, forks a
command for each, and prints its process id. What it says goes to the file; its exit code, at its end, to `path.code`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

REPO_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Command:
    pid: int
    output: Path

    def kill(self) -> None:
        """End it as the loss of the machine would, and return when it has gone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
            while True:
                os.kill(self.pid, 0)
                time.sleep(0.002)

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs, or if it was killed."""
        with suppress(OSError, ValueError):
            return int(self.output.with_suffix(".code").read_text())
        return None

    def wait(self, seconds: float = 120) -> int:
        """Its exit code, once it has ended."""
        end = time.monotonic() + seconds
        while (code := self.code) is None:
            assert time.monotonic() < end, self.said
            time.sleep(0.005)
        return code

    @property
    def said(self) -> str:
        return self.output.read_text()


@dataclass(frozen=True)
class Commands:
    process: subprocess.Popen[str]

    def start(self, *arguments: str | Path, output: Path, environment: dict[str, str]) -> Command:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"arguments": [*map(str, arguments)], "environment": environment, "output": str(output)}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return Command(int(self.process.stdout.readline()), output)


@contextmanager
def commands(environment: dict[str, str]) -> Iterator[Commands]:
    """Starts commands; the environment is what is read at import."""
    with subprocess.Popen(
        [sys.executable, __file__],
        env={**os.environ, **environment, "PYTHONPATH": str(REPO_ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Commands(process)
        finally:
            process.kill()


def _main() -> None:
    import importlib
    import pkgutil

    import httpx2  # noqa: F401
    from huggingface_hub import get_session, hf_hub_url  # noqa: F401

    import hubpub.publish
    import hubpub.report
    import hubpub.rules.run
    from hubpub.cli.main import main

    for package in (hubpub.publish, hubpub.report):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    _warm_up(main)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid:
            sys.stdout.write(f"{pid}\n")
            sys.stdout.flush()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        output = Path(request["output"])
        os.environ.update(request["environment"])
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for descriptor in (1, 2):
            os.dup2(handle, descriptor)
        code: object = 99
        try:
            main(request["arguments"])
        except SystemExit as end:
            code = end.code
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            partial = output.with_suffix(".partial")
            partial.write_text(str(code or 0))
            partial.rename(output.with_suffix(".code"))
            os._exit(0)


def _warm_up(main: Callable[[list[str]], None]) -> None:
    """What is imported and compiled when it is needed first."""
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        (Path(folder) / "config.json").write_text("{}")
        (Path(folder) / "README.md").write_text("---\nlicense: mit\n---\n# Tiny\n")
        for verb in ("check", "lint"):
            with suppress(SystemExit):
                main([verb, folder])


if __name__ == "__main__":
    _main()
