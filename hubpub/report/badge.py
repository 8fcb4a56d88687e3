"""A badge of how many sections of a card are filled: a flat picture, or the data for shields.io to draw it."""

from __future__ import annotations

from typing import Any

from hubpub.core.wording import counted

LABEL = "model card"
_COLOURS = (
    (1.0, "#2e7d32", "brightgreen"),
    (0.7, "#5b7a00", "green"),
    (0.4, "#a65f00", "yellow"),
    (0.0, "#b3261e", "red"),
)
_LABEL_COLOUR = "#4a4a4a"
_HEIGHT, _PADDING, _BASELINE = 20, 6, 14
_FONT = "Verdana,DejaVu Sans,Geneva,sans-serif"
# widths in Verdana at 11 pixels; textLength fits the text to them where another font is used
_WIDTHS = {
    " ": 3.9,
    "1": 7.0,
    "/": 5.0,
    ",": 4.0,
    "i": 3.0,
    "l": 3.0,
    "r": 4.7,
    "f": 3.9,
    "t": 4.3,
    "m": 10.7,
    "c": 5.7,
    "s": 5.7,
}
_WIDTH = 6.9


def badge_svg(filled: int, total: int) -> str:
    """A picture that says "model card | 5/7 sections", readable without any font, script or request of its own.

    Args:
        filled: how many sections are filled.
        total: how many there are.
    """
    value = _value(filled, total)
    left, right = (round(_text_width(text)) + 2 * _PADDING for text in (LABEL, value))
    colour = _colour(filled, total)[1]
    title = f"{LABEL}: {filled} of {counted(total, 'section')} filled"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" '
        f'viewBox="0 0 {left + right} {_HEIGHT}" role="img" aria-label="{title}">\n'
        f"<title>{title}</title>\n"
        f'<path fill="{_LABEL_COLOUR}" d="M3 0h{left - 3}v{_HEIGHT}H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z"/>'
        f'<path fill="{colour}" d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{left}z"/>\n'
        f'<g fill="#fff" font-family="{_FONT}" font-size="11" text-anchor="middle" aria-hidden="true">'
        f"{_text(LABEL, left / 2)}{_text(value, left + right / 2)}</g>\n"
        "</svg>\n"
    )


def badge_json(filled: int, total: int) -> dict[str, Any]:
    """What https://shields.io/badges/endpoint-badge reads."""
    return {
        "schemaVersion": 1,
        "label": LABEL,
        "message": _value(filled, total),
        "color": _colour(filled, total)[2],
    }


def _value(filled: int, total: int) -> str:
    return f"{filled}/{counted(total, 'section')}"


def _colour(filled: int, total: int) -> tuple[float, str, str]:
    share = filled / total if total else 0.0
    return next(colour for colour in _COLOURS if share >= colour[0])


def _text(text: str, middle: float) -> str:
    return f'<text x="{middle:g}" y="{_BASELINE}" textLength="{_text_width(text):.0f}">{text}</text>'


def _text_width(text: str) -> float:
    return sum(_WIDTHS.get(char, _WIDTH) for char in text)
