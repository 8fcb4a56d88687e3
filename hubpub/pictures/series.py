"""Which of the curves of a run are its loss, its learning rate and its evaluations, whatever tool logged them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from hubpub.model.curves import Curve
from hubpub.model.run_facts import RunFacts

# "train/loss" is wandb's and TensorBoard's, "eval_loss" Trainer's, "val_loss" Keras' and Lightning's.
_TRAINING = re.compile(r"(?:train(?:ing)?)[/_.-](.+)", re.IGNORECASE)
_EVALUATION = re.compile(r"(?:eval(?:uation)?|val(?:id(?:ation)?)?|dev|test)[/_.-](.+)", re.IGNORECASE)
_EPOCH = re.compile(r"epoch[/_.-](.+)", re.IGNORECASE)  # Keras, in directories named "train" and "validation"
_RATE = re.compile(r"(?:learning_rate|lr)(?:[/_.-].*)?", re.IGNORECASE)
_LOSS = re.compile(r"(?:(?P<of>.+)[/_.-])?loss(?:_(?:step|epoch))?", re.IGNORECASE)
_MACHINE = re.compile(
    r".*(?:runtime|per_second|_samples|compilation_time|memory|mem_.*delta|timing|_time|num_(?:input_)?tokens.*|_steps?|epoch"
    r"|entropy_coef|preparation_time)",
    re.IGNORECASE,
)
_SIDE = re.compile(r"(?:.*/)?(train|training|validation|valid|val|eval|dev|test)/[^/]+")


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one thing that was logged.

    Attributes:
        name: as the card calls it.
        points: step and value, one for each step, sorted.
        path: the file.
    """

    name: str
    points: tuple[tuple[int, int | float], ...]
    path: str

    @property
    def first(self) -> int | float:
        """The value at the first step."""
        return self.points[0][1]

    @property
    def last(self) -> int | float:
        """The value at the last step."""
        return self.points[-1][1]

    @property
    def lowest(self) -> tuple[int, int | float]:
        """Step and value of the lowest value, the first one."""
        return min(self.points, key=lambda point: (point[1], point[0]))

    @property
    def highest(self) -> tuple[int, int | float]:
        """Step and value of the highest value, the first one."""
        return max(self.points, key=lambda point: (point[1], -point[0]))


@dataclass
class RunSeries:
    """What was logged, by what it is.

    Attributes:
        loss: of the training.
        rate: the learning rate.
        evaluation_losses: "evaluation", or by data set.
        metrics: of evaluations.
    """

    loss: Series | None = None
    rate: Series | None = None
    evaluation_losses: list[Series] = field(default_factory=list)
    metrics: list[Series] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.loss or self.evaluation_losses or self.metrics)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, each once."""
        all_of_them = (self.loss, self.rate, *self.evaluation_losses, *self.metrics)
        return tuple(dict.fromkeys(series.path for series in all_of_them if series))


def run_series(facts: RunFacts) -> RunSeries:
    """The series of the first kind of file that has any, those that say most first."""
    for curves in _sources(facts):
        found = sort_series(curves)
        if found:
            return found
    return RunSeries()


def _sources(facts: RunFacts) -> Iterator[Sequence[Curve]]:
    if facts.states:
        yield facts.states[0].curves
    for recorded in facts.recorded:
        yield recorded.curves
    for run in reversed(facts.wandb):
        yield run.curves
    if facts.trackio_run is not None:
        yield facts.trackio_run.curves
    events = [file for file in facts.events if file.curves]
    if events:
        main = max(events, key=lambda file: sum(curve.count for curve in file.curves))
        side = _SIDE.fullmatch(main.path)
        if side:
            top = main.path[: side.start(1)]
            sides = [
                file for file in events if (found := _SIDE.fullmatch(file.path)) and file.path[: found.start(1)] == top
            ]
            yield [curve for file in sides for curve in file.curves]
        yield main.curves


def sort_series(curves: Iterable[Curve]) -> RunSeries:
    """What each curve is; those of fewer than two steps are no curves, and others than these are left out."""
    found = RunSeries()
    for curve in curves:
        points = _clean(curve)
        if len(points) < 2:
            continue
        evaluation, name = _side_and_name(curve)
        loss = _LOSS.fullmatch(name)
        if not evaluation and _RATE.fullmatch(name):
            found.rate = found.rate or Series("learning rate", points, curve.path)
        elif not evaluation and loss and not loss["of"]:
            found.loss = found.loss or Series("training", points, curve.path)
        elif evaluation and loss:
            label = f"evaluation ({loss['of']})" if loss["of"] else "evaluation"
            found.evaluation_losses.append(Series(label, points, curve.path))
        elif evaluation and not _MACHINE.fullmatch(name):
            found.metrics.append(Series(name, points, curve.path))
    return found


def _side_and_name(curve: Curve) -> tuple[bool, str]:
    """Whether it is of an evaluation, and its name without the word that says so."""
    name = curve.name
    directory = _SIDE.fullmatch(curve.path)
    if keras := _EPOCH.fullmatch(name):
        return bool(directory) and not directory[1].startswith("train"), keras[1]  # type: ignore[index]
    if training := _TRAINING.fullmatch(name):
        return False, training[1]
    if evaluation := _EVALUATION.fullmatch(name):
        return True, evaluation[1]
    return False, name


def _clean(curve: Curve) -> tuple[tuple[int, int | float], ...]:
    """The points in the order of their steps, of each step the last one that was logged, without what is no number."""
    by_step = {step: value for step, value in curve.points if math.isfinite(value) and abs(value) < 1e300}
    return tuple(sorted(by_step.items()))
