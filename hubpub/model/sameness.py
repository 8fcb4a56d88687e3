"""Whether tensors stored in two places hold the same, told without holding either in memory."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from hubpub.model.safetensors import Header, Tensor
from hubpub.model.window import BoundedReads

Open = Callable[[str], BinaryIO]

_BLOCK = 1 << 20
_MOST_STORAGES = 200_000
_STORAGE = re.compile(r"[^/]+/data/\d+")
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")


class Place(NamedTuple):
    """The bytes `begin:begin + size` of the file at `path`."""

    path: str
    begin: int
    size: int


class Sum(NamedTuple):
    """What the numbers of some bytes add up to, in whatever order they are stored: size and two sums.

    A tensor that was transposed before it was saved has its numbers in another order; the sums do not see that.
    """

    size: int
    plain: int
    squares: int


def place_of(path: str, header: Header, tensor: Tensor) -> Place:
    """Where the bytes of a tensor are; `header` is that of a sound file."""
    return Place(path, header.data_start + tensor.begin, tensor.end - tensor.begin)


def same_bytes(open_file: Open, first: Place, second: Place) -> bool:
    """Whether both places hold the same bytes.

    Raises:
        OSError: one of the files cannot be read, or ends too early.
    """
    if first.size != second.size:
        return False
    return all(one == other for one, other in zip(_blocks(open_file, first), _blocks(open_file, second), strict=True))


def sum_of(open_file: Open, place: Place) -> Sum:
    """The sums of the bytes at a place, taken as 16-bit numbers.

    Raises:
        OSError: the file cannot be read, or ends too early.
    """
    import numpy as np

    plain = squares = 0
    for block in _blocks(open_file, place):
        numbers = np.frombuffer(block + b"\0" * (len(block) % 2), np.uint16).astype(np.uint32)
        plain += int(numbers.sum(dtype=np.uint64))
        squares += int((numbers * numbers).sum(dtype=np.uint64))
    return Sum(place.size, plain, squares)


def torch_storages(open_file: Open, path: str) -> dict[str, Place] | None:
    """Where a file of torch.save keeps its numbers, by the key of the storage.

    None when it is none of the zip format, or is compressed.

    Nothing is unpickled: a storage is a member `NAME/data/NUMBER`, stored as it is
    (https://docs.pytorch.org/docs/stable/notes/serialization.html#serialized-file-format-for-torch-save).

    Raises:
        OSError: the file cannot be read.
    """
    with open_file(path) as file:
        try:
            with zipfile.ZipFile(BoundedReads(file)) as archive:
                members = [member for member in archive.infolist() if _STORAGE.fullmatch(member.filename)]
        except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError):
            return None
        if len(members) > _MOST_STORAGES or any(member.compress_type != zipfile.ZIP_STORED for member in members):
            return None
        places = {}
        for member in members:
            file.seek(member.header_offset)
            raw = file.read(_LOCAL_HEADER.size)
            if len(raw) < _LOCAL_HEADER.size or not raw.startswith(b"PK\x03\x04"):
                return None
            *_, name, extra = _LOCAL_HEADER.unpack(raw)
            begin = member.header_offset + _LOCAL_HEADER.size + name + extra
            places[member.filename.rpartition("/")[2]] = Place(path, begin, member.file_size)
        return places


def _blocks(open_file: Open, place: Place) -> Iterator[bytes]:
    with open_file(place.path) as file:
        file.seek(place.begin)
        for begin in range(0, place.size, _BLOCK):
            wanted = min(place.size - begin, _BLOCK)
            block = file.read(wanted)
            while len(block) < wanted:  # files that are fetched may give less than was asked for
                more = file.read(wanted - len(block))
                if not more:
                    raise OSError(f"{place.path} ends too early")
                block += more
            yield block
