"""Verification: what a hub serves at a revision, against a folder, a receipt, or what the hub itself states of it.

Each file is fetched and hashed block by block, so that memory does not grow with the model. A hub states the SHA-256 of
a large file and git's blob id of a small one: bytes that match neither were damaged, or replaced, after they were
published.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from hubpub.core.documents import read_document
from hubpub.core.errors import UsageError
from hubpub.core.wording import counted
from hubpub.model.folder import ModelFolder
from hubpub.publish.client import HubClient
from hubpub.publish.download import NotServedError
from hubpub.publish.load_check import Loaded
from hubpub.publish.receipt import RECEIPT_SCHEMA
from hubpub.publish.release import publish_set
from hubpub.publish.remote import RemoteFile
from hubpub.publish.verify import Mismatch

if TYPE_CHECKING:
    from hubpub.publish.prepare import Notify

VERIFICATION_SCHEMA = "hubpub.verification/1"
Progress = Callable[[int, int], None]
"""Takes bytes done and bytes to do."""

_BLOCK = 1 << 20
_AT_ONCE = 4
# The hub's own file, and the card, which a push may have written: neither needs to be in the folder.
_NOT_OF_THE_FOLDER = (".gitattributes", "README.md")


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What to verify, and against what.

    Attributes:
        repo_id: namespace/name.
        revision: a branch, a tag or a commit.
        path: a folder that the hub should serve; None compares with what the hub states, or the receipt.
        receipt: a file that `hubpub push --receipt` wrote.
        fetch: whether each file is downloaded and hashed; None does so unless there is a folder.
        complete: whether what only the hub has is a difference.
        include: globs of files of the folder that were published although they look like leftovers.
        exclude: globs of files of the folder that were not published.
    """

    repo_id: str
    revision: str = "main"
    path: Path | None = None
    receipt: Path | None = None
    fetch: bool | None = None
    complete: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared, and what differs.

    Attributes:
        endpoint: the hub.
        repo_id: namespace/name.
        revision: as it was asked for.
        commit: what that is now.
        files: how many files were compared.
        fetched: how many of them were downloaded, and `bytes` in all.
        bytes: see `fetched`.
        differences: what is not as it should be; empty when everything is.
        only_on_hub: files that neither the folder nor the receipt speaks of.
        loaded: what was tried of the model; None when that was not asked for, or there are differences.
    """

    endpoint: str
    repo_id: str
    revision: str
    commit: str
    files: int
    fetched: int
    bytes: int
    differences: tuple[Mismatch, ...]
    only_on_hub: tuple[str, ...]
    loaded: Loaded | None = None

    @property
    def ok(self) -> bool:
        """Whether there is no difference."""
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """The result in the schema `hubpub.verification/1`."""
        return {
            "schema": VERIFICATION_SCHEMA,
            "endpoint": self.endpoint,
            "repo_id": self.repo_id,
            "revision": self.revision,
            "commit": self.commit,
            "ok": self.ok,
            "files": self.files,
            "fetched": self.fetched,
            "bytes": self.bytes,
            "differences": [{"path": item.path, "what": item.what} for item in self.differences],
            "only_on_hub": list(self.only_on_hub),
        }


@dataclass(frozen=True, slots=True)
class _Digest:
    """What was read: bytes, their SHA-256, and the blob id that git gives to them if they are as many as announced."""

    size: int
    sha256: str
    blob: str


def verify(options: VerifyOptions, client: HubClient, notify: Notify, progress: Progress | None = None) -> Verification:
    """Compare what the hub serves with what it should.

    Raises:
        UsageError: there is no such repo, revision, folder or receipt.
        HubError: the hub or the network failed.
    """
    manifest = _manifest(options.receipt) if options.receipt else None
    folder = _folder(options.path, options) if options.path else None
    fetch = options.fetch if options.fetch is not None else folder is None
    if not fetch and folder is None and manifest is None:
        raise UsageError("there is nothing to compare with", "give a folder or --receipt FILE, or let it fetch")
    commit = client.resolve(options.repo_id, options.revision)
    tree = client.tree(options.repo_id, commit)
    amount = counted(sum(file.size for file in tree.values()), "byte")
    notify(f"{options.repo_id} at {commit[:12]}: {counted(len(tree), 'file')}, {amount}")

    found: dict[str, Mismatch] = {}
    only_on_hub = set(tree)
    if folder is not None and options.path is not None:
        found |= _against_folder(options.path, folder, tree)
        only_on_hub &= {path for path in tree if not _in_folder(options.path, path)} - set(_NOT_OF_THE_FOLDER)
    if manifest is not None:
        found |= _against_manifest(manifest, tree)
        only_on_hub -= manifest.keys()
    # The hub states no SHA-256 of small files: for the receipt's sake they are always fetched.
    small = {path for path in manifest or () if path in tree and tree[path].sha256 is None}
    to_fetch = {path: tree[path] for path in (tree if fetch else small) if path not in found}
    served = _fetch(client, options.repo_id, commit, to_fetch, progress)
    for path, digest in served.items():
        what = digest if isinstance(digest, str) else _served(digest, tree[path], (manifest or {}).get(path))
        if what:
            found[path] = Mismatch(path, what)
    if folder is None and manifest is None:
        only_on_hub = set()
    if options.complete:
        found |= {path: Mismatch(path, "only on the hub") for path in only_on_hub}
    return Verification(
        endpoint=client.endpoint,
        repo_id=options.repo_id,
        revision=options.revision,
        commit=commit,
        files=len(tree),
        fetched=len(served),
        bytes=sum(digest.size for digest in served.values() if isinstance(digest, _Digest)),
        differences=tuple(found[path] for path in sorted(found)),
        only_on_hub=tuple(sorted(only_on_hub)),
    )


def _folder(path: Path, options: VerifyOptions) -> ModelFolder:
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder", "give the folder that the hub should serve")
    return ModelFolder.open(path, include=options.include, exclude=options.exclude)


def _against_folder(path: Path, folder: ModelFolder, tree: Mapping[str, RemoteFile]) -> dict[str, Mismatch]:
    """What differs between a folder and a tree, by the hashes that the hub states."""
    found = {}
    for entry in publish_set(folder).files:
        if entry.path not in tree:
            found[entry.path] = Mismatch(entry.path, "not on the hub")
    for remote in tree.values():
        if not _in_folder(path, remote.path):
            continue
        local = path / remote.path
        size = local.stat().st_size
        if size != remote.size:
            found[remote.path] = Mismatch(remote.path, f"{remote.size:,} bytes on the hub, {size:,} here")
        elif not _is(_digest(_blocks(local), size), remote):
            found[remote.path] = Mismatch(remote.path, "another content than here")
    return found


def _in_folder(folder: Path, path: str) -> bool:
    """Whether the folder has a file at a path that a hub names; links are followed, as caches consist of them."""
    parts = PurePosixPath(path).parts
    return path[:1] != "/" and ".." not in parts and "\0" not in path and (folder / path).is_file()


def _against_manifest(manifest: Mapping[str, tuple[int, str]], tree: Mapping[str, RemoteFile]) -> dict[str, Mismatch]:
    """What differs between a receipt and a tree, by what the hub states."""
    found = {}
    for path, (size, sha256) in manifest.items():
        remote = tree.get(path)
        if remote is None:
            found[path] = Mismatch(path, "not there")
        elif remote.size != size:
            found[path] = Mismatch(path, f"{remote.size:,} bytes instead of {size:,}")
        elif remote.sha256 not in (None, sha256):
            found[path] = Mismatch(path, "another hash than in the receipt")
    return found


def _served(digest: _Digest, stated: RemoteFile, recorded: tuple[int, str] | None) -> str | None:
    """What is wrong with the bytes of a file; None when nothing is."""
    if digest.size != stated.size:
        return f"the hub serves {digest.size:,} bytes and states {stated.size:,}"
    if not _is(digest, stated):
        return "the hub serves other bytes than the hash that it states"
    if recorded is not None and recorded != (digest.size, digest.sha256):
        return "another content than in the receipt"
    return None


def _is(digest: _Digest, remote: RemoteFile) -> bool:
    return digest.blob == remote.blob if remote.sha256 is None else digest.sha256 == remote.sha256


def _fetch(
    client: HubClient, repo_id: str, commit: str, files: Mapping[str, RemoteFile], progress: Progress | None
) -> dict[str, _Digest | str]:
    """The digest of each file as it is served, or why it is not."""
    total = sum(file.size for file in files.values())
    read = 0
    given_up = threading.Event()

    def watched(file: RemoteFile) -> Iterator[bytes]:
        nonlocal read
        for chunk in client.stream(repo_id, file.path, commit):
            read += len(chunk)
            if progress:
                progress(read, total)
            if given_up.is_set():
                return
            yield chunk

    def run(file: RemoteFile) -> _Digest | str:
        try:
            return _digest(watched(file), file.size)
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


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "check its permissions") from error


def _digest(blocks: Iterable[bytes], size: int) -> _Digest:
    """What git and the hub call these bytes; `size` is how many there should be, which git's id begins with."""
    sha256 = hashlib.sha256()
    blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    read = 0
    for block in blocks:
        read += len(block)
        sha256.update(block)
        blob.update(block)
    return _Digest(read, sha256.hexdigest(), blob.hexdigest())


def _manifest(path: Path) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 by path, as a receipt records them."""
    document = read_document(path, RECEIPT_SCHEMA, "hubpub push --receipt FILE")
    try:
        return {str(item["path"]): (int(item["size"]), str(item["sha256"])) for item in document["manifest"]}
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path} records no hashes", "make a receipt with `hubpub push PATH --receipt FILE`"
        ) from error
