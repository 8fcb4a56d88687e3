"""What a rehearsal found: plain data, with a stable JSON form (docs/rehearse.md)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hubpub.core.report import Report

SCHEMA = "hubpub.rehearsal/1"


class Status(StrEnum):
    """What became of a check or a block."""

    RAN = "ran"
    FAILED = "failed"
    NOT_RUNNABLE = "not-runnable"


@dataclass(frozen=True, slots=True)
class Check:
    """One step of publishing or loading.

    Attributes:
        name: "push", or what was loaded or done: "AutoConfig", "tensors", "forward pass", ...
        status: what became of it.
        text: what it gave, or why it failed or was not run.
        seconds: how long it took.
    """

    name: str
    status: Status
    text: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The check as plain data."""
        return {
            "name": self.name,
            "status": self.status.value,
            "text": self.text,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Block:
    """One code block of the card.

    Attributes:
        line: of the card, with its first line of code.
        language: as the card says or as it was recognised; "" when neither.
        section: the heading that it stands under; "" when there is none.
        first: its first line of code.
        by_hubpub: whether hubpub would write it for this folder, byte for byte.
        status: what became of it.
        reason: why it failed or was not run: of a failure, the last line of the traceback.
        failed_line: the line of the card that failed.
        traceback: frames and exception, innermost last.
        output: the first lines that it printed.
        refused: what it tried that a rehearsal does not allow.
        seconds: how long it took.
    """

    line: int
    language: str
    section: str
    first: str
    by_hubpub: bool
    status: Status
    reason: str = ""
    failed_line: int | None = None
    traceback: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The block as plain data."""
        return {
            "line": self.line,
            "language": self.language,
            "section": self.section,
            "written_by_hubpub": self.by_hubpub,
            "status": self.status.value,
            "reason": self.reason,
            "failed_line": self.failed_line,
            "traceback": list(self.traceback),
            "output": list(self.output),
            "refused": list(self.refused),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Isolation:
    """What stood around the code that ran.

    Attributes:
        kind: "namespaces", "guard", or "none" when nothing ran.
        reason: why there were no namespaces; "" where there were.
    """

    kind: str = "none"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What became of a rehearsal.

    Attributes:
        repo_id: the model's, on the throw-away hub as on the real one.
        commit: that it was published as there; None when it was not.
        report: of the checks that a push makes.
        checks: publishing, then loading, in order.
        blocks: of the card, in order.
        isolation: of what ran.
        kept: where the throw-away hub's data is, if it was to be kept.
        seconds: how long it all took.
    """

    repo_id: str
    commit: str | None
    report: Report | None
    checks: tuple[Check, ...]
    blocks: tuple[Block, ...]
    isolation: Isolation
    kept: str | None
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether nothing failed; what could not be run is no failure."""
        return not self.count(Status.FAILED)

    def count(self, status: Status) -> int:
        """How many checks and blocks have this status."""
        return [*(check.status for check in self.checks), *(block.status for block in self.blocks)].count(status)

    def to_json(self) -> dict[str, Any]:
        """The rehearsal in the schema `hubpub.rehearsal/1`."""
        return {
            "schema": SCHEMA,
            "ok": self.ok,
            "repo_id": self.repo_id,
            "commit": self.commit,
            "counts": {status.value: self.count(status) for status in Status},
            "checks": [check.to_json() for check in self.checks],
            "blocks": [block.to_json() for block in self.blocks],
            "isolation": {"kind": self.isolation.kind, "reason": self.isolation.reason or None},
            "report": self.report.to_json() if self.report else None,
            "kept": self.kept,
            "seconds": round(self.seconds, 3),
        }
