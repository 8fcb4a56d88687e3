"""Render, edit anywhere, render again with other facts: what a person wrote is there, byte for byte."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.hand_edits import around, check_kept, edited, pieces
from support.managed_cards import GAPS, METADATA, REGIONS, managed_card

from hubpub.card.document import Card
from hubpub.card.merge.update import merge_card
from hubpub.card.regions import read_regions

CARDS = [
    managed_card(),
    managed_card(metadata={**METADATA, "license": "bsd", "tags": ["b", "c"], "datasets": ["a/b"]}),
    managed_card(
        {heading: {name: f"{name} is new." for name in regions} for heading, regions in REGIONS.items()},
        metadata={"license": "mit", "language": ["en"]},
    ),
    managed_card({"How to use": {"usage": "Run it."}}, gaps=()),
    managed_card({**REGIONS, "Training data": {"data": "10 rows.", "more": "Of text."}}, gaps=GAPS[:2]),
]
FIRST = CARDS[0]

PLACES = [
    number
    for number in range(FIRST[: FIRST.index("# x")].count("\n") + 1, FIRST.count("\n"))
    if not any(
        region.start < len("\n".join(FIRST.split("\n")[:number])) + 1 <= region.end
        for region in read_regions(FIRST).found.values()
    )
]
"""The lines of the card before which a person may write without writing into a region."""

edits = st.lists(st.tuples(st.integers(0, len(FIRST)), st.sampled_from([0, 0, 0, 1, 5, 40, 300]), pieces), max_size=4)


@settings(derandomize=True, max_examples=60)
@given(edits, st.sampled_from(CARDS), st.booleans())
def test_what_a_person_wrote_is_there_after_rendering_again(
    changes: list[tuple[int, int, str]], rendered: str, based: bool
) -> None:
    base = merge_card("", FIRST).given if based else None
    mine = edited(FIRST, changes)
    if not mine.strip("\ufeff \t\r\n"):
        return
    result = merge_card(mine, rendered, base)
    check_kept(mine, result, rendered)


@settings(derandomize=True, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 200), st.text(st.characters(codec="utf-8"), max_size=20)), max_size=4),
    st.sampled_from(CARDS[:3]),
)
def test_every_byte_outside_regions_stays_where_the_same_regions_are_rendered(
    words: list[tuple[int, str]], rendered: str
) -> None:
    lines = FIRST.split("\n")
    for at, text in sorted(words, reverse=True):
        lines.insert(PLACES[at % len(PLACES)], "Mine: " + text.replace("`", "'").replace("~", "-"))
    mine = "\n".join(lines)
    base = merge_card("", FIRST).given
    if len(read_regions(mine).found) != len(read_regions(FIRST).found):
        return
    result = merge_card(mine, rendered, base).text
    assert around(result) == around(mine)


facts = st.sampled_from(["mit", "bsd", ["a"], ["a", "b"], ["b", "a", "c"], None, 1])
metadata = st.dictionaries(st.sampled_from(["license", "tags", "datasets", "x"]), facts.filter(lambda value: value))


@settings(derandomize=True, max_examples=100)
@given(metadata, metadata, metadata)
def test_metadata_of_a_person_wins_key_by_key(first: Any, mine: Any, second: Any) -> None:
    base = merge_card("", managed_card(metadata=first)).given
    result = merge_card(managed_card(metadata=mine), managed_card(metadata=second), base)
    data = Card.parse(result.text).front_matter.data or {}
    for key in first.keys() | mine.keys() | second.keys():
        had, wrote, wants, got = (values.get(key) for values in (first, mine, second, data))
        if wrote in (had, wants):
            assert got == wants or not data.keys() - {key}  # a block is never left empty
        elif isinstance(wrote, list) and isinstance(had or [], list) and isinstance(wants or [], list):
            assert {item for item in wrote if item not in (had or [])} <= set(got or [])
            assert not {item for item in had or [] if item not in wrote and item in (wants or [])} & set(got or [])
        else:
            assert got == wrote
