"""TEXT090 and TEXT091: comments that silence nothing, and how they are taken out."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.linting import findings_of, fixed, subject

from hubpub.rules.run import lint_card

FRONT = "---\nlicense: mit\n---\n\n"


def codes(text: str, **options: bool) -> list[str]:
    report = lint_card(text.encode(), path="README.md", target="card", **options)  # type: ignore[arg-type]
    return [finding.rule for finding in report.findings if finding.rule not in ("SECT003", "SECT010", "TEXT011")]


def test_a_comment_silences_what_it_names_and_no_more() -> None:
    text = FRONT + "# {{ name }} <!-- hubpub: ignore[TEXT003] a script fills it -->\n\n{{ other }}\n"
    assert codes(text) == ["TEXT003"]
    assert codes(text, inline_ignores=False) == ["TEXT003", "TEXT003"]
    assert codes(text.replace("ignore[", "ignore-file[")) == []
    assert codes(text.replace("TEXT003", "unrendered-template")) == ["TEXT003"]
    assert codes("---\nlicense: MIT # hubpub: ignore[META012]\n---\n\n# A\n") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FRONT + "# A <!-- hubpub: ignore[TEXT003] -->\n", "nothing to ignore here: TEXT003"),
        (FRONT + "# {{ a }} <!-- hubpub: ignore[TEXT003, TEXT001] -->\n", "nothing to ignore here: TEXT001"),
        (FRONT + "<!-- hubpub: ignore[TEXT003] -->\n# {{ a }}\n", "nothing to ignore here: TEXT003"),
        ("---\nlicense: mit # hubpub: ignore[META012]\n---\n", "nothing to ignore here: META012"),
    ],
)
def test_what_silences_nothing_is_told(text: str, message: str) -> None:
    assert [found.message for found in findings_of(subject(text), "TEXT090")] == [message]


@pytest.mark.parametrize(
    "text",
    [
        FRONT + "# {{ a }} <!-- hubpub: ignore[TEXT] -->\n",
        FRONT + "# {{ a }} <!-- hubpub: ignore[ALL] -->\n",
        FRONT + "# A\n\n<!-- hubpub: ignore-file[SECT003] we have our own sections -->\n",
        FRONT + "# A <!-- hubpub: ignore[TEXT090] -->\n",
    ],
)
def test_what_silences_something_is_not(text: str) -> None:
    assert findings_of(subject(text), "TEXT090") == []


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("# A <!-- hubpub: ignore[TEXT003] -->\n", "# A\n"),
        ("a\n\n<!-- hubpub: ignore[TEXT003] -->\n\nb\n", "a\n\n\nb\n"),
        # without its line the paragraphs would be one
        ("a\n<!-- hubpub: ignore[TEXT003] -->\nb\n", "a\n\nb\n"),
        ("a <!-- hubpub: ignore[TEXT003] --> b\n", "a b\n"),
        (
            "{{ a }} <!-- hubpub: ignore[TEXT003, META012, TEXT001] w -->\n",
            "{{ a }} <!-- hubpub: ignore[TEXT003] w -->\n",
        ),
        ("a\r\n\r\n<!-- hubpub: ignore[TEXT003] -->\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"),
    ],
)
def test_it_is_taken_out_and_the_card_reads_the_same(text: str, after: str) -> None:
    (found,) = findings_of(subject(FRONT + text), "TEXT090")
    assert found.fix
    assert found.fix.safe
    assert fixed(FRONT + text, found) == FRONT + after


def test_it_is_taken_out_of_metadata() -> None:
    text = "---\n# hubpub: ignore[META012]\nlicense: mit  # hubpub: ignore[META011] because\n---\n\n# A\n"
    for _ in range(2):
        text = fixed(text, findings_of(subject(text), "TEXT090")[0])
    assert text == "---\nlicense: mit\n---\n\n# A\n"


@pytest.mark.parametrize(
    ("comment", "message", "hint"),
    [
        ("ignore[TEXT010X]", "there is no rule 'TEXT010X' about cards", "TEXT0"),
        ("ignore[placeholder-tod]", "there is no rule 'placeholder-tod' about cards", "placeholder-todo"),
        ("ignore[WEIGHT001]", "there is no rule 'WEIGHT001' about cards", None),
        ("ignore", "ignore names no rule", "ignore[CODE]"),
        ("ignores[TEXT001]", "there is no instruction ignores", "ignore[CODE]"),
    ],
)
def test_what_cannot_be_understood_is_told(comment: str, message: str, hint: str | None) -> None:
    (found,) = findings_of(subject(f"{FRONT}# A\n\n<!-- hubpub: {comment} -->\n"), "TEXT091")
    assert found.message.startswith(message)
    assert hint is None or hint in (found.hint or "")


def test_rules_that_need_a_folder_are_given_the_benefit_of_the_doubt(tmp_path: Path) -> None:
    from hubpub.core.rule import Needs
    from hubpub.rules.registry import card_rules

    needing = next((rule.code for rule in card_rules if rule.needs is Needs.FOLDER), None)
    if needing is None:
        pytest.skip("no rule needs a folder yet")
    text = f"{FRONT}# A <!-- hubpub: ignore[{needing}] -->\n"
    assert findings_of(subject(text), "TEXT090") == []


@pytest.mark.parametrize(
    "text",
    [
        "x <!-- hubpub: ignore[ALL] -->\n",
        "x <!-- hubpub: ignore[SECT003, TEXT001, nonsense] -->\n\n",
        "<!-- hubpub: ignore-next-line[TEXT001] -->\n",
        "<!-- hubpub: ignore\n",
    ],
)
def test_many_comments_take_no_long_time(text: str) -> None:
    content = (FRONT + text * (200_000 // len(text))).encode()
    started = time.process_time()
    lint_card(content, path="README.md", target="card")
    with_comments = time.process_time() - started
    started = time.process_time()
    lint_card(content.replace(b"hubpub:", b"xxxxxx:"), path="README.md", target="card")
    assert with_comments < 3 * (time.process_time() - started) + 2
