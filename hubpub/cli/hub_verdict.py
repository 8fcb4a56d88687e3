"""`hubpub lint --hub-only`: what the Hub would answer to a card, without asking it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from hubpub.cli.output import colour, print_json
from hubpub.core.errors import FindingsError

if TYPE_CHECKING:
    from hubpub.card.discover import CardFile
    from hubpub.card.metadata.schema import Verdict

SCHEMA = "hubpub.verdicts/1"

_WORDS = {
    "accept": ("green", "the Hub would accept the card"),
    "warn": ("yellow", "the Hub would accept the card and warn"),
    "reject": ("red", "the Hub would reject the card"),
}


def print_verdicts(cards: Sequence[CardFile], *, as_json: bool, exit_zero: bool) -> int:
    """Print the Hub's answer to each card; returns the exit code, 1 when it would reject one."""
    from hubpub.card.metadata.schema import validate_card

    verdicts = [(card.name, validate_card(card.content.decode("utf-8", "replace"))) for card in cards]
    if as_json:
        print_json({"schema": SCHEMA, "cards": [_to_json(name, verdict) for name, verdict in verdicts]})
    else:
        for name, verdict in verdicts:
            _show(name, verdict)
    rejected = any(verdict.errors for _, verdict in verdicts)
    return FindingsError.exit_code if rejected and not exit_zero else 0


def _word(verdict: Verdict) -> str:
    if verdict.errors:
        return "reject"
    return "warn" if verdict.warnings else "accept"


def _to_json(name: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "path": name,
        "verdict": _word(verdict),
        "errors": [{"message": message} for message in verdict.errors],
        "warnings": [{"message": message} for message in verdict.warnings],
    }


def _show(name: str, verdict: Verdict) -> None:
    from hubpub.report.excerpt import printable

    word = _word(verdict)
    hue, sentence = _WORDS[word]
    click.echo(f"{colour(word, hue)}: {printable(name)}: {sentence}")
    for message in verdict.errors:
        click.echo(f"  {colour('error', 'red')} {printable(message)}")
    for message in verdict.warnings:
        click.echo(f"  {colour('warning', 'yellow')} {printable(message)}")
