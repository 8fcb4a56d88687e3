"""The card's headings as an outline, and the edits that mend it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.linting import findings_of, fixed, subject

from hubpub.card.document import Card
from hubpub.card.outline import levels, parents
from hubpub.card.profiles import profile_named
from hubpub.core.findings import Finding, Severity
from hubpub.rules.registry import CardSubject, card_rules

LEAD = "Tells whether a film review is positive or negative.\n\n"
WORDS = "These are quite a few real words about the matter at hand, more than fifteen of them in all.\n\n"


def found(text: str, code: str, **more: object) -> list[Finding]:
    return findings_of(subject(text, **more), code)  # type: ignore[arg-type]


def mended(text: str, code: str, **more: object) -> str:
    """The card with all fixes of the rule, one after the other."""
    for _ in range(20):
        fixable = [finding for finding in found(text, code, **more) if finding.fix]
        if not fixable:
            break
        text = fixed(text, fixable[0])
    return text


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("# x\n\ntext", False),
        ("x\n=\n\ntext", False),
        ('<h1 align="center">x</h1>\n\ntext', False),
        ("<h1>\n\nx\n\n</h1>\n\ntext", False),
        ("---\nlicense: mit\n---\n", False),
        ("", False),
        ("## x\n\ntext", True),
        ("text", True),
        ("```\n# a comment\n```", True),
        ("<!-- # x -->\n\ntext", True),
    ],
)
def test_a_title_is_a_heading_of_level_1(text: str, missing: bool) -> None:
    assert bool(found(text, "SECT001")) is missing


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_title_is_the_name_of_the_repo(newline: str) -> None:
    text = f"---\nlicense: mit\n---\n\n{LEAD}## Usage\n\n{WORDS}".replace("\n", newline)
    wanted = text.replace(LEAD.replace("\n", newline), f"# film-reviews\n\n{LEAD}".replace("\n", newline))
    assert mended(text, "SECT001", repo_id="acme/film-reviews") == wanted
    assert mended(wanted, "SECT001", repo_id="acme/film-reviews") == wanted


@pytest.mark.parametrize(
    ("front", "body"),
    [
        ("", LEAD),
        ("---\nmodel-index:\n- name: results\n---\n", LEAD),
        ("---\nmodel-index:\n- name: /root/out\n---\n", LEAD),
        ("---\nmodel-index: 7\n---\n", LEAD),
        ("---\nmodel-index:\n- name: x\n---\n", "## Usage\n\n" + LEAD),
        ("---\nmodel-index:\n- name: x\n---\n", LEAD + "### Usage\n\n"),
    ],
)
def test_no_title_is_made_up_or_left_without_a_summary(front: str, body: str) -> None:
    (finding,) = found(front + body, "SECT001")
    assert finding.fix is None


def test_other_titles_are_moved_down_with_what_is_nested_in_them() -> None:
    text = f"# x\n\n{LEAD}# Usage\n\n## In Python #\n\n{WORDS}Results\n=======\n\n{WORDS}"
    (finding,) = found(text, "SECT002")
    assert (finding.line, finding.severity) == (5, Severity.INFO)
    assert finding.fix
    assert not finding.fix.safe
    assert mended(text, "SECT002") == f"# x\n\n{LEAD}## Usage\n\n### In Python #\n\n{WORDS}Results\n-------\n\n{WORDS}"


@pytest.mark.parametrize(
    "text",
    [
        "# Model description\n\n# Training data\n",  # all sections are on level 1
        "# x\n\n## Usage\n\n# y\n\n# Usage\n",  # they would have the same name
        "# x\n\n# y\n\n" + "#" * 6 + " z\n",
        "# x\n\n<h1>y</h1>\n",
        "# x\n\ny\n=\n\nz\n---\n",  # no level 3 in that style
    ],
)
def test_titles_are_left_where_moving_them_is_not_possible(text: str) -> None:
    (finding,) = found(text, "SECT002")
    assert finding.fix is None


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("## A\n\n## A\n", [3]),
        ("## A\n\n## a  \n\n## A\n", [3, 5]),
        ("# x\n\n## A\n\n# y\n\n## A\n", []),
        ("## A\n\n### A\n", []),
        ("## Usage\n\n### Python\n\n## Training\n\n### Python\n", []),
        ("## Example 1\n\n## Example 2\n", []),
        ("##\n\n##\n", []),
    ],
)
def test_siblings_of_the_same_name(text: str, lines: list[int]) -> None:
    assert [finding.line for finding in found(text, "SECT012")] == lines


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# A\n\n### B\n", "# A\n\n## B\n"),
        ("# A\n\n#### B\n\n#### C\n\n##### D\n", "# A\n\n## B\n\n## C\n\n### D\n"),
        ("# A\n\n### B\n\n### C\n\n## D\n", "# A\n\n## B\n\n## C\n\n## D\n"),
        ("# A\n\n## B\n\n#### C\n\n# D\n\n### E\n", "# A\n\n## B\n\n### C\n\n# D\n\n## E\n"),
        ("# A\r\n\r\n### B ###\r\n", "# A\r\n\r\n## B ###\r\n"),
        ("# A\n\n   ### B\n", "# A\n\n   ## B\n"),
        # lifted, B would hold C
        ("# A\n\n#### B\n\n### C\n", "# A\n\n#### B\n\n### C\n"),
        ("# A\n\n<h3>B</h3>\n", "# A\n\n<h3>B</h3>\n"),
        ("# A\n\n### B\n\n## B\n", "# A\n\n### B\n\n## B\n"),
        ("### A\n\n##### B\n", "### A\n\n#### B\n"),
    ],
)
def test_runs_that_are_too_deep_are_lifted(before: str, after: str) -> None:
    assert found(before, "SECT013")
    assert mended(before, "SECT013") == after


def test_a_run_is_reported_once() -> None:
    findings = found("# A\n\n### B\n\n### C\n\n### D\n\n## E\n\n#### F\n", "SECT013")
    assert [(finding.line, finding.message) for finding in findings] == [
        (3, "the heading 'B' goes from level 1 to 3"),
        (11, "the heading 'F' goes from level 2 to 4"),
    ]


@given(st.lists(st.integers(1, 6), max_size=12))
@settings(derandomize=True, max_examples=200)
def test_lifting_keeps_the_tree(depths: list[int]) -> None:
    text = "".join(f"{'#' * level} Heading {index}\n\n" for index, level in enumerate(depths))
    after = mended(text, "SECT013")
    assert parents(levels(Card.parse(after))) == parents(depths)
    assert mended(after, "SECT013") == after
    assert after.replace("#", "") == text.replace("#", "")


@pytest.mark.parametrize(
    ("line", "after", "safe"),
    [
        ("##Usage", "## Usage", True),
        ("###Training Data", "### Training Data", True),
        ("##使用方法", "## 使用方法", True),
        ("##**Results**", "## **Results**", True),
        ("##2. Results", "## 2. Results", True),
        ("##\u00a0Usage", "## Usage", True),
        ("#\u3000使い方", "# 使い方", False),
        ("#Usage", "# Usage", False),
        ("##Usage##", "## Usage##", True),
    ],
)
def test_a_heading_without_a_blank_gets_one(line: str, after: str, safe: bool) -> None:
    text = f"# x\n\n{LEAD}{line}\n\n{WORDS}"
    (finding,) = found(text, "SECT014")
    assert (finding.line, finding.column) == (5, 1)
    assert finding.fix
    assert finding.fix.safe is safe
    assert mended(text, "SECT014") == text.replace(line, after)


@pytest.mark.parametrize(
    "line",
    [
        "#nlp",
        "#NLP #BERT",
        "#1 on the leaderboard",
        "##ing",
        "##ed is a piece of a word",
        "##A",
        "#!/bin/sh",
        "#Usage of the model is described elsewhere\nand so on",
        "a ##Usage",
        "    ##Usage",
        "`##Usage`",
        "- ##Usage",
        "> ##Usage",
        "####",
        "#######Usage",
        "#Usage#Other",
        "```\n##Usage\n```",
        "<!-- ##Usage -->",
        "| ##Usage |\n|---|\n| ##Usage |",
    ],
)
def test_other_hashes_are_left_alone(line: str) -> None:
    assert not found(f"# x\n\n{LEAD}{line}\n", "SECT014")


def test_a_title_without_a_blank_is_named_by_the_rule_about_titles() -> None:
    text = "---\nlicense: mit\n---\n\n#GuaPeTe-2-tiny: a proof of concept\n"
    (finding,) = found(text, "SECT001 SECT014")
    assert finding.message == "the card has no heading of level 1: there is no blank behind the # of its first line"
    assert finding.fix
    assert not finding.fix.safe
    assert mended(text, "SECT001", repo_id="acme/GuaPeTe") == text.replace("#G", "# G")
    assert [finding.rule for finding in found("#Usage\n\nCall it.\n", "SECT001 SECT014")] == ["SECT001", "SECT014"]
    (finding, _) = found("#Usage\n\nCall it.\n", "SECT001 SECT014")
    assert finding.fix is None


def test_what_was_meant_as_a_heading_is_not_missing_as_well() -> None:
    codes = [finding.rule for finding in found(f"# x\n\n{LEAD}##Usage\n\n{WORDS}", "SECT003 SECT014")]
    assert codes.count("SECT014") == 1
    named = [finding.message for finding in found(f"# x\n\n{LEAD}##Usage\n\n{WORDS}", "SECT003")]
    assert not any("How to use" in message for message in named)


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("**Training data**", "### Training data"),
        ("__Training data__", "### Training data"),
        ("**Method-1**", "### Method-1"),
        ("**数据**", "### 数据"),
    ],
)
def test_a_bold_line_becomes_a_heading_below_the_one_above(line: str, heading: str) -> None:
    text = f"# x\n\n{LEAD}## Details\n\n{WORDS}{line}\n\n{WORDS}"
    (finding,) = found(text, "SECT018")
    assert finding.fix
    assert not finding.fix.safe
    assert mended(text, "SECT018") == text.replace(line, heading)


@pytest.mark.parametrize(
    "line",
    [
        "**Note**",
        "**Table 1: results**",
        "**BibTeX:**",
        "**This is a sentence.**",
        "**a** and **b**",
        "**[a link](https://example.org)**",
        "**Training data** and more",
        "- **Training data**",
        "> **Training data**",
        "| **Training data** |\n|---|\n| x |",
        "**one two three four five six seven eight nine**",
        "**92.5**",
        "```\n**Training data**\n```",
        "*Training data*",
        "**Training data**\nSST-2",
    ],
)
def test_other_bold_text_is_left_alone(line: str) -> None:
    assert not found(f"# x\n\n{LEAD}## Details\n\n{WORDS}{line}\n\n{WORDS}", "SECT018")


def test_a_bold_line_before_a_heading_has_no_text_of_its_own() -> None:
    assert not found("# x\n\n**Training data**\n\n## y\n", "SECT018")


def test_a_bold_section_is_a_warning_instead_of_a_missing_one() -> None:
    text = f"# x\n\n{LEAD}## Model description\n\n{WORDS}**Training data**\n\n{WORDS}"
    (finding,) = found(text, "SECT018")
    assert finding.severity is Severity.WARNING
    assert finding.message == "**Training data** is bold text, not a heading, so the card has no section Training data"
    assert not any("Training data" in other.message for other in found(text, "SECT003"))
    (finding,) = found(f"{text}## Dataset\n\n{WORDS}", "SECT018")
    assert finding.severity is Severity.INFO


def test_a_bold_line_in_the_summary_is_not_made_a_heading() -> None:
    (finding,) = found(f"# x\n\n**Some words**\n\n{WORDS}## y\n\n{WORDS}", "SECT018")
    assert finding.fix is None


LONG = {
    "headings": "".join(f"# h{index}\n" for index in range(20_000)),
    "nested headings": "# a\n## b\n### c\n#### d\n##### e\n###### f\n" * 6_000,
    "hashes": "##Usage\n" * 25_000,
    "hash lines": "#" * 200_000,
    "bold": "**a**\n\n" * 28_000,
    "stars": "*" * 200_000,
    "labels": "a:\n" * 60_000,
    "long label": "a" * 200_000 + ":",
    "rows": "| a | b |\n|---|---|\n" + "| a: | b |\n" * 20_000,
    "pictures": "![" * 100_000,
    "links": "](" * 100_000,
    "tags": "<summary" * 25_000,
    "cells": "<td " * 50_000,
    "comments": "<!-- " * 40_000,
    "one section": "## Usage\n\n" + "word " * 40_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
@pytest.mark.timeout(60)
def test_a_long_card_takes_bounded_time(text: str) -> None:
    card = Card.parse(text)
    started = time.perf_counter()
    for judged in (CardSubject(card), CardSubject(card, profile=profile_named("nvidia-plus-plus"))):
        for rule in card_rules:
            if rule.code.startswith("SECT"):
                for _ in zip(range(1000), rule.run(judged), strict=False):
                    pass
    assert time.perf_counter() - started < 10  # a tenth of it, on a machine that does nothing else
