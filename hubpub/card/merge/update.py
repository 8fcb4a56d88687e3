"""Bringing a card up to date: what is there stays byte for byte, but for what hubpub wrote and nobody has touched.

Three cards meet: the one that hubpub rendered last (the base), the one that is there, and the one that it renders now.
Where no base is known, or the card has nothing of it, the card is adopted: what it lacks is added, and nothing that is
there is changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from hubpub.card.document import Block, Card
from hubpub.card.headings import normalised
from hubpub.card.merge.body import merge_body, section_name
from hubpub.card.merge.given import Given, gaps_of
from hubpub.card.merge.metadata import given_metadata, merge_metadata
from hubpub.card.merge.outcome import Change, Choice, Kept, Merged, Part
from hubpub.card.merge.stubs import replace_stubs
from hubpub.card.merge.units import outside_regions
from hubpub.card.metadata.edits import newline_of
from hubpub.card.regions import read_regions, stamp

_PERSONS_CHOICE = Choice()
_REPLACED = (
    "nothing of what hubpub wrote last is in README.md: another card has taken its place, and is adopted; if a "
    "training wrote it anew, what people had written is in your version control"
)


def merge_card(
    existing: str,
    rendered: str,
    base: Given | None = None,
    choice: Choice = _PERSONS_CHOICE,
    *,
    stubs: bool = False,
) -> Merged:
    """The card `existing`, brought up to date with `rendered`.

    Merging the result once more changes nothing. Front matter that cannot be read is not touched, and neither is one
    whose meaning an added key would change.

    Args:
        existing: the card that is there; blank text gives `rendered`.
        rendered: a card as `render_card` makes it now.
        base: what hubpub rendered last; None when that is not known.
        choice: where hubpub's text is taken although a person edited or deleted it.
        stubs: whether sections that hold nothing but what a generator left to be filled in are replaced.
    """
    rendered = stamp(rendered)
    if not existing.strip("\ufeff \t\r\n"):
        added = (Change(Part.CARD, "README.md", "added"),)
        return Merged(rendered, lambda: Given.of(Card.parse(rendered)), added)
    card = Card.parse(rendered)
    new = Given.of(card)
    here = Card.parse(existing)
    problems: list[str] = []
    if base is not None and not _is_of(base, here):
        problems, base = [_REPLACED], None
    text, replaced = replace_stubs(here, card)
    left = () if stubs else tuple(replaced)
    if not stubs:
        text, replaced = existing, []
    elif text != existing:
        here = Card.parse(text)
    text, changes, kept, missing = merge_body(here, card, base, choice)
    text, unplaced = _with_sections(text, card, missing)
    changes = [change for change in replaced + changes if change.name not in unplaced]
    kept += [Kept(Part.SECTION, name, "the end of the card is in code or HTML that is not closed") for name in unplaced]
    metadata = card.front_matter.data or {}
    text, changed_keys, kept_keys = merge_metadata(text, metadata, base, choice)
    given = _given(new, base, given_metadata(here.front_matter.data or {}, metadata, base, choice), changes)
    return Merged(
        text=text,
        remember=lambda: given,
        changes=tuple(changed_keys + changes),
        kept=tuple(kept_keys + kept),
        problems=(*problems, *_marker_problems(text)),
        stubs=left,
    )


def _is_of(base: Given, card: Card) -> bool:
    """Whether a card comes from what was given: another one that took its place has deleted nothing.

    Generators write a card anew after each training, with some of the same headings.
    """
    regions = read_regions(card.text)
    if regions.mentioned or gaps_of(card.text, regions).keys() & base.gaps.keys():
        return True
    headings = {normalised(section.heading) for section in card.sections}
    if base.placed:
        return 2 * len(headings & base.placed) >= len(base.placed)
    return not headings.isdisjoint(base.sections)


def _marker_problems(text: str) -> Iterator[str]:
    for problem in read_regions(text).problems:
        yield f"line {problem.line}: the marker of the region {problem.name or '(no name)'} {problem.message}"


def names_of(rendered: str) -> frozenset[str]:
    """What a choice may name: the regions, gaps, sections and metadata keys of a rendered card."""
    card = Card.parse(rendered)
    given = Given.of(card)
    sections = {section_name(section.heading) for section in card.sections if section.level > 1}
    return frozenset(given.metadata) | frozenset(given.regions) | frozenset(given.gaps) | sections


def _given(new: Given, base: Given | None, metadata: dict[str, Any], changes: list[Change]) -> Given:
    """What hubpub has given, for the next merge: what it renders now, and what a person deleted since it was given."""
    before = base or Given()
    gone = {(change.part, change.name) for change in changes if change.how == "removed"}
    regions = {name: value for name, value in before.regions.items() if (Part.REGION, name) not in gone}
    gaps = {slot: value for slot, value in before.gaps.items() if (Part.GAP, slot) not in gone}
    sections, placed = (
        frozenset(name for name in names if (Part.SECTION, section_name(name)) not in gone)
        for names in (before.sections, before.placed)
    )
    return Given(
        metadata=metadata,
        regions={**regions, **new.regions},
        gaps={**gaps, **new.gaps},
        sections=sections | new.sections,
        placed=placed | _placed(new, changes),
    )


def _placed(new: Given, changes: list[Change]) -> frozenset[str]:
    """The headings under which hubpub's text was put now."""
    if any(change.part is Part.CARD for change in changes):
        return new.sections
    names = {change.name for change in changes if change.part is Part.SECTION and change.how != "removed"}
    return frozenset(heading for heading in new.sections if section_name(heading) in names)


def _with_sections(existing: str, rendered: Card, missing: Collection[str]) -> tuple[str, list[str]]:
    """The card with the sections of those headings at its end; and the names of those that cannot be put there."""
    newline = newline_of(existing)
    added = []
    for section in (rendered.sections[index] for index in outside_regions(rendered, read_regions(rendered.text))):
        if section.heading in missing:
            nested = rendered.children(section)
            end = nested[-1].end if nested else section.end
            added.append(rendered.text[section.heading_start : end].strip("\n").replace("\n", newline))
    if not added:
        return existing, []
    text = (newline * 2).join(added) + newline
    for closing in ("", *_closings(Card.parse(existing), newline)):
        begin = existing + closing
        result = begin + _blank_line(begin, newline) + text
        seen = {section.heading for section in Card.parse(result).sections if section.heading_start >= len(begin)}
        if seen.issuperset(missing):
            return result, []
    return existing, [section_name(heading) for heading in missing]


def _closings(card: Card, newline: str) -> list[str]:
    """What ends the code or comment that the card leaves open and that would swallow everything behind it."""
    last: Block | None = card.blocks[-1] if card.blocks else None
    if last is None:
        return []
    source = card.text[last.start : last.end]
    fence = re.match(r"\s*(`{3,}|~{3,})", source)
    if last.kind == "code" and fence:
        return [("" if source.endswith(("\n", "\r")) else newline) + fence[1] + newline]
    return [newline + "-->" + newline] if source.rfind("<!--") > source.rfind("-->") else []


def _blank_line(text: str, newline: str) -> str:
    if text.endswith((newline * 2, "\n\n")):
        return ""
    return newline if text.endswith(("\n", "\r")) else newline * 2
