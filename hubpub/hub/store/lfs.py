"""Large files as LFS clients upload them: one file per content, named by its SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hubpub.hub.errors import bad_request
from hubpub.hub.store.content import BLOCK, FileContent
from hubpub.hub.store.data_root import DataRoot


@dataclass(frozen=True, slots=True)
class LfsStore:
    """The store below `lfs/` of a data folder."""

    root: DataRoot

    def open(self, sha256: str) -> FileContent | None:
        """The content with that hash; None if it is not here."""
        return FileContent.of(self.path(sha256))

    def keep(self, file: BinaryIO, path: Path, sha256: str) -> None:
        """Keep a scratch file whose hash has been checked."""
        self.root.keep(file, path, self.path(sha256))

    def start_parts(self, size: int) -> str:
        """Make room for a file that comes in parts, and return the name of the upload."""
        upload = secrets.token_hex(16)
        with self._parts(upload).open("xb") as file:
            try:
                file.truncate(size)
            except OSError:
                self.give_up_parts(upload)
                raise
        return upload

    def give_up_parts(self, upload: str) -> None:
        """Drop what has arrived of an upload."""
        self._parts(upload).unlink(missing_ok=True)

    def open_parts(self, upload: str) -> BinaryIO:
        """The file that the parts of an upload are written into, each at its offset.

        Raises:
            ApiError: 400 if the upload is complete or was given up.
        """
        try:
            return self._parts(upload).open("r+b")
        except FileNotFoundError:
            raise bad_request("This upload is not under way") from None

    def finish_parts(self, upload: str, sha256: str) -> None:
        """Check what the parts of an upload add up to, and keep it.

        Raises:
            ApiError: 400 if it is not the content that was announced.
        """
        with self.open_parts(upload) as file:
            digest = hashlib.sha256()
            while block := file.read(BLOCK):
                digest.update(block)
            path = self._parts(upload)
            if digest.hexdigest() != sha256:
                path.unlink(missing_ok=True)
                raise bad_request("The uploaded parts do not have the announced sha256")
            self.keep(file, path, sha256)

    def _parts(self, upload: str) -> Path:
        return self.root.path / "scratch" / f"parts-{upload}"

    def path(self, sha256: str) -> Path:
        """Where the file with that hash is, if it is here."""
        return self.root.path / "lfs" / sha256[:2] / sha256
