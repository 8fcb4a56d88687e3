from __future__ import annotations

import pytest

from hubpub.card.document import Card

TEXT = """---
license: mit
---

# The *model* `x_y`

Intro.

## Usage

```markdown
# not a heading
```

<!--
## not one either
-->

Setext
------

| a | b |
|---|---|
| 1 | 2 |

<h2 align="center">In <b>HTML</b></h2>

### [Linked](https://example.org) 🤗

    # indented code
"""


def test_headings_are_those_that_a_reader_sees() -> None:
    card = Card.parse(TEXT)
    assert [(section.level, section.heading) for section in card.sections] == [
        (1, "The model x_y"),
        (2, "Usage"),
        (2, "Setext"),
        (2, "In HTML"),
        (3, "Linked 🤗"),
    ]
    assert card.title == "The model x_y"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_and_offsets_are_those_of_the_text(newline: str) -> None:
    text = TEXT.replace("\n", newline)
    card = Card.parse(text)
    lines = text.split(newline)
    for section in card.sections:
        assert text[section.start : section.end] == section.body
        word = section.heading.split()[0]
        assert word in lines[section.line - 1]
        assert word in text[section.heading_start : section.start]
    assert "".join(section.body for section in card.sections[-1:]) in text


def test_blocks_have_their_kind() -> None:
    usage = Card.parse(TEXT).sections[1]
    assert [block.kind for block in usage.blocks] == ["code", "html"]
    assert usage.blocks[0].language == "markdown"
    assert [block.kind for block in Card.parse(TEXT).sections[2].blocks] == ["table"]


def test_children_are_nested_at_any_depth() -> None:
    card = Card.parse("# a\n## b\n### c\n## d\n# e\n## f\n")
    assert [child.heading for child in card.children(card.sections[0])] == ["b", "c", "d"]
    assert [child.heading for child in card.children(card.sections[3])] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "\ufeff",
        "---",
        "---\n---",
        "".join(map(chr, range(256))) * 10,
        "\udcff lone surrogate",
        "[" * 10_000,
        ">" * 10_000,
        "- " * 10_000,
        "<!--" * 10_000,
        "<h1>" * 10_000,
        "`" * 10_000,
        "\n".join(" " * i + "- a" for i in range(500)),
        "|a" * 200 + "\n" + "|-" * 200 + "\n" + "|b\n" * 200,
    ],
)
@pytest.mark.timeout(10)
def test_no_text_makes_it_raise(text: str) -> None:
    card = Card.parse(text)
    assert card.text == text


@pytest.mark.timeout(60)
def test_ten_megabytes_are_read_in_bounded_time() -> None:
    text = "# Title\n\n" + "Some words of a long, long card.\n\n" * 300_000
    card = Card.parse(text)
    assert card.title == "Title"
    assert card.sections[0].end == len(text)
