"""Stale: what an older release left on the hub that a new one does not overwrite, and that loaders may still take.

A push adds and replaces; the shards of a longer series, or weights in a format that loaders prefer, would stay and be
loaded beside or instead of the new ones. Which file is taken first is written down in transformers
(`_get_resolved_checkpoint_files` of modeling_utils.py), diffusers (`_get_model_file`) and peft (`load_peft_weights`):
the single safetensors file, then its index, then the same in torch's format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from hubpub.publish.remote import RemoteFile

_WEIGHTS = re.compile(
    r"(?P<stem>.+?)(?:-(?P<number>\d{5})-of-(?P<total>\d{5}))?(?P<suffix>\.safetensors|\.bin)"
    r"(?P<index>\.index(?P<variant>\.[\w-]+)?\.json)?"
)
_GGUF = re.compile(r"(?P<stem>.+)-\d{5}-of-(?P<total>\d{5})\.gguf")
# Stem of the safetensors files and of torch's files that one loader looks for.
_TORCH_STEM = {
    "model": "pytorch_model",
    "adapter_model": "adapter_model",
    "diffusion_pytorch_model": "diffusion_pytorch_model",
}
_OTHER_FORMATS = re.compile(r"(?:tf_model\.h5|flax_model\.msgpack|rust_model\.ot|.+\.onnx|.+\.gguf)(?:_data)?")
_ADAPTER = re.compile(r"adapter_config\.json|adapter_model\.(?:safetensors|bin)")


@dataclass(frozen=True, slots=True)
class Stale:
    """A file of the hub that an older release left there: its path, its size in bytes, and what it does now."""

    path: str
    size: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The file as plain data."""
        return {"path": self.path, "size": self.size, "reason": self.reason}


class Series(NamedTuple):
    """Files that hold one set of weights: `model.safetensors`, or the shards and the index in its place."""

    directory: str
    stem: str
    suffix: str


class _Part(NamedTuple):
    series: Series
    total: int | None  # shards in the series that it belongs to; None for a single file and for an index
    is_index: bool


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What older releases left on the hub.

    Attributes:
        stale: files that belong to no release any more, or that loaders take before the new weights; to be deleted.
        older: other formats of the weights that this release replaces; only mentioned.
    """

    stale: tuple[Stale, ...]
    older: tuple[Stale, ...]


def find_stale(release: Iterable[str], changed: Iterable[str], remote: Mapping[str, RemoteFile]) -> Leftovers:
    """What the hub holds besides a release, and should not, or not without a word.

    Args:
        release: the paths of the release.
        changed: those of them that the hub has not, or with another content.
        remote: the files of the branch.
    """
    ours = set(release)
    new: dict[Series, set[int | None]] = {}
    for path in ours:
        part = _part(path)
        if part and not part.is_index:
            new.setdefault(part.series, set()).add(part.total)
    fresh = {part.series for path in changed if (part := _part(path)) and not part.is_index}
    stale, older = {}, {}
    for path in sorted(remote.keys() - ours):
        reason = _stale(path, new, ours)
        if reason:
            stale[path] = reason
        elif reason := _older(path, fresh):
            older[path] = reason
    return Leftovers(tuple(_listed(stale, remote)), tuple(_listed(older, remote)))


def _listed(reasons: Mapping[str, str], remote: Mapping[str, RemoteFile]) -> Iterator[Stale]:
    return (Stale(path, remote[path].size, reason) for path, reason in reasons.items())


def _part(path: str) -> _Part | None:
    """What the name of a file says of the weights in it; None when it does not look like weights."""
    directory, slash, name = path.rpartition("/")
    directory += slash
    if found := _GGUF.fullmatch(name):
        return _Part(Series(directory, found["stem"], ".gguf"), int(found["total"]), is_index=False)
    found = _WEIGHTS.fullmatch(name)
    if found is None:
        return None
    # `model.safetensors.index.fp16.json` is the index of `model.fp16-00001-of-00002.safetensors`.
    series = Series(directory, found["stem"] + (found["variant"] or ""), found["suffix"])
    return _Part(series, int(found["total"]) if found["total"] else None, is_index=found["index"] is not None)


def _stale(path: str, new: Mapping[Series, set[int | None]], ours: set[str]) -> str | None:
    part = _part(path)
    if part is not None:
        if part.series in new:
            return _of_an_older_series(part, new[part.series])
        preferred = _torch_series(part.series)
        if preferred in new and part.series.suffix == ".safetensors":
            return f"loaders take it before the new {_name(preferred, new[preferred])}"
    directory, slash, name = path.rpartition("/")
    if _ADAPTER.fullmatch(name):
        whole = f"{directory}{slash}config.json" in ours and any(
            series.directory == directory + slash for series in new
        )
        if whole and f"{directory}{slash}adapter_config.json" not in ours:
            return "of an adapter: transformers loads the adapter's base model instead of the new weights"
    return None


def _of_an_older_series(part: _Part, totals: set[int | None]) -> str | None:
    """What is wrong with a file of a series that the release has in `totals` parts (None: in one file)."""
    if part.total in totals and not part.is_index:
        return None  # a piece of this very series; that the release lacks it is for the checks to say
    shards = sorted(total for total in totals if total is not None)
    if part.is_index:
        return "the index of an older release: this one needs none" if not shards else None
    if part.total is None:
        return f"loaders take it before the {shards[-1]} new shards" if shards else None
    now = f"has {shards[-1]} shards" if shards else "is one file"
    return f"a shard of an older release: this one {now}"


def _older(path: str, fresh: set[Series]) -> str | None:
    """Why a file in another format holds older weights than the series that this release replaces."""
    part = _part(path)
    directory = path.rpartition("/")[0]
    for series in fresh:
        if part is not None and part.series == _torch_series(series) and series.suffix == ".safetensors":
            return "older weights: loaders take the new safetensors, but who asks for this format gets these"
    if _OTHER_FORMATS.fullmatch(path.rpartition("/")[2]):
        # Exports are beside the weights or in a folder below, such as onnx/.
        for series in fresh:
            if series.suffix != ".gguf" and f"{directory}/".startswith(series.directory):
                return "made from older weights"
    return None


def _torch_series(series: Series) -> Series:
    """Where a loader looks for these weights in torch's format."""
    stem, dot, variant = series.stem.partition(".")
    return Series(series.directory, _TORCH_STEM.get(stem, stem) + dot + variant, ".bin")


def _name(series: Series, totals: set[int | None]) -> str:
    return f"{series.stem}{series.suffix}" if None in totals else f"shards of {series.stem}{series.suffix}"
