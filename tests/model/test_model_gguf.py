from __future__ import annotations

import io
import struct
import time

import pytest
from support.formats import gguf, gguf_string

from hubpub.model.gguf import GgufArray, GgufFile, parse_gguf


def parsed(content: bytes, size: int | None = None) -> GgufFile:
    return parse_gguf(io.BytesIO(content), len(content) if size is None else size)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [2, 3])
def test_sound_file(order: str, version: int) -> None:
    keys = {"general.architecture": "llama", "n": 7, "f": 0.5, "b": True, "list": ["x", "yz"], "deep": [[1], [2, 3]]}
    file = parsed(gguf({"a": ("Q4_0", (64, 3)), "b": ("F16", (5,))}, keys, order=order, version=version))
    assert file.problems == ()
    assert (file.version, file.big_endian, file.architecture) == (version, order == ">", "llama")
    assert {key: file.values[key] for key in ("n", "f", "b")} == {"n": 7, "f": 0.5, "b": True}
    assert file.arrays == {"list": GgufArray("string", 2), "deep": GgufArray("array", 2)}
    assert [tuple(tensor) for tensor in file.tensors.values()] == [
        ("a", (64, 3), 2, 0, 108),
        ("b", (5,), 1, 128, 10),
    ]
    assert file.data_start % 32 == 0


def entry(key: str, kind: int, rest: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf_string(key) + struct.pack("<I", kind) + rest


@pytest.mark.parametrize(
    ("content", "message", "offset"),
    [
        (entry("k", 13, bytes(8)), "gives 'k' the value type 13", 33),
        (entry("k", 8, struct.pack("<Q", 1 << 50)), "claims 1,125,899,906,842,624 bytes for 'k'; 0 are left", 37),
        (entry("k", 9, struct.pack("<IQ", 99, 1)), "gives 'k' elements of type 99", 37),
        (entry("k", 9, struct.pack("<IQ", 4, 1 << 60)), "claims 1,152,921,504,606,846,976 elements for 'k'", 37),
        (entry("k", 9, struct.pack("<IQ", 8, 3) + bytes(16)), "claims 3 elements for 'k'; there is room for 2", 37),
        (entry("k", 9, struct.pack("<IQ", 8, 3) + b"\xff" * 24), "is cut short", None),
        (entry("k", 9, struct.pack("<IQ", 9, 1) * 5 + bytes(99)), "nests the arrays of 'k' more than 4 deep", None),
        (entry("k", 4, b"\1"), "is cut short: its header goes on after its 38 bytes", 38),
        (gguf({"x" * 70_000: ("F32", (1,))}), "bytes for the name of a tensor; the format allows 65,535", None),
        (gguf({"x": ("F32", (1,) * 9)}), "gives 'x' 9 dimensions", None),
        (gguf({"x": ("F32", (1 << 40, 1 << 40))}, data=False), "a shape of more than 2^63 elements", None),
        (b"GGUF", "is cut short: its header goes on after its 4 bytes", 4),
    ],
)
def test_broken_headers(content: bytes, message: str, offset: int | None) -> None:
    problem = parsed(content).problems[0]
    assert message in problem.message
    assert offset is None or problem.offset == offset


def test_absurd_counts_in_a_sparse_file_cost_nothing() -> None:
    class Hole(io.RawIOBase):
        def __init__(self, head: bytes) -> None:
            self.head, self.at = head, 0

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = offset
            return offset

        def read(self, size: int = -1) -> bytes:
            content = self.head[self.at : self.at + size].ljust(size, b"\0")
            self.at += size
            return content

    started = time.process_time()
    for head in (
        entry("k", 9, struct.pack("<IQ", 8, 1 << 30)),
        entry("k", 9, struct.pack("<IQ", 8, 1_999_999)),
        gguf({}, {}, counts=(1 << 30, None)),
        gguf({}, {}, counts=(130_000, None)),
    ):
        file = parse_gguf(Hole(head), 10**12)  # type: ignore[arg-type]
        assert len(file.problems) <= 20
    assert time.process_time() - started < 10


def test_large_vocabularies_are_quick() -> None:
    tokens = [f"token{number}" for number in range(150_000)]
    content = gguf({}, {"tokenizer.ggml.tokens": tokens, "tokenizer.ggml.merges": tokens})
    started = time.process_time()
    file = parsed(content)
    assert (file.tokens, file.problems) == (150_000, ())
    assert time.process_time() - started < 1


def test_long_strings_are_not_kept() -> None:
    file = parsed(gguf({}, {"a": "x" * (5 << 20), "b": "y"}))
    assert (file.values, file.problems) == ({"a": "", "b": "y"}, ())
