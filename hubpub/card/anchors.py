"""What a link within a card may name: the anchors that hosts give its headings, and those that its HTML has."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import lru_cache

from hubpub.card.document import Card
from hubpub.card.links import html_ids
from hubpub.core.pattern import Pattern

_NESTED_HEADING = Pattern(r"[ \t>*+-]*#{1,6}[ \t]+([^\r\n]*)")


@lru_cache(maxsize=8)
def heading_slugs(card: Card) -> tuple[str, ...]:
    """The anchors that the Hub gives the headings, in order: GitHub's, a second one of the same name with -1."""
    seen: dict[str, int] = {}
    slugs = []
    for _, heading in sorted(_headings(card)):
        slug = _slug(heading)
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        slugs.append(f"{slug}-{count}" if count else slug)
    return tuple(slugs)


@lru_cache(maxsize=8)
def anchors(card: Card) -> frozenset[str]:
    """What a link within the card may name, in lower case: slugs in the ways that hosts make them, ids of HTML."""
    found = {name.casefold() for name in html_ids(card)}
    for slug in heading_slugs(card):
        found |= {slug, slug.strip("-"), re.sub(r"-+", "-", slug).strip("-")}
    for _, heading in _headings(card):
        # some hosts keep emoji, and strip only punctuation
        kept = re.sub(r"[!-,./:-@\[-^`{-~]", "", html.unescape(heading)).casefold().strip()
        found.add(re.sub(r"\s", "-", kept))
    return frozenset(found)


def _slug(heading: str) -> str:
    plain = re.sub(r"[^\w\- ]", "", html.unescape(heading).lower())
    return plain.strip().replace(" ", "-")


def _headings(card: Card) -> Iterator[tuple[int, str]]:
    for section in card.sections:
        yield section.heading_start, section.heading
    for block in card.blocks:
        if block.kind == "text":
            nested = _NESTED_HEADING.match(card.text, block.start, block.end)
            if nested:
                yield block.start, " ".join(re.sub(r"[*`]", "", nested[1]).split())
