"""What a card tells of the training run: settings, course, results, machine; each number with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hubpub.card.facts.evaluation_log import EvaluationLog, evaluation_log
from hubpub.card.facts.evaluator_results import MOST_TABLES, evaluator_log
from hubpub.card.facts.recorded_run import (
    recorded_log,
    recorded_metrics,
    recorded_outcome,
    recorded_run,
    recorded_settings,
    recorded_split,
)
from hubpub.card.facts.sourced import Value, source_of, value_of
from hubpub.card.facts.training import TrainingRun, logged_values, metrics_of, numbers_of, training_run
from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.model.benchmark_results import BenchmarkFile, Score
    from hubpub.model.classification_report import ClassificationReport
    from hubpub.model.emissions import Emissions
    from hubpub.model.evaluator_tables import EvaluatorTable
    from hubpub.model.files import Fact
    from hubpub.model.folder import ModelFolder
    from hubpub.model.hubpub_run import RecordedRun
    from hubpub.model.run_config import RunConfig
    from hubpub.model.run_facts import RunFacts
    from hubpub.model.trainer_state import TrainerState

_OF_THE_RUN = Pattern(r"(?:checkpoint-\d{1,15}/)?trainer_state\.json", clues=("trainer_state.json",))
_MOST_BENCHMARKS = 60
_MOST_LABELS = 200
_PER_LABEL = Pattern(r"(?P<label>.+?)[_-](?P<measure>precision|recall|f1|f1-score|number|support)")
_TOTALS = ("overall", "micro", "macro", "weighted", "micro avg", "macro avg", "weighted avg", "accuracy")


@dataclass(frozen=True, slots=True)
class Results:
    """What one evaluation of the finished model gave.

    Attributes:
        split: "evaluation", "test" or "prediction", as the Trainer calls its files; or the name of an evaluator, or
            of a split that was recorded.
        metrics: in the order of their names.
        samples: how many examples it was made on.
        step: after which it was made, when the log tells of it and no file of results.
        best: whether it is that of the best checkpoint, which may be the one that was saved or not.
    """

    split: str
    metrics: tuple[Value, ...]
    samples: Value | None = None
    step: Value | None = None
    best: bool = False


@dataclass(frozen=True, slots=True)
class LabelResults:
    """Results by label: for each the measures in the order of `columns`, None where there is none."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Value | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A score of an evaluation harness.

    Attributes:
        task: its name for people.
        metric: with the filter, where there is one.
        score: the number as the file has it.
        error: its standard error.
        shots: examples in the prompt.
        dataset: id of the data set.
    """

    task: str
    metric: str
    score: Value
    error: Value | None = None
    shots: Value | None = None
    dataset: str | None = None


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """The scores of one file of an evaluation harness.

    Attributes:
        tool: "lm-evaluation-harness" or "lighteval".
        version: of it.
        date: YYYY-MM-DD.
        path: of the file.
        scores: within bounds; groups only where there is nothing else.
        total: how many scores the file has.
    """

    tool: str
    version: str | None
    date: str | None
    path: str
    scores: tuple[Benchmark, ...]
    total: int


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What the files tell of the run.

    Attributes:
        settings: hyper-parameters by their names in TrainingArguments and LoraConfig.
        outcome: how far it went and what it took, by names for people.
        log: the evaluations during the training.
        results: of the finished model.
        labels: results by label, of the last evaluation.
        benchmarks: of evaluation harnesses.
        best: the best value and checkpoint, as the Trainer chose them.
        hardware: "gpu", "gpu_count", "cpu", "cpu_count", "memory", ...
        software: versions by name.
        emissions: kilograms of CO2 equivalent, kilowatt hours, seconds and country, by these names.
        code: "remote" and "commit" of the training code.
    """

    settings: tuple[Value, ...] = ()
    outcome: tuple[Value, ...] = ()
    log: EvaluationLog = field(default_factory=EvaluationLog)
    results: tuple[Results, ...] = ()
    labels: LabelResults | None = None
    benchmarks: tuple[Benchmarks, ...] = ()
    best: tuple[Value, ...] = ()
    hardware: tuple[Value, ...] = ()
    software: tuple[Value, ...] = ()
    emissions: tuple[Value, ...] = ()
    code: tuple[Value, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.settings or self.outcome or self.log)


