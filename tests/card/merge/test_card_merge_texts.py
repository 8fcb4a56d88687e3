from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.managed_cards import METADATA, managed_card, with_regions

from hubpub.card.merge.texts import merge_texts
from hubpub.card.metadata.frontmatter import read_front_matter

BASE = managed_card()


def say(text: str, heading: str, words: str) -> str:
    """The card with words in front of what stands under a heading."""
    assert f"## {heading}\n" in text
    return text.replace(f"## {heading}\n", f"## {heading}\n\n{words}\n")


def both_ways(ours: str, theirs: str, base: str = BASE) -> str:
    """The merged card, of which at most the order of what was added depends on whose is whose."""
    result = merge_texts(base, ours, theirs)
    assert not result.conflicts
    assert sorted(merge_texts(base, theirs, ours).text.splitlines()) == sorted(result.text.splitlines())
    assert merge_texts(base, ours, result.text) == result
    assert merge_texts(base, result.text, theirs) == result
    return result.text


def test_what_one_side_changed_is_taken() -> None:
    ours = say(BASE, "How to use", "Mine.")
    assert both_ways(ours, BASE) == ours
    assert both_ways(ours, ours) == ours


def test_sections_edited_apart_come_together() -> None:
    ours, theirs = say(BASE, "How to use", "Mine."), say(BASE, "Training data", "Theirs.")
    assert both_ways(ours, theirs) == say(ours, "Training data", "Theirs.")


def test_keys_edited_apart_come_together_with_their_comments() -> None:
    ours = BASE.replace("license: mit\n", "license: mit # by legal\ndatasets: [a/b]\n")
    theirs = BASE.replace("library_name: transformers\n", "# theirs\nlibrary_name: peft\n")
    text = both_ways(ours, theirs)
    assert text.startswith("---\nlicense: mit # by legal\ndatasets: [a/b]\nlanguage:")
    assert "# theirs\nlibrary_name: peft\n" in text
    added = both_ways(BASE.replace("  - b\n", "  - b\nx: 1\n"), BASE.replace("  - b\n", "  - b\ny: 2\n"))
    assert (read_front_matter(added).data or {}).keys() == {*METADATA, "x", "y"}


@pytest.mark.parametrize(
    ("ours", "theirs", "named"),
    [
        (say(BASE, "How to use", "Mine."), say(BASE, "How to use", "Theirs."), "how-to-use"),
        (
            BASE.replace("license: mit", "license: bsd"),
            BASE.replace("license: mit", "license: gpl"),
            "metadata license",
        ),
        (BASE.replace("f1 | 0.9", "f1 | 0.8"), BASE.replace("f1 | 0.9", "f1 | 0.7"), "results"),
        (BASE.replace("# x\n", "# mine\n"), BASE.replace("# x\n", "# theirs\n"), "x"),
        (BASE[: BASE.index("## Evaluation")], say(BASE, "Evaluation results", "Theirs."), "evaluation-results"),
        (BASE.replace("license: mit", "license: [mit"), say(BASE, "How to use", "Theirs."), "metadata"),
    ],
)
def test_the_same_part_edited_twice_is_a_conflict_that_names_it(ours: str, theirs: str, named: str) -> None:
    assert named in " ".join(merge_texts(BASE, ours, theirs).conflicts)
    assert merge_texts(BASE, ours, theirs).conflicts
    assert merge_texts(BASE, theirs, ours).conflicts


def test_a_region_that_hubpub_wrote_yields_to_one_that_a_person_edited() -> None:
    newer = managed_card(with_regions("Evaluation results", results="Measured anew."))
    edited = BASE.replace("f1 | 0.9", "f1 | 0.9 (seed 1)")
    assert both_ways(newer, edited) == edited
    both = merge_texts(BASE, newer, managed_card(with_regions("Evaluation results", results="Measured twice.")))
    assert both.text == newer


@pytest.mark.parametrize("change", [lambda text: text.replace("\n", "\r\n"), lambda text: text.rstrip("\n")])
def test_line_ends_stay(change: Any) -> None:
    base = change(BASE)
    ours = base.replace("Layers | 2", "Layers | 3")
    theirs = base.replace("license: mit", "license: bsd")
    assert both_ways(ours, theirs, base) == ours.replace("license: mit", "license: bsd")


edits = st.lists(
    st.tuples(st.integers(0, BASE.count("\n")), st.sampled_from(["new", "gone", "changed"])), min_size=1, max_size=3
)


@settings(derandomize=True, max_examples=150)
@given(edits, edits)
def test_nothing_that_either_wrote_is_lost_without_a_conflict(ours: Any, theirs: Any) -> None:
    def edited(changes: Any, who: str) -> str:
        lines = BASE.splitlines()
        for number, (at, how) in enumerate(sorted(changes, reverse=True)):
            word = f"{who}{number}: 1"
            at = min(at, len(lines) - 1)
            lines[at : at + (how != "new")] = [] if how == "gone" else [word]
        return "\n".join(lines) + "\n"

    mine, other = edited(ours, "mine"), edited(theirs, "theirs")
    result = merge_texts(BASE, mine, other)
    if result.conflicts:
        return
    words = re.compile(r"\b(?:mine|theirs)\d: 1")
    hand = set(words.findall(mine)) | set(words.findall(other))
    assert hand <= set(words.findall(result.text))
    kept = set(mine.splitlines()) & set(other.splitlines())
    assert kept <= set(result.text.splitlines())


def test_many_sections_take_no_time() -> None:
    base = BASE + "".join(f"\n## Section {number % 7}\n\ntext\n" for number in range(700))
    started = time.process_time()
    merge_texts(base, base.replace("text", "mine", 5), base.replace("## Section 6", "## Seven", 100))
    assert merge_texts("# x\n" * 5000, "# y\n" * 5000, "# z\n").conflicts
    assert time.process_time() - started < 15
