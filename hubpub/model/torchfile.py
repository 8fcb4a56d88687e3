"""What a file of torch.save holds, worked out without loading it: names, shapes and dtypes of its tensors.

The zip format: torch/serialization.py, `_save` and `_load`, over caffe2/serialize/inline_container.cc. The legacy one,
five pickles in a row before the numbers: `_legacy_save` and `_legacy_load`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, BinaryIO

from hubpub.model.binary import Broken, look
from hubpub.model.safetensors import HeaderProblem
from hubpub.model.signatures import describe, is_pickle
from hubpub.model.torch_pickle import Ended, Ran, run
from hubpub.model.torch_values import BYTES, NotFollowed, Storage, TorchTensor, tensors_in
from hubpub.model.ziparchive import Archive, read_archive, read_member

LARGEST_PICKLE = 20 << 20
"""Bytes of the pickles that are read; a checkpoint of 100,000 tensors has about so many."""

_BEGIN = 512
_FIRST_PIECE = 1 << 18
_MAGIC = 0x1950A86A20F9469CFC6C
_MOST_PROBLEMS = 20


class TorchFormat(StrEnum):
    """What kind of file it is."""

    ZIP = "torch zip"
    LEGACY = "legacy torch file"
    TORCHSCRIPT = "TorchScript archive"
    PACKAGE = "torch package"
    EXPORTED = "exported program"
    TAR = "torch tar of before 2017"
    PICKLE = "pickle"
    OTHER = "no torch file"


@dataclass(frozen=True)
class TorchFile:
    """What is known of one file.

    Attributes:
        size: bytes of the file.
        format: what it is.
        tensors: by name; keys of nested dicts are joined with dots.
        problems: what is broken; empty for a sound file, at most 20.
        unseen: why the tensors are not known; None when they are, or there is nothing of torch in the file.
        plain_dict: whether it is a pickled dict that torch.save did not write.
        places: byte of the file at which each storage begins, by its key; of the legacy format only.
    """

    size: int
    format: TorchFormat
    tensors: dict[str, TorchTensor] = field(default_factory=dict)
    problems: tuple[HeaderProblem, ...] = ()
    unseen: str | None = None
    plain_dict: bool = False
    places: Mapping[str, int] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether `tensors` is all that it holds."""
        return self.format in (TorchFormat.ZIP, TorchFormat.LEGACY) and not self.problems and self.unseen is None

    @property
    def foreign(self) -> bool:
        """Whether it is nothing that torch writes."""
        return self.format is TorchFormat.OTHER

    @cached_property
    def twins(self) -> dict[str, str]:
        """Names of tensors that have the same place in the same storage as an earlier one, with that one's name."""
        first: dict[tuple[str, int, tuple[int, ...]], str] = {}
        found: dict[str, str] = {}
        for name, tensor in self.tensors.items():
            place = (tensor.storage.key, tensor.offset, tensor.shape)
            if first.setdefault(place, name) != name:
                found[name] = first[place]
        return found


def read_torch(open_file: Callable[[], BinaryIO]) -> TorchFile:
    """Read what a file of torch holds; what is wrong with it is in `TorchFile.problems`."""
    try:
        file, size = look(open_file)
        with file:
            return parse_torch(file, size)
    except OSError as error:
        return _broken(0, TorchFormat.OTHER, Broken(f"cannot be read: {error.strerror or error}"))


def parse_torch(file: BinaryIO, size: int) -> TorchFile:
    """Read what `file`, which has `size` bytes, holds."""
    file.seek(0)
    begin = file.read(_BEGIN)
    if not begin:
        return _broken(size, TorchFormat.OTHER, Broken("has 0 bytes"))
    try:
        if begin.startswith(b"PK\x03\x04"):
            return _read_zip(file, size)
        if is_pickle(begin) or _is_text_pickle(begin):
            return _read_pickles(file, size)
    except Broken as broken:
        return _broken(size, TorchFormat.ZIP, broken)
    if begin[257:262] == b"ustar":
        return TorchFile(size, TorchFormat.TAR, unseen="it is a tar archive as torch wrote them before 2017")
    noun = describe(begin) or (
        "nothing but zero bytes at its start" if not begin.strip(b"\0") else "neither a zip archive nor a pickle"
    )
    return _broken(size, TorchFormat.OTHER, Broken(f"is {noun}, not what torch.save writes", 0))


