"""All that files tell of a training run: one look at each kind of file that a run leaves."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubpub.model.files import Fact, Files, Unread

if TYPE_CHECKING:
    from hubpub.model.benchmark_results import BenchmarkFile
    from hubpub.model.citation_file import Citation
    from hubpub.model.classification_report import ClassificationReport
    from hubpub.model.emissions import Emissions
    from hubpub.model.evaluator_tables import EvaluatorTable
    from hubpub.model.hubpub_run import RecordedRun
    from hubpub.model.run_config import RunConfig
    from hubpub.model.tfevents import EventFile
    from hubpub.model.trackio_run import TrackioRun
    from hubpub.model.trainer_results import ResultsFile
    from hubpub.model.trainer_state import TrainerState
    from hubpub.model.wandb_run import WandbRun

# The readers, and of each what the name of every file holds that it takes, in lower case. A reader is imported when
# there is such a file: importing all of them takes longer than reading the headers of a hundred shards.
_READERS = {
    "tfevents.read_event_files": (".tfevents.",),
    "hubpub_run.read_recorded_runs": ("hubpub_run.json",),
    "trainer_state.read_trainer_states": ("trainer_state.json",),
    "trainer_results.read_trainer_results": ("_results.json",),
    "run_config.read_run_configs": (
        *(".yaml", ".yml", ".tfevents."),
        *("args.json", "arguments.json", "train_config", "training_config", "hparams", "parameters"),
    ),
    "wandb_run.read_wandb_runs": ("wandb-", ".wandb", "config.yaml", "requirements.txt"),
    "benchmark_results.read_benchmark_results": ("result",),
    "emissions.read_emissions": ("emissions",),
    "citation_file.read_citation": ("citation.cff",),
    "evaluator_tables.read_evaluator_tables": ("_results",),
    "classification_report.read_classification_reports": ("report.json",),
    "trackio_run.read_trackio_runs": (".db",),
}


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
    names = "\n".join({entry.name for entry in files.entries}).lower()
    unread: list[Unread] = []

    def found(reader: str, *given: Any) -> Any:
        if not any(clue in names for clue in _READERS[reader]):
            return ()
        module, _, function = reader.partition(".")
        value, problems = getattr(importlib.import_module(f"hubpub.model.{module}"), function)(files, *given)
        unread.extend(problems)
        return value

    events = found("tfevents.read_event_files")
    recorded = found("hubpub_run.read_recorded_runs")
    own = tuple(run.config for run in recorded if run.config is not None)
    return RunFacts(
        found("trainer_state.read_trainer_states"),
        found("trainer_results.read_trainer_results"),
        found("run_config.read_run_configs", events) + own,
        events,
        found("wandb_run.read_wandb_runs"),
        found("benchmark_results.read_benchmark_results"),
        found("emissions.read_emissions"),
        found("citation_file.read_citation") or None,
        recorded=recorded,
        evaluators=found("evaluator_tables.read_evaluator_tables"),
        reports=found("classification_report.read_classification_reports"),
        trackio=found("trackio_run.read_trackio_runs"),
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
