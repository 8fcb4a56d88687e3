"""Results that neither the Trainer nor hubpub wrote: scikit-learn's report, and the tables of evaluators."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.tracing import disagreeing, untraced

from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.card.writing.render import render_card
from hubpub.core.settings import CardSettings
from hubpub.model.classification_report import parse_classification_report
from hubpub.model.folder import ModelFolder

Copy = Callable[[Path], Path]
REPORT = {
    "B-PER": {"precision": 0.91, "recall": 0.5, "f1-score": 0.645, "support": 12.0},
    "very | good": {"precision": 0.8, "recall": 0.75, "f1-score": 0.774, "support": 16.0},
    "accuracy": 0.6666,
    "macro avg": {"precision": 0.855, "recall": 0.625, "f1-score": 0.7095, "support": 28.0},
}
ROWS = "epoch,steps,cosine_pearson\n1.0,4,0.5125\n2.0,8,0.7125\n2.0,8,0.7125\n"


@pytest.fixture
def model(plain_model: Path, copy_of: Copy) -> Path:
    return copy_of(plain_model)


def card(folder: Path) -> tuple[CardFacts, str]:
    facts = card_facts(ModelFolder.open(folder), repo_id=None, settings=CardSettings())
    text = render_card(facts)
    assert untraced(text, facts) == []
    assert disagreeing(facts, folder) == []
    return facts, text.partition("## Evaluation results")[2]


def test_a_report_of_scikit_learn_is_shown_by_label(model: Path) -> None:
    (model / "classification_report.json").write_text(json.dumps(REPORT))
    facts, text = card(model)
    assert "| Label | `precision` | `recall` | `f1-score` | `support` |" in text
    assert "| B-PER | 0.91 | 0.5 | 0.645 | 12.0 |" in text
    assert "| very \\| good | 0.8 |" in text
    assert "| `accuracy` | 0.6666 |" in text
    assert "0.855" not in text
    assert facts.sources["run.labels.B-PER.recall"] == "classification_report.json: B-PER.recall"


@pytest.mark.parametrize(
    "document", [{}, {"accuracy": 0.5}, {"a": 1}, {"a": {"precision": "x"}}, {"a\nb": {"recall": 1}}]
)
def test_other_objects_are_no_report(document: dict[str, object]) -> None:
    assert parse_classification_report(document, "classification_report.json") is None


def test_an_evaluator_is_asked_when_nothing_else_tells(model: Path) -> None:
    (model / "eval").mkdir()
    (model / "eval" / "similarity_evaluation_sts-dev_results.csv").write_text(ROWS)
    facts, text = card(model)
    assert "Measured on the sts-dev set after step 8:" in text
    assert "| `cosine_pearson` | 0.7125 |" in text
    assert [row.step and row.step.value for row in facts.summary.log.rows] == [4, 8]
    (model / "eval_results.json").write_text('{"eval_spearman": 0.25}')
    _, text = card(model)
    assert "0.7125" not in text
    assert "| `spearman` | 0.25 |" in text
