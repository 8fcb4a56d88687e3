"""EVAL: the results in a card's metadata, as the Hub and its clients read `model-index`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from hubpub.card.metadata.edits import set_value
from hubpub.card.metadata.schema import Issue, validate_front_matter
from hubpub.card.metadata.yaml_block import Path
from hubpub.card.placeholders import is_unrendered
from hubpub.card.results import IndexedMetric, IndexedResult, indexed_results
from hubpub.core.findings import Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.rules.placing import at_path, fix_of
from hubpub.rules.registry import CardSubject, card_rules

_SPEC = "https://github.com/huggingface/hub-docs/blob/main/modelcard.md"
_CLIENT = "https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/repocard_data.py"
# What the Hub says of a result's own fields has rules of its own, by the last part of the path.
_FIELDS = ("value", "url", "config", "revision")


def _card(*results: str, before: str = "", name: str = "sst2-bert") -> str:
    """An example: a card with these results in its model-index."""
    lines = "".join(f"      {line}\n" for result in results for line in result.splitlines())
    return f"---\nlicense: mit\n{before}model-index:\n  - name: {name}\n    results:\n{lines}---\n"


_DATASET = "  dataset: {name: SST-2, type: stanfordnlp/sst2, config: default, split: validation}\n"
_TASK = "- task: {type: text-classification}\n"
_METRICS = "  metrics:\n    - type: accuracy\n      value: 0.91\n"


@card_rules.rule(
    "EVAL001",
    "model-index-shape",
    Severity.ERROR,
    summary="model-index is not a list of names with results.",
    why='The Hub rejects the push, after everything was uploaded: "model-index[0].results" is required. Its shape is a '
    "list of one mapping with a name and a list of results.",
    bad="---\nlicense: mit\nmodel-index: sst2-bert\n---",
    good=_card(_TASK + _DATASET + _METRICS),
    hint="write model-index as a list: - name: ..., results: [...]",
    source=_SPEC,
)
def model_index_shape(subject: CardSubject) -> Iterator[Problem]:
    """What the Hub refuses, and what the client cannot walk through."""
    for issue in _issues(subject):
        if len(issue.path) < 2 or issue.path[-1] not in _FIELDS:
            yield at_path(subject, issue.path, f"the Hub would reject the card: {issue.message}")
    for result in indexed_results(subject.card):
        for key, wanted in (("task", dict), ("dataset", dict), ("source", dict), ("metrics", list)):
            value = result.data.get(key)
            if value is not None and not isinstance(value, wanted):
                shape = "a list" if wanted is list else "a mapping"
                yield at_path(subject, (*result.path, key), f"{key} of a result in model-index is not {shape}")
        metrics = result.data.get("metrics")
        for number, metric in enumerate(metrics if isinstance(metrics, list) else ()):
            if not isinstance(metric, dict):
                path = (*result.path, "metrics", number)
                yield at_path(subject, path, "a metric in model-index is not a mapping with type and value")


@card_rules.rule(
    "EVAL002",
    "model-index-required-field",
    Severity.ERROR,
    summary="A result in model-index lacks a field that every result has to have.",
    why="ModelCard.load raises ValueError (Invalid metadata) for the whole card when a result has no task, data set, "
    "metric type or value, so nobody can read or update it with the client; without a value the Hub rejects the push.",
    bad=_card(_TASK + _METRICS),
    good=_card(_TASK + _DATASET + _METRICS),
    hint="add the missing fields: task.type, dataset.type, dataset.name, and type and value of each metric",
    source=_CLIENT,
)
def model_index_required_field(subject: CardSubject) -> Iterator[Problem]:
    """One problem per result and per metric."""
    for result in indexed_results(subject.card):
        missing = [*_missing(result.data, "task", "type"), *_missing(result.data, "dataset", "type", "name")]
        if result.data.get("metrics") is None:
            missing.append("metrics")
        if missing:
            yield at_path(subject, result.path, f"a result in model-index has no {listed(missing)}")
        for metric in result.metrics:
            gone = [key for key in ("type", "value") if metric.data.get(key) is None]
            if gone:
                yield at_path(subject, metric.path, f"a metric in model-index has no {listed(gone)}")


def _missing(result: dict[str, Any], part: str, *keys: str) -> list[str]:
    value = result.get(part)
    if value is None:
        return [part]
    if not isinstance(value, dict):
        return []
    return [f"{part}.{key}" for key in keys if value.get(key) is None]


@card_rules.rule(
    "EVAL003",
    "model-index-multiple-entries",
    Severity.WARNING,
    summary="model-index has more than one entry.",
    why="A repo holds one model. The client reads the results of all entries as those of the last name, and writes "
    "them back so (huggingface_hub, model_index_to_eval_results): the other names are lost.",
    bad="---\nlicense: mit\nmodel-index:\n  - {name: a, results: []}\n  - {name: b, results: []}\n---",
    good="---\nlicense: mit\nmodel-index:\n  - name: a\n    results: []\n---",
    hint="put all results under one name",
    source=_CLIENT,
)
def model_index_multiple_entries(subject: CardSubject) -> Iterator[Problem]:
    """Entries behind the first one."""
    entries = entries_of(subject)
    if len(entries) > 1:
        names = listed([str(entry.get("name"))[:60] for entry in entries[:4] if isinstance(entry, dict)])
        message = f"model-index has {len(entries)} entries ({names}); clients keep the last name only"
        yield at_path(subject, ("model-index", 1), message)


@card_rules.rule(
    "EVAL004",
    "metric-value-type",
    Severity.ERROR,
    summary="The value of a metric is not a number.",
    why="Leaderboards and the model's page sort and compare values; NaN, a mapping or a word is shown as it stands or "
    'not at all. A number with its spread, such as "20.0 ± 1.2", is one.',
    bad=_card(_TASK + _DATASET + _METRICS.replace("0.91", ".nan")),
    good=_card(_TASK + _DATASET + _METRICS),
    hint="write the number that was measured, or remove the metric",
    source=_CLIENT,
)
def metric_value_type(subject: CardSubject) -> Iterator[Problem]:
    """Values without a number in them; a template's variable is reported as such."""
    for metric in metrics_of(subject):
        what = _no_number(metric.value)
        if what:
            yield at_path(
                subject, (*metric.path, "value"), f"the value of {metric.id or 'a metric'} is {what}, no number"
            )


