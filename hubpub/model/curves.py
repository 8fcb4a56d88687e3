"""Numbers that were logged again and again, by step; thinned where there are more than a picture can show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_POINTS = 10_000
"""Points that are kept of a curve; of more, the lowest and the highest of every few, the first and the last one."""

_MOST_CURVES = 1000


@dataclass(frozen=True, slots=True)
class Curve:
    """What was logged under one name.

    Attributes:
        name: as it was logged.
        path: of the file.
        points: step and value, in the order of the file.
        count: how many there were before thinning.
    """

    name: str
    path: str
    points: tuple[tuple[int, int | float], ...]
    count: int

    @property
    def last(self) -> int | float:
        """The value that was logged last."""
        return self.points[-1][1]


class CurveMaker:
    """Collects one curve within bounds."""

    def __init__(self) -> None:
        self._points: list[tuple[int, int | float]] = []
        self._waiting: list[tuple[int, int | float]] = []
        self._together = 1
        self._count = 0
        self._first: tuple[int, int | float] | None = None
        self._last: tuple[int, int | float] | None = None

    def add(self, step: int, value: int | float) -> None:
        """Take the next point."""
        point = step, value
        if self._first is None:
            self._first = point
        self._count += 1
        self._last = point
        if self._together == 1:
            self._points.append(point)
        else:
            self._waiting.append(point)
            if len(self._waiting) < self._together:
                return
            self._points += extremes(self._waiting)
            self._waiting.clear()
        if len(self._points) >= MOST_POINTS:
            self._points = [
                point for at in range(0, len(self._points), 4) for point in extremes(self._points[at : at + 4])
            ]
            self._together = max(4, 2 * self._together)

    def curve(self, name: str, path: str) -> Curve:
        """What was collected; there must have been a point."""
        points = self._points + extremes(self._waiting)
        if self._first is not None and points[0] != self._first:
            points.insert(0, self._first)
        if self._last is not None and points[-1] != self._last:
            points.append(self._last)
        return Curve(name, path, tuple(points), self._count)


def extremes(points: list[tuple[int, int | float]]) -> list[tuple[int, int | float]]:
    """The lowest and the highest of some points, in their order."""
    if len(points) < 3:
        return list(points)
    values = [value for _, value in points]
    places = sorted((values.index(min(values)), values.index(max(values))))
    return [points[place] for place in dict.fromkeys(places)]


def thinned(points: Sequence[tuple[int, int | float]], most: int) -> tuple[tuple[int, int | float], ...]:
    """At most `most` points: the first, the last, and of every few the lowest and the highest."""
    if len(points) <= most:
        return tuple(points)
    groups = max((most - 2) // 2, 1)
    inner = len(points) - 2
    kept = [points[0]]
    for group in range(groups):
        part = points[1 + group * inner // groups : 1 + (group + 1) * inner // groups]
        values = [value for _, value in part]
        places = {values.index(min(values)), values.index(max(values))}
        kept += [part[place] for place in sorted(places)]
    return (*kept, points[-1])


def curves_of(path: str, points: Iterable[tuple[str, int, int | float]]) -> tuple[Curve, ...]:
    """The curves of points (name, step, value), those that were logged first before others."""
    makers: dict[str, CurveMaker] = {}
    for name, step, value in points:
        maker = makers.get(name)
        if maker is None:
            if len(makers) >= _MOST_CURVES:
                continue
            maker = makers[name] = CurveMaker()
        maker.add(step, value)
    return tuple(maker.curve(name, path) for name, maker in makers.items())
