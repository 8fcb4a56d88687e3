"""The files of a release as they are on this machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from hubpub.publish.remote import RemoteFile

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class LocalFile:
    """One file of the release.

    Attributes:
        path: where it goes in the repo.
        source: the file on disk, or the bytes themselves (a rendered card).
        size: bytes.
        sha256: hex digest of the content; "" in a plan that need not know it.
        mtime_ns: of the file when it was hashed; 0 for bytes.
    """

    path: str
    source: Path | bytes
    size: int
    sha256: str
    mtime_ns: int
    _blob: list[str] = field(default_factory=list, compare=False, repr=False)

    @property
    def blob(self) -> str:
        """The id that git gives to it; the file is read for it once."""
        if not self._blob:
            self._blob.append(git_blob_oid(self.source, self.size))
        return self._blob[0]

    def equals(self, remote: RemoteFile | None) -> bool:
        """Whether the hub holds the same bytes: by SHA-256 for LFS files, by git's blob id for the others."""
        if remote is None or remote.size != self.size:
            return False
        if remote.sha256 is not None:
            return remote.sha256 == self.sha256
        return remote.blob == self.blob

    @property
    def unchanged_on_disk(self) -> bool:
        """Whether size and time are those of when it was hashed."""
        if isinstance(self.source, bytes):
            return True
        try:
            status = self.source.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns)

    def start(self, size: int) -> bytes:
        """Its first bytes."""
        if isinstance(self.source, bytes):
            return self.source[:size]
        with self.source.open("rb") as file:
            return file.read(size)

    def read(self) -> bytes:
        """All of it, for small files."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()


def is_content(file: RemoteFile, content: bytes) -> bool:
    """Whether these are the bytes that the hub states."""
    if len(content) != file.size:
        return False
    if file.sha256 is not None:
        return hashlib.sha256(content).hexdigest() == file.sha256
    return git_blob_oid(content, len(content)) == file.blob


def git_blob_oid(source: Path | bytes, size: int) -> str:
    """The id git gives to this content: SHA-1 of "blob", the size, a zero byte and the bytes."""
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    if isinstance(source, bytes):
        digest.update(source)
    else:
        with source.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
