"""The NDJSON body of a commit: read line by line from the spool file, so that its size never matters to memory.

Format: `huggingface_hub._commit_api._prepare_commit_payload`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from hubpub.hub.config import Limits
from hubpub.hub.errors import ApiError, bad_request, too_large
from hubpub.hub.naming import checked_path

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PARENT = re.compile(r"[0-9a-f]{5,40}")
_LONGEST_TEXT = 64 << 10


@dataclass(frozen=True, slots=True)
class AddRegular:
    """A file kept in git. Its content is a line of the body, read again when it is needed."""

    path: str
    offset: int


@dataclass(frozen=True, slots=True)
class AddLarge:
    """A file uploaded before through LFS or xet; `size` is absent for a copy within the hub."""

    path: str
    sha256: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Delete:
    """A file, or a folder with all it holds, that goes."""

    path: str
    folder: bool


@dataclass(slots=True)
class CommitBody:
    """A commit as the client asks for it.

    Attributes:
        summary: first line of the message.
        description: the rest of it.
        parent: the commit that the branch must point to, perhaps shortened.
        regular: files kept in git.
        large: files kept outside it.
        deletions: files and folders to remove; they go before anything is added.
    """

    summary: str = ""
    description: str = ""
    parent: str | None = None
    regular: list[AddRegular] = field(default_factory=list)
    large: list[AddLarge] = field(default_factory=list)
    deletions: list[Delete] = field(default_factory=list)


def read_commit(spool: BinaryIO, limits: Limits) -> CommitBody:
    """What a spooled body asks for.

    Raises:
        ApiError: 400 if it is malformed, or names a path that a repo cannot have; 413 past a limit.
    """
    body = CommitBody()
    readers: dict[str, Callable[[CommitBody, dict[str, Any], int], None]] = {
        "header": _header,
        "file": _file,
        "lfsFile": _large,
        "deletedFile": lambda body, value, _: body.deletions.append(Delete(_path(value), folder=False)),
        "deletedFolder": lambda body, value, _: body.deletions.append(
            Delete(checked_path(_text(value, "path").rstrip("/")), folder=True)
        ),
    }
    seen_header = False
    lines = 0
    offset = 0
    spool.seek(0)
    while line := _line(spool, limits):
        lines += 1
        if lines > limits.commit_operations + 1:
            raise too_large(f"A commit may hold at most {limits.commit_operations} operations")
        if line.strip():
            key, value = _parsed(line)
            if key not in readers:
                raise bad_request(f"Unknown key in commit: {key}")
            if (key == "header") is seen_header:
                raise bad_request("The first line of a commit, and no other, is its header")
            seen_header = True
            readers[key](body, value, offset)
        offset = spool.tell()
    if not seen_header:
        raise bad_request("The commit has no header")
    return body


def content_at(spool: BinaryIO, offset: int, limits: Limits) -> bytes:
    """The decoded content of the file whose line starts at `offset`.

    Raises:
        ApiError: 400 if it is not base64.
    """
    spool.seek(offset)
    _, value = _parsed(_line(spool, limits))
    try:
        return base64.b64decode(_text(value, "content"), validate=True)
    except (ValueError, binascii.Error):
        raise bad_request(f"The content of {_text(value, 'path')} is not base64") from None


def _line(spool: BinaryIO, limits: Limits) -> bytes:
    longest = limits.regular_file * 4 // 3 + _LONGEST_TEXT
    line = spool.readline(longest + 1)
    if len(line) > longest:
        raise too_large(f"A regular file may be at most {limits.regular_file} bytes; use LFS or xet for this one")
    return line


def _parsed(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        document = json.loads(line)
        key, value = document["key"], document["value"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise bad_request("A line of the commit is not a JSON object with key and value") from None
    if not isinstance(key, str) or not isinstance(value, dict):
        raise bad_request("A line of the commit is not a JSON object with key and value")
    return key, value


def _header(body: CommitBody, value: dict[str, Any], _: int) -> None:
    body.summary = _text(value, "summary")
    body.description = _text(value, "description", "")
    if not body.summary.strip():
        raise bad_request("The commit has no summary")
    if len(body.summary) + len(body.description) > _LONGEST_TEXT:
        raise bad_request(f"The commit's message is longer than {_LONGEST_TEXT} characters")
    parent = value.get("parentCommit")
    if parent is not None and not (isinstance(parent, str) and _PARENT.fullmatch(parent)):
        raise bad_request("parentCommit is not a commit id of 5 to 40 hex digits")
    body.parent = parent


def _file(body: CommitBody, value: dict[str, Any], offset: int) -> None:
    if value.get("encoding") != "base64":
        raise bad_request("The encoding of a file is not base64")
    _text(value, "content")
    body.regular.append(AddRegular(_path(value), offset))


def _large(body: CommitBody, value: dict[str, Any], _: int) -> None:
    size = value.get("size")
    oid = value.get("oid")
    if value.get("algo") != "sha256" or not isinstance(oid, str) or not _SHA256.fullmatch(oid):
        raise bad_request("The oid of an LFS file is not a sha256")
    if size is not None and (type(size) is not int or size < 0):
        raise bad_request("The size of an LFS file is not a number of bytes")
    body.large.append(AddLarge(_path(value), oid, size))


def _path(value: dict[str, Any]) -> str:
    return checked_path(_text(value, "path"))


def _text(value: dict[str, Any], key: str, default: str | None = None) -> str:
    text = value.get(key, default)
    if not isinstance(text, str):
        raise ApiError(400, f"A line of the commit has no text {key!r}")
    return text
