"""The CSV files of sentence-transformers' evaluators."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubpub.model.evaluator_tables import parse_evaluator_table, read_evaluator_tables
from hubpub.model.files import files_at

ROWS = b"epoch,steps,cosine_pearson,cosine_spearman\r\n1.0,4,0.5,0.4\r\n2.0,8,0.7,0.6\r\n2.0,8,0.7,0.6\r\n"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("eval/similarity_evaluation_sts-dev_results.csv", "sts-dev"),
        ("similarity_evaluation_results.csv", None),
        ("binary_classification_evaluation_quora_dev_results.csv", "quora_dev"),
        ("Information-Retrieval_evaluation_NanoNFCorpus_results.csv", "NanoNFCorpus"),
        ("CrossEncoderRerankingEvaluator_nq_results_@10.csv", "nq"),
    ],
)
def test_the_name_is_that_of_the_evaluator(path: str, name: str | None) -> None:
    table = parse_evaluator_table(ROWS, path)
    assert table is not None
    assert table.name == name


def test_each_evaluation_is_there_once_with_its_line() -> None:
    table = parse_evaluator_table(ROWS, "similarity_evaluation_results.csv")
    assert table is not None
    assert [row.step and row.step.value for row in table.rows] == [4, 8]
    last = table.rows[-1].metrics
    assert [(fact.name, fact.value, fact.line) for fact in last] == [
        ("cosine_pearson", 0.7, 3),
        ("cosine_spearman", 0.6, 3),
    ]


def test_an_evaluation_outside_of_a_training_has_no_step() -> None:
    table = parse_evaluator_table(b"epoch,steps,accuracy\n-1,-1,0.9\n", "x_results.csv")
    assert table is not None
    [row] = table.rows
    assert (row.step, row.epoch) == (None, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"epoch,steps\n",
        b"name,steps,accuracy\nx,1,2\n",
        b"epoch,steps,a\n1,2\n",
        b"epoch,steps,a\nx,y,nan\n",
        b"\xff\xfe\x00",
        b'epoch,steps,a\n1,2,"' + b"x" * 200_000,
    ],
)
def test_other_files_are_none(data: bytes) -> None:
    assert parse_evaluator_table(data, "x_results.csv") is None


def test_those_of_checkpoints_are_left(tmp_path: Path) -> None:
    for directory in (".", "eval", "checkpoint-8/eval"):
        (tmp_path / directory).mkdir(parents=True, exist_ok=True)
        (tmp_path / directory / "similarity_evaluation_results.csv").write_bytes(ROWS)
    found, unread = read_evaluator_tables(files_at(tmp_path))
    assert [table.path.partition("/")[0] for table in found] == ["eval", "similarity_evaluation_results.csv"]
    assert unread == ()
