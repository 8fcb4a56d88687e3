from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hubpub.card.answers.card_input import CardInput
from hubpub.card.document import Card
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.card.metadata.schema import validate_card
from hubpub.card.results import indexed_results
from hubpub.card.writing.metadata import card_metadata, metadata
from hubpub.card.writing.render import render_card
from hubpub.core.settings import CardSettings
from hubpub.model.benchmark_results import parse_benchmark_results
from hubpub.model.folder import ModelFolder
from hubpub.model.run_facts import RunFacts
from hubpub.rules.run import lint_card

Copy = Callable[[Path], Path]

HARNESS: Mapping[str, Any] = {
    "results": {
        "arc_easy": {"alias": "arc_easy", "acc,none": 0.61, "acc_stderr,none": 0.05, "acc_norm,none": 0.57},
        "gsm8k": {"exact_match,strict-match": 0.2, "exact_match,flexible-extract": 0.25},
        "gsm8k_cot": {"exact_match,strict-match": 0.3},
        "mmlu": {"alias": "MMLU", "acc,none": 0.4},
        "quick": {"acc,none": 1.0},
        "own": {"acc,none": 0.9},
    },
    "groups": {"mmlu": {"acc,none": 0.4}},
    "configs": {
        "arc_easy": {"dataset_path": "allenai/ai2_arc", "dataset_name": "ARC-Easy", "test_split": "test"},
        "gsm8k": {"dataset_path": "openai/gsm8k", "dataset_name": "main", "test_split": "test"},
        "gsm8k_cot": {"dataset_path": "openai/gsm8k", "dataset_name": "main", "test_split": "test"},
        "quick": {"dataset_path": "a/b", "test_split": "test"},
        "own": {"dataset_path": "/data/own", "test_split": "test"},
    },
    "versions": {"arc_easy": 1.0},
    "n-shot": {"arc_easy": 0, "gsm8k": 5, "gsm8k_cot": 8},
    "n-samples": {"quick": {"original": 2376, "effective": 10}},
    "git_hash": "abcdef0",
    "date": 1761000000.25,
    "lm_eval_version": "0.4.13",
    "model_name": "me/tiny",
}


def benchmarks(*documents: Mapping[str, Any]) -> RunFacts:
    found = (parse_benchmark_results(document, f"results_{n}.json") for n, document in enumerate(documents))
    return RunFacts(benchmarks=tuple(file for file in found if file is not None))


def facts_of(folder: Path, **answers: Any) -> CardFacts:
    given = CardInput(**answers) if answers else None
    settings = CardSettings(license="mit", language=("en",))
    return card_facts(ModelFolder.open(folder), repo_id="acme/tiny", settings=settings, answers=given)


def test_results_of_benchmarks_are_told_apart() -> None:
    facts = CardFacts(name="tiny", pipeline_tag="text-generation", run=benchmarks(HARNESS))
    values, left_out = card_metadata(facts)
    (entry,) = values["model-index"]
    assert entry["name"] == "tiny"
    arc, gsm8k = entry["results"]
    assert arc["dataset"] == {"name": "arc_easy", "type": "allenai/ai2_arc", "config": "ARC-Easy", "split": "test"}
    assert arc["metrics"] == [
        {"type": "accuracy", "name": "acc (arc_easy, 0-shot)", "value": 0.61},
        {"type": "acc_norm", "name": "acc_norm (arc_easy, 0-shot)", "value": 0.57},
    ]
    # two tasks on the same data are one result to the client: none of their metrics may be lost
    assert gsm8k["dataset"]["name"] == "openai/gsm8k"
    assert [(metric["name"], metric["value"]) for metric in gsm8k["metrics"]] == [
        ("exact_match (gsm8k, strict-match, 5-shot)", 0.2),
        ("exact_match (gsm8k, flexible-extract, 5-shot)", 0.25),
        ("exact_match (gsm8k_cot, strict-match, 8-shot)", 0.3),
    ]
    assert values["metrics"] == ["accuracy", "acc_norm", "exact_match"]
    assert {left.what: left.reason for left in left_out} == {
        "mmlu of results_0.json": "is of no data set that the file names",
        "quick of results_0.json": "was measured on 10 of the task's examples only",
        "own of results_0.json": "is of '/data/own', which is no id of a data set on the Hub",
    }


