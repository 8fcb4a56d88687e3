"""Result files of lm-evaluation-harness and of lighteval, which are both called results_<time>.json.

https://github.com/EleutherAI/lm-evaluation-harness/blob/main/lm_eval/result_schema.py,
https://huggingface.co/docs/lighteval/saving-and-reading-results
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.core.pattern import Pattern
from hubpub.model.files import Files, Unread, finite, line_of, whole

_NAME = Pattern(r"(?:.*_)?results?(?:_.*)?\.json", re.IGNORECASE, clues=("result",))
_TRAINER = Pattern(r"(?:all|train|eval|test|predict)_results\.json", clues=("_results.json",))
_TIME = Pattern(r"(\d{4}-\d\d-\d\d)T\d\d-\d\d-\d\d")
_LIMIT = 64 << 20
_MOST_TASKS = 5000
_MOST_METRICS = 100
_SHA = Pattern(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class Score:
    """One number of one task.

    Attributes:
        task: as the tool calls it, without the number of examples in the prompt.
        metric: as the tool calls it.
        value: as the file has it; most metrics go from 0 to 1.
        key: where it is in the file.
        alias: the task's name for people, when there is another.
        filter: how the answer was taken from what the model wrote; "" or "none" for as it is.
        error: its standard error.
        higher_is_better: None when the file does not say.
        shots: examples in the prompt.
        samples: how many were evaluated.
        limited: whether not all of the task's samples were; None when the file does not say.
        version: of the task.
        dataset: id of the data set on the Hub, or a path.
        config: the data set's configuration.
        split: that was evaluated.
        group: whether it sums up other tasks.
    """

    task: str
    metric: str
    value: int | float
    key: str
    alias: str | None = None
    filter: str = ""
    error: int | float | None = None
    higher_is_better: bool | None = None
    shots: int | None = None
    samples: int | None = None
    limited: bool | None = None
    version: str | None = None
    dataset: str | None = None
    config: str | None = None
    split: str | None = None
    group: bool = False


@dataclass(frozen=True, slots=True)
class BenchmarkFile:
    """A result file.

    Attributes:
        path: of the file.
        tool: "lm-evaluation-harness" or "lighteval".
        model: what was evaluated, as it was called: a repo of the Hub or a path.
        version: of the tool, or its commit.
        date: on which it was evaluated, as YYYY-MM-DD; UTC where the file has a time stamp.
        transformers: version of transformers.
        seconds: how long it took.
        scores: in the order of the file.
    """

    path: str
    tool: str
    model: str | None
    version: str | None
    date: str | None
    transformers: str | None
    seconds: float | None
    scores: tuple[Score, ...]


def read_benchmark_results(files: Files) -> tuple[tuple[BenchmarkFile, ...], tuple[Unread, ...]]:
    """The result files that have scores, by path; those of a model's later evaluations come after earlier ones."""
    found, unread = [], []
    for entry in files.named(_NAME):
        if _TRAINER.fullmatch(entry.name):
            continue
        document = files.json(entry.path, limit=_LIMIT)
        if document.value is None:
            unread.append(Unread(entry.path, document.problem.message if document.problem else "is empty"))
            continue
        results = parse_benchmark_results(document.value, entry.path)
        if results is not None and results.scores:
            found.append(results)
    return tuple(found), tuple(unread)


def parse_benchmark_results(document: Any, path: str) -> BenchmarkFile | None:
    """What a result file says; None for one of neither tool."""
    if not isinstance(document, dict) or not isinstance(document.get("results"), dict):
        return None
    written = _TIME.search(path.rpartition("/")[2])
    named = written[1] if written else None
    general = document.get("config_general")
    if isinstance(general, dict):
        return BenchmarkFile(
            path,
            "lighteval",
            line_of(general.get("model_name")),
            _commit(general.get("lighteval_sha")),
            named,
            None,
            _seconds(general, "total_evaluation_time_secondes", "total_evaluation_time_seconds"),
            tuple(_lighteval(document, general)),
        )
    if not ({"configs", "versions"} <= document.keys() or "lm_eval_version" in document):
        return None
    return BenchmarkFile(
        path,
        "lm-evaluation-harness",
        line_of(document.get("model_name")),
        line_of(document.get("lm_eval_version"), 50) or _commit(document.get("git_hash")),
        _day(document.get("date")) or named,
        line_of(document.get("transformers_version"), 50),
        _seconds(document, "total_evaluation_time_seconds"),
        tuple(_harness(document)),
    )


