"""CONF: generation_config.json, which nothing validates until somebody generates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import listed
from hubpub.model.configs import generation_keys
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import model_rules

PATH = "generation_config.json"
_DOCS = "https://huggingface.co/docs/transformers/main_classes/text_generation#transformers.GenerationConfig"
_SOURCE = "https://github.com/huggingface/transformers/blob/main/src/transformers/generation/configuration_utils.py"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_Range = tuple[Callable[[Any], bool], str]
# The two penalties and the temperature must be floats: generate() refuses 2 and takes 2.0.
_POSITIVE: _Range = (
    lambda value: value == 1 or (isinstance(value, float) and value > 0),
    "a number above 0 with a decimal point",
)
_FRACTION: _Range = (lambda value: _number(value) and 0 < value <= 1, "a number above 0 and at most 1")
_UNIT: _Range = (lambda value: _number(value) and 0 <= value <= 1, "a number from 0 to 1")
_COUNT: _Range = (lambda value: _whole(value) and value >= 1, "a whole number of at least 1")
_NATURAL: _Range = (lambda value: _whole(value) and value >= 0, "a whole number of at least 0")
_FLAG: _Range = (lambda value: isinstance(value, bool), "true or false")

# What logits_process.py and GenerationConfig.validate of transformers 5.24 refuse; a null is always allowed. The
# zeroes that switch a setting off (top_k, epsilon_cutoff, no_repeat_ngram_size) are part of the range.
_RANGES: dict[str, _Range] = {
    "temperature": (lambda value: _number(value) and value >= 0, "a number of at least 0"),
    "top_p": (lambda value: _number(value) and 0 <= value <= 1, "a number from 0 to 1"),
    "top_k": _NATURAL,
    "min_p": _UNIT,
    "typical_p": _FRACTION,
    "epsilon_cutoff": (lambda value: _number(value) and 0 <= value < 1, "a number from 0 to below 1"),
    "eta_cutoff": (lambda value: _number(value) and 0 <= value < 1, "a number from 0 to below 1"),
    "repetition_penalty": _POSITIVE,
    "encoder_repetition_penalty": _POSITIVE,
    "length_penalty": (_number, "a number"),
    "diversity_penalty": (_number, "a number"),
    "num_beams": _COUNT,
    "num_beam_groups": _COUNT,
    "num_return_sequences": _COUNT,
    "max_new_tokens": _COUNT,
    "max_length": _COUNT,
    "min_length": _NATURAL,
    "min_new_tokens": _NATURAL,
    "no_repeat_ngram_size": _NATURAL,
    "encoder_no_repeat_ngram_size": _NATURAL,
    "do_sample": _FLAG,
    "use_cache": _FLAG,
    "early_stopping": (lambda value: isinstance(value, bool) or value == "never", 'true, false or "never"'),
}


@model_rules.rule(
    "CONF006",
    "generation-value-out-of-range",
    Severity.ERROR,
    summary="generation_config.json holds a value that generate() refuses, or that means nothing.",
    why="transformers 5.23 loads temperature=-1, top_p=3 and num_beams=0 without a word, also under "
    "validate(strict=True); only generate() raises, on the machine of the user.",
    bad='{"do_sample": true, "temperature": -1, "top_p": 3}',
    good='{"do_sample": true, "temperature": 0.7, "top_p": 0.9}',
    hint="correct the values, or remove them: the defaults are sound",
    source=_SOURCE,
)
def generation_value_out_of_range(folder: ModelFolder) -> Iterator[Problem]:
    """Each value on its own, then pairs that exclude each other; all in one finding."""
    values = _values(folder)
    wrong = [f"{key} is {_shown(values[key])}, not {_range(key, values)}" for key in _out_of_range(values)]
    wrong += list(_excluding(values))
    if wrong:
        yield Problem(f"{PATH} holds values that generate() cannot use: {listed(wrong)}", path=PATH)


def _range(key: str, values: dict[str, Any]) -> str:
    if key == "temperature" and values.get("do_sample") is True:
        return f"{_POSITIVE[1]}, as do_sample is true"
    return _RANGES[key][1]


def _values(folder: ModelFolder) -> dict[str, Any]:
    """The settings of generation_config.json that are not null; {} when there is none."""
    document = folder.generation_config
    if document is None or not isinstance(document.value, dict):
        return {}
    return {key: value for key, value in document.value.items() if value is not None}


def _out_of_range(values: dict[str, Any]) -> list[str]:
    wrong = [key for key, (fits, _) in _RANGES.items() if key in values and not fits(values[key])]
    temperature = values.get("temperature", 1)
    if values.get("do_sample") is True and "temperature" not in wrong and not _POSITIVE[0](temperature):
        wrong.append("temperature")
    return wrong


def _excluding(values: dict[str, Any]) -> Iterator[str]:
    wrong = _out_of_range(values)
    for low, high in (("min_length", "max_length"), ("min_new_tokens", "max_new_tokens")):
        if low in values and high in values and not {low, high} & {*wrong} and values[low] > values[high]:
            yield f"{low} {values[low]:,} is above {high} {values[high]:,}"
    sequences, beams = values.get("num_return_sequences", 1), values.get("num_beams", 1)
    if {"num_return_sequences", "num_beams"} & {*wrong} or sequences <= 1:
        return
    if beams == 1 and values.get("do_sample") is not True:
        yield f"num_return_sequences is {sequences:,} without sampling and without beams"
    elif 1 < beams < sequences:
        yield f"num_return_sequences {sequences:,} is above num_beams {beams:,}"


# Values that change nothing: those of GenerationConfig._get_default_generation_params.
_ONLY_WHEN_SAMPLING = {
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 50,
    "min_p": None,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
}
_ONLY_WITH_BEAMS = {"early_stopping": False, "length_penalty": 1.0}


@model_rules.rule(
    "CONF007",
    "generation-value-without-effect",
    Severity.WARNING,
    summary="generation_config.json sets a value that its other settings switch off.",
    why="With do_sample off (which is also the default), temperature and top_p do nothing: users get greedy text where "
    "the author meant sampling. transformers only logs it, and refuses to save such a file again.",
    bad='{"do_sample": false, "temperature": 0.7, "top_p": 0.9}',
    good='{"do_sample": true, "temperature": 0.7, "top_p": 0.9}',
    hint="set do_sample to true (or num_beams above 1) when these values are meant, else remove them",
    source=_SOURCE,
)
def generation_value_without_effect(folder: ModelFolder) -> Iterator[Problem]:
    """As GenerationConfig.validate sees it; a value at its default, or out of range, is not told."""
    values = _values(folder)
    told = {*_out_of_range(values)}

    def idle(defaults: dict[str, Any]) -> list[str]:
        return [
            f"{key} {_shown(values[key])}"
            for key, default in defaults.items()
            if key in values and key not in told and values[key] != default
        ]

    if values.get("do_sample") is not True and "do_sample" not in told and (names := idle(_ONLY_WHEN_SAMPLING)):
        state = "do_sample is false" if "do_sample" in values else "do_sample is not set"
        yield Problem(f"{PATH}: {state}, so {listed(names)} {_has(names)} no effect", path=PATH)
    if values.get("num_beams", 1) == 1 and "num_beams" not in told and (names := idle(_ONLY_WITH_BEAMS)):
        yield Problem(f"{PATH}: there is only one beam, so {listed(names)} {_has(names)} no effect", path=PATH)


def _has(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"


# Settings of other libraries and APIs for the same things.
_OTHER_NAMES = {
    "frequency_penalty": "repetition_penalty",
    "max_tokens": "max_new_tokens",
    "n": "num_return_sequences",
    "num_predict": "max_new_tokens",
    "presence_penalty": "repetition_penalty",
    "repeat_penalty": "repetition_penalty",
    "stop": "stop_strings",
}


@model_rules.rule(
    "CONF008",
    "generation-key-unknown",
    Severity.INFO,
    summary="generation_config.json has a key that looks like a misspelt one, or like one of another library.",
    why="transformers keeps keys that it does not know without a word, so a misspelt setting never takes effect.",
    bad='{"temprature": 0.7, "max_tokens": 512}',
    good='{"temperature": 0.7, "max_new_tokens": 512}',
    hint="use the name that GenerationConfig has for it",
    source=_DOCS,
)
def generation_key_unknown(folder: ModelFolder) -> Iterator[Problem]:
    """Only near misses and well-known names of others: models such as Whisper add keys of their own."""
    known = generation_keys()
    found = []
    for key in _values(folder):
        if key in known or key.startswith("_"):
            continue
        import difflib

        near = _OTHER_NAMES.get(key) or next(iter(difflib.get_close_matches(key, known, n=1, cutoff=0.88)), None)
        if near is not None and near not in _values(folder):
            found.append(f"{key[:60]} (did you mean {near}?)")
    if found:
        yield Problem(f"{PATH} has keys that transformers does not know: {listed(found)}", path=PATH)


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."
