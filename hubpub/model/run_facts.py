"""All that files tell of a training run: one look at each kind of file that a run leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from hubpub.model.benchmark_results import BenchmarkFile, read_benchmark_results
from hubpub.model.citation_file import Citation, read_citation
from hubpub.model.classification_report import ClassificationReport, read_classification_reports
from hubpub.model.emissions import Emissions, read_emissions
from hubpub.model.evaluator_tables import EvaluatorTable, read_evaluator_tables
from hubpub.model.files import Fact, Files, Unread
from hubpub.model.hubpub_run import RecordedRun, read_recorded_runs
from hubpub.model.run_config import RunConfig, read_run_configs
from hubpub.model.tfevents import EventFile, read_event_files
from hubpub.model.trackio_run import TrackioRun, read_trackio_runs
from hubpub.model.trainer_results import ResultsFile, read_trainer_results
from hubpub.model.trainer_state import TrainerState, read_trainer_states
from hubpub.model.wandb_run import WandbRun, read_wandb_runs

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a training run, by the kind of file that says so.

    Attributes:
        states: trainer_state.json, the one of the whole folder first.
        results: all_results.json and its like.
        configs: training arguments and configurations.
        events: TensorBoard's event files.
        wandb: runs of Weights & Biases, the last one last.
        benchmarks: result files of lm-evaluation-harness and lighteval.
        emissions: runs that codecarbon measured, the last one last.
        citation: of CITATION.cff.
        unread: files that tell nothing, and why.
        recorded: runs that `hubpub.training` recorded, that of the whole folder first.
        evaluators: what the evaluators of sentence-transformers kept.
        reports: results by label, as scikit-learn gives them.
        trackio: runs that trackio kept in the folder, the one that logged last in a project last.
    """

    states: tuple[TrainerState, ...] = ()
    results: tuple[ResultsFile, ...] = ()
    configs: tuple[RunConfig, ...] = ()
    events: tuple[EventFile, ...] = ()
    wandb: tuple[WandbRun, ...] = ()
    benchmarks: tuple[BenchmarkFile, ...] = ()
    emissions: tuple[Emissions, ...] = ()
    citation: Citation | None = None
    unread: tuple[Unread, ...] = ()
    recorded: tuple[RecordedRun, ...] = ()
    evaluators: tuple[EvaluatorTable, ...] = ()
    reports: tuple[ClassificationReport, ...] = ()
    trackio: tuple[TrackioRun, ...] = ()

    def __bool__(self) -> bool:
        return bool(
            self.states
            or self.results
            or self.configs
            or self.events
            or self.wandb
            or self.benchmarks
            or self.emissions
            or self.recorded
            or self.evaluators
            or self.reports
            or self.trackio
        )

    @property
    def trackio_run(self) -> TrackioRun | None:
        """The run of trackio that logged last; None where there are several projects, of which one is the model's."""
        return self.trackio[-1] if len({run.path for run in self.trackio}) == 1 else None

    @property
    def hardware(self) -> tuple[Fact, ...]:
        """What the run was on: "gpu", "gpu_count", "cpu", "cpu_count", "memory" in bytes, ...; the first to say so."""
        return _first(self._hardware())

    @property
    def software(self) -> tuple[Fact, ...]:
        """Versions by name: "python", "transformers", "cuda", ...; the first file to say so."""
        return _first(self._software())

    def _hardware(self) -> Iterator[Fact]:
        for recorded in self.recorded:
            yield from recorded.hardware
        for run in reversed(self.wandb):
            yield from run.hardware
        names = {"gpu_model": "gpu", "gpu_count": "gpu_count", "cpu_model": "cpu", "cpu_count": "cpu_count"}
        for measured in reversed(self.emissions):
            for fact in measured.facts:
                if fact.name in names and fact.value:
                    yield Fact(names[fact.name], _whole(fact.value), fact.path, fact.key, fact.line)
                elif fact.name == "ram_total_size" and isinstance(fact.value, int | float):
                    yield Fact("memory", int(fact.value * (1 << 30)), fact.path, fact.key, fact.line)

    def _software(self) -> Iterator[Fact]:
        for recorded in self.recorded:
            yield from recorded.software
        for run in reversed(self.wandb):
            yield from run.software
        for measured in reversed(self.emissions):
            for fact in measured.facts:
                if fact.name in ("python_version", "codecarbon_version", "os"):
                    yield Fact(fact.name.removesuffix("_version"), fact.value, fact.path, fact.key, fact.line)


def read_run_facts(files: Files) -> RunFacts:
    """What the files tell of the run."""
    unread: list[Unread] = []

    def taken(reader: Callable[[Files], tuple[_Found, tuple[Unread, ...]]]) -> _Found:
        found, problems = reader(files)
        unread.extend(problems)
        return found

    events = taken(read_event_files)
    recorded = taken(read_recorded_runs)
    own = tuple(run.config for run in recorded if run.config is not None)
    return RunFacts(
        taken(read_trainer_states),
        taken(read_trainer_results),
        taken(lambda files: read_run_configs(files, events)) + own,
        events,
        taken(read_wandb_runs),
        taken(read_benchmark_results),
        taken(read_emissions),
        taken(read_citation),
        recorded=recorded,
        evaluators=taken(read_evaluator_tables),
        reports=taken(read_classification_reports),
        trackio=taken(read_trackio_runs),
        unread=tuple(unread),
    )


def _first(facts: Iterator[Fact]) -> tuple[Fact, ...]:
    named: dict[str, Fact] = {}
    for fact in facts:
        named.setdefault(fact.name, fact)
    return tuple(named.values())


def _whole(value: int | float | str | bool) -> int | float | str | bool:
    """A count, which codecarbon writes as 8.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
