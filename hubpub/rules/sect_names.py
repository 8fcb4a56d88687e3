"""SECT: opt-in opinions about how sections are called, and in which order they come."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.card.document import Card, Section
from hubpub.card.headings import read_heading
from hubpub.card.outline import duplicates, is_atx, levels
from hubpub.card.sections import card_meanings
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.rules.registry import CardSubject, card_rules

_ATLAS = "https://arxiv.org/abs/2512.12443"


@card_rules.rule(
    "SECT015",
    "non-canonical-heading",
    Severity.INFO,
    summary="A section is called otherwise than in the profile.",
    why="Documents of 105 models use 947 names for their sections, 97 of them for usage alone (AI Transparency Atlas "
    "2025). Where many cards are read side by side, one name for one thing helps. Other languages are left alone.",
    bad="## Eval results\n\nAccuracy 0.91 on the test set.",
    good="## Evaluation results\n\nAccuracy 0.91 on the test set.",
    hint="give it the name of the profile",
    source=_ATLAS,
    default=False,
    fixable=Fixable.UNSAFE,
)
def non_canonical_heading(subject: CardSubject) -> Iterator[Problem]:
    """The first heading of each section that none of its headings calls by its name."""
    card = subject.card
    meanings = card_meanings(card, subject.profile)
    for required in subject.profile.sections:
        found = [section for section in card.sections if required.id in meanings[section.heading_start]]
        names = {read_heading(section.heading).plain for section in found}
        if not found or read_heading(required.title).plain in names:
            continue
        first = found[0]
        if required.synonyms.language_of(read_heading(first.heading).plain) in ("en", None):
            message = f"the section {required.title} is called {first.heading!r}"
            hint = f"call it {required.title}"
            fix = _renaming(subject, first, required.title) if len(meanings[first.heading_start]) == 1 else None
            yield Problem(message, subject.path, first.line, 1, hint=hint, fix=fix)


def _renaming(subject: CardSubject, section: Section, title: str) -> Fix | None:
    """Write the title in place of a plain heading that no link of the card leads to."""
    card = subject.card
    source = card.text[section.heading_start : section.start]
    at = source.find(section.heading) if is_atx(card, section) else -1
    anchor = "-".join(section.heading.casefold().split())
    if at < 0 or f"#{anchor})" in card.text or source.count(section.heading) != 1 or _is_taken(card, section, title):
        return None
    start = section.heading_start + at
    edit = Edit(subject.path, start, start + len(section.heading), title)
    return Fix(f"call it {title}", False, (edit,))


def _is_taken(card: Card, section: Section, title: str) -> bool:
    same = [other for other in card.sections if other.heading.casefold() == title.casefold() and other is not section]
    return bool(same) or any(section.line == card.sections[index].line for index, _ in duplicates(card, levels(card)))


@card_rules.rule(
    "SECT016",
    "section-order",
    Severity.INFO,
    summary="The sections come in another order than in the profile.",
    why="Readers of many cards look for the same thing in the same place: what the model is, what it is for, how to "
    "call it, where it fails, and then how it was made.",
    bad="## Evaluation results\n\nAccuracy 0.91.\n\n## Model description\n\nA small encoder.",
    good="## Model description\n\nA small encoder.\n\n## Evaluation results\n\nAccuracy 0.91.",
    hint="move the section",
    source="https://huggingface.co/learn/llm-course/chapter4/4",
    default=False,
)
def section_order(subject: CardSubject) -> Iterator[Problem]:
    """Each section whose first heading stands behind that of one that should follow it."""
    card = subject.card
    meanings = card_meanings(card, subject.profile)
    first: dict[str, Section] = {}
    for section in card.sections:
        for meant in meanings[section.heading_start]:
            first.setdefault(meant, section)
    latest: tuple[Section, str] | None = None
    for required in subject.profile.sections:
        here = first.get(required.id)
        if here is None:
            continue
        if latest and here.heading_start < latest[0].heading_start:
            message = f"{required.title} stands before {latest[1]}, which the profile {subject.profile.name} puts first"
            yield Problem(message, subject.path, here.line, 1)
        else:
            latest = (here, required.title)
