"""EVAL: metrics in a card's metadata: which are listed, known, verified; and results that are none."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.card.metadata.edits import remove_key, set_value
from hubpub.card.metrics import is_loss, known_metrics, metric_id
from hubpub.card.results import IndexedMetric
from hubpub.core.findings import Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.rules.eval_index import entries_of, listed, metrics_of, most_fixes
from hubpub.rules.placing import at_path, fix_of
from hubpub.rules.registry import CardSubject, card_rules

_SPEC = "https://github.com/huggingface/hub-docs/blob/main/modelcard.md"
_CLIENT = "https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/repocard_data.py"

_RESULT = """model-index:
  - name: sst2-bert
    results:
      - task: {type: text-classification}
        dataset: {name: SST-2, type: stanfordnlp/sst2, config: default, split: validation}
        metrics:
          - type: accuracy
            value: 0.91
"""
_CARD = "---\nlicense: mit\n" + _RESULT + "---\n"


@card_rules.rule(
    "EVAL010",
    "metrics-vs-model-index",
    Severity.INFO,
    summary="model-index reports a metric that `metrics` does not list.",
    why="People find models by the metrics that the card lists; the list that was written once is seldom kept in step "
    "with the results.",
    bad=_CARD.replace("model-index", "metrics:\n- f1\nmodel-index"),
    good=_CARD.replace("model-index", "metrics:\n- accuracy\nmodel-index"),
    hint="add it to metrics",
    source=_SPEC,
    fixable=Fixable.SAFE,
)
def metrics_vs_model_index(subject: CardSubject) -> Iterator[Problem]:
    """One problem for all that is missing from the list; losses are no metrics to search by."""
    value = (subject.card.front_matter.hub_data or {}).get("metrics")
    names = [value] if isinstance(value, str) else value
    if not names or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return
    known = {metric_id(name) for name in names}
    used = {m.id: m.type for m in metrics_of(subject) if m.type and m.id and not is_loss(m.id)}
    # rouge is listed, rouge1 and rougeL are reported
    missing = [kind for metric, kind in used.items() if not any(metric[:end] in known for end in range(1, 60))]
    if missing:
        text, front_matter = subject.card.text, subject.card.front_matter
        span = front_matter.values.get(("metrics",))
        plain = span is not None and "#" not in text[span[0] : span[1]]
        edits = set_value(text, front_matter, ("metrics",), [*names, *missing]) if plain else None
        message = f"metrics does not list {listed(missing)}, which model-index reports"
        yield at_path(subject, ("metrics",), message, fix=fix_of(subject, f"list {listed(missing)}", edits, safe=True))


@card_rules.rule(
    "EVAL011",
    "metric-unknown",
    Severity.INFO,
    summary="A metric in model-index has no name that is in use.",
    why="The Hub takes any word. Results can be compared only when the metric has the name that others give it, such "
    "as those of the evaluate library.",
    bad=_CARD.replace("accuracy", "goodness"),
    good=_CARD,
    hint="take the id of a metric in https://huggingface.co/evaluate-metric, or keep yours when there is none",
    source="https://github.com/huggingface/evaluate/tree/main/metrics",
    default=False,
)
def metric_unknown(subject: CardSubject) -> Iterator[Problem]:
    """Each unknown name once."""
    seen = set(known_metrics())
    for metric in metrics_of(subject):
        if metric.type and metric.id not in seen:
            seen.add(metric.id)
            message = f"nobody else calls a metric {metric.type[:60]!r}"
            yield at_path(subject, (*metric.path, "type"), message)


@card_rules.rule(
    "EVAL016",
    "verified-hand-set",
    Severity.WARNING,
    summary="A metric is called verified without the token that proves it.",
    why="`verified` says that Hugging Face measured the value itself. It comes with a signature, verifyToken, and is "
    "computed, not typed: readers take a value for checked that nobody checked.",
    bad=_CARD.replace("0.91", "0.91\n            verified: true"),
    good=_CARD,
    hint="remove verified",
    source=_CLIENT,
    fixable=Fixable.SAFE,
)
def verified_hand_set(subject: CardSubject) -> Iterator[Problem]:
    """`verified: true` without a token, and tokens that are no signatures."""
    left = most_fixes(subject)
    for metric in metrics_of(subject):
        token = metric.data.get("verifyToken")
        signed = isinstance(token, str) and token.startswith("eyJ") and token.count(".") == 2
        if token is not None and not signed:
            left -= 1
            yield _claim(subject, metric, "verifyToken", "is no signature of Hugging Face", mend=left >= 0)
        elif metric.data.get("verified") is True and not signed:
            left -= 1
            yield _claim(subject, metric, "verified", "is set without a verifyToken to prove it", mend=left >= 0)


def _claim(subject: CardSubject, metric: IndexedMetric, key: str, what: str, *, mend: bool) -> Problem:
    path = (*metric.path, key)
    edits = remove_key(subject.card.text, subject.card.front_matter, path) if mend else None
    return at_path(subject, path, f"{key} {what}", fix=fix_of(subject, f"remove {key}", edits, safe=True))


@card_rules.rule(
    "EVAL021",
    "empty-results",
    Severity.INFO,
    summary="model-index has no results.",
    why="It says nothing, and the widget for results stays away. transformers' Trainer writes it when it knows only a "
    "part of a result.",
    bad="---\nlicense: mit\nmodel-index:\n- name: sst2-bert\n  results: []\n---",
    good="---\nlicense: mit\n---",
    hint="report results, or remove model-index",
    source="https://github.com/huggingface/transformers/blob/main/src/transformers/modelcard.py",
    fixable=Fixable.SAFE,
)
def empty_results(subject: CardSubject) -> Iterator[Problem]:
    """An entry with an empty list; when none has a result, all of it can go."""
    entries = entries_of(subject)
    empty = [isinstance(entry, dict) and entry.get("results") == [] for entry in entries]
    edits = remove_key(subject.card.text, subject.card.front_matter, ("model-index",)) if empty and all(empty) else None
    for index, is_empty in enumerate(empty):
        if is_empty:
            path = ("model-index", index, "results")
            yield at_path(
                subject, path, "model-index has no results", fix=fix_of(subject, "remove model-index", edits, safe=True)
            )
