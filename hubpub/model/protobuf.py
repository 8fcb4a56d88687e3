"""The wire format of protocol buffers over bytes in memory: https://protobuf.dev/programming-guides/encoding/."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class NotProtobufError(ValueError):
    """The bytes are no message."""


def fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields between two bytes: number, wire type, and the value twice for a number, or begin and end of its bytes.

    Raises:
        NotProtobufError: they are no fields.
    """
    at = start
    while at < end:
        key = data[at]
        at += 1
        if key >= 0x80:
            key, at = varint(data, at - 1, end)
        number, wire = key >> 3, key & 7
        if not number:
            raise NotProtobufError(f"no field at byte {at:,}")
        if wire == VARINT:
            value, at = varint(data, at, end)
            yield number, wire, value, value
            continue
        if wire == BYTES:
            if at < end and data[at] < 0x80:
                length = data[at]
                at += 1
            else:
                length, at = varint(data, at, end)
        elif wire in (FIXED32, FIXED64):
            length = 4 if wire == FIXED32 else 8
        else:
            raise NotProtobufError(f"unknown kind of field at byte {at:,}")
        if length > end - at:
            raise NotProtobufError(f"a field ends past byte {end:,}")
        yield number, wire, at, at + length
        at += length


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A number of variable length, and where it ends.

    Raises:
        NotProtobufError: it does not end.
    """
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise NotProtobufError(f"a number does not end before byte {at:,}")
