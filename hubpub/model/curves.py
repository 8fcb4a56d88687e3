"""Numbers that were logged again and again, by step; thinned where there are more than a picture can show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_POINTS = 10_000
"""Points that are kept of a curve; of more, every second, fourth, ... is, and the last one."""

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
        self._every = 1
        self._count = 0
        self._last: tuple[int, int | float] | None = None

    def add(self, step: int, value: int | float) -> None:
        """Take the next point."""
        if self._count % self._every == 0:
            self._points.append((step, value))
            if len(self._points) >= MOST_POINTS:
                del self._points[1::2]
                self._every *= 2
        self._count += 1
        self._last = (step, value)

    def curve(self, name: str, path: str) -> Curve:
        """What was collected; there must have been a point."""
        points = list(self._points)
        if self._last is not None and (not points or points[-1] != self._last):
            points.append(self._last)
        return Curve(name, path, tuple(points), self._count)


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
