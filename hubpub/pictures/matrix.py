"""The confusion matrix of the predictions that lie in the folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hubpub.model.predictions import Predictions
from hubpub.pictures.figures import Figure, Matrix, label_text
from hubpub.pictures.words import number, sources

MOST_SHOWN = 15
"""Classes in a picture; of more, the ones with the fewest examples are shown as one."""

_MOST_SAID = 5
_LABEL, _LABEL_OF_MANY = 24, 18


def matrix_picture(found: Sequence[Predictions]) -> Iterator[tuple[str, str, str, str, Figure]]:
    """A picture of the first file of predictions of at least two classes."""
    predictions = next((one for one in found if len(one.labels) > 1), None)
    if predictions is None:
        return
    left_out = (
        f" {predictions.left_out:,} rows without a label or a prediction are not counted."
        if predictions.left_out
        else ""
    )
    yield (
        "confusion-matrix",
        f"{_summary(predictions)}{left_out}",
        "Confusion matrix: how many examples of each true label (rows) got each predicted label (columns); the deeper "
        f"the colour, the larger the share of the row. From {sources([predictions.path])}.",
        "evaluation-results",
        Matrix(*_shown(predictions)),
    )


def _summary(predictions: Predictions) -> str:
    share = number(100 * predictions.correct / predictions.rows)
    text = f"Of {predictions.rows:,} predictions, {predictions.correct:,} ({share} %) equal the true label."
    labels = [label_text(label) for label in predictions.labels]
    if len(labels) <= _MOST_SAID:
        rows = (
            f"{labels[place]}: {row[place]:,} of {sum(row):,}"
            for place, row in enumerate(predictions.counts)
            if sum(row)
        )
        text += f" By true label: {'; '.join(rows)}."
    wrong = [
        (count, true, predicted)
        for true, row in enumerate(predictions.counts)
        for predicted, count in enumerate(row)
        if true != predicted and count
    ]
    if wrong:
        count, true, predicted = max(wrong, key=lambda one: (one[0], -one[1], -one[2]))
        text += f" Most often confused: {labels[true]} taken for {labels[predicted]}, {count:,} times."
    return text


def _shown(predictions: Predictions) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """The labels and counts of the picture: the rarest classes are one."""
    size = len(predictions.labels)
    longest = _LABEL if size <= 8 else _LABEL_OF_MANY
    labels = tuple(label_text(label, longest) for label in predictions.labels)
    counts = predictions.counts
    if size <= MOST_SHOWN:
        return labels, counts
    examples = [sum(row) + sum(other[place] for other in counts) for place, row in enumerate(counts)]
    frequent = sorted(range(size), key=lambda place: (-examples[place], place))[: MOST_SHOWN - 1]
    kept = sorted(frequent)
    groups = [[place] for place in kept] + [[place for place in range(size) if place not in frequent]]
    summed = tuple(
        tuple(sum(counts[true][predicted] for true in rows for predicted in columns) for columns in groups)
        for rows in groups
    )
    return (*(labels[place] for place in kept), f"{size - len(kept)} others"), summed
