"""Files kept outside git, whichever way they came: through LFS or through xet.

That a file is in the store does not mean that every repo may name it: knowing a hash must not be a way to read
a private repo's file. So each repo notes which files were uploaded to it, and only those count as its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hubpub.hub.naming import RepoId
from hubpub.hub.store.content import Content
from hubpub.hub.store.data_root import make_folder, sync_folder
from hubpub.hub.store.lfs import LfsStore
from hubpub.hub.store.repos import Repos
from hubpub.hub.store.small_files import exists
from hubpub.hub.store.xet import XetStore


@dataclass(frozen=True, slots=True)
class LargeFiles:
    """LFS and xet storage together, and which repo may name which file."""

    lfs: LfsStore
    xet: XetStore
    repos: Repos

    def open(self, sha256: str) -> Content | None:
        """The content with that hash; None if it is in neither store."""
        return self.lfs.open(sha256) or self.xet.open(sha256)

    def size(self, sha256: str) -> int | None:
        """Size in bytes of the content with that hash; None if there is none."""
        content = self.open(sha256)
        return None if content is None else content.size

    def note(self, repo: RepoId, sha256: str) -> None:
        """Note that a file was uploaded to `repo`, and when last. A repo that has gone meanwhile stays gone.

        Raises:
            ApiError: 409 if the repo is busy for too long.
        """
        marker = self._marker(repo, sha256)
        if marker.exists():
            # So that it is not taken for an upload that was given up.
            marker.touch()
            return
        with self.repos.lock(repo):
            if self.repos.get(repo) is not None:
                make_folder(marker.parent)
                marker.touch()
                sync_folder(marker.parent)

    def is_in(self, repo: RepoId, sha256: str) -> bool:
        """Whether a file was uploaded to `repo`."""
        return exists(f"{self.repos.address(repo)}/lfs/{sha256[:2]}/{sha256}")

    def all_in(self, repo: RepoId) -> list[str]:
        """The SHA-256 of every file that was uploaded to `repo`."""
        return [marker.name for marker in (self.repos.folder(repo) / "lfs").glob("*/*")]

    def _marker(self, repo: RepoId, sha256: str) -> Path:
        return self.repos.folder(repo) / "lfs" / sha256[:2] / sha256
