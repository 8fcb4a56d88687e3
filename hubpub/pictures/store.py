"""Pictures in a model folder: which are there, and writing those that are not, never over a file of another hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hubpub.card.pictures import Picture
from hubpub.core.errors import UsageError
from hubpub.core.files import replace_file
from hubpub.pictures.draw import LARGEST_PICTURE, draw
from hubpub.pictures.plan import Planned
from hubpub.pictures.svg import read_mark

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder


@dataclass(frozen=True, slots=True)
class Written:
    """What became of pictures.

    Attributes:
        written: paths that were written.
        current: paths that show what they should already.
        foreign: paths at which something lies that hubpub did not draw, or that somebody has edited; it stays.
    """

    written: tuple[str, ...] = ()
    current: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


def drawn_before(folder: ModelFolder, planned: Sequence[Planned]) -> tuple[Planned, ...]:
    """Those of the planned pictures that hubpub drew into this folder before, current or not."""
    return tuple(one for one in planned if _mark(folder, one.picture.path) is not None)


def write_pictures(folder: ModelFolder, planned: Sequence[Planned]) -> Written:
    """Put the pictures into the folder; only what is not current is drawn.

    Raises:
        UsageError: matplotlib is missing and is needed, or the folder cannot be written to.
        HubpubError: they cannot be drawn.
    """
    current, foreign, wanted = [], [], []
    for one in planned:
        path = one.picture.path
        if _taken(folder, path):
            foreign.append(path)
        elif _mark(folder, path) == one.hash:
            current.append(path)
        else:
            wanted.append(one)
    for picture in draw(wanted):
        _write(folder.root, picture)
    return Written(tuple(one.picture.path for one in wanted), tuple(current), tuple(foreign))


def _mark(folder: ModelFolder, path: str) -> str | None:
    return read_mark(folder.start(path, LARGEST_PICTURE + 1))


def _taken(folder: ModelFolder, path: str) -> bool:
    """Whether something else lies at the path, also what the walk of the folder did not find."""
    return (folder.root / path).exists() and _mark(folder, path) is None


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
