"""Git LFS pointers: the small text that stands in git for a large file.

Format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LARGEST = 1024
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n?"
)


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A file kept outside git: the SHA-256 of its content, its size, and the size of its pointer (bytes)."""

    sha256: str
    size: int
    pointer_size: int


def parse_pointer(data: bytes) -> LargeFile | None:
    """What a blob points to; None if it is no pointer."""
    if len(data) > _LARGEST:
        return None
    match = _POINTER.fullmatch(data)
    return None if match is None else LargeFile(match[1].decode(), int(match[2]), len(data))


def format_pointer(sha256: str, size: int) -> bytes:
    """The pointer to a file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
