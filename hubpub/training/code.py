"""Which code trains: the commit of its checkout, whether files differ from it, and the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hubpub.model.git_checkout import read_git_checkout
from hubpub.training.redact import command_line

_SECONDS = 10


def training_code() -> dict[str, Any]:
    """What is known: "commit", "remote", "dirty", "command"."""
    found: dict[str, Any] = {"command": command_line(sys.argv)}
    root = _checkout()
    if root is not None:
        checkout = read_git_checkout(root)
        if checkout is not None:
            found |= {"commit": checkout.commit, "remote": checkout.remote}
            if checkout.commit:
                found["dirty"] = _dirty(root)
    return {name: value for name, value in found.items() if value is not None}


def _checkout() -> Path | None:
    """The checkout that the script lies in, else the one of the working directory."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    starts = [Path(script).resolve().parent] if isinstance(script, str) else []
    starts.append(Path.cwd())
    for start in starts:
        for folder in (start, *start.parents):
            if (folder / ".git").exists():
                return folder
    return None


def _dirty(root: Path) -> bool | None:
    """Whether tracked files differ from the commit; None when git does not say."""
    try:
        done = subprocess.run(  # noqa: S603 -- nothing of a model folder is in it
            # a checkout that somebody else packed may name a program there, which git would run
            ["git", "-C", str(root), "-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=no"],  # noqa: S607
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return bool(done.stdout.strip()) if done.returncode == 0 else None
