"""Merging a card's metadata: what a person wrote, added or removed stays; what hubpub wrote follows the facts.

Lists of plain values are merged item by item. The YAML is edited as text, so that comments, quotes and the order of
the keys stay; a value with a comment in it is a person's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubpub.card.merge.given import Given, as_given, canonical, same
from hubpub.card.merge.outcome import Change, Choice, Kept, Part
from hubpub.card.metadata.comments import comments
from hubpub.card.metadata.edits import (
    TextEdits,
    add_items,
    add_keys,
    apply_edits,
    remove_item,
    remove_key,
    set_entry,
    set_value,
    value_end,
)
from hubpub.card.metadata.frontmatter import FrontMatter, read_front_matter
from hubpub.card.metadata.yaml_text import dump

_ABSENT: Any = object()
# Each edit reads the block again, and blocks of thousands of keys are nobody's.
_MOST_READ = 200_000
_EDITS_OF_ANY = 10
BY_HAND: Mapping[str, str] = {"sha256": ""}
"""What is remembered of a key that was there before hubpub knew the card: no value is equal to it."""


def merge_metadata(
    existing: str, rendered: Mapping[str, Any], base: Given | None, choice: Choice
) -> tuple[str, list[Change], list[Kept]]:
    """The card with its metadata merged, what changed, and what was left as a person wrote it.

    Args:
        existing: the card.
        rendered: the metadata as it would be rendered now.
        base: what was rendered last; None when that is not known: then keys are only added.
        choice: where hubpub's values are taken all the same.
    """
    here = read_front_matter(existing)
    if here.problem:
        why = f"line {here.problem.line} cannot be read: {here.problem.message}"
        return existing, [], [Kept(Part.METADATA, "block", why)] if rendered else []
    changes: list[Change] = []
    kept: list[Kept] = []
    text = existing
    data = here.data or {}
    wanted: dict[str, Any] = {}
    for key in dict.fromkeys((*data, *rendered)):
        now, then = data.get(key, _ABSENT), rendered.get(key, _ABSENT)
        if now is not _ABSENT and then is not _ABSENT and same(now, then):
            continue
        result, why = _merged(key, now, then, base, choice)
        if why:
            kept.append(Kept(Part.METADATA, key, why, _shown(key, now), _shown(key, then)))
        elif result is not now:
            wanted[key] = result
    new_keys = {key: value for key, value in wanted.items() if key not in data}
    edits = add_keys(text, here, new_keys) if new_keys else ()
    if edits is None:
        why = "keys cannot be added without touching what stands around them"
        kept += [Kept(Part.METADATA, key, why, "", _shown(key, value)) for key, value in new_keys.items()]
    elif edits:
        text = apply_edits(text, edits)
        changes += [Change(Part.METADATA, key, "added") for key in new_keys]
    most = max(_MOST_READ // (len(here.raw) + 1), _EDITS_OF_ANY)
    for number, key in enumerate([key for key in data if key in wanted]):
        result = wanted[key]
        if number >= most:
            why = "too much else changes in a block as large as this"
            kept.append(Kept(Part.METADATA, key, why, _shown(key, data[key]), _shown(key, result)))
            continue
        if result is not _ABSENT and same(result, data[key]):
            continue
        edits = _edits(text, read_front_matter(text), key, data[key], result)
        if edits is None:
            why = "it cannot be changed without touching what stands around it"
            kept.append(Kept(Part.METADATA, key, why, _shown(key, data[key]), _shown(key, result)))
            continue
        text = apply_edits(text, edits)
        changes.append(Change(Part.METADATA, key, "removed" if result is _ABSENT else "updated"))
    return text, changes, kept


def given_metadata(
    present: Mapping[str, Any], rendered: Mapping[str, Any], base: Given | None, choice: Choice
) -> dict[str, Any]:
    """What is remembered of the metadata after the merge, for the next one; `present` was there before it."""
    before = base.metadata if base is not None else dict.fromkeys(present, BY_HAND)
    by_hand = {key for key in present if same(before.get(key), BY_HAND) and not choice.takes_hubpubs(key)}
    given = {key: as_given(value) for key, value in rendered.items()}
    kept = {
        key: value
        for key, value in before.items()
        if key in by_hand or key not in present or not same(value, as_given(present[key]))
    }
    return {**kept, **given, **{key: dict(BY_HAND) for key in by_hand}}


def _merged(key: str, now: Any, wanted: Any, base: Given | None, choice: Choice) -> tuple[Any, str]:
    """The value that a key gets, and why it is not the one that would be rendered."""
    if wanted is not _ABSENT and choice.takes_hubpubs(key):
        return wanted, ""
    if base is None:
        if now is _ABSENT:
            return wanted, ""
        return now, "" if wanted is _ABSENT else "written before hubpub knew it"
    if now is _ABSENT:
        return (_ABSENT, "" if wanted is _ABSENT else "deleted") if key in base.metadata else (wanted, "")
    if base.holds(key, now):
        return wanted, ""
    before = base.metadata.get(key, [])
    if _plain_list(now) and _plain_list(before) and (wanted is _ABSENT or _plain_list(wanted)):
        return _merged_list(now, before, [] if wanted is _ABSENT else wanted), ""
    return now, "" if wanted is _ABSENT else "edited"


def _merged_list(now: list[Any], before: list[Any], wanted: list[Any]) -> Any:
    """A list that a person edited, with what hubpub renders new, and without what it renders no more."""
    had, wants = _known(before), _known(wanted)
    seen = had | _known(now)
    stays = [item for item in now if canonical(item) in wants or canonical(item) not in had]
    added = [item for item in wanted if canonical(item) not in seen]
    return stays + added or _ABSENT


def _known(items: list[Any]) -> set[str]:
    return {canonical(item) for item in items}


def _plain_list(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(item, dict | list) for item in value)


def _edits(text: str, front_matter: FrontMatter, key: str, now: Any, result: Any) -> TextEdits | None:
    if result is not _ABSENT and _plain_list(now) and _plain_list(result):
        edits = _list_edits(text, front_matter, key, now, result)
        if edits is not None:
            return edits
    if _has_comment(text, front_matter, key):
        return None
    if result is _ABSENT:
        return remove_key(text, front_matter, (key,))
    if not isinstance(now, dict | list) and not isinstance(result, dict | list):
        return set_value(text, front_matter, (key,), result)
    return set_entry(text, front_matter, key, result)


def _list_edits(text: str, front_matter: FrontMatter, key: str, now: list[Any], result: list[Any]) -> TextEdits | None:
    """The edits that take out items and add others at the end, as one: what stays keeps its quotes and comments."""
    wanted = _known(result)
    gone = [index for index, item in enumerate(now) if canonical(item) not in wanted]
    stays = [item for item in now if canonical(item) in wanted]
    added = result[len(stays) :]
    if not stays or not all(same(*pair) for pair in zip(stays, result, strict=False)):
        return None
    changed = text
    for index in reversed(gone):
        edits = remove_item(changed, read_front_matter(changed), (key, index))
        if edits is None:
            return None
        changed = apply_edits(changed, edits)
    if added:
        edits = add_items(changed, read_front_matter(changed), (key,), added)
        if edits is None:
            return None
        changed = apply_edits(changed, edits)
    end = len(text) - front_matter.end
    return ((front_matter.start, front_matter.end, changed[front_matter.start : len(changed) - end]),)


def _has_comment(text: str, front_matter: FrontMatter, key: str) -> bool:
    start, end = front_matter.values[(key,)][0], value_end(text, front_matter, (key,))
    first = front_matter.keys[(key,)][1]
    return "#" in text[first:end] and any(first <= at < max(start, end) for at, _ in comments(front_matter))


def _shown(key: str, value: Any) -> str:
    return "" if value is _ABSENT else dump({key: value})
