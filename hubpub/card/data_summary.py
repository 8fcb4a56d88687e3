"""What a card tells of the training data: splits and rows, columns and types, names and places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubpub.card.model_identity import is_public_id
from hubpub.card.sourced import Value, source_of, value_of
from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hubpub.model.data_facts import DataFacts
    from hubpub.model.dataset_info import DataSet
    from hubpub.model.run_config import RunConfig

_MOST_SETS = 5
_MOST_SPLITS = 20
_MOST_COLUMNS = 40
_MOST_CLASSES = 20
_SHOWN = ("version", "license", "homepage")
_FILE = Pattern(r".*\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class DataColumn:
    """A column: its type as `datasets` names it, and the names of its classes, within bounds."""

    name: str
    type: str
    classes: tuple[str, ...] = ()
    class_count: int = 0


@dataclass(frozen=True, slots=True)
class DataSplit:
    """A split, and how many rows it has."""

    name: str
    rows: Value | None


@dataclass(frozen=True, slots=True)
class DataSetSummary:
    """A data set.

    Attributes:
        name: as the files call it, with its configuration; None when they do not.
        path: the file or directory that tells of it.
        splits: within bounds.
        columns: within bounds.
        column_count: how many there are.
        facts: version, licence and homepage.
    """

    name: str | None
    path: str
    splits: tuple[DataSplit, ...] = ()
    columns: tuple[DataColumn, ...] = ()
    column_count: int = 0
    facts: tuple[Value, ...] = ()


def data_sets(facts: DataFacts) -> tuple[DataSetSummary, ...]:
    """The data sets that the folder describes; those without rows and columns tell nothing that a card needs."""
    told = [found for found in facts.sets if found.columns or any(split.rows is not None for split in found.splits)]
    return tuple(_summary(found) for found in told[:_MOST_SETS])


def _summary(found: DataSet) -> DataSetSummary:
    name = found.name
    if name and found.config not in (None, "default", name):
        name = f"{name} ({found.config})"
    splits = (
        DataSplit(
            split.name,
            None if split.rows is None else Value("rows", split.rows, source_of(split.path, _key(split.key))),
        )
        for split in found.splits[:_MOST_SPLITS]
    )
    columns = (
        DataColumn(column.name, column.type, column.classes[:_MOST_CLASSES], len(column.classes))
        for column in found.columns[:_MOST_COLUMNS]
    )
    shown = tuple(value_of(fact) for fact in found.facts if fact.name in _SHOWN)
    place = found.path or "state.json"
    return DataSetSummary(name, place, tuple(splits), tuple(columns), len(found.columns), shown)


def _key(key: str) -> str:
    """dataset_info.json names the splits, and has the rows below."""
    return f"{key}.num_examples" if "splits." in key else key


def named_datasets(configs: Sequence[RunConfig]) -> Iterator[Value]:
    """The repos of data sets that the configurations of the run name, not files and folders of somebody's machine."""
    for fact in configs[0].datasets if configs else ():
        name = fact.value
        if isinstance(name, str) and "/" in name and is_public_id(name) and not _FILE.fullmatch(name):
            yield value_of(fact)
