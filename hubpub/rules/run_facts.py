"""What the rules about a training share: the run beside a card, and how a corrected number is written."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from hubpub.card.metrics import metric_id
from hubpub.rules.registry import CardSubject

if TYPE_CHECKING:
    from hubpub.card.facts.training import TrainingRun


@lru_cache(maxsize=8)
def training_run(subject: CardSubject) -> TrainingRun | None:
    """The run that the subject's folder tells of; None without a folder."""
    if subject.folder is None:
        return None
    from hubpub.card.facts.training import read_training_run

    return read_training_run(subject.folder)


@lru_cache(maxsize=8)
def evaluated(subject: CardSubject) -> dict[str, list[float]]:
    """Every value that the evaluations of the run and of benchmarks had, by the id of the metric."""
    found: dict[str, list[float]] = {}
    run = training_run(subject)
    if run is None:
        return found
    for metrics in (run.metrics, *(evaluation.metrics for evaluation in run.evaluations)):
        for value in metrics:
            if isinstance(value.value, int | float):
                found.setdefault(metric_id(value.name), []).append(float(value.value))
    for file in subject.folder.run_facts.benchmarks if subject.folder is not None else ():
        for score in file.scores:
            found.setdefault(metric_id(score.metric), []).append(float(score.value))
    return found


def written_alike(old: str, value: float) -> str | None:
    """`value` with as many decimals, or in the same exponential form, as `old`; None when that would say zero."""
    mantissa, mark, exponent = old.partition("e" if "e" in old else "E")
    decimals = len(mantissa.partition(".")[2])
    if not mark:
        new = f"{value:.{decimals}f}"
        return new if float(new) or not value else None
    digits, _, power = f"{value:.{decimals}e}".partition("e")
    if abs(float(digits + "e" + power) - value) > abs(value) * 1e-9:
        digits, _, power = f"{value:.3e}".partition("e")
        digits = digits.rstrip("0").rstrip(".")
    padded = len(exponent.lstrip("+-")) > 1
    sign = power[0] if power[0] == "-" or exponent.startswith("+") else ""
    return digits + mark + sign + (power[1:] if padded else power[1:].lstrip("0") or "0")


def same_number(text: str, value: float) -> bool:
    """Whether the number that is written as `text` is `value`, rounded or cut off."""
    mantissa, _, exponent = text.casefold().partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(text) - value) < unit * (1 - 1e-9) or abs(float(text) - value) <= 1e-12 * abs(value)
