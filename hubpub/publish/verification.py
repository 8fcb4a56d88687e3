"""Verification: what a hub serves at a revision, against a folder, a receipt, or what the hub itself states of it.

With `load` the files that are fetched are kept for as long as it takes to load the model from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from hubpub.core.documents import read_document
from hubpub.core.errors import UsageError
from hubpub.core.wording import counted
from hubpub.model.folder import ModelFolder
from hubpub.publish.client import HubClient
from hubpub.publish.load_cache import LoadCache, throw_away_cache
from hubpub.publish.load_check import Loaded, load_from
from hubpub.publish.receipt import RECEIPT_SCHEMA
from hubpub.publish.release import publish_set
from hubpub.publish.remote import RemoteFile
from hubpub.publish.served import Digest, Progress, fetch
from hubpub.publish.verify import Mismatch

if TYPE_CHECKING:
    from hubpub.publish.prepare import Notify

VERIFICATION_SCHEMA = "hubpub.verification/1"
_BLOCK = 1 << 20
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
        fetch: whether each file is downloaded and hashed; None does so unless there is a folder. Loading does so, too.
        complete: whether what only the hub has is a difference.
        load: whether the model is loaded, too, where nothing differs.
        base_limit: bytes that the base model of an adapter may have to be fetched for that; None takes `BASE_LIMIT`.
        include: globs of files of the folder that were published although they look like leftovers.
        exclude: globs of files of the folder that were not published.
    """

    repo_id: str
    revision: str = "main"
    path: Path | None = None
    receipt: Path | None = None
    fetch: bool | None = None
    complete: bool = False
    load: bool = False
    base_limit: int | None = None
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
        loaded: what became of loading it; None when that was not asked for, or something differs.
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
        """Whether there is no difference, and loading, where it was asked for, did not fail."""
        return not self.differences and (self.loaded is None or self.loaded.ok)

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
            "loaded": self.loaded.to_json() if self.loaded else None,
        }


def verify(options: VerifyOptions, client: HubClient, notify: Notify, progress: Progress | None = None) -> Verification:
    """Compare what the hub serves with what it should; load it then, if that was asked for.

    Raises:
        UsageError: there is no such repo, revision, folder or receipt, or no room to load the model.
        HubError: the hub or the network failed.
    """
    client.http.notify = notify
    with throw_away_cache() if options.load else nullcontext() as cache:
        return _verify(options, client, notify, progress, cache)


def _verify(
    options: VerifyOptions, client: HubClient, notify: Notify, progress: Progress | None, cache: LoadCache | None
) -> Verification:
    manifest = _manifest(options.receipt) if options.receipt else None
    folder = _folder(options.path, options) if options.path else None
    hashes = options.fetch if options.fetch is not None else folder is None
    if not (hashes or cache or folder or manifest is not None):
        raise UsageError("there is nothing to compare with", "give a folder or --receipt FILE, or let it fetch")
    commit = client.resolve(options.repo_id, options.revision)
    tree = client.tree(options.repo_id, commit)
    amount = counted(sum(file.size for file in tree.values()), "byte")
    notify(f"{options.repo_id} at {commit[:12]}: {counted(len(tree), 'file')}, {amount}")
    if cache:
        cache.check_room(sum(file.size for file in tree.values()))

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
    # What differs already is not loaded, and needs not be fetched for that.
    everything = hashes or (cache is not None and not found)
    to_fetch = {path: tree[path] for path in (tree if everything else small) if path not in found}
    keep = cache.snapshot(options.repo_id, commit) if cache else None
    served = fetch(client, options.repo_id, commit, to_fetch, progress, keep)
    for path, digest in served.items():
        what = digest if isinstance(digest, str) else _served(digest, tree[path], (manifest or {}).get(path))
        if what:
            found[path] = Mismatch(path, what)
    if folder is None and manifest is None:
        only_on_hub = set()
    if options.complete:
        found |= {path: Mismatch(path, "only on the hub") for path in only_on_hub}
    loaded = None
    if cache and not found:
        loaded = load_from(cache, client, options.repo_id, commit, tree, notify, options.base_limit)
    return Verification(
        endpoint=client.endpoint,
        repo_id=options.repo_id,
        revision=options.revision,
        commit=commit,
        files=len(tree),
        fetched=len(served),
        bytes=sum(digest.size for digest in served.values() if isinstance(digest, Digest)),
        differences=tuple(found[path] for path in sorted(found)),
        only_on_hub=tuple(sorted(only_on_hub)),
        loaded=loaded,
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
        elif not Digest.of(_blocks(local), size).equals(remote):
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


def _served(digest: Digest, stated: RemoteFile, recorded: tuple[int, str] | None) -> str | None:
    """What is wrong with the bytes of a file; None when nothing is."""
    if problem := digest.problem(stated):
        return problem
    if recorded is not None and recorded != (digest.size, digest.sha256):
        return "another content than in the receipt"
    return None


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "check its permissions") from error


def _manifest(path: Path) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 by path, as a receipt records them."""
    document = read_document(path, RECEIPT_SCHEMA, "hubpub push --receipt FILE")
    try:
        return {str(item["path"]): (int(item["size"]), str(item["sha256"])) for item in document["manifest"]}
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path} records no hashes", "make a receipt with `hubpub push PATH --receipt FILE`"
        ) from error
