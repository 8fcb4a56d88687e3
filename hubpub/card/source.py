"""Reading a card's file: bounded, and regular files only."""

from __future__ import annotations

import codecs
import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hubpub.core.errors import UsageError

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

CARD = "README.md"
LARGEST_CARD = 20 << 20

_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_card(content: bytes) -> tuple[str, int | None]:
    """The text of a card, and the offset of its first byte that is not UTF-8; None when all of it is.

    Windows' "Unicode" (UTF-16 with a byte order mark) is read as what it is, so that what else is wrong can be told.
    """
    try:
        return content.decode("utf-8"), None
    except UnicodeDecodeError as error:
        for mark, encoding in _OTHER_ENCODINGS:
            if content.startswith(mark):
                return content.decode(encoding, "replace"), 0
        return content.decode("utf-8", "replace"), error.start


def read_card_file(path: Path) -> bytes:
    """The bytes of the card at `path`.

    Raises:
        UsageError: there is no such file, it is not a regular file, or it has more than 20 MB.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{path} is not a regular file", "give a README.md or a model folder")
        if status.st_size > LARGEST_CARD:
            raise UsageError(f"{path} has {status.st_size:,} bytes", "a model card is text; give one below 20 MB")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "give a README.md or a model folder") from error


def find_card(path: Path) -> tuple[bytes, str, ModelFolder | None]:
    """(bytes of the card, what findings call it, the model folder it lies in) for a README.md or a model folder.

    Raises:
        UsageError: there is no card there, or no model folder.
    """
    if not path.is_dir():
        return read_card_file(path), path.name, None
    missing = UsageError(f"{path} has no {CARD}", "write one with `hubpub card PATH --write`")
    if not os.path.lexists(path / CARD):
        with contextlib.suppress(OSError):
            _check_spelling(entry.name for entry in path.iterdir())
        raise missing
    from hubpub.model.folder import ModelFolder  # most of the start-up time of a command that reads a lone card

    folder = ModelFolder.open(path)
    content = folder_card(folder)
    if content is None:
        raise missing
    return content, CARD, folder


def folder_card(folder: ModelFolder) -> bytes | None:
    """The bytes of the folder's card; None when it has none.

    A link that leads out of the folder, a FIFO and the like are no card: they are not followed or opened.

    Raises:
        UsageError: it has more than 20 MB, cannot be read, or is spelt so that no hub would show it.
    """
    from hubpub.model.walk import EntryKind

    entry = folder.entry(CARD)
    if entry is None:
        _check_spelling(file.path for file in folder.files)
    if entry is None or entry.kind is not EntryKind.FILE:
        return None
    return read_card_file(folder.root / CARD)


def _check_spelling(names: Iterable[str]) -> None:
    """Return if no other file looks like the card: people would lose their words to one that is rendered."""
    other = next((name for name in names if name.casefold() == CARD.casefold()), None)
    if other is not None:
        raise UsageError(
            f"{other} is not read as the card: hubs show {CARD} and no other spelling",
            f"rename it to {CARD}, or leave it out with `exclude`",
        )
