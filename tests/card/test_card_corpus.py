"""Real cards, when they are at hand: nothing crashes, nothing is lost, and it does not take long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.managed_cards import managed_card

from hubpub.card.document import Card
from hubpub.card.merge.update import merge_card
from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.card.sections import required_sections
from hubpub.core.findings import Severity
from hubpub.rules.run import lint_card

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "cards"
PATHS = sorted(CORPUS.glob("*.md"))

pytestmark = pytest.mark.skipif(not PATHS, reason="the corpus of real cards is not beside the checkout")


@pytest.fixture(scope="module")
def cards() -> list[str]:
    return [path.read_bytes().decode("utf-8") for path in PATHS]


def test_every_place_is_where_it_says(cards: list[str]) -> None:
    for text in cards:
        card = Card.parse(text)
        for section in card.sections:
            assert text[section.start : section.end] == section.body
            assert card.lines.place(section.heading_start)[0] == section.line
        for path, (start, end) in card.front_matter.keys.items():
            assert text[start:end].strip("'\"") == path[-1]


def test_adopting_keeps_every_byte_and_is_done_once(cards: list[str]) -> None:
    rendered = managed_card()
    for text in cards:
        adopted = merge_card(text, rendered)
        result = adopted.text
        again = merge_card(result, rendered, adopted.given)
        assert (again.text, again.given) == (result, adopted.given)
        before, after = read_front_matter(text), read_front_matter(result)
        body = result[after.body_start :]
        if not before.found and after.found:
            body = body.removeprefix("\n").removeprefix("\r\n") if not text.startswith(("\n", "\r")) else body
        assert body.startswith(text[before.body_start :].removeprefix("\ufeff"))
        assert after.raw.startswith(before.raw)
        assert (before.data or {}).items() <= (after.data or {}).items() or before.problem
        assert all(state.present for state in required_sections(Card.parse(result)).values())


def test_errors_are_those_that_were_looked_at(cards: list[str]) -> None:
    """Each of these was read by hand: what the Hub rejects, broken links and snippets, an open fence."""
    started = time.perf_counter()
    found: dict[str, int] = {}
    for text in cards:
        for finding in lint_card(text.encode(), path="README.md", target="card").findings:
            if finding.severity is Severity.ERROR:
                found[finding.rule] = found.get(finding.rule, 0) + 1
    assert time.perf_counter() - started < 20
    assert found == {
        "LINK004": 1,
        "LINK019": 3,
        "META012": 3,
        "META020": 3,
        "META035": 7,
        "TEXT004": 1,
        "TEXT009": 1,
        "TEXT021": 1,
        "USAGE002": 7,
        "USAGE011": 11,
    }
