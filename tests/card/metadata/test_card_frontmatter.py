from __future__ import annotations

import datetime

import pytest

from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.card.metadata.js_scalars import js_scalar


def test_a_block_is_found_with_its_offsets() -> None:
    text = "---\nlicense: mit\ntags:\n- a\n- b\n---\n# Title\n"
    found = read_front_matter(text)
    assert found.data == {"license": "mit", "tags": ["a", "b"]}
    assert text[found.start : found.end] == found.raw == "license: mit\ntags:\n- a\n- b"
    assert text[found.body_start :] == "# Title\n"
    assert found.first_line == 2


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_keys_and_values_have_their_places_in_the_card(newline: str) -> None:
    text = newline.join(["", "---", "title: 🤗 é", "license: 'MIT'", "tags: [x, ünï]", "---", ""])
    found = read_front_matter(text)
    assert found.problem is None
    spans = {path: text[start:end] for path, (start, end) in found.values.items()}
    assert spans[("license",)] == "'MIT'"
    assert spans[("tags", 1)] == "ünï"
    assert text[slice(*found.keys[("license",)])] == "license"


@pytest.mark.parametrize(
    ("block", "python", "hub"),
    [
        ("x: no", False, "no"),
        ("x: 1e3", "1e3", 1000.0),
        ("x: 0o12", "0o12", 10),
        ("x: 012", 10, 12),
        ("x: 12:30:45", 45045, "12:30:45"),
        ("x: 2024-01-02", datetime.date(2024, 1, 2), datetime.date(2024, 1, 2)),
        ("x: 'no'", "no", "no"),
        ("x: !!str no", "no", "no"),
        ("x: ~", None, None),
        ("<<: {x: 1}", 1, 1),
    ],
)
def test_both_dialects_are_read(block: str, python: object, hub: object) -> None:
    found = read_front_matter(f"---\n{block}\n---\n")
    assert found.data == {"x": python}
    assert found.hub_data == {"x": hub}


@pytest.mark.parametrize(
    ("text", "kind", "line", "column"),
    [
        ("---\na: b: c\n---\n", "syntax", 2, 5),
        ("---\na: 1\nb: 2\na: 3\n---\n", "duplicate-key", 4, 1),
        ("---\nx: !!python/tuple [a]\n---\n", "tag", 2, 4),
        ("---\na:\tb\n---\n", "tab", 2, 3),
        ("---\n- a\n---\n", "not-a-mapping", 2, 1),
        ("---\njust words\n---\n", "not-a-mapping", 2, 1),
        ("---\n# only a comment\n\n---\n", "empty", 2, 1),
        ("---\n---\n# x", "empty", 1, 1),
        ("---\nlicense: mit\n---oops\n# x", "not-recognised", 1, 1),
        ("---\nlicense: mit\n\n# x", "not-recognised", 1, 1),
        ("----\nlicense: mit\n----\n", "not-recognised", 1, 1),
        ("--- \nlicense: mit\n---\n", "not-recognised", 1, 1),
        ("![badge](x.svg)\n\n---\r\nlicense: mit\r\n---\r\n", "not-recognised", 3, 1),
        ("---\nx: &a\n  y: *a\n---\n", "bounds", 2, 4),
    ],
)
def test_what_cannot_be_read_says_why_and_where(text: str, kind: str, line: int, column: int) -> None:
    found = read_front_matter(text)
    assert found.data is None
    assert found.problem is not None
    assert (found.problem.kind, found.problem.line, found.problem.column) == (kind, line, column)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# Title\n\ntext\n",
        "---\n\n# A rule on top\n\nNote: nothing else.",
        "Title\n---\n\nlicense: see below\n",
        "# Docs\n\n```yaml\n---\nlicense: mit\n---\n```\n",
        "---\n\nNote: this begins with a rule\n",
    ],
)
def test_a_card_without_a_block_has_no_problem(text: str) -> None:
    found = read_front_matter(text)
    assert not found.found
    assert found.problem is None


def test_the_hub_takes_a_tab_that_the_python_client_does_not() -> None:
    found = read_front_matter("---\na:\tb\n---\n")
    assert found.hub_data == {"a": "b"}
    assert found.problem is not None
    assert not found.problem.fatal


@pytest.mark.parametrize(
    "block",
    [
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(12)),
        "a: &a {x: 1}\n"
        + "".join(f"{chr(98 + i)}: &{chr(98 + i)} {{<<: [{','.join(['*' + chr(97 + i)] * 9)}]}}\n" for i in range(12)),
        "[" * 500_000,
        "{a: " * 100_000,
        "x: " + "y" * (1 << 20),
    ],
    ids=["alias bomb", "merge bomb", "deep list", "deep mapping", "large"],
)
@pytest.mark.timeout(5)
def test_hostile_yaml_is_bounded(block: str) -> None:
    found = read_front_matter(f"---\n{block}\n---\n")
    assert found.problem is not None
    assert found.problem.kind == "bounds"


def test_a_number_too_long_to_convert_is_a_problem_and_not_a_crash() -> None:
    assert read_front_matter(f"---\nx: {'1' * 10_000}\n---\n").problem is not None


def test_the_scalars_of_js_yaml() -> None:
    assert [js_scalar(text) for text in ("", "null", "True", "FALSE", "0x1F", "1_000", "5.5", "on", "1.2.3")] == [
        None,
        None,
        True,
        False,
        31,
        1000,
        5.5,
        "on",
        "1.2.3",
    ]
