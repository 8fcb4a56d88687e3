"""How data goes into a model and out of it: preprocessing, modules of an embedding model, defaults of generation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hubpub.card.facts.sourced import Value, source_of
from hubpub.model.jsonfile import json_object
from hubpub.model.kind import ModelKind

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

_GENERATION = (
    "do_sample",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
    "num_beams",
    "length_penalty",
    "no_repeat_ngram_size",
    "early_stopping",
    "max_new_tokens",
    "max_length",
    "min_length",
    "language",
    "task",
)
_IMAGES = (
    "do_resize",
    "size",
    "crop_size",
    "do_center_crop",
    "do_rescale",
    "rescale_factor",
    "do_normalize",
    "image_mean",
    "image_std",
    "do_convert_rgb",
)
_SOUND = (
    "sampling_rate",
    "feature_size",
    "num_mel_bins",
    "n_fft",
    "hop_length",
    "chunk_length",
    "max_length",
    "do_normalize",
    "padding_value",
    "return_attention_mask",
)
_VISION = ("image_size", "patch_size", "num_channels", "num_frames")
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
_MOST_NUMBERS = 8
_MOST_MODULES = 10
_MOST_PROMPTS = 20
_LONGEST = 300


def generation_defaults(folder: ModelFolder) -> tuple[Value, ...]:
    """What `generate` does when nothing is said, as far as generation_config.json sets it; then prefixes of tasks."""
    path = "generation_config.json"
    found = list(_plain(json_object(folder.json(path)), _GENERATION, path))
    tasks = json_object(folder.config).get("task_specific_params")
    for name, settings in list(tasks.items())[:_MOST_MODULES] if isinstance(tasks, dict) else ():
        prefix = settings.get("prefix") if isinstance(settings, dict) else None
        if isinstance(prefix, str) and prefix:
            key = f"task_specific_params.{name}.prefix"
            found.append(Value(f"prefix of {name}", prefix, source_of("config.json", key)))
    return tuple(found)


def preprocessing(folder: ModelFolder) -> tuple[Value, ...]:
    """What is done to images or sound before the model sees them."""
    found: list[Value] = []
    for path in _PROCESSORS:
        document = json_object(folder.json(path))
        parts = {"": document, **{f"{key}.": value for key, value in document.items() if isinstance(value, dict)}}
        for part, values in parts.items():
            if part in ("", "image_processor.", "feature_extractor.", "audio_processor.", "video_processor."):
                keys = _SOUND if "sampling_rate" in values else _IMAGES
                found += _plain(values, keys, path, part)
        if found:
            break
    config = json_object(folder.config)
    vision = config.get("vision_config")
    part, values = ("vision_config.", vision) if isinstance(vision, dict) else ("", config)
    return (*_plain(values, _VISION, "config.json", part), *found)


def embedding_modules(folder: ModelFolder) -> tuple[Value, ...]:
    """The modules of a sentence-transformers model in their order, and how it compares vectors."""
    if folder.kind is not ModelKind.SENTENCE_TRANSFORMERS:
        return ()
    found = []
    listed = folder.modules.value if folder.modules else None
    for index, module in enumerate(listed[:_MOST_MODULES] if isinstance(listed, list) else ()):
        kind = module.get("type") if isinstance(module, dict) else None
        if isinstance(kind, str):
            name = kind.rpartition(".")[2]
            detail = _pooling(folder, module.get("path")) if name == "Pooling" else ""
            shown = f"{name} ({detail})" if detail else name
            place = source_of("modules.json", f"{index}.type")
            place += f"; {module.get('path')}/config.json" if detail else ""
            found.append(Value(f"Module {index}", shown, place))
    path = "config_sentence_transformers.json"
    similarity = json_object(folder.json(path)).get("similarity_fn_name")
    if isinstance(similarity, str) and similarity:
        found.append(Value("Similarity", similarity, source_of(path, "similarity_fn_name")))
    return tuple(found)


def prompts(folder: ModelFolder) -> tuple[Value, ...]:
    """The prompts that a sentence-transformers model puts in front of texts, by name."""
    path = "config_sentence_transformers.json"
    document = json_object(folder.json(path)).get("prompts")
    return tuple(
        Value(name[:_LONGEST], text[:_LONGEST], source_of(path, f"prompts.{name}"))
        for name, text in (list(document.items())[:_MOST_PROMPTS] if isinstance(document, dict) else ())
        if isinstance(text, str) and text
    )


def _pooling(folder: ModelFolder, directory: Any) -> str:
    config = json_object(folder.json(f"{directory}/config.json"))
    mode = config.get("pooling_mode")
    if isinstance(mode, str):
        return mode[:_LONGEST]
    start = "pooling_mode_"
    return ", ".join(
        key.removeprefix(start) for key, value in config.items() if key.startswith(start) and value is True
    )


def _plain(document: Mapping[str, Any], keys: tuple[str, ...], path: str, part: str = "") -> Iterator[Value]:
    for key in keys:
        value = _shown(document.get(key))
        if value is not None:
            yield Value(key, value, source_of(path, part + key))


def _shown(value: Any) -> int | float | str | bool | None:
    """A plain value; short lists of numbers and objects such as a size become text."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:_LONGEST] or None
    if isinstance(value, list) and len(value) <= _MOST_NUMBERS and _are_numbers(value):
        return ", ".join(map(repr, value)) or None
    if isinstance(value, dict) and len(value) <= _MOST_NUMBERS and _are_numbers(list(value.values())):
        return ", ".join(f"{key} {number!r}" for key, number in value.items()) or None
    return None


def _are_numbers(values: list[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
