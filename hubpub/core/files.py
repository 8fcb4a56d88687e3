"""Files of the user's: written in one step and never through a link; documents of hubpub's own read back."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from hubpub.core.errors import UsageError

_LARGEST_DOCUMENT = 64 << 20


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


def read_document(path: Path, schema: str, maker: str) -> dict[str, Any]:
    """A JSON document of hubpub's.

    Raises:
        UsageError: it cannot be read, is too large, or is of another schema.
    """
    hint = f"give the file that `{maker}` wrote"
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_DOCUMENT:
            raise UsageError(f"{path} is not a file that can be read", hint)
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON", hint) from error
    if not isinstance(document, dict) or document.get("schema") != schema:
        raise UsageError(f"{path} is not a {schema} document", hint)
    return document
