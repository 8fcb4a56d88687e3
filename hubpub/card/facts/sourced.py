"""Values with the place that they come from, which is all that a card shows of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubpub.model.files import Fact


@dataclass(frozen=True, slots=True)
class Value:
    """A named number or word.

    Attributes:
        name: what it is.
        value: as the file has it.
        source: where it stands, as `source_of` says it.
    """

    name: str
    value: int | float | str | bool
    source: str = ""


def source_of(path: str, key: str = "", line: int | None = None) -> str:
    """Where a value stands: `trainer_state.json: log_history.3.eval_loss`, `emissions.csv:2: duration`."""
    place = path if line is None else f"{path}:{line}"
    return f"{place}: {key}" if key else place


def value_of(fact: Fact, name: str = "") -> Value:
    """A fact of a run or of data, under another name where one is given."""
    return Value(name or fact.name, fact.value, source_of(fact.path, fact.key, fact.line))
