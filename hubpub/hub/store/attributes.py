"""What `.gitattributes` and `.gitignore` of a repo say about a file that is to be uploaded."""

from __future__ import annotations

import io
from dataclasses import dataclass

from dulwich.attrs import GitAttributes, compile_gitattributes_patterns, parse_git_attributes
from dulwich.ignore import IgnoreFilter, read_ignore_patterns

from hubpub.hub.store.git import GitRepo

_LARGEST_FILE = 64 << 10


@dataclass(frozen=True, slots=True)
class UploadRules:
    """The rules at one commit."""

    git: GitRepo
    tree: str
    attributes: GitAttributes
    ignored: IgnoreFilter

    @classmethod
    def at(cls, git: GitRepo, commit: str, ignore: str | None) -> UploadRules:
        """The rules at `commit`; `ignore` is a `.gitignore` that is part of the upload, which then counts instead."""
        tree = git.root_tree(commit)
        affordable = _Affordable()
        attributes = compile_gitattributes_patterns(
            (pattern, values)
            for pattern, values in parse_git_attributes(io.BytesIO(_small(git, tree, ".gitattributes")))
            if affordable(pattern)
        )
        text = _small(git, tree, ".gitignore") if ignore is None else ignore.encode("utf-8", "replace")
        patterns = filter(affordable, read_ignore_patterns(io.BytesIO(text[:_LARGEST_FILE])))
        return cls(git, tree, GitAttributes(attributes), IgnoreFilter(patterns))

    def is_lfs(self, path: str) -> bool:
        """Whether the file is to be kept outside git."""
        return self.attributes.match_path(path.encode()).get(b"filter") == b"lfs"

    def is_ignored(self, path: str) -> bool:
        """Whether the file is not to be committed."""
        return bool(self.ignored.is_ignored(path))

    def remote_oid(self, path: str) -> str | None:
        """What the repo has there: the SHA-256 of a large file, the git id of another; None if nothing."""
        entry = self.git.entry(self.tree, path)
        if entry is None or entry.is_folder:
            return None
        pointer = self.git.blob_facts(entry.oid).pointer
        return pointer.sha256 if pointer else entry.oid


def _small(git: GitRepo, tree: str, path: str) -> bytes:
    entry = git.entry(tree, path)
    if entry is None or entry.is_folder:
        return b""
    return git.blob(entry.oid)[:_LARGEST_FILE]


class _Affordable:
    """Decides for one pattern after the other whether it is heeded.

    Matching takes a time that each wildcard multiplies by the length of the path, so there can be many patterns
    with one, and few with several. Real files stay far below.
    """

    def __init__(self) -> None:
        self._left = {0: _LARGEST_FILE, 1: 2000, 2: 500, 3: 20}

    def __call__(self, pattern: bytes) -> bool:
        wildcards = pattern.replace(b"**", b"*").count(b"*")
        left = self._left.get(wildcards, 0)
        self._left[wildcards] = left - 1
        return left > 0
