"""By what a file is told to be the same as before, unread."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

_RACY = 2_000_000_000  # ns; https://git-scm.com/docs/racy-git


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes with a file; times in nanoseconds."""

    size: int
    mtime_ns: int
    ctime_ns: int
    device: int
    inode: int

    def is_settled(self, begun: int) -> bool:
        """Whether the file, read from then on (nanoseconds since the epoch), cannot change without a sign here.

        Written to just before, it could be written to again within the same tick of its clock.
        """
        return max(self.mtime_ns, self.ctime_ns) <= begun - _RACY


def stamp_of(file: BinaryIO) -> Stamp | None:
    """The stamp of an open file; None when it is not one of the operating system."""
    try:
        status = os.fstat(file.fileno())
    except (OSError, AttributeError):
        return None
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_dev, status.st_ino)
