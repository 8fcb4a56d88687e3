"""What is found of a card does not depend on how its lines end, nor on a byte order mark above it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.linting import findings_of, subject

from hubpub.core.rule import Needs, Rule
from hubpub.rules.registry import CardSubject, card_rules

RULES = [rule for rule in card_rules if rule.needs is not Needs.NETWORK and rule.code not in {"META047", "META051"}]
ABOUT_BYTES = {"META047", "TEXT020"}  # they tell of the mark itself


def places(text: str, rule: Rule[CardSubject], root: Path) -> list[tuple[str, int | None]]:
    found = findings_of(subject(text, rule.files, root))
    return sorted((one.rule, one.line) for one in found if one.rule not in ABOUT_BYTES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_line_ends_and_a_mark_hide_nothing(rule: Rule[CardSubject], tmp_path: Path) -> None:
    expected = places(rule.bad, rule, tmp_path / "0")
    assert places(rule.bad.replace("\n", "\r\n"), rule, tmp_path / "1") == expected
    assert places("\ufeff" + rule.bad, rule, tmp_path / "2") == expected
