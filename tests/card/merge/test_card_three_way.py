"""The merge of a card with what hubpub rendered last and renders now."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support.managed_cards import GAPS, METADATA, REGIONS, SECTIONS, managed_card, with_regions

from hubpub.card.document import Card
from hubpub.card.merge.given import Given
from hubpub.card.merge.outcome import Choice, Merged, Part
from hubpub.card.merge.update import merge_card
from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.card.regions import read_regions

FIRST = managed_card()
BASE = merge_card("", FIRST).given
SECOND = managed_card(with_regions("Evaluation results", results="Measured on 20 examples."))


def merged(existing: str, rendered: str, base: Given | None = BASE, **options: Any) -> Merged:
    """The merge, after what holds for every one: a second one changes nothing."""
    result = merge_card(existing, rendered, base, **options)
    again = merge_card(result.text, rendered, result.given)
    assert again.text == result.text
    assert again.given == result.given
    assert not again.changes
    return result


def names(result: Merged, part: Part = Part.REGION) -> list[str]:
    return [kept.name for kept in result.kept if kept.part is part]


def test_nothing_new_changes_nothing() -> None:
    result = merged(FIRST, FIRST)
    assert result.text == FIRST
    assert not result.changes
    assert not result.kept


def test_an_untouched_region_follows_the_facts() -> None:
    result = merged(FIRST, SECOND)
    assert result.text == SECOND
    assert [str(change) for change in result.changes] == ["region results is updated"]


def test_an_edited_region_stays_and_is_told() -> None:
    existing = FIRST.replace("Measured on 10 examples:", "Measured on ten examples by Anna:")
    result = merged(existing, SECOND)
    assert result.text == existing
    (kept,) = result.kept
    assert (kept.name, kept.why) == ("results", "edited")
    assert "by Anna" in kept.here
    assert "20 examples" in kept.ours


def test_theirs_takes_hubpubs_text_and_ours_excepts_from_it() -> None:
    existing = FIRST.replace("Measured on 10 examples:", "Mine.").replace("Loss | 0.5", "Loss | 0.4")
    second = managed_card(
        {**with_regions("Evaluation results", results="Measured."), "Training procedure": {"run": "Ran."}}
    )
    result = merged(existing, second, choice=Choice.of(["results"]))
    assert names(result) == ["run"]
    assert "Measured." in result.text
    assert "Loss | 0.4" in result.text
    assert merged(existing, second, choice=Choice.of(["all"])).text == second
    assert names(merged(existing, second, choice=Choice.of(["all"], ["run"]))) == ["run"]


def test_a_deleted_region_stays_deleted_for_good() -> None:
    existing = FIRST.replace(region(FIRST, "results"), "")
    result = merged(existing, SECOND)
    assert result.text == existing
    assert [kept.why for kept in result.kept] == ["deleted"]
    without = managed_card({key: value for key, value in REGIONS.items() if key != "Evaluation results"})
    later = merged(result.text, without, result.given)
    assert merged(later.text, SECOND, later.given).text == existing
    assert merged(existing, SECOND, choice=Choice.of(["results"])).text.rstrip() == SECOND.rstrip()


def test_a_region_that_is_rendered_no_more_goes_and_comes_back() -> None:
    without = managed_card({**REGIONS, "Model description": {"summary": "A model of 12 parameters."}})
    result = merged(FIRST, without)
    assert result.text == without
    assert merged(result.text, FIRST, result.given).text == FIRST


def test_an_edited_region_that_is_rendered_no_more_stays() -> None:
    existing = FIRST.replace("Layers | 2", "Layers | two")
    result = merged(existing, managed_card({**REGIONS, "Model description": {"summary": "A model of 12 parameters."}}))
    assert result.text == existing
    assert names(result) == ["properties"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": "A.", "c": "C."}, {"a": "A.", "b": "B.", "c": "C."}),
        ({"b": "B."}, {"a": "A.", "b": "B."}),
        ({"a": "A."}, {"a": "A.", "b": "B.", "c": "C."}),
        ({"a": "A."}, {"x": "X.", "a": "A.", "b": "B."}),
    ],
)
def test_a_new_region_goes_where_the_template_has_it(first: dict[str, str], second: dict[str, str]) -> None:
    before, after = managed_card({"How to use": first}), managed_card({"How to use": second})
    base = merge_card("", before).given
    assert merged(before, after, base).text == after
    mine = before.replace("## How to use\n", "## How to use\n\nMine.\n").replace("## Limit", "Mine, too.\n\n## Limit")
    result = merged(mine, after, base)
    assert outside(result.text, second) == outside(mine, second)
    places = [result.text.index(f"begin {name} ") for name in second]
    assert places == sorted(places)


def test_a_gap_gives_way_to_the_region_that_fills_it_and_back() -> None:
    known = managed_card(with_regions("Training data", data="1,000 rows."), gaps=GAPS[:2])
    result = merged(FIRST, known)
    assert result.text == known
    assert merged(known, FIRST, result.given).text == FIRST


def test_a_gap_that_a_person_filled_or_deleted_does_not_come_back() -> None:
    gap = FIRST[FIRST.index("<!-- hubpub:todo intended-uses") : FIRST.index("## How to use")].strip()
    for words in ("For reviews of films, in English, as people write them on the web." * 2, ""):
        existing = FIRST.replace(gap, words)
        result = merged(existing, SECOND)
        assert result.text == existing.replace(region(FIRST, "results"), region(SECOND, "results"))
        assert names(result, Part.GAP) == ([] if words else ["intended-uses"]), "it is not deleted, but filled"
        without = merged(result.text, managed_card(gaps=GAPS[1:]), result.given)
        assert "hubpub:todo intended-uses" not in merged(without.text, SECOND, without.given).text


def test_a_gap_that_a_person_rewrote_stays() -> None:
    existing = FIRST.replace("what to say of training-data", "Anna writes this on Friday")
    known = managed_card(with_regions("Training data", data="1,000 rows."), gaps=GAPS[:2])
    assert "Anna writes this on Friday" in merged(existing, known).text


def test_a_deleted_section_stays_deleted_and_a_new_one_is_added() -> None:
    without = FIRST[: FIRST.index("## Training data")] + FIRST[FIRST.index("## Training procedure") :]
    known = managed_card(with_regions("Training data", data="1,000 rows."))
    result = merged(without, known)
    assert result.text == without
    assert names(result, Part.SECTION) == ["training-data"]
    assert "1,000 rows" in merged(without, known, choice=Choice.of(["training-data"])).text
    newer = managed_card({**REGIONS, "Citation": {"citation": "Cite us."}}, sections=(*SECTIONS, "Citation"))
    result = merged(FIRST, newer)
    assert result.text == newer
    assert str(result.changes[-1]) == "section citation is added"


def test_a_section_that_is_rendered_no_more_goes_when_nothing_else_stands_in_it() -> None:
    newer = managed_card({**REGIONS, "Citation": {"citation": "Cite us."}}, sections=(*SECTIONS, "Citation"))
    base = merge_card("", newer).given
    result = merged(newer, FIRST, base)
    assert result.text.rstrip() == FIRST.rstrip()
    assert merged(result.text, newer, result.given).text.split() == newer.split()
    mine = newer.replace("## Citation\n", "## Citation\n\nMine.\n")
    assert merged(mine, FIRST, base).text.endswith("## Citation\n\nMine.\n\n")


def test_a_new_heading_inside_a_section_is_added_there() -> None:
    newer = FIRST.replace("\n## Evaluation results", "\n### Hardware\n\nOne GPU.\n\n## Evaluation results")
    result = merged(FIRST.replace("## Evaluation", "Mine.\n\n## Evaluation"), newer)
    assert "Mine.\n\n### Hardware\n\nOne GPU.\n\n## Evaluation results" in result.text
    assert "### Hardware" not in merged(FIRST, newer, merge_card("", newer).given).text


def test_a_renamed_or_moved_section_keeps_its_name_and_place() -> None:
    at, end = FIRST.index("## How to use"), FIRST.index("## Limitations")
    existing = FIRST[:at] + FIRST[end:] + "\n" + FIRST[at:end].replace("How to use", "Let it run")
    newer = managed_card(with_regions("How to use", usage="```sh\nrun\n```", more="More."))
    result = merged(existing, newer)
    assert result.text.count("## ") == existing.count("## ")
    assert result.text.index("Let it run") < result.text.index("begin usage") < result.text.index("begin more")


DAMAGES = {
    "end deleted": lambda text: text.replace("<!-- hubpub:end results -->\n", ""),
    "begin deleted": lambda text: text.replace(next(line for line in text.splitlines() if "begin results" in line), ""),
    "region twice": lambda text: text + region(text, "results") + "\n",
    "fence opened": lambda text: text.replace("## Training procedure", "```\n\n## Training procedure"),
    "hash cut": lambda text: text.replace("begin results sha256=", "begin results sha256=x"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_markers_are_told_and_nothing_is_lost_or_added(damage: Any) -> None:
    existing = damage(FIRST)
    result = merged(existing, SECOND)
    assert result.text == existing
    assert any("results" in problem for problem in result.problems)
    assert "results" in names(result) or "evaluation-results" in names(result, Part.SECTION)
    assert merged(existing, SECOND, None).text == existing


WAYS = {
    "a value": ("license: mit", "license: 'apache-2.0'  # by legal", "license"),
    "a key removed": ("library_name: transformers\n", "", "library_name"),
    "a comment in a value": ("  - en\n", "  - en  # British\n", "language"),
}


@pytest.mark.parametrize(("old", "new", "key"), WAYS.values(), ids=WAYS.keys())
def test_what_a_person_did_to_the_metadata_stays(old: str, new: str, key: str) -> None:
    existing = FIRST.replace(old, new)
    rendered = managed_card(metadata={"license": "bsd", "language": "de", "library_name": "peft", "tags": ["a", "b"]})
    result = merged(existing, rendered)
    front = read_front_matter(result.text)
    assert new in front.raw
    assert key in names(result, Part.METADATA)
    for other, value in {"license": "bsd", "language": "de", "library_name": "peft"}.items():
        if other != key:
            assert front.data is not None
            assert front.data[other] == value
    if "#" not in new or key != "language":
        taken = merged(existing, rendered, choice=Choice.of([key]))
        assert (read_front_matter(taken.text).data or {}) == read_front_matter(rendered).data


@pytest.mark.parametrize(
    ("here", "rendered", "expected"),
    [
        (["a", "b", "mine"], ["a", "b"], ["a", "b", "mine"]),
        (["mine", "b", "a"], ["a", "b", "c"], ["mine", "b", "a", "c"]),
        (["a"], ["a", "b"], ["a"]),
        (["a", "mine"], ["a", "b", "c"], ["a", "mine", "c"]),
        (["a", "b", "mine"], ["b"], ["b", "mine"]),
        (["mine"], None, ["mine"]),
        (["a", "b"], None, None),
        (["a", "b", "mine"], None, ["mine"]),
    ],
)
@pytest.mark.parametrize("style", ["block", "flow"])
def test_lists_are_merged_item_by_item(here: list[str], rendered: Any, expected: Any, style: str) -> None:
    block = "tags:\n  - a\n  - b\n"
    assert block in FIRST
    written = "".join(f'  - "{item}"\n' for item in here)
    existing = FIRST.replace(block, f"tags:\n{written}" if style == "block" else f"tags: [{', '.join(here)}] # x\n")
    metadata = {key: value for key, value in METADATA.items() if key != "tags"}
    result = merged(existing, managed_card(metadata={**metadata, "tags": rendered} if rendered else metadata))
    assert (read_front_matter(result.text).data or {}).get("tags") == expected
    if style == "block" and expected and "mine" in expected:
        assert '  - "mine"\n' in result.text


def test_comments_quotes_and_order_of_the_metadata_stay() -> None:
    existing = FIRST.replace(
        "---\nlicense: mit\n", "---\n# ours\npipeline_tag:   'fill-mask' # mask\nlicense: mit # chosen\n\n"
    )
    result = merged(existing, managed_card(metadata={**METADATA, "license": "bsd", "datasets": ["acme/d"]}))
    assert result.text.startswith("---\n# ours\npipeline_tag:   'fill-mask' # mask\nlicense: bsd # chosen\n\nlanguage:")
    assert "  - b\ndatasets:\n  - acme/d\n---\n" in result.text


def test_a_nested_value_is_written_anew_when_nobody_touched_it() -> None:
    index = [{"name": "x", "results": [{"task": {"type": "fill-mask"}, "metrics": [{"type": "f1", "value": 0.5}]}]}]
    first = managed_card(metadata={"model-index": index, "license": "mit"})
    base = merge_card("", first).given
    better = managed_card(metadata={"model-index": [{**index[0], "name": "y"}], "license": "mit"})
    assert merged(first, better, base).text == better
    touched = first.replace("value: 0.5", "value: 0.6")
    result = merged(touched, better, base)
    assert result.text == touched
    assert names(result, Part.METADATA) == ["model-index"]


def test_unreadable_metadata_is_not_touched() -> None:
    existing = FIRST.replace("license: mit", "license: [mit")
    result = merged(existing, SECOND)
    assert result.text == existing.replace(region(FIRST, "results"), region(SECOND, "results"))
    assert names(result, Part.METADATA) == ["block"]
    assert next(kept.why for kept in result.kept).startswith("line ")


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_byte_order_mark_and_missing_newline_stay(ends: str, mark: str, last: bool) -> None:
    mine = mark + FIRST.replace("# x\n", "# x  \n\n\n\nMine.\t\n").replace("\n", ends)
    expected = mark + SECOND.replace("# x\n", "# x  \n\n\n\nMine.\t\n").replace("\n", ends)
    if not last:
        mine, expected = mine.rstrip("\r\n"), expected.rstrip("\r\n")
    assert merged(mine, SECOND).text == expected


def test_without_a_base_regions_follow_and_sections_that_are_there_get_nothing_new() -> None:
    newer = managed_card(with_regions("Evaluation results", results="Now.", more="More."), metadata={"license": "bsd"})
    result = merged(FIRST, newer, None)
    assert "Now." in result.text
    assert "More." not in result.text
    assert [(kept.name, kept.why) for kept in result.kept] == [
        ("license", "written before hubpub knew it"),
        ("more", "absent"),
    ]


def test_a_card_of_a_megabyte_takes_no_time() -> None:
    started = time.process_time()
    for filler in ("Words and words.\n\n" * 60_000, "## Heading\n\ntext\n\n" * 60_000, "- item\n" * 150_000):
        existing = FIRST.replace("## Evaluation results", filler + "## Evaluation results")
        assert region(SECOND, "results") in merge_card(existing, SECOND, BASE).text
    assert time.process_time() - started < 8


def region(text: str, name: str) -> str:
    """A region with its markers."""
    end = f"<!-- hubpub:end {name} -->"
    return text[text.index(f"<!-- hubpub:begin {name}") : text.index(end) + len(end)]


def outside(text: str, regions: Any) -> list[str]:
    """The lines that no region holds, blank ones aside."""
    for name in regions:
        text = text.replace(region(text, name), "") if f"begin {name} " in text else text
    return [line for line in text.splitlines() if line.strip()]


def test_the_rendered_cards_of_these_tests_are_sound() -> None:
    assert len(Card.parse(FIRST).sections) == 8


def test_nothing_is_put_into_a_region_that_a_heading_by_hand_divides() -> None:
    first = managed_card()
    base = merge_card("", first).given
    mine = first.replace("| Run | Value |", "By hand\n---\n| Run | Value |")
    more = managed_card(with_regions("Training procedure", course="It went well."))
    no_run = managed_card({**REGIONS, "Training procedure": {"course": "It went well."}})
    for rendered in (more, no_run):
        result = merge_card(mine, rendered, base).text
        assert "By hand" in read_regions(result).found["run"].content
        assert read_regions(result).found["run"].content == read_regions(mine).found["run"].content
        assert read_regions(result).found["course"].content == "It went well.\n"


@pytest.mark.parametrize("after", ["### Small\n\nNot for people.", "### Who\n\n#### Not\n\nPeople.", "Not for people."])
@pytest.mark.parametrize("before", ["Films.", "### Big\n\nFilms.\n\n### Small\n\nNot for people."])
def test_headings_in_a_region_go_with_it(before: str, after: str) -> None:
    """People write them into card.yaml; a region behind theirs is of the same section."""
    heading = "Intended uses & limitations"
    first, second = (
        managed_card(with_regions(heading, answer=text, scope="In English."), gaps=()) for text in (before, after)
    )
    known = merge_card("", first)
    assert merged(known.text, second, known.given).text == second
    by_hand = known.text.replace("In English.", "In English and French.")
    result = merged(by_hand, second, known.given)
    assert result.text == merge_card("", second).text.replace("In English.", "In English and French.").replace(
        *(read_regions(text).found["scope"].stamp or "" for text in (second, by_hand))
    )
    assert names(result) == ["scope"]


def test_a_region_behind_headings_in_a_region_is_placed_behind_it() -> None:
    heading = "Intended uses & limitations"
    answer = "### Big\n\nFilms.\n\n### Small\n\nNot for people."
    first = managed_card(with_regions(heading, answer=answer), gaps=())
    second = managed_card(with_regions(heading, answer=answer, scope="In English."), gaps=())
    known = merge_card("", first)
    assert merged(known.text, second, known.given).text == second


def test_a_heading_in_a_region_is_not_the_section_of_that_name() -> None:
    answer = "### Training data\n\nNot for data like those of the training.\n\n### Who\n\nPeople."
    rendered = managed_card(with_regions("Intended uses & limitations", answer=answer), gaps=())
    result = merged("# x\n\n## How to use\n\nBy hand.\n", rendered, None)
    assert result.text.count("Not for data like") == 1
    assert not result.problems
    assert read_regions(result.text).found.keys() >= {"answer", "results"}
    assert "\n## Training data\n" in result.text


def test_a_section_that_is_rendered_no_more_goes_with_the_headings_in_its_regions() -> None:
    regions = {**REGIONS, "Citation": {"answer-citation": "### By\n\nAnna\n\n### When\n\n2026"}}
    first = managed_card(regions, sections=(*SECTIONS, "Citation"))
    known = merge_card("", first)
    assert merged(known.text, FIRST, known.given).text.rstrip() == FIRST.rstrip()
    below = known.text.replace(
        "<!-- hubpub:end answer-citation -->", "<!-- hubpub:end answer-citation -->\n\n### Mine\n"
    )
    assert "## Citation" in merged(below, FIRST, known.given).text


GENERATED = """---
library_name: transformers
license: mit
---

