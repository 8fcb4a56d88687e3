"""META: the keys of the metadata, and what a template left as their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any

from hubpub.card.document import Card
from hubpub.card.hub_lists import is_known_key
from hubpub.card.metadata.edits import apply_edits, remove_key, rename_key
from hubpub.card.metadata.frontmatter import Lines, read_front_matter
from hubpub.card.metadata_placeholders import metadata_placeholders
from hubpub.core.findings import Fix, Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.rules.meta_values import MODEL_CARDS, SPEC, fix, metadata, misspelt_keys, most
from hubpub.rules.placing import at_path
from hubpub.rules.registry import CardSubject, card_rules

_LARGEST_JUDGED = 1 << 16


@card_rules.rule(
    "META017",
    "misspelt-key",
    Severity.WARNING,
    summary="A key of the metadata is misspelt.",
    why="The Hub takes any key and ignores those that it does not know: the licence or task is simply not there. TRL's "
    "own template writes `licence: license`.",
    bad="---\nlicence: mit\n---",
    good="---\nlicense: mit\n---",
    hint="name the key as the Hub does",
    source="https://github.com/huggingface/trl/blob/main/trl/trainer/utils.py",
    fixable=Fixable.SAFE,
)
def misspelt_key(subject: CardSubject) -> Iterator[Problem]:
    """A key that the Hub does not know and that is nearly one of its own."""
    data = metadata(subject) or {}
    for key, meant in islice(misspelt_keys(subject.card).items(), most(subject.card)):
        span = subject.card.front_matter.keys.get((key,))
        if span is None or key not in data:
            continue
        line, column = subject.card.lines.place(span[0])
        hint = f"name the key {meant}"
        if meant in data:
            hint = f"remove it: {meant} is there as well"
        message = f"the Hub does not know the key {key}; {meant} is meant"
        yield Problem(message, subject.path, line, column, hint=hint, fix=_renamed(subject, data, key, meant))


@card_rules.rule(
    "META018",
    "unknown-key",
    Severity.INFO,
    summary="A key of the metadata is neither the Hub's nor marked as your own.",
    why="The Hub keeps keys that it does not know and serves them again, so that they do no harm; but one that it will "
    "know some day may then mean something else. The prefix x_ is for keys of your own.",
    bad="---\nlicense: mit\nfoo: 1\n---",
    good="---\nlicense: mit\nx_foo: 1\n---",
    hint="begin the key with x_, or remove it",
    source=SPEC,
    default=False,
)
def unknown_key(subject: CardSubject) -> Iterator[Problem]:
    """A key that nobody specifies and that is not a misspelling."""
    misspelt = misspelt_keys(subject.card)
    unknown = (key for key in metadata(subject) or {} if not is_known_key(key) and key not in misspelt)
    for key in islice(unknown, most(subject.card)):
        span = subject.card.front_matter.keys.get((key,))
        if span is not None:
            line, column = subject.card.lines.place(span[0])
            yield Problem(f"the Hub does not know the key {key[:80]}", subject.path, line, column)


@card_rules.rule(
    "META049",
    "metadata-placeholder",
    Severity.ERROR,
    summary="A template's word was left in the metadata.",
    why="The Hub rejects most of them, and shows the rest: `license: license`, {license} and tag1 are what the samples "
    "of its documentation and some trainers' templates leave.",
    bad="---\nlicense: mit\ntags:\n- tag1\n---",
    good="---\nlicense: mit\ntags:\n- sentiment\n---",
    hint="write the value, or remove the line",
    source=MODEL_CARDS,
)
def metadata_placeholder(subject: CardSubject) -> Iterator[Problem]:
    """A value that is the sample's, the key's own name, or a variable in braces."""
    if subject.card.front_matter.data is not None:
        for path, shown in metadata_placeholders(subject.card.front_matter):
            yield at_path(subject, path, f"{path[0]} holds a template's word: {' '.join(shown.split())[:80]}")


def _renamed(subject: CardSubject, data: Any, key: str, meant: str) -> Fix | None:
    text, front_matter = subject.card.text, subject.card.front_matter
    if meant in data:
        same = data[meant] == data[key]
        return fix(subject, f"remove {key}", remove_key(text, front_matter, (key,)), safe=True) if same else None
    if len(front_matter.raw) > _LARGEST_JUDGED:
        return None
    edits = rename_key(text, front_matter, (key,), meant)
    # a value that nobody has read so far may be wrong as well: then the author has to look at it
    if not edits or not _codes(apply_edits(text, edits), subject) <= _codes_now(subject):
        return None
    return fix(subject, f"rename {key} to {meant}", edits, safe=True)


@lru_cache(maxsize=8)
def _codes_now(subject: CardSubject) -> Counter[str]:
    return _codes(subject.card.text, subject)


def _codes(text: str, subject: CardSubject) -> Counter[str]:
    """How often each of the other rules about metadata finds something in the block of `text`."""
    lines = Lines(text)
    card = Card(text, read_front_matter(text, lines), (), (), lines, len(text))
    judged = replace(subject, card=card)
    others = (rule for rule in card_rules if rule.code.startswith("META") and rule.code != "META017")
    return Counter(rule.code for rule in others for _ in rule.run(judged))