def _is_text_pickle(begin: bytes) -> bool:
    """Whether the opcodes of a pickle of protocol 0 or 1, which has no signature, follow each other here."""
    try:
        run(begin)
    except Ended:
        return len(begin) == _BEGIN
    except NotFollowed:
        return False
    return True


def zip_format(archive: Archive) -> TorchFormat:
    """Which of torch's formats a zip archive is."""
    names = archive.members
    root = _root(names)
    if root is not None and root + "constants.pkl" in names and any(name.startswith(root + "code/") for name in names):
        return TorchFormat.TORCHSCRIPT
    if any("/.data/extern_modules" in name or name.startswith(".data/") for name in names):
        return TorchFormat.PACKAGE
    if any(name.rpartition("/")[2] in _EXPORTED for name in names):
        return TorchFormat.EXPORTED
    return TorchFormat.OTHER if root is None else TorchFormat.ZIP


_EXPORTED = frozenset(["archive_format", "serialized_exported_program.json"])


def is_torchscript(open_file: Callable[[], BinaryIO]) -> bool:
    """Whether a file is a TorchScript archive, by its table of contents."""
    try:
        file, size = look(open_file)
        with file:
            return zip_format(read_archive(file, size)) is TorchFormat.TORCHSCRIPT
    except (OSError, Broken):
        return False


def _broken(size: int, form: TorchFormat, broken: Broken) -> TorchFile:
    return TorchFile(size, form, problems=(HeaderProblem(broken.message, broken.offset),))


def _root(names: Iterable[str]) -> str | None:
    """The directory of data.pkl in the archive, "" or "archive/"; None without a data.pkl."""
    paths = [name for name in names if name == "data.pkl" or (name.endswith("/data.pkl") and name.count("/") == 1)]
    return min(paths, key=len).removesuffix("data.pkl") if paths else None


def _read_zip(file: BinaryIO, size: int) -> TorchFile:
    archive = read_archive(file, size)
    form = zip_format(archive)
    root = _root(archive.members)
    if form is TorchFormat.OTHER or root is None:
        if form is TorchFormat.OTHER:
            raise Broken("is a zip archive without data.pkl, not what torch.save writes")
        return TorchFile(size, form)
    if form is not TorchFormat.ZIP:
        return TorchFile(size, form)
    member = archive.members[root + "data.pkl"]
    if member.size > LARGEST_PICKLE:
        return TorchFile(size, form, unseen=f"its pickle has {member.size:,} bytes; {LARGEST_PICKLE:,} are read")
    try:
        ran = run(read_member(file, member, LARGEST_PICKLE))
        tensors = tensors_in(ran.value)
    except Ended:
        raise Broken("is damaged: its data.pkl ends in the middle", member.place) from None
    except NotFollowed as reason:
        return TorchFile(size, form, unseen=str(reason))
    stored = {key: archive.members.get(f"{root}data/{key}") for key in ran.storages}
    sizes = {key: found.size if found else None for key, found in stored.items()}
    return TorchFile(size, form, tensors, tuple(_storage_problems(ran.storages, sizes, tensors)))


