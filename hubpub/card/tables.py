"""Tables of a card with the place of every cell."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from hubpub.card.document import Block, Card
from hubpub.core.pattern import Pattern

_ROW = Pattern(r"[^\r\n]+")
_CELL = Pattern(r"(?:[^|\\]|\\.)+|(?<=\|)(?=\|)")
_MARGIN = Pattern(r"[ \t>]*\|?")
_MOST_CELLS = 20_000


class Cell(NamedTuple):
    """One cell: its text without the blanks around it, and where that stands in the card."""

    text: str
    start: int
    end: int


class Table(NamedTuple):
    """One table.

    Attributes:
        block: the block that it is.
        header: its first row.
        rows: the others; they may be shorter or longer than the header.
    """

    block: Block
    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


@lru_cache(maxsize=8)
def tables(card: Card) -> tuple[Table, ...]:
    """The Markdown tables of a card, in order."""
    return tuple(_tables(card))


def _tables(card: Card) -> Iterator[Table]:
    left = _MOST_CELLS
    for block in card.blocks:
        if block.kind != "table" or left <= 0:
            continue
        rows = [tuple(_cells(row[0], row.start())) for row in _ROW.finditer(card.text, block.start, block.end)]
        left -= sum(map(len, rows))
        if len(rows) > 1:
            yield Table(block, rows[0], tuple(rows[2:]))


def _cells(row: str, offset: int) -> Iterator[Cell]:
    margin = _MARGIN.match(row)
    start = margin.end() if margin else 0
    end = len(row.rstrip())
    end -= row[:end].endswith("|") and not row[:end].endswith("\\|")
    for cell in _CELL.finditer(row, start, max(start, end)):
        text = cell[0].strip()
        begin = offset + cell.start() + (len(cell[0]) - len(cell[0].lstrip()) if text else 0)
        yield Cell(text, begin, begin + len(text))
