"""What `datasets` and a dataset card say of a data set: configurations, splits, rows, columns and their types.

dataset_info.json is DatasetInfo.write_to_directory's, https://github.com/huggingface/datasets/blob/main/src/datasets/info.py;
the front matter is https://github.com/huggingface/hub-docs/blob/main/datasetcard.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.model.files import Fact, line_of, whole
from hubpub.model.tables import Column
from hubpub.model.yamlfile import parse_yaml

_MOST = 2000
_MOST_CLASSES = 10_000
# Simpler than the Hub's own, which card/metadata/frontmatter.py has: nothing is judged here.
_BLOCK = re.compile(r"\s{0,100}---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_CARD_KEYS = ("dataset_info", "configs", "task_categories", "size_categories", "annotations_creators", "task_ids")
_MULTIPLE = {"sequence", "list", "large_list"}


@dataclass(frozen=True, slots=True)
class Split:
    """A split.

    Attributes:
        name: "train", "validation", "test" or another.
        rows: how many.
        bytes: of the rows in memory, as `datasets` counts, or of the files.
        path: the file that says so, or the first of its files.
        key: where in that file.
        files: paths of its files, or the patterns of a dataset card, where they are known.
        classes: rows by class, where they were counted.
    """

    name: str
    rows: int | None
    bytes: int | None
    path: str
    key: str = ""
    files: tuple[str, ...] = ()
    classes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set, in one configuration.

    Attributes:
        path: the file or directory ("dir/", "" for all files) that tells of it.
        form: "dataset_info.json", "dataset card", "saved data set", "csv", "parquet", ...
        name: as the file calls it; None when it does not.
        config: name of the configuration.
        splits: those that are known.
        columns: in their order.
        facts: licence, languages, tasks, homepage, version, sizes in bytes, ..., as written.
    """

    path: str
    form: str
    name: str | None = None
    config: str | None = None
    splits: tuple[Split, ...] = ()
    columns: tuple[Column, ...] = ()
    facts: tuple[Fact, ...] = ()

    @property
    def rows(self) -> int | None:
        """Rows of all splits; None when those of one are not known."""
        known = [split.rows for split in self.splits if split.rows is not None]
        return sum(known) if known and len(known) == len(self.splits) else None


def parse_dataset_info(document: Any, path: str) -> tuple[DataSet, ...]:
    """The data sets of a dataset_info.json: one, or one for each configuration as older versions wrote it."""
    if not isinstance(document, dict):
        return ()
    if _is_info(document):
        return (_info(document, path, "dataset_info.json", ""),)
    found = []
    for config, info in list(document.items())[:_MOST]:
        if isinstance(info, dict) and _is_info(info):
            found.append(_info({"config_name": config, **info}, path, "dataset_info.json", f"{config}."))
    return tuple(found)


def parse_dataset_card(text: str, path: str) -> tuple[DataSet, ...]:
    """What the front matter of a dataset card says, for each configuration; nothing when it is no dataset card."""
    block = _BLOCK.match(text.removeprefix("\ufeff"))
    metadata = parse_yaml(block[1].encode("utf-8", "replace")).value if block else None
    if not isinstance(metadata, dict) or not any(key in metadata for key in _CARD_KEYS):
        return ()
    if isinstance(metadata.get("pipeline_tag"), str) or "library_name" in metadata:
        return ()  # the card of a model
    facts = tuple(_card_facts(metadata, path))
    infos = metadata.get("dataset_info")
    listed = infos if isinstance(infos, list) else [infos]
    name = line_of(metadata.get("pretty_name"), 200)
    found = []
    for index, info in enumerate(listed[:_MOST]):
        if isinstance(info, dict):
            key = f"dataset_info.{index}." if isinstance(infos, list) else "dataset_info."
            one = _info(info, path, "dataset card", key)
            found.append(DataSet(path, one.form, name, one.config, one.splits, one.columns, (*facts, *one.facts)))
    return tuple(found or _configured(metadata.get("configs"), name, facts, path)) or (
        DataSet(path, "dataset card", name, facts=facts),
    )


def _configured(configs: Any, name: str | None, facts: tuple[Fact, ...], path: str) -> Iterator[DataSet]:
    """What `configs` says where nothing is said of rows and columns: which files make a split."""
    for index, config in enumerate(configs[:_MOST] if isinstance(configs, list) else []):
        if not isinstance(config, dict):
            continue
        listed = config.get("data_files")
        splits = tuple(
            Split(split, None, None, path, f"configs.{index}.data_files.{place}", _patterns(one.get("path")))
            for place, one in enumerate(listed[:_MOST] if isinstance(listed, list) else [])
            if isinstance(one, dict) and (split := line_of(one.get("split"), 100))
        )
        yield DataSet(path, "dataset card", name, line_of(config.get("config_name"), 200), splits, (), facts)


