"""Writing a file of the user's: in one step, never through a link."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from hubpub.core.errors import UsageError


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: a reader sees the old file or the new one. Its mode stays.

    Raises:
        UsageError: it cannot be written, or `path` is a link.
    """
    if path.is_symlink():
        raise UsageError(f"{path} is a symlink", "replace it by a regular file first")
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(mode)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", "check the folder's permissions and the disk"
        ) from error