def _no_number(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and is_unrendered(value)):
        return None
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str) and not any(character.isdigit() for character in value):
        return repr(" ".join(value.split())[:40])
    return None if isinstance(value, int | float | str) and not isinstance(value, bool) else repr(value)[:40]


@card_rules.rule(
    "EVAL005",
    "result-field-type",
    Severity.ERROR,
    summary="A field of a result that has to be text is a number or something else.",
    why='The Hub rejects the push: "model-index[0].results[0].dataset.config" must be a string '
    "(https://github.com/huu4ontocord/MDEL/issues/34). A bare 1 or 1.10 is a number in YAML, and so is a revision of "
    "digits only.",
    bad=_card(_TASK + _DATASET.replace("default", "2024") + _METRICS),
    good=_card(_TASK + _DATASET.replace("default", '"2024"') + _METRICS),
    hint="put the value between quotes",
    source=_SPEC,
    fixable=Fixable.SAFE,
)
def result_field_type(subject: CardSubject) -> Iterator[Problem]:
    """Config, revision and a metric's config, which the Hub refuses; and the split, which is text as well."""
    left = most_fixes(subject)
    for issue in _issues(subject):
        if issue.path[-1] in ("config", "revision"):
            left -= 1
            yield _unquoted(
                subject, issue.path, f"the Hub would reject the card: {issue.message}", None, mend=left >= 0
            )
    for result in indexed_results(subject.card):
        split = result.dataset.get("split")
        if split is not None and not isinstance(split, str):
            left -= 1
            path = (*result.path, "dataset", "split")
            yield _unquoted(
                subject, path, f"the split {split!r} in model-index is not text"[:120], Severity.WARNING, mend=left >= 0
            )


def _unquoted(subject: CardSubject, path: Path, message: str, severity: Severity | None, *, mend: bool) -> Problem:
    front_matter, text = subject.card.front_matter, subject.card.text
    span = front_matter.values.get(path)
    written = text[span[0] : span[1]].strip() if span else ""
    edits = set_value(text, front_matter, path, written) if mend and written and written[0] not in "[{&*!" else None
    return at_path(
        subject, path, message, fix=fix_of(subject, "put it between quotes", edits, safe=True), severity=severity
    )


