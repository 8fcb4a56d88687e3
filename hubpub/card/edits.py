"""Surgical edits of a card's metadata: what is not named stays byte for byte, comments, quotes and line ends included.

Each function answers with the edits, as (start, end, text) in the card, or None where the change cannot be made without
touching anything else: every result is read again, and must say in both dialects what was asked for.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from hubpub.card.frontmatter import FrontMatter, read_front_matter
from hubpub.card.yaml_block import Path
from hubpub.card.yaml_text import dump, flow

TextEdit: TypeAlias = tuple[int, int, str]
TextEdits: TypeAlias = tuple[TextEdit, ...]


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """The text with edits that do not overlap."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


@lru_cache(maxsize=2)
def edited(text: str, edits: TextEdits) -> FrontMatter:
    """The front matter of the text with the edits; whoever made them has read it already."""
    return read_front_matter(apply_edits(text, edits))


def newline_of(text: str) -> str:
    """The line ending that most lines have."""
    windows = text.count("\r\n")
    return "\r\n" if windows * 2 > text.count("\n") else "\n"


def add_keys(text: str, front_matter: FrontMatter, values: Mapping[str, Any]) -> TextEdits | None:
    """Write `values` behind the last key; a card without a block gets one.

    Args:
        text: the card.
        front_matter: of that card, without a problem.
        values: keys that the block does not have, with their values.
    """
    newline = newline_of(text)
    if not front_matter.found:
        # a byte order mark has to stay the first character; the Hub reads a block behind it
        at = 1 if text.startswith("\ufeff") else 0
        gap = "" if text[at:].startswith(("\n", "\r")) else newline
        block = f"---{newline}{dump(values).replace(chr(10), newline)}---{newline}{gap}"
        return _verified(text, ((at, at, block),), dict(values), dict(values))
    if not front_matter.keys:
        return None
    indent = re.match(r"[ ]*", text[_start_of_line(text, min(front_matter.keys.values())[0]) :])
    added = newline.join((indent[0] if indent else "") + line for line in dump(values).rstrip("\n").split("\n"))
    gap = "" if front_matter.raw.endswith(("\n", "\r")) else newline
    edits = ((front_matter.end, front_matter.end, gap + added),)
    # in a flow mapping or behind an open block scalar the lines would mean something else
    return _verified(text, edits, {**(front_matter.data or {}), **values}, {**(front_matter.hub_data or {}), **values})


def set_value(text: str, front_matter: FrontMatter, path: Path, value: Any) -> TextEdits | None:
    """Write `value` in place of what stands at `path`, on one line: a list as [a, b]."""
    span = front_matter.values.get(path)
    if span is None or not path:
        return None
    start, end = span
    # the span of a block collection goes on to the next token: its last line's end belongs to the value, no more
    end = start + len(text[start:end].rstrip())
    key = front_matter.keys.get(path)
    opens_a_line = key is not None and "\n" in text[key[1] : start].replace("\r", "\n")
    if opens_a_line and key is not None:
        start = key[1] + 1
    blank = "" if text[start - 1 : start].isspace() else " "
    edits = ((start, end, blank + flow(value)),)
    return _verified(text, edits, _with(front_matter.data, path, value), _with(front_matter.hub_data, path, value))


def set_text(text: str, front_matter: FrontMatter, path: Path, value: str) -> TextEdits | None:
    """As `set_value`, for a word in place of another one: quotes that are there stay."""
    span = front_matter.values.get(path)
    if span is None:
        return None
    start, end = span
    quote = text[start : start + 1]
    if quote not in ("'", '"') or set(value) & {quote, "\\", "\n", "\r"}:
        return set_value(text, front_matter, path, value)
    edits = ((start, end, f"{quote}{value}{quote}"),)
    return _verified(text, edits, _with(front_matter.data, path, value), _with(front_matter.hub_data, path, value))


