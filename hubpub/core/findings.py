"""Finding: what a rule says about one place in a model folder or a card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding matters; the order is ERROR > WARNING > INFO."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for INFO, 1 for WARNING, 2 for ERROR."""
        return ("info", "warning", "error").index(self.value)

    def reaches(self, threshold: Severity) -> bool:
        """Whether this severity is at or above `threshold`."""
        return self.rank >= threshold.rank


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters `start:end` of a text file by `text`; offsets count characters from 0."""

    path: str
    start: int
    end: int
    text: str

    def to_json(self) -> dict[str, Any]:
        """The edit as plain data."""
        return {"path": self.path, "start": self.start, "end": self.end, "text": self.text}


@dataclass(frozen=True, slots=True)
class Renaming:
    """Give tensors of the safetensors file at `path` other names: new ones by old ones. The old file is kept."""

    path: str
    names: Mapping[str, str] = field(hash=False)

    def to_json(self) -> dict[str, Any]:
        """The renaming as plain data; there may be a hundred thousand names, so that only their number is in it."""
        return {"path": self.path, "tensors": len(self.names)}


@dataclass(frozen=True, slots=True)
class Fix:
    """A mechanical mend. `safe`: it keeps the meaning, or follows from files in the folder."""

    description: str
    safe: bool
    edits: tuple[Edit, ...] = ()
    renamings: tuple[Renaming, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The fix as plain data."""
        return {
            "description": self.description,
            "safe": self.safe,
            "edits": [edit.to_json() for edit in self.edits],
            "renamings": [renaming.to_json() for renaming in self.renamings],
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule's function yields: the particulars of one hit. The rule adds its code, name and severity.

    Attributes:
        message: one sentence that names the thing and what is wrong with it.
        path: posix path relative to the model folder.
        line: 1-based line in `path`.
        column: 1-based column in `line`.
        tensor: tensor name, for findings about weights.
        hint: what to do next; None takes the rule's own.
        fix: a mechanical mend, if there is one.
        severity: None takes the rule's own.
    """

    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    tensor: str | None = None
    hint: str | None = None
    fix: Fix | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with the rule that found it; the currency of every check and every reporter."""

    rule: str
    name: str
    severity: Severity
    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    tensor: str | None = None
    hint: str | None = None
    fix: Fix | None = None

    @property
    def sort_key(self) -> tuple[int, str, int, int, str]:
        """Worst first, then by place."""
        return (-self.severity.rank, self.path or "", self.line or 0, self.column or 0, self.rule)

    def to_json(self) -> dict[str, Any]:
        """The finding in the schema `hubpub.report/1`; unset fields are None."""
        return {
            "rule": self.rule,
            "name": self.name,
            "severity": self.severity.value,
            "message": self.message,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "tensor": self.tensor,
            "hint": self.hint,
            "fix": self.fix.to_json() if self.fix else None,
        }
