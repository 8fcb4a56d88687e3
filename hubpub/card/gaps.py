"""Gaps: what only a person can write, said in the card so that a reader sees it and the linter finds it.

A gap is a comment and a line in italics, which the author replaces by text:

    <!-- hubpub:todo intended-uses -->
    *To be written: who should use this model, and for what.*
"""

from __future__ import annotations

from typing import NamedTuple

from hubpub.core.pattern import Pattern

_GAP = Pattern(
    r"<!-- hubpub:todo (?P<slot>[a-z0-9-]+) -->[ \t]*(?:\r\n|\n|\r)"
    r"\*To be written: (?P<prompt>[^\r\n]*?)\.?\*(?=[ \t]*(?:[\r\n]|\Z))",
    clues=("hubpub:todo",),
)


class Gap(NamedTuple):
    """One gap in a text.

    Attributes:
        slot: what is missing, as the template calls it.
        prompt: what to write, without a full stop.
        start: offset of the comment.
        end: offset behind the line in italics.
    """

    slot: str
    prompt: str
    start: int
    end: int


def write_gap(slot: str, prompt: str) -> str:
    """The Markdown of a gap."""
    return f"<!-- hubpub:todo {slot} -->\n*To be written: {prompt}.*"


def find_gaps(text: str) -> tuple[Gap, ...]:
    """The gaps that are left in a text, in order."""
    return tuple(Gap(found["slot"], found["prompt"], found.start(), found.end()) for found in _GAP.finditer(text))


def without_gaps(text: str) -> str:
    """The text with nothing in place of its gaps."""
    return _GAP.sub("", text)
