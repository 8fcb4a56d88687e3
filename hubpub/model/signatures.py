"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_LFS = re.compile(
    rb"version https://(?:git-lfs\.github|hawser\.github)\.com/spec/v1\n"
    rb"(?:ext-.*\n)*oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>\d{1,19})\n?"
)
_LFS_START = b"version https://git-lfs.github.com/spec/v1"
LFS_POINTER_LIMIT = 1024
"""A pointer is smaller than this: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md."""

_PICKLE = re.compile(rb"\x80[\x00-\x05].", re.DOTALL)
_SIGNATURES = [
    (b"PK\x03\x04", "a zip archive"),
    (b"GGUF", "a GGUF file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"<?xml", "an XML document"),
]
_XML = (b"<?xml", b"<Error><Code>")
# What servers answer with status 404, 401 or 403 in place of a file: raw.githubusercontent.com, the Hub, and S3-likes.
_REFUSALS = re.compile(
    rb"\s*(?:404: Not Found|Entry not found|Repository not found|Not Found|Access denied|Forbidden|Unauthorized"
    rb"|Invalid (?:username or password|credentials)[^\n]{0,200}|Access to model [^\n]{1,300})\.?\s*",
    re.IGNORECASE,
)
_ERROR_KEYS = {"error", "errors", "error_description", "message", "status", "statusCode", "code", "detail", "requestId"}
_STUB_LIMIT = 4096
_ANNEX = re.compile(rb"(?:(?:\.\./)*\.git)?/annex/objects/\S+\s*")
_HTML = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LfsPointer:
    """A git-LFS pointer: `oid` (sha256) and `size` in bytes of the file that it stands for."""

    oid: str
    size: int


def lfs_pointer(content: bytes) -> LfsPointer | None:
    """The git-LFS pointer that `content` is, if it is one."""
    found = _LFS.fullmatch(content)
    return LfsPointer(found["oid"].decode(), int(found["size"])) if found else None


def stub(start: bytes, size: int) -> str | None:
    """What stands in place of a file whose content never arrived, as a noun phrase.

    Args:
        start: the first bytes, at least 4,096 if there are as many.
        size: of the file in bytes.

    A sound git-LFS pointer is `lfs_pointer`'s.
    """
    if re.match(rb"version https://(?:git-lfs|hawser)\.github\.com/", start):
        return "a damaged git-LFS pointer"
    if _HTML.match(start):
        return "an HTML page"
    if size > _STUB_LIMIT:
        return None
    if _ANNEX.match(start):
        return "a git-annex pointer"
    if start.startswith(b"# xet version "):
        return "a git-xet pointer"
    if start.startswith(_XML):
        return "an XML document"
    if _REFUSALS.fullmatch(start):
        return f"a server's answer ({start.decode('utf-8', 'replace').strip()[:60]!r})"
    return "a server's answer (JSON with an error)" if _is_error(start) else None


def _is_error(content: bytes) -> bool:
    """Whether the content is a JSON object of nothing but an error, as REST servers answer."""
    if not content.lstrip().startswith(b"{") or b'"error' not in content:
        return False
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return not document.keys().isdisjoint({"error", "errors"}) and document.keys() <= _ERROR_KEYS


def is_pickle(start: bytes) -> bool:
    """Whether a file that starts like this is a pickle of protocol 2 or later."""
    return _PICKLE.match(start) is not None


def describe(start: bytes) -> str | None:
    """What a file that starts like this is, as a noun phrase; None when it could be anything."""
    if start.startswith(_LFS_START):
        return "a git-LFS pointer"
    if _HTML.match(start):
        return "an HTML page"
    for signature, noun in _SIGNATURES:
        if start.startswith(signature):
            return noun
    if is_pickle(start):
        return "a pickle"
    return None


def instead_of_json(content: bytes) -> str | None:
    """What a file that should be JSON is instead, as a noun phrase; None when it just is not JSON."""
    if content and not content.strip(b"\0"):
        return "nothing but zero bytes"
    return stub(content[:_STUB_LIMIT], len(content)) or describe(content[:512])
