"""What a training run left beside the model, from JSON only; `training_args.bin` is a pickle and stays closed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

# Written by transformers' Trainer: save_state() and save_metrics() in
# https://github.com/huggingface/transformers/blob/main/src/transformers/trainer_pt_utils.py
_STATE = "trainer_state.json"
_TRAIN = "train_results.json"
_EVAL = "eval_results.json"
_ALL = "all_results.json"
# Measurements of the machine, not of the model.
# A log of training losses may be longer; an evaluation is there for every some hundred of them.
_MOST_ENTRIES = 20_000
_OTHER_RESULTS = ("test_results.json", "predict_results.json")
_EVALUATED = Pattern(r"^(?:test|predict)_")
# Training arguments as JSON: saved by hand with TrainingArguments.to_json_string(), or by simpletransformers.
_ARGUMENT_FILES = (
    "training_args.json",
    "train_args.json",
    "training_arguments.json",
    "training_config.json",
    "hyperparameters.json",
    "hparams.json",
    "model_args.json",
    "args.json",
)
# Their names in TrainingArguments; others that mean the same.
_ARGUMENTS = (
    "learning_rate",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
    "num_train_epochs",
    "max_steps",
    "warmup_steps",
    "warmup_ratio",
    "weight_decay",
    "seed",
)
_ALSO_CALLED = {"manual_seed": "seed", "train_batch_size": "per_device_train_batch_size", "epochs": "num_train_epochs"}
_NOT_METRICS = ("_runtime", "_per_second", "_samples", "_jit_compilation_time", "_memory", "_mem_delta", "_timing")


@dataclass(frozen=True, slots=True)
class Value:
    """A named number or word, as the run wrote it."""

    name: str
    value: int | float | str


@dataclass(frozen=True, slots=True)
class Argument:
    """A hyper-parameter by its name in TrainingArguments, and the file that says so."""

    name: str
    value: int | float
    path: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of the run.

    Attributes:
        path: the file that tells of it.
        step: after which it was made; None for that of a results file, which is of the model as it was saved.
        metrics: as those of a TrainingRun.
    """

    path: str
    step: int | None
    metrics: tuple[Value, ...]


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
        arguments: hyper-parameters that a file states exactly.
        evaluations: those of the results files, then those that were logged, in order.
        epochs_done: how far it went.
        steps_done: how far it went.
        seconds: how long it took.
        highest_rate: the highest learning rate logged; with a schedule the one that was set is not below it.
    """

    settings: tuple[Value, ...] = ()
    outcome: tuple[Value, ...] = ()
    metrics: tuple[Value, ...] = ()
    evaluated_at: int | None = None
    samples: int | None = None
    evaluation_samples: int | None = None
    arguments: tuple[Argument, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    epochs_done: float | None = None
    steps_done: int | None = None
    seconds: float | None = None
    highest_rate: float | None = None

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
        metrics=_metrics(evaluation),
        evaluated_at=_integer(logged.get("step")) if from_log else None,
        samples=_integer(train.get("train_samples")),
        evaluation_samples=_integer(evaluation.get("eval_samples")),
        arguments=tuple(_arguments(folder, state)),
        evaluations=tuple(_evaluations(folder, log)),
        epochs_done=train.get("epoch", _numbers(state).get("epoch")),
        steps_done=_integer(state.get("global_step")),
        seconds=train.get("train_runtime"),
        highest_rate=max(_rates(log), default=None),
    )


def _metrics(results: Mapping[str, int | float]) -> tuple[Value, ...]:
    return tuple(
        Value(key.removeprefix("eval_"), value)
        for key, value in sorted(results.items())
        if key.startswith("eval_") and not key.endswith(_NOT_METRICS)
    )


def _evaluations(folder: ModelFolder, log: list[dict[str, Any]]) -> Iterator[Evaluation]:
    for path in (_EVAL, _ALL, *_OTHER_RESULTS):
        results = {_EVALUATED.sub("eval_", key): value for key, value in _numbers(_read(folder, path)).items()}
        if metrics := _metrics(results):
            yield Evaluation(path, None, metrics)
    for entry in log[-_MOST_ENTRIES:]:
        if metrics := _metrics(_numbers(entry)):
            yield Evaluation(_STATE, _integer(entry.get("step")), metrics)


def _arguments(folder: ModelFolder, state: Mapping[str, Any]) -> Iterator[Argument]:
    """What the files state, the first file that names an argument first."""
    named: set[str] = set()
    for path in _ARGUMENT_FILES:
        for key, value in _numbers(_read(folder, path)).items():
            name = _ALSO_CALLED.get(key, key)
            if name in _ARGUMENTS and name not in named:
                named.add(name)
                yield Argument(name, value, path)
    known = _numbers(state)
    for key, name in (("train_batch_size", "per_device_train_batch_size"), ("num_train_epochs", "num_train_epochs")):
        if known.get(key) and name not in named:
            yield Argument(name, known[key], _STATE)


def _rates(log: list[dict[str, Any]]) -> list[int | float]:
    return [rate for entry in log if (rate := _numbers(entry).get("learning_rate"))]


def _read(folder: ModelFolder, path: str) -> Mapping[str, Any]:
    from hubpub.model.jsonfile import CONFIG_LIMIT, parse_json  # of no use to a card without a folder

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
    if rates := _rates(log):
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
