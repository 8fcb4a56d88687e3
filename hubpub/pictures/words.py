"""Numbers and names of files as the texts beside pictures have them."""

from __future__ import annotations

from collections.abc import Sequence

from hubpub.pictures.figures import label_text

_LONGEST_PATH = 120
_MOST_PATHS = 3


def number(value: float) -> str:
    """A number with four digits that count; whole numbers up to a million as they are."""
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e6):
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.4g}"
    return f"{value:.4g}"


def step(value: float) -> str:
    """The number of a step."""
    return f"{int(value):,}"


def joined(parts: Sequence[str]) -> str:
    """The parts as a list in a sentence."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" and {parts[-1]}"


def sources(paths: Sequence[str]) -> str:
    """The files that something comes from."""
    named = [label_text(path, _LONGEST_PATH) for path in paths[:_MOST_PATHS]]
    if len(paths) > _MOST_PATHS:
        named.append(f"{len(paths) - _MOST_PATHS} more files")
    return joined(named)
