"""The markers of managed regions are comments: the linter sees the card as a reader does."""

from __future__ import annotations

import re

import pytest
from support.managed_cards import REGIONS, managed_card

from hubpub.card.document import Card
from hubpub.card.regions import stamp
from hubpub.card.sections import required_sections
from hubpub.rules.run import lint_card

_MARKER = re.compile(r"<!-- hubpub:(?:begin|end)[^\n]*-->\n")

DATA = "The model was trained on a data set of a thousand rows, of which each one holds a sentence and its label."


def findings(text: str) -> list[tuple[str, str, str]]:
    """Rule, message and line of each finding."""
    lines = text.splitlines()
    found = lint_card(text.encode(), path="README.md", target="card").findings
    return sorted((item.rule, item.message, lines[item.line - 1] if item.line else "") for item in found)


@pytest.mark.parametrize(
    "words",
    [
        DATA,
        "TODO: describe the data. [More Information Needed]",
        "See [the data](missing.csv), and ![](x.png)",
        "- one\n- two\n\n| a |\n|---|\n| b |",
        "```python\nfrom transformers import pipeline\npipe = pipeline('summarization'\n```",
        "",
    ],
    ids=["prose", "placeholders", "links", "list and table", "broken code", "nothing"],
)
def test_a_region_is_judged_as_the_same_text_without_markers(words: str) -> None:
    marked = managed_card({**REGIONS, "Training data": {"data": words}}, gaps=("Limitations and bias",))
    bare = _MARKER.sub("", marked)
    assert findings(marked) == findings(bare)
    states = [
        [(state.filled, state.placeholder, state.gap is None) for state in required_sections(Card.parse(text)).values()]
        for text in (marked, bare)
    ]
    assert states[0] == states[1]


def test_markers_fill_no_section() -> None:
    text = stamp("## Training data\n\n<!-- hubpub:begin data -->\n<!-- hubpub:end data -->\n")
    state = next(
        state for required, state in required_sections(Card.parse(text)).items() if required.id == "training-data"
    )
    assert state.present
    assert not state.filled
