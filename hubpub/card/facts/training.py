"""What a training run left beside the model, as the rules and the card need it.

The files are read by the readers of `model/`; `training_args.bin` is a pickle and stays closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubpub.card.facts.sourced import Value, source_of
from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder
    from hubpub.model.run_config import RunConfig
    from hubpub.model.trainer_results import ResultsFile
    from hubpub.model.trainer_state import LogEntry, TrainerState

# A log of training losses may be longer; an evaluation is there for every some hundred of them.
_MOST_ENTRIES = 20_000
_EVALUATED = Pattern(r"^(?:test|predict)_")
# Those that rules look for in the text, by their names in TrainingArguments: fewer than a configuration may tell
# (hubpub/model/run_config.py).
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
# Measurements of the machine, not of the model.
_NOT_METRICS = (
    "_runtime",
    "_per_second",
    "_samples",
    "_jit_compilation_time",
    "_memory",
    "_mem_delta",
    "_timing",
    "_num_tokens",  # TRL logs how far the training has come as a metric of each evaluation
)


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
        settings: hyper-parameters that trainer_state.json holds.
        outcome: epochs, steps, losses, run time in seconds.
        metrics: of the last evaluation, without `eval_`; the loss is "loss".
        evaluated_at: the step of that evaluation, when it was logged with one.
        samples: how many examples it trained on.
        evaluation_samples: how many it was evaluated on.
        evaluated_on: the split that it was evaluated on.
        arguments: hyper-parameters that a file states exactly.
        evaluations: those of the results files, then those that were logged, in order.
        epochs_done: how far it went.
        steps_done: how far it went.
        seconds: how long it took.
        highest_rate: the highest learning rate logged; with a schedule the one that was set is not below it.
        sources: where the single numbers stand, by the name of the attribute.
    """

    settings: tuple[Value, ...] = ()
    outcome: tuple[Value, ...] = ()
    metrics: tuple[Value, ...] = ()
    evaluated_at: int | None = None
    samples: int | None = None
    evaluation_samples: int | None = None
    evaluated_on: str = "evaluation"
    arguments: tuple[Argument, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    epochs_done: float | None = None
    steps_done: int | None = None
    seconds: float | None = None
    highest_rate: float | None = None
    sources: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.settings or self.outcome)


def read_training_run(folder: ModelFolder) -> TrainingRun:
    """The run that the JSON files directly in the folder tell of; an empty one when there are none."""
    from hubpub.model.files import Files
    from hubpub.model.run_config import read_run_configs
    from hubpub.model.trainer_results import read_trainer_results
    from hubpub.model.trainer_state import read_trainer_states

    # training leftovers are no release files, and all the same facts
    entries = tuple(entry for entry in folder.files if "/" not in entry.path and entry.path.endswith(".json"))
    files = Files(entries, folder.open_file)
    states, results, configs = read_trainer_states(files)[0], read_trainer_results(files)[0], read_run_configs(files)[0]
    return training_run(states[0] if states else None, results, configs)


def training_run(
    state: TrainerState | None, results: Sequence[ResultsFile], configs: Sequence[RunConfig]
) -> TrainingRun:
    """The run that these files tell of.

    Args:
        state: trainer_state.json.
        results: all_results.json and its like; one of each.
        configs: files of training arguments, those that count first in front.
    """
    known = numbers_of(state)
    by_kind = {
        file.of: {fact.name: _value(fact.name, fact.value, file.path) for fact in file.values} for file in results
    }
    everything = by_kind.get("all", {})
    train = {**_summary(state), **everything, **by_kind.get("train", {})}
    evaluation = {**everything, **by_kind.get("eval", {})}
    logged = _of_the_weights(state, configs)
    from_log = not any(name.startswith("eval_") for name in evaluation)
    if from_log:
        evaluation = logged_values(state, logged) if state and logged else {}
    rates = _rates(state)
    singles = {
        "samples": train.get("train_samples"),
        "evaluation_samples": evaluation.get("eval_samples"),
        "epochs_done": train.get("epoch", known.get("epoch")),
        "steps_done": known.get("global_step"),
        "seconds": train.get("train_runtime"),
        "highest_rate": max(rates, key=lambda rate: rate.value, default=None),
    }
    return TrainingRun(
        settings=tuple(_settings(known, singles["highest_rate"])),
        outcome=tuple(_outcome(known, train)),
        metrics=metrics_of(evaluation),
        evaluated_at=logged.step if from_log and logged else None,
        samples=_integer(singles["samples"]),
        evaluation_samples=_integer(singles["evaluation_samples"]),
        arguments=tuple(_arguments(configs, known)),
        evaluations=tuple(_evaluations(by_kind, results, state)),
        epochs_done=_number(singles["epochs_done"]),
        steps_done=_integer(singles["steps_done"]),
        seconds=_number(singles["seconds"]),
        highest_rate=_number(singles["highest_rate"]),
        sources=tuple((name, value.source) for name, value in singles.items() if value is not None),
    )


