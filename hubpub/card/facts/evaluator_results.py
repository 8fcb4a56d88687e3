"""The evaluations that sentence-transformers kept in CSV files, for a card to tell when no other file does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hubpub.card.facts.evaluation_log import MOST_COLUMNS, EvaluationLog, EvaluationRow, evenly
from hubpub.card.facts.sourced import Value, value_of

if TYPE_CHECKING:
    from hubpub.model.evaluator_tables import EvaluatorTable
    from hubpub.model.files import Fact

MOST_TABLES = 10
"""Evaluators whose results a card shows."""


def evaluator_log(tables: Sequence[EvaluatorTable]) -> EvaluationLog:
    """The evaluations during the training, when there is one evaluator that made several."""
    rows = [row for row in tables[0].rows if row.step is not None] if len(tables) == 1 else []
    if len(rows) < 2:
        return EvaluationLog()
    columns = tuple(fact.name for fact in rows[-1].metrics)[:MOST_COLUMNS]
    kept = []
    for place in evenly(len(rows), ()):
        known = {fact.name: value_of(fact) for fact in rows[place].metrics}
        step, epoch = rows[place].step, rows[place].epoch
        kept.append(EvaluationRow(_value(step, "step"), _value(epoch), None, tuple(map(known.get, columns))))
    return EvaluationLog(columns, tuple(kept), len(rows), tables[0].path, "")


def _value(fact: Fact | None, name: str = "") -> Value | None:
    return None if fact is None else value_of(fact, name)
