"""The body of a commit: one JSON object in each line, on disk if it is large.

Format: `_prepare_commit_payload` in
https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/_commit_api.py
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from hubpub.core.errors import ConflictError
from hubpub.publish.local import LocalFile

_IN_MEMORY = 16 << 20


class ChangedOnDiskError(ConflictError):
    """A file is not what it was when it was hashed: it would be published half old, half new."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} changed on disk while it was being published; nothing was committed",
            "wait until nothing writes to the folder, then run the same command again",
        )


@dataclass(frozen=True, slots=True)
class Add:
    """Add or replace a file; a `large` one has been uploaded already, the others are in the body."""

    file: LocalFile
    large: bool

    @property
    def path(self) -> str:
        """Where it goes."""
        return self.file.path


@dataclass(frozen=True, slots=True)
class Copy:
    """Put a large file that the repo has, in whichever commit, at a path."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a file."""

    path: str


Operation = Add | Copy | Delete


def deletions(paths: Iterable[str]) -> list[Delete]:
    """One operation of a commit for each file that it deletes."""
    return [Delete(path) for path in paths]


@contextmanager
def commit_body(
    operations: Sequence[Operation], *, parent: str | None, title: str, description: str
) -> Iterator[BinaryIO]:
    """The body, as a file at its start.

    Raises:
        ConflictError: a file is not what it was when it was hashed.
    """
    header = {"summary": title, "description": description} | ({"parentCommit": parent} if parent else {})
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="hubpub-") as spool:
        for line in ({"key": "header", "value": header}, *map(_line, operations)):
            spool.write(json.dumps(line).encode() + b"\n")
        spool.seek(0)
        yield cast(BinaryIO, spool)


def _line(operation: Operation) -> dict[str, Any]:
    if isinstance(operation, Delete):
        return {"key": "deletedFile", "value": {"path": operation.path}}
    if isinstance(operation, Copy):
        return {"key": "lfsFile", "value": {"path": operation.path, "algo": "sha256", "oid": operation.sha256}}
    file = operation.file
    if operation.large:
        value = {"path": file.path, "algo": "sha256", "oid": file.sha256, "size": file.size}
        return {"key": "lfsFile", "value": value}
    content = _content(file)
    return {
        "key": "file",
        "value": {"content": base64.b64encode(content).decode(), "path": file.path, "encoding": "base64"},
    }


def _content(file: LocalFile) -> bytes:
    try:
        content = file.read()
    except OSError:
        content = b""
    if len(content) != file.size or hashlib.sha256(content).hexdigest() != file.sha256:
        raise ChangedOnDiskError(file.path)
    return content
