"""`hubpub card PATH --facts`: what the files tell of a model, and where each of it stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from hubpub.card.facts.fact_list import facts_json, list_facts
from hubpub.cli.output import print_json

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts

_LONGEST = 100


def print_facts(facts: CardFacts, *, as_json: bool) -> None:
    """Print each fact, its value and the place that it comes from.

    Args:
        facts: what is known.
        as_json: in the schema `hubpub.facts/1`.
    """
    if as_json:
        print_json(facts_json(facts))
        return
    for fact in list_facts(facts):
        click.echo(f"{click.style(_line(fact.name), bold=True)} = {_shown(fact.value)}  ({_line(fact.source)})")


def _shown(value: Any) -> str:
    return _line(json.dumps(value, ensure_ascii=False))


def _line(text: str) -> str:
    """Text of the folder in one line, without what would move the cursor or colour the terminal."""
    plain = "".join(char if char.isprintable() else " " for char in text[: _LONGEST + 1])
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
