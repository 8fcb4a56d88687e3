"""Hubs for tests, and the real client for them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import support.client_env  # noqa: F401  before huggingface_hub
from huggingface_hub import HfApi

from hubpub.hub import Hub, Limits, parse_org, parse_token, running

ALICE, BOB, CAROL, READER = "hf_alice", "hf_bob", "hf_carol", "hf_alicereads"


@dataclass(frozen=True)
class TestHub:
    """A running hub with the users alice (admin of acme), bob (reads acme) and carol (contributes to acme)."""

    __test__ = False

    hub: Hub
    home: Path

    @property
    def endpoint(self) -> str:
        return self.hub.endpoint

    def api(self, token: str | bool = ALICE) -> HfApi:
        """The real client; with False, nobody signed in."""
        return HfApi(endpoint=self.endpoint, token=token)

    def read(self, repo: str, path: str, token: str | bool = ALICE, revision: str = "main") -> bytes:
        """Download a file; not from the cache that this process shares with other tests."""
        with tempfile.TemporaryDirectory() as cache:
            found = self.api(token).hf_hub_download(repo, path, revision=revision, cache_dir=cache)
            return Path(found).read_bytes()

    def env(self, **more: str) -> dict[str, str]:
        """What a child process needs to use this hub and nothing else."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
        return {
            **ours,
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(self.home),
            "HF_TOKEN": ALICE,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "1",
            "HF_XET_CLIENT_RETRY_BASE_DELAY": "10ms",
            **more,
        }

    def python(self, code: str, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Run code in a child process, for settings that the client freezes at import; what it printed."""
        done = subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", "-c", code, *args],
            env=self.env(**(env or {})),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


StartHub = Callable[..., TestHub]


@contextmanager
def hubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartHub]:
    """Starts hubs, each with its own HF_HOME; on a given root, or a new one."""
    with ExitStack() as stack:

        def start(root: Path | None = None, limits: Limits | None = None) -> TestHub:
            home = tmp_path_factory.mktemp("hf-home")
            hub = stack.enter_context(
                running(
                    root or tmp_path_factory.mktemp("hub"),
                    tokens=[
                        parse_token(f"{ALICE}=alice:write"),
                        parse_token(f"{READER}=alice:read"),
                        parse_token(f"{BOB}=bob:write"),
                        parse_token(f"{CAROL}=carol:write"),
                    ],
                    orgs=[parse_org("acme=alice:admin,bob:read,carol:contributor")],
                    limits=limits,
                )
            )
            return TestHub(hub, home)

        yield start
