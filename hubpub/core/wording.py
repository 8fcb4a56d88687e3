"""How amounts and lists are put into words, in messages and in reports."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 3


def counted(number: int, noun: str) -> str:
    """`1 file`, `1,234 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(length: int) -> str:
    """Bytes in the unit that fits, powers of ten: `134 bytes`, `90.9 MB`."""
    if length < 1000:
        return counted(length, "byte")
    value = float(length)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def listed(names: Sequence[str], total: int | None = None) -> str:
    """The first three names, and how many more there are: `a, b, c and 4 more`."""
    rest = (len(names) if total is None else total) - min(len(names), _SHOWN)
    shown = ", ".join(name if len(name) <= 100 else name[:97] + "..." for name in names[:_SHOWN])
    return f"{shown} and {rest:,} more" if rest else shown
