from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from huggingface_hub import parse_eval_result_entries

from hubpub.card.answers.card_input import CardInput
from hubpub.card.eval_files import eval_file_problems
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.card.writing.eval_results import compared_eval_results, write_eval_results
from hubpub.core.errors import UsageError
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder

Copy = Callable[[Path], Path]

RESULTS = {
    "results": {
        "gsm8k": {"exact_match,strict-match": 0.2, "exact_match,flexible-extract": 0.25},
        "mmlu_pro": {"acc,none": 0.4},
        "quick": {"acc,none": 1.0},
    },
    "configs": {
        "gsm8k": {"dataset_path": "openai/gsm8k", "dataset_name": "main", "test_split": "test"},
        "mmlu_pro": {"dataset_path": "TIGER-Lab/MMLU-Pro", "test_split": "test"},
        "quick": {"dataset_path": "a/b"},
    },
    "versions": {},
    "n-shot": {"gsm8k": 5, "mmlu_pro": 0},
    "n-samples": {"quick": {"original": 100, "effective": 10}},
    "date": 1761000000.25,
    "model_name": "me/tiny",
}
LIGHTEVAL = {
    "config_general": {"lighteval_sha": "203045a8431b", "model_name": "me/tiny", "max_samples": None},
    "results": {"leaderboard|gpqa:diamond|0": {"acc": 0.5}},
    "config_tasks": {"leaderboard|gpqa:diamond": {"hf_repo": "Idavidrein/gpqa", "hf_subset": "gpqa_diamond"}},
}


def opened(folder: Path, **answers: dict[str, str]) -> tuple[ModelFolder, CardFacts]:
    model = ModelFolder.open(folder)
    return model, card_facts(model, repo_id=None, settings=CardSettings(), answers=CardInput(**answers))


def states(folder: Path, **answers: dict[str, str]) -> dict[str, str]:
    return {file.path: file.state for file in compared_eval_results(*opened(folder, **answers))}


@pytest.fixture
def evaluated(plain_model: Path, copy_of: Copy) -> Path:
    folder = copy_of(plain_model)
    (folder / "results_2025-10-20T22-40-00.1.json").write_text(json.dumps(RESULTS))
    return folder


def test_each_score_has_a_file_that_the_client_reads(evaluated: Path) -> None:
    (evaluated / "results_2025-10-21T22-40-00.1.json").write_text(json.dumps(LIGHTEVAL))
    written = write_eval_results(*opened(evaluated))
    entries = {}
    for file in written:
        content = (evaluated / file.path).read_bytes()
        assert content == file.content
        (entries[file.path.removeprefix(".eval_results/")],) = parse_eval_result_entries(yaml.safe_load(content))
    assert {name: (one.dataset_id, one.task_id, one.value, one.date, one.notes) for name, one in entries.items()} == {
        "gpqa_diamond.yaml": ("Idavidrein/gpqa", "gpqa:diamond", 0.5, "2025-10-21", "0-shot"),
        "gsm8k_exact_match_flexible-extract_5-shot.yaml": (
            "openai/gsm8k",
            "gsm8k",
            0.25,
            "2025-10-20",
            "exact_match, flexible-extract, 5-shot",
        ),
        "gsm8k_exact_match_strict-match_5-shot.yaml": (
            "openai/gsm8k",
            "gsm8k",
            0.2,
            "2025-10-20",
            "exact_match, strict-match, 5-shot",
        ),
        "mmlu_pro.yaml": ("TIGER-Lab/MMLU-Pro", "mmlu_pro", 0.4, "2025-10-20", "0-shot"),
    }
    assert list(eval_file_problems(ModelFolder.open(evaluated))) == []


