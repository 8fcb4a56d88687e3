"""What the rules about metadata have in common: where a value stands, what was meant by a key, and fixes of values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from hubpub.card.document import Card
from hubpub.card.edits import TextEdits, add_keys, apply_edits, set_value
from hubpub.card.frontmatter import read_front_matter
from hubpub.card.hub_lists import meant_key
from hubpub.card.metadata_placeholders import is_metadata_placeholder
from hubpub.card.placeholders import is_unrendered
from hubpub.card.schema import Issue, validate_front_matter
from hubpub.card.yaml_block import Path
from hubpub.core.findings import Edit, Fix, Problem
from hubpub.rules.registry import CardSubject

SPEC = "https://github.com/huggingface/hub-docs/blob/main/modelcard.md"
MODEL_CARDS = "https://github.com/huggingface/hub-docs/blob/main/docs/hub/model-cards.md"


def metadata(subject: CardSubject) -> Mapping[str, Any] | None:
    """The metadata, when both the Hub and the Python client can read it; values are the Hub's."""
    front_matter = subject.card.front_matter
    return front_matter.hub_data if front_matter.data is not None else None


@lru_cache(maxsize=8)
def issues(card: Card) -> tuple[Issue, ...]:
    """What the Hub says to the metadata, without what a template left: a rule of its own names that."""
    return tuple(
        issue
        for issue in validate_front_matter(card.front_matter).issues
        if not (isinstance(issue.value, str) and is_unrendered(issue.value))
        and not is_metadata_placeholder(issue.path, issue.value)
    )


def rejected(subject: CardSubject, key: str) -> Iterator[Issue]:
    """What the Hub rejects of the value of `key`."""
    return (issue for issue in issues(subject.card) if issue.rejects and issue.path[:1] == (key,))


def is_given(data: Mapping[str, Any], key: str) -> bool:
    """Whether the metadata has a value for `key`, or for a key that is a misspelling of it."""
    return any(value not in (None, "", [], {}) for name, value in data.items() if name == key or meant_key(name) == key)


def texts(value: Any) -> list[str]:
    """The strings in a value that may be one or a list."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def problem(subject: CardSubject, path: Path, message: str, hint: str | None = None, fix: Fix | None = None) -> Problem:
    """A problem at the value of `path`."""
    line, column = subject.card.lines.place(subject.card.front_matter.offset_of(path))
    return Problem(message, subject.path, line, column, hint=hint, fix=fix)


def missing(subject: CardSubject, message: str, hint: str | None = None, fix: Fix | None = None) -> Problem:
    """A problem with what the block does not have."""
    return Problem(message, subject.path, subject.card.front_matter.first_line, 1, hint=hint, fix=fix)


def quoted(value: object) -> str:
    """A value of the card on one line, at most 80 characters of it."""
    text = " ".join(str(value)[:400].split())
    return f"{text!r}" if len(text) <= 80 else f"{text[:77] + '...'!r}"


def fix(subject: CardSubject, description: str, edits: TextEdits | None, *, safe: bool) -> Fix | None:
    """The fix, unless the edits cannot be made or bring what the Hub would say something to."""
    if not edits:
        return None
    front_matter = read_front_matter(apply_edits(subject.card.text, edits))
    after = {issue.message for issue in validate_front_matter(front_matter).issues}
    if not after <= {issue.message for issue in validate_front_matter(subject.card.front_matter).issues}:
        return None
    return Fix(description, safe, tuple(Edit(subject.path, *edit) for edit in edits))


def put(subject: CardSubject, values: Mapping[str, Any], *, safe: bool) -> Fix | None:
    """The fix that gives keys a value which they do not have yet."""
    text, front_matter = subject.card.text, subject.card.front_matter
    present = [key for key in values if (key,) in front_matter.keys]
    if not present:
        edits = add_keys(text, front_matter, values)
    else:
        edits = set_value(text, front_matter, (present[0],), values[present[0]]) if len(values) == 1 else None
    named = ", ".join(f"{key}: {value}" for key, value in values.items() if not isinstance(value, list))
    return fix(subject, f"add {named or ', '.join(values)}", edits, safe=safe)
