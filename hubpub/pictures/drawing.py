"""Drawing with matplotlib, in a child process: the request is what `figures.py` describes, the answer is SVG.

Only the child imports this module. It starts in an empty directory and with matplotlib's defaults, so that no
matplotlibrc and no setting of the user changes a picture, and it draws without pyplot.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import AutoMinorLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from hubpub.pictures.svg import SERIES, clean_svg, light

_WIDTH = 720  # pixels, as all that follow
_DPI = 72
_TEXT, _SMALL = 12.5, 11.5
_CHARACTER = 6.8  # of text on the average, with some to spare
_LEFT, _TOP, _BOTTOM, _GAP = 62, 40, 50, 46
_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "hubpub",
    "text.parse_math": False,
    "text.usetex": False,
    "font.family": "DejaVu Sans",  # that everybody has with matplotlib: the layout is always the same
    "font.size": _TEXT,
    "axes.linewidth": 0.8,
    "path.simplify": False,
    "axes.unicode_minus": True,
}


def draw(request: Mapping[str, Any]) -> list[str]:
    """The SVG of each figure of the request, as `figures.figure_json` describes it."""
    kinds = {"curves": _curves, "matrix": _matrix, "bars": _bars}
    matplotlib.rcdefaults()
    with matplotlib.rc_context(_SETTINGS):
        return [clean_svg(_svg(kinds[figure["kind"]](figure))).decode() for figure in request["figures"]]


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _figure(height: float, width: float = _WIDTH) -> Figure:
    width, height = round(width), round(height)
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    figure.patch.set_visible(False)
    figure.add_artist(
        FancyBboxPatch(
            (0.5 / width, 0.5 / height),
            1 - 1 / width,
            1 - 1 / height,
            boxstyle=f"round,pad=0,rounding_size={8 / width}",
            mutation_aspect=width / height,
            facecolor=light("background"),
            edgecolor=light("border"),
            linewidth=1,
            transform=figure.transFigure,
            zorder=-1,
        )
    )
    return figure


def _axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes by their place in pixels from the left and the top, and their size."""
    across, whole = figure.get_figwidth() * _DPI, figure.get_figheight() * _DPI
    axes = figure.add_axes((left / across, 1 - (top + height) / whole, width / across, height / whole))
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelsize=_SMALL, labelcolor=light("muted"), pad=6)
    return axes


def _title(figure: Figure, text: str, top: float, left: float = 20) -> None:
    figure.text(
        left / (figure.get_figwidth() * _DPI),
        1 - top / (figure.get_figheight() * _DPI),
        text,
        fontsize=_TEXT,
        fontweight="bold",
        color=light("text"),
        va="baseline",
    )


def _curves(spec: Mapping[str, Any]) -> Figure:
    heights = [92 if panel["low"] else 196 for panel in spec["panels"]]
    total = _TOP + sum(heights) + _GAP * (len(heights) - 1) + _BOTTOM
    figure = _figure(total)
    longest = max(len(line["label"]) for panel in spec["panels"] for line in panel["lines"])
    right = min(max(24 + _CHARACTER * longest, 40), 250)
    steps = [point[0] for panel in spec["panels"] for line in panel["lines"] for point in line["points"]]
    first, last = min(steps), max(steps)
    top: float = _TOP
    for panel, height in zip(spec["panels"], heights, strict=True):
        axes = _axes(figure, _LEFT, top, _WIDTH - _LEFT - right, height)
        _title(figure, panel["title"], top - 14)
        if panel["logarithmic"]:
            axes.set_yscale("log")
        _lines(axes, panel["lines"], height)
        margin = (last - first) * 0.012 or 0.5
        axes.set_xlim(first - margin, last + margin)
        _value_axis(axes, panel["logarithmic"], low=panel["low"])
        axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True, steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(_step))
        lowest = panel is spec["panels"][-1]
        axes.tick_params(axis="x", labelbottom=lowest)
        axes.spines["bottom"].set_visible(True)
        axes.spines["bottom"].set_color(light("border"))
        top += height + _GAP
    figure.text(
        (_WIDTH - right) / _WIDTH,
        16 / total,
        "Step",
        fontsize=_SMALL,
        color=light("muted"),
        ha="right",
        va="baseline",
    )
    return figure


def _value_axis(axes: Axes, logarithmic: bool, *, low: bool) -> None:
    axes.grid(axis="y", color=light("grid"), linewidth=1)
    if logarithmic:
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(LogLocator(base=10, numticks=5))
        return
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3 if low else 6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_minor_locator(AutoMinorLocator(1))
    axes.yaxis.set_major_formatter(FuncFormatter(_tick))


def _tick(value: float, _: Any = None) -> str:
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e6:
        mantissa, _, exponent = f"{value:.4e}".partition("e")
        return f"{float(mantissa):g}e{int(exponent)}".replace("-", "\N{MINUS SIGN}")
    return f"{value:,.6g}".replace("-", "\N{MINUS SIGN}") if abs(value) < 1e4 else f"{value:,.0f}"


def _step(value: float, _: Any = None) -> str:
    return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.3g}"


def _lines(axes: Axes, lines: Sequence[Mapping[str, Any]], height: float) -> None:
    ends = []
    for line, colour in zip(lines, SERIES, strict=False):
        xs = [point[0] for point in line["points"]]
        ys = [point[1] for point in line["points"]]
        if line["mean_of"]:
            axes.plot(xs, ys, color=light("faint"), linewidth=1, zorder=2)
            ys = _means(ys, line["mean_of"])
        marker = {"marker": "o", "markersize": 5 if len(xs) <= 40 else 3, "markeredgewidth": 0} if line["dots"] else {}
        axes.plot(xs, ys, color=light(colour), linewidth=2, solid_capstyle="round", zorder=3, **marker)  # type: ignore[arg-type]
        ends.append((xs[-1], ys[-1], line["label"], colour))
    if len(lines) == 1 and len(lines[0]["points"]) == 1:
        axes.margins(y=0.5)
    _end_labels(axes, ends, height)


