"""All that files tell of training data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.model.dataset_info import DataSet
    from hubpub.model.files import Files, Unread

# What tells of data in the folder of a model, where plain files are none.
_DESCRIBED = Pattern(
    r"state\.json|dataset_infos?\.json|data_config\.json|hubpub_run\.json",
    clues=("state.json", "dataset_info", "data_config.json", "hubpub_run.json"),
)


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What is known of training data.

    Attributes:
        sets: the data sets; those that `datasets` described come first.
        pickled: files that only unpickling would open, by path.
        unread: files that tell nothing, and why.
    """

    sets: tuple[DataSet, ...] = ()
    pickled: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sets)


def read_data_facts(files: Files, *, plain: bool) -> DataFacts:
    """What the files tell of training data.

    Args:
        files: where to look.
        plain: whether plain files are data: yes in a directory of data, no in the folder of a model.
    """
    if not plain and next(files.named(_DESCRIBED), None) is None:
        return DataFacts()
    from hubpub.model.data_search import find_data  # with readers of six formats, for the few folders that need one

    return find_data(files, plain=plain)
