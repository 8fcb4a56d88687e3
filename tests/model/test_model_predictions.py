from __future__ import annotations

import gzip
import io

import pytest

from hubpub.model.files import Files
from hubpub.model.predictions import read_predictions
from hubpub.model.walk import EntryKind, FileEntry


def read(name: str, content: bytes) -> tuple[int, list[str]]:
    files = Files((FileEntry(name, len(content), EntryKind.FILE),), lambda _: io.BytesIO(content))
    found, unread = read_predictions(files)
    return sum(one.rows for one in found), [one.reason for one in unread]


def test_labels_and_predictions_are_counted() -> None:
    assert read("predictions.csv", b"label,prediction\na,b\na,a\n") == (2, [])


def test_millions_of_empty_lines_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubpub.model.predictions._MOST_LINES", 100_000)
    content = gzip.compress(b"label,prediction\n" + b"\n" * 20_000_000, 1)
    assert read("predictions.csv.gz", content) == (0, ["has more than 100,000 lines"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"label,prediction," + b"x" * 140_000 + b"\na,b,c\n", "is not CSV"),
        (b"label,prediction\na," + b"x" * 140_000 + b"\n", "is not CSV"),
        (b"label\0,prediction\n", "is no text"),
    ],
)
def test_what_is_no_table_is_said_to_be_none(content: bytes, reason: str) -> None:
    rows, reasons = read("predictions.csv", content)
    assert rows == 0
    assert len(reasons) == 1
    assert reason in reasons[0]
