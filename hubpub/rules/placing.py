"""Problems and fixes at offsets of a card."""

from __future__ import annotations

from collections.abc import Iterable

from hubpub.card.edits import TextEdit
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.rules.registry import CardSubject


def problem_at(
    subject: CardSubject,
    message: str,
    offset: int,
    *,
    hint: str | None = None,
    fix: Fix | None = None,
    severity: Severity | None = None,
) -> Problem:
    """A problem at an offset of the card."""
    line, column = subject.card.lines.place(offset)
    return Problem(message, subject.path, line, column, hint=hint, fix=fix, severity=severity)


def fix_of(subject: CardSubject, description: str, edits: Iterable[TextEdit], *, safe: bool) -> Fix:
    """A fix of the card's text."""
    return Fix(description, safe, tuple(Edit(subject.path, start, end, text) for start, end, text in edits))


def excerpt(text: str, longest: int = 80) -> str:
    """The text on one line, cut when it is long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
