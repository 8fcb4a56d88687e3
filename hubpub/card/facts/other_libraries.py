"""What the files of SetFit, timm, diffusers and scikit-learn say of a model: its class, its task, its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hubpub.card.facts.sourced import source_of
from hubpub.card.hub_lists import pipeline_tags, read_data
from hubpub.core.pattern import Pattern
from hubpub.model.jsonfile import json_object
from hubpub.model.kind import ModelKind

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder
    from hubpub.model.jsonfile import JsonFile

# https://github.com/huggingface/setfit/blob/main/src/setfit/modeling.py
SETFIT_CONFIG = "config_setfit.json"
PIPELINE_INDEX = "model_index.json"
_CONFIG = "config.json"
_CLASS = Pattern(r"[A-Za-z]\w{0,99}(?:\.[\w.-]{1,50})?")
_WITHOUT_TEXT = ("DDPMPipeline", "DDIMPipeline")


class Told(NamedTuple):
    """A value, and the file and key that tell it."""

    value: Any
    source: str


def is_setfit(folder: ModelFolder) -> bool:
    """Whether SetFit made the folder: a classifier on top of what sentence-transformers saves."""
    return SETFIT_CONFIG in folder.root_names


def is_sklearn(folder: ModelFolder) -> bool:
    """Whether skops described the folder, as `skops.hub_utils.init` did."""
    return isinstance(json_object(folder.config).get("sklearn"), dict)


def class_told(folder: ModelFolder) -> Told | None:
    """The architecture of timm, or the pipeline of diffusers."""
    if folder.kind is ModelKind.TIMM:
        return _class(folder.config, _CONFIG, "architecture")
    if folder.kind is ModelKind.DIFFUSERS:
        return _class(folder.json(PIPELINE_INDEX), PIPELINE_INDEX, "_class_name")
    return None


def task_told(folder: ModelFolder) -> Told | None:
    """The Hub's id of the model's task, where the files of such a library tell it."""
    config = json_object(folder.config)
    if is_setfit(folder):
        return Told("text-classification", SETFIT_CONFIG)
    if folder.kind is ModelKind.TIMM:
        classes = config.get("num_classes")
        if not isinstance(classes, int) or isinstance(classes, bool):
            return None
        # as timm's own push_to_hf_hub: without a head it makes features
        task = "image-classification" if classes > 0 else "image-feature-extraction"
        return Told(task, source_of(_CONFIG, "num_classes"))
    if folder.kind is ModelKind.DIFFUSERS:
        return _task_of_pipeline(class_told(folder))
    if is_sklearn(folder):
        task = config["sklearn"].get("task")
        known = isinstance(task, str) and task in pipeline_tags()
        return Told(task, source_of(_CONFIG, "sklearn.task")) if known else None
    return None


def labels_told(folder: ModelFolder) -> Told | None:
    """The names of the classes that a model of SetFit or timm tells apart, by id."""
    for made, path, key in (
        (is_setfit(folder), SETFIT_CONFIG, "labels"),
        (folder.kind is ModelKind.TIMM, _CONFIG, "label_names"),
    ):
        listed = json_object(folder.json(path)).get(key) if made else None
        if isinstance(listed, list) and listed and all(isinstance(label, str) for label in listed):
            return Told(tuple(listed), source_of(path, key))
    return None


def _task_of_pipeline(pipeline: Told | None) -> Told | None:
    if pipeline is None:
        return None
    if pipeline.value in read_data("text-to-image.json")["names"]:
        return Told("text-to-image", pipeline.source)
    return Told("unconditional-image-generation", pipeline.source) if pipeline.value in _WITHOUT_TEXT else None


def _class(file: JsonFile | None, path: str, key: str) -> Told | None:
    name = json_object(file).get(key)
    return Told(name, source_of(path, key)) if isinstance(name, str) and _CLASS.fullmatch(name) else None
