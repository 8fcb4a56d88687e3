from __future__ import annotations

import json

import pytest
from support.run_files import files_of

from hubpub.model.benchmark_results import parse_benchmark_results, read_benchmark_results

# In the shape of lm_eval 0.4.13, lm_eval/result_schema.py.
HARNESS = {
    "results": {
        "arc_easy": {
            "name": "arc_easy",
            "alias": "arc_easy",
            "sample_len": 100,
            "acc,none": 0.61,
            "acc_stderr,none": 0.049,
            "acc_norm,none": 0.57,
            "acc_norm_stderr,none": "N/A",
        },
        "gsm8k": {"alias": "gsm8k", "exact_match,strict-match": 0.2, "exact_match,flexible-extract": 0.25},
        "mmlu": {"alias": "MMLU", "acc,none": 0.4, "acc_stderr,none": 0.01},
    },
    "groups": {"mmlu": {"alias": "MMLU", "acc,none": 0.4}},
    "group_subtasks": {"mmlu": ["mmlu_stem"], "arc_easy": []},
    "configs": {
        "arc_easy": {
            "task": "arc_easy",
            "dataset_path": "allenai/ai2_arc",
            "dataset_name": "ARC-Easy",
            "test_split": "test",
            "validation_split": "validation",
        },
        "gsm8k": {"dataset_path": "openai/gsm8k", "dataset_name": "main", "test_split": "test"},
    },
    "versions": {"arc_easy": 1.0, "gsm8k": 3.0, "mmlu": 2},
    "n-shot": {"arc_easy": 0, "gsm8k": 5},
    "higher_is_better": {"arc_easy": {"acc": True, "acc_norm": True}, "mmlu": {"acc": True}},
    "n-samples": {"arc_easy": {"original": 2376, "effective": 100}, "gsm8k": {"original": 1319, "effective": 1319}},
    "config": {"model": "hf", "model_args": "pretrained=me/tiny", "limit": 100.0},
    "git_hash": "abcdef0",
    "date": 1761000000.25,
    "transformers_version": "5.24.0",
    "lm_eval_version": "0.4.13",
    "model_name": "me/tiny",
    "total_evaluation_time_seconds": "12.5",
}
LIGHTEVAL = {
    "config_general": {
        "lighteval_sha": "203045a8431bc9b77245c9998e05fc54509ea07f",
        "num_fewshot_seeds": 1,
        "max_samples": None,
        "total_evaluation_time_secondes": "30.25",
        "model_name": "me/tiny",
        "model_config": {"model_name": "me/tiny"},
    },
    "results": {
        "gsm8k|0": {"em": 0.42, "em_stderr": 0.02},
        "leaderboard|mmlu:abstract_algebra|5": {"acc": 0.3},
        "leaderboard|mmlu:_average|5": {"acc": 0.31},
        "all": {"em": 0.42, "acc": 0.3},
    },
    "versions": {"gsm8k|0": 0},
    "config_tasks": {
        "gsm8k|0": {
            "name": "gsm8k",
            "hf_repo": "openai/gsm8k",
            "hf_subset": "main",
            "evaluation_splits": ["test"],
            "effective_num_docs": 1319,
            "metrics": [{"metric_name": "em", "higher_is_better": True}],
        },
        "leaderboard|mmlu:abstract_algebra": {"hf_repo": "lighteval/mmlu", "effective_num_docs": -1},
    },
}


def test_the_harness() -> None:
    path = "me__tiny/results_2025-10-20T22-40-00.123456.json"
    file = parse_benchmark_results(json.loads(json.dumps(HARNESS)), path)
    assert file is not None
    assert (file.tool, file.model, file.version, file.date) == (
        "lm-evaluation-harness",
        "me/tiny",
        "0.4.13",
        "2025-10-20",
    )
    assert (file.transformers, file.seconds) == ("5.24.0", 12.5)
    scores = {(score.task, score.metric, score.filter): score for score in file.scores}
    assert list(scores) == [
        ("arc_easy", "acc", "none"),
        ("arc_easy", "acc_norm", "none"),
        ("gsm8k", "exact_match", "strict-match"),
        ("gsm8k", "exact_match", "flexible-extract"),
        ("mmlu", "acc", "none"),
    ]
    arc = scores["arc_easy", "acc", "none"]
    assert (arc.value, arc.error, arc.higher_is_better, arc.shots, arc.version) == (0.61, 0.049, True, 0, "1")
    assert (arc.dataset, arc.config, arc.split) == ("allenai/ai2_arc", "ARC-Easy", "test")
    assert (arc.samples, arc.limited, arc.group, arc.alias) == (100, True, False, None)
    assert arc.key == "results.arc_easy.acc,none"
    assert scores["arc_easy", "acc_norm", "none"].error is None
    assert scores["gsm8k", "exact_match", "strict-match"].limited is False
    assert (scores["mmlu", "acc", "none"].group, scores["mmlu", "acc", "none"].alias) == (True, "MMLU")


def test_older_keys_without_a_filter() -> None:
    old = {"results": {"a": {"acc": 0.5, "acc_stderr": 0.1}}, "versions": {"a": 0}, "configs": {}}
    file = parse_benchmark_results(old, "results.json")
    assert file is not None
    assert [(score.metric, score.filter, score.error) for score in file.scores] == [("acc", "", 0.1)]


def test_lighteval() -> None:
    file = parse_benchmark_results(LIGHTEVAL, "results/me/tiny/results_2025-11-01T10-00-00.json")
    assert file is not None
    assert (file.tool, file.model, file.date, file.seconds) == ("lighteval", "me/tiny", "2025-11-01", 30.25)
    assert file.version == "203045a8431bc9b77245c9998e05fc54509ea07f"
    gsm, algebra, average = file.scores
    assert (gsm.task, gsm.shots, gsm.metric, gsm.value, gsm.error) == ("gsm8k", 0, "em", 0.42, 0.02)
    assert (gsm.dataset, gsm.config, gsm.split, gsm.samples) == ("openai/gsm8k", "main", "test", 1319)
    assert (gsm.higher_is_better, gsm.limited) == (True, False)
    assert (algebra.task, algebra.shots, algebra.dataset) == ("leaderboard|mmlu:abstract_algebra", 5, "lighteval/mmlu")
    assert (average.group, algebra.group, algebra.samples) == (True, False, None)


def test_files_are_known_by_what_they_hold() -> None:
    contents = {
        "results_a.json": json.dumps(HARNESS),
        "all_results.json": json.dumps(HARNESS),
        "results.json": '{"results": {"x": {"acc": 1}}}',
        "results_b.json": "{",
    }
    found, unread = read_benchmark_results(files_of(contents))
    assert [file.path for file in found] == ["results_a.json"]
    assert [file.path for file in unread] == ["results_b.json"]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"results": []},
        {"results": {"a": 1, "b": {"acc": "x", "f1": None, "n": True}}, "configs": [], "versions": 3},
        {
            "results": {"a|": {"x": 1}},
            "config_general": {"max_samples": 3},
            "config_tasks": {"a": []},
            "versions": None,
        },
        {
            "results": {"a": {"acc,none": 1}},
            "configs": {"a": 1},
            "versions": {"a": {}},
            "n-samples": {"a": 3},
            "date": 1e99,
        },
    ],
)
def test_odd_documents_are_answered(document: object) -> None:
    parse_benchmark_results(document, "results.json")
