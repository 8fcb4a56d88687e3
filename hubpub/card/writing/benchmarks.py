"""Which results of lm-evaluation-harness and lighteval are those of the model: the newest of each, and whole ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hubpub.card.metadata.schema import is_repo_id
from hubpub.card.writing.left_out import LeftOut

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts
    from hubpub.model.benchmark_results import BenchmarkFile, Score


class Benchmarked(NamedTuple):
    """A score that may be published, with the file that has it, and the id of its data set on the Hub."""

    score: Score
    file: BenchmarkFile
    dataset: str

    @property
    def task(self) -> str:
        """The task's name without the suite that lighteval writes in front: `leaderboard|gsm8k`."""
        return self.score.task.rpartition("|")[2] or self.score.task

    @property
    def setup(self) -> tuple[str, ...]:
        """How it was measured beside the metric: "strict-match", "5-shot"."""
        how = self.score.filter
        shots = self.score.shots
        return (*((how,) if how and how != "none" else ()), *((f"{shots}-shot",) if shots is not None else ()))


def benchmarked(facts: CardFacts) -> tuple[tuple[Benchmarked, ...], tuple[LeftOut, ...]]:
    """The scores of the model's result files, in their order, and those that say too little to be published."""
    newest: dict[tuple[object, ...], Benchmarked] = {}
    left_out: list[LeftOut] = []
    for file in facts.run.benchmarks:
        if file.model is not None and file.model == facts.base_model:
            left_out.append(LeftOut(file.path, f"has the results of the base model, {file.model}"))
            continue
        tasks: dict[str, str | None] = {}
        for score in file.scores:
            reason = _reason(score)
            tasks.setdefault(score.task, reason)
            if reason is None and score.dataset is not None:
                key = (score.task, score.metric, score.filter, score.shots, score.dataset, score.config, score.split)
                newest[key] = Benchmarked(score, file, score.dataset)
        left_out += [LeftOut(f"{task} of {file.path}", reason) for task, reason in tasks.items() if reason]
    return tuple(newest.values()), tuple(left_out)


def _reason(score: Score) -> str | None:
    """Why a score is not published; None when it is."""
    if score.limited:
        amount = "a part" if score.samples is None else f"{score.samples:,}"
        return f"was measured on {amount} of the task's examples only"
    if score.dataset is None:
        return "is of no data set that the file names"
    if "/" not in score.dataset or not is_repo_id(score.dataset):
        return f"is of {score.dataset[:60]!r}, which is no id of a data set on the Hub"
    return None
