"""Sections in which a generator left nothing but what somebody should fill in: "More information needed" and its kin.

So is the id of a repo that its code loads the model from, `sentence_transformers_model_id`. They are replaced only when
asked for: a stub is not a person's text, but the person may have begun to work on it.
"""

from __future__ import annotations

from hubpub.card.content import filling
from hubpub.card.document import Block, Card
from hubpub.card.gaps import find_gaps
from hubpub.card.merge.outcome import Change, Part
from hubpub.card.metadata.edits import TextEdit, apply_edits, newline_of
from hubpub.card.own_id import named_id
from hubpub.card.placeholders import GENERATED_IDS, card_placeholders, find_placeholders
from hubpub.card.regions import read_regions
from hubpub.card.sections import required_sections


def replace_stubs(existing: str, rendered: Card) -> tuple[str, list[Change]]:
    """The card with hubpub's text in place of stubs, where it has any beyond a gap, and what was replaced.

    Args:
        existing: the card.
        rendered: a card as `render_card` makes it, stamped.
    """
    card = Card.parse(existing)
    newline = newline_of(existing)
    edits: list[TextEdit] = []
    changes: list[Change] = []
    ours = {section.heading: section for section in rendered.sections}
    states = required_sections(rendered)
    for required, state in required_sections(card).items():
        section = next((item for item in card.sections if state.heading and item.line == state.line), None)
        own = ours.get(required.title)
        if section is None or own is None or not states[required].filled or state.filled or not state.placeholder:
            continue
        if _is_stub(card, section.blocks) and not find_gaps(section.body) and not read_regions(section.body).mentioned:
            before = newline if existing.endswith(("\n", "\r"), 0, section.start) else newline * 2
            behind = newline if section.end == len(existing) else newline * 2
            text = own.body.strip("\n").replace("\n", newline)
            edits.append((section.start, section.end, before + text + behind))
            changes.append(Change(Part.SECTION, required.id, "updated"))
    edits += _ids(card, rendered, edits, changes)
    return apply_edits(existing, sorted(edits)), changes


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


def _is_stub(card: Card, blocks: tuple[Block, ...]) -> bool:
    return filling(card, blocks).is_nothing and next(find_placeholders(card, blocks), None) is not None