def rename_key(text: str, front_matter: FrontMatter, path: Path, name: str) -> TextEdits | None:
    """Call the key at `path` `name`; None when there is such a key already."""
    span = front_matter.keys.get(path)
    if span is None or (*path[:-1], name) in front_matter.keys:
        return None
    edits = ((span[0], span[1], name),)
    return _verified(text, edits, _renamed(front_matter.data, path, name), _renamed(front_matter.hub_data, path, name))


def remove_key(text: str, front_matter: FrontMatter, path: Path) -> TextEdits | None:
    """Take out the key at `path` with its value and the line ends behind it; None inside [ ] or { }."""
    key, value = front_matter.keys.get(path), front_matter.values.get(path)
    if key is None or value is None:
        return None
    start = _start_of_line(text, key[0])
    if text[start : key[0]].strip():
        return None
    end = max(value[0] + len(text[value[0] : value[1]].rstrip()), key[1] + 1)
    edits = (_lines(text, front_matter, start, end),)
    return _verified(text, edits, _without(front_matter.data, path), _without(front_matter.hub_data, path))


def remove_item(text: str, front_matter: FrontMatter, path: Path) -> TextEdits | None:
    """Take out the item at `path` of a list of scalars; None for its only item, whose key has to go with it."""
    span, holder = front_matter.values.get(path), front_matter.values.get(path[:-1])
    if span is None or holder is None or not isinstance(path[-1], int):
        return None
    before = front_matter.values.get((*path[:-1], path[-1] - 1))
    after = front_matter.values.get((*path[:-1], path[-1] + 1))
    start, end = span[0], span[0] + len(text[span[0] : span[1]].rstrip())
    if text[holder[0] : holder[0] + 1] == "[":
        start, end = (before[1], end) if before else (start, after[0] if after else end)
        edits = ((start, end, ""),)
    else:
        start = _start_of_line(text, start)
        if not re.fullmatch(r"[ ]*-[ ]*", text[start : span[0]].rstrip("\r\n")):
            return None
        edits = (_lines(text, front_matter, start, end),)
    return _verified(text, edits, _without(front_matter.data, path), _without(front_matter.hub_data, path))


def _lines(text: str, front_matter: FrontMatter, start: int, end: int) -> TextEdit:
    """The edit that takes out the lines from `start` to the one that `end` is on."""
    rest = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?").match(text, end)
    end = min(rest.end() if rest else end, front_matter.end)
    if end == front_matter.end and start > front_matter.start:
        # the last line ends where the closing fence begins: the line end before it goes instead
        start = front_matter.start + len(text[front_matter.start : start].rstrip("\r\n"))
    return start, end, ""


def _verified(
    text: str, edits: TextEdits, wanted: dict[str, Any] | None, hub_wanted: dict[str, Any] | None
) -> TextEdits | None:
    read = edited(text, edits)
    same = read.data == wanted and read.hub_data == hub_wanted and list(read.data or ()) == list(wanted or ())
    return edits if same else None


def _start_of_line(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def _holder(data: dict[str, Any] | None, path: Path) -> tuple[dict[str, Any], Any]:
    """A copy of the data, and the collection in it that holds the last part of `path`."""
    changed = copy.deepcopy(data or {})
    holder: Any = changed
    for part in path[:-1]:
        holder = holder[part]
    return changed, holder


def _with(data: dict[str, Any] | None, path: Path, value: Any) -> dict[str, Any] | None:
    if data is None:
        return None
    changed, holder = _holder(data, path)
    holder[path[-1]] = value
    return changed


def _without(data: dict[str, Any] | None, path: Path) -> dict[str, Any] | None:
    if data is None:
        return None
    changed, holder = _holder(data, path)
    del holder[path[-1]]
    return changed


def _renamed(data: dict[str, Any] | None, path: Path, name: str) -> dict[str, Any] | None:
    if data is None:
        return None
    changed, holder = _holder(data, path)
    items = [(name if key == path[-1] else key, value) for key, value in holder.items()]
    holder.clear()
    holder.update(items)
    return changed
