"""Surgical edits of a card's metadata: what is not named stays byte for byte, comments, quotes and line ends included.

Each function answers with the edits, as (start, end, text) in the card, or None where the change cannot be made without
touching anything else: every result is read again, and must say in both dialects what was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from hubpub.card.metadata.frontmatter import FrontMatter, read_front_matter
from hubpub.card.metadata.yaml_block import Path, python_reading, tabs_outside_text
from hubpub.card.metadata.yaml_text import dump, flow
from hubpub.core.pattern import Pattern

TextEdit: TypeAlias = tuple[int, int, str]
TextEdits: TypeAlias = tuple[TextEdit, ...]

_INDENTING = Pattern(r"(?<=[\r\n])\t+")
_NOTHING = object()
_FLOW = Pattern(r"(?:[&!]\S*\s+){0,2}[\[{]")


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """The text with edits that do not overlap."""
    parts: list[str] = []
    at = 0
    for start, end, new in sorted(edits):
        parts += (text[at:start], new)
        at = end
    return "".join((*parts, text[at:]))


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
    start, end = span[0], value_end(text, front_matter, path)
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


def set_entry(text: str, front_matter: FrontMatter, key: str, value: Any) -> TextEdits | None:
    """Write a key of the block anew, with `value`; a list or a mapping over several lines, as `add_keys` does.

    What stands behind the value on its last line stays.
    """
    span = front_matter.keys.get((key,))
    if span is None or (key,) not in front_matter.values:
        return None
    start = _start_of_line(text, span[0])
    indent = text[start : span[0]]
    if indent.strip(" "):
        return None
    newline = newline_of(text)
    entry = newline.join(indent + line for line in dump({key: value}).rstrip("\n").split("\n"))
    edits = ((start, max(value_end(text, front_matter, (key,)), span[1] + 1), entry),)
    return _verified(text, edits, _with(front_matter.data, (key,), value), _with(front_matter.hub_data, (key,), value))


def add_items(text: str, front_matter: FrontMatter, path: Path, items: Sequence[Any]) -> TextEdits | None:
    """Write `items` behind the last one of the list of scalars at `path`, in its style; None for an empty list."""
    holder = front_matter.values.get(path)
    present = _item_at(front_matter.data, path)
    if holder is None or not isinstance(present, list) or not present:
        return None
    first, end = front_matter.values[(*path, len(present) - 1)]
    end = first + len(text[first:end].rstrip())
    if text[holder[0] : holder[0] + 1] == "[":
        edits = ((end, end, "".join(f", {flow(item)}" for item in items)),)
    else:
        start = _start_of_line(text, first)
        mark = re.fullmatch(r"[ ]*-[ ]+", text[start:first])
        line_end = re.compile(r"[^\r\n]*").match(text, end, front_matter.end)
        if mark is None or line_end is None:
            return None
        added = "".join(newline_of(text) + mark[0] + flow(item) for item in items)
        edits = ((line_end.end(), line_end.end(), added),)
    value = [*present, *items]
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
    end = max(value_end(text, front_matter, path), key[1] + 1)
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


def value_end(text: str, front_matter: FrontMatter, path: Path) -> int:
    """The offset behind a value. The span of a block collection goes on to the next token, over comments."""
    start, end = front_matter.values[path]
    if _FLOW.match(text, start):
        return end
    inside = (other for other in front_matter.values if other[: len(path)] == path and other != path)
    holders = {other[:-1] for other in front_matter.values}
    ends = [
        front_matter.values[other][1]
        for other in inside
        if other not in holders or _FLOW.match(text, front_matter.values[other][0])
    ]
    last = max((at for at in ends if at <= end), default=end)
    return start + len(text[start:last].rstrip())


def _lines(text: str, front_matter: FrontMatter, start: int, end: int) -> TextEdit:
    """The edit that takes out the lines from `start` to the one that `end` is on."""
    rest = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?").match(text, end)
    end = min(rest.end() if rest else end, front_matter.end)
    if end == front_matter.end and start > front_matter.start:
        # the last line ends where the closing fence begins: the line end before it goes instead
        start -= 2 if text[:start].endswith("\r\n") else 1
    return start, end, ""


def remove_earlier_entry(text: str, front_matter: FrontMatter) -> TextEdits | None:
    """Take out the first of two entries with the same key, which PyYAML does not read; the Hub reads neither."""
    problem = front_matter.problem
    if problem is None or problem.earlier is None:
        return None
    start = _start_of_line(text, problem.earlier[0])
    end = _start_of_line(text, max(problem.earlier[1], text.find("\n", problem.earlier[0]) + 1))
    if text[start : problem.earlier[0]].strip() or end <= start or end > problem.offset:
        return None
    edits = ((start, end, ""),)
    after = read_front_matter(apply_edits(text, edits))
    is_read = after.data is not None and after.data == python_reading(front_matter.raw)
    another = after.problem is not None and after.problem.kind == "duplicate-key"
    return edits if is_read or another else None


def without_tabs(text: str, front_matter: FrontMatter) -> TextEdits | None:
    """Write blanks for the tabs that PyYAML refuses: one between a key and its value, two for each that indents."""
    if front_matter.problem is None or front_matter.problem.kind != "tab":
        return None
    if front_matter.hub_data is None:
        runs = [match.span() for match in _INDENTING.finditer(text, front_matter.start, front_matter.end)]
        tabs = tuple((start, end, "  " * (end - start)) for start, end in runs)
    else:
        at = front_matter.start
        tabs = tuple((at + start, at + end, " ") for start, end in tabs_outside_text(front_matter.raw))
    after = read_front_matter(apply_edits(text, tabs))
    if not tabs or after.data is None or front_matter.hub_data not in (None, after.hub_data):
        return None
    return tabs


def _verified(
    text: str, edits: TextEdits, wanted: dict[str, Any] | None, hub_wanted: dict[str, Any] | None
) -> TextEdits | None:
    if wanted is None or hub_wanted is None:
        return None
    read = edited(text, edits)
    same = read.data == wanted and read.hub_data == hub_wanted and list(read.data or ()) == list(wanted)
    return edits if same else None


def _start_of_line(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def _holder(data: dict[str, Any] | None, path: Path) -> tuple[dict[str, Any], Any] | None:
    """A copy of the data, and the collection in it that holds the last part of `path`; None when none does.

    A key that is no text to one of the readers, or that << brings in, is not where its path says.
    """
    changed: dict[str, Any] = _copy(data or {})
    holder: Any = changed
    for part in path[:-1]:
        holder = _item(holder, part)
    return (changed, holder) if _item(holder, path[-1]) is not _NOTHING else None


def _copy(data: Any) -> Any:
    """A copy in which nothing is shared: what an alias stands for is changed at one place only."""
    if isinstance(data, dict):
        return {key: _copy(value) for key, value in data.items()}
    return [_copy(item) for item in data] if isinstance(data, list) else data


def _item(holder: Any, part: str | int) -> Any:
    if isinstance(holder, dict):
        return holder.get(part, _NOTHING)
    if isinstance(holder, list) and isinstance(part, int) and part < len(holder):
        return holder[part]
    return _NOTHING


def _item_at(data: dict[str, Any] | None, path: Path) -> Any:
    value: Any = data
    for part in path:
        value = _item(value, part)
    return value


def _with(data: dict[str, Any] | None, path: Path, value: Any) -> dict[str, Any] | None:
    found = _holder(data, path)
    if found is None:
        return None
    changed, holder = found
    holder[path[-1]] = value
    return changed


def _without(data: dict[str, Any] | None, path: Path) -> dict[str, Any] | None:
    found = _holder(data, path)
    if found is None:
        return None
    changed, holder = found
    del holder[path[-1]]
    return changed


def _renamed(data: dict[str, Any] | None, path: Path, name: str) -> dict[str, Any] | None:
    found = _holder(data, path)
    if found is None:
        return None
    changed, holder = found
    items = [(name if key == path[-1] else key, value) for key, value in holder.items()]
    holder.clear()
    holder.update(items)
    return changed
