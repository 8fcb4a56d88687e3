"""Applying fixes: the edits of findings, to the files of a folder, each file in one step.

A fix is applied whole or not at all: where it touches characters that another one has changed, it is left for the
next run. What cannot be edited (a link, a file that is not UTF-8, one that has changed meanwhile) is left as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from hubpub.core.errors import UsageError
from hubpub.core.files import replace_file
from hubpub.core.findings import Edit, Finding, Renaming
from hubpub.fix.tensor_names import rename_tensors

_LINE = re.compile(r"[^\n]*\n|[^\n]+")  # as patch has it; Python also ends lines at form feeds and others


@dataclass(frozen=True, slots=True)
class Fixed:
    """What fixes make of the files.

    Attributes:
        findings: whose fixes are in it, in their order.
        before: the text of each file that changes, by path; "" of one that is new.
        after: the same with the fixes.
        new: the paths that did not exist.
        renamings: what tensors are called from then on, a file each.
    """

    findings: tuple[Finding, ...]
    before: Mapping[str, str]
    after: Mapping[str, str]
    new: frozenset[str]
    renamings: tuple[Renaming, ...] = ()

    def diff(self) -> str:
        """The change as a unified diff, and a line for each tensor that gets another name."""
        texts = [text_diff(self.before[path], text, path, is_new=path in self.new) for path, text in self.after.items()]
        return "".join(texts) + "".join(
            f"rename in {renaming.path}: {old} -> {new}\n"
            for renaming in self.renamings
            for old, new in renaming.names.items()
        )


def text_diff(before: str, after: str, path: str, *, is_new: bool = False) -> str:
    """What changes in the text of a file, as a unified diff."""
    lines = unified_diff(
        _LINE.findall(before),
        _LINE.findall(after),
        "/dev/null" if is_new else f"a/{path}",
        f"b/{path}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def plan_fixes(root: Path, findings: Iterable[Finding], *, unsafe: bool = False) -> Fixed:
    """What the fixes of the findings make of the files below `root`; nothing is written.

    Args:
        root: the folder that paths are relative to.
        findings: those whose fixes are wanted.
        unsafe: whether fixes that are not safe are applied too.
    """
    done: list[Finding] = []
    edits: dict[str, list[Edit]] = {}
    texts: dict[str, str | None] = {}
    renamings: dict[str, Renaming] = {}
    for finding in findings:
        fix = finding.fix
        if fix is None or not (fix.edits or fix.renamings) or not (fix.safe or unsafe):
            continue
        for edit in fix.edits:
            if edit.path not in texts:
                texts[edit.path] = _read(root / edit.path)
        free = all(renaming.path not in renamings for renaming in fix.renamings)
        if free and all(fits(edit, texts[edit.path], edits.get(edit.path, ())) for edit in fix.edits):
            done.append(finding)
            renamings |= {renaming.path: renaming for renaming in fix.renamings}
            for edit in fix.edits:
                # Several findings may ask for the same edit.
                if edit not in edits.setdefault(edit.path, []):
                    edits[edit.path].append(edit)
    before = {path: texts[path] or "" for path in edits}
    after = {path: edited(before[path], found) for path, found in edits.items()}
    new = frozenset(path for path in edits if not os.path.lexists(root / path))
    return Fixed(tuple(done), before, after, new, tuple(renamings.values()))


def write_fixes(root: Path, fixed: Fixed) -> None:
    """Write the files.

    Raises:
        UsageError: one has changed since it was read, or cannot be written.
    """
    for renaming in fixed.renamings:
        rename_tensors(root / renaming.path, renaming.names)
    for path, text in fixed.after.items():
        if path not in fixed.new and _read(root / path) != fixed.before[path]:
            raise UsageError(f"{path} changed while it was being fixed", "run the same command again")
        replace_file(root / path, text.encode("utf-8"))


def _read(path: Path) -> str | None:
    """The text of a regular file, "" of one that is not there, None of what cannot be edited."""
    if not os.path.lexists(path):
        return ""
    if path.is_symlink() or not path.is_file():
        return None
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def fits(edit: Edit, text: str | None, others: Iterable[Edit]) -> bool:
    """Whether an edit can be made besides others: it lies within the text, and touches nothing that they change."""
    if text is None or not 0 <= edit.start <= edit.end <= len(text):
        return False
    # Two insertions at one place have no order.
    return all(
        edit == other or (edit.start != other.start and (edit.end <= other.start or other.end <= edit.start))
        for other in others
    )


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with edits that do not meet."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