@card_rules.rule(
    "EVAL006",
    "source-without-url",
    Severity.ERROR,
    summary="The source of a result has no url.",
    why='The Hub rejects the push: "source.url" is required; and the client\'s EvalResult raises ValueError for a '
    "source name without it.",
    bad=_card(_TASK + _DATASET + _METRICS + "  source: {name: Open LLM Leaderboard}\n"),
    good=_card(_TASK + _DATASET + _METRICS + "  source: {name: Open LLM Leaderboard, url: https://example.org/r}\n"),
    hint="add the url, or remove the source",
    source=_CLIENT,
)
def source_without_url(subject: CardSubject) -> Iterator[Problem]:
    """Sources that only have a name."""
    names = {(*result.path, "source"): result.source.get("name") for result in indexed_results(subject.card)}
    for issue in _issues(subject):
        if issue.path[-1] == "url":
            name = names.get(issue.path[:-1])
            said = f" {str(name)[:60]!r}" if name else ""
            message = f"the Hub would reject the card: the source{said} of a result has no url"
            yield at_path(subject, issue.path, message)


@card_rules.rule(
    "EVAL007",
    "result-would-merge",
    Severity.WARNING,
    summary="Two results differ only in what the client does not tell them apart by.",
    why="The client takes results with the same task, data set, config, split and revision for one "
    "(EvalResult.unique_identifier). When it writes the card again, source, args and names of the second are gone, "
    "and its numbers stand under those of the first.",
    bad=_card(
        _TASK + _DATASET.replace("split: validation", "args: {shots: 0}") + _METRICS,
        _TASK + _DATASET.replace("split: validation", "args: {shots: 5}") + _METRICS.replace("0.91", "0.94"),
    ),
    good=_card(
        _TASK + _DATASET.replace("config: default", "config: 0-shot") + _METRICS,
        _TASK + _DATASET.replace("config: default", "config: 5-shot") + _METRICS.replace("0.91", "0.94"),
    ),
    hint="say the difference in the config, split or revision of the data set",
    source=_CLIENT,
)
def result_would_merge(subject: CardSubject) -> Iterator[Problem]:
    """Results that would lose something when they are merged with an earlier one."""
    first: dict[tuple[str, ...], IndexedResult] = {}
    for result in indexed_results(subject.card):
        earlier = first.setdefault(result.identity, result)
        lost = [] if earlier is result else _lost(earlier, result)
        if lost:
            line = subject.card.lines.place(subject.card.front_matter.offset_of(earlier.path))[0]
            message = f"this result and that of line {line} are one to clients; its {listed(lost)} would be lost"
            yield at_path(subject, result.path, message)


def _lost(earlier: IndexedResult, result: IndexedResult) -> list[str]:
    parts = (
        ("source", earlier.source, result.source),
        ("dataset.args", earlier.dataset.get("args"), result.dataset.get("args")),
        ("dataset.name", earlier.dataset.get("name"), result.dataset.get("name")),
    )
    return [name for name, kept, gone in parts if gone and repr(gone) != repr(kept)]


def _issues(subject: CardSubject) -> Iterator[Issue]:
    for issue in validate_front_matter(subject.card.front_matter).issues:
        if issue.path[:1] == ("model-index",):
            yield issue


def most_fixes(subject: CardSubject) -> int:
    """How many edits to prepare: each reads the metadata again. What needs more is mended in several runs."""
    return max(1, min(10, 100_000 // (len(subject.card.front_matter.raw) + 1)))


def entries_of(subject: CardSubject) -> list[Any]:
    """The entries of model-index, whatever they are."""
    value = (subject.card.front_matter.hub_data or {}).get("model-index")
    return value if isinstance(value, list) else []


def metrics_of(subject: CardSubject) -> Iterator[IndexedMetric]:
    """The metrics of all results."""
    for result in indexed_results(subject.card):
        yield from result.metrics


def listed(words: list[str]) -> str:
    """Words as a list in a sentence."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
