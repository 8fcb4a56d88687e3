"""Loading what a hub serves: every file of one commit is fetched by id, compared, and loaded in a child process.

The child has no token, no network and limits (`hubpub.model.child`), and runs no code of the repo: what the hub serves
is trusted no more than a folder is.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from hubpub.core.errors import UsageError, VerificationError
from hubpub.model.folder import ModelFolder
from hubpub.model.load import load
from hubpub.publish.client import HubClient
from hubpub.publish.local import git_blob_oid
from hubpub.publish.remote import RemoteFile

_SPARE = 1 << 30


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that loads and runs: its repo and commit, its class, and the steps that were tried."""

    repo_id: str
    commit: str
    name: str | None
    steps: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """What a receipt says of it."""
        return {"commit": self.commit, "class": self.name, "steps": list(self.steps)}


def load_published(client: HubClient, repo_id: str, commit: str, notify: Callable[[str], None]) -> Loaded:
    """Fetch the repo at a commit, load the model, and run it once.

    Raises:
        VerificationError: it does not load, or nobody can tell.
        HubError: the hub or the network failed.
    """
    tree = client.tree(repo_id, commit)
    with tempfile.TemporaryDirectory(prefix="hubpub-load-") as directory:
        root = Path(directory)
        _check_room(root, tree)
        _fetch(client, repo_id, commit, tree, root)
        loading = load(ModelFolder.open(root))
    if loading is None or loading.reason is not None:
        why = loading.reason if loading else "it holds no weights"
        raise VerificationError(
            f"{repo_id} at {commit[:12]} could not be loaded: {why}", "leave out --load, or install what is missing"
        )
    failed = next((step for step in loading.steps if step.error), None)
    if failed is not None or loading.not_finite:
        what = f"{failed.name}: {failed.error}" if failed else f"its {loading.not_finite} is NaN or infinite"
        raise VerificationError(
            f"{repo_id} at {commit[:12]} does not load as its users load it ({what})",
            "mend the folder and push again, or `hubpub rollback`; nothing was tagged",
        )
    steps = tuple(step.name for step in loading.steps if not step.skip)
    if not steps:
        raise VerificationError(
            f"{repo_id} at {commit[:12]} could not be loaded: no step could be tried", "leave out --load"
        )
    notify(f"loaded {repo_id} at {commit[:12]}: {', '.join(steps)}")
    return Loaded(repo_id, commit, loading.name, steps)


def _check_room(root: Path, tree: Mapping[str, RemoteFile]) -> None:
    size, free = sum(file.size for file in tree.values()), shutil.disk_usage(root).free
    if size + _SPARE > free:
        raise UsageError(
            f"loading takes {size / 1e9:.1f} GB of {root.parent}, which has {free / 1e9:.1f} GB free",
            "leave out --load, or set TMPDIR to a larger disk",
        )


def _fetch(client: HubClient, repo_id: str, commit: str, tree: Mapping[str, RemoteFile], root: Path) -> None:
    """Every file, each compared with what the hub states of it."""
    total, done = sum(file.size for file in tree.values()), 0
    for number, (path, file) in enumerate(sorted(tree.items())):
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\0" in path:
            raise VerificationError(f"{repo_id} lists a file outside of itself", "look at the repo on the hub")
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            for block in client.stream(repo_id, path, commit):
                out.write(block)
                done += len(block)
                if client.http.watch is not None:
                    client.http.watch("fetching", done, total, f"{number:,} of {len(tree):,} files")
        if not _is(file, target):
            raise VerificationError(
                f"{repo_id} serves other bytes of {path} than the hash that it states",
                "run `hubpub verify`, and report it to the hub",
            )


def _is(file: RemoteFile, path: Path) -> bool:
    size = path.stat().st_size
    if size != file.size:
        return False
    if file.sha256 is None:
        return git_blob_oid(path, size) == file.blob
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
