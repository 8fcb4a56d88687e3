"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

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
