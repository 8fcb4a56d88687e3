"""Surgical edits: what is not named stays byte for byte, and what is named is read as asked, or nothing is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubpub.card.metadata.edits import (
    TextEdits,
    add_keys,
    apply_edits,
    remove_earlier_entry,
    remove_key,
    rename_key,
    set_value,
    without_tabs,
)
from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.card.metadata.yaml_block import Path

NAMES = st.sampled_from(["license", "tags", "a", "b-c", "d_e", "'q r'", '"x"', "no", "1", "model-index"])
SCALARS = st.sampled_from(
    [
        "mit",
        "'it''s'",
        '"a: \\"b\\" # c"',
        "no",
        "1e3",
        "12:30:45",
        "2024-01-02",
        "",
        "~",
        "0.10",
        "🤗 ünï",
        "http://x/#y",
        "!!str 1",
    ]
)
COMMENTS = st.sampled_from(["", "", " # why", "  # no: yes, [a]"])


@st.composite
def flow_values(draw: st.DrawFn, depth: int = 0) -> str:
    plain = st.sampled_from(["a", "'b, c'", '"]"', "1.0", "no", "🤗"])
    kind = draw(st.integers(0, 3 if depth < 2 else 1))
    if kind <= 1:
        return draw(plain)
    items = draw(st.lists(flow_values(depth + 1), max_size=3))
    if kind == 2:
        return "[" + ", ".join(items) + "]"
    return "{" + ", ".join(f"k{number}: {item}" for number, item in enumerate(items)) + "}"


@st.composite
def blocks(draw: st.DrawFn, indent: int = 0, depth: int = 0) -> list[str]:
    """The lines of a block mapping."""
    lines: list[str] = []
    blank = " " * indent
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        if draw(st.integers(0, 4)) == 0:
            lines.append(draw(st.sampled_from([f"{blank}# a comment", "", "# at the margin"])))
        kind = draw(st.integers(0, 6 if depth < 2 else 3))
        comment = draw(COMMENTS)
        if kind <= 1:
            lines.append(f"{blank}{name}: {draw(SCALARS)}{comment}")
        elif kind == 2:
            lines.append(f"{blank}{name}: {draw(flow_values())}{comment}")
        elif kind == 3:
            style = draw(st.sampled_from(["|", ">", "|-", ">-"]))
            lines += [f"{blank}{name}: {style}{comment}", f"{blank}  text # no comment", "", f"{blank}  more: text"]
        elif kind == 4:
            lines.append(f"{blank}{name}:{comment}")
            lines += draw(blocks(indent + 2, depth + 1))
        elif kind == 5:
            lines.append(
                f"{blank}{name}: {draw(st.sampled_from(['', '&z '] if depth == 0 else ['']))}".rstrip() + comment
            )
            dent = draw(st.sampled_from(["", "  "]))
            lines += [f"{blank}{dent}- {draw(SCALARS)}{draw(COMMENTS)}" for _ in range(draw(st.integers(1, 3)))]
        else:
            inner = draw(blocks(indent + 4, depth + 1))
            first = next((line for line in inner if line.strip() and not line.lstrip().startswith("#")), None)
            lines.append(f"{blank}{name}:{comment}")
            if first is not None:
                at = inner.index(first)
                lines += [*inner[:at], f"{blank}  - {first.lstrip()}", *inner[at + 1 :]]
            else:
                lines.append(f"{blank}  - x")
    return lines


@st.composite
def cards(draw: st.DrawFn) -> str:
    block = draw(blocks())
    alias = ["zz: *z"] if any(": &z" in line for line in block) and draw(st.booleans()) else []
    lines = ["---", *block, *alias, "---", "", "# Title", "", "a: b", ""]
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return draw(st.sampled_from(["", "", "\ufeff", "\n"])) + newline.join(lines)


VALUES = st.one_of(
    st.sampled_from(["no", "1e3", "it's", "a: b", "# x", "", "12:30:45", "- x", "mit", "🤗", "true"]),
    st.lists(st.sampled_from(["a", "no", "b, c"]), max_size=3),
    st.booleans(),
    st.integers(-10, 10),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Co", "Cn")), max_size=8).map(str.strip),
)


def at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def unshared(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: unshared(value) for key, value in data.items()}
    return [unshared(item) for item in data] if isinstance(data, list) else data


def changed(data: dict[str, Any] | None, path: Path, change: Callable[[Any, Any], None]) -> dict[str, Any]:
    assert data is not None
    result = unshared(data)
    change(at(result, path[:-1]), path[-1])
    return result


def holds_only(text: str, edits: TextEdits, first: int, last: int) -> None:
    """Each edit lies between two offsets, so that all else is as it was."""
    for start, end, _ in edits:
        assert first <= start <= end <= last
    assert apply_edits(text, edits)[:first] == text[:first]
    assert apply_edits(text, edits).endswith(text[last:])


def line_start(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


@given(cards(), st.data(), VALUES)
@settings(derandomize=True, max_examples=150)
def test_a_value_is_set_and_nothing_else(text: str, data: st.DataObject, value: Any) -> None:
    before = read_front_matter(text)
    if not before.values or before.data is None:
        return
    path = data.draw(st.sampled_from(sorted(before.values, key=str)))
    edits = set_value(text, before, path, value)
    if edits is None:
        return
    key = before.keys.get(path)
    holds_only(
        text, edits, key[1] if key else before.values[path][0], max(before.values[path][1], key[1] + 1 if key else 0)
    )
    after = read_front_matter(apply_edits(text, edits))
    assert at(after.data, path) == at(after.hub_data, path) == value
    assert after.data == changed(before.data, path, lambda holder, part: holder.__setitem__(part, value))
    assert after.hub_data == changed(before.hub_data, path, lambda holder, part: holder.__setitem__(part, value))


@given(cards(), st.data())
@settings(derandomize=True, max_examples=150)
def test_a_key_is_removed_and_nothing_else(text: str, data: st.DataObject) -> None:
    before = read_front_matter(text)
    if not before.keys or before.data is None:
        return
    path = data.draw(st.sampled_from(sorted(before.keys, key=str)))
    edits = remove_key(text, before, path)
    if edits is None:
        return
    ((start, end, _),) = edits
    holds_only(text, edits, max(line_start(text, before.keys[path][0]) - 2, before.start), before.end)
    after = read_front_matter(apply_edits(text, edits))
    assert after.data == changed(before.data, path, lambda holder, part: holder.pop(part))
    assert after.hub_data == changed(before.hub_data, path, lambda holder, part: holder.pop(part))
    # a comment on a line of its own goes only where it stands inside what is removed
    removed = text[start:end].rstrip()
    assert not removed.split("\n")[-1].lstrip().startswith("#") or "text # no comment" in removed


@given(cards(), st.data(), st.sampled_from(["license", "new_name", "no", "a b"]))
@settings(derandomize=True, max_examples=100)
def test_a_key_is_renamed_and_nothing_else(text: str, data: st.DataObject, name: str) -> None:
    before = read_front_matter(text)
    if not before.keys or before.data is None:
        return
    path = data.draw(st.sampled_from(sorted(before.keys, key=str)))
    edits = rename_key(text, before, path, name)
    if edits is None:
        return
    holds_only(text, edits, *before.keys[path])
    after = read_front_matter(apply_edits(text, edits))
    value = at(before.data, path)
    assert at(after.data, (*path[:-1], name)) == value
    assert list(at(after.data, path[:-1])) == [name if key == path[-1] else key for key in at(before.data, path[:-1])]


@given(cards(), st.dictionaries(st.sampled_from(["new", "other_key"]), VALUES, min_size=1))
@settings(derandomize=True, max_examples=100)
def test_keys_are_added_behind_the_others(text: str, values: dict[str, Any]) -> None:
    before = read_front_matter(text)
    if before.problem is not None:
        return
    edits = add_keys(text, before, values)
    if edits is None:
        return
    holds_only(text, edits, before.end, before.end)
    after = read_front_matter(apply_edits(text, edits))
    assert after.data == {**(before.data or {}), **values}
    assert after.hub_data == {**(before.hub_data or {}), **values}


@pytest.mark.parametrize(
    ("text", "path", "value", "result"),
    [
        ("language: no # Norwegian", ("language",), "no", "language: 'no' # Norwegian"),
        ("tags:\n- a # one\n# about b\nb: c", ("tags",), ["x"], "tags: [x] # one\n# about b\nb: c"),
        ("tags: [a, no]", ("tags", 1), "no", "tags: [a, 'no']"),
        ("license:", ("license",), "mit", "license: mit"),
        ("license:   # which?", ("license",), "mit", "license: mit   # which?"),
        ("a: &x {b: c}\nd: *x", ("d",), "e", None),
        ("a: &x {b: c}\nd: *x", ("d", "b"), "e", None),
        ("<<: {a: 1}\nb: 2", ("<<", "a"), 3, None),
        ("a: {1: b}", ("a", "1"), "c", None),
        ("a:\n  1: b", ("a", "1"), "c", None),
        ("a: |\n  text\n# c\nb: 1", ("a",), "x", "a: x\n# c\nb: 1"),
    ],
)
def test_values_one_by_one(text: str, path: Path, value: Any, result: str | None) -> None:
    card = f"---\n{text}\n---\n"
    edits = set_value(card, read_front_matter(card), path, value)
    assert (edits and apply_edits(card, edits)) == (result and f"---\n{result}\n---\n")


@pytest.mark.parametrize(
    ("text", "path", "result"),
    [
        ("a: 1\nb:\n- c\n# about d\nd: 2", ("b",), "a: 1\n# about d\nd: 2"),
        ("a: 1\nb: 2", ("b",), "a: 1"),
        ("a:\n  b: 1\n  c: 2", ("a", "b"), "a:\n  c: 2"),
        ("a:\n  b: 1\nc: 2", ("a", "b"), None),
        ("a: {b: 1, c: 2}", ("a", "b"), None),
        ("- a", ("a",), None),
        ("x: &x 1\ny: *x", ("x",), None),
        ("x: &x 1\ny: *x", ("y",), "x: &x 1"),
        ("a: |\n  b\n\n# c\nd: 1", ("a",), "\n# c\nd: 1"),
    ],
)
def test_keys_one_by_one(text: str, path: Path, result: str | None) -> None:
    card = f"---\n{text}\n---\n"
    edits = remove_key(card, read_front_matter(card), path)
    assert (edits and apply_edits(card, edits)) == (result and f"---\n{result}\n---\n")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("license: mit\nlicense: apache-2.0", "license: apache-2.0"),
        ("a: 1\nb:\n- x\nc: 2\nb: 3", "a: 1\nc: 2\nb: 3"),
        ("a: {b: 1, b: 2}", None),
        ("a:\n  b: 1\n  b: 2", "a:\n  b: 2"),
        ("a: 1\na: 2\na: 3", "a: 2\na: 3"),
    ],
)
def test_of_two_entries_the_one_that_counts_stays(text: str, result: str | None) -> None:
    card = f"---\n{text}\n---\n"
    edits = remove_earlier_entry(card, read_front_matter(card))
    assert (edits and apply_edits(card, edits)) == (result and f"---\n{result}\n---\n")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("license:\tmit", "license: mit"),
        ("a:\t\tb\nc: 'd\te'", "a: b\nc: 'd\te'"),
        ("a:\n\tb: c", "a:\n  b: c"),
        ("a:\n- b:\tc\n- d:\te", "a:\n- b: c\n- d: e"),
        ("a: 'b\tc'", None),
    ],
)
def test_tabs_become_blanks_where_they_hurt(text: str, result: str | None) -> None:
    card = f"---\n{text}\n---\n"
    edits = without_tabs(card, read_front_matter(card))
    assert (edits and apply_edits(card, edits)) == (result and f"---\n{result}\n---\n")
