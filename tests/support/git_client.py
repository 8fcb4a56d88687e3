"""git and git-lfs as clients, with a configuration of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
needs_git_lfs = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("git-lfs") is None, reason="git or git-lfs is not installed"
)


@dataclass(frozen=True)
class Git:
    """Runs git in `home`, which holds the clones."""

    home: Path

    def run(self, *arguments: str | Path, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "HF_"))}
        return subprocess.run(
            ["git", *map(str, arguments)],
            cwd=cwd or self.home,
            env={
                **clean,
                "HOME": str(self.home),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_LFS_SKIP_SMUDGE": "1",
                **env,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def __call__(self, *arguments: str | Path, cwd: Path | None = None, **env: str) -> str:
        """What git printed; it must succeed."""
        done = self.run(*arguments, cwd=cwd, **env)
        assert done.returncode == 0, done.stderr
        return done.stdout
