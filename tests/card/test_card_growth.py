"""All rules together take time in proportion to the size of a card, whatever is in it."""

from __future__ import annotations

import time

import pytest
from support.nasty_cards import NASTY

from hubpub.rules.run import lint_card
from hubpub.rules.selection import Layer, Selection

EVERY_RULE = Selection((Layer(extend=("ALL",)),))
SECONDS = 2.0
"""For a hundred kilobytes: twice what they may take on a quiet machine."""


def seconds(text: str) -> float:
    started = time.process_time()
    lint_card(text.encode(), path="README.md", target="card", selection=EVERY_RULE)
    return time.process_time() - started


def best_of(text: str, runs: int, enough: float) -> float:
    """The least of some runs; other work on the machine only ever adds to one."""
    best = seconds(text)
    for _ in range(runs - 1):
        if best < enough:
            break
        best = min(best, seconds(text))
    return best


@pytest.mark.speed
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", NASTY)
def test_a_hundred_kilobytes_take_a_second(name: str) -> None:
    assert best_of(NASTY[name](100_000), 4, SECONDS) < SECONDS


@pytest.mark.speed
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", NASTY)
def test_ten_times_the_text_takes_some_ten_times_as_long(name: str) -> None:
    seconds(NASTY[name](1000))  # compiles what is used
    small = min(seconds(NASTY[name](10_000)) for _ in range(3))
    limit = 20 * small + 0.3
    assert best_of(NASTY[name](100_000), 3, limit) < limit
