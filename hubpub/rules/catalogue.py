"""All rules of both kinds."""

from __future__ import annotations

import difflib
from typing import Any

from hubpub.core.errors import UsageError
from hubpub.core.rule import Rule
from hubpub.rules import card_families, model_families  # noqa: F401 -- importing them declares the rules
from hubpub.rules.registry import card_rules, model_rules
from hubpub.rules.selection import names


def all_rules() -> list[Rule[Any]]:
    """Every rule: those about the model folder first, then those about the card."""
    return [*model_rules, *card_rules]


def find_rule(wanted: str) -> Rule[Any]:
    """The rule of that code or name, in any case.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    rules = all_rules()
    by_key = {rule.code.lower(): rule for rule in rules} | {rule.name: rule for rule in rules}
    found = by_key.get(wanted.lower())
    if found is None:
        near = difflib.get_close_matches(wanted.lower(), by_key, n=1)
        hint = f"did you mean {by_key[near[0]].code} ({by_key[near[0]].name})?" if near else "`hubpub rule` lists all"
        raise UsageError(f"there is no rule {wanted!r}", hint)
    return found


def check_word(word: str) -> None:
    """Refuse a word that names no rule, in whatever way rules are selected.

    Raises:
        UsageError: naming the word, and what was probably meant.
    """
    if not any(names(word, rule.code, rule.name) for rule in all_rules()):
        find_rule(word)
