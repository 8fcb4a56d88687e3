"""The line that a finding stands on, as a reader may see it: on one line, not too long, without secrets."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from hubpub.core.findings import Finding

_WIDTH = 96
_BEFORE = 40


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a line.

    Attributes:
        text: the part, with nothing that steers a terminal.
        caret: how many columns of a terminal stand before the place of the finding; None when it has no column.
    """

    text: str
    caret: int | None


def printable(text: str) -> str:
    """`text` on one line and without control characters: a file's name must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def excerpt(line: str | None, finding: Finding) -> Excerpt | None:
    """What to show of the line; None when there is nothing to show, or when it holds a secret."""
    if line is None or not line.strip() or "secret" in finding.name or _holds_secret(line):
        return None
    at = None if finding.column is None else min(finding.column - 1, len(line))
    start = 0
    if len(line) > _WIDTH and at is not None and at > _WIDTH - _BEFORE:
        start = at - _BEFORE
    shown = line[start : start + _WIDTH]
    before = printable(shown[: at - start].replace("\t", " ")) if at is not None else ""
    opening, closing = "… " if start else "", " …" if start + _WIDTH < len(line) else ""
    text = opening + printable(shown.replace("\t", " ")) + closing
    return Excerpt(text, None if at is None else len(opening) + _columns(before))


def _holds_secret(line: str) -> bool:
    from hubpub.model.secrets import find_secrets  # compiles its patterns

    return next(find_secrets(line[:10_000]), None) is not None


def _columns(text: str) -> int:
    return sum(_char_columns(char) for char in text)


def _char_columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
