"""Merging two cards that were edited apart from each other since one of them was both: by section, region and key.

What only one side changed is taken from it. Where both changed the same section, nothing is decided: the section is
named, and a person has to choose. A region that hubpub wrote yields to one that a person edited.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from hubpub.card.document import Card
from hubpub.card.merge.body import section_name
from hubpub.card.metadata.frontmatter import FrontMatter, read_front_matter
from hubpub.card.regions import Region, read_regions

# A difference between lists takes time with the square of their lengths; cards have some tens of sections.
_MOST_CHUNKS = 1000
_ENTRY = re.compile(r"(?=^[^\s#-])", re.MULTILINE)
_LINE_END = re.compile(r"\r\n|\r|\n")


class MergedTexts(NamedTuple):
    """Two cards as one.

    Attributes:
        text: the card; what both changed is in it as `ours` has it.
        conflicts: the names of sections, regions and metadata keys that both changed.
    """

    text: str
    conflicts: tuple[str, ...] = ()


class _Chunk(NamedTuple):
    """A piece of a card that is taken whole.

    Attributes:
        text: the piece.
        name: what it is called when both sides changed it.
        region: the region that it is.
    """

    text: str
    name: str
    region: Region | None = None


def merge_texts(base: str, ours: str, theirs: str) -> MergedTexts:
    """The card that holds what `ours` and `theirs` changed since `base`."""
    fronts = [read_front_matter(text) for text in (base, ours, theirs)]
    if any(front.problem for front in fronts):
        return MergedTexts(ours, ("metadata",))
    heads = [_head(text, front) for text, front in zip((base, ours, theirs), fronts, strict=True)]
    bodies = [_body(text, front) for text, front in zip((base, ours, theirs), fronts, strict=True)]
    if any(len(chunks) > _MOST_CHUNKS for chunks in (*heads, *bodies)):
        return MergedTexts(ours, ("the whole card, which has too many sections to compare",))
    conflicts: list[str] = []
    parts = [chunk.text for chunks in (heads, bodies) for chunk in _merged(chunks, conflicts)]
    text = "".join(parts)
    if not conflicts and fronts[1].found and read_front_matter(text).data is None:
        conflicts.append("metadata")
    return MergedTexts(text, tuple(dict.fromkeys(conflicts)))


def _head(text: str, front: FrontMatter) -> list[_Chunk]:
    """The metadata with its fences, divided before each key."""
    if not front.found:
        return []
    closing = text[front.end : front.body_start]
    line_end = _LINE_END.match(closing)
    cut = line_end.end() if line_end else 0  # what ends the last entry belongs to it
    entries = [
        _Chunk(entry, "metadata " + entry.partition(":")[0].strip("\"' \r\n"))
        for entry in _ENTRY.split(front.raw + closing[:cut])
        if entry
    ]
    return [_Chunk(text[: front.start], "metadata"), *entries, _Chunk(closing[cut:], "metadata")]


def _body(text: str, front: FrontMatter) -> list[_Chunk]:
    """The body, divided before each heading, and around each region."""
    card = Card.parse(text)
    regions = {region.start: region for region in read_regions(text).found.values()}
    headings = {section.heading_start: section_name(section.heading) for section in card.sections}
    ends = {region.end for region in regions.values()}
    cuts = sorted({front.body_start, len(text), *regions, *ends, *headings})
    inside = [(region.start, region.end) for region in regions.values()]
    chunks = []
    name, at = "the text above the first heading", 0
    for start, end in _pieces(cuts, inside):
        while at < len(card.sections) and card.sections[at].heading_start <= start:
            name = headings[card.sections[at].heading_start]
            at += 1
        region = regions.get(start)
        chunks.append(_Chunk(text[start:end], region.name if region else name, region))
    return chunks


def _pieces(cuts: Sequence[int], inside: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans between cuts; a heading inside a region does not divide it."""
    spans = iter(sorted(inside))
    span = next(spans, None)
    start = cuts[0] if cuts else 0
    for cut in cuts[1:]:
        while span is not None and cut > span[1]:
            span = next(spans, None)
        if span is not None and span[0] < cut < span[1]:
            continue
        if cut > start:
            yield start, cut
        start = cut


