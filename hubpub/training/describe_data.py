"""What training data are, without any of it: names, revision, splits, rows, columns and their types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hubpub.training.redact import as_number, text

_MOST_COLUMNS = 200
_MOST_CLASSES = 100
_SAMPLE = 100
# Where `datasets` has loaded its files from: hf://datasets/stanfordnlp/imdb@e6281661ce1c48d982bc483cf8a173c1bbeb5d31/plain_text/...
_HUB_FILE = re.compile(r"hf://datasets/(?P<id>[\w.-]+(?:/[\w.-]+)?)@(?P<revision>[0-9a-f]{40})/.*")
_TYPES: Mapping[type, str] = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    dict: "struct",
    bytes: "binary",
}


def describe(
    data: Any, *, split: str | None = None, name: str | None = None, role: str = "training"
) -> list[dict[str, Any]]:
    """One description for each split of `data`.

    Args:
        data: a Dataset or DatasetDict of `datasets`, a Dataset or DataLoader of torch, a data frame, a list of rows, or
            a name.
        split: its split, when it does not say so itself.
        name: what it is called, when it does not say so itself: best the id of a data set on the Hub.
        role: "training" or "evaluation".
    """
    if isinstance(data, Mapping) and data and all(_is_data(value) for value in list(data.values())[:20]):
        parts = list(data.items())[:20]
        roles = {key: "training" if "train" in str(key).lower() else "evaluation" for key, _ in parts}
        return [one for key, value in parts for one in describe(value, split=str(key), name=name, role=roles[key])]
    found: dict[str, Any] = {"name": text(name) if name else None, "split": split, "role": role}
    _fill(found, data, 0)
    return [{key: value for key, value in found.items() if value not in (None, [], "")}]


def _is_data(value: Any) -> bool:
    return (
        isinstance(value, list)
        or hasattr(value, "column_names")
        or (
            hasattr(value, "__getitem__") and hasattr(value, "__len__") and not isinstance(value, str | bytes | Mapping)
        )
    )


def _fill(found: dict[str, Any], data: Any, depth: int) -> None:
    if isinstance(data, str):
        found["name"] = found["name"] or text(data)
        return
    kind = type(data)
    found.setdefault(
        "kind",
        f"{kind.__module__.partition('.')[0]}.{kind.__name__}" if kind.__module__ != "builtins" else kind.__name__,
    )
    inner = getattr(data, "dataset", None)
    if inner is not None and depth < 4 and not hasattr(data, "column_names"):
        # a DataLoader or a Subset, of which the rows are its own
        if hasattr(data, "indices"):
            found.setdefault("rows", _length(data))
        found["kind"] = None
        del found["kind"]
        _fill(found, inner, depth + 1)
        return
    found.setdefault("rows", _length(data))
    if hasattr(data, "features") and hasattr(data, "info"):
        _huggingface(found, data)
    elif hasattr(data, "dtypes") and hasattr(data, "columns"):
        found["columns"] = [
            {"name": text(str(name)), "type": str(kind)[:50]}
            for name, kind in zip(list(data.columns)[:_MOST_COLUMNS], list(data.dtypes), strict=False)
        ]
    elif isinstance(data, list | tuple):
        found["columns"] = _columns_of_rows(data)


def _length(data: Any) -> int | None:
    try:
        return len(data)
    except (TypeError, NotImplementedError, ValueError, OverflowError):
        return None


def _huggingface(found: dict[str, Any], data: Any) -> None:
    """What `datasets` knows of a set, https://huggingface.co/docs/datasets/package_reference/main_classes#datasets.DatasetInfo."""
    info = data.info
    files = [
        match
        for file in list(getattr(info, "download_checksums", None) or ())[:1000]
        if (match := _HUB_FILE.fullmatch(str(file)))
    ]
    if files:
        found["name"] = found["name"] or files[0]["id"]
        found["revision"] = files[0]["revision"]
    builder = getattr(info, "dataset_name", None) or getattr(info, "builder_name", None)
    if isinstance(builder, str) and builder:
        found["name"] = found["name"] or text(builder)
    for key, attribute in (("config", "config_name"), ("homepage", "homepage"), ("license", "license")):
        value = getattr(info, attribute, None)
        if isinstance(value, str) and value:
            found[key] = text(value)
    version = getattr(info, "version", None)
    if version is not None:
        found["version"] = text(str(version))[:50]
    fingerprint = getattr(data, "_fingerprint", None)
    if isinstance(fingerprint, str):
        found["fingerprint"] = fingerprint[:64]
    if found["split"] is None and getattr(data, "split", None) is not None:
        found["split"] = text(str(data.split))[:100]
    features = data.features
    if isinstance(features, Mapping):
        found["columns"] = [_column(str(name), feature) for name, feature in list(features.items())[:_MOST_COLUMNS]]


def _column(name: str, feature: Any) -> dict[str, Any]:
    kind = type(feature).__name__
    column: dict[str, Any] = {"name": text(name)}
    if kind == "Value":
        column["type"] = text(str(feature.dtype))[:50]
    elif kind == "ClassLabel":
        column["type"] = "class_label"
        column["classes"] = [text(str(label)) for label in list(feature.names)[:_MOST_CLASSES]]
    elif kind in ("Sequence", "List", "LargeList", "list"):
        column["type"] = "list"
        inner: Any = getattr(feature, "feature", None)
        if type(inner).__name__ == "ClassLabel":
            column["classes"] = [text(str(label)) for label in list(inner.names)[:_MOST_CLASSES]]
        elif type(inner).__name__ == "Value":
            column["type"] = f"list of {text(str(inner.dtype))[:40]}"
    else:
        column["type"] = (
            "struct" if isinstance(feature, Mapping) else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()[:50]
        )
    return column


def _columns_of_rows(rows: Sequence[Any]) -> list[dict[str, Any]]:
    types: dict[str, set[str]] = {}
    for row in rows[:_SAMPLE]:
        if isinstance(row, Mapping):
            for name, value in list(row.items())[:_MOST_COLUMNS]:
                types.setdefault(str(name), set()).add(_type(value))
    return [
        {"name": text(name), "type": kinds.pop() if len(kinds) == 1 else "mixed"}
        for name, kinds in list(types.items())[:_MOST_COLUMNS]
    ]


def _type(value: Any) -> str:
    if type(value) in _TYPES:
        return _TYPES[type(value)]
    if isinstance(value, list | tuple) or getattr(value, "ndim", None):
        return "list"
    return "null" if value is None else "float64" if as_number(value) is not None else type(value).__name__.lower()[:50]