def test_the_client_reads_every_result(tmp_path: Path) -> None:
    from huggingface_hub import ModelCardData
    from huggingface_hub.repocard_data import eval_results_to_model_index, model_index_to_eval_results

    facts = CardFacts(name="tiny", pipeline_tag="text-generation", run=benchmarks(HARNESS))
    index = metadata(facts)["model-index"]
    name, results = model_index_to_eval_results(index)
    assert len(results) == 5
    again = eval_results_to_model_index(name, results)
    metrics = [metric for result in again[0]["results"] for metric in result["metrics"]]
    assert sorted(metric["value"] for metric in metrics) == [0.2, 0.25, 0.3, 0.57, 0.61]
    assert ModelCardData(**{"model-index": index, "license": "mit"}).license == "mit"


def test_the_newest_evaluation_counts_and_those_of_other_models_do_not() -> None:
    later = json.loads(json.dumps(HARNESS))
    later["results"]["arc_easy"]["acc,none"] = 0.7
    base = {**HARNESS, "model_name": "acme/base"}
    facts = CardFacts(name="tiny", base_model="acme/base", run=benchmarks(HARNESS, later, base))
    values, left_out = card_metadata(facts)
    card = Card.parse(f"---\n{json.dumps(values)}\n---\n")
    assert [m.number for m in indexed_results(card)[0].metrics] == [0.7, 0.57]
    assert ("results_2.json", "has the results of the base model, acme/base") in left_out


def write_run(folder: Path) -> None:
    (folder / "eval_results.json").write_text('{"eval_accuracy": 0.9123456, "eval_f1": 0.75, "eval_loss": 0.25}')
    (folder / "test_results.json").write_text('{"test_accuracy": 0.8}')
    (folder / "all_results.json").write_text('{"eval_accuracy": 0.9123456, "eval_f1": 0.75, "train_loss": 0.5}')


