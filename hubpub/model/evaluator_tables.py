"""The CSV files that the evaluators of sentence-transformers keep: one row for each evaluation.

They are `eval/<kind>_<name>_results.csv` beside the model, and begin with the columns epoch and steps:
https://github.com/huggingface/sentence-transformers/tree/main/sentence_transformers/evaluation
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from hubpub.core.pattern import Pattern
from hubpub.model.files import Fact, Files, Unread, finite

_NAME = Pattern(r"(?P<stem>[\w.@-]{1,200}?)_results(?:_?@\d{1,6})?\.csv", re.IGNORECASE, clues=("_results",))
_KIND = Pattern(
    r".*(?:evaluation|evaluator)(?:_(?P<name>.+))?|(?P<other>.+)",
    re.IGNORECASE,
)
_LIMIT = 4 << 20
_MOST_ROWS = 20_000
_MOST_COLUMNS = 200
_LONGEST_COLUMN = 100
_FIRST = ["epoch", "steps"]


@dataclass(frozen=True, slots=True)
class EvaluatorRow:
    """One evaluation: the epoch and the step after which it was made, where they are told, and its metrics."""

    epoch: Fact | None
    step: Fact | None
    metrics: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class EvaluatorTable:
    """The evaluations of one evaluator.

    Attributes:
        path: of the file.
        name: that the evaluator was given; None when it was given none.
        rows: in order; an evaluation that was written twice is there once.
    """

    path: str
    name: str | None
    rows: tuple[EvaluatorRow, ...]


def read_evaluator_tables(files: Files) -> tuple[tuple[EvaluatorTable, ...], tuple[Unread, ...]]:
    """The tables beside the model and in its `eval` directory; those further down are of checkpoints."""
    found, unread = [], []
    for entry in files.named(_NAME):
        if entry.path.rpartition("/")[0] not in ("", "eval"):
            continue
        if entry.size > _LIMIT:
            unread.append(Unread(entry.path, f"is {entry.size:,} bytes; at most {_LIMIT:,} are read"))
            continue
        table = parse_evaluator_table(files.start(entry.path, _LIMIT), entry.path)
        found += [table] if table else []
    return tuple(found), tuple(unread)


def parse_evaluator_table(data: bytes, path: str) -> EvaluatorTable | None:
    """The table in a file; None when it is none, as other programs have files of such names too."""
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig", "replace"), newline=""))
    try:
        columns = next(reader, [])
        if columns[:2] != _FIRST or len(columns) > _MOST_COLUMNS:
            return None
        rows: list[EvaluatorRow] = []
        line, before = reader.line_num + 1, None
        for row in reader:
            if row != before and len(row) == len(columns) and len(rows) < _MOST_ROWS:
                rows += _row(columns, row, path, line)
            line, before = reader.line_num + 1, row
    except csv.Error:
        return None
    match = _NAME.fullmatch(path.rpartition("/")[2])
    kind = _KIND.fullmatch(match["stem"]) if match else None
    return EvaluatorTable(path, (kind["name"] or kind["other"]) if kind else None, tuple(rows)) if rows else None


def _row(columns: list[str], row: list[str], path: str, line: int) -> list[EvaluatorRow]:
    numbers = {
        name: Fact(name, number, path, name, line)
        for name, text in zip(columns, row, strict=True)
        if 0 < len(name) <= _LONGEST_COLUMN and name.isprintable() and (number := _number(text)) is not None
    }
    # -1 stands for an evaluation outside of a training
    epoch, step = (
        fact if fact is not None and isinstance(fact.value, int | float) and fact.value >= 0 else None
        for fact in (numbers.pop("epoch", None), numbers.pop("steps", None))
    )
    return [EvaluatorRow(epoch, step, tuple(numbers.values()))] if numbers else []


def _number(text: str) -> int | float | None:
    if len(text) > 40:
        return None
    try:
        return finite(int(text) if text.lstrip("-").isdecimal() else float(text))
    except ValueError:
        return None