def _patterns(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(pattern for one in listed[:_MOST] if (pattern := line_of(one)))


def _is_info(document: Mapping[str, Any]) -> bool:
    return isinstance(document.get("features"), dict | list) or isinstance(document.get("splits"), dict | list)


def _info(info: Mapping[str, Any], path: str, form: str, key: str) -> DataSet:
    named = ("license", "homepage", "citation", "description", "download_size", "dataset_size")
    facts = []
    for name in named:
        value = info.get(name)
        known = whole(value) if name.endswith("_size") else line_of(value, 10_000 if name == "citation" else 1000)
        if known:
            facts.append(Fact(name, known, path, key + name))
    version = info.get("version")
    if isinstance(version, dict) and (text := line_of(version.get("version_str"), 50)):
        facts.append(Fact("version", text, path, f"{key}version.version_str"))
    return DataSet(
        path,
        form,
        line_of(info.get("dataset_name"), 200) or line_of(info.get("builder_name"), 200),
        line_of(info.get("config_name"), 200),
        tuple(_splits(info.get("splits"), path, key + "splits")),
        tuple(_columns(info.get("features"))),
        tuple(facts),
    )


def _splits(splits: Any, path: str, key: str) -> Iterator[Split]:
    if isinstance(splits, dict):
        named = [(str(name), split) for name, split in splits.items()]
    else:
        listed = splits if isinstance(splits, list) else []
        named = [(str(index), split) for index, split in enumerate(listed)]
    for place, split in named[:_MOST]:
        if isinstance(split, dict):
            name = line_of(split.get("name"), 100) or place
            yield Split(name, whole(split.get("num_examples")), whole(split.get("num_bytes")), path, f"{key}.{place}")


def _columns(features: Any) -> Iterator[Column]:
    if isinstance(features, dict):  # as JSON: a mapping from name to feature
        for name, feature in list(features.items())[:_MOST]:
            yield Column(str(name)[:300], *_json_type(feature))
    elif isinstance(features, list):  # as YAML: a list of what has a name
        for feature in features[:_MOST]:
            if isinstance(feature, dict) and isinstance(feature.get("name"), str):
                yield Column(feature["name"][:300], *_yaml_type(feature))


def _json_type(feature: Any) -> tuple[str, tuple[str, ...]]:
    if isinstance(feature, list):  # as older versions write it
        feature = {"_type": "List", "feature": feature[0] if feature else None}
    if not isinstance(feature, dict):
        return "unknown", ()
    kind = feature.get("_type")
    if not isinstance(kind, str):
        return "struct", ()
    if kind == "ClassLabel":
        return "class_label", _classes(feature.get("names"))
    if kind == "Value":
        return line_of(feature.get("dtype"), 50) or "unknown", ()
    if kind in ("Sequence", "List", "LargeList"):
        inner = feature.get("feature")
        # labels of tokens: what they tell apart is worth more than that they are a list
        if isinstance(inner, dict) and inner.get("_type") == "ClassLabel":
            return "list", _classes(inner.get("names"))
        return _list_of(inner.get("dtype") if isinstance(inner, dict) else None), ()
    return _snake(kind)[:50], ()


def _yaml_type(feature: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    if multiple := _MULTIPLE & feature.keys():
        return _list_of(feature[min(multiple)]), ()
    if "struct" in feature:
        return "struct", ()
    dtype = feature.get("dtype")
    if isinstance(dtype, dict):
        label = dtype.get("class_label")
        if isinstance(label, dict):
            return "class_label", _classes(label.get("names"))
        kind = next((str(name) for name in dtype), "unknown")
        return kind[:50], ()
    return line_of(dtype, 50) or "unknown", ()


def _list_of(dtype: Any) -> str:
    return f"list of {line_of(dtype, 40)}" if isinstance(dtype, str) else "list"


def _classes(names: Any) -> tuple[str, ...]:
    listed = list(names.values()) if isinstance(names, dict) else names if isinstance(names, list) else []
    return tuple(name[:300] for name in listed[:_MOST_CLASSES] if isinstance(name, str))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[:100]).lower()


def _card_facts(metadata: Mapping[str, Any], path: str) -> Iterator[Fact]:
    for name in (
        "license",
        "license_name",
        "language",
        "task_categories",
        "size_categories",
        "source_datasets",
        "tags",
    ):
        value = metadata.get(name)
        listed = value if isinstance(value, list) else [value]
        for index, one in enumerate(listed[:200]):
            if text := line_of(one, 200):
                yield Fact(name, text, path, f"{name}.{index}" if isinstance(value, list) else name)