def _merged(sides: Sequence[list[_Chunk]], conflicts: list[str]) -> Iterator[_Chunk]:
    base, ours, theirs = sides
    for kind, old, mine, other in _diff3(base, ours, theirs):
        if kind != "both" or [chunk.text for chunk in mine] == [chunk.text for chunk in other]:
            yield from other if kind == "theirs" else mine
        else:
            yield from _decided(old, mine, other, conflicts)


def _decided(old: list[_Chunk], mine: list[_Chunk], other: list[_Chunk], conflicts: list[str]) -> Iterator[_Chunk]:
    """What becomes of chunks that both sides changed: chunk by chunk by name, where the names tell them apart."""
    names = [{chunk.name: chunk for chunk in chunks} for chunks in (old, mine, other)]
    if any(len(named) != len(chunks) for named, chunks in zip(names, (old, mine, other), strict=True)):
        conflicts.extend(chunk.name for chunk in (mine or other))
        yield from mine
        return
    before, here, there = names
    if here.keys() - before.keys() and there.keys() - before.keys():
        # both gave the same heading another name, as far as can be told
        conflicts.extend(sorted(before.keys() - here.keys() - there.keys()))
    for name in _order(mine, other):
        chunk, their = here.get(name), there.get(name)
        was = before.get(name)
        if _text(their) == _text(was):
            winner = chunk
        elif _text(chunk) == _text(was) or _text(chunk) == _text(their):
            winner = their
        else:
            winner = _of_regions(chunk, their)
            if winner is None:
                conflicts.append(name)
                winner = chunk
        if winner is not None:
            yield winner


def _of_regions(chunk: _Chunk | None, their: _Chunk | None) -> _Chunk | None:
    """Of two versions of a region, the one that a person edited; of two that hubpub rendered, ours."""
    if chunk is None or their is None or chunk.region is None or their.region is None:
        return None
    if their.region.is_untouched:
        return chunk
    return their if chunk.region.is_untouched else None


def _order(mine: list[_Chunk], other: list[_Chunk]) -> list[str]:
    """The names of both, in our order; theirs behind the one that they follow there."""
    names = [chunk.name for chunk in mine]
    last = -1
    for chunk in other:
        if chunk.name in names:
            last = names.index(chunk.name)
        else:
            last += 1
            names.insert(last, chunk.name)
    return names


def _text(chunk: _Chunk | None) -> str | None:
    return chunk.text if chunk is not None else None


def _diff3(
    base: list[_Chunk], ours: list[_Chunk], theirs: list[_Chunk]
) -> Iterator[tuple[str, list[_Chunk], list[_Chunk], list[_Chunk]]]:
    """(which side changed it: "none", "ours", "theirs" or "both", base, ours, theirs) for each stretch of the base."""
    text: Callable[[list[_Chunk]], list[str]] = lambda chunks: [chunk.text for chunk in chunks]  # noqa: E731
    here, there = _matches(text(base), text(ours)), _matches(text(base), text(theirs))
    at = mine = other = 0
    for index in [*range(len(base)), len(base)]:
        end = index == len(base)
        if not end and not (index in here and index in there):
            continue
        to_mine, to_other = (len(ours), len(theirs)) if end else (here[index], there[index])
        old, new, their = base[at:index], ours[mine:to_mine], theirs[other:to_other]
        if old or new or their:
            changed_here, changed_there = text(old) != text(new), text(old) != text(their)
            kind = {(True, True): "both", (True, False): "ours", (False, True): "theirs"}
            yield kind.get((changed_here, changed_there), "none"), old, new, their
        if not end:
            yield "none", [base[index]], [ours[to_mine]], [theirs[to_other]]
        at, mine, other = index + 1, to_mine + 1, to_other + 1


def _matches(base: list[str], other: list[str]) -> dict[int, int]:
    """The index in `other` of each item of `base` that is there unchanged, in order."""
    matcher = SequenceMatcher(None, base, other, autojunk=False)
    return {
        block.a + offset: block.b + offset for block in matcher.get_matching_blocks() for offset in range(block.size)
    }
