"""EVAL: whether the values of a card agree with each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from hubpub.card.document import Card
from hubpub.card.measures import Measure, columns, single_measures
from hubpub.card.metrics import fractions, is_loss, metric_id
from hubpub.card.results import IndexedMetric, IndexedResult, indexed_results
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.rules.registry import CardSubject, card_rules
from hubpub.rules.run_facts import same_number, training_run, written_alike

_SPEC = "https://github.com/huggingface/hub-docs/blob/main/modelcard.md"

_INDEX = (
    "---\nlicense: mit\nmodel-index:\n  - name: sst2-bert\n    results:\n"
    "      - task: {{type: text-classification}}\n"
    "        dataset: {{name: SST-2, type: stanfordnlp/sst2, split: validation}}\n"
    "        metrics:\n          - {{type: accuracy, value: {0}}}\n---\n\n# sst2-bert\n\n## Evaluation results\n\n{1}\n"
)
_GENERIC_HEADING = frozenset(
    [
        "evaluation",
        "eval",
        "evaluations",
        "results",
        "result",
        "metrics",
        "metric",
        "performance",
        "scores",
        "score",
        "benchmark",
        "model",
        "final",
        "the",
        "of",
        "on",
        "our",
        "and",
        "this",
        "set",
        "data",
        "dev",
        "development",
        "validation",
        "val",
        "training",
        "details",
        "procedure",
        "summary",
        "global",
        "overall",
        "in",
        "for",
        "after",
        "a",
        "finetuned",
        "fine",
        "tuned",
        "quantitative",
        "analysis",
        "analyses",
        "main",
        "reported",
    ]
)


@card_rules.rule(
    "EVAL008",
    "metric-scale-inconsistent",
    Severity.WARNING,
    summary="One metric is given from 0 to 1 in one place and in percent in another.",
    why="Leaderboards and readers compare the numbers as they stand: 0.91 beside 91.2 is a hundredth of it.",
    bad="---\nlicense: mit\n---\n\n## Evaluation results\n\n| Test set | Accuracy |\n|---|---|\n| SST-2 | 0.91 |\n"
    "| IMDB | 88.4 |\n",
    good="---\nlicense: mit\n---\n\n## Evaluation results\n\n| Test set | Accuracy |\n|---|---|\n| SST-2 | 91.0 |\n"
    "| IMDB | 88.4 |\n",
    hint="write all values of a metric on one scale",
    source=_SPEC,
)
def metric_scale_inconsistent(subject: CardSubject) -> Iterator[Problem]:
    """Values in model-index, and those in one column of a table; a percent sign makes a number clear by itself."""
    card = subject.card
    by_metric: dict[str, list[tuple[float, str, int]]] = {}
    for metric in _indexed(card):
        start = card.front_matter.offset_of((*metric.path, "value"))
        if metric.number is not None:
            by_metric.setdefault(metric.id, []).append((metric.number, str(metric.value), start))
    yield from _scales(subject, by_metric.items(), "model-index")
    in_columns = [(name, [(m.value, m.text, m.start) for m in found if not m.percent]) for name, found in columns(card)]
    yield from _scales(subject, in_columns, "this column")


def _scales(
    subject: CardSubject, values: Iterable[tuple[str, list[tuple[float, str, int]]]], where: str
) -> Iterator[Problem]:
    for metric, found in values:
        if metric not in fractions():
            continue
        parts = [item for item in found if 0.1 < item[0] <= 1 and len(item[1].partition(".")[2]) >= 2]
        percents = [item for item in found if 10 <= item[0] <= 100]
        if parts and percents:
            odd, other = (parts[0], percents[0]) if len(parts) <= len(percents) else (percents[0], parts[0])
            line, column = subject.card.lines.place(odd[2])
            message = f"{metric} is {odd[1]} here and {other[1]} elsewhere in {where}: two scales"
            yield Problem(message, subject.path, line, column)
        for number, text, start in found:
            if where == "model-index" and not 0 <= number <= 100:
                line, column = subject.card.lines.place(start)
                yield Problem(f"{metric} cannot be {text}", subject.path, line, column)


@card_rules.rule(
    "EVAL009",
    "body-vs-metadata-value",
    Severity.WARNING,
    summary="The text gives another value for a metric than model-index.",
    why="The Hub shows the value of the metadata beside a text that says otherwise, and readers trust neither. It "
    "happens when a model is trained again and one of the two is forgotten.",
    bad=_INDEX.format("0.91", "- Accuracy: 0.93"),
    good=_INDEX.format("0.93", "- Accuracy: 0.93"),
    hint="find out which one is right and write it in both places",
    source=_SPEC,
    fixable=Fixable.UNSAFE,
)
def body_vs_metadata_value(subject: CardSubject) -> Iterator[Problem]:
    """Metrics with one value in each; where a file of the folder knows the value, EVAL018 judges both."""
    run = training_run(subject)
    decided = {metric_id(value.name) for value in run.metrics} if run else set()
    for metric, result in lone_indexed(subject.card):
        if metric.id in decided or metric.number is None or is_loss(metric.id):
            continue
        measures = comparable_measures(subject.card, metric.id, own_words(result))
        if len({measure.text for measure in measures}) != 1 or agrees(measures[0], metric.number):
            continue
        line, column = subject.card.lines.place(measures[0].start)
        there = subject.card.lines.place(subject.card.front_matter.offset_of((*metric.path, "value")))[0]
        message = f"{metric.id} is {measures[0].text} here and {metric.value} in model-index, line {there}"
        new = written_alike(measures[0].text, scaled(measures[0], metric.number))
        fix = new and Fix(
            f"write {new}, as in model-index",
            safe=False,
            edits=tuple(Edit(subject.path, measure.start, measure.end, new) for measure in measures),
        )
        yield Problem(message, subject.path, line, column, fix=fix or None)


def lone_indexed(card: Card) -> Iterator[tuple[IndexedMetric, IndexedResult]]:
    """The metrics that model-index has one value of, on whatever data."""
    found: dict[str, list[tuple[IndexedMetric, IndexedResult]]] = {}
    for result in indexed_results(card):
        for metric in result.metrics:
            found.setdefault(metric.id, []).append((metric, result))
    yield from (pairs[0] for metric, pairs in found.items() if metric and len(pairs) == 1)


def comparable_measures(card: Card, metric: str, own_words: frozenset[str]) -> list[Measure]:
    """What the text states of the model by itself, under headings that name no other data, split or model."""
    return [
        measure
        for measure in _by_metric(card).get(metric, ())
        if all(word in _GENERIC_HEADING or word in own_words for head in measure.heading for word in head.split())
    ]


@lru_cache(maxsize=8)
def _by_metric(card: Card) -> dict[str, list[Measure]]:
    found: dict[str, list[Measure]] = {}
    for measure in single_measures(card):
        found.setdefault(measure.metric, []).append(measure)
    return found


def agrees(measure: Measure, value: float) -> bool:
    """Whether a number in the text is `value`, rounded or not, on either scale."""
    return any(same_number(measure.text, value * factor) for factor in (1, 100, 0.01))


def scaled(measure: Measure, value: float) -> float:
    """`value` on the scale that the measure is written on."""
    if measure.metric in fractions():
        if abs(value) <= 1 < abs(measure.value) or (measure.percent and abs(value) <= 1):
            return value * 100
        if abs(measure.value) <= 1 < abs(value) and not measure.percent:
            return value / 100
    return value


def own_words(result: IndexedResult) -> frozenset[str]:
    """The words of what was measured on what, which headings may have as well."""
    said = [result.task.get(key) for key in ("type", "name")]
    said += [result.dataset.get(key) for key in ("type", "name", "config", "split")]
    return frozenset(word for text in said if isinstance(text, str) for word in re.findall(r"\w+", text.casefold()))


def _indexed(card: Card) -> Iterator[IndexedMetric]:
    for result in indexed_results(card):
        yield from result.metrics