def _of_the_weights(state: TrainerState | None, configs: Sequence[RunConfig]) -> LogEntry | None:
    """The logged evaluation of the weights that were saved: the last, where no file says that the best were loaded."""
    if state is None or not state.evaluations:
        return None
    loaded = next((fact.value for config in configs if (fact := config.setting("load_best_model_at_end"))), False)
    return (state.best_evaluation if loaded is True else None) or state.evaluations[-1]


def numbers_of(state: TrainerState | None) -> Mapping[str, Value]:
    """The numbers of trainer_state.json by their names there."""
    return {fact.name: _value(fact.name, fact.value, fact.path) for fact in state.facts} if state else {}


def logged_values(state: TrainerState, entry: LogEntry) -> dict[str, Value]:
    """What was logged at once, with the place of each number."""
    values = {**entry.values, **({} if entry.epoch is None else {"epoch": entry.epoch})}
    place = f"log_history.{entry.index}"
    return {name: Value(name, value, source_of(state.path, f"{place}.{name}")) for name, value in values.items()}


def metrics_of(values: Mapping[str, Value], prefix: str = "eval_") -> tuple[Value, ...]:
    """The metrics among the values, without the prefix, by name."""
    return tuple(
        Value(name.removeprefix(prefix), value.value, value.source)
        for name, value in sorted(values.items())
        if name.startswith(prefix) and not name.endswith(_NOT_METRICS)
    )


def _value(name: str, value: int | float | str | bool, path: str) -> Value:
    return Value(name, value, source_of(path, name))


def _number(value: Value | None) -> int | float | None:
    return value.value if value is not None and isinstance(value.value, int | float) else None


def _integer(value: Value | None) -> int | None:
    return value.value if value is not None and isinstance(value.value, int) and value.value > 0 else None


def _evaluations(
    by_kind: Mapping[str, Mapping[str, Value]], results: Sequence[ResultsFile], state: TrainerState | None
) -> Iterator[Evaluation]:
    paths = {file.of: file.path for file in results}
    for kind in ("eval", "all", "test", "predict"):
        renamed = {_EVALUATED.sub("eval_", name): value for name, value in by_kind.get(kind, {}).items()}
        if metrics := metrics_of(renamed):
            yield Evaluation(paths[kind], None, metrics)
    for entry in state.evaluations[-_MOST_ENTRIES:] if state else ():
        if state and (metrics := metrics_of(logged_values(state, entry))):
            yield Evaluation(state.path, entry.step, metrics)


def _arguments(configs: Sequence[RunConfig], known: Mapping[str, Value]) -> Iterator[Argument]:
    """What the files state, the first file that names an argument first."""
    named: set[str] = set()
    for config in configs:
        for fact in config.settings:
            if fact.name in _ARGUMENTS and fact.name not in named and isinstance(fact.value, int | float):
                named.add(fact.name)
                yield Argument(fact.name, fact.value, fact.path)
    for key, name in (("train_batch_size", "per_device_train_batch_size"), ("num_train_epochs", "num_train_epochs")):
        value = _number(known.get(key))
        if value and name not in named:
            yield Argument(name, value, known[key].source.partition(": ")[0])


def _rates(state: TrainerState | None) -> list[Value]:
    if state is None:
        return []
    place = "log_history.{}.learning_rate"
    return [
        Value("learning_rate", rate, source_of(state.path, place.format(entry.index)))
        for entry in state.log
        if (rate := entry.values.get("learning_rate"))
    ]


def _summary(state: TrainerState | None) -> dict[str, Value]:
    """The entry that the Trainer logs when it is done."""
    last = next((entry for entry in reversed(state.log) if "train_runtime" in entry.values), None) if state else None
    return logged_values(state, last) if state and last else {}


def _settings(known: Mapping[str, Value], rate: Value | None) -> Iterator[Value]:
    named = (
        ("Batch size per device", known.get("train_batch_size")),
        ("Highest learning rate logged", rate),
        ("Epochs planned", known.get("num_train_epochs")),
        ("Steps planned", known.get("max_steps")),
    )
    yield from (Value(name, value.value, value.source) for name, value in named if value is not None and value.value)


def _outcome(known: Mapping[str, Value], train: Mapping[str, Value]) -> Iterator[Value]:
    named = (
        ("Epochs", train.get("epoch", known.get("epoch"))),
        ("Steps", known.get("global_step")),
        ("Training loss", train.get("train_loss")),
        ("Training time in seconds", train.get("train_runtime")),
        ("Floating point operations", train.get("total_flos", known.get("total_flos"))),
        ("Tokens seen", known.get("num_input_tokens_seen")),
    )
    yield from (Value(name, value.value, value.source) for name, value in named if value is not None and value.value)
