"""Texts of others in Markdown, where nothing of them is markup, a link, or a mention."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 300


def code(text: str) -> str:
    """As code; a bar in it would end the cell of a table, so it is another sign."""
    line = one_line(text).replace("|", "¦")
    if not line:
        return ""
    ticks = "`" * (_longest_run([line]) + 1)
    edge = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{edge}{line}{edge}{ticks}"


def plain(text: str) -> str:
    """As text."""
    return re.sub(r"([\\`*_{}\[\]<>#|@])", r"\\\1", one_line(text))


def fenced(lines: list[str], language: str, most: int) -> str:
    """As a block that nothing in it can end early; of no lines nothing."""
    if not lines:
        return ""
    shown = [one_line(line) for line in lines[:most]]
    if len(lines) > most:
        shown.append(f"and {len(lines) - most:,} more lines")
    fence = "`" * max(3, _longest_run(shown) + 1)
    return "\n".join((f"{fence}{language}", *shown, fence, ""))


def one_line(text: str) -> str:
    """On one line, and no longer than that."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"


def _longest_run(lines: Iterable[str]) -> int:
    return max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
