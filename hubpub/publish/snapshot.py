"""What a repo holds at a revision, as far as it matters to somebody who uses the model: read in a few bounded calls."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.core.errors import HubpubError
from hubpub.publish.client import HubClient, api_path
from hubpub.publish.remote import RemoteFile

_LARGEST = 1 << 20
_MOST_VALUES = 2_000
_DEEPEST = 4
_CARD = "README.md"
_CONFIGS = ("config.json", "generation_config.json", "adapter_config.json")
# What the Trainer of transformers writes: https://huggingface.co/docs/transformers/main_classes/trainer
_RESULTS = ("all_results.json", "eval_results.json", "test_results.json", "predict_results.json")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repo at a commit.

    Attributes:
        revision: as it was asked for.
        commit: what that is.
        files: by path.
        parameters: of its safetensors files; None where the hub does not say.
        config: values of its configurations, by file and dotted key.
        metrics: numbers that its card and its results state, by name.
    """

    revision: str
    commit: str
    files: Mapping[str, RemoteFile]
    parameters: int | None
    config: Mapping[str, Any]
    metrics: Mapping[str, float]


def snapshot(client: HubClient, repo_id: str, revision: str) -> Snapshot:
    """The repo at a revision.

    Raises:
        UsageError: there is no such repo or revision.
        HubError: the hub cannot be read.
    """
    commit = client.resolve(repo_id, revision)
    files = client.tree(repo_id, commit)
    info = client.http.get(api_path(repo_id, "revision", commit), doing=f"read {repo_id}")
    total = (info.get("safetensors") or {}).get("total")
    documents = {name: _document(client, repo_id, files, commit, name) for name in (*_CONFIGS, *_RESULTS)}
    config = {
        f"{name}: {key}": value for name in _CONFIGS for key, value in _values(documents[name]) if key != "_commit_hash"
    }
    metrics = {
        f"{key} ({name})": float(value)
        for name in _RESULTS
        for key, value in _values(documents[name])
        if _is_number(value)
    }
    card = _text(client, repo_id, files, commit, _CARD)
    return Snapshot(
        revision,
        commit,
        files,
        total if isinstance(total, int) else None,
        config,
        metrics | (_card_metrics(card) if card else {}),
    )


def _document(client: HubClient, repo_id: str, files: Mapping[str, RemoteFile], commit: str, name: str) -> Any:
    text = _text(client, repo_id, files, commit, name)
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _text(client: HubClient, repo_id: str, files: Mapping[str, RemoteFile], commit: str, name: str) -> str | None:
    """A small file; None when it is not there, is large, or is kept from this token."""
    found = files.get(name)
    if found is None or found.size > _LARGEST:
        return None
    try:
        return client.read(repo_id, found, commit, _LARGEST).decode("utf-8", "replace")
    except HubpubError:
        return None


def _values(document: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of each value that is no table."""
    if not isinstance(document, dict):
        return
    for key, value in list(document.items())[:_MOST_VALUES]:
        if isinstance(value, dict) and value and depth < _DEEPEST:
            yield from _values(value, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}", value


def _card_metrics(card: str) -> dict[str, float]:
    """What the `model-index` of a card states.

    Its form: https://huggingface.co/docs/hub/model-cards#evaluation-results
    """
    from hubpub.card.metadata.schema import card_data

    found: dict[str, float] = {}
    for result in _results(card_data(card)):
        found_dataset = result.get("dataset")
        dataset = found_dataset if isinstance(found_dataset, dict) else {}
        where = " ".join(str(dataset[key]) for key in ("name", "config", "split") if dataset.get(key))
        metrics = result.get("metrics")
        for metric in metrics if isinstance(metrics, list) else ():
            if isinstance(metric, dict) and _is_number(metric.get("value")):
                name = str(metric.get("name") or metric.get("type"))
                found[f"{name} on {where}" if where else name] = float(metric["value"])
    return found


def _results(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    index = data.get("model-index")
    for model in index if isinstance(index, list) else ():
        results = model.get("results") if isinstance(model, dict) else None
        yield from (result for result in results if isinstance(result, dict)) if isinstance(results, list) else ()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
