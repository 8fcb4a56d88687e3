"""The binary formats of xet: hashes, xorbs and shards. Nothing read here is trusted.

Specification: https://huggingface.co/docs/xet/index (hashing, xorb, shard).
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import lz4.frame  # type: ignore[import-untyped]

LARGEST_CHUNK = 128 << 10
_HASH = re.compile(r"[0-9a-f]{64}")
_CHUNK_HEADER = 8
_FOOTER_IDENT = b"XETBLOB"
_SHARD_TAG = b"HFRepoMetaData\0"
_SHARD_HEADER = 48
_RECORD = 48
_BOOKEND = b"\xff" * 32
_HAS_VERIFICATION = 0x8000_0000
_HAS_METADATA = 0x4000_0000
_LONGEST_FILE = 10_000_000


class XetFormatError(ValueError):
    """Bytes that are not what the format says."""


def is_hash(text: str) -> bool:
    """Whether `text` is a hash as xet writes it."""
    return _HASH.fullmatch(text) is not None


def hash_text(raw: bytes) -> str:
    """How xet writes the 32 bytes of a hash: four little-endian numbers, each in hexadecimal."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))


@dataclass(frozen=True, slots=True)
class Xorb:
    """Where the chunks of a xorb are.

    Attributes:
        starts: byte offset of each chunk's header, and the end of the last chunk.
        lengths: unpacked length of each chunk, in bytes.
    """

    starts: tuple[int, ...]
    lengths: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.lengths)

    def unpacked(self, first: int, end: int) -> int:
        """Unpacked length of the chunks from `first` up to `end`."""
        return sum(self.lengths[first:end])


def read_xorb(file: BinaryIO) -> Xorb:
    """The chunk table of a serialised xorb, with or without a footer; only the headers are read.

    Raises:
        XetFormatError: it is cut off, has an unknown version or compression, or a chunk that is too large.
    """
    starts: list[int] = []
    lengths: list[int] = []
    position, end = 0, file.seek(0, os.SEEK_END)
    while position < end:
        file.seek(position)
        header = file.read(_CHUNK_HEADER)
        if header.startswith(_FOOTER_IDENT):
            break
        if len(header) < _CHUNK_HEADER:
            raise XetFormatError("the xorb ends within a chunk header")
        packed, _, unpacked = _chunk_header(header)
        starts.append(position)
        lengths.append(unpacked)
        position += _CHUNK_HEADER + packed
        if position > end:
            raise XetFormatError("the xorb ends within a chunk")
    if not lengths:
        raise XetFormatError("the xorb has no chunks")
    return Xorb((*starts, position), tuple(lengths))


def _chunk_header(header: bytes) -> tuple[int, int, int]:
    """Packed length, compression scheme and unpacked length of a chunk."""
    version, scheme = header[0], header[4]
    packed = int.from_bytes(header[1:4], "little")
    unpacked = int.from_bytes(header[5:8], "little")
    if version != 0 or scheme > 2:
        raise XetFormatError(f"chunk version {version} or compression {scheme} is unknown")
    # A packed chunk may be a little larger than its content, and is held in memory until it is whole.
    if packed > 2 * LARGEST_CHUNK:
        raise XetFormatError(f"a packed chunk of {packed} bytes is too large")
    if not 0 < unpacked <= LARGEST_CHUNK:
        raise XetFormatError(f"a chunk of {unpacked} bytes is not between 1 and {LARGEST_CHUNK}")
    return packed, scheme, unpacked


def unpack_chunks(data: bytes | memoryview) -> Iterator[bytes | memoryview]:
    """The content of consecutive serialised chunks; of chunks that are not compressed, a view of `data`.

    Raises:
        XetFormatError: a chunk is malformed, or does not unpack to the length that it announces.
    """
    view = memoryview(data)
    position = 0
    while position < len(view):
        packed, scheme, unpacked = _chunk_header(bytes(view[position : position + _CHUNK_HEADER]))
        position += _CHUNK_HEADER
        yield _unpack(view[position : position + packed], scheme, unpacked)
        position += packed


def _unpack(packed: memoryview, scheme: int, length: int) -> bytes | memoryview:
    if scheme == 0:
        if len(packed) != length:
            raise XetFormatError("a chunk does not have the length that it announces")
        return packed
    try:
        # Bounded: a chunk that announces little must not unpack to much.
        content: bytes = lz4.frame.LZ4FrameDecompressor().decompress(packed, max_length=length + 1)
    except RuntimeError as error:
        raise XetFormatError(f"a chunk does not unpack: {error}") from None
    if len(content) != length:
        raise XetFormatError("a chunk does not have the length that it announces")
    return _interleaved(content) if scheme == 2 else content


