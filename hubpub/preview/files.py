"""Files of the folder for the page: inside it only, regular ones, and of kinds that a browser cannot run."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import quote

from hubpub.model.walk import open_regular

LARGEST = 32 << 20
_LARGEST_EMBEDDED = 4 << 20

_PICTURES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
_TEXTS = frozenset(
    f".{ending}"
    for ending in "bib cff cfg csv ini ipynb jinja json jsonl md py rst sh toml tsv txt yaml yml".split()  # noqa: SIM905
)
# What the Hub publishes although its name is hidden.
EVAL_RESULTS = ".eval_results"
_SHOWN_ALTHOUGH_HIDDEN = frozenset({EVAL_RESULTS, ".gitattributes"})


class ShownFile(NamedTuple):
    """A file as a browser may have it: its bytes and its content type."""

    content: bytes
    content_type: str


def shown_file(root: Path, path: str) -> ShownFile | None:
    """The file at `path` below `root`; None when there is none to be shown.

    What leads out of the folder is none, whether by `..` or by a symlink; neither are hidden files, files of other
    kinds than pictures and text, and those of more than 32 MB.
    """
    kind = content_type(path)
    inside = _inside(root, path)
    if kind is None or inside is None:
        return None
    try:
        with open_regular(inside) as file:
            if os.fstat(file.fileno()).st_size > LARGEST:
                return None
            return ShownFile(file.read(LARGEST), kind)
    except OSError:
        return None


def content_type(path: str) -> str | None:
    """The content type for a path: that of a picture, or plain text; None for what is not shown."""
    name = PurePosixPath(path).name
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _PICTURES:
        return _PICTURES[suffix]
    is_text = suffix in _TEXTS or name in ("LICENSE", "LICENCE", "NOTICE", ".gitattributes")
    return "text/plain; charset=utf-8" if is_text else None


def data_uri(root: Path, path: str) -> str | None:
    """A picture of the folder as an address that holds it; None when there is none, or it has more than 4 MB."""
    found = shown_file(root, path)
    if found is None or not found.content_type.startswith("image/") or len(found.content) > _LARGEST_EMBEDDED:
        return None
    return f"data:{found.content_type};base64,{base64.b64encode(found.content).decode()}"


def versioned(root: Path, path: str) -> str | None:
    """The address of a picture below that of the folder, with the state of the file; None when there is none."""
    inside = _inside(root, path)
    if inside is None or not (content_type(path) or "").startswith("image/"):
        return None
    try:
        status = inside.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return f"{quote(path)}?{status.st_mtime_ns:x}-{status.st_size:x}"


def _inside(root: Path, path: str) -> Path | None:
    parts = path.split("/")
    if "\0" in path or "\\" in path or any(part in ("", ".", "..") for part in parts):
        return None
    if any(part.startswith(".") and part not in _SHOWN_ALTHOUGH_HIDDEN for part in parts):
        return None
    try:
        real = root.joinpath(*parts).resolve(strict=True)
        below = real.relative_to(root.resolve(strict=True))
    except (OSError, RuntimeError, ValueError):
        return None
    # a link may not uncover what is hidden either
    return None if any(part.startswith(".") and part not in _SHOWN_ALTHOUGH_HIDDEN for part in below.parts) else real
