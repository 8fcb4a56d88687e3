"""What training runs leave behind, written without the tools that leave it."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from typing import BinaryIO

from support.formats import field

from hubpub.model.files import Files
from hubpub.model.walk import EntryKind, FileEntry


def files_of(contents: Mapping[str, bytes | str]) -> Files:
    """Files by path, in memory."""
    held = {path: content.encode() if isinstance(content, str) else content for path, content in contents.items()}

    def open_one(path: str) -> BinaryIO:
        return io.BytesIO(held[path])

    entries = (FileEntry(path, len(content), EntryKind.FILE) for path, content in sorted(held.items()))
    return Files(tuple(entries), open_one)


def crc32c(data: bytes) -> int:
    """By the definition, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def tfrecord(data: bytes) -> bytes:
    """One record in its frame; a large one without the checksum of its data, which takes long and nobody looks at."""
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + (masked(data) if len(data) < 4096 else bytes(4))


def event(step: int = 0, *values: bytes, time: float = 1.7e9) -> bytes:
    """An Event with a Summary of the values."""
    summary = b"".join(field(1, value) for value in values)
    head = b"\x09" + struct.pack("<d", time) + (field(2, step) if step else b"")
    return tfrecord(head + (field(5, summary) if values else field(3, "brain.Event:2")))


def scalar(tag: str, value: float) -> bytes:
    """As torch writes it."""
    return field(1, tag) + b"\x15" + struct.pack("<f", value)


def scalar_tensor(tag: str, value: float, *, double: bool = False, raw: bool = True) -> bytes:
    """As TensorFlow 2 writes it."""
    packed = struct.pack("<d" if double else "<f", value)
    number = field(4, packed) if raw else bytes([6 << 3 | 1 if double else 5 << 3 | 5]) + packed
    return field(1, tag) + field(8, field(1, 2 if double else 1) + field(2, b"") + number)


def text(tag: str, content: str) -> bytes:
    """As torch writes it."""
    return field(1, tag) + field(8, field(1, 7) + field(2, field(2, field(1, 1))) + field(8, content))


def wandb_file(*records: bytes) -> bytes:
    """A run-<id>.wandb with the records in the frames of LevelDB's log."""
    content = bytearray(b":W&B\xe1\xbe\0")
    for record in records:
        left, first = record, True
        while first or left:
            room = 32768 - len(content) % 32768
            if room < 7:
                content += bytes(room)
                continue
            part, left = left[: room - 7], left[room - 7 :]
            kind = (1 if first else 4) if not left else (2 if first else 3)
            content += bytes(4) + len(part).to_bytes(2, "little") + bytes([kind]) + part
            first = False
    return bytes(content)


def wandb_item(name: str, value: object) -> bytes:
    """A name with its JSON; a name with dots is a nested one."""
    keys = b"".join(field(2, part) for part in name.split(".")) if "." in name else field(1, name)
    return field(1, keys + field(16, json.dumps(value)))
