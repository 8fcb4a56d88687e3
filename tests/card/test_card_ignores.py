"""Comments that silence rules: which ones count, and which lines they reach."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.card.document import Card
from hubpub.card.ignores import find_ignores, is_silenced
from hubpub.core.findings import Finding, Severity

FRONT = "---\nlicense: mit\n---\n"  # three lines


def reached(text: str) -> list[tuple[tuple[str, ...], int, int]]:
    return [
        (ignore.words, ignore.first, ignore.last) for ignore in find_ignores(Card.parse(text)) if not ignore.problem
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("# A <!-- hubpub: ignore[TEXT001] why -->\n", [(("TEXT001",), 4, 4)]),
        ("Text\nmore <!--hubpub:ignore[ TEXT001 ,SECT]--> text\n", [(("TEXT001", "SECT"), 5, 5)]),
        ("<!-- hubpub: ignore-next-line[ALL] -->\n# A\n", [(("ALL",), 5, 5)]),
        ("<!-- hubpub: ignore-next-line[ALL] -->\n\n# A\n", [(("ALL",), 6, 6)]),
        (
            "<!-- hubpub: ignore-next-line[A] -->\n<!-- hubpub: ignore-next-line[B] -->\n# A\n",
            [(("A",), 6, 6), (("B",), 6, 6)],
        ),
        ("text\n\n<!-- hubpub: IGNORE-FILE[placeholder-left] -->", [(("placeholder-left",), 0, 0)]),
        ("<!-- hubpub: ignore[A]\n   because of\n   this -->\n", [(("A",), 4, 6)]),
        ("| a | b |\n|---|---|\n| c | TODO <!-- hubpub: ignore[TEXT001] --> |\n", [(("TEXT001",), 6, 6)]),
        ("- item <!-- hubpub: ignore[A] -->\n", [(("A",), 4, 4)]),
        ("> quote <!-- hubpub: ignore[A] -->\n", [(("A",), 4, 4)]),
        ("1. a\n\n   deep <!-- hubpub: ignore[A] -->\n", [(("A",), 6, 6)]),
        ("<div>\n<!-- hubpub: ignore[A] -->\n</div>\n", [(("A",), 5, 5)]),
        ("a `` ` `` b <!-- hubpub: ignore[A] -->\n", [(("A",), 4, 4)]),
        ("a \\` b <!-- hubpub: ignore[A] --> `c`\n", [(("A",), 4, 4)]),
        # shown as code, or no comment at all
        ("```\n<!-- hubpub: ignore[A] -->\n```\n", []),
        ("    <!-- hubpub: ignore[A] -->\n", []),
        ("1. a\n\n   ```md\n   <!-- hubpub: ignore[A] -->\n   ```\n", []),
        ("write `<!-- hubpub: ignore[A] -->` there\n", []),
        ("write ``a ` <!-- hubpub: ignore[A] --> `` there\n", []),
        ("hubpub: ignore[A]\n", []),
        ("<!-- hubpub: ignore[A]\n", []),
        ("<!-- hubpub:todo intended-uses -->\n*To be written: x.*\n", []),
        ("<!-- hubpub: see the docs -->\n", []),
    ],
)
def test_which_lines_of_markdown_are_reached(body: str, expected: list[object]) -> None:
    assert reached(FRONT + body) == expected


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("license: x # hubpub: ignore[META012] ours", [(("META012",), 2, 2)]),
        ("# hubpub: ignore[META012]\nlicense: x", [(("META012",), 3, 3)]),
        ("# hubpub: ignore[A]\n# another\n\nlicense: x", [(("A",), 5, 5)]),
        ("license: x\n# hubpub: ignore-file[META]", [(("META",), 0, 0)]),
        ("tags:\n- a # hubpub: ignore[A]\n- b", [(("A",), 3, 3)]),
        ("# hubpub: ignore-next-line[A]\nlicense: x", [(("A",), 3, 3)]),
        ("license: [ # hubpub: ignore[META002]", [(("META002",), 2, 2)]),
        # text, not comments
        ("a: 'x # hubpub: ignore[A]'", []),
        ('a: "x\n  # hubpub: ignore[A]"', []),
        ("a: |\n  # hubpub: ignore[A]\nb: c", []),
        ("'k # hubpub: ignore[A]': c", []),
        ("a: x# hubpub: ignore[A]", []),
    ],
)
def test_which_lines_of_metadata_are_reached(block: str, expected: list[object]) -> None:
    assert reached(f"---\n{block}\n---\n# A\n") == expected


def test_line_ends_of_windows_change_nothing() -> None:
    text = FRONT + "a\n\n<!-- hubpub: ignore-next-line[A] -->\nb <!-- hubpub: ignore[B] -->\n"
    assert reached(text.replace("\n", "\r\n")) == reached(text) == [(("A",), 7, 7), (("B",), 7, 7)]


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("ignore", "ignore names no rule"),
        ("ignore[]", "ignore names no rule"),
        ("ignore TEXT001", "ignore names no rule"),
        ("ignore-nextline[TEXT001]", "there is no instruction ignore-nextline"),
        ("ignored[TEXT001]", "there is no instruction ignored"),
    ],
)
def test_what_cannot_be_understood_is_told(comment: str, problem: str) -> None:
    (ignore,) = find_ignores(Card.parse(f"# A\n\n<!-- hubpub: {comment} -->\n"))
    assert ignore.problem
    assert ignore.problem.startswith(problem)
    assert ignore.words == ()


def test_a_finding_without_a_line_is_silenced_for_the_file_only() -> None:
    finding = Finding("SECT003", "required-section-missing", Severity.WARNING, "m", "README.md")
    assert not is_silenced(Card.parse("# A <!-- hubpub: ignore[SECT003] -->\n"), finding)
    assert is_silenced(Card.parse("# A <!-- hubpub: ignore-file[required-section-missing] -->\n"), finding)
    assert not is_silenced(Card.parse("# A <!-- hubpub: ignore-file[SECT004, section] -->\n"), finding)


@given(
    st.lists(st.sampled_from(["<!--", "-->", "hubpub:", " ignore[A]", "`", "``", "\\", "\n", "x", "---\n", "# ", "> "]))
)
def test_no_text_is_too_much(parts: list[str]) -> None:
    text = "".join(parts)
    for ignore in find_ignores(Card.parse(text)):
        assert "hubpub:" in text[ignore.start : ignore.end]


@pytest.mark.parametrize(
    "text", ["<!-- hubpub: ignore[A] --> ` ", "<!-- hubpub: ", "`<!-- hubpub: ignore[A] -->", "hubpub:<!--", "`<!--``"]
)
def test_time_grows_with_the_length(text: str) -> None:
    card = Card.parse(text * (300_000 // len(text)))
    started = time.perf_counter()
    find_ignores(card)
    assert time.perf_counter() - started < 5
