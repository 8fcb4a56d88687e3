"""Every card rule on the examples of its own declaration."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from support.linting import findings_of, fixed, subject

from hubpub.card.profiles import DEFAULT_PROFILE, profile_named
from hubpub.core.findings import Finding
from hubpub.core.rule import Fixable, Needs, Rule
from hubpub.rules.card_families import CARD_FAMILIES
from hubpub.rules.registry import CardSubject, card_rules

IN_BYTES = {"TEXT026"}  # its examples are bytes, see test_rules_card_text.py
FOR_A_REPO = {"META031": "acme/model"}  # what they judge depends on the repo that the card is for
PROFILES = {"SECT020": "eu-gpai"}  # the default profile asks for no fields
ELSEWHERE = {"EVAL017"}  # its examples are another file, see test_rules_card_eval_folder.py
RULES = [rule for rule in card_rules if rule.code not in IN_BYTES | ELSEWHERE and rule.needs is not Needs.NETWORK]


def hits(rule: Rule[CardSubject], text: str, root: Path) -> list[Finding]:
    profile = profile_named(PROFILES.get(rule.code, DEFAULT_PROFILE))
    judged = subject(text, rule.files, root, repo_id=FOR_A_REPO.get(rule.code), profile=profile)
    return [found for found in rule.run(judged) if isinstance(found, Finding)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_tells_its_examples_apart(rule: Rule[CardSubject], tmp_path: Path) -> None:
    assert hits(rule, rule.bad, tmp_path / "bad")
    assert not hits(rule, rule.good, tmp_path / "good")


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fixable], ids=lambda rule: rule.code)
def test_a_fix_mends_the_example_and_brings_nothing_new(rule: Rule[CardSubject], tmp_path: Path) -> None:
    text, repo = rule.bad, FOR_A_REPO.get(rule.code)
    before = findings_of(subject(rule.bad, rule.files, tmp_path / "before", repo_id=repo))
    first = next(found for found in hits(rule, text, tmp_path / "0") if found.fix)
    assert first.fix
    assert first.fix.safe or rule.fixable is Fixable.UNSAFE
    after = findings_of(subject(fixed(text, first), rule.files, tmp_path / "after", repo_id=repo))
    assert Counter(found.rule for found in after)[rule.code] < Counter(found.rule for found in before)[rule.code]
    opt_in = {other.code for other in card_rules if not other.default}
    assert {found.rule for found in after} <= {found.rule for found in before} | opt_in


@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.fixable], ids=lambda rule: rule.code)
def test_a_rule_without_fixes_has_none(rule: Rule[CardSubject], tmp_path: Path) -> None:
    assert not any(found.fix for found in hits(rule, rule.bad, tmp_path))


@pytest.mark.parametrize("rule", list(card_rules), ids=lambda rule: rule.code)
def test_a_rule_says_why_and_where_from(rule: Rule[CardSubject]) -> None:
    assert rule.why
    assert rule.source.startswith("https://")
    assert not rule.hint.endswith(".")


def test_the_families_are_declared() -> None:
    assert {rule.code[:4] for rule in card_rules} >= {"META", "SECT", "TEXT"}
    assert len(CARD_FAMILIES) >= 3
