"""EVAL: the results of a card against what the files of its folder say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubpub.card.measures import Measure, columns, single_measures
from hubpub.card.metrics import metric_id
from hubpub.card.parts import part, visible_text
from hubpub.card.results import IndexedMetric, IndexedResult, indexed_results
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable, Needs
from hubpub.rules.eval_values import agrees, comparable_measures, lone_indexed, own_words, scaled
from hubpub.rules.registry import CardSubject, card_rules
from hubpub.rules.run_facts import evaluated, training_run, written_alike

if TYPE_CHECKING:
    from hubpub.card.facts.training import TrainingRun

_TRAINER = "https://github.com/huggingface/transformers/blob/main/src/transformers/trainer_pt_utils.py"
_RESULTS = '{"eval_accuracy": 0.9312, "eval_loss": 0.2501, "epoch": 3.0}'
_CARD = "---\nlicense: mit\n---\n\n# sst2-bert\n\n## Evaluation results\n\nOn the validation split of SST-2:\n\n"
# A run has a handful; files may hold anything.
_MOST_METRICS = 500
_NUMBER = Pattern(r"[-+]?\d{1,15}(?:\.\d{1,18})?")


@card_rules.rule(
    "EVAL017",
    "eval-results-schema",
    Severity.ERROR,
    summary="A file in .eval_results/ is not what the Hub's leaderboards read.",
    why="Each file is a list of results with dataset.id, dataset.task_id and value; a source needs its url, and the "
    "date is text between quotes, since YAML makes a date of a bare 2026-01-15. What is not so appears on no "
    "leaderboard.",
    bad="- dataset: {id: cais/hle, task_id: default}\n  value: 20.9\n  date: 2026-01-15\n",
    good='- dataset: {id: cais/hle, task_id: default}\n  value: 20.9\n  date: "2026-01-15"\n',
    hint="write it as https://github.com/huggingface/hub-docs/blob/main/eval_results.yaml has it",
    source="https://github.com/huggingface/hub-docs/blob/main/eval_results.yaml",
    fixable=Fixable.SAFE,
    needs=Needs.FOLDER,
)
def eval_results_schema(subject: CardSubject) -> Iterator[Problem]:
    """What is wrong with each of the files; a bare date is put between quotes."""
    if subject.folder is None:
        return
    from hubpub.card.eval_files import eval_file_problems

    for problem in eval_file_problems(subject.folder):
        fix = None
        if problem.quote:
            start, end = problem.quote
            edits = (Edit(problem.path, start, start, '"'), Edit(problem.path, end, end, '"'))
            fix = Fix("put the date between quotes", True, edits)
        yield Problem(f"{problem.path} {problem.message}", problem.path, problem.line, problem.column, fix=fix)


@card_rules.rule(
    "EVAL018",
    "eval-stale",
    Severity.WARNING,
    summary="The card gives a result that no file of the folder has.",
    why="The model was trained or evaluated again, and the card still tells of the one before. The files beside it "
    "(all_results.json, eval_results.json, trainer_state.json) were written by the run itself.",
    bad=_CARD + "- Accuracy: 0.91\n",
    good=_CARD + "- Accuracy: 0.931\n",
    hint="write the value of the file, or say on what other data yours was measured",
    source=_TRAINER,
    fixable=Fixable.SAFE,
    needs=Needs.FOLDER,
    files={"eval_results.json": _RESULTS},
)
def eval_stale(subject: CardSubject) -> Iterator[Problem]:
    """Metrics that the card states once, with a value that no evaluation of the run had."""
    run, card = training_run(subject), subject.card
    if run is None:
        return
    indexed = {metric.id: (metric, result) for metric, result in lone_indexed(card)}
    for value in run.metrics[:_MOST_METRICS]:
        name = metric_id(value.name)
        known = evaluated(subject).get(name, [])
        if not isinstance(value.value, int | float):
            continue
        lone = indexed.get(name)
        words = own_words(lone[1]) if lone else frozenset[str]()
        measures = comparable_measures(card, name, words)
        if len({measure.text for measure in measures}) != 1:
            measures = []
        stale = [m for m in measures if not any(agrees(m, number) for number in known)]
        metric = lone[0] if lone and _is_stale(*lone, known) else None
        if stale or metric:
            yield _stale(subject, name, float(value.value), stale, metric, run)


def _is_stale(metric: IndexedMetric, result: IndexedResult, known: list[float]) -> bool:
    """Whether a value in model-index is of this run, and none of it; results of others and on test data are not."""
    split = result.dataset.get("split")
    elsewhere = bool(result.source) or (isinstance(split, str) and "test" in split)
    measure = _as_measure(metric)
    return measure is not None and not elsewhere and not any(agrees(measure, number) for number in known)


def _as_measure(metric: IndexedMetric) -> Measure | None:
    text = metric.value if isinstance(metric.value, str) else repr(metric.value)
    if metric.number is None or not _NUMBER.fullmatch(text):
        return None
    return Measure(metric.id, metric.number, text, percent=False, start=0, heading=())


def _stale(
    subject: CardSubject,
    name: str,
    value: float,
    measures: list[Measure],
    metric: IndexedMetric | None,
    run: TrainingRun,
) -> Problem:
    front_matter, text = subject.card.front_matter, subject.card.text
    places = [(measure.start, measure.end, measure) for measure in measures]
    if metric is not None and (found := _as_measure(metric)):
        start, end = front_matter.values.get((*metric.path, "value"), (0, 0))
        written = text[start:end]
        at = start + written.find(found.text) if found.text in written else start
        places.insert(0, (at, at + len(found.text) if found.text in written else start, found))
    edits = []
    for start, end, measure in places:
        new = written_alike(text[start:end], scaled(measure, value)) if _NUMBER.fullmatch(text[start:end]) else None
        if new:
            edits.append(Edit(subject.path, start, end, new))
    line, column = subject.card.lines.place(places[0][0])
    source = next((e.path for e in run.evaluations if any(metric_id(v.name) == name for v in e.metrics)), "the folder")
    message = f"{name} is {places[0][2].text} in the card and {value:.6g} in {source}"
    complete = len(edits) == len(places)
    fix = Fix(f"write the value of {source}", True, tuple(edits)) if complete else None
    return Problem(message, subject.path, line, column, fix=fix)


@card_rules.rule(
    "EVAL019",
    "eval-available-not-reported",
    Severity.WARNING,
    summary="The folder has results, and the card reports none.",
    why="The numbers are there, in the files that the training wrote, where nobody looks for them and no leaderboard "
    "finds them.",
    bad=_CARD.replace("On the validation split of SST-2:", "It was evaluated on the validation split of SST-2."),
    good=_CARD + "- Accuracy: 0.931\n",
    hint="report them; `hubpub card PATH --write` makes the section where there is none",
    source=_TRAINER,
    needs=Needs.FOLDER,
    files={"eval_results.json": _RESULTS},
)
def eval_available_not_reported(subject: CardSubject) -> Iterator[Problem]:
    """A run with metrics beside a card without a result."""
    run, card = training_run(subject), subject.card
    if (
        run is None
        or not run.metrics
        or card.is_blank
        or indexed_results(card)
        or single_measures(card)
        or columns(card)
    ):
        return
    found = part(card, "evaluation-results")
    if found and any(block.kind in ("table", "code") and re.search(r"\d", block.text) for block in found.blocks):
        return
    if re.search(r"\d[.,]\d|\d\s?%", found.text if found else "") or _mentions(run, visible_text(card)):
        return
    names = [f"{value.name} {value.value:.6g}" for value in run.metrics if isinstance(value.value, int | float)]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    source = run.evaluations[0].path if run.evaluations else "the folder"
    message = f"{source} has {', '.join(names[:4])}{more}, and the card reports no result"
    yield Problem(message, subject.path, found.line if found else None, 1 if found else None)


def _mentions(run: TrainingRun, text: str) -> bool:
    """Whether a value of the run stands in the text, in whatever form: its first three digits."""
    values = [value.value for value in run.metrics if isinstance(value.value, int | float) and value.value]
    digits = {f"{abs(value):.2e}".partition("e")[0].replace(".", "") for value in values}
    numbers = re.findall(r"\d{1,15}\.?\d{0,15}", text)
    return not digits.isdisjoint(number.replace(".", "").lstrip("0")[:3] for number in numbers)
