"""Pictures in a model folder: which are there, and writing those that are not, never over a file of another hand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hubpub.core.errors import UsageError
from hubpub.core.files import replace_file
from hubpub.pictures.draw import LARGEST_PICTURE, draw
from hubpub.pictures.picture import Picture
from hubpub.pictures.plan import Planned
from hubpub.pictures.svg import read_mark

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder


def drawn_before(folder: ModelFolder, planned: Sequence[Planned]) -> tuple[Planned, ...]:
    """Those of the planned pictures that hubpub drew into this folder before, current or not."""
    return tuple(one for one in planned if _mark(folder, one.picture.path) is not None)


def taken(folder: ModelFolder, planned: Sequence[Planned]) -> tuple[str, ...]:
    """The paths of planned pictures at which something lies that hubpub did not draw, or that was edited since."""
    paths = (one.picture.path for one in planned)
    return tuple(path for path in paths if _lies_there(folder, path) and _mark(folder, path) is None)


def write_pictures(folder: ModelFolder, planned: Sequence[Planned]) -> tuple[str, ...]:
    """Draw those of the pictures that are not current into the folder, never over a file of another hand.

    Returns:
        The paths that were written.

    Raises:
        UsageError: matplotlib is missing and is needed, or the folder cannot be written to.
        HubpubError: they cannot be drawn.
    """
    foreign = taken(folder, planned)
    old = [one for one in planned if one.picture.path not in foreign and _mark(folder, one.picture.path) != one.hash]
    pictures = draw(old)
    for picture in pictures:
        _write(folder.root, picture)
    return tuple(picture.path for picture in pictures)


def _mark(folder: ModelFolder, path: str) -> str | None:
    return read_mark(folder.start(path, LARGEST_PICTURE + 1))


def _lies_there(folder: ModelFolder, path: str) -> bool:
    """Whether anything is at the path, also what the walk left out or cannot read; a broken link too."""
    return os.path.lexists(folder.root / path)


def _write(root: Path, picture: Picture) -> None:
    target = root / picture.path
    if target.parent.is_symlink():
        raise UsageError(f"{target.parent} is a symlink", "replace it by a directory first")
    try:
        target.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{target.parent} cannot be made: {error.strerror}", "check the folder's permissions"
        ) from error
    replace_file(target, picture.content)
