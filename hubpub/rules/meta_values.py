"""What the rules about metadata have in common: where a value stands, what was meant by a key, and fixes of values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

from hubpub.card.document import Card
from hubpub.card.facts.model_identity import task_of
from hubpub.card.facts.tasks import contradicts
from hubpub.card.hub_lists import meant_key, nearest_pipeline_tag, pipeline_tags
from hubpub.card.metadata.edits import TextEdits, add_keys, edited, set_value
from hubpub.card.metadata.frontmatter import FrontMatter
from hubpub.card.metadata.schema import Issue, validate_front_matter
from hubpub.card.metadata.yaml_block import Path
from hubpub.card.metadata_placeholders import is_metadata_placeholder
from hubpub.card.placeholders import is_unrendered
from hubpub.core.findings import Fix, Problem
from hubpub.rules.placing import fix_of
from hubpub.rules.registry import CardSubject

SPEC = "https://github.com/huggingface/hub-docs/blob/main/modelcard.md"
MODEL_CARDS = "https://github.com/huggingface/hub-docs/blob/main/docs/hub/model-cards.md"

_READ_AGAIN = 200_000
_MOST_KEYS = 200
# Keys that may hold a mapping.
_MAPPINGS = {"co2_eq_emissions", "extra_gated_fields", "inference", "widget"}


def metadata(subject: CardSubject) -> Mapping[str, Any] | None:
    """The metadata, when both the Hub and the Python client can read it; values are the Hub's."""
    front_matter = subject.card.front_matter
    return front_matter.hub_data if front_matter.data is not None else None


@lru_cache(maxsize=8)
def issues(card: Card) -> tuple[Issue, ...]:
    """What the Hub says to the metadata, without what a template left."""
    return tuple(
        issue for issue in validate_front_matter(card.front_matter).issues if not is_left(issue.path, issue.value)
    )


def is_left(path: Path, value: object) -> bool:
    """Whether a template left the value: META049 and TEXT003 name that."""
    return is_metadata_placeholder(path, value) or (isinstance(value, str) and is_unrendered(value))


def most(card: Card) -> int:
    """How many findings of a rule are told: each fix reads the block again, and a block may have a megabyte."""
    return max(1, min(20, _READ_AGAIN // (len(card.front_matter.raw) + 1)))


def rejected(subject: CardSubject, key: str) -> Iterator[Issue]:
    """What the Hub rejects of the value of `key`."""
    found = (issue for issue in issues(subject.card) if issue.rejects and issue.path[:1] == (key,))
    return islice(found, most(subject.card))


@lru_cache(maxsize=8)
def misspelt_keys(card: Card) -> Mapping[str, str]:
    """The keys that are misspellings, each with the one that is meant; `dataset: {...}` is somebody's own."""
    items = islice((card.front_matter.hub_data or {}).items(), _MOST_KEYS)
    return {
        key: meant
        for key, value in items
        if (meant := meant_key(key)) is not None and (meant in _MAPPINGS or not isinstance(value, dict))
    }


def is_given(subject: CardSubject, key: str) -> bool:
    """Whether the metadata has a value for `key`, or for a key that is a misspelling of it."""
    names = [key, *(name for name, meant in misspelt_keys(subject.card).items() if meant == key)]
    return any((subject.card.front_matter.hub_data or {}).get(name) not in (None, "", [], {}) for name in names)


def meant_task(subject: CardSubject, data: Mapping[str, Any]) -> str | None:
    """The task of the metadata, mended if it is none of the Hub's; else of the tags, as on the Hub, or of the files."""
    told = task_of(subject.folder) if subject.folder is not None else None
    names = texts(data.get("pipeline_tag"))
    if len(names) == 1:
        meant = names[0] if names[0] in pipeline_tags() else nearest_pipeline_tag(names[0])
        mended = meant != names[0]
        return told if told and mended and (meant is None or contradicts(meant, told)) else meant
    return next((tag for tag in texts(data.get("tags")) if tag in pipeline_tags()), told)


def texts(value: Any) -> list[str]:
    """The strings in a value that may be one or a list."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


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
    if not _by_key(edited(subject.card.text, edits)) <= _by_key(subject.card.front_matter):
        return None
    return fix_of(subject, description, edits, safe=safe)


def _by_key(front_matter: FrontMatter) -> Counter[Path]:
    """How often the Hub says something to each key."""
    return Counter(issue.path[:1] for issue in validate_front_matter(front_matter).issues)


def put(subject: CardSubject, values: Mapping[str, Any], *, safe: bool) -> Fix | None:
    """The fix that gives keys a value which they do not have yet."""
    text, front_matter = subject.card.text, subject.card.front_matter
    absent = {key: value for key, value in values.items() if (key,) not in front_matter.keys}
    changes = [add_keys(text, front_matter, absent)] if absent else []
    changes += [set_value(text, front_matter, (key,), values[key]) for key in values if key not in absent]
    edits = tuple(edit for change in changes for edit in change or ()) if all(changes) else None
    named = ", ".join(f"{key}: {value}" for key, value in values.items() if not isinstance(value, list))
    return fix(subject, f"add {named or ', '.join(values)}", edits, safe=safe)
