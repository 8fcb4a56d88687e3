"""Looking at the many small files that say what is in the store.

These take the paths as text: a `Path` costs more to build and to ask than the system call that answers.
"""

from __future__ import annotations

import os

_BLOCK = 1 << 16
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def read_small(path: str | bytes) -> bytes:
    """The content of a small file. For these `open` and its buffers cost several times what reading does.

    Raises:
        OSError: as `open`.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        data = os.read(descriptor, _BLOCK)
        block = data
        while len(block) == _BLOCK:
            block = os.read(descriptor, _BLOCK)
            data += block
        return data
    finally:
        os.close(descriptor)


def is_link(path: str) -> bool:
    """Whether there is a symbolic link at `path`."""
    return os.path.islink(path)  # noqa: PTH114 -- see above


def exists(path: str | bytes) -> bool:
    """Whether there is anything at `path`."""
    return os.path.exists(path)  # noqa: PTH110 -- see above
