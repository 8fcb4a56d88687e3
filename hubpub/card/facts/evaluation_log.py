"""The evaluations that a run logged, as rows of a table that a card has room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubpub.card.facts.sourced import Value
from hubpub.card.facts.training import logged_values, metrics_of

if TYPE_CHECKING:
    from hubpub.model.trainer_state import LogEntry, TrainerState

MOST_ROWS = 20
"""Evaluations that the table shows; of more, some from the first to the last, and the best."""

MOST_COLUMNS = 6
"""Metrics that the table shows, the loss first."""


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """One evaluation.

    Attributes:
        step: after which it was made.
        epoch: how far the run was.
        training_loss: as it was logged last before.
        metrics: in the order of the columns; None where there is none.
        best: whether the best metric is of this one.
    """

    step: Value | None
    epoch: Value | None
    training_loss: Value | None
    metrics: tuple[Value | None, ...]
    best: bool = False


@dataclass(frozen=True, slots=True)
class EvaluationLog:
    """The evaluations of a run.

    Attributes:
        columns: names of the metrics, the loss first.
        rows: at most `MOST_ROWS`.
        total: how many evaluations there were.
        path: of the file.
        key: where in it the evaluations are.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[EvaluationRow, ...] = ()
    total: int = 0
    path: str = ""
    key: str = "log_history"

    def __bool__(self) -> bool:
        return bool(self.rows)


def evaluation_log(state: TrainerState | None) -> EvaluationLog:
    """The evaluations in a log; those of one step, on several sets, are one row."""
    if state is None:
        return EvaluationLog()
    merged: dict[int, dict[str, Value]] = {}
    order: list[LogEntry] = []
    for entry in state.evaluations:
        if entry.step is None:
            continue
        if entry.step not in merged:
            order.append(entry)
        values = logged_values(state, entry)
        merged.setdefault(entry.step, {}).update(values)
    if len(order) < 2:
        return EvaluationLog()  # a single one is told with the results
    best = state.best_evaluation
    kept = _kept(order, best.step if best else None)
    names = dict.fromkeys(metric.name for entry in kept for metric in metrics_of(merged[entry.step or 0]))
    columns = tuple(sorted(names, key=lambda name: name != "loss"))[:MOST_COLUMNS]
    rows = []
    for entry in kept:
        values = merged[entry.step or 0]
        metrics = {metric.name: metric for metric in metrics_of(values)}
        rows.append(
            EvaluationRow(
                step=Value("step", entry.step or 0, f"{state.path}: log_history.{entry.index}.step"),
                epoch=values.get("epoch"),
                training_loss=_loss_before(state, entry),
                metrics=tuple(metrics.get(name) for name in columns),
                best=best is not None and entry.step == best.step,
            )
        )
    return EvaluationLog(columns, tuple(rows), len(order), state.path)


def _kept(entries: Sequence[LogEntry], best: int | None) -> list[LogEntry]:
    """Of too many, evenly chosen ones with the first, the last and the best."""
    wanted = [place for place, entry in enumerate(entries) if best is not None and entry.step == best]
    return [entries[place] for place in evenly(len(entries), wanted)]


def evenly(count: int, wanted: Sequence[int]) -> list[int]:
    """At most `MOST_ROWS` places of `count`, evenly from the first to the last, and one that is wanted."""
    if count <= MOST_ROWS:
        return list(range(count))
    most = MOST_ROWS - 1
    return sorted({round(number * (count - 1) / (most - 1)) for number in range(most)} | set(wanted[:1]))


def _loss_before(state: TrainerState, evaluation: LogEntry) -> Value | None:
    """The training loss that was logged last before an evaluation; that after a step may be logged behind it."""
    for entry in reversed(state.log[: evaluation.index + 1]):
        if "loss" in entry.values and (entry.step or 0) <= (evaluation.step or 0):
            found = logged_values(state, entry)["loss"]
            return Value("training_loss", found.value, found.source)
    return None
