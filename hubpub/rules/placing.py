"""Problems and fixes at places of a card."""

from __future__ import annotations

from collections.abc import Iterable

from hubpub.card.metadata.edits import TextEdit
from hubpub.card.metadata.yaml_block import Path
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


def at_path(
    subject: CardSubject,
    path: Path,
    message: str,
    hint: str | None = None,
    fix: Fix | None = None,
    severity: Severity | None = None,
) -> Problem:
    """A problem at the value of `path` in the metadata, or at the deepest part of the path that is there."""
    offset = subject.card.front_matter.offset_of(path)
    return problem_at(subject, message, offset, hint=hint, fix=fix, severity=severity)


def fix_of(subject: CardSubject, description: str, edits: Iterable[TextEdit] | None, *, safe: bool) -> Fix | None:
    """A fix of the card's text; None when there are no edits."""
    changes = tuple(Edit(subject.path, start, end, text) for start, end, text in edits or ())
    return Fix(description, safe, changes) if changes else None


def excerpt(text: str, longest: int = 80) -> str:
    """The text on one line, cut when it is long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
