"""What a generator left and nobody has touched: "More information needed", ids it did not know, a path as base model.

They are replaced only when asked for: a stub is not a person's text, but the person may have begun to work on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hubpub.card.content import filling
from hubpub.card.document import Block, Card, Section
from hubpub.card.gaps import find_gaps
from hubpub.card.merge.outcome import Change, Part
from hubpub.card.metadata.edits import TextEdit, apply_edits, newline_of, remove_item, remove_key
from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.card.metadata.schema import is_repo_id
from hubpub.card.own_id import named_id
from hubpub.card.placeholders import GENERATED_IDS, card_placeholders, find_placeholders
from hubpub.card.profiles import default_profile
from hubpub.card.regions import read_regions
from hubpub.card.sections import card_meanings, required_sections

_VERSIONS = re.compile(r"(?:framework|library) versions", re.IGNORECASE)
_VERSION_LINES = re.compile(r"(?:\s*[-*] *[A-Za-z][\w ]{0,30}:? +v?\d[\w.+-]{0,30}[ \t]*(?:[\r\n]|\Z))+\s*")
_LABEL = re.compile(r"^[ \t]*\*\*[A-Za-z]{1,20}:\*\*[ \t]*$", re.MULTILINE)
_BASE_TAG = re.compile(r"base_model:(?:[a-z]+:)?(?P<id>.+)")


def replace_stubs(card: Card, rendered: Card) -> tuple[str, list[Change]]:
    """The card with hubpub's text, or a gap that says what to write, in place of stubs; and what was replaced.

    A card in which nobody has written anything is replaced as a whole.

    Args:
        card: the one that is there.
        rendered: a card as `render_card` makes it, stamped.
    """
    existing, changes = _metadata(card)
    card = card if existing == card.text else Card.parse(existing)
    if not card_placeholders(card):  # as in most cards, of which no section has to be looked at
        return existing, changes
    newline = newline_of(existing)
    if _is_nobodys(card):
        body = rendered.text[rendered.front_matter.body_start or 0 :].strip("\n").replace("\n", newline)
        start = card.front_matter.body_start or len(existing) - len(existing.removeprefix("\ufeff"))
        return existing[:start] + newline + body + newline, [*changes, Change(Part.CARD, "README.md", "updated")]
    edits: list[TextEdit] = []
    ours = {section.heading: section for section in rendered.sections}
    for required, state in required_sections(card).items():
        own = ours.get(required.title)
        if own is None or state.filled or not state.placeholder:
            continue
        if place := _stub_of(card, required.id):
            start, end = place
            before = newline if existing.endswith(("\n", "\r"), 0, start) else newline * 2
            behind = newline if end == len(existing) else newline * 2
            edits.append((start, end, before + own.body.strip("\n").replace("\n", newline) + behind))
            changes.append(Change(Part.SECTION, required.id, "updated"))
    edits += _ids(card, rendered, edits, changes)
    return apply_edits(existing, sorted(edits)), changes


def _metadata(card: Card) -> tuple[str, list[Change]]:
    """The card without what generators write into the metadata of every card: TRL's `licence`, PEFT's paths."""
    text, changes = card.text, []
    data = card.front_matter.data or {}
    left: list[tuple[Any, ...]] = [("licence",)] if data.get("licence") in ("license", "licence") else []
    for key, is_left in (("base_model", _is_path), ("tags", _is_tag_of_path)):
        value = data.get(key)
        if isinstance(value, list) and not all(map(is_left, value)):
            left += [(key, index) for index in reversed(range(len(value))) if is_left(value[index])]
        elif value and all(map(is_left, value if isinstance(value, list) else [value])):
            left.append((key,))
    for path in left:
        front_matter = read_front_matter(text)
        edits = (remove_key if len(path) == 1 else remove_item)(text, front_matter, path)
        if edits is not None:
            text = apply_edits(text, edits)
            changes.append(Change(Part.METADATA, path[0], "removed" if len(path) == 1 else "updated"))
    return text, list(dict.fromkeys(changes))


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and not is_repo_id(value) and "://" not in value and bool(re.search(r"[/\\]", value))


def _is_tag_of_path(value: Any) -> bool:
    found = _BASE_TAG.fullmatch(value) if isinstance(value, str) else None
    return found is not None and _is_path(found["id"])


def _is_nobodys(card: Card) -> bool:
    """Whether it is a template that somebody saved as it was: no section says anything but versions of libraries."""
    if read_regions(card.text).mentioned or find_gaps(card.text):
        return False
    first = card.sections[0].heading_start if card.sections else len(card.text)
    above = tuple(block for block in card.blocks if block.start < first)
    return filling(card, above).is_nothing and all(
        _says_nothing(card, section.blocks)
        or (_VERSIONS.fullmatch(section.heading) and _VERSION_LINES.fullmatch(section.body))
        for section in card.sections
    )


def _says_nothing(card: Card, blocks: Iterable[Block]) -> bool:
    blocks = tuple(block for block in blocks if not _LABEL.fullmatch(block.text))
    said = filling(card, blocks)
    return said.is_nothing and not said.picture


def _stub_of(card: Card, required: str) -> tuple[int, int] | None:
    """Where a section of that id, with what is nested in it, holds nothing but stubs: from below its heading on."""
    meanings = card_meanings(card, default_profile())
    for section in card.sections:
        if required not in meanings[section.heading_start]:
            continue
        parts: list[Section] = []
        for part in (section, *card.children(section)):
            other = meanings[part.heading_start] - {required}
            if (other and part is not section) or not _says_nothing(card, part.blocks):
                break
            if find_gaps(part.body) or read_regions(part.body).mentioned:
                break
            parts.append(part)
        if any(next(find_placeholders(card, part.blocks), None) for part in parts):
            return section.start, parts[-1].end
    return None


def _ids(card: Card, rendered: Card, taken: list[TextEdit], changes: list[Change]) -> list[TextEdit]:
    """The repo's id in place of those that a generator left in code that loads the model."""
    own = named_id(rendered)
    found = [
        (item.start, item.start + len(item.text), own)
        for item in card_placeholders(card)
        if own and item.text in GENERATED_IDS and not any(start <= item.start < end for start, end, _ in taken)
    ]
    if found:
        changes.append(Change(Part.SECTION, "how-to-use", "updated"))
    return found
