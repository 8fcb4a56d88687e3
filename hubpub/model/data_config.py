"""data_config.json: the files that a model of sentence-transformers was trained on, such as all-MiniLM-L6-v2.

https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/blob/main/train_script.py reads it.
"""

from __future__ import annotations

from typing import Any

from hubpub.model.dataset_info import DataSet, Split
from hubpub.model.files import line_of, whole

DATA_CONFIG = "data_config.json"

_MOST = 10_000


def parse_data_config(document: Any, path: str) -> tuple[DataSet, ...]:
    """The data set that the files make up together, each as a split, the largest first; nothing for other documents."""
    listed = document[:_MOST] if isinstance(document, list) else []
    files = [
        Split(name, rows, None, path, f"{index}.lines")
        for index, one in enumerate(listed)
        if isinstance(one, dict) and (name := line_of(one.get("name"), 300)) and (rows := whole(one.get("lines")))
    ]
    if not files or len(files) < len(listed):
        return ()
    return (DataSet(path, DATA_CONFIG, splits=tuple(sorted(files, key=lambda split: -(split.rows or 0)))),)
