"""The results in a card's `model-index`: what was measured, on what, and where each value stands.

Specification: https://github.com/huggingface/hub-docs/blob/main/modelcard.md. What has another shape is left out here;
the Hub's verdict on it is in `hubpub.card.metadata.schema`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from hubpub.card.document import Card
from hubpub.card.metadata.yaml_block import Path
from hubpub.card.metrics import metric_id
from hubpub.core.pattern import Pattern

# "20.0 ± 1.2" and "91.3 %" are values, as the client's documentation of EvalResult has them
_NUMBER = Pattern(r"\s*([-+]?(?:\d{1,18}(?:\.\d{1,18})?|\.\d{1,18})(?:[eE][-+]?\d{1,3})?)(?![\w.]*\w)")


class IndexedMetric(NamedTuple):
    """One metric of a result.

    Attributes:
        path: of the metric in the metadata.
        type: as written; None when it is no text.
        id: the type as `metric_id` spells it; the name where there is no type.
        value: whatever stands there.
        number: the number that it is; None when it is none.
        data: all of its keys.
    """

    path: Path
    type: str | None
    id: str
    value: Any
    number: float | None
    data: dict[str, Any]


class IndexedResult(NamedTuple):
    """One result: metrics of one task on one data set.

    Attributes:
        path: of the result in the metadata.
        task: its keys; empty when it is no mapping.
        dataset: its keys; empty when it is no mapping.
        source: its keys; empty when it is no mapping.
        metrics: those that are mappings.
        data: all of its keys.
    """

    path: Path
    task: dict[str, Any]
    dataset: dict[str, Any]
    source: dict[str, Any]
    metrics: tuple[IndexedMetric, ...]
    data: dict[str, Any]

    @property
    def identity(self) -> tuple[str, ...]:
        """What the client takes two results for one by: `EvalResult.unique_identifier`."""
        keys = ("type", "config", "split", "revision")
        return tuple(repr(value) for value in (self.task.get("type"), *(self.dataset.get(key) for key in keys)))


@lru_cache(maxsize=8)
def indexed_results(card: Card) -> tuple[IndexedResult, ...]:
    """The results in a card's metadata as the Hub reads it, in order."""
    return tuple(_results(card))


def number_in(value: Any) -> float | None:
    """The finite number that a metric's value is or begins with."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        found = _NUMBER.match(value)
        value = float(found[1]) if found else None
    if not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _results(card: Card) -> Iterator[IndexedResult]:
    for index, entry in enumerate(_list((card.front_matter.hub_data or {}).get("model-index"))):
        for number, result in enumerate(_list(_mapping(entry).get("results"))):
            if isinstance(result, dict):
                yield _result(result, ("model-index", index, "results", number))


def _result(result: dict[str, Any], path: Path) -> IndexedResult:
    return IndexedResult(
        path,
        _mapping(result.get("task")),
        _mapping(result.get("dataset")),
        _mapping(result.get("source")),
        tuple(
            _metric(metric, (*path, "metrics", number))
            for number, metric in enumerate(_list(result.get("metrics")))
            if isinstance(metric, dict)
        ),
        result,
    )


def _metric(metric: dict[str, Any], path: Path) -> IndexedMetric:
    kind, name = metric.get("type"), metric.get("name")
    written = next((word for word in (kind, name) if isinstance(word, str)), "")
    value = metric.get("value")
    return IndexedMetric(
        path, kind if isinstance(kind, str) else None, metric_id(written), value, number_in(value), metric
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