def test_a_file_that_a_person_changed_stays(evaluated: Path) -> None:
    write_eval_results(*opened(evaluated))
    assert set(states(evaluated).values()) == {"unchanged"}
    mine, changed = evaluated / ".eval_results/mmlu_pro.yaml", json.loads(json.dumps(RESULTS))
    by_hand = mine.read_text().replace("0-shot", "0-shot, no tools")
    mine.write_text(by_hand)
    changed["results"]["mmlu_pro"]["acc,none"] = 0.6
    changed["results"]["gsm8k"] = {"exact_match,strict-match": 0.3}
    (evaluated / "results_2025-10-20T22-40-00.1.json").write_text(json.dumps(changed))
    (evaluated / ".eval_results/other.yaml").write_text("- dataset: {id: a/b, task_id: c}\n  value: 1\n")
    assert {file.path: file.state for file in write_eval_results(*opened(evaluated))} == {
        ".eval_results/gsm8k.yaml": "new",
        ".eval_results/gsm8k_exact_match_flexible-extract_5-shot.yaml": "stale",
        ".eval_results/gsm8k_exact_match_strict-match_5-shot.yaml": "stale",
        ".eval_results/mmlu_pro.yaml": "kept",
    }
    assert mine.read_text() == by_hand
    ours = evaluated / ".eval_results/gsm8k.yaml"
    before = ours.read_text()
    ours.write_text(before.replace("0.3", "0.9"))
    assert states(evaluated)[".eval_results/gsm8k.yaml"] == "kept"
    ours.write_text(before.partition("\n")[2])
    assert states(evaluated)[".eval_results/gsm8k.yaml"] == "kept"


def test_results_of_a_run_need_a_benchmark_and_its_task(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    (folder / "eval_results.json").write_text('{"eval_accuracy": 0.5, "eval_loss": 0.1}')
    assert states(folder, evaluation={"dataset": "a/b"}) == {}
    told = {"dataset": "a/b", "task_id": "default", "revision": "0" * 40, "source_url": "https://example.org/run"}
    (file,) = write_eval_results(*opened(folder, evaluation=told))
    (entry,) = parse_eval_result_entries(yaml.safe_load(file.content))
    assert (entry.dataset_id, entry.task_id, entry.value, entry.notes) == ("a/b", "default", 0.5, None)
    assert (entry.dataset_revision, entry.source_url) == ("0" * 40, "https://example.org/run")
    assert list(eval_file_problems(ModelFolder.open(folder))) == []


def test_nothing_is_written_through_a_link(evaluated: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (evaluated / ".eval_results").symlink_to(outside)
    with pytest.raises(UsageError, match="no directory of the folder"):
        write_eval_results(*opened(evaluated))
    assert list(outside.iterdir()) == []


def test_hostile_names_stay_names(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    results = json.loads(json.dumps(RESULTS))
    name = "../../x\n- dataset: {id: evil/evil}\u202e"
    results["results"] = {name: {"acc,none": 0.5}, "GSM8K": {"acc,none": 1}, "gsm8k": {"acc,none": 2}}
    results["configs"] = {task: {"dataset_path": "a/b"} for task in results["results"]}
    (folder / "results_x.json").write_text(json.dumps(results))
    files = write_eval_results(*opened(folder))
    assert [file.path for file in files] == [
        ".eval_results/gsm8k.yaml",
        ".eval_results/gsm8k_2.yaml",
        ".eval_results/x_-_dataset_id_evil_evil.yaml",
    ]
    for file in files:
        (entry,) = parse_eval_result_entries(yaml.safe_load(file.content))
        assert entry.dataset_id == "a/b"
    assert list(eval_file_problems(ModelFolder.open(folder))) == []


def test_a_file_that_the_settings_exclude_stays(evaluated: Path) -> None:
    write_eval_results(*opened(evaluated))
    [path, *_] = sorted((evaluated / ".eval_results").iterdir())
    path.write_text("- by: hand\n")
    model = ModelFolder.open(evaluated, exclude=[".eval_results/*"])
    facts = card_facts(model, repo_id=None, settings=CardSettings(), answers=CardInput())
    assert {file.state for file in write_eval_results(model, facts)} == {"kept"}
    assert path.read_text() == "- by: hand\n"
