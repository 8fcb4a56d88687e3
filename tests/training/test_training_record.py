"""What a training loop of one's own records, and what stands in the file then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from hubpub.training import record
from hubpub.training.describe_data import describe
from hubpub.training.redact import as_number


class Frame:
    """A data frame, as far as it is looked at."""

    columns, dtypes = ("text", "label"), ("str", "int64")

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return self.rows


class Value:
    """A feature of `datasets`, like the two that follow."""

    dtype = "string"


class ClassLabel:
    names = ("O", "B-PER")


class List:
    def __init__(self, feature: Any) -> None:
        self.feature = feature


class Table:
    """A data set of `datasets`, as far as it is looked at."""

    info = None

    def __init__(self, **features: Any) -> None:
        self.features = features
        self.split = None


def recorded(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "hubpub_run.json").read_text())
    return document


def test_data_that_are_evaluated_on_are_told_once(tmp_path: Path) -> None:
    train, test = Frame(2), Frame(1)
    with record(tmp_path) as run:
        run.data(train, split="train")
        run.data(test, split="test")
        run.evaluate({"accuracy": 0.5}, data=test)
    assert [(one["split"], one["rows"]) for one in recorded(tmp_path)["data"]] == [("train", 2), ("test", 1)]
    assert recorded(tmp_path)["evaluations"] == [{"data": "test", "metrics": {"accuracy": 0.5}}]


def test_other_data_are_told_by_themselves(tmp_path: Path) -> None:
    with record(tmp_path) as run:
        run.data([{"text": "a"}], split="train")
        run.evaluate({"accuracy": 0.5}, data=[{"text": "b"}, {"text": "c"}])
    assert [(one.get("split"), one["rows"]) for one in recorded(tmp_path)["data"]] == [("train", 1), (None, 2)]


@pytest.mark.parametrize("number", [0.4, 0.93, -2.5e-05, 1e-45, 16777216.0, 0.0, 3.4028235e38, 1.0000001])
def test_a_number_in_single_precision_has_no_digits_that_it_does_not_hold(number: float) -> None:
    single = numpy.float32(number)
    kept = as_number(single)
    assert kept is not None
    assert numpy.float32(kept) == single
    assert len(repr(kept)) <= len(repr(number)) or number > 3e38
    assert as_number(numpy.float64(0.4000000059604645)) == 0.4000000059604645


def test_a_list_says_of_what() -> None:
    (told,) = describe(Table(tokens=List(Value()), tags=List(ClassLabel())))
    assert told["columns"] == [
        {"name": "tokens", "type": "list of string"},
        {"name": "tags", "type": "list", "classes": ["O", "B-PER"]},
    ]
