"""Completing a card that a person wrote: what is there stays byte for byte, what is missing is added.

Missing metadata keys are written into the block as text, behind the last key; missing sections go to the end.
"""

from __future__ import annotations

import re

from hubpub.card.document import Block, Card
from hubpub.card.edits import add_keys, apply_edits, newline_of
from hubpub.card.frontmatter import FrontMatter, read_front_matter
from hubpub.card.sections import required_sections


def complete(existing: str, rendered: str) -> str:
    """The card `existing` with what it lacks of `rendered`.

    A card that lacks nothing comes back as it is, and completing twice changes nothing more. Front matter that
    cannot be read is not touched, and neither is one whose meaning an added key would change. A key that is there
    without a value stays so.

    Args:
        existing: what a person wrote; blank text gives `rendered`.
        rendered: a card as `render_card` makes it.
    """
    if not existing.strip("\ufeff \t\r\n"):
        return rendered
    newline = newline_of(existing)
    with_metadata = _with_metadata(existing, read_front_matter(rendered))
    return _add_sections(with_metadata, Card.parse(rendered), newline)


def _with_metadata(existing: str, rendered: FrontMatter) -> str:
    present = read_front_matter(existing)
    if present.problem:
        return existing
    missing = {key: value for key, value in (rendered.data or {}).items() if key not in (present.data or {})}
    edits = add_keys(existing, present, missing) if missing else None
    return apply_edits(existing, edits) if edits else existing


def _add_sections(existing: str, rendered: Card, newline: str) -> str:
    card = Card.parse(existing)
    missing = {required for required, state in required_sections(card).items() if not state.present}
    added = []
    for section in rendered.sections:
        meant = {required for required in missing if required.title == section.heading}
        if meant:
            nested = rendered.children(section)
            end = nested[-1].end if nested else section.end
            added.append(rendered.text[section.heading_start : end].strip("\n").replace("\n", newline))
    if not added:
        return existing
    text = (newline * 2).join(added) + newline
    for closing in ("", *_closings(card, newline)):
        begin = existing + closing
        result = begin + _blank_line(begin, newline) + text
        states = required_sections(Card.parse(result))
        if all(states[required].present for required in missing):
            return result
    return existing


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
