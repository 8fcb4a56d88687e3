"""Fixes of a text: applied together, judged again, and dropped where they do harm."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from hubpub.card.document import Card
from hubpub.card.metadata.frontmatter import stays_readable
from hubpub.core.findings import Edit, Finding, Fix, Severity
from hubpub.fix.text import fix_text
from hubpub.rules.run import lint_card


def replacing(*changes: tuple[str, str], safe: bool = True, path: str = "a") -> Callable[[str], list[Finding]]:
    """A linter that wants each first part replaced by the second one; rule R0 is about the first pair, and so on."""

    def judge(text: str) -> list[Finding]:
        return [
            Finding(
                f"R{number}", "n", Severity.ERROR, f"{old} at {at.start()}", "a",
                fix=Fix("d", safe, (Edit(path, at.start(), at.end(), new),)) if new != old else None,
            )
            for number, (old, new) in enumerate(changes)
            for at in re.finditer(re.escape(old), text)
        ]  # fmt: skip

    return judge


def after(text: str, judge: Callable[[str], Sequence[Finding]], *, unsafe: bool = False) -> str:
    once = fix_text(text, "a", judge, keeps=lambda *_: True, unsafe=unsafe).text
    assert fix_text(once, "a", judge, keeps=lambda *_: True, unsafe=unsafe).text == once, "twice is once"
    return once


def test_all_that_can_be_mended_is() -> None:
    assert after("x y x", replacing(("x", "1"), ("y", "2"))) == "1 2 1"


def test_what_brings_a_new_finding_is_dropped_and_the_rest_is_not() -> None:
    judge = replacing(("x", "bad"), ("y", "2"), ("bad", "bad"))
    assert after("x y x y", judge) == "x 2 x 2"


def test_a_fix_may_call_for_another() -> None:
    assert after("x y", replacing(("x", "bad"), ("bad", "1"), ("y", "2"))) == "1 2"


def test_two_fixes_that_undo_each_other_end() -> None:
    assert after("x", replacing(("x", "y"), ("y", "x"))) in ("x", "y")


def test_a_fix_that_mends_nothing_is_dropped() -> None:
    def judge(text: str) -> list[Finding]:
        return [Finding("R", "n", Severity.ERROR, "m", "a", fix=Fix("d", True, (Edit("a", 0, 0, "x"),)))]

    assert after("text", judge) == "text"


def test_unsafe_fixes_and_other_files_are_left_alone() -> None:
    assert after("x", replacing(("x", "1"), safe=False)) == "x"
    assert after("x", replacing(("x", "1"), safe=False), unsafe=True) == "1"
    assert after("x", replacing(("x", "1"), path="../b")) == "x"


def test_what_makes_the_text_unreadable_is_dropped() -> None:
    judge = replacing(("x", "1"), ("y", "2"))
    assert fix_text("x y", "a", judge, keeps=lambda _, new: "2" not in new).text == "1 y"


def lint(text: str) -> Sequence[Finding]:
    return lint_card(text.encode(), path="README.md", target="card").findings


def test_a_key_and_its_value_are_mended_in_order() -> None:
    text = "---\r\n# ours\r\nlicense: 'MIT'   # as agreed\r\n---\r\n\r\n# A\r\n"
    done = fix_text(text, "README.md", lint, keeps=stays_readable)
    assert done.text == text.replace("MIT", "mit")
    assert [finding.rule for finding in done.findings] == ["META012"]


_LICENCES = st.sampled_from(["MIT", "Apache 2.0", "apache-2.0", "'GPL-3.0'", "[MIT, gpl]", "nonsense", "llama3.1"])
_LINES = st.sampled_from(
    [
        "# Model", "## Usage", "text with words", "TODO", "", "{{ x }}", "    code", "```", "- item",
        "<!-- hubpub: ignore[TEXT001] -->", "TODO <!-- hubpub: ignore[TEXT001, META] -->", "> quote", "a | b",
        "<!-- hubpub: ignore-file[TEXT003] why -->", "<div>", "</div>", "[link](x)", "1. one",
    ]
)  # fmt: skip


def rendered(card: Card) -> str:
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark").enable("table").render(card.text[card.front_matter.body_start :])
    return " ".join(re.sub(r"<!--[\s\S]*?-->", " ", html).replace("<", " <").split())


@settings(max_examples=60, derandomize=True)
@given(
    licence=_LICENCES,
    comment=st.sampled_from(["", "  # hubpub: ignore[META012]", " # keep"]),
    lines=st.lists(_LINES, max_size=8),
    newline=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_safe_fixes_keep_what_a_card_means(
    licence: str, comment: str, lines: list[str], newline: str, mark: str
) -> None:
    """Only what the fixed rules are about may differ: the spelling of the licence here."""
    text = mark + newline.join(["---", f"license: {licence}{comment}", "language: en", "---", "", *lines, ""])
    done = fix_text(text, "README.md", lint, keeps=stays_readable)
    before, now = Card.parse(text), Card.parse(done.text)
    assert rendered(before) == rendered(now)
    changed = {
        key
        for key, value in (now.front_matter.data or {}).items()
        if (before.front_matter.data or {}).get(key) != value
    }
    assert changed <= ({"license"} if any(found.rule == "META012" for found in done.findings) else set())
    assert {found.rule for found in lint(done.text)} <= {found.rule for found in lint(text)}
    assert fix_text(done.text, "README.md", lint, keeps=stays_readable).findings == ()
    if not any(found.rule == "META047" for found in done.findings):
        assert done.text.startswith(mark)
    assert (newline == "\r\n") == ("\r\n" in done.text)
