"""Numbers that a card's text reports: lines such as `- Accuracy: 0.91`, and tables with names of metrics."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from hubpub.card.document import Card
from hubpub.card.headings import normalised
from hubpub.card.metrics import known_metrics, metric_id
from hubpub.card.placeholders import prose
from hubpub.card.tables import Cell, Table, tables
from hubpub.core.pattern import Pattern

_NUMBER = r"(?P<number>[-+]?\d{1,15}(?:\.\d{1,18})?(?:[eE][-+]?\d{1,3})?)(?![\w/]|\.\d)"
_LINE = Pattern(
    r"^[ \t>]*(?:[-*+][ \t]+)?[*_`]{0,3}(?P<name>[A-Za-z][\w @./()%-]{0,50}?)[*_`]{0,3}[ \t]*[:=][*_` \t]{0,9}"
    + _NUMBER
    + r"[*_`]{0,3}(?P<percent>[ \t]?%)?[*_`]{0,3}[ \t]*(?:\.|\\|[\r\n]|\Z|[(,±]|\+/?-|[*_`]{0,3}[ \t]*(?:[\r\n]|\Z))",
    re.MULTILINE,
)
_CELL = Pattern(
    r"[*_`]{0,3}" + _NUMBER + r"[*_`]{0,3}(?P<percent>[ \t]?%)?[*_`]{0,3}[ \t]*(?:±.{0,20}|\+/?-.{0,20}|\(±.{0,20}\))?"
)
_LONGEST_TABLE = 400


class Measure(NamedTuple):
    """A number with the name of its metric.

    Attributes:
        metric: as `metric_id` spells it; one of the known metrics.
        value: the number as written.
        text: its digits.
        percent: whether a percent sign follows.
        start: offset of the digits in the card.
        heading: the headings above it, from the outermost, without the title, as `normalised` spells them.
    """

    metric: str
    value: float
    text: str
    percent: bool
    start: int
    heading: tuple[str, ...]

    @property
    def end(self) -> int:
        """Offset behind the digits."""
        return self.start + len(self.text)


@lru_cache(maxsize=8)
def single_measures(card: Card) -> tuple[Measure, ...]:
    """The numbers that a card states of its model by themselves, in order.

    Lines of a metric and a number, tables of two columns, and tables of one row. In a larger table, other models,
    epochs, classes or data sets have numbers too.
    """
    found = [*_lines(card), *_from_tables(card)]
    return tuple(sorted(found, key=lambda measure: measure.start))


@lru_cache(maxsize=8)
def columns(card: Card) -> tuple[tuple[str, tuple[Measure, ...]], ...]:
    """The columns of tables that a metric heads, with all the numbers in them."""
    return tuple(
        (metric, measures)
        for table in tables(card)
        for index, head in enumerate(table.header)
        if (metric := _known(head.text))
        and (measures := tuple(_in_cells(card, metric, (row[index] for row in table.rows if index < len(row)))))
    )


def _lines(card: Card) -> Iterator[Measure]:
    for block in card.blocks:
        if block.kind != "text":
            continue
        # blanks in place of code spans would hide `accuracy`: only comments go
        source = card.text[block.start : block.end]
        if "<!--" in source:
            source = prose(source)
        for found in _LINE.finditer(source):
            if metric := _known(found["name"]):
                yield _measure(card, metric, found, block.start)


def _from_tables(card: Card) -> Iterator[Measure]:
    for table in tables(card):
        if len(table.rows) > _LONGEST_TABLE:
            continue
        named = [(metric, row) for row in table.rows if len(row) == 2 and (metric := _known(row[0].text))]
        if len(table.header) == 2 and named:
            for metric, row in named:
                yield from _in_cells(card, metric, (row[1],))
        elif len(table.rows) == 1 and not _is_log(table):
            for head, cell in zip(table.header, table.rows[0], strict=False):
                if metric := _known(head.text):
                    yield from _in_cells(card, metric, (cell,))


def _is_log(table: Table) -> bool:
    """Whether it tells the course of a training, as transformers' Trainer writes it."""
    return bool({"epoch", "step", "epochs", "steps"} & {cell.text.casefold() for cell in table.header})


def _in_cells(card: Card, metric: str, cells: Iterator[Cell] | tuple[Cell, ...]) -> Iterator[Measure]:
    for cell in cells:
        if found := _CELL.fullmatch(cell.text):
            yield _measure(card, metric, found, cell.start)


def _measure(card: Card, metric: str, found: re.Match[str], offset: int) -> Measure:
    start = offset + found.start("number")
    return Measure(
        metric,
        float(found["number"]),
        found["number"],
        bool(found["percent"]),
        start,
        _headings(card, start),
    )


def _headings(card: Card, offset: int) -> tuple[str, ...]:
    starts, headings = _outline(card)
    return headings[bisect_right(starts, offset)]


@lru_cache(maxsize=8)
def _outline(card: Card) -> tuple[list[int], list[tuple[str, ...]]]:
    """Where each section begins, and the headings above what is before the first, in the first, in the second, ..."""
    above: list[tuple[int, str]] = []
    headings: list[tuple[str, ...]] = [()]
    for section in card.sections:
        above = [(level, heading) for level, heading in above if level < section.level]
        above.append((section.level, normalised(section.heading)))
        headings.append(tuple(heading for level, heading in above if level > 1))
    return [section.heading_start for section in card.sections], headings


def _known(name: str) -> str | None:
    metric = metric_id(name)
    return metric if metric in known_metrics() else None
