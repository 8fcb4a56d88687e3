"""Which pictures a model folder is good for: their data, their captions, and texts that say in words what they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubpub.model.curves import thinned
from hubpub.pictures.figures import Curves, Figure, Line, Panel, figure_hash, label_text
from hubpub.pictures.matrix import matrix_picture
from hubpub.pictures.picture import PICTURE_FOLDER, Picture
from hubpub.pictures.scores import score_picture
from hubpub.pictures.series import RunSeries, Series, run_series
from hubpub.pictures.words import number, sources, step

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

_MOST_POINTS = 500
_MOST_LINES = 5
_MOST_PANELS = 4
_CALMED_FROM = 150  # points; of so many a line jumps more than it tells
_DOTS_UP_TO = 120


@dataclass(frozen=True, slots=True)
class Planned:
    """A picture that is not drawn yet.

    Attributes:
        picture: without content.
        figure: what is drawn.
    """

    picture: Picture
    figure: Figure

    @property
    def hash(self) -> str:
        """That of the figure."""
        return figure_hash(self.figure)


def plan_pictures(folder: ModelFolder) -> tuple[Planned, ...]:
    """The pictures that the files of `folder` are enough for, in the order of the card."""
    series = run_series(folder.run_facts)
    return tuple(
        Planned(Picture(f"{PICTURE_FOLDER}/{name}.svg", alt, caption, section), figure)
        for name, alt, caption, section, figure in (
            *_training_curves(series),
            *_evaluation_curves(series),
            *score_picture(folder.run_facts, drawn=len(series.metrics) > 0),
            *matrix_picture(folder.predictions[0]),
        )
    )


def _training_curves(series: RunSeries) -> Iterator[tuple[str, str, str, str, Figure]]:
    """Losses, and below them the learning rate."""
    losses = [one for one in (series.loss, *series.evaluation_losses[: _MOST_LINES - 1]) if one]
    if not losses:
        return
    panels = [_panel("Loss", losses, training=series.loss)]
    said = [
        _course("Training loss" if one is series.loss else f"{one.name.capitalize()} loss", one, best="lowest")
        for one in losses
    ]
    what = "Loss in training" if series.loss else "Loss"
    what += " and evaluation, by step" if series.evaluation_losses and series.loss else ", by step"
    if series.rate:
        panels.append(_panel("Learning rate", [series.rate], low=True))
        said.append(_course("Learning rate", series.rate, best="highest"))
        what += "; below it the learning rate"
    mean = panels[0].lines[0].mean_of
    calmed = "; the strong line is a moving average of the training loss" if mean else ""
    left_out = len(series.evaluation_losses) - (len(losses) - (series.loss is not None))
    more = f" {left_out} more evaluation losses are not shown." if left_out else ""
    yield (
        "training-curves",
        " ".join(said) + more,
        f"{what}{calmed}. From {sources(_paths(losses, series.rate))}.",
        "training-procedure",
        Curves(tuple(panels)),
    )


def _evaluation_curves(series: RunSeries) -> Iterator[tuple[str, str, str, str, Figure]]:
    """Metrics of evaluations: those from 0 to 1 together, others in panels of their own."""
    shares = [one for one in series.metrics if one.lowest[1] >= 0 and one.highest[1] <= 1]
    others = [one for one in series.metrics if one not in shares]
    groups = [shares[:_MOST_LINES]] if shares else []
    groups += [[one] for one in others[: _MOST_PANELS - len(groups)]]
    if not groups:
        return
    shown = [one for group in groups for one in group]
    panels = tuple(
        _panel(label_text(group[0].name) if len(group) == 1 else "Metrics", group, low=len(groups) > 2)
        for group in groups
    )
    left_out = len(series.metrics) - len(shown)
    more = f" {left_out} more metrics are not shown." if left_out else ""
    yield (
        "evaluation-curves",
        " ".join(_course(label_text(one.name), one) for one in shown) + more,
        f"Evaluation during the training, by step. From {sources(_paths(shown))}.",
        "evaluation-results",
        Curves(panels),
    )


def _panel(title: str, group: Sequence[Series], *, training: Series | None = None, low: bool = False) -> Panel:
    values = [value for one in group for _, value in one.points]
    logarithmic = not low and min(values) > 0 and max(values) / min(values) >= 100
    return Panel(
        title + (", logarithmic" if logarithmic else ""),
        tuple(_line(one, alone=len(group) == 1, training=one is training) for one in group),
        logarithmic,
        low,
    )


def _line(series: Series, *, alone: bool, training: bool) -> Line:
    points = thinned(series.points, _MOST_POINTS)
    name = number(series.last) if alone and not training else f"{label_text(series.name, 22)} {number(series.last)}"
    mean_of = max(len(points) // 40, 5) if training and len(points) >= _CALMED_FROM else 0
    return Line(
        name,
        points,
        dots=not training and len(points) <= _DOTS_UP_TO and series.name != "learning rate",
        mean_of=mean_of,
    )


def _course(what: str, series: Series, *, best: str = "") -> str:
    """A sentence: where a line begins and ends, and its best value; where nobody says which is best, both extremes.

    Args:
        what: the name of the line.
        series: its points.
        best: "lowest" or "highest".
    """
    extremes = {"lowest": series.lowest, "highest": series.highest}
    if best:
        extremes = {best: extremes[best]}
    said = []
    for point in (series.points[0], series.points[-1]):
        name = next((name for name, extreme in extremes.items() if extreme == point), None)
        said.append(f"{number(point[1])} at step {step(point[0])}{f' ({name})' if name else ''}")
    ends = (series.points[0], series.points[-1])
    said += [
        f"{name} {number(point[1])} at step {step(point[0])}" for name, point in extremes.items() if point not in ends
    ]
    return f"{what}: {', '.join(said)}."


def _paths(shown: Sequence[Series], *more: Series | None) -> list[str]:
    return list(dict.fromkeys(one.path for one in (*shown, *more) if one))
