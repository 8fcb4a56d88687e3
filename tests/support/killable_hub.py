"""Servers in processes that a test may kill, started in a fraction of a second: forked from one that has imported all.

As a program it reads lines `ROOT <tab> PORT <tab> LARGEST_FILE` from stdin, forks a server for each, and prints the
process id and the address of each once it accepts connections. Faults are set through its admin route.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOKEN = "hf_killable"
ADMIN_TOKEN = "hf_admin_of_the_tests"
REPO_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    pid: int
    endpoint: str

    @property
    def port(self) -> int:
        return int(self.endpoint.rpartition(":")[2])

    def kill(self) -> None:
        """End it as the loss of the machine would, and return when it has gone."""
        os.kill(self.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            while True:
                os.kill(self.pid, 0)
                time.sleep(0.002)


@dataclass(frozen=True)
class Nursery:
    process: subprocess.Popen[str]

    def start(self, root: Path, port: int = 0, largest_file: int = 0) -> Server:
        """A server on `root`; with `largest_file`, one that can write no file of more bytes."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{root}\t{port}\t{largest_file}\n")
        self.process.stdin.flush()
        pid, endpoint = self.process.stdout.readline().split()
        return Server(int(pid), endpoint)


@contextmanager
def nursery() -> Iterator[Nursery]:
    with subprocess.Popen(
        [sys.executable, __file__],
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Nursery(process)
        finally:
            process.kill()


def set_faults(endpoint: str, *rules: str) -> None:
    """Make chosen requests go wrong from now on."""
    _admin(endpoint, "PUT", json.dumps({"rules": rules}).encode())


def hits(endpoint: str) -> int:
    """How many requests went wrong since then."""
    return sum(rule["hit"] for rule in _admin(endpoint, "GET")["rules"])


def _admin(endpoint: str, method: str, body: bytes | None = None) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{endpoint}/api/hubpub-admin/faults",
        data=body,
        method=method,
        headers={"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _main() -> None:
    from hubpub.hub import HubConfig, Limits, parse_org, parse_token
    from hubpub.hub.access.accounts_file import AccountsFile
    from hubpub.hub.server import Hub, serve

    # With small parts, so that large uploads take many requests.
    limits = Limits(multipart_from=600_000, part=200_000)

    def ready(hub: Hub) -> None:
        sys.stdout.write(f"{os.getpid()} {hub.endpoint}\n")
        sys.stdout.flush()

    # Its children are nobody's to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        root, port, largest = line.split("\t")
        if os.fork() == 0:
            if int(largest):
                import resource

                resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest), int(largest)))
            accounts = AccountsFile().accounts([parse_token(f"{TOKEN}=alice:write")], [parse_org("acme=alice:admin")])
            config = HubConfig(Path(root), port=int(port), limits=limits, admin_token=ADMIN_TOKEN)
            serve(config, accounts, ready)
            os._exit(0)


if __name__ == "__main__":
    _main()
