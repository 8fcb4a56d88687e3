"""What a card tells of the training data: splits and rows, columns and types, names and places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubpub.card.facts.model_identity import is_public_id
from hubpub.card.facts.sourced import Value, source_of, value_of
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
_FORMATS = {
    "csv": "CSV",
    "tsv": "TSV",
    "json": "JSON",
    "jsonl": "JSON Lines",
    "text": "plain text",
    "parquet": "Parquet",
    "arrow": "Arrow",
}
_TENSORS = (
    "input_ids",
    "attention_mask",
    "token_type_ids",
    "special_tokens_mask",
    "position_ids",
    "decoder_input_ids",
    "length",
)
_SHOWN = ("version", "revision", "license", "homepage")
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
    """A split, how many rows it has, and how many of each class, within bounds and where that was counted."""

    name: str
    rows: Value | None
    classes: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class DataSetSummary:
    """A data set.

    Attributes:
        name: as the files call it, with its configuration; None when they do not.
        path: the file or directory that tells of it.
        form: as a DataSet has it.
        splits: within bounds.
        split_count: how many there are.
        rows: of all of them, where they are files of a mixture.
        columns: within bounds.
        column_count: how many there are.
        columns_source: where the columns stand.
        facts: version, licence and homepage.
    """

    name: str | None
    path: str
    form: str = ""
    splits: tuple[DataSplit, ...] = ()
    split_count: int = 0
    rows: Value | None = None
    columns: tuple[DataColumn, ...] = ()
    column_count: int = 0
    columns_source: str = ""
    facts: tuple[Value, ...] = ()

    @property
    def format(self) -> str | None:
        """The name of the format of plain files; None for what is none."""
        return _FORMATS.get(self.form)

    @property
    def pictures(self) -> bool:
        """Whether it is folders of pictures."""
        return self.form == "pictures"

    @property
    def mixture(self) -> bool:
        """Whether its splits are files that were mixed."""
        from hubpub.model.data_config import DATA_CONFIG

        return self.form == DATA_CONFIG

    @property
    def recorded(self) -> bool:
        """Whether the training code recorded it."""
        from hubpub.model.hubpub_run import RUN_FILE

        return self.form == RUN_FILE

    @property
    def saved(self) -> bool:
        """Whether `datasets` saved it here."""
        return self.form == "saved data set"


def data_sets(facts: DataFacts) -> tuple[DataSetSummary, ...]:
    """The data sets that the folder describes; those without rows and columns tell nothing that a card needs."""
    told = [found for found in facts.sets if found.columns or any(split.rows is not None for split in found.splits)]
    return tuple(_summary(found) for found in told[:_MOST_SETS])


def _summary(found: DataSet) -> DataSetSummary:
    from hubpub.model.data_config import DATA_CONFIG
    from hubpub.model.hubpub_run import RUN_FILE

    name = found.name
    if name and found.config not in (None, "default", name):
        name = f"{name} ({found.config})"
    splits = (
        DataSplit(
            split.name,
            None if split.rows is None else Value("rows", split.rows, source_of(split.path, _key(split.key))),
            tuple(
                Value(label, count, source_of(split.path, split.key)) for label, count in split.classes[:_MOST_CLASSES]
            ),
        )
        for split in found.splits[:_MOST_SPLITS]
    )
    told = [one for one in found.columns if found.form != RUN_FILE or one.name not in _TENSORS]
    if len(told) < len(found.columns):  # the Trainer was given what a tokenizer made of the data
        told = [one for one in told if one.name != "labels" or one.classes]
    columns = (
        DataColumn(column.name, column.type, column.classes[:_MOST_CLASSES], len(column.classes))
        for column in told[:_MOST_COLUMNS]
    )
    # each split of a recorded data set says the same again
    shown = {(fact.name, fact.value): value_of(fact) for fact in reversed(found.facts) if fact.name in _SHOWN}
    place = found.path or "state.json"
    return DataSetSummary(
        name,
        place,
        found.form,
        tuple(splits),
        len(found.splits),
        Value("rows", found.rows, place) if found.form == DATA_CONFIG and found.rows else None,
        tuple(columns),
        len(told),
        _features(found),
        tuple(reversed(shown.values())),
    )


def _features(found: DataSet) -> str:
    """The place of the columns; what save_to_disk() wrote has its description beside its state."""
    from hubpub.model.hubpub_run import RUN_FILE

    if found.form == RUN_FILE:
        return source_of(found.path, "data")
    if found.form == "saved data set" and found.splits:
        return source_of(found.splits[0].path.removesuffix("state.json") + "dataset_info.json", "features")
    return source_of(found.path, "features")


def _key(key: str) -> str:
    """dataset_info.json names the splits, and has the rows below."""
    return f"{key}.num_examples" if "splits." in key else key


def named_datasets(configs: Sequence[RunConfig], facts: DataFacts) -> tuple[Value, ...]:
    """The repos of data sets that the run names, not files and folders of somebody's machine."""
    named = [value_of(fact) for fact in (configs[0].datasets if configs else ())]
    named += [
        Value("name", one.name, source_of(one.path, "data"))
        for one in facts.sets
        if one.name is not None and DataSetSummary(None, one.path, one.form).recorded
    ]
    return tuple({str(value.value): value for value in reversed(named) if _is_repo(value.value)}.values())[::-1]


def _is_repo(name: object) -> bool:
    return isinstance(name, str) and "/" in name and is_public_id(name) and not _FILE.fullmatch(name)
