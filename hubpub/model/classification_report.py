"""classification_report.json: precision, recall and F1 by label, as scikit-learn gives them with output_dict=True.

https://scikit-learn.org/stable/modules/generated/sklearn.metrics.classification_report.html; so does seqeval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.core.pattern import Pattern
from hubpub.model.files import Fact, Files, Unread, finite, line_of

_NAME = Pattern(r"(?:\w{1,60}[-_])?classification[-_]report\.json", clues=("report.json",))
_MEASURES = ("precision", "recall", "f1-score", "support")
_TOTALS = ("accuracy", "micro avg", "macro avg", "weighted avg", "samples avg")
_MOST_LABELS = 1000


@dataclass(frozen=True, slots=True)
class ClassificationReport:
    """A report.

    Attributes:
        path: of the file.
        labels: for each label its measures, in the order of scikit-learn.
        accuracy: over all labels; None when the report has none.
    """

    path: str
    labels: tuple[tuple[str, tuple[Fact, ...]], ...]
    accuracy: Fact | None = None


def read_classification_reports(files: Files) -> tuple[tuple[ClassificationReport, ...], tuple[Unread, ...]]:
    """The reports directly in the folder; those further down are of other models or checkpoints."""
    found, unread = [], []
    for entry in files.named(_NAME):
        if "/" in entry.path:
            continue
        document = files.json(entry.path)
        if isinstance(document.value, dict):
            report = parse_classification_report(document.value, entry.path)
            found += [report] if report else []
        else:
            unread.append(Unread(entry.path, document.problem.message if document.problem else "is empty"))
    return tuple(found), tuple(unread)


def parse_classification_report(document: Mapping[str, Any], path: str) -> ClassificationReport | None:
    """The report in a JSON object; None when it has no labels."""
    labels = []
    for label, measures in list(document.items())[:_MOST_LABELS]:
        # a name in more than one line would not lead back to its place
        if label in _TOTALS or line_of(label, 200) != label or not isinstance(measures, dict):
            continue
        facts = tuple(
            Fact(name, number, path, f"{label}.{name}")
            for name in _MEASURES
            if (number := finite(measures.get(name))) is not None
        )
        labels += [(label, facts)] if facts else []
    accuracy = finite(document.get("accuracy"))
    total = None if accuracy is None else Fact("accuracy", accuracy, path, "accuracy")
    return ClassificationReport(path, tuple(labels), total) if labels else None