def read_run(folder: ModelFolder, labels: Sequence[str]) -> tuple[TrainingRun, RunSummary]:
    """The run that all files of the folder tell of, as rules and metadata see it and as the card tells it.

    Args:
        folder: the saved model.
        labels: what a classifier tells apart, for results by label.
    """
    from hubpub.model.training_code import training_code

    run = folder.run_facts
    state = next((state for state in run.states if _OF_THE_RUN.fullmatch(state.path)), None)
    configs = run_configs(run)
    found = tuple(file for file in run.results if "/" not in file.path)
    recorded = recorded_run(run)
    training = _with_record(training_run(state, found, configs), recorded)
    of_test = {file.of: {fact.name: value_of(fact) for fact in file.values} for file in found}
    results = tuple(_results(training, of_test, state, configs))
    # the Trainer's own evaluations hold those of the evaluators
    evaluators = () if results else run.evaluators
    results += tuple(_of_evaluators(evaluators))
    report = run.reports[0] if run.reports else None
    if report and report.accuracy and not results:
        results = (Results("evaluation", (value_of(report.accuracy),)),)
    of_last = next((one.metrics for one in reversed(results) if not one.best), ())
    by_label = label_results(of_last, labels)
    settings = tuple(_settings(configs, state, training))
    summary = RunSummary(
        settings=(*settings, *recorded_settings(recorded, [value.name for value in settings])),
        outcome=training.outcome,
        log=evaluation_log(state) or recorded_log(recorded) or evaluator_log(evaluators),
        results=results,
        labels=by_label or (_reported(report) if report else None),
        benchmarks=tuple(_benchmarks(file) for file in run.benchmarks),
        best=tuple(_best(state)),
        hardware=_values(run.hardware),
        software=_values(run.software),
        emissions=tuple(_emitted(run.emissions[-1])) if run.emissions else (),
        code=_values(training_code(folder, run)),
    )
    return training, summary


def _with_record(training: TrainingRun, recorded: RecordedRun | None) -> TrainingRun:
    """The run with what only its record tells."""
    outcome = (*training.outcome, *recorded_outcome(recorded, [value.name for value in training.outcome]))
    if training.metrics:
        return replace(training, outcome=outcome)
    metrics, step = recorded_metrics(recorded)
    evaluated_at = step.value if step is not None and isinstance(step.value, int) else None
    split, rows = recorded_split(recorded)
    told = {"evaluated_at": step, "evaluation_samples": rows}
    return replace(
        training,
        outcome=outcome,
        metrics=metrics,
        evaluated_at=evaluated_at,
        evaluated_on=split,
        evaluation_samples=rows.value if rows is not None and isinstance(rows.value, int) else None,
        sources=(*training.sources, *((name, value.source) for name, value in told.items() if value is not None)),
    )


def _values(facts: Sequence[Fact]) -> tuple[Value, ...]:
    return tuple(value_of(fact) for fact in facts)


def run_configs(run: RunFacts) -> tuple[RunConfig, ...]:
    """The configurations of this run, those that count first in front.

    A file in the folder itself and what the run logged are its own. Of files further down, which may be somebody's
    collection of experiments, a single one is.
    """
    logged = {file.path for file in run.events}
    near = [config for config in run.configs if "/" not in config.path or config.path in logged]
    near += [run.wandb[-1].config] if run.wandb and run.wandb[-1].config else []
    near += [run.trackio_run.config] if run.trackio_run and run.trackio_run.config else []
    far = [config for config in run.configs if config not in near]
    return tuple(near or (far if len(far) == 1 else ()))


def _settings(configs: Sequence[RunConfig], state: TrainerState | None, training: TrainingRun) -> Iterator[Value]:
    # planned steps override planned epochs, of which 3 is what nobody has set
    steps = next((fact for config in configs if (fact := config.setting("max_steps")) and fact.value), None)
    named: set[str] = {"num_train_epochs"} if steps is not None else set()
    for config in configs:
        for fact in config.settings:
            if fact.name not in named:
                named.add(fact.name)
                yield value_of(fact)
    known = numbers_of(state)
    for key, name in (
        ("train_batch_size", "per_device_train_batch_size"),
        ("num_train_epochs", "num_train_epochs"),
        ("max_steps", "max_steps"),
    ):
        # where the epochs are planned, the Trainer works max_steps out and keeps that
        told = name in named or (key == "max_steps" and named & {"num_train_epochs"})
        if key in known and not told:
            named.add(name)
            # the Trainer multiplies it by the number of GPUs that one process has
            yield Value(key, known[key].value, known[key].source)
    rate = next((value for value in training.settings if value.name == "Highest learning rate logged"), None)
    if rate is not None and "learning_rate" not in named:
        yield Value("Highest learning rate logged", rate.value, rate.source)


