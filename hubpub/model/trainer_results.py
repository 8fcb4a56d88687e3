"""The results that transformers' Trainer saves with save_metrics(): all, train, eval, test, predict_results.json.

https://github.com/huggingface/transformers/blob/main/src/transformers/trainer_pt_utils.py
"""

from __future__ import annotations

from dataclasses import dataclass

from hubpub.core.pattern import Pattern
from hubpub.model.files import Fact, Files, Unread, finite

_NAME = Pattern(r"(all|train|eval|test|predict)_results\.json", clues=("_results.json",))
_MOST_VALUES = 2000


@dataclass(frozen=True, slots=True)
class ResultsFile:
    """One of those files.

    Attributes:
        path: of the file.
        of: "all", "train", "eval", "test" or "predict".
        values: its numbers, by their names there.
    """

    path: str
    of: str
    values: tuple[Fact, ...]


def read_trainer_results(files: Files) -> tuple[tuple[ResultsFile, ...], tuple[Unread, ...]]:
    """The result files, those of the whole folder before those in directories of it."""
    found, unread = [], []
    for entry in sorted(files.named(_NAME), key=lambda entry: (entry.path.count("/"), entry.path)):
        match = _NAME.fullmatch(entry.name)
        document = files.json(entry.path)
        if not isinstance(document.value, dict):
            unread.append(Unread(entry.path, document.problem.message if document.problem else "is empty"))
            continue
        named = list(document.value.items())[:_MOST_VALUES]
        numbers = ((name, finite(value)) for name, value in named)
        values = tuple(Fact(name, value, entry.path, name) for name, value in numbers if value is not None)
        if match and values:
            found.append(ResultsFile(entry.path, match[1], values))
    return tuple(found), tuple(unread)