def _storage_problems(
    storages: Mapping[str, Storage], sizes: Mapping[str, int | None], tensors: Mapping[str, TorchTensor]
) -> list[HeaderProblem]:
    """Storages that are absent or of another size, and tensors that reach past theirs."""
    owners: dict[str, str] = {}
    problems: list[HeaderProblem] = []
    for name, tensor in tensors.items():
        owners.setdefault(tensor.storage.key, name)
        if (tensor.offset + tensor.extent) * BYTES[tensor.dtype] > tensor.storage.size:
            message = f"lets {_quoted(name)} reach past the end of its storage {_quoted(tensor.storage.key)}"
            problems.append(HeaderProblem(message, None, name[:1000]))
    for key, storage in storages.items():
        owner = owners.get(key)
        whose = f" of {_quoted(owner)}" if owner else ""
        size = sizes.get(key)
        if size is None:
            problems.append(HeaderProblem(f"has no member data/{key[:100]} with the numbers{whose}", None, owner))
        elif size != storage.size:
            message = f"has {size:,} bytes in data/{key[:100]}, but the storage{whose} needs {storage.size:,}"
            problems.append(HeaderProblem(message, None, owner))
        if len(problems) >= _MOST_PROBLEMS:
            break
    return problems[:_MOST_PROBLEMS]


def _read_pickles(file: BinaryIO, size: int) -> TorchFile:
    """One pickle, or the five of the legacy format."""
    length = _FIRST_PIECE
    while True:
        file.seek(0)
        data = file.read(min(length, LARGEST_PICKLE, size))
        try:
            return _legacy(data, size)
        except Ended:
            if len(data) >= size:
                return _broken(size, TorchFormat.LEGACY, Broken("is cut short: its pickle goes on after its end", size))
            if length >= LARGEST_PICKLE:
                reason = f"its pickles have more than {LARGEST_PICKLE:,} bytes"
                return TorchFile(size, TorchFormat.LEGACY, unseen=reason)
            length *= 8
        except NotFollowed as reason:
            legacy = data[2:14].find(_MAGIC.to_bytes(10, "little")) >= 0
            return TorchFile(
                size, TorchFormat.LEGACY if legacy else TorchFormat.PICKLE, unseen=str(reason) if legacy else None
            )


def _legacy(data: bytes, size: int) -> TorchFile:
    first = run(data)
    if first.value != _MAGIC:
        return TorchFile(size, TorchFormat.PICKLE, plain_dict=isinstance(first.value, dict) and bool(first.value))
    end = first.end
    for _ in range(2):  # the version of the protocol, and what the machine is like
        end = run(data, end).end
    model = run(data, end)
    keys = run(data, model.end)
    tensors = tensors_in(model.value)
    problems = tuple(_legacy_problems(size, tensors, model, keys))
    return TorchFile(
        size, TorchFormat.LEGACY, tensors, problems, places={} if problems else _legacy_places(model, keys)
    )


def _legacy_places(model: Ran, keys: Ran) -> dict[str, int]:
    places: dict[str, int] = {}
    at = keys.end
    for key in keys.value:
        if key not in model.storages:
            return {}
        places[key] = at + 8
        at = places[key] + model.storages[key].size
    return places


def _legacy_problems(size: int, tensors: Mapping[str, TorchTensor], model: Ran, keys: Ran) -> list[HeaderProblem]:
    order: Any = keys.value
    if not isinstance(order, list) or not all(isinstance(key, str) for key in order):
        return [HeaderProblem("is damaged: the list of its storages is missing", model.end)]
    sizes = {key: model.storages[key].size for key in order if key in model.storages}
    problems = _storage_problems(model.storages, sizes, tensors)
    if len(sizes) == len(order):
        # Each storage follows its number of elements, 64 bits.
        end = keys.end + sum(8 + length for length in sizes.values())
        if end > size:
            message = f"is cut short: {end - size:,} of {end - keys.end:,} bytes of tensor data are missing"
            problems.insert(0, HeaderProblem(message, size))
    return problems[:_MOST_PROBLEMS]


def _quoted(name: str) -> str:
    return repr(name if len(name) <= 100 else name[:97] + "...")
