"""The results in a repo's `.eval_results/*.yaml`: what the Hub's leaderboards read, and what is wrong with it.

Specification: https://github.com/huggingface/hub-docs/blob/main/eval_results.yaml
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from hubpub.card.metadata.frontmatter import Lines
from hubpub.card.metadata.yaml_block import Path, Span, read_yaml
from hubpub.card.results import number_in
from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

_FILE = Pattern(r"\.eval_results/[^/]+\.ya?ml")
_LARGEST = 1 << 20
_MOST_FILES = 100
_MOST_PROBLEMS = 50
_DOCUMENT = Pattern(r"(?:[ \t]*(?:#[^\n]*)?\n)*---[ \t]*\r?\n")
_ISO = Pattern(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")


@dataclass(frozen=True, slots=True)
class EvalFileProblem:
    """One thing that is wrong with such a file.

    Attributes:
        path: of the file.
        message: what is wrong, as the end of a sentence that begins with the file.
        line: 1-based.
        column: 1-based.
        quote: the span of a value that has to be put between quotes, which would mend it.
    """

    path: str
    message: str
    line: int
    column: int
    quote: Span | None = None


def eval_file_problems(folder: ModelFolder) -> Iterator[EvalFileProblem]:
    """What the Hub would refuse in the folder's files of results, in order."""
    paths = [entry.path for entry in folder.release_files if _FILE.fullmatch(entry.path)]
    for path in paths[:_MOST_FILES]:
        entry = folder.entry(path)
        if entry is not None and entry.size <= _LARGEST:
            text = folder.text(path, _LARGEST)
            lines, mark = Lines(text), int(text.startswith("\ufeff"))
            for offset, message, quote in islice(_problems(text[mark:]), _MOST_PROBLEMS):
                line, column = lines.place(offset + mark)
                span = (quote[0] + mark, quote[1] + mark) if quote else None
                yield EvalFileProblem(path, message, line, column, span)


def _problems(text: str) -> Iterator[tuple[int, str, Span | None]]:
    # the reader of YAML wants keys with values at the top: the list becomes the value of one
    document = _DOCUMENT.match(text)
    start = document.end() if document else 0
    key = "results: " if text[start:].lstrip().startswith("[") else "results:\n"
    reading = read_yaml(key + text[start:])
    moved = start - len(key)
    if reading.hub_data is None:
        problem = reading.problem
        reason = f": {problem.message}" if problem else ""
        yield max(problem.offset + moved, 0) if problem else 0, f"cannot be read{reason}", None
        return
    entries = reading.hub_data.get("results")
    if not isinstance(entries, list) or len(reading.hub_data) > 1:
        yield start, "is not a list of results", None
        return

    def place(path: Path) -> int:
        deepest = next(path[:length] for length in range(len(path), 0, -1) if path[:length] in reading.values)
        return max(reading.values[deepest][0] + moved, 0)

    for index, entry in enumerate(entries):
        path: Path = ("results", index)
        if not isinstance(entry, dict):
            yield place(path), "has a result that is not a mapping", None
            continue
        for missing in _missing(entry):
            yield place(path), missing, None
        value = entry.get("value")
        if value is not None and number_in(value) is None:
            yield place((*path, "value")), f"has a value that is no number: {str(value)[:40]!r}", None
        date = entry.get("date")
        if date is not None and not isinstance(date, str):
            span = reading.values.get((*path, "date"))
            bare = isinstance(date, datetime.date) and span is not None
            quote = (span[0] + moved, span[1] + moved) if bare and span else None
            yield place((*path, "date")), "has a date without quotes, which YAML reads as no text", quote
        elif date is not None and not _ISO.fullmatch(date):
            yield place((*path, "date")), f"has a date that is not written as 2026-01-31: {date[:40]!r}", None


def _missing(entry: dict[str, Any]) -> Iterator[str]:
    dataset, source = entry.get("dataset"), entry.get("source")
    if not isinstance(dataset, dict):
        yield "has a result without dataset: {id, task_id}"
    else:
        for key in ("id", "task_id"):
            if not isinstance(dataset.get(key), str):
                instead = ", which the config of older files became" if key == "task_id" and "config" in dataset else ""
                yield f"has a result without dataset.{key}{instead}"
    if entry.get("value") is None:
        yield "has a result without a value"
    if source is not None and (not isinstance(source, dict) or not source.get("url")):
        yield "has a source without a url"
