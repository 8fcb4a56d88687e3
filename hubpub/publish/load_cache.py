"""A throw-away cache as huggingface_hub lays it out, from which a child without a network loads models by their ids.

https://huggingface.co/docs/huggingface_hub/guides/manage-cache describes it. The files are fetched by hubpub itself:
snapshot_download waits for a silent hub without end, and does not compare what came with the hash that the hub states.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hubpub.core.errors import UsageError, VerificationError
from hubpub.core.wording import counted
from hubpub.publish.client import HubClient
from hubpub.publish.remote import RemoteFile
from hubpub.publish.served import fetch, is_inside

_SPARE = 1 << 30


@dataclass(frozen=True, slots=True)
class LoadCache:
    """A cache of models, each at one commit."""

    root: Path

    def snapshot(self, repo_id: str, commit: str) -> Path:
        """Where the files of a repo at a commit belong; the directory is there after this."""
        directory = self._repo(repo_id) / "snapshots" / commit
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def name(self, repo_id: str, revision: str, commit: str) -> None:
        """Let a branch or a tag stand for a commit."""
        refs = self._repo(repo_id) / "refs"
        if revision != commit and is_inside(revision):
            (refs / revision).parent.mkdir(parents=True, exist_ok=True)
            (refs / revision).write_text(commit)

    def fill(self, client: HubClient, repo_id: str, commit: str, files: Mapping[str, RemoteFile]) -> Path:
        """Fetch the files that are not there yet, each compared with what the hub states of it; the snapshot.

        Raises:
            VerificationError: the hub does not hand out a file, or hands out another one.
            UsageError: there is no room.
            HubError: the hub or the network failed.
        """
        directory = self.snapshot(repo_id, commit)
        absent = {path: file for path, file in files.items() if not (directory / path).is_file()}
        self.check_room(sum(file.size for file in absent.values()))
        watch = client.http.watch
        words = f"{counted(len(absent), 'file')} of {repo_id}"
        served = fetch(
            client,
            repo_id,
            commit,
            absent,
            (lambda done, total: watch("fetching", done, total, words)) if watch else None,
            directory,
        )
        for path, digest in sorted(served.items()):
            problem = digest if isinstance(digest, str) else digest.problem(files[path])
            if problem:
                raise VerificationError(
                    f"{path} of {repo_id} at {commit[:12]}: {problem}", "run `hubpub verify`, and report it to the hub"
                )
        return directory

    def check_room(self, size: int) -> None:
        """Return if the disk has room for so many bytes.

        Raises:
            UsageError: it has not.
        """
        free = shutil.disk_usage(self.root).free
        if size + _SPARE > free:
            raise UsageError(
                f"loading takes {size / 1e9:.1f} GB of {self.root.parent}, which has {free / 1e9:.1f} GB free",
                "leave out --load, or set TMPDIR to a larger disk",
            )

    def _repo(self, repo_id: str) -> Path:
        from huggingface_hub.file_download import repo_folder_name

        return self.root / repo_folder_name(repo_id=repo_id, repo_type="model")


@contextmanager
def throw_away_cache() -> Iterator[LoadCache]:
    """An empty cache, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hubpub-load-", ignore_cleanup_errors=True) as root:
        yield LoadCache(Path(root).resolve())
