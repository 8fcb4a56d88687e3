"""Predictions beside the true labels, as people save them after an evaluation, counted into a confusion matrix.

run_glue.py and run_classification.py of transformers write `predict_results*.txt` with columns "index" and
"prediction", https://github.com/huggingface/transformers/blob/main/examples/pytorch/text-classification/run_glue.py;
true labels are there only when somebody has added them. CSV, TSV, JSON and JSON Lines under similar names are what
pandas and simpletransformers' users write. No text of an example is kept.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from hubpub.core.pattern import Pattern
from hubpub.model.files import Files, Unread, line_of
from hubpub.model.jsonfile import parse_json

MOST_CLASSES = 200
"""Different labels that a classifier's predictions may have; more are taken for texts or numbers."""

_NAME = Pattern(
    r"(?:.*[-_. ])?(?:predict(?:ions?|ed)?|preds?|predict_results(?:_.*)?|(?:test|eval|dev|val)_outputs?|y_pred)"
    r"(?:[-_. ].*)?\.(csv|tsv|txt|json|jsonl|ndjson)(\.gz)?",
    re.IGNORECASE,
    clues=("pred", "_output"),
)
_LARGEST = 256 << 20
_LARGEST_JSON = 64 << 20
_LONGEST_LINE = 1 << 20
_MOST_ROWS = 5_000_000
_MOST_LINES = 6_000_000  # empty ones too: gzip makes a hundred million of them from nothing
_MOST_FILES = 10
_LONGEST_LABEL = 100
# In the order in which they are preferred; ids of labels come after their names.
_TRUE = (
    "true_label",
    "true_labels",
    "y_true",
    "ground_truth",
    "gold_label",
    "gold_labels",
    "gold",
    "actual_label",
    "actual",
    "reference",
    "references",
    "expected",
    "true",
    "target",
    "targets",
    "label",
    "labels",
    "label_id",
    "label_ids",
    "y",
)
_PREDICTED = (
    "predicted_label",
    "predicted_labels",
    "pred_label",
    "pred_labels",
    "prediction_label",
    "y_pred",
    "prediction",
    "predictions",
    "predicted",
    "predicted_class",
    "pred",
    "preds",
    "model_prediction",
    "prediction_id",
    "pred_id",
)
_INDEX = Pattern(r"[-+]?\d{1,9}(?:\.0{1,9})?")
_FRACTION = Pattern(r"[-+]?\d{0,20}\.\d{1,30}(?:[eE][-+]?\d{1,4})?")


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a classifier predicted, counted.

    Attributes:
        path: of the file.
        true_column: the column with the true labels.
        predicted_column: the column with the predictions.
        labels: the classes, in the order of the model's configuration, else of their numbers or the alphabet.
        counts: a row for each true label, with how many of it were predicted as each label.
        left_out: rows in which one of the two is missing.
    """

    path: str
    true_column: str
    predicted_column: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    left_out: int = 0

    @property
    def rows(self) -> int:
        """How many predictions were counted."""
        return sum(map(sum, self.counts))

    @property
    def correct(self) -> int:
        """How many of them are the true label."""
        return sum(row[place] for place, row in enumerate(self.counts))


class _UselessError(ValueError):
    """Why a file tells nothing, as the end of a sentence that begins with its path."""


def read_predictions(
    files: Files, names: Mapping[int, str] | None = None
) -> tuple[tuple[Predictions, ...], tuple[Unread, ...]]:
    """The files of predictions that have true labels too, those of the whole folder first.

    Args:
        files: where to look.
        names: the labels by id, as `id2label` of config.json has them, for files that hold ids.
    """
    found, unread = [], []
    shown = {number: _label(name) for number, name in (names or {}).items() if _label(name)}
    for entry in sorted(files.named(_NAME), key=lambda entry: (entry.path.count("/"), entry.path))[:_MOST_FILES]:
        match = _NAME.fullmatch(entry.name)
        if match is None:
            continue
        try:
            with files.open(entry.path) as file:
                found.append(_read(file, match[1].lower(), bool(match[2]), entry.path, shown))
        except _UselessError as error:
            unread.append(Unread(entry.path, str(error)))
        except (EOFError, zlib.error, gzip.BadGzipFile):
            unread.append(Unread(entry.path, "is no sound gzip file"))
        except OSError as error:
            unread.append(Unread(entry.path, f"cannot be read: {error.strerror or error}"))
    return tuple(found), tuple(unread)


def _read(file: BinaryIO, form: str, compressed: bool, path: str, names: Mapping[int, str]) -> Predictions:
    # buffered once more: GzipFile finds the end of a line in Python
    source: Any = io.BufferedReader(gzip.GzipFile(fileobj=file), 1 << 16) if compressed else file
    lines = _lines(source)
    if form == "json":
        columns, pairs = _json_rows(source)
    elif form in ("jsonl", "ndjson"):
        columns, pairs = _json_lines(lines)
    else:
        columns, pairs = _separated(lines, form)
    counted: Counter[tuple[str, str]] = Counter()
    left_out = 0
    seen: tuple[set[str], set[str]] = set(), set()
    for number, pair in enumerate(pairs):
        if number >= _MOST_ROWS:
            raise _UselessError(f"has more than {_MOST_ROWS:,} rows")
        labels = tuple(_label(value) for value in pair)
        if not labels[0] or not labels[1]:
            left_out += 1
            continue
        counted[labels[0], labels[1]] += 1
        for known, label in zip(seen, labels, strict=True):
            known.add(label)
            if len(known) > MOST_CLASSES:
                raise _UselessError(f"has more than {MOST_CLASSES} different labels, so they are no classes")
    if not counted:
        raise _UselessError("holds no row with a true label and a prediction")
    if any(_FRACTION.fullmatch(label) and not _INDEX.fullmatch(label) for known in seen for label in known):
        raise _UselessError("holds fractions, so that it is no classification")
    return _matrix(counted, left_out, path, columns, names)


def _matrix(
    counted: Mapping[tuple[str, str], int], left_out: int, path: str, columns: tuple[str, str], names: Mapping[int, str]
) -> Predictions:
    """The matrix, with names in place of ids where they are known."""
    sums: Counter[tuple[str, str]] = Counter()
    for (true, predicted), count in counted.items():
        sums[_named(true, names), _named(predicted, names)] += count
    order = {name: place for place, name in sorted(names.items(), reverse=True)}
    used = {label for pair in sums for label in pair}
    # a class that never occurs belongs to the matrix too, as long as they are few
    if len(names) <= 20 and used <= order.keys():
        used |= order.keys()

    def place(label: str) -> tuple[Any, ...]:
        number = float(label) if _INDEX.fullmatch(label) else 0.0
        return label not in order, order.get(label, 0), not _INDEX.fullmatch(label), number, label

    labels = tuple(sorted(used, key=place))
    counts = tuple(tuple(sums[true, predicted] for predicted in labels) for true in labels)
    return Predictions(path, *columns, labels, counts, left_out)


def _named(label: str, names: Mapping[int, str]) -> str:
    if _INDEX.fullmatch(label):
        number = int(float(label))
        return names.get(number, str(number))
    return label


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return repr(value)[:_LONGEST_LABEL] if value == value else ""
    return line_of(value, _LONGEST_LABEL) or ""


def _lines(source: Any) -> Iterator[bytes]:
    left = _LARGEST
    count = 0
    while line := source.readline(_LONGEST_LINE + 1):
        left -= len(line)
        count += 1
        if count > _MOST_LINES:
            raise _UselessError(f"has more than {_MOST_LINES:,} lines")
        if len(line) > _LONGEST_LINE:
            raise _UselessError(f"has a line of more than {_LONGEST_LINE:,} bytes")
        if left < 0:
            raise _UselessError(f"has more than {_LARGEST:,} bytes")
        yield line


def _separated(lines: Iterator[bytes], form: str) -> tuple[tuple[str, str], Iterator[tuple[Any, Any]]]:
    first = next(lines, b"")
    if b"\0" in first:
        raise _UselessError("is no text")
    header = first.decode("utf-8-sig", "replace")
    delimiter = "\t" if form != "csv" or ("\t" in header and "," not in header) else max(",;|", key=header.count)
    try:
        names = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error as error:
        raise _UselessError(f"is not CSV: {error}") from error
    true, predicted = _columns(names)
    rows = csv.reader((line.decode("utf-8", "replace") for line in lines), delimiter=delimiter)

    def pairs() -> Iterator[tuple[Any, Any]]:
        try:
            for row in rows:
                if row:
                    yield (row[true], row[predicted]) if max(true, predicted) < len(row) else (None, None)
        except csv.Error as error:
            raise _UselessError(f"is not CSV: {error}") from error

    return (names[true].strip()[:_LONGEST_LABEL], names[predicted].strip()[:_LONGEST_LABEL]), pairs()


def _json_lines(lines: Iterator[bytes]) -> tuple[tuple[str, str], Iterator[tuple[Any, Any]]]:
    def rows() -> Iterator[Any]:
        for number, line in enumerate(lines, 1):
            if not line.isspace():
                document = parse_json(line)
                if not isinstance(document.value, dict):
                    raise _UselessError(f"is not JSON Lines: line {number:,}")
                yield document.value

    return _objects(rows())


def _json_rows(source: Any) -> tuple[tuple[str, str], Iterator[tuple[Any, Any]]]:
    data = source.read(_LARGEST_JSON + 1)
    if len(data) > _LARGEST_JSON:
        raise _UselessError(f"is larger than {_LARGEST_JSON:,} bytes, in which JSON is read")
    document = parse_json(data, top=list)
    if isinstance(document.value, list):
        return _objects(iter(document.value))
    table = parse_json(data).value
    if not isinstance(table, dict):
        return _json_lines(iter(io.BytesIO(data)))
    names = [name for name, value in table.items() if isinstance(value, list)]
    true, predicted = _columns(names)
    pair = names[true], names[predicted]
    return pair, zip(table[pair[0]], table[pair[1]], strict=False)


def _objects(rows: Iterator[Any]) -> tuple[tuple[str, str], Iterator[tuple[Any, Any]]]:
    first = next(rows, None)
    if not isinstance(first, dict):
        raise _UselessError("holds no rows with columns")
    names = [name for name in first if isinstance(name, str)]
    true, predicted = _columns(names)
    pair = names[true], names[predicted]

    def pairs() -> Iterator[tuple[Any, Any]]:
        for row in _with(first, rows):
            yield (row.get(pair[0]), row.get(pair[1])) if isinstance(row, dict) else (None, None)

    return (pair[0][:_LONGEST_LABEL], pair[1][:_LONGEST_LABEL]), pairs()


def _with(first: Any, rows: Iterable[Any]) -> Iterator[Any]:
    yield first
    yield from rows


def _columns(names: Sequence[str]) -> tuple[int, int]:
    """The places of the true labels and of the predictions."""
    plain = [re.sub(r"[\s-]+", "_", name.strip().lower()) for name in names[:2000]]
    predicted = next((plain.index(name) for name in _PREDICTED if name in plain), None)
    true = next((plain.index(name) for name in _TRUE if name in plain), None)
    if predicted is None:
        raise _UselessError("holds no column of predictions")
    if true is None:
        raise _UselessError("holds no column of true labels, without which nothing can be compared")
    return true, predicted
