"""Making commits: one commit is one compare-and-swap of one ref, or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import BinaryIO

from dulwich.objects import Blob, Commit, ObjectID, Tree

from hubpub.hub.access.accounts import User
from hubpub.hub.config import Limits
from hubpub.hub.errors import ApiError, bad_request, repo_not_found, revision_not_found, too_large
from hubpub.hub.store.commit_body import AddRegular, CommitBody, content_at, read_commit
from hubpub.hub.store.discussions import Discussion, Discussions, PullRequest, Status, opened
from hubpub.hub.store.git import GitRepo
from hubpub.hub.store.large_files import LargeFiles
from hubpub.hub.store.pointer import format_pointer
from hubpub.hub.store.repos import MAIN, RepoRecord, Repos
from hubpub.hub.store.tree_edit import TreeEdit

_LARGE_PATTERNS = """
*.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack
*.npy *.npz *.onnx *.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors
saved_model/**/* *.tar.* *.tar *.tflite *.tgz *.wasm *.xz *.zip *.zst *tfevents*
"""
GITATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in _LARGE_PATTERNS.split())
"""What the Hub puts into `.gitattributes` of a new repo: these files go through LFS."""

_LONGEST_TITLE = 200

Blobs = dict[ObjectID, Callable[[], Blob]]
"""The blobs of a commit by id, each loaded when it is written."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was made: its id, and the number of the pull request if it opened one."""

    oid: str
    pull_request: int | None


def first_commit(git: GitRepo, author: User, readme: str = "") -> None:
    """Make the commit that a new repo starts with: `.gitattributes`, and README.md if there is to be one."""
    files = {".gitattributes": GITATTRIBUTES, **({"README.md": readme} if readme else {})}
    edit = TreeEdit(git, None)
    blobs: Blobs = {}
    for path, text in files.items():
        blob = Blob.from_string(text.encode())
        edit.put(path, blob.id.decode())
        blobs[blob.id] = partial(_same, blob)
    git.set_ref(MAIN, write_commit(git, edit.write(), blobs, None, "initial commit", author))


def commit(
    repos: Repos,
    large_files: LargeFiles,
    record: RepoRecord,
    revision: str,
    spool: BinaryIO,
    author: User,
    limits: Limits,
    *,
    propose_to: Discussions | None = None,
) -> Committed:
    """Do what a spooled commit body asks for, on a branch or, with `propose_to`, as a new pull request against it.

    Raises:
        ApiError: 400 for a malformed body or a large file that was not uploaded to this repo; 404 for a missing
            branch or a file to delete; 409 if the repo is busy; 412 if the branch has moved past the parent.
    """
    body = read_commit(spool, limits)
    with repos.lock(record.id), repos.git(record) as git:
        present = repos.get(record.id)
        if present is None or present.uid != record.uid:
            raise repo_not_found(signed_in=True)
        branch, head = _branch(git, revision)
        base, proposed = head, None
        if propose_to is not None:
            base = _proposed_base(git, body, head)
            proposed = _proposed(propose_to.next_number(record, git), body, author, PullRequest(branch, base))
            branch = proposed.ref
        elif body.parent and not head.startswith(body.parent):
            raise ApiError(412, "A commit has happened since. Please refresh and try again.")
        edit = TreeEdit(git, git.root_tree(base))
        for deletion in body.deletions:
            edit.remove(deletion.path, folder=deletion.folder)
        blobs = {
            **_place_large(edit, body, large_files, record),
            **_place_regular(edit, body, spool, limits),
        }
        message = f"{body.summary}\n\n{body.description}" if body.description.strip() else body.summary
        oid = write_commit(git, edit.write(), blobs, base, message, author)
        if propose_to is not None and proposed is not None:
            propose_to.save(record, proposed)
        git.set_ref(branch, oid)
        return Committed(oid, proposed.number if proposed else None)


def _branch(git: GitRepo, revision: str) -> tuple[str, str]:
    """The ref that a commit to `revision` moves, a branch or a pull request but never a tag, and its commit.

    Raises:
        ApiError: 404 RevisionNotFound.
    """
    full = revision if revision.startswith(("refs/heads/", "refs/pr/")) else f"refs/heads/{revision}"
    head = git.ref(full)
    if head is None:
        raise revision_not_found(revision)
    return full, head


def _proposed_base(git: GitRepo, body: CommitBody, head: str) -> str:
    if body.parent is None:
        return head
    base = git.resolve(body.parent)
    if base is None:
        raise revision_not_found(body.parent)
    return base


def _proposed(number: int, body: CommitBody, author: User, request: PullRequest) -> Discussion:
    title = body.summary.strip().splitlines()[0][:_LONGEST_TITLE]
    description = body.description if body.description.strip() else title
    return opened(number, title, description, author.name, Status.OPEN, request)


def _place_large(edit: TreeEdit, body: CommitBody, large_files: LargeFiles, record: RepoRecord) -> Blobs:
    blobs: Blobs = {}
    for item in body.large:
        size = large_files.size(item.sha256) if large_files.is_in(record.id, item.sha256) else None
        if size is None:
            raise bad_request(
                "Your push was rejected because an LFS pointer pointed to a file that does not exist: "
                f"{item.path} (sha256 {item.sha256})"
            )
        if item.size not in (None, size):
            raise bad_request(f"The size of {item.path} is {size}, not {item.size}")
        pointer = Blob.from_string(format_pointer(item.sha256, size))
        edit.put(item.path, pointer.id.decode())
        blobs[pointer.id] = partial(_same, pointer)
    return blobs


def _place_regular(edit: TreeEdit, body: CommitBody, spool: BinaryIO, limits: Limits) -> Blobs:
    blobs: Blobs = {}
    for item in body.regular:
        blob = _regular(item, spool, limits)
        edit.put(item.path, blob.id.decode())
        # Not the blob: it is decoded again to be written, so that only one file is in memory at a time.
        blobs[blob.id] = partial(_regular, item, spool, limits)
    return blobs


def _regular(item: AddRegular, spool: BinaryIO, limits: Limits) -> Blob:
    data = content_at(spool, item.offset, limits)
    if len(data) > limits.regular_file:
        raise too_large(f"{item.path} is larger than {limits.regular_file} bytes; use LFS or xet for it")
    return Blob.from_string(data)


def _same(blob: Blob) -> Blob:
    return blob


def write_commit(
    git: GitRepo, trees: Iterable[Tree], blobs: Blobs, parent: str | None, message: str, author: User
) -> str:
    """Write the objects of a commit, the root of its trees last, and return its id. No ref names it yet.

    Equal files and folders are one object.
    """
    trees = list(trees)
    made = Commit()
    made.tree = trees[-1].id
    made.parents = [ObjectID(parent.encode())] if parent else []
    made.author = made.committer = f"{author.name} <{author.name}@users.noreply.localhost>".encode()
    made.author_time = made.commit_time = int(time.time())
    made.author_timezone = made.commit_timezone = 0
    made.encoding = b"UTF-8"
    made.message = message.encode("utf-8", "replace")
    distinct_trees = {tree.id: tree for tree in trees}.values()
    objects = chain((load() for load in blobs.values()), distinct_trees, [made])
    git.add(objects, len(blobs) + len(distinct_trees) + 1)
    return made.id.decode()
