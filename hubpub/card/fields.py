"""Single values in a card, by their labels: `- **Release date:** 2026-11-22`, a row of a table, a small section."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from hubpub.card.content import tells
from hubpub.card.document import Card
from hubpub.card.headings import Globs, normalised, read_heading
from hubpub.card.placeholders import prose
from hubpub.card.profiles import Profile, RequiredField
from hubpub.core.pattern import Pattern

_LABEL = Pattern(
    r"^[ \t>]*(?:[-*+][ \t]+|\d{1,3}[.)][ \t]+)?(?P<label>[^\s:：|][^:：|\r\n]{0,100})[:：][*_ \t]*(?P<value>[^\r\n]*)",
    re.MULTILINE,
)
_LONGEST_VALUE = 500
_MOST_LABELS = 5000
_BREAK = Pattern(r"<br\s{0,3}/?>", re.IGNORECASE)
_MARKS = Pattern(r"!?\[([^\[\]]{0,200})\]\([^()]{0,500}\)|[*_`]+")


class LabelledValue(NamedTuple):
    """A value and what the card calls it, normalised as a heading."""

    label: str
    value: str


def missing_fields(card: Card, profile: Profile) -> tuple[RequiredField, ...]:
    """The profile's fields that the card gives no value for, in the profile's order."""
    if not profile.fields:
        return ()
    given = labelled_values(card)
    text = "\n".join(block.text for block in card.blocks if block.kind in ("text", "table", "html"))
    running = prose(text)
    return tuple(field for field in profile.fields if not _is_given(field, card, given, running))


@lru_cache(maxsize=8)
def labelled_values(card: Card) -> tuple[LabelledValue, ...]:
    """What the card says of single things: labels in bold or with a colon, rows of tables, sections."""
    return tuple(islice(_labelled(card), _MOST_LABELS))


def _is_given(field: RequiredField, card: Card, given: tuple[LabelledValue, ...], running: str) -> bool:
    if any(_at(card.front_matter.data, path) for path in field.metadata):
        return True
    labels = Globs((*field.labels, normalised(field.title.rpartition(": ")[2])))
    if any(labels.match(entry.label) and tells(entry.value) for entry in given):
        return True
    return bool(field.prose and re.search(field.prose, running))


def _at(data: Mapping[str, Any] | None, path: str) -> Any:
    found: Any = data
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _labelled(card: Card) -> Iterator[LabelledValue]:
    for section in card.sections:
        yield LabelledValue(read_heading(section.heading).plain, section.body)
    for index, block in enumerate(card.blocks):
        if block.kind == "table":
            yield from _rows(card.text[block.start : block.end])
        elif block.kind in ("text", "html"):
            source = _BREAK.sub(" ", card.text[block.start : block.end])
            for match in _LABEL.finditer(source):
                value = match["value"].strip() or source[match.end() : match.end() + _LONGEST_VALUE].strip()
                following = card.blocks[index + 1] if index + 1 < len(card.blocks) else None
                if not value and following and following.kind in ("text", "table", "code"):
                    value = following.text  # "**Runtime engines:**" and a list below it
                yield LabelledValue(_label(match["label"]), value)


def _rows(table: str) -> Iterator[LabelledValue]:
    for row in table.splitlines():
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        if len(cells) > 1:
            yield LabelledValue(_label(cells[0]), " ".join(cells[1:]))


def _label(text: str) -> str:
    return normalised(_MARKS.sub(lambda match: match[1] or "", text))
