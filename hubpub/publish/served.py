"""What a hub serves at a commit: each file fetched and hashed block by block, so that memory does not grow with it.

A hub states the SHA-256 of a large file and git's blob id of a small one: bytes that match neither were damaged, or
replaced, after they were published.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hubpub.core.errors import UsageError, VerificationError
from hubpub.publish.client import HubClient
from hubpub.publish.download import NotServedError
from hubpub.publish.remote import RemoteFile

Progress = Callable[[int, int], None]
"""Takes bytes done and bytes to do."""

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Digest:
    """What was read: bytes, their SHA-256, and the blob id that git gives to them if they are as many as announced."""

    size: int
    sha256: str
    blob: str

    @classmethod
    def of(cls, blocks: Iterable[bytes], size: int) -> Digest:
        """Read all blocks; `size` is how many bytes there should be, which git's id begins with."""
        sha256 = hashlib.sha256()
        blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        read = 0
        for block in blocks:
            read += len(block)
            sha256.update(block)
            blob.update(block)
        return cls(read, sha256.hexdigest(), blob.hexdigest())

    def equals(self, stated: RemoteFile) -> bool:
        """Whether these are the bytes that the hub states."""
        return self.blob == stated.blob if stated.sha256 is None else self.sha256 == stated.sha256

    def problem(self, stated: RemoteFile) -> str | None:
        """What is wrong with the bytes that were served; None when nothing is."""
        if self.size != stated.size:
            return f"the hub serves {self.size:,} bytes and states {stated.size:,}"
        return None if self.equals(stated) else "the hub serves other bytes than the hash that it states"


def fetch(
    client: HubClient,
    repo_id: str,
    commit: str,
    files: Mapping[str, RemoteFile],
    progress: Progress | None = None,
    keep: Path | None = None,
) -> dict[str, Digest | str]:
    """The digest of each file as it is served, or why it is not.

    Args:
        client: the hub.
        repo_id: namespace/name.
        commit: to read them at.
        files: what the hub states of them, by path.
        progress: is told how far it is.
        keep: a directory to put them into; None drops them.

    Raises:
        HubError: the hub or the network failed.
        UsageError: there is no room for them.
        VerificationError: a path leads out of the repo.
    """
    total = sum(file.size for file in files.values())
    read = 0
    given_up = threading.Event()

    def counted(file: RemoteFile) -> Iterator[bytes]:
        nonlocal read
        for chunk in client.stream(repo_id, file.path, commit):
            read += len(chunk)
            if progress:
                progress(read, total)
            if given_up.is_set():
                return
            yield chunk

    def run(file: RemoteFile) -> Digest | str:
        try:
            blocks = counted(file)
            return Digest.of(_kept(blocks, repo_id, keep, file.path) if keep else blocks, file.size)
        except NotServedError as error:
            return error.message

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = {pool.submit(run, file): file.path for file in files.values()}
        try:
            return {running[done]: done.result() for done in as_completed(running)}
        except BaseException:
            given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _kept(blocks: Iterable[bytes], repo_id: str, directory: Path, path: str) -> Iterator[bytes]:
    """The same blocks, written into a new file on the way."""
    if not is_inside(path):
        raise VerificationError(f"{repo_id} lists a file outside of itself", "look at the repo on the hub")
    target = directory / path
    with contextlib.ExitStack() as stack:
        with _disk(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            out = stack.enter_context(target.open("xb"))
        for block in blocks:
            with _disk(target):
                out.write(block)
            yield block


@contextlib.contextmanager
def _disk(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{target.name} cannot be kept in {target.parent}: {error.strerror}", "set TMPDIR to a disk that takes it"
        ) from error


def is_inside(path: str) -> bool:
    """Whether it names something below a directory, and leads out of it nowhere."""
    parts = PurePosixPath(path).parts
    return bool(parts) and path[:1] != "/" and ".." not in parts and "\0" not in path
