"""The Markdown that people answered, put where the card's template has a gap for it, or under its heading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hubpub.card.answers.keys import section_titles
from hubpub.card.document import Card, Section
from hubpub.card.metadata.edits import apply_edits
from hubpub.card.sections import required_sections

_HIGHEST = 3  # sections have level 2


def answer_block(section: str, markdown: str) -> str:
    """The answer for a section as it stands in the card, between comments that say that it is from card.yaml."""
    name = f"answer-{section}"
    return f"<!-- hubpub:begin {name} -->\n{below_sections(markdown)}\n<!-- hubpub:end {name} -->"


def below_sections(markdown: str) -> str:
    """The Markdown with its headings moved below those of sections, in their order; nothing else changes."""
    card = Card.parse("\n" + markdown)  # a first line of --- is no front matter
    highest = min((section.level for section in card.sections), default=_HIGHEST)
    if highest >= _HIGHEST:
        return markdown
    by = _HIGHEST - highest
    edits = [
        (section.heading_start, section.start, f"{'#' * min(section.level + by, 6)} {_words(card, section)}\n")
        for section in card.sections
    ]
    return apply_edits(card.text, edits)[1:].rstrip("\n")


def _words(card: Card, section: Section) -> str:
    """The heading with its Markdown."""
    starts = section.heading_start
    block = next(block for block in card.blocks if block.kind == "heading" and block.start == starts)
    return " ".join(block.text.split())


def with_unasked(text: str, answers: Mapping[str, str], used: Iterable[str]) -> str:
    """The card with the answers that no gap asked for: right below the heading of their section, or at the end.

    Args:
        text: the card.
        answers: Markdown by the id of its section.
        used: the ids of those that stand in the card already.
    """
    for section, markdown in answers.items():
        if section in used:
            continue
        card, block = Card.parse(text), answer_block(section, markdown)
        line = next((state.line for known, state in required_sections(card).items() if known.id == section), None)
        found = next((one for one in card.sections if one.line == line), None)
        if found is None:
            found = next((one for one in card.sections if one.heading == section_titles()[section]), None)
        if found is not None:
            text = f"{text[: found.start]}\n{block}\n{text[found.start :]}"
        else:
            text = f"{text}\n## {section_titles()[section]}\n\n{block}\n"
    return text
