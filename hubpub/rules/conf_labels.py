"""CONF: the labels of a classifier."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import listed
from hubpub.model.folder import ModelFolder
from hubpub.rules.conf_values import PATH, transformers_config
from hubpub.rules.registry import model_rules

_DOCS = "https://huggingface.co/docs/transformers/main_classes/configuration"
_DEFAULT = re.compile(r"LABEL_\d+")
_CLASSIFIER = re.compile(r"For\w*Classification$|ForObjectDetection$")


@model_rules.rule(
    "CONF011",
    "labels-inconsistent",
    Severity.WARNING,
    summary="id2label, label2id and num_labels in config.json do not say the same.",
    why="Pipelines name their results by id2label: a gap is a KeyError, keys that are no numbers stop the model from "
    "loading, and a different label2id trains and evaluates on exchanged labels.",
    bad='{"id2label": {"0": "no", "1": "yes"}, "label2id": {"no": 1, "yes": 0}}',
    good='{"id2label": {"0": "no", "1": "yes"}, "label2id": {"no": 0, "yes": 1}}',
    hint="give both from one list: id2label=dict(enumerate(labels)), label2id the reverse",
    source=_DOCS,
)
def labels_inconsistent(folder: ModelFolder) -> Iterator[Problem]:
    """The first thing that is wrong; labels that share a name are none (COCO's models have ten times N/A)."""
    config = transformers_config(folder)
    if config is None:
        return
    id2label, label2id = config.get("id2label"), config.get("label2id")
    if id2label is None:
        return
    if (fatal := _unusable(id2label)) is not None:
        yield Problem(f"{PATH}: {fatal}", path=PATH, severity=Severity.ERROR)
        return
    names = {int(key): value for key, value in id2label.items()}
    count = config.get("num_labels")
    if type(count) is int and count != len(names):
        yield Problem(f"{PATH}: num_labels is {count:,} and id2label has {len(names):,} labels", path=PATH)
    elif names and sorted(names) != list(range(len(names))):
        absent = next(number for number in range(len(names)) if number not in names)
        yield Problem(f"{PATH}: id2label has {len(names):,} labels and none for {absent:,}", path=PATH)
    elif label2id is not None and (reason := _not_the_reverse(names, label2id)) is not None:
        yield Problem(f"{PATH}: {reason}", path=PATH)


def _unusable(id2label: Any) -> str | None:
    if not isinstance(id2label, dict):
        return "id2label is not an object of numbers and labels"
    keys = [key for key in id2label if not re.fullmatch(r"\s*-?\d{1,9}\s*", key)]
    return f"id2label has keys that are no numbers: {listed(keys)}" if keys else None


def _not_the_reverse(names: dict[int, Any], label2id: Any) -> str | None:
    """What label2id says other than id2label."""
    if not isinstance(label2id, dict):
        return "label2id is not an object of labels and numbers"
    if not all(isinstance(name, str) for name in names.values()):
        return None  # labels that are numbers are turned into strings on the way
    for label, number in label2id.items():
        if isinstance(number, str) and number.lstrip("-").isdigit():
            number = int(number)
        if type(number) is not int:
            return f"label2id gives {label[:60]} a number that is none"
        if names.get(number) != label:
            other = f"names {str(names[number])[:60]}" if number in names else "has no such number"
            return f"label2id gives {label[:60]} the number {number:,}, and id2label {other}"
    absent = [name for name in dict.fromkeys(names.values()) if name not in label2id]
    return f"label2id lacks labels of id2label: {listed(absent)}" if absent else None


@model_rules.rule(
    "CONF012",
    "labels-without-names",
    Severity.INFO,
    summary="The labels of a classifier are called LABEL_0, LABEL_1 and so on.",
    why="The results of the pipeline and of the widget on the Hub are these names; nobody knows what they mean.",
    bad='{"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}',
    good='{"id2label": {"0": "negative", "1": "positive"}}',
    hint="set id2label and label2id in config.json",
    source="https://huggingface.co/docs/transformers/tasks/sequence_classification",
)
def labels_without_names(folder: ModelFolder) -> Iterator[Problem]:
    """Classifiers with more than one label; a single one is a regression."""
    config = transformers_config(folder)
    if config is None or not any(_CLASSIFIER.search(name) for name in folder.architectures):
        return
    id2label = config.get("id2label")
    if config.get("problem_type") == "regression" or not isinstance(id2label, dict) or len(id2label) < 2:
        return
    if all(isinstance(label, str) and _DEFAULT.fullmatch(label) for label in id2label.values()):
        yield Problem(f"{PATH}: the {len(id2label):,} labels have no names but LABEL_0 and so on", path=PATH)
