"""Render, edit anywhere, render again with other facts: what a person wrote is there, byte for byte."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.managed_cards import GAPS, METADATA, REGIONS, managed_card

from hubpub.card.document import Card
from hubpub.card.merge.given import gaps_of
from hubpub.card.merge.update import merge_card
from hubpub.card.metadata.frontmatter import read_front_matter
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

pieces = st.sampled_from(
    [
        "x",
        " ",
        "\n",
        "\r\n",
        "\n\n",
        "#",
        "\n## Mine\n",
        "\n---\n",
        "```\n",
        "<!--",
        "-->",
        "<!-- hubpub:begin results -->\n",
        "<!-- hubpub:end results -->\n",
        "\nlicense: gpl\n",
        "\n<!-- hubpub:todo training-data -->\n*To be written: x.*\n",
        "é\u2028",
        "\ufeff",
        ": ",
    ]
)
edits = st.lists(st.tuples(st.integers(0, len(FIRST)), st.sampled_from([0, 0, 0, 1, 5, 40, 300]), pieces), max_size=4)


def edited(text: str, changes: list[tuple[int, int, str]]) -> str:
    for at, length, new in changes:
        text = text[:at] + new + text[at + length :]
    return text


def outside(text: str, drop: frozenset[str] = frozenset()) -> str:
    """The body without untouched regions, gaps in hubpub's form, and blank lines."""
    regions = read_regions(text)
    spans = [(region.start, region.end) for region in regions.found.values() if region.is_untouched]
    spans += [(gap.start, gap.end) for gap in gaps_of(text, regions).values()]
    start = read_front_matter(text).body_start
    for begin, end in sorted(spans, reverse=True):
        text = text[:begin] + text[end:]
    return re.sub(r"\s*[\r\n]\s*", "\n", text[start:]).strip()


def edited_regions(text: str) -> dict[str, str]:
    return {name: region.content for name, region in read_regions(text).found.items() if not region.is_untouched}


@settings(derandomize=True, max_examples=60, deadline=None)
@given(edits, st.sampled_from(CARDS), st.booleans())
def test_what_a_person_wrote_is_there_after_rendering_again(
    changes: list[tuple[int, int, str]], rendered: str, based: bool
) -> None:
    base = merge_card("", FIRST).given if based else None
    mine = edited(FIRST, changes)
    if not mine.strip("\ufeff \t\r\n"):
        return
    result = merge_card(mine, rendered, base)
    # whole sections may be added at the end, and a fence or comment that was left open is closed before them
    assert outside(result.text).startswith(outside(mine)) or is_inserted_into(outside(mine), outside(result.text))
    assert edited_regions(result.text).items() >= edited_regions(mine).items()
    before, after = read_front_matter(mine), read_front_matter(result.text)
    assert not before.problem or before.found is False or after.raw == before.raw
    again = merge_card(result.text, rendered, result.given)
    assert (again.text, again.changes) == (result.text, ())


def is_inserted_into(before: str, after: str) -> bool:
    """Whether every line of `before` is in `after`, in order."""
    lines = iter(after.split("\n"))
    return all(line in lines for line in before.split("\n"))


@settings(derandomize=True, max_examples=60, deadline=None)
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
    assert _around(result) == _around(mine)


def _around(text: str) -> list[str]:
    parts, at = [], read_front_matter(text).body_start
    for region in read_regions(text).found.values():
        parts.append(text[at : region.start])
        at = region.end
    return [*parts, text[at:]]


facts = st.sampled_from(["mit", "bsd", ["a"], ["a", "b"], ["b", "a", "c"], None, 1])
metadata = st.dictionaries(st.sampled_from(["license", "tags", "datasets", "x"]), facts.filter(lambda value: value))


@settings(derandomize=True, max_examples=100, deadline=None)
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
