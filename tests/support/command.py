"""The real `hubpub` command against a real hub, as a user would run it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.running_hub import ALICE, TestHub

REPO = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class CommandHub(TestHub):
    """A running hub, and the command with the environment of one of its users."""

    def repos(self) -> list[str]:
        return [model.id for model in self.api().list_models()]

    def hubpub(self, *arguments: str | Path, token: str = ALICE, **env: str) -> Run:
        """Run the command; an empty token is none. A push checks quickly: deep checks have tests of their own."""
        depth = ("--depth", "quick") if arguments[0] == "push" and "--depth" not in arguments else ()
        return self.run("-m", "hubpub", *arguments, *depth, token=token, **env)

    def run(self, *arguments: str | Path, token: str = ALICE, **env: str) -> Run:
        """Run this Python with the arguments, in an empty working directory."""
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=self.env(HF_TOKEN=token, PYTHONPATH=str(REPO), XDG_DATA_HOME=str(self.home / "data"), **env),
            cwd=self.home,
            timeout=120,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)
