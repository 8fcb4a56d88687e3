"""What a picture shows, as plain data that a child process draws; its hash tells whether a drawing is current."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import asdict, dataclass

LONGEST_LABEL = 32
"""Characters of a label in a picture; longer ones are cut."""

# Another number when the same data are drawn otherwise.
_STYLE = 1


@dataclass(frozen=True, slots=True)
class Line:
    """A line.

    Attributes:
        label: written at its end.
        points: step and value, sorted by step.
        dots: whether each point is marked, as those of evaluations.
        mean_of: how many points are averaged for a calm line in front of the points; 0 for none.
    """

    label: str
    points: tuple[tuple[float, float], ...]
    dots: bool = False
    mean_of: int = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines that share their axes.

    Attributes:
        title: what is measured.
        lines: at most five.
        logarithmic: whether the values are on a logarithmic scale.
        low: whether the panel is only half as high.
    """

    title: str
    lines: tuple[Line, ...]
    logarithmic: bool = False
    low: bool = False


@dataclass(frozen=True, slots=True)
class Curves:
    """Panels above each other, by step."""

    panels: tuple[Panel, ...]
    kind: str = "curves"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix: a row for each true label."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    kind: str = "matrix"


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar.

    Attributes:
        label: what was measured.
        value: how long it is.
        shown: the value as it is written.
        error: standard error, 0 for none.
    """

    label: str
    value: float
    shown: str
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars below each other.

    Attributes:
        title: what is measured.
        bars: from top to bottom.
        most: the end of the scale, which begins at 0.
    """

    title: str
    bars: tuple[Bar, ...]
    most: float
    kind: str = "bars"


Figure = Curves | Matrix | Bars


def figure_json(figure: Figure) -> str:
    """The figure as JSON, always the same for the same figure."""
    return json.dumps(asdict(figure), sort_keys=True, separators=(",", ":"))


def figure_hash(figure: Figure) -> str:
    """16 hex digits that differ when the figure, or how it is drawn, does."""
    return hashlib.sha256(f"{_STYLE}\n{figure_json(figure)}".encode()).hexdigest()[:16]


def label_text(text: str, longest: int = LONGEST_LABEL) -> str:
    """Text of a file as a label: one line without invisible characters, cut to a length."""
    kept = "".join(
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in text[: 4 * longest]
        if unicodedata.category(char) not in ("Cf", "Cs", "Co", "Cn")
    )
    line = " ".join(kept.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
