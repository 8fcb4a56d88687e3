"""Adding an answer to the text of a card.yaml: comments, order and quotes of what is there stay as they are."""

from __future__ import annotations

import re
from typing import Any

from hubpub.card.metadata.edits import apply_edits, newline_of
from hubpub.card.metadata.yaml_block import Path, YamlReading, read_yaml
from hubpub.card.metadata.yaml_text import dump
from hubpub.core.errors import UsageError

NEW_FILE = (
    "# Answers that no file of the model can give; `hubpub card` writes the model card with them.\n"
    "# This file is not published.\n"
)


def add_answer(text: str, path: Path, value: Any, name: str) -> str:
    """The text with one more answer.

    Args:
        text: of the file; "" for one that is not there yet.
        path: of the key, which must not be in it with a value.
        value: text, Markdown, or a list of texts.
        name: what errors call the file.

    Raises:
        UsageError: the file is written so that nothing can be added without touching the rest.
    """
    before = read_yaml(text)
    if before.hub_data is None and before.problem is not None and before.problem.kind != "empty":
        raise UsageError(f"{name} cannot be read: {before.problem.message}", "mend it first")
    newline = newline_of(text)
    added = _added(text or NEW_FILE, before, path, value).replace("\n", newline)
    result = _placed(text or NEW_FILE, before, path, added, newline)
    wanted = dict(before.hub_data or {})
    if len(path) == 2:
        wanted[str(path[0])] = {**(wanted.get(str(path[0])) or {}), str(path[1]): value}
    else:
        wanted[str(path[0])] = value
    after = read_yaml(result).hub_data
    if after != wanted:
        raise UsageError(
            f"{name} is written in a way that leaves no place for {'.'.join(map(str, path))}",
            "add the key by hand, in lines of its own",
        )
    return result


def _added(text: str, before: YamlReading, path: Path, value: Any) -> str:
    """The lines of the answer, as deep as they have to be."""
    if len(path) == 1 or path[:1] not in before.keys:
        return dump({str(path[0]): value if len(path) == 1 else {str(path[1]): value}})
    column = _column(text, before, path[:1])
    return "".join(" " * column + line + "\n" for line in dump({str(path[1]): value}).splitlines())


def _column(text: str, before: YamlReading, holder: Path) -> int:
    """How far the keys of a table are indented."""
    first = min((span[0] for at, span in before.keys.items() if len(at) == 2 and at[:1] == holder), default=None)
    if first is None:
        return 2
    return first - (max(text.rfind("\n", 0, first), text.rfind("\r", 0, first)) + 1)


def _placed(text: str, before: YamlReading, path: Path, added: str, newline: str) -> str:
    """The lines at the end of their table, or of the file; in place of a key without a value."""
    if path in before.keys:  # it is there, and null: its line goes
        start = text.rfind("\n", 0, before.keys[path][0]) + 1
        return apply_edits(text, [(start, _end_of_line(text, before.keys[path][1]), added)])
    if len(path) == 1 or path[:1] not in before.keys:
        gap = "" if not text or text.endswith(("\n", "\r")) else newline
        return text + gap + added
    inside = [span[1] for at, span in before.values.items() if at[:1] == path[:1] and len(at) > 1]
    last = max(inside, default=before.keys[path[:1]][1])
    at = _end_of_line(text, len(text[:last].rstrip()))
    gap = "" if text[:at].endswith(("\n", "\r")) else newline
    return apply_edits(text, [(at, at, gap + added)])


def _end_of_line(text: str, offset: int) -> int:
    found = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?").match(text, offset)
    return found.end() if found else len(text)
