"""The units of a card's body that are merged whole, regions and gaps, and the lines that they stand on."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from hubpub.card.document import Card
from hubpub.card.merge.given import gap_hash, gaps_of
from hubpub.card.merge.outcome import Part
from hubpub.card.regions import Regions, content_hash, read_regions

Key: TypeAlias = tuple[Part, str]

REST_OF_LINE = re.compile(r"[ \t]*(?:\r\n|\r|\n|\Z)")
_LINE_END = re.compile(r"[\r\n]|\Z")


class Unit(NamedTuple):
    """A region or a gap in a text.

    Attributes:
        key: what it is, and its name.
        start: of its first line.
        end: behind its last line, the line end not counted.
        text: what stands there.
        hash: of a region's content, or of a gap.
        section: index of the section that it stands in; -1 above the first. Headings in regions begin none.
    """

    key: Key
    start: int
    end: int
    text: str
    hash: str
    section: int


@dataclass
class Body:
    """A card with its units.

    Attributes:
        card: the card.
        regions: its regions.
        sections: indices of the sections whose headings stand outside regions: what is in a region goes with it.
        units: its units, in their order.
    """

    card: Card
    regions: Regions
    sections: tuple[int, ...] = ()
    units: dict[Key, Unit] = field(default_factory=dict)

    @classmethod
    def of(cls, card: Card) -> Body:
        """A card with its units, in their order."""
        text, regions = card.text, read_regions(card.text)
        sections = tuple(outside_regions(card, regions))
        starts = [card.sections[index].heading_start for index in sections]

        def section_of(at: int) -> int:
            before = bisect_right(starts, at)
            return sections[before - 1] if before else -1

        units = [
            Unit(
                (Part.REGION, region.name),
                region.start,
                region.end,
                text[region.start : region.end],
                content_hash(region.content),
                section_of(region.start),
            )
            for region in regions.found.values()
        ]
        units += [
            Unit(
                (Part.GAP, gap.slot),
                gap.start,
                gap.end,
                text[gap.start : gap.end],
                gap_hash(gap),
                section_of(gap.start),
            )
            for gap in gaps_of(text, regions).values()
        ]
        units.sort(key=lambda unit: unit.start)
        return cls(card, regions, sections, {unit.key: unit for unit in units})


def outside_regions(card: Card, regions: Regions) -> Iterator[int]:
    """The indices of the sections whose headings stand outside regions."""
    spans = sorted((region.start, region.end) for region in regions.found.values())
    starts = [start for start, _ in spans]
    for index, section in enumerate(card.sections):
        before = bisect_right(starts, section.heading_start)
        if not before or spans[before - 1][1] < section.heading_start:
            yield index


def is_alone(text: str, unit: Unit) -> bool:
    """Whether nothing stands beside it on its lines."""
    return not text[line_start(text, unit.start) : unit.start].strip(" \t") and bool(REST_OF_LINE.match(text, unit.end))


def lines_of_unit(text: str, unit: Unit) -> tuple[int, int]:
    """The span of a unit's lines, with the blank line behind it when there is one before it too."""
    start = line_start(text, unit.start)
    rest = REST_OF_LINE.match(text, unit.end)
    end = rest.end() if rest else unit.end
    following = REST_OF_LINE.match(text, end)
    if following and following.end() > end and has_blank_line_before(text, start):
        end = following.end()
    return start, end


def line_start(text: str, at: int) -> int:
    """Where the line of an offset begins."""
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def line_end(text: str, at: int) -> int:
    """Where the line of an offset ends, its line end not counted."""
    found = _LINE_END.search(text, at)
    return found.start() if found else len(text)


def has_blank_line_before(text: str, at: int) -> bool:
    """Whether the line before the one that begins at an offset is blank."""
    end = at - (2 if text.endswith("\r\n", 0, at) else 1)
    return end >= 0 and not text[line_start(text, end) : end].strip(" \t")
