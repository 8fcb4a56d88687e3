"""A hub that may be killed, and a machine that publishes to it and may be killed, too: both are real processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.killable_hub import ADMIN_TOKEN, TOKEN, Nursery, Server, hits, nursery, set_faults
from support.killable_push import Command, Commands, commands
from support.tiny_release import Seen, look

# Before the hub has done it, and after it has.
MOMENTS = {"before": "stall", "after": "late seconds=60"}


def steps(calls: tuple[str, ...]) -> list[tuple[str, str]]:
    """(call, moment) of each."""
    return [(place, moment) for place in calls for moment in MOMENTS]


@dataclass
class Machine:
    """A hub that may be killed, and a machine that publishes to it."""

    servers: Nursery
    commands: Commands
    root: Path
    home: Path
    server: Server
    said: list[Path] = field(default_factory=list)

    def run(self, *arguments: str | Path) -> Command:
        """Start a command, which has the address of the hub."""
        output = self.home / f"output-{len(self.said)}.txt"
        self.said.append(output)
        return self.commands.start(
            *arguments, "--hub", self.server.endpoint,
            output=output, environment={"HF_TOKEN": TOKEN},
        )  # fmt: skip

    def push(self, folder: Path, repo: str, *more: str) -> Command:
        return self.run(
            "push", folder, "--repo", repo, "--depth", "quick", "--card", "folder", *(more or ("--tag", "v1")), *PATIENT
        )

    def set_fault(self, place: str, moment: str) -> None:
        """Hold the next call of that kind, before or after the hub does it."""
        set_faults(self.server.endpoint, f"{place}: {MOMENTS[moment]} first=1")

    def until_hit(self, running: Command) -> None:
        end = time.monotonic() + 60
        while not hits(self.server.endpoint):
            assert running.code is None, running.said
            assert time.monotonic() < end, running.said
            time.sleep(0.005)

    def kill_at(self, running: Command, when: Callable[[], bool] = lambda: True) -> None:
        """Kill the command once its call is held, and `when` is true; let the hub be well again."""
        self.until_hit(running)
        end = time.monotonic() + 60
        while not when():
            assert time.monotonic() < end, running.said
            time.sleep(0.02)
        running.kill()
        set_faults(self.server.endpoint)

    def restart(self) -> None:
        port = self.server.port
        self.server.kill()
        self.server = self.servers.start(self.root, port)

    def seen(self, repo: str) -> Seen | None:
        return look(self.server.endpoint, repo, TOKEN)

    def check_outputs(self) -> None:
        """No output so far holds a token."""
        said = "".join(path.read_text() for path in self.said if path.exists())
        assert TOKEN not in said
        assert ADMIN_TOKEN not in said


PATIENT = ("--timeout", "30", "--attempts", "20")


@contextmanager
def machine(root: Path, home: Path) -> Iterator[Machine]:
    """Both, as long as the context."""
    environment = {
        "HF_HOME": str(home / "hf"),
        "HUBPUB_CACHE_DIR": str(home / "cache"),
        "HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "1",
    }
    with ExitStack() as stack:
        servers = stack.enter_context(nursery())
        server = servers.start(root)
        made = Machine(servers, stack.enter_context(commands(environment)), root, home, server)
        try:
            yield made
        finally:
            made.server.kill()
