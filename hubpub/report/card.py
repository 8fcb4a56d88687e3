"""What merging a card did, as text and as JSON: what changes, and what a person's hand keeps as it is."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hubpub.card.document import Card
from hubpub.card.merge.outcome import Kept, Merged, Part
from hubpub.card.sections import score
from hubpub.report.excerpt import printable
from hubpub.report.text import Style, plain

if TYPE_CHECKING:
    from hubpub.card.writing.eval_results import EvalFile

CARD_SCHEMA = "hubpub.card/1"
_SHOWN = 20
_NAMED = 8


def is_stale(existing: str, merged: Merged, results: Sequence[EvalFile]) -> bool:
    """Whether the card, or a file of results beside it, is not as hubpub would write it."""
    return merged.text != existing or any(file.is_outdated for file in results)


def merge_document(
    path: str, existing: str, merged: Merged, results: Sequence[EvalFile] = (), *, written: bool
) -> dict[str, Any]:
    """The merge, with the files of results beside the card, in the schema `hubpub.card/1`."""
    filled, total = score(Card.parse(merged.text))
    return {
        "schema": CARD_SCHEMA,
        "path": path,
        "stale": is_stale(existing, merged, results),
        "written": written,
        "sections": {"filled": filled, "total": total},
        "changes": [change.to_json() for change in merged.changes],
        "kept": [kept.to_json() for kept in merged.kept],
        "stubs": [stub.to_json() for stub in merged.stubs],
        "problems": list(merged.problems),
        "eval_results": [file.to_json() for file in results],
        "diff": card_diff(existing, merged.text),
    }


def card_diff(existing: str, text: str) -> str:
    """What changes in the file README.md, as a unified diff."""
    return _diff(existing, text, "README.md", "README.md (proposed)")


def render_changes(merged: Merged, style: Style = plain, how: str | None = None) -> list[str]:
    """One line for each part that changes; only of those that are added, updated or removed, if that is asked for."""
    lines = [
        f"{style(change.how, 'yellow')} {_noun(change.part)} {printable(change.name)}"
        for change in merged.changes
        if how in (None, change.how)
    ]
    return lines[:_SHOWN] + ([f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else [])


def render_kept(merged: Merged, style: Style = plain, *, diff: bool = False) -> list[str]:
    """Lines on what stays as a person wrote it, with the difference to what hubpub would write when `diff`."""
    lines: list[str] = []
    edited = [kept for kept in merged.kept if kept.why not in ("deleted", "absent")]
    for kept in edited[: None if diff else _SHOWN]:
        lines.append(f"{style('kept by hand', 'cyan')}: {_noun(kept.part)} {printable(kept.name)} ({_reason(kept)})")
        if diff and kept.may_be_taken:
            shown = _diff(kept.here, kept.ours, f"{kept.name} (kept)", f"{kept.name} (hubpub's)")
            lines += ["    " + printable(line) for line in shown.splitlines()]
    if len(edited) > _SHOWN and not diff:
        lines.append(f"and {len(edited) - _SHOWN} more")
    for why, said in (
        ("deleted", "left out, as they were deleted by hand"),
        ("absent", "left out of sections that are there already"),
    ):
        names = [f"{_noun(kept.part)} {kept.name}" for kept in merged.kept if kept.why == why]
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            lines.append(f"{style(said, 'cyan')}: {printable(', '.join(names[:_NAMED]))}{more}")
    if any(kept.may_be_taken for kept in merged.kept):
        shown = "" if diff else "; --diff shows the difference"
        lines.append(f"--theirs NAME takes hubpub's text in place of a person's{shown}")
    return lines + _stubs(merged, style) + [printable(problem) for problem in merged.problems[:_SHOWN]]


def _stubs(merged: Merged, style: Style) -> list[str]:
    names = [f"{_noun(stub.part)} {stub.name}" for stub in merged.stubs]
    if not names:
        return []
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    said = f"{style('left by a generator', 'cyan')}: {', '.join(names[:_NAMED])}{more}"
    return [f"{said}; --replace-stubs puts what the files know, or a gap, in place of it"]


def _noun(part: Part) -> str:
    return "metadata" if part is Part.METADATA else f"the {part.value}"


def _reason(kept: Kept) -> str:
    if kept.why == "edited":
        return "would now be different"
    return kept.why


def _diff(before: str, after: str, name: str, other_name: str) -> str:
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, other_name)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)
