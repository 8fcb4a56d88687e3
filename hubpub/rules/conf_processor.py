"""CONF: what turns images and sound into the numbers that a model takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import listed
from hubpub.model.configs import wants_preprocessor
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.rules.registry import model_rules

_DOCS = "https://huggingface.co/docs/transformers/main_classes/image_processor"
_FILES = (
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "image_processor_config.json",
    "feature_extractor_config.json",
)


@model_rules.rule(
    "CONF021",
    "preprocessor-missing",
    Severity.WARNING,
    summary="A model of images or sound comes without the settings of its preprocessor.",
    why="AutoImageProcessor, AutoFeatureExtractor and every pipeline of the model raise OSError: size, mean and "
    "sampling rate are in no other file.",
    bad="config.json (ViTForImageClassification) and model.safetensors alone",
    good="preprocessor_config.json beside them",
    hint="save the processor into the same folder: processor.save_pretrained(FOLDER)",
    source=_DOCS,
)
def preprocessor_missing(folder: ModelFolder) -> Iterator[Problem]:
    """Classes that take images or sound, of model types for which transformers has a preprocessor."""
    if folder.kind is not ModelKind.TRANSFORMERS or not folder.architectures:
        return
    # What is there but cannot be published is a FILE rule's.
    if any(name in folder.root_names or folder.entry(name) is not None for name in _FILES):
        return
    wanted = wants_preprocessor(folder.architectures[0])
    if wanted is not None:
        yield Problem(
            f"preprocessor_config.json is missing: {folder.architectures[0]} takes {wanted}",
            path="preprocessor_config.json",
        )


@model_rules.rule(
    "CONF022",
    "preprocessor-value",
    Severity.ERROR,
    summary="A value of the preprocessor's settings cannot be used.",
    why="The preprocessor loads, and raises with the first image: a mean of three values for a picture of one "
    "channel, or a size without a height.",
    bad='{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5]}',
    good='{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}',
    hint="save the processor anew: processor.save_pretrained(FOLDER)",
    source=_DOCS,
)
def preprocessor_value(folder: ModelFolder) -> Iterator[Problem]:
    """Each file, and in processor_config.json also each processor; all in one finding per file."""
    for path in _FILES:
        document = folder.json(path)
        if document is None or not isinstance(document.value, dict):
            continue
        parts = [("", document.value)]
        parts += [(f"{key}.", value) for key, value in document.value.items() if isinstance(value, dict)]
        wrong = [f"{where}{text}" for where, part in parts for text in _wrong(part, _channels(folder))]
        if wrong:
            yield Problem(f"{path} has values that cannot be used: {listed(wrong)}", path=path)


def _channels(folder: ModelFolder) -> int | None:
    """The channels of the images that the model takes, where that is certain."""
    channels = folder.config.get("num_channels") if folder.config else None
    takes_images = any(wants_preprocessor(name) == "images" for name in folder.architectures)
    return channels if takes_images and channels in (1, 3) else None


def _wrong(settings: dict[str, Any], channels: int | None) -> Iterator[str]:
    lengths = {}
    for key in ("image_mean", "image_std"):
        value = settings.get(key)
        if isinstance(value, list):
            if not value or not all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
                yield f"{key} is not a list of numbers"
                return
            lengths[key] = len(value)
    if settings.get("do_normalize") is not False and len(set(lengths.values())) > 1:
        yield f"image_mean has {lengths['image_mean']} values and image_std {lengths['image_std']}"
    elif channels and lengths.get("image_mean", channels) in {1, 3} - {channels}:
        yield f"image_mean has {lengths['image_mean']} values and config.json says num_channels {channels}"
    std = settings.get("image_std")
    if isinstance(std, list) and settings.get("do_normalize") is not False and 0 in std:
        yield "image_std holds a 0, by which images would be divided"
    for key, switch in (("size", "do_resize"), ("crop_size", "do_center_crop")):
        if settings.get(switch) is not False and (reason := _size_problem(settings.get(key))) is not None:
            yield f"{key} {reason}"
    rate = settings.get("sampling_rate")
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0):
        yield f"sampling_rate is {str(rate)[:40]}"


def _size_problem(size: Any) -> str | None:
    if size is None:
        return None
    if isinstance(size, str | bool):
        return f"is {size!r:.40}"
    numbers = size if isinstance(size, list) else list(size.values()) if isinstance(size, dict) else [size]
    if any(isinstance(number, str | bool) or (isinstance(number, int | float) and number <= 0) for number in numbers):
        return f"is {str(size)[:60]}"
    if isinstance(size, dict) and ("height" in size) != ("width" in size):
        return f"has a {'height' if 'height' in size else 'width'} only"
    return None