def test_results_of_a_run_need_their_data_set(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    write_run(folder)
    values, left_out = card_metadata(facts_of(folder))
    assert "model-index" not in values
    assert values["metrics"] == ["accuracy", "f1"]
    assert [(left.what, "evaluation.dataset" in left.reason) for left in left_out] == [("model-index", True)]

    told = {"dataset": "stanfordnlp/sst2", "name": "SST-2", "config": "default", "split": "validation"}
    facts = facts_of(folder, evaluation=told)
    values, left_out = card_metadata(facts)
    assert left_out == ()
    dataset = {"name": "SST-2", "type": "stanfordnlp/sst2", "config": "default"}
    assert [
        (result["dataset"], [m["value"] for m in result["metrics"]]) for result in values["model-index"][0]["results"]
    ] == [
        ({**dataset, "split": "validation"}, [0.9123456, 0.75]),
        ({**dataset, "split": "test"}, [0.8]),
    ]
    text = render_card(facts)
    assert validate_card(text).issues == ()
    report = lint_card(text.encode(), path="README.md", target="card", folder=ModelFolder.open(folder))
    assert [finding.rule for finding in report.findings if finding.rule.startswith(("META", "EVAL"))] == []


def test_metrics_are_listed_by_the_ids_of_the_hub(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    measured = {"eval_rouge1": 0.4, "eval_rougeL": 0.3, "eval_f1_macro": 0.5, "eval_loss": 1, "eval_own_score": 2}
    (folder / "eval_results.json").write_text(json.dumps(measured | {"eval_pearson_cosine": 0.8}))
    assert metadata(facts_of(folder))["metrics"] == ["f1", "pearson_cosine", "rouge"]


def test_emissions_are_in_grams(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    (folder / "emissions.csv").write_text(
        "timestamp,run_id,duration,emissions,country_name,region,cpu_model,gpu_count,gpu_model\n"
        "2026-01-02T03:04:05,a,10,0.0123,France,bretagne,AMD EPYC,2,NVIDIA H100\n"
    )
    expected = {
        "emissions": 12.3,
        "source": "codecarbon",
        "geographical_location": "bretagne, France",
        "hardware_used": "2 x NVIDIA H100",
    }
    assert metadata(facts_of(folder))["co2_eq_emissions"] == expected
    told = {"base_model": ["google-bert/bert-base-uncased"], "base_model_relation": "finetune"}
    assert metadata(facts_of(folder, metadata=told))["co2_eq_emissions"]["training_type"] == "fine-tuning"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Acme Community Licence Agreement 1.0\n\nAll rights reserved.", "acme-community-licence-agreement-1.0"),
        ("All rights reserved.", None),
        ("<html>licence</html>", None),
    ],
)
def test_a_licence_of_ones_own(plain_model: Path, copy_of: Copy, text: str, name: str | None) -> None:
    folder = copy_of(plain_model)
    (folder / "LICENSE").write_text(text)
    values = metadata(card_facts(ModelFolder.open(folder), repo_id=None, settings=CardSettings()))
    assert (values["license"], values.get("license_name"), values["license_link"]) == ("other", name, "LICENSE")
    answered = metadata(facts_of(folder, metadata={"license": "mit"}))
    assert (answered["license"], "license_link" in answered) == ("mit", False)


def test_what_the_hub_would_reject_is_left_out_and_named() -> None:
    facts = CardFacts(
        name="tiny",
        license="my-licence",
        language=("en", "english"),
        base_model="./out",
        base_model_relation="child",
        datasets=("a/b", "/data/x"),
        answers=CardInput({"extra_gated_fields": ["Company"], "model-index": [{"name": "x"}]}),
    )
    values, left_out = card_metadata(facts)
    assert values == {"language": ["en"], "datasets": ["a/b"]}
    assert [left.what for left in left_out] == [
        "license",
        "language.1",
        "base_model",
        "base_model_relation",
        "datasets.1",
        "model-index.0.results",
        "extra_gated_fields",
    ]
    assert all(left.reason.startswith("would be rejected by the Hub: ") for left in left_out)


def test_tags_say_by_what_it_was_made(chat_lm: Path, copy_of: Copy) -> None:
    folder = copy_of(chat_lm)
    (folder / "trainer_state.json").write_text('{"global_step": 3, "log_history": [{"step": 3, "loss": 0.5}]}')
    config = {"per_device_train_batch_size": 2, "num_train_epochs": 1, "learning_rate": 1e-4, "beta": 0.1}
    config |= {"precompute_ref_log_probs": False, "label_smoothing": 0.0}
    (folder / "training_args.json").write_text(json.dumps(config))
    assert metadata(facts_of(folder))["tags"] == ["conversational", "generated_from_trainer", "trl", "dpo"]
    told = facts_of(folder, metadata={"tags": ["acme", "trl"]})
    assert metadata(told)["tags"] == ["acme", "trl", "conversational", "generated_from_trainer", "dpo"]


@pytest.mark.parametrize(
    ("config", "tags"),
    [
        ("model_name_or_path: a/b\nstage: dpo\nfinetuning_type: lora\nlearning_rate: 1e-4\n", ["llama-factory", "dpo"]),
        ("base_model: a/b\nmicro_batch_size: 1\nadapter: lora\nlearning_rate: 1e-4\n", ["axolotl"]),
        ("base_model: a/b\nmicro_batch_size: 1\nrl: kto\nadapter: lora\nlearning_rate: 1e-4\n", ["axolotl", "kto"]),
    ],
)
def test_tags_of_other_tools(plain_model: Path, copy_of: Copy, config: str, tags: list[str]) -> None:
    folder = copy_of(plain_model)
    (folder / "train.yaml").write_text(config)
    assert metadata(facts_of(folder))["tags"] == tags


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            CardFacts(name="x", kind="transformers", pipeline_tag="fill-mask", mask_token="<mask>"),
            "Paris is the <mask>",
        ),
        (CardFacts(name="x", kind="transformers", pipeline_tag="fill-mask"), None),
        (CardFacts(name="x", kind="transformers", pipeline_tag="text-classification", language=("de",)), None),
        (CardFacts(name="x", kind="gguf", pipeline_tag="text-generation"), None),
        (CardFacts(name="x", kind="sentence-transformers", pipeline_tag="sentence-similarity"), "sunny"),
        (CardFacts(name="x", kind="transformers", pipeline_tag="image-classification", language=("de",)), "tiger.jpg"),
    ],
)
def test_widgets_fit_the_task_and_the_language(facts: CardFacts, expected: str | None) -> None:
    widget = metadata(facts).get("widget")
    assert (widget is None) == (expected is None)
    assert expected is None or expected in json.dumps(widget)
    text = f"---\n{json.dumps(metadata(facts))}\n---\n"
    report = lint_card(text.encode(), path="README.md", target="card")
    assert not {"META040", "META041"} & {finding.rule for finding in report.findings}


def test_long_text_of_a_person_keeps_its_lines() -> None:
    prompt = "You agree to:\n\n  - be kind\n  - " + "x" * 400
    facts = CardFacts(name="x", license="mit", answers=CardInput({"extra_gated_prompt": prompt}))
    from hubpub.card.answers.card_input import parse_answers
    from hubpub.card.writing.metadata import front_matter

    answers = parse_answers(json.dumps({"extra_gated_prompt": prompt}).encode(), "card.yaml")
    block = Card.parse(front_matter(CardFacts(name="x", license="mit", answers=answers))).front_matter
    assert block.data == block.hub_data == {"license": "mit", "extra_gated_prompt": prompt}
    assert facts.answers.metadata["extra_gated_prompt"] == prompt
