"""What a training run left beside the model, from JSON only; `training_args.bin` is a pickle and stays closed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.model.folder import ModelFolder
from hubpub.model.jsonfile import CONFIG_LIMIT, parse_json

# Written by transformers' Trainer: save_state() and save_metrics() in
# https://github.com/huggingface/transformers/blob/main/src/transformers/trainer_pt_utils.py
_STATE = "trainer_state.json"
_TRAIN = "train_results.json"
_EVAL = "eval_results.json"
_ALL = "all_results.json"
# Measurements of the machine, not of the model.
_NOT_METRICS = ("_runtime", "_per_second", "_samples", "_jit_compilation_time", "_memory", "_mem_delta", "_timing")


@dataclass(frozen=True, slots=True)
class Value:
    """A named number or word, as the run wrote it."""

    name: str
    value: int | float | str


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A training run.

    Attributes:
        settings: hyper-parameters that the files hold.
        outcome: epochs, steps, losses, run time in seconds.
        metrics: of the last evaluation, without `eval_`; the loss is "loss".
        evaluated_at: the step of that evaluation, when it was logged with one.
        samples: how many examples it trained on.
        evaluation_samples: how many it was evaluated on.
    """

    settings: tuple[Value, ...] = ()
    outcome: tuple[Value, ...] = ()
    metrics: tuple[Value, ...] = ()
    evaluated_at: int | None = None
    samples: int | None = None
    evaluation_samples: int | None = None

    def __bool__(self) -> bool:
        return bool(self.settings or self.outcome)


def read_training_run(folder: ModelFolder) -> TrainingRun:
    """The run that the folder's result files tell of; an empty one when there are none."""
    state, everything = _read(folder, _STATE), _read(folder, _ALL)
    history = state.get("log_history")
    log = [entry for entry in history if isinstance(entry, dict)] if isinstance(history, list) else []
    train = {**_summary(log, "train_"), **_numbers(everything), **_numbers(_read(folder, _TRAIN))}
    logged = next((entry for entry in reversed(log) if any(key.startswith("eval_") for key in entry)), {})
    evaluation = {**_numbers(everything), **_numbers(_read(folder, _EVAL))}
    from_log = not any(key.startswith("eval_") for key in evaluation)
    evaluation = _numbers(logged) if from_log else evaluation
    return TrainingRun(
        settings=tuple(_settings(state, log)),
        outcome=tuple(_outcome(state, train)),
        metrics=tuple(
            Value(key.removeprefix("eval_"), value)
            for key, value in sorted(evaluation.items())
            if key.startswith("eval_") and not key.endswith(_NOT_METRICS)
        ),
        evaluated_at=_integer(logged.get("step")) if from_log else None,
        samples=_integer(train.get("train_samples")),
        evaluation_samples=_integer(evaluation.get("eval_samples")),
    )


def _read(folder: ModelFolder, path: str) -> Mapping[str, Any]:
    # training leftovers are no release files, so folder.json() does not know them
    entry = folder.entry(path)
    if entry is None or entry.size > CONFIG_LIMIT:
        return {}
    value = parse_json(folder.start(path, entry.size)).value
    return value if isinstance(value, dict) else {}


def _numbers(results: Mapping[str, Any]) -> dict[str, int | float]:
    return {
        key: value
        for key, value in results.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }


def _summary(log: list[dict[str, Any]], prefix: str) -> dict[str, int | float]:
    """The entry that the Trainer logs when it is done."""
    last: Mapping[str, Any] = next((entry for entry in reversed(log) if f"{prefix}runtime" in entry), {})
    return _numbers(last)


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _settings(state: Mapping[str, Any], log: list[dict[str, Any]]) -> list[Value]:
    known = _numbers(state)
    settings = []
    if known.get("train_batch_size"):
        settings.append(Value("Batch size per device", known["train_batch_size"]))
    rates = [rate for entry in log if (rate := _numbers(entry).get("learning_rate"))]
    if rates:
        settings.append(Value("Highest learning rate logged", max(rates)))
    if known.get("num_train_epochs"):
        settings.append(Value("Epochs planned", known["num_train_epochs"]))
    if known.get("max_steps", 0) > 0:
        settings.append(Value("Steps planned", known["max_steps"]))
    return settings


def _outcome(state: Mapping[str, Any], train: Mapping[str, int | float]) -> list[Value]:
    done = _numbers(state)
    named = (
        ("Epochs", train.get("epoch", done.get("epoch"))),
        ("Steps", done.get("global_step")),
        ("Training loss", train.get("train_loss")),
        ("Training time in seconds", train.get("train_runtime")),
        ("Floating point operations", train.get("total_flos", done.get("total_flos"))),
    )
    return [Value(name, value) for name, value in named if value]
