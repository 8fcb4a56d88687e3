"""Files that are pieces of one: what `split` leaves behind, and the data files of TensorFlow's checkpoints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from hubpub.model.walk import FileEntry

# What large models are split from; other files with such endings (a log rotated to .1) mean something else.
_WHOLE = (
    r"[^/]+\.(?:safetensors|gguf|ggml|bin|pt|pth|ckpt|onnx|onnx_data|h5|keras|msgpack|npz|nemo"
    r"|zip|tar|gz|tgz|7z|zst|xz)"
)
_PIECE = re.compile(
    rf"(?P<whole>{_WHOLE})"
    r"(?:[._-]?part[._-]?(?P<part>[a-z]{1,3}|\d{1,4})(?:of\d+)?"
    r"|[._-]?split[._-](?P<split>[a-z]{1,3}|\d{1,4})"
    r"|\.(?P<number>\d{2,4})"
    r"|[._-](?P<letters>[a-z]a[a-z]|a[a-z]))"
)
# model.pt.10 and model.pt.20 are epochs, model.bin.ar is a language: one of these is among true pieces.
_FIRST = ("aa", "aaa", "00", "000", "0000", "01", "001", "0001")
_ZIP_PIECE = re.compile(r"(?P<stem>[^/]+)\.z(?P<number>\d{2})")
_UNNAMED = re.compile(r"x[a-z]{2}")
_TENSORFLOW = re.compile(r"(?P<stem>.+)\.data-(?P<number>\d{5})-of-(?P<total>\d{5})")


@dataclass(frozen=True, slots=True)
class Pieces:
    """Files that are pieces of one file.

    Attributes:
        whole: path of the file that they make; None when the names do not tell.
        paths: the pieces, sorted.
    """

    whole: str | None
    paths: tuple[str, ...]


def find_pieces(files: Iterable[FileEntry]) -> tuple[Pieces, ...]:
    """The files that somebody cut in pieces."""
    found: dict[tuple[str, str | None], list[str]] = {}
    sure: set[tuple[str, str | None]] = set()
    for entry in files:
        directory, name = entry.path.removesuffix(entry.name), entry.name
        key: tuple[str, str | None]
        if match := _PIECE.fullmatch(name):
            key = (directory, directory + match["whole"])
            if match["part"] or match["split"] or (match["number"] or match["letters"]) in _FIRST:
                sure.add(key)
        elif match := _ZIP_PIECE.fullmatch(name):
            key = (directory, f"{directory}{match['stem']}.zip")
            sure.add(key)
        elif _UNNAMED.fullmatch(name):
            key = (directory, None)
            if name == "xaa":
                sure.add(key)
        else:
            continue
        found.setdefault(key, []).append(entry.path)
    return tuple(
        Pieces(whole, tuple(sorted(found[directory, whole])))
        for directory, whole in sorted(sure, key=lambda key: min(found[key]))
    )


@dataclass(frozen=True, slots=True)
class TensorflowData:
    """The `stem.data-00000-of-00002` files of a TensorFlow checkpoint.

    Attributes:
        stem: path without the ending.
        total: how many the names say there are.
        present: numbers that are there; they begin at 0.
    """

    stem: str
    total: int
    present: frozenset[int]

    def missing(self, most: int) -> list[str]:
        """At most `most` of the paths that are not there."""
        numbers = (number for number in range(self.total) if number not in self.present)
        return [f"{self.stem}.data-{number:05d}-of-{self.total:05d}" for number in islice(numbers, most)]


def tensorflow_data(files: Iterable[FileEntry]) -> tuple[TensorflowData, ...]:
    """The data files of TensorFlow's checkpoints and saved models."""
    found: dict[tuple[str, int], set[int]] = {}
    for entry in files:
        if match := _TENSORFLOW.fullmatch(entry.path):
            found.setdefault((match["stem"], int(match["total"])), set()).add(int(match["number"]))
    return tuple(TensorflowData(stem, total, frozenset(numbers)) for (stem, total), numbers in sorted(found.items()))
