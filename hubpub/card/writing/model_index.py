"""The results in `model-index`: every metric of every task with its value, under the data set that it was measured on.

Specification: https://github.com/huggingface/hub-docs/blob/main/modelcard.md. The client takes results with the same
task, data set, configuration, split and revision for one (`EvalResult.unique_identifier` in huggingface_hub), so each
of these is one result here, and what else is different stands in the names of its metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from hubpub.card.metrics import hub_metric, is_loss, known_metrics, metric_id
from hubpub.card.writing.benchmarks import Benchmarked, benchmarked
from hubpub.card.writing.left_out import LeftOut

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts
    from hubpub.card.facts.training import Evaluation, TrainingRun

_MOST_RESULTS = 200
_MOST_METRICS = 200
# What is measured for its own sake is not what users care about, and no leaderboard has it.
_NO_RESULTS = ("epoch",)
_OF_TEST_DATA = ("test_results.json", "predict_results.json")


class Results(NamedTuple):
    """The results of `model-index`, and what could not be one of them."""

    results: tuple[dict[str, Any], ...]
    left_out: tuple[LeftOut, ...]


class _Measured(NamedTuple):
    """A metric with what it was measured on."""

    task: str
    dataset: str
    name: str
    config: str | None
    split: str | None
    revision: str | None
    metric: dict[str, Any]


def model_index_results(facts: CardFacts) -> Results:
    """The results that the files of a run and of benchmarks hold, one for each data set and split."""
    scores, left_out = benchmarked(facts)
    own, more = _of_the_run(facts)
    groups: dict[tuple[str | None, ...], list[_Measured]] = {}
    for measured in (*own, *_of_benchmarks(facts, scores)):
        groups.setdefault(
            (measured.task, measured.dataset, measured.config, measured.split, measured.revision), []
        ).append(measured)
    results = [_result(group) for group in groups.values()]
    if len(results) > _MOST_RESULTS:
        more += (LeftOut("model-index", f"has the first {_MOST_RESULTS} of {len(results)} results"),)
    return Results(tuple(results[:_MOST_RESULTS]), (*more, *left_out))


def measured_metrics(facts: CardFacts) -> tuple[str, ...]:
    """The Hub's ids of what was measured, on a known data set or not."""
    scores, _ = benchmarked(facts)
    names = [value.name for value in facts.training.metrics]
    names += [value.name for evaluation in _test_evaluations(facts.training) for value in evaluation.metrics]
    names += [one.score.metric for one in scores]
    ids = (hub_metric(metric_id(name)) for name in names if not is_loss(metric_id(name)))
    return tuple(dict.fromkeys(name for name in ids if name is not None))


def _result(group: list[_Measured]) -> dict[str, Any]:
    first = group[0]
    dataset: dict[str, Any] = {"name": first.name if len({one.name for one in group}) == 1 else first.dataset}
    dataset["type"] = first.dataset
    for key in ("config", "split", "revision"):
        if value := getattr(first, key):
            dataset[key] = value
    metrics: list[dict[str, Any]] = []
    for one in group[:_MOST_METRICS]:
        if one.metric not in metrics:
            metrics.append(one.metric)
    return {"task": {"type": first.task}, "dataset": dataset, "metrics": metrics}


def _of_the_run(facts: CardFacts) -> tuple[list[_Measured], tuple[LeftOut, ...]]:
    """What the Trainer measured, when it is known on which data set."""
    run, told = facts.training, facts.answers.evaluation
    tests = _test_evaluations(run)
    if not any(_counts(value.name) for value in run.metrics) and not tests:
        return [], ()
    dataset = told.get("dataset") or (facts.datasets[0] if len(facts.datasets) == 1 else None)
    if dataset is None:
        which = f"which of the {len(facts.datasets)} data sets" if facts.datasets else "which data set"
        ask = "answer evaluation.dataset, with --set or in card.yaml"
        reason = f"lacks the results of the training run: no file says on {which}; {ask}"
        return [], (LeftOut("model-index", reason),)
    if not facts.pipeline_tag:
        return [], (
            LeftOut(
                "model-index", "lacks the results of the training run: no file says for which task; answer pipeline_tag"
            ),
        )

    def measured(name: str, value: object, split: str | None) -> _Measured:
        metric = {"type": _type(name), "name": name, "value": value}
        return _Measured(
            facts.pipeline_tag or "",
            dataset,
            told.get("name", dataset),
            told.get("config"),
            split,
            told.get("revision"),
            metric,
        )

    found = [measured(value.name, value.value, told.get("split")) for value in run.metrics if _counts(value.name)]
    for evaluation in tests:
        found += [measured(value.name, value.value, "test") for value in evaluation.metrics if _counts(value.name)]
    return found, ()


def _test_evaluations(run: TrainingRun) -> tuple[Evaluation, ...]:
    """What transformers' examples measure beside: `predict` and `test` are of the test split."""
    return tuple(evaluation for evaluation in run.evaluations if evaluation.path in _OF_TEST_DATA)


def _counts(name: str) -> bool:
    return not is_loss(metric_id(name)) and name not in _NO_RESULTS


def _of_benchmarks(facts: CardFacts, scores: Iterable[Benchmarked]) -> Iterator[_Measured]:
    for one in scores:
        setup = ", ".join((one.task, *one.setup))
        metric = {"type": _type(one.score.metric), "name": f"{one.score.metric} ({setup})", "value": one.score.value}
        task = facts.pipeline_tag or "text-generation"
        yield _Measured(task, one.dataset, one.score.alias or one.task, one.score.config, one.score.split, None, metric)


def _type(name: str) -> str:
    known = metric_id(name)
    return known if known in known_metrics() else name
