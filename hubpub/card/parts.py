"""The part of a card that a required section is: everything under the headings that mean it."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

from hubpub.card.document import Block, Card, Section
from hubpub.card.placeholders import prose, without_placeholders
from hubpub.card.sections import section_meanings
from hubpub.core.pattern import Pattern

_LONGEST_SECTION_NAME = 4
_LEFT = Pattern(r"[Nn]eeded|NEEDED|TODO|TBD|FIXME")
_COMMENT = Pattern(r"<!--[\s\S]*?(?:-->|\Z)")


class Part(NamedTuple):
    """What stands under the headings that mean one thing.

    Attributes:
        sections: those headings, and those nested in them that mean nothing else.
        blocks: what stands under them.
        text: the visible words of it and of the headings, without placeholders, code and comments.
    """

    sections: tuple[Section, ...]
    blocks: tuple[Block, ...]
    text: str

    @property
    def line(self) -> int:
        """Of its first heading."""
        return self.sections[0].line

    def holds(self, offset: int) -> bool:
        """Whether an offset of the card is in it."""
        index = bisect_right(self.sections, offset, key=lambda section: section.start)
        return index > 0 and offset < self.sections[index - 1].end


@lru_cache(maxsize=64)
def part(card: Card, meaning: str) -> Part | None:
    """The part of the card that the required section `meaning` (its id) is; None when no heading means it."""
    meanings = _meanings(card)
    name = _name_of_the_model(card)
    found: dict[int, Section] = {}
    for section in card.sections:
        if meaning in meanings[section.heading_start] and section.heading_start != name:
            found[section.heading_start] = section
            for child in card.children(section):
                if not meanings[child.heading_start]:
                    found[child.heading_start] = child
    if not found:
        return None
    sections = tuple(found[start] for start in sorted(found))
    blocks = tuple(block for section in sections for block in section.blocks)
    words = [section.heading for section in sections]
    words += [card.text[block.start : block.end] for block in blocks if block.kind != "code"]
    return Part(sections, blocks, bare(prose("\n".join(words))))


@lru_cache(maxsize=8)
def visible_text(card: Card) -> str:
    """Everything a reader sees but code, without placeholders."""
    blocks = (card.text[block.start : block.end] for block in card.blocks if block.kind != "code")
    return bare(prose("\n".join(blocks)))


def bare(source: str) -> str:
    """Markdown without comments, and without what templates left where something was left."""
    if _LEFT.search(source):
        return without_placeholders(source)  # takes its time
    return _COMMENT.sub(" ", source)


@lru_cache(maxsize=8)
def _meanings(card: Card) -> dict[int, frozenset[str]]:
    return {section.heading_start: _meaning(section.heading) for section in card.sections}


@lru_cache(maxsize=2048)
def _meaning(heading: str) -> frozenset[str]:
    return section_meanings(heading)  # cards share most of their headings


def _name_of_the_model(card: Card) -> int | None:
    """Where the title stands that may hold any words: a long heading of level 1 when there is no other."""
    titles = [section for section in card.sections if section.level == 1]
    long = len(titles) == 1 and len(titles[0].heading.split()) > _LONGEST_SECTION_NAME
    return titles[0].heading_start if long else None