def _harness(document: Mapping[str, Any]) -> Iterator[Score]:
    configs, versions, shots = (_object(document, name) for name in ("configs", "versions", "n-shot"))
    better, samples = _object(document, "higher_is_better"), _object(document, "n-samples")
    groups, subtasks = _object(document, "groups"), _object(document, "group_subtasks")
    for task, metrics in _tasks(document):
        config, counted = _object(configs, task), _object(samples, task)
        original, effective = whole(counted.get("original")), whole(counted.get("effective"))
        alias = line_of(metrics.get("alias"), 200)
        for key, value in list(metrics.items())[:_MOST_METRICS]:
            metric, _, how = key.partition(",")
            number = finite(value)
            if number is None or metric.endswith("_stderr") or metric == "sample_len":
                continue
            yield Score(
                task[:300],
                metric[:200],
                number,
                f"results.{task}.{key}"[:600],
                alias if alias and alias.lstrip(" -") != task else None,
                how[:100],
                finite(metrics.get(f"{metric}_stderr,{how}" if how else f"{metric}_stderr")),
                _switch(_object(better, task).get(metric)),
                whole(shots.get(task)),
                effective,
                None if original is None or effective is None else effective < original,
                _version(versions.get(task)),
                line_of(config.get("dataset_path")),
                line_of(config.get("dataset_name")),
                line_of(config.get("test_split")) or line_of(config.get("validation_split")),
                task in groups or bool(subtasks.get(task)),
            )


def _lighteval(document: Mapping[str, Any], general: Mapping[str, Any]) -> Iterator[Score]:
    tasks = {str(key).rpartition("|")[0] or str(key): value for key, value in _object(document, "config_tasks").items()}
    tasks |= {str(key): value for key, value in _object(document, "config_tasks").items()}
    versions = _object(document, "versions")
    limited = general.get("max_samples") is not None if "max_samples" in general else None
    for name, metrics in _tasks(document):
        if name == "all":
            continue  # the mean over whatever tasks there were
        task, _, shots = name.rpartition("|") if re.search(r"\|\d{1,4}\Z", name) else (name, "", "")
        named = (tasks.get(key) for key in (name, task, task.rpartition("|")[2]))
        config: Mapping[str, Any] = next((found for found in named if isinstance(found, dict)), {})
        splits = config.get("evaluation_splits")
        better = _lighteval_better(config)
        for metric, value in list(metrics.items())[:_MOST_METRICS]:
            number = finite(value)
            if number is None or metric.endswith("_stderr"):
                continue
            yield Score(
                task[:300],
                metric[:200],
                number,
                f"results.{name}.{metric}"[:600],
                error=finite(metrics.get(f"{metric}_stderr")),
                higher_is_better=better.get(metric),
                shots=int(shots) if shots else None,
                samples=whole(config.get("effective_num_docs")) or None,
                limited=limited,
                version=_version(versions.get(name, config.get("version"))),
                dataset=line_of(config.get("hf_repo")),
                config=line_of(config.get("hf_subset")),
                split=line_of(splits[0]) if isinstance(splits, list) and splits else None,
                group="_average" in task,
            )


def _lighteval_better(config: Mapping[str, Any]) -> dict[str, bool]:
    metrics = config.get("metrics", config.get("metric"))
    found: dict[str, bool] = {}
    for metric in metrics[:_MOST_METRICS] if isinstance(metrics, list) else []:
        if isinstance(metric, dict) and isinstance(metric.get("metric_name"), str):
            better = metric.get("higher_is_better")
            if isinstance(better, bool):
                found[metric["metric_name"]] = better
            elif isinstance(better, dict):
                found |= {str(name): value for name, value in better.items() if isinstance(value, bool)}
    return found


def _tasks(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for task, metrics in list(document["results"].items())[:_MOST_TASKS]:
        if isinstance(metrics, dict):
            yield task, metrics


def _object(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _switch(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _version(value: Any) -> str | None:
    number = finite(value)
    return line_of(value, 50) if number is None else f"{number:g}"


def _commit(value: Any) -> str | None:
    return value if isinstance(value, str) and _SHA.fullmatch(value) else line_of(value, 50) if value != "?" else None


def _seconds(document: Mapping[str, Any], *keys: str) -> float | None:
    for key in keys:
        value = document.get(key)
        try:
            number = finite(float(value[:40])) if isinstance(value, str) else finite(value)
        except ValueError:
            continue
        if number is not None and number >= 0:
            return number
    return None


def _day(stamp: Any) -> str | None:
    number = finite(stamp)
    if number is None or not 946_684_800 <= number < 253_402_300_800:  # the years 2000 to 9999
        return None
    return datetime.datetime.fromtimestamp(number, datetime.UTC).date().isoformat()
