from __future__ import annotations

import datetime
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.card.metadata.comments import comments
from hubpub.card.metadata.dialects import UNREADABLE, differences
from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.card.metadata.js_scalars import js_scalar


@pytest.mark.parametrize(
    ("written", "python", "hub", "cause"),
    [
        ("no", False, "no", "boolean"),
        ("on", True, "on", "boolean"),
        ("YES", True, "YES", "boolean"),
        ("1e3", "1e3", 1000.0, "number"),
        ("0o12", "0o12", 10, "number"),
        ("012", 10, 12, "number"),
        ("12:30:45", 45045, "12:30:45", "time"),
        ("2024-01-02", datetime.date(2024, 1, 2), "2024-01-02T00:00:00.000Z", "date"),
        (
            "5503434551203435120343551203455120345512",
            5503434551203435120343551203455120345512,
            5.503434551203435e39,
            "number",
        ),
        ("!!float 1e3", None, None, ""),
        ("1.0", None, None, ""),
        ("true", None, None, ""),
        (".nan", None, None, ""),
        ("'no'", None, None, ""),
        ("|\n  no", None, None, ""),
        ("y", None, None, ""),
        ("1_000", None, None, ""),
    ],
)
def test_each_value_that_is_read_differently_is_named(written: str, python: object, hub: object, cause: str) -> None:
    text = f"---\na:\n- b: {written}\n---\n"
    found = differences(read_front_matter(text))
    if not cause:
        assert found == ()
        return
    (difference,) = found
    assert difference.path == ("a", 0, "b")
    assert text[slice(*difference.span)] == written
    assert (difference.python, difference.hub, difference.cause) == (python, hub, cause)


@pytest.mark.parametrize(
    ("block", "python", "hub", "cause"),
    [
        ("a:\tb", UNREADABLE, "a value", "tab"),
        ("a: 1\na: 2", "the last of them", UNREADABLE, "duplicate-key"),
        ("a: 2024-13-45", UNREADABLE, "a value", "other"),
    ],
)
def test_what_one_of_them_cannot_read_is_a_difference(block: str, python: str, hub: str, cause: str) -> None:
    (difference,) = differences(read_front_matter(f"---\n{block}\n---\n"))
    assert (difference.path, difference.python, difference.hub, difference.cause) == ((), python, hub, cause)


@pytest.mark.parametrize(
    ("block", "hub"),
    [
        ("x: !!str 1e3", {"x": "1e3"}),
        ("x: !!int '7'", {"x": 7}),
        ("x: !!float 1", {"x": 1.0}),
        ("x: !!bool 'true'", {"x": True}),
        ("x: &a !!str no", {"x": "no"}),
        ("x: !!binary aGk=", {"x": b"hi"}),
        ("1.0: a\ntrue: b\n~: c", {"1": "a", "true": "b", "null": "c"}),
        ("? [a, b]\n: c", None),
        ("x: 1_", {"x": "1_"}),
        ("x: 0x1F", {"x": 31}),
    ],
)
def test_js_yaml_is_followed_in_its_corners(block: str, hub: dict[str, object] | None) -> None:
    found = read_front_matter(f"---\n{block}\n---\n")
    assert found.hub_data == (hub if hub is not None else {"a,b": "c"})


@pytest.mark.parametrize(
    "block", ["x: !!int ''", "x: !!bool x", "x: !!timestamp x", "x: !!int x", "x: !!seq a", "x: !!str [a]"]
)
def test_a_tag_that_does_not_fit_is_a_problem_and_no_crash(block: str) -> None:
    found = read_front_matter(f"---\n{block}\n---\n")
    assert found.problem is not None
    assert found.problem.kind == "tag"


def test_what_aliases_nest_too_deep_is_bounded() -> None:
    block = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 500))
    found = read_front_matter(f"---\n{block}---\n")
    assert found.problem is not None
    assert found.problem.kind == "bounds"


@given(st.text(st.sampled_from("0123456789+-._eExXoObBaAfFinNyYsStTrRuUlLoOfF:~ "), max_size=12))
def test_a_scalar_is_read_by_one_rule(text: str) -> None:
    value = js_scalar(text)
    assert value is None or isinstance(value, (bool, int, float, str, datetime.date))
    assert not isinstance(value, float) or math.isnan(value) or isinstance(value + 1, float)


def test_comments_are_found_outside_of_text() -> None:
    text = "---\n# For reference on model card metadata, see the spec\na: b # one\n"
    text += "c: 'd # no'\n# two\ne: |\n  # no\nf: g#no\n---\n"
    spans = comments(read_front_matter(text))
    assert [text[slice(*span)] for span in spans] == ["# one", "# two"]
