"""EVAL: the results that a card tells in its text, and what it leaves unsaid about them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.card.document import Card
from hubpub.card.measures import columns, single_measures
from hubpub.card.metrics import is_loss, known_metrics, metric_id
from hubpub.card.parts import Part, part, visible_text
from hubpub.card.results import IndexedMetric, indexed_results
from hubpub.card.tables import tables
from hubpub.core.findings import Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.rules.registry import CardSubject, card_rules
from hubpub.rules.run_facts import training_run

_COURSE = "https://huggingface.co/learn/llm-course/chapter4/4"
_MITCHELL = "https://arxiv.org/abs/1810.03993"
_SPEC = "https://github.com/huggingface/hub-docs/blob/main/modelcard.md"

# Headings that say how something was measured; the results may stand elsewhere.
_ABOUT_MEASURING = Pattern(
    r"(?:evaluation|eval|test|testing) (?:data|datasets?|factors|metrics?|method\w*|protocol|setup|procedure|set)\b.*"
    r"|metrics?|performance (?:factors|limitations?|considerations?)|testing data.*|accuracy|comparison.*"
)
_WORD = Pattern(r"\w{2,}")
_TARGET = Pattern(r"\]\([^()\n]{0,300}\)|https?://\S+|\[\d{1,3}\]")
_LINK = Pattern(r"\]\(|https?://|arxiv|doi\.org|<a\s", re.IGNORECASE)
_IMAGE = Pattern(r"!\[|<img\b|<image\b|<video\b", re.IGNORECASE)
_QUANTITY = Pattern(r"(?<![\w.-])(?!(?:19|20)\d\d(?!\d|[.,]\d))\d{1,9}(?:[.,]\d{1,9})?(?![\w-])")
_SCORE = Pattern(r"\d[.,]\d|\d\s?%")
_ELSEWHERE = Pattern(r"(?:accuracy|precision|recall|\bf1|\bwer\b|\bbleu\b)[^\n]{0,80}?\d\s?%", re.IGNORECASE)
_SPLIT = Pattern(
    r"\b(?:tests?|testing|dev|devel|develop?ment|valid|validation|val|eval|evaluated|held[- ]?out|hold[- ]?out"
    r"|unseen|splits?|folds?"
    r"|cross[- ]valid\w*|subsets?|dataset|datasets|data|corpus|corpora|benchmarks?|leaderboard|suite|tasks?"
    r"|sentences|examples"
    r"|samples|glue|squad\w*|mnli|sst\w*|conll\w*|wmt\d*|mmlu|gsm8k|imagenet|librispeech|common voice|flores\w*|coco"
    r"|competition|challenge|semeval\w*|treebank)\b|测试|验证|評価|検証|テスト|[\u4e00-\u9fff]集"
    r"|ensemble de test|jeu de|testset|testdaten",
    re.IGNORECASE,
)
_SPREAD = Pattern(
    r"±|\+/-|\+-|&plusmn;|\\pm\b|\bconfidence\b|\bstd\b|\bstdev\b|\bstandard (?:deviation|error)s?\b|\bs\.?d\."
    r"|\bseeds\b"
    r"|\bruns\b|\bvariance\b|\bbootstrap\w*|\berror bars?\b|\b9[059] ?% ci\b|\bmargin of error\b|\bfolds?\b|\bstderr\b",
    re.IGNORECASE,
)
_SLICES = Pattern(
    r"\bper[- ](?:class|label|language|domain|group|category|entity|task|dataset)\b|\bby (?:gender|age|language"
    r"|group|domain|race)\b"
    r"|\bsub-?groups?\b|\bdemographic\w*|\bslices?\b|\bsupport\b|\bdisaggregat\w*|\beach (?:class|label|language"
    r"|group)\b"
    r"|\bmacro avg\b|\bbreakdown\b|\bconfusion matrix\b",
    re.IGNORECASE,
)


@card_rules.rule(
    "EVAL012",
    "evaluation-without-numbers",
    Severity.WARNING,
    summary="The section on results has no result in it.",
    why="People choose between models by numbers. Of 949 real cards 20 have a section on the evaluation and not one "
    "number in it; where it links to a paper, this is only a hint.",
    bad="---\nlicense: mit\n---\n\n## Evaluation results\n\nIt works very well on all of the texts that we have tried "
    "it on so far, better than every other model.\n",
    good="---\nlicense: mit\n---\n\n## Evaluation results\n\nIt works very well on all of the texts that we have tried "
    "it on so far: accuracy 0.913 on the validation split of SST-2.\n",
    hint="write the metric, the data and the value",
    source=_COURSE,
)
def evaluation_without_numbers(subject: CardSubject) -> Iterator[Problem]:
    """A section with words and no number, table, picture or code; and no result anywhere else in the card."""
    card, found = subject.card, part(subject.card, "evaluation-results")
    if found is None or _has_results(card, found):
        return
    run = training_run(subject)
    if run and run.metrics:
        return
    shown = [section for section in found.sections if not _ABOUT_MEASURING.fullmatch(section.heading.casefold())]
    linked = bool(_LINK.search(found.text))
    if shown and (linked or len(_WORD.findall(_TARGET.sub(" ", found.text))) >= 20):
        message = f"the section {shown[0].heading[:60]} gives no number"
        severity = Severity.INFO if linked else None
        yield Problem(message + (", only links" if linked else ""), subject.path, shown[0].line, 1, severity=severity)


def _has_results(card: Card, found: Part) -> bool:
    if indexed_results(card) or single_measures(card) or columns(card):
        return True
    if any(block.kind in ("code", "table") and re.search(r"\d", block.text) for block in found.blocks):
        return True
    if _ELSEWHERE.search(visible_text(card)):
        return True
    text = _TARGET.sub(" ", found.text)
    return bool(_QUANTITY.search(text) or _IMAGE.search(found.text) or "<table" in found.text)


@card_rules.rule(
    "EVAL013",
    "evaluation-without-dataset-split",
    Severity.WARNING,
    summary="Results are given without the data that they were measured on.",
    why="A number means something only with its data set and split: the course asks which metric, on which data set "
    "and which split. F1 0.91 on the training data is worth nothing.",
    bad="---\nlicense: mit\n---\n\n# My tagger\n\n## Evaluation results\n\n| Metric | Value |\n|---|---|\n| F1 | "
    "0.91 |\n",
    good="---\nlicense: mit\n---\n\n# My tagger\n\n## Evaluation results\n\nOn the test split of CoNLL-2003:\n\n"
    "| Metric | Value |\n|---|---|\n| F1 | 0.91 |\n",
    hint="name the data set and the split",
    source=_COURSE,
)
def evaluation_without_dataset_split(subject: CardSubject) -> Iterator[Problem]:
    """Results in a section on them, in a card that names neither data nor a split near by or in its metadata."""
    card, found = subject.card, part(subject.card, "evaluation-results")
    if found is None or indexed_results(card) or (card.front_matter.hub_data or {}).get("datasets"):
        return
    within = [measure for measure in single_measures(card) if found.holds(measure.start)]
    if not within or _SPLIT.search(found.text) or _names_data(card, found):
        return
    line, column = card.lines.place(within[0].start)
    message = f"{within[0].metric} {within[0].text} is given without the data that it was measured on"
    yield Problem(message, subject.path, line, column)


def _names_data(card: Card, found: Part) -> bool:
    """Whether the section links somewhere, or the title or the section on data says what it was trained on."""
    if _LINK.search(found.text) or part(card, "training-data") is not None:
        return True
    return bool(_SPLIT.search(card.title or "") or re.search(r"huggingface\.co/datasets/", card.text))


@card_rules.rule(
    "EVAL014",
    "no-disaggregation",
    Severity.INFO,
    summary="Only totals are reported, nothing by group, language, class or domain.",
    why="A good average hides who the model fails. Model cards were proposed for that reason (Mitchell et al. 2019: "
    "disaggregated evaluation), and the Hub's template asks for it under Factors.",
    bad="---\nlicense: mit\n---\n\n## Evaluation results\n\nOn the test split of SST-2:\n\n- Accuracy: 0.91\n",
    good="---\nlicense: mit\n---\n\n## Evaluation results\n\nOn the test split of SST-2, per class:\n\n- "
    "Accuracy: 0.91\n",
    hint="add a table with a row per group, language, class or domain",
    source=_MITCHELL,
    default=False,
)
def no_disaggregation(subject: CardSubject) -> Iterator[Problem]:
    """Single numbers, no table with several rows, and no word of parts."""
    found = _measured_part(subject.card)
    if found is None or _SLICES.search(visible_text(subject.card)) or _has_rows(subject.card, found):
        return
    yield Problem("only totals are reported, nothing by group, class or language", subject.path, found.line, 1)


def _has_rows(card: Card, found: Part) -> bool:
    """Whether something is measured part by part: several results, or a table with rows that are no metrics."""
    if len(indexed_results(card)) > 1:
        return True
    starts = {block.start for block in found.blocks if block.kind == "table"}
    return any(
        len(table.header) > 4 or sum(metric_id(row[0].text) not in known_metrics() for row in table.rows if row) > 2
        for table in tables(card)
        if table.block.start in starts
    )


@card_rules.rule(
    "EVAL015",
    "no-uncertainty",
    Severity.INFO,
    summary="Results are given without their spread.",
    why="Between two seeds, results of a fine-tuning differ by more than many published improvements. A standard "
    "deviation, a confidence interval or the number of runs tells whether a difference means anything.",
    bad="---\nlicense: mit\n---\n\n## Evaluation results\n\nOn the test split of SST-2, per class:\n\n- "
    "Accuracy: 0.913\n",
    good="---\nlicense: mit\n---\n\n## Evaluation results\n\nOn the test split of SST-2, per class:\n\n"
    "- Accuracy: 0.913 ± 0.004 (5 seeds)\n",
    hint="add ± with the number of runs, or a confidence interval",
    source="https://arxiv.org/abs/1909.03004",
    default=False,
)
def no_uncertainty(subject: CardSubject) -> Iterator[Problem]:
    """Numbers in a section on results, and no sign of a spread in the card."""
    found = _measured_part(subject.card)
    if found is not None and not _SPREAD.search(visible_text(subject.card)):
        yield Problem("results are given without their spread", subject.path, found.line, 1)


def _measured_part(card: Card) -> Part | None:
    found = part(card, "evaluation-results")
    if found is None:
        return None
    tabled = any(block.kind == "table" and _SCORE.search(block.text) for block in found.blocks)
    return found if tabled or _SCORE.search(_TARGET.sub(" ", found.text)) else None


@card_rules.rule(
    "EVAL020",
    "loss-only",
    Severity.INFO,
    summary="The only result is a loss.",
    why="A loss depends on the vocabulary and on how it is averaged, so it compares with no other model and tells no "
    "user how often the model is right. Trainer reports it alone when it was given no compute_metrics.",
    bad="---\nlicense: mit\n---\n\n# My model\n\nOn the evaluation set:\n\n- Loss: 0.3016\n",
    good="---\nlicense: mit\n---\n\n# My model\n\nOn the evaluation set:\n\n- Loss: 0.3016\n- Accuracy: 0.9128\n",
    hint="report a metric of the task; for a language model at least the perplexity",
    source="https://github.com/huggingface/transformers/blob/main/src/transformers/modelcard.py",
)
def loss_only(subject: CardSubject) -> Iterator[Problem]:
    """Losses by themselves, and no other metric in a table, in model-index or in the words about results."""
    card = subject.card
    losses = [measure for measure in single_measures(card) if is_loss(measure.metric)]
    others = {m.metric for m in single_measures(card)} | {m.id for m in _indexed(card)} | {n for n, _ in columns(card)}
    found = part(card, "evaluation-results")
    if not losses or any(not is_loss(metric) for metric in others) or _scored(found):
        return
    line, column = card.lines.place(losses[0].start)
    yield Problem(f"the only result is a loss, {losses[0].text}", subject.path, line, column)


def _scored(found: Part | None) -> bool:
    """Whether words about results name another metric, or a table has numbers under names that nobody knows."""
    if found is None:
        return False
    words = {metric_id(word) for word in re.findall(r"[A-Za-z][\w-]{1,20}", found.text)} & known_metrics()
    return any(not is_loss(word) for word in words) or any(block.kind == "table" for block in found.blocks)


def _indexed(card: Card) -> Iterator[IndexedMetric]:
    for result in indexed_results(card):
        yield from result.metrics
