from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubpub.card.regions import read_regions, stamp

CARD = """# x

<!-- hubpub:begin one -->
First.
<!-- hubpub:end one -->

Mine.

<!-- hubpub:begin two -->
<!-- hubpub:end two -->
"""


def test_a_stamped_region_knows_its_own_text() -> None:
    text = stamp(CARD)
    one, two = read_regions(text).found.values()
    assert one.content == "First.\n"
    assert two.content == ""
    assert one.is_untouched
    assert two.is_untouched
    assert stamp(text) == text
    assert text.replace(f" sha256={one.stamp}", "").replace(f" sha256={two.stamp}", "") == CARD


def test_one_changed_character_is_a_persons() -> None:
    assert not read_regions(stamp(CARD).replace("First.", "First!")).found["one"].is_untouched
    assert not read_regions(CARD).found["one"].is_untouched


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
        lambda text: "---\nlicense: mit\n---\n" + text,
        lambda text: text.replace("<!-- hubpub", "  <!--  hubpub").replace(" -->", "\t--> "),
    ],
    ids=["CR LF", "CR", "byte order mark", "no newline at the end", "front matter", "blanks"],
)
def test_editors_may_change_what_nobody_sees(change: object) -> None:
    text = change(stamp(CARD))  # type: ignore[operator]
    regions = read_regions(text)
    assert list(regions.found) == ["one", "two"]
    assert all(region.is_untouched for region in regions.found.values())
    assert not regions.problems


DAMAGED = {
    "not ended": ("<!-- hubpub:begin a -->\ntext\n", {"a"}),
    "not begun": ("text\n<!-- hubpub:end a -->\n", {"a"}),
    "twice": ("<!-- hubpub:begin a -->\n1\n<!-- hubpub:end a -->\n" * 2, {"a"}),
    "nested": (
        "<!-- hubpub:begin a -->\n<!-- hubpub:begin b -->\n<!-- hubpub:end b -->\n<!-- hubpub:end a -->\n",
        {"a"},
    ),
    "crossed": (
        "<!-- hubpub:begin a -->\n<!-- hubpub:begin b -->\n<!-- hubpub:end a -->\n<!-- hubpub:end b -->\n",
        {"a", "b"},
    ),
    "begun twice": ("<!-- hubpub:begin a -->\n<!-- hubpub:begin a -->\ntext\n<!-- hubpub:end a -->\n", {"a"}),
    "text beside it": ("<!-- hubpub:begin a --> text\n<!-- hubpub:end a -->\n", {"a"}),
    "bad hash": ("<!-- hubpub:begin a sha256=12 -->\ntext\n<!-- hubpub:end a -->\n", {"a"}),
    "in code": ("```\n<!-- hubpub:begin a -->\ntext\n<!-- hubpub:end a -->\n```\n", {"a"}),
    "in code of a list": ("- x\n\n  ~~~\n  <!-- hubpub:begin a -->\n  <!-- hubpub:end a -->\n  ~~~\n", {"a"}),
    "behind an open fence": ("````python\n```\n<!-- hubpub:begin a -->\n<!-- hubpub:end a -->\n", {"a"}),
    "open fence in it": ("<!-- hubpub:begin a -->\n```\n<!-- hubpub:end a -->\n", {"a"}),
}


@pytest.mark.parametrize(("text", "names"), DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_markers_make_no_region_and_are_told(text: str, names: set[str]) -> None:
    regions = read_regions(text)
    assert not names & regions.found.keys()
    assert {problem.name for problem in regions.problems} == names
    assert names <= regions.mentioned
    lines = text.splitlines()
    assert all(problem.name in lines[problem.line - 1] for problem in regions.problems)


def test_a_sound_region_beside_damaged_ones_is_one() -> None:
    text = stamp("<!-- hubpub:begin b -->\n" + CARD)
    assert list(read_regions(text).found) == ["one", "two"]
    assert read_regions("<!-- hubpub:begin in the docs of hubpub -->").found == {}


def test_words_about_markers_are_no_markers() -> None:
    assert not read_regions("hubpub:begin is what hubpub writes.\n").problems


@settings(derandomize=True, max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            [
                "<!-- hubpub:begin a -->",
                "<!-- hubpub:end a -->",
                "<!-- hubpub:begin b -->",
                "<!-- hubpub:end b -->",
                "```",
                "~~~",
                "text",
                "\r",
                "\n",
                "\n",
                "\n",
                "---",
            ]
        ),
        max_size=14,
    )
)
def test_stamping_adds_nothing_but_hashes_and_is_done_once(parts: list[str]) -> None:
    text = "".join(parts)
    stamped = stamp(text)
    assert stamp(stamped) == stamped
    regions = read_regions(stamped).found
    assert regions.keys() == read_regions(text).found.keys()
    for region in regions.values():
        stamped = stamped.replace(f" sha256={region.stamp}", "")
    assert stamped == text


@pytest.mark.parametrize(
    "text",
    [
        "<!-- hubpub:begin a -->\n" * 40_000,
        "<!-- hubpub:begin a -->\n```\n" * 40_000,
        "".join(f"<!-- hubpub:begin r{number} -->\n<!-- hubpub:end r{number} -->\n" for number in range(20_000)),
        "hubpub: " + "> " * 500_000 + "```",
        "hubpub:begin" + "<!--" * 250_000,
        "<!-- hubpub:begin" + " " * 1_000_000,
    ],
)
def test_a_megabyte_takes_no_time(text: str) -> None:
    started = time.process_time()
    read_regions(text)
    assert time.process_time() - started < 2
