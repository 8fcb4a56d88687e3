"""Pictures in folders named after their class, as the `imagefolder` of `datasets` reads them: no picture is opened.

https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from hubpub.model.dataset_info import DataSet, Split
from hubpub.model.tables import Column
from hubpub.model.walk import FileEntry

PICTURES = frozenset(["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"])
"""Extensions of pictures."""

_MOST_CLASSES = 1000
_FORM = "pictures"


def picture_set(
    entries: Sequence[FileEntry], split_of: Callable[[str], str | None], order: Callable[[str], object]
) -> DataSet | None:
    """The data set that these pictures are; None when there are none.

    Args:
        entries: the pictures.
        split_of: the split that the name of a directory tells of, if any.
        order: the key by which splits are sorted.
    """
    if not entries:
        return None
    counts: dict[str, Counter[str | None]] = {}
    sizes: Counter[str] = Counter()
    known: dict[str, tuple[str, str | None]] = {}
    tops: dict[str, list[str]] = {}
    for entry in entries:
        directory = entry.path.rpartition("/")[0]
        if directory not in known:
            parts = directory.split("/") if directory else []
            split = next(filter(None, map(split_of, parts)), None)
            label = parts[-1] if parts and not split_of(parts[-1]) else None
            known[directory] = split or "train", label
            above = parts[:-1] if label is not None else parts
            tops.setdefault(split or "train", []).append("".join(f"{part}/" for part in above))
        name, label = known[directory]
        counts.setdefault(name, Counter())[label] += 1
        sizes[name] += entry.size
    labels = sorted({label for counted in counts.values() for label in counted if label is not None})
    labelled = 1 < len(labels) <= _MOST_CLASSES and not any(None in counted for counted in counts.values())
    columns = [Column("image", "image")] + ([Column("label", "class_label", tuple(labels))] if labelled else [])
    splits = tuple(
        Split(
            name,
            counts[name].total(),
            sizes[name],
            _above(tops[name]),
            "pictures",
            classes=tuple((label, counts[name][label]) for label in labels) if labelled else (),
        )
        for name in sorted(counts, key=order)  # type: ignore[arg-type]
    )
    return DataSet(_above([split.path for split in splits]), _FORM, None, None, splits, tuple(columns))


def _above(directories: list[str]) -> str:
    """The directory that all are in, with a slash at its end, or ""."""
    shared: list[str] = []
    for level in zip(*(directory.split("/")[:-1] for directory in directories), strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "".join(f"{part}/" for part in shared)
