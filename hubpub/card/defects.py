"""Damage to a card as a text: conflict markers, characters that cannot be seen, open fences, a second block."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from hubpub.card.document import Block, Card
from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.core.pattern import Pattern

_CONFLICT = Pattern(
    r"^(?:<{7}(?P<ours>[ \t][^\r\n]*)?|(?P<between>={7})|>{7}(?P<theirs>[ \t][^\r\n]*)?)(?=[\r\n]|\Z)", re.MULTILINE
)
# the format in which models are asked to write edits of code
_EDIT_FORMAT = Pattern(r"[ \t]*(?:SEARCH|ORIGINAL|REPLACE|UPDATED)\b", re.IGNORECASE)

_ZERO_WIDTH = "\u200b\u2060\u180e\ufeff\u200c\u200d"
_EMBEDDINGS = "\u202a\u202b\u202c\u2066\u2067\u2068\u2069"
_OVERRIDES = "\u202d\u202e"
_INVISIBLE = Pattern(f"[{_ZERO_WIDTH}{_EMBEDDINGS}{_OVERRIDES}]+")
# scripts that mark with them where a word may be divided, or how letters join
_DIVIDED = Pattern(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u0600-\u08ff\u0900-\u0dff\u1800-\u18af\ufb50-\ufdff\ufe70-\ufefe]"
)
_NAMES = {
    "\u200b": "zero width space",
    "\u200c": "zero width non-joiner",
    "\u200d": "zero width joiner",
    "\u2060": "word joiner",
    "\u180e": "Mongolian vowel separator",
    "\ufeff": "byte order mark",
}

_OPENING = Pattern(r"[ \t>*+\-0-9.)]*?(?P<fence>`{3,}|~{3,})(?P<info>[^\r\n]*)")
_SWALLOWED = Pattern(
    r"^[ \t>]{0,8}(?:#{2,6}[ \t]+\S|(?:`{3,}|~{3,})[ \t]*[A-Za-z]\w*[ \t]*(?=[\r\n]|\Z)"
    r"|[*-] \*\*[^*\r\n]+\*\*|!?\[[^\]\r\n]+\]\(\S)",
    re.MULTILINE,
)

# also at the end of a line: a card that was appended to one without a last line end
_LINE_OF_DASHES = Pattern(
    r"(?:^|(?<=[\w.\])}>]))---[ \t]*(?:\r\n|\r|\n)"
    r"(?=(?:[ \t]*#[^\r\n]*(?:\r\n|\r|\n)){0,5}[A-Za-z_][\w-]*:(?:[ \t]|[\r\n]))",
    re.MULTILINE,
)
_HUB_KEYS = frozenset(
    {
        "license",
        "language",
        "tags",
        "datasets",
        "metrics",
        "base_model",
        "pipeline_tag",
        "library_name",
        "widget",
        "model-index",
    }
)


class Invisible(NamedTuple):
    """A run of characters that cannot be seen.

    Attributes:
        start: its offset in the card.
        text: the characters.
        name: what the first is called.
        in_code: whether it stands in code.
        overrides: whether it changes the order in which other characters are shown.
    """

    start: int
    text: str
    name: str
    in_code: bool
    overrides: bool


class OpenFence(NamedTuple):
    """A fence of code that nothing closes.

    Attributes:
        block: the code, up to the end of the card.
        fence: the characters that would close it.
        indent: what stands before it on its line.
        swallowed: offset of the first line in it that was not meant as code; None when all of it may be.
    """

    block: Block
    fence: str
    indent: str
    swallowed: int | None


def find_conflict(card: Card) -> int | None:
    """The offset of the first conflict that a merge left behind; None when there is none."""
    if "<<<<<<<" not in card.text:
        return None
    opened = None
    divided = False
    for found in _CONFLICT.finditer(card.text):
        label = found["ours"] or found["theirs"] or ""
        if found[0][0] == "<":
            opened, divided = (None if _EDIT_FORMAT.match(label) else found.start()), False
        elif found[0][0] == "=":
            divided = opened is not None
        elif divided and opened is not None and not _EDIT_FORMAT.match(label):
            if not _in_one_code_block(card, opened, found.end()):
                return opened
            opened = None
    return None


def find_invisible(card: Card) -> Iterator[Invisible]:
    """Characters that cannot be seen and do nothing for the script that they stand in."""
    if card.text.isascii():
        return
    for found in _INVISIBLE.finditer(card.text):
        start, end = found.span()
        if start == 0 and found[0] == "\ufeff":
            continue
        before, after = card.text[max(0, start - 1) : start], card.text[end : end + 1]
        text = found[0]
        is_code = _code_at(card, start) is not None
        if not is_code:
            if set(text) <= set("\u200c\u200d") and not (
                before.isascii() and after.isascii() and (before + after).isalnum()
            ):
                continue  # emoji are joined with them, and letters of many scripts
            if set(text) <= set("\u200b\u2060\u200c\u200d") and _DIVIDED.search(before + after):
                continue
            if set(text) <= set(_EMBEDDINGS) and _is_bidirectional(card, card.lines.place(start)[0]):
                continue
        elif set(text) <= set("\u200c\u200d") or _DIVIDED.search(before + after):
            continue
        name = _NAMES.get(text[0]) or unicodedata.name(text[0], "control character").lower()
        yield Invisible(start, text, name, is_code, any(char in _OVERRIDES for char in text))


def without_invisible(text: str) -> str:
    """The text without characters that cannot be seen."""
    return _INVISIBLE.sub("", text)


def find_open_fence(card: Card) -> OpenFence | None:
    """The fence that the end of the card closes; None when each is closed by its own."""
    if not card.blocks or card.blocks[-1].kind != "code":
        return None
    block = card.blocks[-1]
    source = card.text[block.start : block.end]
    opening = _OPENING.match(source)
    if not opening or card.text[block.end :].strip():
        return None
    fence = opening["fence"]
    lines = source.rstrip().splitlines()
    closing = lines[-1].strip(" \t>") if len(lines) > 1 else ""
    if closing and set(closing) == {fence[0]} and len(closing) >= len(fence):
        return None
    swallowed = _SWALLOWED.search(source, opening.end())
    indent = source[: opening.start("fence")]
    return OpenFence(
        block, fence, re.sub(r"[^ \t>]", " ", indent), block.start + swallowed.start() if swallowed else None
    )


def find_second_front_matter(card: Card) -> tuple[int, int, dict[str, object]] | None:
    """Where a block of metadata stands once more in the body, and what it says."""
    if not card.front_matter.found:
        return None
    for found in _LINE_OF_DASHES.finditer(card.text, card.front_matter.body_start):
        if _code_at(card, found.start()):
            continue
        block = read_front_matter(card.text[found.start() : found.start() + (1 << 16)])
        if block.found and block.data and _HUB_KEYS & block.data.keys():
            return found.start(), found.start() + block.body_start, block.data
        return None
    return None


@lru_cache(maxsize=8)
def _code(card: Card) -> tuple[Block, ...]:
    return tuple(block for block in card.blocks if block.kind == "code")


def _code_at(card: Card, offset: int) -> Block | None:
    """The block of code around an offset."""
    blocks = _code(card)
    index = bisect_right(blocks, offset, key=lambda block: block.start) - 1
    return blocks[index] if index >= 0 and offset < blocks[index].end else None


def _in_one_code_block(card: Card, start: int, end: int) -> bool:
    block = _code_at(card, start)
    return block is not None and end <= block.end


@lru_cache(maxsize=64)
def _is_bidirectional(card: Card, line: int) -> bool:
    """Whether the line has letters that are written from right to left."""
    text = card.text[card.lines.start(line) : card.lines.start(line + 1)][:5000]
    return any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)
