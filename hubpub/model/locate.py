"""From what a user names to where the files are: a folder, an archive, `hf://...`, or `s3://...` and the like."""

from __future__ import annotations

import re
from pathlib import Path

from hubpub.core.errors import UsageError
from hubpub.model.source import DirectorySource, Source
from hubpub.model.walk import open_regular

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_SNIFFED = 512


def find_source(place: Path | str) -> Source:
    """Where the files of the model at `place` are.

    Raises:
        UsageError: there is nothing, or nothing that holds a model.
        HubError: it cannot be reached.
    """
    text = str(place)
    if not isinstance(place, Path) and _ADDRESS.match(text):
        if text.startswith("file://"):
            return find_source(Path(text.removeprefix("file://")))
        from hubpub.model.remote import hub_source, store_source

        return hub_source(text) if text.startswith("hf://") else store_source(text)
    try:
        path = Path(text).resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"{text} does not exist", "name the folder that save_pretrained wrote") from error
    return DirectorySource(path) if path.is_dir() else _archive(text, path)


def _archive(text: str, path: Path) -> Source:
    from hubpub.model.archive import is_tar, is_zip, tar_source, zip_source

    try:
        with open_regular(path) as file:
            start = file.read(_SNIFFED)
    except OSError as error:
        raise UsageError(
            f"{text} cannot be read: {error.strerror or error}", "name a model folder, or an archive of one"
        ) from error
    # A torch checkpoint is a zip archive too, but nobody means its members.
    if is_zip(start) and path.suffix.lower() not in (".bin", ".pt", ".pth", ".ckpt", ".keras", ".npz", ".nemo"):
        return zip_source(path)
    if is_tar(start):
        return tar_source(path)
    raise UsageError(f"{text} is a file, not a folder", f"name the folder that holds it: {path.parent}")
