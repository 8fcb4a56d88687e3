from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.card.document import Card
from hubpub.card.measures import columns, single_measures
from hubpub.card.metrics import metric_id
from hubpub.card.results import indexed_results, number_in
from hubpub.card.tables import tables


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Accuracy", "accuracy"),
        ("**Acc.**", "accuracy"),
        ("eval_f1", "f1"),
        ("F1-score", "f1"),
        ("# F1 (%)", "f1"),
        ("macro F1", "f1_macro"),
        ("Exact Match", "exact_match"),
        ("EM", "exact_match"),
        ("ROUGE-L", "rougel"),
        ("rougeL", "rougel"),
        ("Word Error Rate", "wer"),
        ("Validation Loss", "loss"),
        ("eval_loss", "loss"),
        ("eval", "eval"),
        ("", ""),
        ("***", ""),
    ],
)
def test_a_metric_has_one_spelling(name: str, wanted: str) -> None:
    assert metric_id(name) == wanted


def stated(text: str) -> list[tuple[str, str]]:
    return [(measure.metric, measure.text) for measure in single_measures(Card.parse(text))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("- Loss: 0.3016\n- Accuracy: 0.9128\n", [("loss", "0.3016"), ("accuracy", "0.9128")]),
        ("**Accuracy**: 91.2 %", [("accuracy", "91.2")]),
        ("- **F1:** `0.81` (macro)", [("f1", "0.81")]),
        ("WER = 12.5", [("wer", "12.5")]),
        ("Accuracy: 0.91 ± 0.02", [("accuracy", "0.91")]),
        (
            "| Metric | # Value |\n|---|---|\n| **EM** | **80.9** |\n| **F1** | 88.2 |",
            [("exact_match", "80.9"), ("f1", "88.2")],
        ),
        ("| Accuracy | F1 |\n|---|---|\n| 0.9 | 0.8 |", [("accuracy", "0.9"), ("f1", "0.8")]),
        # the course of a training, other models, quotients, code and comments state nothing by themselves
        ("| Epoch | Accuracy |\n|---|---|\n| 1 | 0.9 |\n| 2 | 0.91 |", []),
        ("| Step | Validation Loss | Accuracy |\n|---|---|---|\n| 500 | 0.3 | 0.9 |", []),
        ("| Model | F1 |\n|---|---|\n| a | 0.9 |\n| b | 0.8 |", []),
        ("- BLEU: 16.5110/15.9299", []),
        ("- Accuracy: 0.91, but 0.8 on IMDB", [("accuracy", "0.91")]),
        ("- Price: 0.91", []),
        ("```\nAccuracy: 0.91\n```", []),
        ("<!--\nAccuracy: 0.91\n-->", []),
        ("> - Accuracy: 0.91", [("accuracy", "0.91")]),
    ],
)
def test_what_a_text_states_of_its_model(text: str, wanted: list[tuple[str, str]]) -> None:
    assert stated(text) == wanted


def test_a_measure_knows_its_place_and_headings() -> None:
    text = "# Model\n\n## Results\n\n### On SST-2\n\n| Metric | Value |\n|--|--|\n| Accuracy | 91.2 % |\n"
    text = text.replace("\n", "\r\n")
    (measure,) = single_measures(Card.parse(text))
    assert text[measure.start : measure.end] == "91.2"
    assert (measure.percent, measure.heading) == (True, ("results", "on sst 2"))


def test_columns_have_all_their_numbers() -> None:
    text = "| Set | Accuracy | n |\n|---|:-:|---|\n| a | 0.9 | 5 |\n| b | **88.1** | 7 |\n| c | - |\n"
    ((metric, measures),) = columns(Card.parse(text))
    assert (metric, [measure.value for measure in measures]) == ("accuracy", [0.9, 88.1])


def test_the_cells_of_a_table_are_where_they_say() -> None:
    text = "a\n\n> | x | `a\\|b` |\n> |---|---|\n> | 1 ||\n> | | 2 |\n"
    (table,) = tables(Card.parse(text))
    assert [cell.text for cell in table.header] == ["x", "`a\\|b`"]
    for cell in (*table.header, *(cell for row in table.rows for cell in row)):
        assert text[cell.start : cell.end] == cell.text


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (0.91, 0.91),
        (3, 3.0),
        ("20.0 ± 1.2", 20.0),
        ("91.3 %", 91.3),
        ("-1e-3", -0.001),
        ("0.9x", None),
        ("TODO", None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ({"a": 1}, None),
        (10**400, None),
        ("1" * 400, None),
    ],
)
def test_the_number_in_a_value(value: object, wanted: float | None) -> None:
    assert number_in(value) == wanted


def test_results_of_any_shape_are_read() -> None:
    block = """model-index:
- 5
- name: a
  results:
  - no
  - task: text
    metrics: [1, {type: f1, value: 0.8}, {name: Accuracy, value: "0.9"}]
"""
    (result,) = indexed_results(Card.parse(f"---\n{block}---\n"))
    assert result.path == ("model-index", 1, "results", 1)
    assert [(metric.id, metric.number) for metric in result.metrics] == [("f1", 0.8), ("accuracy", 0.9)]
    assert (result.task, result.dataset) == ({}, {})


PIECES = st.sampled_from(
    [
        "|",
        "\\",
        "`",
        "*",
        "- ",
        "Accuracy",
        "F1",
        ": ",
        "0.9",
        "12",
        "%",
        "\n",
        "\r\n",
        " ",
        "---",
        "|---|---|\n",
        "#",
        "> ",
        "±",
        "é",
    ]
)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_whatever_the_text_places_are_right(text: str) -> None:
    card = Card.parse(text)
    for measure in single_measures(card):
        assert card.text[measure.start : measure.end] == measure.text
        assert float(measure.text) == measure.value
    for table in tables(card):
        for cell in (*table.header, *(cell for row in table.rows for cell in row)):
            assert card.text[cell.start : cell.end] == cell.text


@pytest.mark.parametrize(
    "text",
    [
        "- Accuracy" + " " * 500_000 + "x",
        "Accuracy: " * 60_000,
        "- F1: 0.9\n" * 20_000,
        "a " * 300_000 + ": 1",
        "| Accuracy | F1 |\n|---|---|\n" + "| 0.9 | 0.8 |\n" * 15_000,
        "|" * 600_000,
        "x|y\n-|-\n" + "\\" * 500_000,
        "# a\n- F1: 0.9\n" * 8_000,
    ],
    ids=["blanks", "colons", "measures", "words", "rows", "pipes", "backslashes", "headings"],
)
def test_long_texts_take_no_longer_than_reading_them(text: str) -> None:
    card = Card.parse(text)
    started = time.process_time()
    single_measures(card)
    columns(card)
    assert time.process_time() - started < 3
