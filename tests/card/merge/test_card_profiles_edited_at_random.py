"""The cards of real folders of all profiles: edited anywhere, then rendered again after the folder has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.hand_edits import around, check_kept, edited, pieces
from support.profile_folders import PROFILES, edit, write_run

from hubpub.card.merge.update import merge_card
from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.card.regions import read_regions
from hubpub.card.writing.render import render_folder_card
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder

Rendered = Callable[[str], tuple[str, ...]]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """The cards of a profile's folder: with a training run, with a longer one, with none, and with another model."""
    known: dict[str, tuple[str, ...]] = {}

    def cards_of(profile: str) -> tuple[str, ...]:
        if profile not in known:
            folder = tmp_path_factory.mktemp(profile) / "model"
            PROFILES[profile](folder)
            plain = _card(folder)
            write_run(folder)
            first = _card(folder)
            write_run(folder, evaluations=37)
            longer = _card(folder)
            (folder / "trainer_state.json").unlink()
            (folder / "all_results.json").unlink()
            edit(folder / "config.json", architectures=["GPT2LMHeadModel"], model_type="gpt2", id2label=None)
            known[profile] = (first, longer, plain, _card(folder))
        return known[profile]

    return cards_of


def _card(folder: Path) -> str:
    return render_folder_card(ModelFolder.open(folder), repo_id="acme/model", settings=CardSettings())


profiles = st.sampled_from(list(PROFILES))
places = st.tuples(st.sampled_from(["anywhere", "metadata", "marker", "gap"]), st.integers(0, 1 << 20))
edits = st.lists(st.tuples(places, st.sampled_from([0, 0, 0, 1, 5, 40, 300, 3000]), pieces), max_size=4)


def offset(text: str, place: tuple[str, int]) -> int:
    """A place of that kind in the card."""
    kind, number = place
    if kind == "metadata":
        return number % (read_front_matter(text).body_start + 1)
    sign = {"marker": "<!-- hubpub:", "gap": "<!-- hubpub:todo"}.get(kind)
    count = text.count(sign) if sign else 0
    if not sign or not count:
        return number % (len(text) + 1)
    at = -1
    for _ in range(number % count + 1):
        at = text.index(sign, at + 1)
    return at + number // count % 60


@settings(derandomize=True, max_examples=30)
@given(profiles, edits, st.sampled_from([0, 1, 2, 3]), st.sampled_from([1, 2, 3]), st.booleans())
def test_what_a_person_wrote_is_there_after_the_folder_has_changed_twice(
    rendered: Rendered,
    profile: str,
    changes: list[tuple[tuple[str, int], int, str]],
    second: int,
    third: int,
    based: bool,
) -> None:
    cards = rendered(profile)
    written = merge_card("", cards[0])
    mine = edited(written.text, [(offset(written.text, place), length, new) for place, length, new in changes])
    if not mine.strip("\ufeff \t\r\n"):
        return
    once = merge_card(mine, cards[second], written.given if based else None)
    check_kept(mine, once, cards[second])
    twice = merge_card(once.text, cards[third], once.given)
    check_kept(once.text, twice, cards[third])


@settings(derandomize=True, max_examples=15)
@given(
    profiles,
    st.lists(st.tuples(st.integers(0, 500), st.text(st.characters(codec="utf-8"), max_size=20)), max_size=4),
)
def test_every_byte_outside_regions_stays_when_only_the_numbers_change(
    rendered: Rendered, profile: str, words: list[tuple[int, str]]
) -> None:
    first, longer, *_ = rendered(profile)
    assert first != longer
    assert around(first) == around(longer)
    lines = first.split("\n")
    free = places_outside(first)
    for at, text in sorted(((free[at % len(free)], text) for at, text in words), reverse=True):
        lines.insert(at, "Mine: " + text.replace("`", "'").replace("~", "-"))
    mine = "\n".join(lines)
    if len(read_regions(mine).found) != len(read_regions(first).found):
        return
    result = merge_card(mine, longer, merge_card("", first).given)
    assert around(result.text) == around(mine)
    regions, wanted = read_regions(result.text).found, read_regions(longer).found
    assert {name: region.content for name, region in regions.items()} == {
        name: region.content for name, region in wanted.items()
    }
    again = merge_card(result.text, longer, result.given)
    assert (again.text, again.changes) == (result.text, ())


def places_outside(card: str) -> list[int]:
    """The lines of a card before which a person may write without writing into a region or the metadata."""
    spans = [(region.start, region.end) for region in read_regions(card).found.values()]
    places, at, body = [], 0, read_front_matter(card).body_start
    for number, line in enumerate(card.split("\n")):
        if at > body and not any(start < at <= end for start, end in spans):
            places.append(number)
        at += len(line) + 1
    return places