def _results(
    training: TrainingRun,
    of_test: Mapping[str, Mapping[str, Value]],
    state: TrainerState | None,
    configs: Sequence[RunConfig],
) -> Iterator[Results]:
    sources = dict(training.sources)
    if training.metrics:
        samples, step = training.evaluation_samples, training.evaluated_at
        place = sources.get("evaluated_at") or f"{training.metrics[0].source.rpartition('.')[0]}.step"
        yield Results(
            training.evaluated_on,
            training.metrics,
            None if samples is None else Value("samples", samples, sources.get("evaluation_samples", "")),
            None if step is None else Value("step", step, place),
        )
        told = any(config.setting("load_best_model_at_end") for config in configs)
        best = state.best_evaluation if state is not None and step is not None and not told else None
        if state is not None and best is not None and best.step not in (None, step):
            place = source_of(state.path, f"log_history.{best.index}.step")
            metrics = metrics_of(logged_values(state, best))
            yield Results("evaluation", metrics, step=Value("step", best.step, place), best=True)
    for kind, split in (("test", "test"), ("predict", "prediction")):
        values = of_test.get(kind) or of_test.get("all", {})
        if metrics := metrics_of(values, f"{kind}_"):
            yield Results(split, metrics, values.get(f"{kind}_samples"))


def _of_evaluators(tables: Sequence[EvaluatorTable]) -> Iterator[Results]:
    for table in tables[:MOST_TABLES]:
        last = table.rows[-1]
        metrics = tuple(value_of(fact) for fact in last.metrics)
        yield Results(table.name or "evaluation", metrics, step=value_of(last.step, "step") if last.step else None)


def _reported(report: ClassificationReport) -> LabelResults:
    columns = tuple(dict.fromkeys(fact.name for _, facts in report.labels for fact in facts))
    rows = []
    for label, facts in report.labels[:_MOST_LABELS]:
        known = {fact.name: value_of(fact) for fact in facts}
        rows.append((label, tuple(map(known.get, columns))))
    return LabelResults(columns, tuple(rows))


def label_results(metrics: Sequence[Value], labels: Sequence[str]) -> LabelResults | None:
    """The metrics that are of single labels, such as `PER_f1` of seqeval; None when there are none of two labels.

    Args:
        metrics: as an evaluation gave them.
        labels: of the model; tags of the schemes BIO and BILOU stand for the type behind the hyphen.
    """
    known = {name.casefold() for label in labels[:_MOST_LABELS] for name in (label, label.partition("-")[2]) if name}
    rows: dict[str, dict[str, Value]] = {}
    for metric in metrics:
        found = _PER_LABEL.fullmatch(metric.name)
        if found and found["label"].casefold() in known and found["label"].casefold() not in _TOTALS:
            rows.setdefault(found["label"], {})[found["measure"]] = metric
    if len(rows) < 2:
        return None
    columns = tuple(dict.fromkeys(name for row in rows.values() for name in row))
    return LabelResults(
        columns, tuple((label, tuple(row.get(name) for name in columns)) for label, row in rows.items())
    )


def _benchmarks(file: BenchmarkFile) -> Benchmarks:
    single = [score for score in file.scores if not score.group] or list(file.scores)
    scores = tuple(_benchmark(score, file.path) for score in single[:_MOST_BENCHMARKS])
    return Benchmarks(file.tool, file.version, file.date, file.path, scores, len(file.scores))


def _benchmark(score: Score, path: str) -> Benchmark:
    # "results.<task>.acc,none" has its error at "results.<task>.acc_stderr,none"
    place, found, rest = score.key.rpartition(f".{score.metric}")
    error_place = f"{place}{found}_stderr{rest}"
    in_key = re.search(r"\|\d+\.", score.key)  # lighteval's tasks end with the number of examples
    shots_place = score.key if in_key else f"n-shot.{score.task}"
    return Benchmark(
        task=(score.alias or score.task).strip(" -"),
        metric=score.metric if score.filter in ("", "none") else f"{score.metric} ({score.filter})",
        score=Value(score.task, score.value, source_of(path, score.key)),
        error=None if score.error is None else Value("error", score.error, source_of(path, error_place)),
        shots=None if score.shots is None else Value("shots", score.shots, source_of(path, shots_place)),
        dataset=score.dataset,
    )


def _best(state: TrainerState | None) -> Iterator[Value]:
    known = numbers_of(state)
    if state is None or "best_metric" not in known or state.best_checkpoint is None:
        return
    yield known["best_metric"]
    if "best_global_step" in known:
        yield known["best_global_step"]
    yield value_of(state.best_checkpoint)


def _emitted(emissions: Emissions) -> Iterator[Value]:
    named: tuple[tuple[str, str, float | str | None], ...] = (
        ("kilograms", "emissions", emissions.kilograms),
        ("kilowatt_hours", "energy_consumed", emissions.kilowatt_hours),
        ("seconds", "duration", emissions.seconds),
        ("country", "country_name", emissions.text("country_name")),
    )
    for name, column, value in named:
        if value is not None:
            yield Value(name, value, source_of(emissions.path, column, emissions.line))
