"""What `hubpub.training` recorded of a run, in place of files that no Trainer has written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from hubpub.card.facts.evaluation_log import MOST_COLUMNS, EvaluationLog, EvaluationRow, evenly
from hubpub.card.facts.sourced import Value, source_of, value_of
from hubpub.card.facts.training import metrics_of

if TYPE_CHECKING:
    from hubpub.model.hubpub_run import RecordedEvaluation, RecordedRun
    from hubpub.model.run_facts import RunFacts

_OUTCOME = (
    ("Epochs", "epochs"),
    ("Steps", "steps"),
    ("Training time in seconds", "seconds"),
    ("Floating point operations", "total_flos"),
)
# What the arguments say under another name is not told twice.
_COMPONENTS = {"optimizer": "optim", "scheduler": "lr_scheduler_type", "loss": "loss"}


def recorded_run(run: RunFacts) -> RecordedRun | None:
    """The record of the whole folder; one further down is of another model or of a checkpoint."""
    return next((recorded for recorded in run.recorded if "/" not in recorded.path), None)


def recorded_settings(recorded: RecordedRun | None, named: Collection[str]) -> Iterator[Value]:
    """The seed and the classes of loss, optimizer and scheduler, but for what is named already."""
    if recorded is None:
        return
    seed = recorded.fact("seed")
    if seed is not None and "seed" not in named:
        yield value_of(seed)
    for fact in recorded.components:
        if fact.name in _COMPONENTS and _COMPONENTS[fact.name] not in named:
            yield value_of(fact)


def recorded_outcome(recorded: RecordedRun | None, named: Collection[str]) -> Iterator[Value]:
    """How far it went and what it took, but for what is named already."""
    if recorded is None:
        return
    for name, key in _OUTCOME:
        fact = recorded.seconds if key == "seconds" else recorded.fact(key)
        if fact is not None and fact.value and name not in named:
            yield value_of(fact, name)


def recorded_metrics(recorded: RecordedRun | None) -> tuple[tuple[Value, ...], Value | None]:
    """The metrics of the evaluation that is of the saved weights, and the step after which it was made."""
    if recorded is None or not recorded.evaluations:
        return (), None
    index = _of_the_weights(recorded)
    return _metrics(recorded.evaluations[index]), _step(recorded, index)


def recorded_split(recorded: RecordedRun | None) -> tuple[str, Value | None]:
    """The split of the last evaluation, where it is one that was recorded, and its number of rows."""
    on = recorded.evaluations[_of_the_weights(recorded)].data if recorded and recorded.evaluations else None
    named = [split for data in (recorded.data if recorded else ()) for split in data.splits if split.name == on]
    if on is None or len(named) != 1:
        return "evaluation", None
    rows = named[0].rows
    return on, None if rows is None else Value("samples", rows, source_of(named[0].path, named[0].key))


def recorded_log(recorded: RecordedRun | None) -> EvaluationLog:
    """The evaluations as a table, when there are several with a step."""
    told = [
        (index, step, _metrics(evaluation))
        for index, evaluation in enumerate(recorded.evaluations if recorded else ())
        if recorded and (step := _step(recorded, index)) is not None
    ]
    if recorded is None or len(told) < 2:
        return EvaluationLog()
    kept = [told[place] for place in evenly(len(told), ())]
    names = dict.fromkeys(metric.name for _, _, metrics in kept for metric in metrics)
    columns = tuple(sorted(names, key=lambda name: name != "loss"))[:MOST_COLUMNS]
    rows = []
    for _, step, metrics in kept:
        known: Mapping[str, Value] = {metric.name: metric for metric in metrics}
        rows.append(EvaluationRow(step, None, None, tuple(known.get(name) for name in columns)))
    return EvaluationLog(columns, tuple(rows), len(told), recorded.path, "evaluations")


def _of_the_weights(recorded: RecordedRun) -> int:
    """The last evaluation; that of the best checkpoint, where its weights were loaded and nothing measured since."""
    steps = [evaluation.step for evaluation in recorded.evaluations]
    loaded = recorded.config.setting("load_best_model_at_end") if recorded.config else None
    best = recorded.fact("best_checkpoint")
    number = str(best.value).rpartition("-")[2] if best is not None else ""
    if loaded is not None and loaded.value is True and steps.count(steps[-1]) == 1 and number.isdecimal():
        return steps.index(int(number)) if int(number) in steps else len(steps) - 1
    return len(steps) - 1


def _metrics(evaluation: RecordedEvaluation) -> tuple[Value, ...]:
    """Those with the Trainer's prefix, else all: a loop has its own names."""
    values = {fact.name: value_of(fact) for fact in evaluation.metrics}
    return metrics_of(values) or metrics_of(values, "")


def _step(recorded: RecordedRun, index: int) -> Value | None:
    step = recorded.evaluations[index].step
    return None if step is None else Value("step", step, source_of(recorded.path, f"evaluations.{index}.step"))
