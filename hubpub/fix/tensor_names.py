"""Other names for the tensors of a safetensors file: a new file is written, the old one stays beside it as NAME.orig.

The format: https://huggingface.co/docs/safetensors#format. Only the header changes; the numbers are copied as they are.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from hubpub.core.errors import UsageError
from hubpub.core.files import replacing

_LARGEST_HEADER = 100_000_000  # as the library has it
_BLOCK = 1 << 22


def rename_tensors(path: Path, names: Mapping[str, str]) -> Path:
    """Write the file at `path` anew with the tensors under their new names.

    Args:
        path: a sound safetensors file.
        names: new names by old ones; other tensors keep theirs.

    Returns:
        Where the old file is now.

    Raises:
        UsageError: the file is a link, was kept aside before, changed, or cannot be written.
    """
    kept = path.with_name(path.name + ".orig")
    if os.path.lexists(kept):
        raise UsageError(f"{kept} is there already", "move it away, then run the same command again")
    with replacing(path, keep=kept) as target, path.open("rb") as source:
        size = path.stat().st_size
        if shutil.disk_usage(path.parent).free < size:
            raise UsageError(f"{path.parent} has no room for {size:,} bytes more", "make room on the disk")
        _copy(path, source, target, names)
    return kept


def _copy(path: Path, source: BinaryIO, target: BinaryIO, names: Mapping[str, str]) -> None:
    changed = UsageError(f"{path} changed while it was being fixed", "run the same command again")
    length = int.from_bytes(source.read(8), "little")
    raw = source.read(length) if length <= _LARGEST_HEADER else b""
    try:
        header = json.loads(raw)
    except ValueError as error:
        raise changed from error
    if not isinstance(header, dict) or not names.keys() <= header.keys():
        raise changed
    renamed = {names.get(name, name): value for name, value in header.items()}
    if len(renamed) != len(header):
        raise UsageError(f"two tensors of {path} would have one name", "rename them where the model is saved")
    text = json.dumps(renamed, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    target.write(struct.pack("<Q", len(text)) + text)
    shutil.copyfileobj(source, target, _BLOCK)