def _means(values: Sequence[float], window: int) -> list[float]:
    """Each value's mean with its neighbours on both sides; at the ends there are fewer of them."""
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    reach, count = window // 2, len(values)
    spans = ((max(place - reach, 0), min(place + reach + 1, count)) for place in range(count))
    return [(sums[end] - sums[start]) / (end - start) for start, end in spans]


def _end_labels(axes: Axes, ends: Sequence[tuple[float, float, str, str]], height: float) -> None:
    """Each line's name beside its end, moved apart where they would cover each other."""
    axes.get_ylim()  # settles the limits
    axes.autoscale_view()
    bottom = axes.transAxes.transform((0, 0))[1]
    places = sorted((axes.transData.transform((x, y))[1] - bottom, x, y, label, colour) for x, y, label, colour in ends)
    apart = 15.0
    at = [place[0] for place in places]
    for index in range(1, len(at)):
        at[index] = max(at[index], at[index - 1] + apart)
    over = at[-1] - (height + 4) if at else 0
    if over > 0:
        at[-1] -= over
        for index in range(len(at) - 2, -1, -1):
            at[index] = min(at[index], at[index + 1] - apart)
    for moved, (own, _, y, label, colour) in zip(at, places, strict=True):
        axes.annotate(
            label,
            xy=(1, y),
            xycoords=axes.get_yaxis_transform(),
            xytext=(8, moved - own),
            textcoords="offset points",
            va="center_baseline",
            fontsize=_TEXT,
            color=light(colour),
            annotation_clip=False,
        )


def _matrix(spec: Mapping[str, Any]) -> Figure:
    labels, counts = spec["labels"], spec["counts"]
    size = len(labels)
    side = 64 if size <= 4 else 52 if size <= 8 else 34
    longest = max(map(len, labels)) * _CHARACTER
    left = 34 + longest
    slanted = longest > side - 6
    below = 34 + (0.5 * longest + 14 if slanted else 14)
    figure = _figure(_TOP + size * side + below + 12, max(left + size * side + 24, 240))
    axes = _axes(figure, left, _TOP, size * side, size * side)
    _title(figure, "True label", _TOP - 14)
    for row, values in enumerate(counts):
        whole = sum(values)
        for column, count in enumerate(values):
            level = 0 if not count else 1 + min(int(6 * count / whole), 5)
            axes.add_patch(_cell(column, row, light(f"cell{level}")))
            axes.text(
                column + 0.5,
                row + 0.5,
                _count(count, size),
                ha="center",
                va="center_baseline",
                fontsize=_TEXT if size <= 8 else 10,
                color=light(f"ink{level}"),
            )
    axes.set_xlim(0, size)
    axes.set_ylim(size, 0)
    places = [place + 0.5 for place in range(size)]
    axes.set_yticks(places, labels, color=light("text"))
    axes.set_xticks(
        places,
        labels,
        color=light("text"),
        rotation=40 if slanted else 0,
        ha="right" if slanted else "center",
        rotation_mode="anchor",
    )
    _title(figure, "Predicted label", _TOP + size * side + below, left)
    return figure


def _cell(column: int, row: int, colour: str) -> FancyBboxPatch:
    return FancyBboxPatch(
        (column + 0.02, row + 0.02),
        0.96,
        0.96,
        boxstyle="square,pad=0",
        facecolor=colour,
        edgecolor="none",
    )


def _count(count: int, size: int) -> str:
    """A count that fits into its cell."""
    if count < 10_000 if size <= 8 else count < 1000:
        return f"{count:,}"
    for unit, name in ((1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")):
        if count >= unit:
            return f"{count / unit:.3g}{name}" if size <= 8 else f"{count / unit:.2g}{name}"
    return str(count)


def _bars(spec: Mapping[str, Any]) -> Figure:
    bars = spec["bars"]
    pitch = 30 if len(bars) <= 12 else 22
    longest = max(len(bar["label"]) for bar in bars)
    left = 34 + _CHARACTER * longest
    height = pitch * len(bars)
    figure = _figure(_TOP + height + 44)
    right = 28 + _CHARACTER * max(len(bar["shown"]) for bar in bars)
    axes = _axes(figure, left, _TOP, _WIDTH - left - right, height)
    _title(figure, spec["title"], _TOP - 14)
    axes.grid(axis="x", color=light("grid"), linewidth=1)
    for place, bar in enumerate(bars):
        axes.barh(place, bar["value"], height=0.62, color=light("blue"), linewidth=0, zorder=2)
        end = bar["value"]
        if bar["error"]:
            end = bar["value"] + bar["error"]
            axes.plot([bar["value"] - bar["error"], end], [place, place], color=light("text"), linewidth=1.4, zorder=3)
        axes.annotate(
            bar["shown"],
            xy=(end, place),
            xytext=(7, 0),
            textcoords="offset points",
            va="center_baseline",
            color=light("text"),
            fontsize=_TEXT,
            annotation_clip=False,
        )
    axes.set_xlim(0, spec["most"])
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_yticks(range(len(bars)), [bar["label"] for bar in bars], color=light("text"))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))
    return figure
