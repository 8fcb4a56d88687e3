"""Edits as a person's hand makes them anywhere in a card, and what of a card is a person's."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from hubpub.card.merge.body import section_name
from hubpub.card.merge.given import gaps_of
from hubpub.card.merge.outcome import Merged, Part
from hubpub.card.merge.update import merge_card
from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.card.regions import read_regions

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
"""What is put somewhere; each of them means something at some place of a card."""


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
        if begin >= start:
            text = text[:begin] + text[end:]
    return re.sub(r"\s*[\r\n]\s*", "\n", text[start:]).strip()


def edited_regions(text: str) -> dict[str, str]:
    return {name: region.content for name, region in read_regions(text).found.items() if not region.is_untouched}


def is_inserted_into(before: str, after: str) -> bool:
    """Whether every line of `before` is in `after`, in order."""
    lines = iter(after.split("\n"))
    return all(line in lines for line in before.split("\n"))


def around(text: str) -> list[str]:
    parts, at = [], read_front_matter(text).body_start
    for region in read_regions(text).found.values():
        parts.append(text[at : region.start])
        at = region.end
    return [*parts, text[at:]]


def check_kept(mine: str, result: Merged, rendered: str) -> None:
    """Fail if `result`, which brought the card `mine` up to date with `rendered`, lacks anything that is a person's.

    Whole sections may be added at the end, and a fence or comment that was left open is closed before them. Of a
    section that is said to be removed, as it had nothing but what hubpub no longer renders, the heading goes too.
    """
    gone = {change.name for change in result.changes if (change.part, change.how) == (Part.SECTION, "removed")}
    lines = outside(mine).split("\n")
    before = "\n".join(line for line in lines if not (gone and section_name(line.lstrip("# ")) in gone))
    after = outside(result.text)
    assert after.startswith(before) or is_inserted_into(before, after)
    assert edited_regions(result.text).items() >= edited_regions(mine).items()
    metadata, new_metadata = read_front_matter(mine), read_front_matter(result.text)
    assert not metadata.problem or metadata.found is False or new_metadata.raw == metadata.raw
    again = merge_card(result.text, rendered, result.given)
    assert (again.text, again.changes) == (result.text, ())
