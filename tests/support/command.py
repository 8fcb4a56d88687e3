"""The real `hubpub` command against a real hub, as a user would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub import HfApi

REPO = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Hub:
    """A running hub with an organisation `acme` (writer: admin, reader: read) and `readonly` (writer: read)."""

    endpoint: str
    tokens: dict[str, str] = field(repr=False)
    home: Path

    @property
    def api(self) -> HfApi:
        return HfApi(endpoint=self.endpoint, token=self.tokens["writer"])

    def repos(self) -> list[str]:
        return [model.id for model in self.api.list_models()]

    def environ(self, token: str | None, endpoint: str | None = None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
        environ = {
            **kept,
            "HF_ENDPOINT": endpoint or self.endpoint,
            "HF_HOME": str(self.home),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "1",
            "HF_XET_CLIENT_RETRY_BASE_DELAY": "10ms",
            "PYTHONPATH": str(REPO),
            "XDG_DATA_HOME": str(self.home / "data"),
        }
        return environ | ({"HF_TOKEN": token} if token else {})

    def hubpub(
        self,
        *arguments: str | Path,
        token: str | None = "writer",
        endpoint: str | None = None,
        env: dict[str, str] | None = None,
    ) -> Run:
        """Run the command; `token` names one of `tokens`, or is a token itself."""
        return self.python("-m", "hubpub", *arguments, token=token, endpoint=endpoint, env=env)

    def python(
        self,
        *arguments: str | Path,
        token: str | None = "writer",
        endpoint: str | None = None,
        env: dict[str, str] | None = None,
    ) -> Run:
        """Run this Python with the environment of a user of the hub."""
        secret = self.tokens.get(token, token) if token else None
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=self.environ(secret, endpoint) | (env or {}),
            cwd=self.home,
            timeout=120,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)
