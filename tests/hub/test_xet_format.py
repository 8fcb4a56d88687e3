"""Reading xorbs and shards that nobody vouches for."""

from __future__ import annotations

import random
import struct
from io import BytesIO

import lz4.frame
import pytest

from hubpub.hub.store.xet_format import (
    LARGEST_CHUNK,
    Term,
    XetFormatError,
    XorbReader,
    hash_text,
    is_hash,
    read_shard,
    read_xorb,
    unpack_chunks,
)

FLOATS = struct.pack("<1000f", *(random.Random(0).gauss(0, 0.02) for _ in range(1000))) + b"odd"


def chunk(content: bytes, scheme: int = 0, packed: bytes | None = None, length: int | None = None) -> bytes:
    if packed is None:
        planes = b"".join(content[plane::4] for plane in range(4)) if scheme == 2 else content
        packed = lz4.frame.compress(planes) if scheme else planes
    unpacked = len(content) if length is None else length
    return b"\0" + len(packed).to_bytes(3, "little") + bytes([scheme]) + unpacked.to_bytes(3, "little") + packed


def record(head: bytes, *numbers: int) -> bytes:
    return (head + struct.pack(f"<{len(numbers)}I", *numbers)).ljust(48, b"\0")


HEADER = b"HFRepoMetaData\0".ljust(32, b"\0") + struct.pack("<QQ", 2, 0)
END = b"\xff" * 32 + bytes(16)


def test_hashes_are_four_little_endian_numbers() -> None:
    raw = bytes(range(32))
    assert hash_text(raw) == "07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918"
    assert is_hash(hash_text(raw))
    assert not is_hash("A" * 64)
    assert not is_hash("../" + "a" * 61)


@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_chunks_of_every_scheme(scheme: int) -> None:
    contents = [FLOATS, b"x", b"ab" * 1000, FLOATS[:2]]
    data = b"".join(chunk(content, scheme) for content in contents)
    xorb = read_xorb(BytesIO(data + b"XETBLOB whatever follows"))
    assert xorb.lengths == tuple(map(len, contents))
    assert xorb.starts[-1] == len(data)
    assert list(unpack_chunks(data)) == contents
    second = data[xorb.starts[1] : xorb.starts[2]]
    assert list(unpack_chunks(second)) == [b"x"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"XETBLOB",
        b"\0\0\0",
        chunk(b"abc")[:-1],
        b"\1" + chunk(b"abc")[1:],
        chunk(b"abc", 3, b"abc"),
        chunk(b"", 0),
        chunk(b"abc", length=LARGEST_CHUNK + 1),
        chunk(b"abc", 1, b"x" * (2 * LARGEST_CHUNK + 1)),
    ],
    ids=[
        "empty",
        "footer alone",
        "cut header",
        "cut chunk",
        "version",
        "scheme",
        "empty chunk",
        "large chunk",
        "large packed",
    ],
)
def test_malformed_xorbs(data: bytes) -> None:
    with pytest.raises(XetFormatError):
        read_xorb(BytesIO(data))


@pytest.mark.parametrize(
    "data",
    [
        chunk(b"abc", 0, b"ab"),
        chunk(b"abc", 1, b"not lz4"),
        chunk(b"abc", 1, lz4.frame.compress(b"abcd")),
        chunk(b"abc", 1, lz4.frame.compress(b"\0" * 10_000_000)),
        chunk(b"abc", 1, lz4.frame.compress(b"abc")[:-6]),
    ],
    ids=["short", "not lz4", "longer", "bomb", "cut"],
)
def test_chunks_that_do_not_unpack_to_what_they_announce(data: bytes) -> None:
    with pytest.raises(XetFormatError):
        list(unpack_chunks(data))


@pytest.mark.parametrize("size", [1, 7, 8, 1000, 1 << 20])
def test_xorb_that_arrives_in_pieces(size: int) -> None:
    contents = [FLOATS, b"x", b"ab" * 1000, FLOATS[:2]]
    data = b"".join(chunk(content, number % 3) for number, content in enumerate(contents)) + b"XETBLOB and the rest"
    found: list[bytes] = []
    reader = XorbReader(lambda content: found.append(bytes(content)))
    for start in range(0, len(data), size):
        reader.update(data[start : start + size])
    assert found == contents


def test_shard() -> None:
    digest, xorb, sha256 = bytes(range(32)), b"\1" * 32, b"\2" * 32
    with_all = record(digest, 0xC000_0000, 2) + record(xorb, 0, 10, 0, 3) + record(xorb, 0, 5, 7, 8)
    with_all += record(b"\3" * 32) * 2 + record(sha256)
    bare = record(b"\4" * 32, 0, 1) + record(xorb, 0, 10, 0, 3)
    first, second = read_shard(HEADER + with_all + bare + END)
    assert first.hash == hash_text(digest)
    assert first.terms == (Term(hash_text(xorb), 0, 3, 10), Term(hash_text(xorb), 7, 8, 5))
    assert first.sha256 == hash_text(sha256)
    assert (second.sha256, len(second.terms)) == (None, 1)
    assert read_shard(HEADER + END) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk" * 20,
        HEADER,
        HEADER[:32] + struct.pack("<QQ", 3, 0) + END,
        HEADER + record(bytes(32), 0, 1),
        HEADER + record(bytes(32), 0, 0xFFFF_FFFF) + END,
        HEADER + record(bytes(32), 0, 1) + record(bytes(32), 0, 10, 3, 3) + END,
    ],
    ids=["empty", "junk", "cut", "version", "cut file", "too many terms", "term without chunks"],
)
def test_malformed_shards(data: bytes) -> None:
    with pytest.raises(XetFormatError):
        read_shard(data)
