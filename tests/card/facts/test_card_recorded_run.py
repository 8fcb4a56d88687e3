"""A run that only `hubpub.training` recorded: the card needs no other file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.profile_folders import PROFILES, write_json
from support.tracing import disagreeing, untraced

from hubpub.card.document import Card
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.card.writing.render import render_card
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder

RECORD: dict[str, Any] = {
    "schema": "hubpub.run/1",
    "state": "finished",
    "seconds": 812.5,
    "seed": 7,
    "steps": 300,
    "epochs": 3.0,
    "hardware": {"gpu": "NVIDIA L4", "gpu_count": 1, "memory": 34359738368},
    "software": {"torch": "2.13.0", "os": "Linux x86_64"},
    "code": {"commit": "a" * 40, "remote": "https://token@github.com/acme/train"},
    "components": {"loss": "CrossEntropyLoss", "optimizer": "AdamW"},
    "arguments": {"learning_rate": 2e-05, "per_device_train_batch_size": 16},
    "data": [
        {
            "name": "acme/reviews",
            "split": split,
            "rows": rows,
            "license": "mit",
            "columns": [{"name": "text", "type": "string"}],
        }
        for split, rows in (("train", 4000), ("test", 500))
    ],
    "evaluations": [
        {"step": step, "data": "acme/reviews", "metrics": {"accuracy": 0.5 + step / 1000, "loss": 1 / step}}
        for step in (100, 200, 300)
    ],
}


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    PROFILES["classifier"](tmp_path / "m")
    write_json(tmp_path / "m" / "hubpub_run.json", RECORD)
    return tmp_path / "m"


def facts_of(path: Path) -> CardFacts:
    return card_facts(ModelFolder.open(path), repo_id="acme/tiny", settings=CardSettings(license="mit"))


def test_all_is_told_from_the_record(recorded: Path) -> None:
    facts = facts_of(recorded)
    text = render_card(facts)
    assert facts.datasets == ("acme/reviews",)
    for line in (
        "| `learning_rate` | 2e-05 |",
        "| `seed` | 7 |",
        "| `loss` | CrossEntropyLoss |",
        "| Steps | 300 |",
        "| Training time | 812.5 seconds (13 min 32 s) |",
        "| Step | Validation loss | `accuracy` |\n|---|---|---|\n| 100 | 0.01 | 0.6 |\n",
        "| GPU | NVIDIA L4 |",
        "| Main memory | 32.0 GiB |",
        "| Operating system | Linux x86_64 |",
        "| torch | 2.13.0 |",
        f"The training code is <https://github.com/acme/train> at commit `{'a' * 40}`.",
        "The data set `acme/reviews`, licence mit:",
        "| train | 4,000 |\n| test | 500 |",
        "Measured on the evaluation set after step 300:",
        "| `accuracy` | 0.8 |",
    ):
        assert line in text
    assert text.count("hubpub:todo") == 2
    assert untraced(text, facts) == []
    assert disagreeing(facts, recorded) == []
    data = Card.parse(text).front_matter.data
    assert data is not None
    assert data["datasets"] == ["acme/reviews"]


def test_the_files_of_a_trainer_count_before_its_record(recorded: Path) -> None:
    write_json(recorded / "all_results.json", {"eval_accuracy": 0.91, "train_runtime": 900.25, "epoch": 2.0})
    write_json(recorded / "training_args.json", {"learning_rate": 3e-05, "seed": 8})
    text = render_card(facts_of(recorded))
    assert "| `accuracy` | 0.91 |" in text
    assert "900.25 seconds" in text
    assert "812.5" not in text
    assert "| Epochs | 2 |" in text
    assert "| `seed` | 7 |" in text or "| `seed` | 8 |" in text


def test_how_files_were_read_is_no_name_of_a_data_set(recorded: Path) -> None:
    """What the callback sees of `load_dataset("csv", ...)`, tokenized by the script."""
    columns = [{"name": name, "type": "list of int64"} for name in ("input_ids", "labels")]
    plain = {"name": "csv", "config": "default", "version": "0.0.0", "split": "train", "rows": 60, "columns": columns}
    record = RECORD | {"data": [plain, plain | {"split": "validation", "rows": 20}]}
    write_json(recorded / "hubpub_run.json", record)
    text = render_card(facts_of(recorded))
    assert "The data that the training code recorded:\n\n| Split | Rows |\n|---|---|\n| train | 60 |\n" in text
    assert "| validation | 20 |\n<!-- hubpub:end training-data -->" in text
    assert "csv" not in text
    assert "0.0.0" not in text


def test_an_evaluation_names_its_split_and_how_many_rows_it_has(recorded: Path) -> None:
    record = RECORD | {"evaluations": [{"data": "test", "metrics": {"accuracy": 0.8}}]}
    write_json(recorded / "hubpub_run.json", record)
    facts = facts_of(recorded)
    text = render_card(facts)
    assert "Measured on 500 examples of the test set:" in text
    assert untraced(text, facts) == []
    assert disagreeing(facts, recorded) == []


@pytest.mark.parametrize(
    ("steps", "told", "not_told"), [(300, "max_steps", "epochs"), (-1, "num_train_epochs", "steps")]
)
def test_planned_steps_override_epochs_that_nobody_set(steps: int, told: str, not_told: str, recorded: Path) -> None:
    """TrainingArguments have three epochs whatever max_steps is."""
    arguments = RECORD["arguments"] | {"num_train_epochs": 3.0, "max_steps": steps, "packing": False}
    write_json(recorded / "hubpub_run.json", RECORD | {"arguments": arguments})
    text = render_card(facts_of(recorded)).partition("training-hyperparameters")[2].partition("hubpub:end")[0]
    assert f"| `{told}` |" in text
    assert not_told not in text
    assert "packing" not in text


@pytest.mark.parametrize(
    ("loaded", "since", "told"),
    [
        (True, [], "after step 200:\n\n| Metric | Value |\n|---|---|\n| `accuracy` | 0.7 |"),
        (False, [], "after step 300:\n\n| Metric | Value |\n|---|---|\n| `accuracy` | 0.8 |"),
        (True, [{"step": 300, "metrics": {"accuracy": 0.75}}], "after step 300:\n\n| Metric | Value |\n|---|---|\n"),
    ],
)
def test_results_are_those_of_the_weights_that_were_saved(
    loaded: bool, since: list[Any], told: str, recorded: Path
) -> None:
    record = RECORD | {"best_checkpoint": "checkpoint-200", "evaluations": [*RECORD["evaluations"], *since]}
    record["arguments"] = RECORD["arguments"] | {"load_best_model_at_end": loaded}
    write_json(recorded / "hubpub_run.json", record)
    facts = facts_of(recorded)
    text = render_card(facts)
    assert f"Measured on the evaluation set {told}" in text
    assert ("| `accuracy` | 0.75 |" in text) is bool(since)
    assert untraced(text, facts) == []
    assert disagreeing(facts, recorded) == []


def test_the_record_of_a_checkpoint_is_not_that_of_the_model(recorded: Path) -> None:
    (recorded / "checkpoint-5").mkdir()
    (recorded / "hubpub_run.json").rename(recorded / "checkpoint-5" / "hubpub_run.json")
    facts = facts_of(recorded)
    assert facts.summary.outcome == ()
    assert facts.summary.results == ()