class XorbReader:
    """Reads a xorb as it arrives, in pieces of any size, and hands on the content of each chunk.

    What it holds at a time is less than one chunk more than the piece that it is given.
    """

    def __init__(self, take: Callable[[bytes | memoryview], object]) -> None:
        self._take = take
        self._rest = bytearray()
        self._ended = False
        self._starts = [0]
        self._lengths: list[int] = []

    def update(self, data: bytes | memoryview) -> None:
        """Take in the next piece.

        Raises:
            XetFormatError: a chunk is malformed, or does not unpack to the length that it announces.
        """
        view = memoryview(data)
        # What a chunk that ended the last piece still lacks: only that is copied, not the whole piece.
        while self._rest and len(view) and not self._ended:
            lacks = self._lacks()
            self._rest += view[:lacks]
            view = view[lacks:]
            if not self._lacks():
                self._chunks(memoryview(bytes(self._rest)))
                self._rest = bytearray()
        if not self._ended:
            self._rest += view[self._chunks(view) :]

    def _lacks(self) -> int:
        """How many bytes the chunk that has begun needs at least; 0 if it is whole, or the footer begins there."""
        if len(self._rest) < _CHUNK_HEADER:
            return _CHUNK_HEADER - len(self._rest)
        if self._rest.startswith(_FOOTER_IDENT):
            return 0
        return max(_CHUNK_HEADER + _chunk_header(bytes(self._rest[:_CHUNK_HEADER]))[0] - len(self._rest), 0)

    def _chunks(self, view: memoryview) -> int:
        """Hand on the chunks that `view` begins with; how many bytes of it they take."""
        position = 0
        while len(view) - position >= _CHUNK_HEADER and not self._ended:
            header = bytes(view[position : position + _CHUNK_HEADER])
            if header.startswith(_FOOTER_IDENT):
                self._ended = True
                return len(view)
            packed, scheme, unpacked = _chunk_header(header)
            start = position + _CHUNK_HEADER
            if len(view) - start < packed:
                break
            self._take(_unpack(view[start : start + packed], scheme, unpacked))
            position = start + packed
            self._starts.append(self._starts[-1] + _CHUNK_HEADER + packed)
            self._lengths.append(unpacked)
        return position

    def table(self) -> Xorb:
        """Where the chunks are, once all has been read.

        Raises:
            XetFormatError: it has no chunks, or ends within one.
        """
        if self._rest and not self._rest.startswith(_FOOTER_IDENT):
            raise XetFormatError("the xorb ends within a chunk")
        if not self._lengths:
            raise XetFormatError("the xorb has no chunks")
        return Xorb(tuple(self._starts), tuple(self._lengths))


def _interleaved(planes: bytes) -> bytes:
    """Undo BG4: four planes, of which plane k holds the bytes 4i + k."""
    content = bytearray(len(planes))
    position = 0
    for plane in range(4):
        length = len(range(plane, len(planes), 4))
        content[plane::4] = planes[position : position + length]
        position += length
    return bytes(content)


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a file: the chunks from `first` up to, not including, `end` of a xorb; `length` is in bytes."""

    xorb: str
    first: int
    end: int
    length: int


@dataclass(frozen=True, slots=True)
class ShardFile:
    """A file that a shard describes: its xet hash, its parts in order, and its SHA-256 if the shard has it."""

    hash: str
    terms: tuple[Term, ...]
    sha256: str | None


def read_shard(data: bytes) -> list[ShardFile]:
    """The files that an uploaded shard describes.

    Raises:
        XetFormatError: it is malformed.
    """
    if not data.startswith(_SHARD_TAG) or len(data) < _SHARD_HEADER:
        raise XetFormatError("the shard has no header")
    if int.from_bytes(data[32:40], "little") != 2:
        raise XetFormatError("the shard's version is unknown")
    files = []
    position = _SHARD_HEADER
    while not (header := _record(data, position)).startswith(_BOOKEND):
        flags, count = struct.unpack("<II", header[32:40])
        if not 0 <= count <= _LONGEST_FILE:
            raise XetFormatError("a file in the shard has too many terms")
        position += _RECORD
        terms = tuple(_term(_record(data, position + index * _RECORD)) for index in range(count))
        position += count * _RECORD
        if flags & _HAS_VERIFICATION:
            position += count * _RECORD
        sha256 = None
        if flags & _HAS_METADATA:
            sha256 = hash_text(_record(data, position)[:32])
            position += _RECORD
        files.append(ShardFile(hash_text(header[:32]), terms, sha256))
    return files


def _record(data: bytes, position: int) -> bytes:
    record = data[position : position + _RECORD]
    if len(record) < _RECORD:
        raise XetFormatError("the shard ends within its file section")
    return record


def _term(record: bytes) -> Term:
    _flags, length, first, end = struct.unpack("<IIII", record[32:48])
    if first >= end:
        raise XetFormatError("a term has no chunks")
    return Term(hash_text(record[:32]), first, end, length)