# x

## Model description

More information needed

## Training procedure

### Training hyperparameters

- seed: 42
"""


def test_a_generator_that_writes_the_card_anew_has_deleted_nothing() -> None:
    """Trainer, TRL, PEFT and sentence-transformers do so after each training, with headings that hubpub has too."""
    result = merged(GENERATED, FIRST)
    assert GENERATED.split("---")[2].strip() in result.text
    assert "## Limitations and bias" in result.text
    assert [kept.why for kept in result.kept if kept.why == "deleted"] == []
    assert [text.partition(":")[0] for text in result.problems] == ["nothing of what hubpub wrote last is in README.md"]
    assert not merge_card(result.text, FIRST, result.given).problems


def test_an_adopted_card_is_known_again_by_what_hubpub_added() -> None:
    adopted = merge_card(GENERATED, FIRST)
    by_hand = adopted.text
    for slot in GAPS:
        prompt = f"*To be written: what to say of {SECTIONS[slot]}.*"
        assert prompt in by_hand
        by_hand = by_hand.replace(f"<!-- hubpub:todo {SECTIONS[slot]} -->\n{prompt}", "By Anna.")
    for name, region in read_regions(by_hand).found.items():
        by_hand = by_hand.replace(region.content, "By Anna.\n") if name != "results" else by_hand
    kept = by_hand.replace("library_name: transformers\n", "").replace("## Training data\n\nBy Anna.\n\n", "")
    result = merged(kept, FIRST, adopted.given)
    assert result.text == kept
    assert not result.problems
    assert {"library_name", "training-data"} <= {name.name for name in result.kept if name.why == "deleted"}
    assert merged(GENERATED, FIRST, adopted.given).text == adopted.text


def test_what_an_adopted_card_never_had_was_not_deleted() -> None:
    adopted = merge_card(GENERATED, FIRST)
    again = merged(adopted.text, SECOND, adopted.given)
    assert "summary" in {kept.name for kept in again.kept if kept.why == "absent"}
    assert not [kept.name for kept in again.kept if kept.why == "deleted"]
    assert "20 examples" in again.text
