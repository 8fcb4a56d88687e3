"""The table of contents of a zip archive, and single members of it; bounded, and nothing is extracted.

The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. zipfile of the standard library forgives and
guesses (bytes before the archive, a wrong start of the table); torch's reader does not, and a cut file must be told.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from hubpub.model.binary import Broken

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 1 << 16
_LARGEST_TABLE = 32 << 20
_MOST_MEMBERS = 200_000
_STORED, _DEFLATED = 0, 8
_FULL = 0xFFFFFFFF


class Member(NamedTuple):
    """A member of an archive.

    Attributes:
        name: as stored.
        place: byte of the file at which its own header begins.
        stored: bytes that it takes in the file.
        size: bytes of its content.
        method: 0 for stored, 8 for deflated.
    """

    name: str
    place: int
    stored: int
    size: int
    method: int


@dataclass(frozen=True, slots=True)
class Archive:
    """The table of contents: members by name, and byte of the file at which the table begins."""

    members: dict[str, Member]
    table: int


def read_archive(file: BinaryIO, size: int) -> Archive:
    """Read the table of contents of `file`, which has `size` bytes.

    Raises:
        Broken: it has none, or one that does not fit the file.
    """
    table, length, count = _find_table(file, size)
    if length > _LARGEST_TABLE or count > _MOST_MEMBERS:
        raise Broken(f"has a table of contents of {length:,} bytes for {count:,} members, which is absurd", table)
    raw = _read(file, table, length)
    members: dict[str, Member] = {}
    at = 0
    for _ in range(count):
        if at + _ENTRY.size > length:
            raise Broken("has a table of contents that ends before its last entry", table + at)
        entry = _ENTRY.unpack_from(raw, at)
        if entry[0] != b"PK\x01\x02":
            raise Broken("has a damaged table of contents", table + at)
        method, stored, full, name_length, extra_length, comment_length, place = (
            entry[4],
            entry[8],
            entry[9],
            entry[10],
            entry[11],
            entry[12],
            entry[16],
        )
        begin = at + _ENTRY.size
        name = raw[begin : begin + name_length].decode("utf-8", "replace")
        if _FULL in (stored, full, place):
            extra = raw[begin + name_length : begin + name_length + extra_length]
            full, stored, place = _large(extra, full, stored, place)
        if place + _LOCAL.size + stored > table:
            raise Broken(f"is damaged: its member {name[:100]!r} reaches over its table of contents", table + at)
        members[name] = Member(name, place, stored, full, method)
        at = begin + name_length + extra_length + comment_length
    return Archive(members, table)


def read_member(file: BinaryIO, member: Member, most: int) -> bytes:
    """The first `most` bytes of a member's content.

    Raises:
        Broken: its header is not where the table says, or it cannot be decompressed.
    """
    header = _LOCAL.unpack(_read(file, member.place, _LOCAL.size))
    if header[0] != b"PK\x03\x04":
        raise Broken(f"is damaged: its member {member.name[:100]!r} is not where its table says", member.place)
    begin = member.place + _LOCAL.size + header[9] + header[10]
    if member.method == _STORED:
        return _read(file, begin, min(member.stored, most))
    if member.method != _DEFLATED:
        raise Broken(f"compresses its member {member.name[:100]!r} by a method that is not read here", member.place)
    try:
        return zlib.decompressobj(-15).decompress(_read(file, begin, min(member.stored, most)), most)
    except zlib.error as error:
        raise Broken(f"is damaged: its member {member.name[:100]!r} cannot be decompressed", begin) from error


def _find_table(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Where the table begins, its bytes, and the number of its entries."""
    begin = max(size - _END.size - _LONGEST_COMMENT, 0)
    tail = _read(file, begin, size - begin)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise Broken("is cut short or damaged: the table of contents at the end of a zip archive is missing", size)
    _, _, _, _, count, length, table, _ = _END.unpack_from(tail, at)
    end = begin + at
    locator = at - _END64_LOCATOR.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        place = _END64_LOCATOR.unpack_from(tail, locator)[2]
        if place + _END64.size > size:
            raise Broken("has a damaged table of contents", begin + locator)
        record = _END64.unpack(_read(file, place, _END64.size))
        if record[0] != b"PK\x06\x06":
            raise Broken("has a damaged table of contents", place)
        count, length, table = record[7], record[8], record[9]
    if table + length > end:
        message = f"is cut short or damaged: its table of contents should be at byte {table:,}"
        raise Broken(message, end)
    return table, length, count


def _large(extra: bytes, full: int, stored: int, place: int) -> tuple[int, int, int]:
    """The numbers of a member that need 64 bits."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            numbers = iter(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            full = next(numbers, full) if full == _FULL else full
            stored = next(numbers, stored) if stored == _FULL else stored
            place = next(numbers, place) if place == _FULL else place
            break
        at += 4 + length
    return full, stored, place


def _read(file: BinaryIO, begin: int, length: int) -> bytes:
    file.seek(begin)
    content = file.read(length)
    if len(content) < length:
        raise Broken("is cut short", begin + len(content))
    return content
