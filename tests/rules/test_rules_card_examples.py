"""Every card rule on the examples of its own declaration."""

from __future__ import annotations

import pytest

from hubpub.card.document import Card
from hubpub.core.rule import Rule
from hubpub.rules.card_families import CARD_FAMILIES
from hubpub.rules.registry import CardSubject, card_rules

RULES = [rule for rule in card_rules if rule.code != "TEXT004"]  # its examples are bytes, see test_rules_card_text.py


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_tells_its_examples_apart(rule: Rule[CardSubject]) -> None:
    assert list(rule.run(CardSubject(Card.parse(rule.bad))))
    assert not list(rule.run(CardSubject(Card.parse(rule.good))))


@pytest.mark.parametrize("rule", list(card_rules), ids=lambda rule: rule.code)
def test_a_rule_says_why_and_where_from(rule: Rule[CardSubject]) -> None:
    assert rule.why
    assert rule.source.startswith("https://")
    assert not rule.hint.endswith(".")


def test_the_families_are_declared() -> None:
    assert {rule.code[:4] for rule in card_rules} >= {"META", "SECT", "TEXT"}
    assert len(CARD_FAMILIES) >= 3
