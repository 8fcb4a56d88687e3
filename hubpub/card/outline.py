"""A card's headings as an outline: their levels, how they are written, and lines that were meant as headings.

Changes of levels are edits of the `#` marks alone. They are given only where the outline stays the tree that it was.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from hubpub.card.document import Card, Section
from hubpub.card.headings import normalised
from hubpub.card.metadata.edits import TextEdits
from hubpub.card.profiles import Profile
from hubpub.card.sections import MOST_HEADINGS, course_sections, section_meanings
from hubpub.core.pattern import Pattern

_ATX = Pattern(r"[ ]{0,3}(#{1,6})(?=[ \t\r\n]|\Z)")
_SETEXT = Pattern(r"[^\r\n]*(?:\r\n|\r|\n)[ ]{0,3}(=+)[ \t]*(?:[\r\n]|\Z)")
_DEEPEST = 6

# "##Usage", and "##\u00a0Usage" with a blank that Markdown does not take for one
_NO_SPACE = Pattern(
    r"^[ ]{0,3}(?P<marks>#{1,6})(?P<blank>[\u00a0\u2000-\u200b\u3000\ufeff]*)(?P<text>[^#\s][^\r\n]*)",
    re.MULTILINE,
)
_LATIN_WORD = Pattern(r"[a-z]")
_BOLD_LINE = Pattern(r"(?:\*\*(?P<stars>[^*\r\n]{1,100})\*\*|__(?P<lines>[^_\r\n]{1,100})__)")
# captions and call-outs are bold lines too, and no headings
_NO_HEADING = Pattern(
    r"(?:table|tab\.|figure|fig\.|note|notes|update|updated|tip|new|important|example|examples|input|output|question|answer|"
    r"q|a|prompt|response|result|user|assistant|system|step|warning|caution|nb|ps|hint|todo)\b(?!.{0,3}(?:data|procedure))",
    re.IGNORECASE,
)
_LONGEST_BOLD = 8
_MOST_LINES = 500


class MeantHeading(NamedTuple):
    """A line that was meant as a heading and is none.

    Attributes:
        text: the heading.
        level: that it was, or would be, meant as.
        start: offset of the line's marks.
        end: offset behind what has to be changed.
        sure: whether nothing else can be meant.
    """

    text: str
    level: int
    start: int
    end: int
    sure: bool


def levels(card: Card) -> list[int]:
    """The levels of the card's headings, in order."""
    return [section.level for section in card.sections]


def parents(of_levels: Sequence[int]) -> list[int]:
    """For each heading, the index of the heading that it is nested in; -1 for none."""
    found: list[int] = []
    above: list[int] = []
    for index, level in enumerate(of_levels):
        while above and of_levels[above[-1]] >= level:
            above.pop()
        found.append(above[-1] if above else -1)
        above.append(index)
    return found


def duplicates(card: Card, of_levels: Sequence[int]) -> list[tuple[int, int]]:
    """Headings with the text of an earlier one of their level inside the same heading, each with that earlier one."""
    first: dict[tuple[int, int, str], int] = {}
    found = []
    for index, parent in enumerate(parents(of_levels)):
        name = " ".join(card.sections[index].heading.casefold().split())
        earlier = first.setdefault((parent, of_levels[index], name), index)
        if earlier != index and name:
            found.append((index, earlier))
    return found


def skips(of_levels: Sequence[int]) -> list[int]:
    """The headings that are more than one level below the one that they are nested in."""
    return [
        index
        for index, parent in enumerate(parents(of_levels))
        if parent >= 0
        and of_levels[index] > of_levels[parent] + 1
        and (not index or of_levels[index - 1] < of_levels[index])
    ]


def shifted(card: Card, indices: Collection[int], by: int) -> TextEdits | None:
    """The edits that move headings by some levels; None when one of them is not written with # or would be too deep."""
    if len(card.sections) > MOST_HEADINGS:
        return None
    edits = []
    for index in sorted(indices):
        section = card.sections[index]
        level = section.level + by
        source = card.text[section.heading_start : section.start]
        if not 1 <= level <= _DEEPEST:
            return None
        if atx := _ATX.match(source):
            at = section.heading_start + atx.start(1)
            edits.append((at, at + len(atx[1]), "#" * level))
        elif level == 2 and (setext := _SETEXT.match(source)):
            at = section.heading_start + setext.start(1)
            edits.append((at, at + len(setext[1]), "-" * len(setext[1])))
        else:
            return None
    return tuple(edits)


def is_atx(card: Card, section: Section) -> bool:
    """Whether a heading is written with #."""
    return bool(_ATX.match(card.text[section.heading_start : section.start]))


@lru_cache(maxsize=8)
def without_space(card: Card) -> tuple[MeantHeading, ...]:
    """Lines like `##Usage`, which Markdown shows as text; lines that may be a hashtag or a word piece are not sure."""
    return tuple(islice(_without_space(card), _MOST_LINES))


@lru_cache(maxsize=8)
def bold_lines(card: Card) -> tuple[MeantHeading, ...]:
    """Paragraphs that are only bold, with text below them."""
    return tuple(islice(_bold_lines(card), _MOST_LINES))


@lru_cache(maxsize=8)
def meant_sections(card: Card, profile: Profile) -> frozenset[str]:
    """The ids of the profile's sections that lines mean which are no headings."""
    return frozenset(
        meant for line in (*without_space(card), *bold_lines(card)) for meant in section_meanings(line.text, profile)
    )


def _without_space(card: Card) -> Iterator[MeantHeading]:
    for block in card.blocks:
        if block.kind != "text" or "#" not in block.text:
            continue
        source = card.text[block.start : block.end]
        whole = len(source.strip().splitlines()) == 1
        for match in _NO_SPACE.finditer(source):
            level, text = len(match["marks"]), match["text"].strip()
            if level > 1 or match["blank"]:
                # "##ing" is a piece of a word
                sure = bool(match["blank"]) or (len(text) > 2 and not _LATIN_WORD.match(text))
            else:
                # "#NLP" may be a tag, "#1" a rank
                sure = whole and any(section.synonyms.name(normalised(text)) for section in course_sections())
            if sure and "#" not in text.rstrip("# "):
                start = block.start + match.start("marks") + level
                yield MeantHeading(text.rstrip("# ").strip("*_ "), level, start, start + len(match["blank"]), level > 1)


def _bold_lines(card: Card) -> Iterator[MeantHeading]:
    at = -1
    for block, following in zip(card.blocks, card.blocks[1:], strict=False):
        if block.kind == "heading":
            at += 1
        if block.kind != "text" or following.kind == "heading" or not block.text.startswith(("**", "__")):
            continue
        bold = _BOLD_LINE.fullmatch(block.text.strip())
        if not bold or card.text[block.start : block.start + 2] not in ("**", "__"):
            continue  # inside a list or quote
        text = (bold["stars"] or bold["lines"]).strip()
        if len(text.split()) > _LONGEST_BOLD or text[-1:] in ".,;:!?。、：；！？…" or "](" in text or "://" in text:
            continue
        if normalised(text) and not _NO_HEADING.match(text) and any(char.isalpha() for char in text):
            level = min(card.sections[at].level + 1, _DEEPEST) if at >= 0 else 2
            yield MeantHeading(text, level, block.start, block.start + len(block.text.strip()), False)
