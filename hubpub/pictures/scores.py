"""Bars: one for each benchmark, or one for each metric of the last evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hubpub.model.benchmark_results import BenchmarkFile, Score
from hubpub.model.run_facts import RunFacts
from hubpub.pictures.figures import Bar, Bars, Figure, label_text
from hubpub.pictures.words import number, sources

MOST_BARS = 24

_FEWEST_BENCHMARKS, _FEWEST_METRICS = 2, 3
# The one that a leaderboard shows, when a task has several.
_PREFERRED = ("acc_norm", "exact_match", "acc", "f1", "pass@1", "em", "mcc", "rougeL", "bleu")
_MACHINE = ("runtime", "per_second", "samples", "compilation_time", "memory", "mem_delta", "epoch", "loss", "_time")


def score_picture(facts: RunFacts, *, drawn: bool) -> Iterator[tuple[str, str, str, str, Figure]]:
    """A picture of the benchmarks; without benchmarks, of the metrics.

    Args:
        facts: what the files tell of the run.
        drawn: whether curves show the metrics already.
    """
    scores = _benchmarks(facts.benchmarks)
    if len(scores) >= _FEWEST_BENCHMARKS:
        yield _benchmark_picture(scores)
    elif not drawn:
        yield from _metric_picture(facts)


def _benchmark_picture(scores: Mapping[str, tuple[Score, str]]) -> tuple[str, str, str, str, Figure]:
    shown = list(scores.values())[:MOST_BARS]
    bars = tuple(_bar(score) for score, _ in shown)
    left_out = len(scores) - len(shown)
    more = f"; {left_out} more are not shown" if left_out else ""
    return (
        "benchmark-scores",
        f"Benchmark scores: {'; '.join(f'{bar.label} {bar.shown}' for bar in bars)}{more}.",
        "Scores of benchmarks, with the standard error where it is known. "
        f"From {sources(list(dict.fromkeys(path for _, path in shown)))}.",
        "evaluation-results",
        Bars("Score", bars, _scale(bars)),
    )


def _bar(score: Score) -> Bar:
    error = score.error if score.error is not None and 0 < score.error < 1000 else 0.0
    name = (score.alias or score.task).removeprefix("- ").replace("_", " ") if score.alias else score.task
    shots = f", {score.shots}-shot" if score.shots else ""
    metric = label_text(score.metric, 16)
    label = f"{label_text(name, 40 - len(metric) - len(shots))} ({metric}{shots})"
    shown = f"{number(score.value)} ± {error:.2g}" if error else number(score.value)
    return Bar(label, score.value, shown, error)


def _benchmarks(files: Sequence[BenchmarkFile]) -> dict[str, tuple[Score, str]]:
    """One score for each task, of the latest file that has it: groups in place of what they sum up."""
    found: dict[str, tuple[Score, str]] = {}
    for file in files:
        by_task: dict[str, list[Score]] = {}
        for score in file.scores:
            if 0 <= score.value <= 100 and score.higher_is_better is not False:
                by_task.setdefault(score.task, []).append(score)
        groups = any(score.group for scores in by_task.values() for score in scores)
        for task, scores in by_task.items():
            # lm-evaluation-harness indents what belongs to a group
            if groups and not scores[0].group and (scores[0].alias or "").startswith("-"):
                continue
            found[task] = min(scores, key=_rank), file.path
    return found


def _rank(score: Score) -> tuple[int, str]:
    place = _PREFERRED.index(score.metric) if score.metric in _PREFERRED else len(_PREFERRED)
    return place, score.key


def _metric_picture(facts: RunFacts) -> Iterator[tuple[str, str, str, str, Figure]]:
    """The metrics from 0 to 1 of the first result file that has some."""
    for file in facts.results:
        if file.of == "train":
            continue
        named = [(_metric(fact.name), fact.value) for fact in file.values]
        numbers = [
            (name, value)
            for name, value in named
            if name
            and not any(word in name for word in _MACHINE)
            and isinstance(value, int | float)
            and 0 <= value <= 1
        ]
        if len(numbers) >= _FEWEST_METRICS:
            bars = tuple(Bar(label_text(name), value, number(value)) for name, value in numbers[:MOST_BARS])
            left_out = len(numbers) - len(bars)
            more = f"; {left_out} more are not shown" if left_out else ""
            yield (
                "metrics",
                f"Metrics of the evaluation: {'; '.join(f'{bar.label} {bar.shown}' for bar in bars)}{more}.",
                f"Metrics of the evaluation. From {sources([file.path])}.",
                "evaluation-results",
                Bars("Metric", bars, 1.0),
            )
            return


def _metric(name: str) -> str:
    for prefix in ("eval_", "test_", "predict_"):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return ""


def _scale(bars: Sequence[Bar]) -> float:
    return 1.0 if max(bar.value for bar in bars) <= 1 else 100.0
