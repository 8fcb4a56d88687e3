from __future__ import annotations

import io
import json
import struct
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.weights import header_of, write_raw, write_safetensors

from hubpub.model.safetensors import Header, parse_header, read_header
from hubpub.model.walk import open_regular

TWO = {"a": ("F32", (4, 4)), "b": ("F32", (4,))}  # 64 and 16 bytes


def parsed(header: dict[str, Any] | bytes, data: int) -> Header:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return parse_header(io.BytesIO(struct.pack("<Q", len(raw)) + raw), 8 + len(raw) + data)


def changed(**entry: Any) -> dict[str, Any]:
    header, _ = header_of(TWO)
    header["b"] |= entry
    return header


def test_sound_file(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "m.safetensors", {**TWO, "c": ("BF16", (3, 0)), "d": ("I64", ())}, {"format": "pt"})
    header = read_header(partial(open_regular, tmp_path / "m.safetensors"))
    assert header.problems == ()
    assert header.metadata == {"format": "pt"}
    assert header.elements_by_dtype() == {"F32": 20, "BF16": 0, "I64": 1}
    assert header.tensors["a"].shape == (4, 4)
    assert (header.tensors["b"].begin, header.tensors["b"].end) == (64, 80)


def test_no_tensors_at_all() -> None:
    assert parsed({}, 0).problems == ()


def test_packed_dtypes_count_elements() -> None:
    header = parsed({"a": {"dtype": "F4", "shape": [3, 4], "data_offsets": [0, 6]}}, 6)
    assert header.problems == ()
    assert header.elements_by_dtype() == {"F4": 12}


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        (changed(data_offsets=[48, 64]), 64, "stores 'b' over the bytes of 'a'"),
        (changed(data_offsets=[128, 144]), 144, "has a hole of 64 bytes before 'b'"),
        (changed(), 80 + 4096, "has 4,096 bytes after its last tensor"),
        (changed(), 70, "is cut short: 10 of 80 bytes of tensor data are missing"),
        (changed(dtype="F17"), 80, "gives 'b' the dtype 'F17', which the format does not have"),
        (changed(dtype=["F32"]), 80, "which the format does not have"),
        (changed(shape=[5]), 80, "gives 'b' 16 bytes, but F32 [5] needs 20"),
        (changed(shape=[-4]), 80, "gives 'b' a shape that is not a list of natural numbers"),
        (changed(shape=[True, 4]), 80, "a shape that is not a list of natural numbers"),
        (changed(shape=[2**40, 2**40]), 80, "a shape of more than 2^63 elements"),
        (changed(shape=[10**4000] * 1000), 80, "a shape that is not a list of natural numbers"),
        (changed(dtype="F4", shape=[33]), 80, "does not fill whole bytes in F4"),
        (changed(data_offsets=[80, 64]), 80, "data_offsets that are not [begin, end]"),
        (changed(data_offsets=[64]), 80, "data_offsets that are not [begin, end]"),
        (changed(stride=[1]), 80, "without exactly dtype, shape and data_offsets"),
        ({"b": 7}, 0, "without exactly dtype, shape and data_offsets"),
        ({"__metadata__": {"a": 1}}, 0, "__metadata__ that is not a map of strings to strings"),
        ({"__metadata__": []}, 0, "__metadata__ that is not a map of strings to strings"),
        (b"nonsense", 0, "a header that does not begin with {"),
        (b"{nonsense", 0, "a header that is not JSON"),
        (b'{"\xff": 1}', 0, "a header that is not UTF-8"),
        (b'{"a":' * 100_000, 0, "nested too deeply"),
        (b'{"__metadata__":{"a":"1","a":"2"}}', 0, "names 'a' twice"),
    ],
)
def test_broken_headers(header: dict[str, Any] | bytes, data: int, message: str) -> None:
    problems = parsed(header, data).problems
    assert any(message in problem.message for problem in problems), problems


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has 0 bytes"),
        (b"\1\0\0", "is cut off after 3 bytes"),
        (struct.pack("<Q", 1 << 62), "claims a header of 4,611,686,018,427,387,904 bytes"),
        (struct.pack("<Q", 1000) + b"{}", "claims a header of 1,000 bytes but has 2 after the length"),
        (b"<!DOCTYPE html>\n<html>", "is an HTML page, not safetensors"),
        (b"\x80\x02}q\x00.", "is a pickle, not safetensors"),
        (b"PK\x03\x04" + bytes(30), "is a zip archive, not safetensors"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "is a git-LFS pointer, not safetensors"),
        (b"GGUF" + bytes(30), "is a GGUF file, not safetensors"),
    ],
)
def test_other_content(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    [problem] = read_header(partial(open_regular, tmp_path / "m.safetensors")).problems
    assert message in problem.message


def test_a_header_length_that_looks_like_a_pickle_is_none() -> None:
    raw = b"{}" + b" " * (0x0280 - 2)
    file = io.BytesIO(struct.pack("<Q", len(raw)) + raw)
    assert file.getvalue().startswith(b"\x80\x02")
    assert parse_header(file, 8 + len(raw)).problems == ()


def test_places_are_byte_offsets_of_the_file() -> None:
    header = changed(data_offsets=[128, 144])
    length = len(json.dumps(header))
    assert parsed(header, 144).problems[0].offset == 8 + length + 64
    assert parsed(b'{"a": nonsense}', 0).problems[0].offset == 8 + 6


def test_the_library_refuses_what_is_refused_here(tmp_path: Path) -> None:
    """Duplicate names apart, which it accepts."""
    safetensors = pytest.importorskip("safetensors")
    path = tmp_path / "m.safetensors"
    cases = [(changed(), 80), (changed(data_offsets=[48, 64]), 64), (changed(data_offsets=[128, 144]), 144)]
    cases += [(changed(dtype="F17"), 80), (changed(shape=[5]), 80), (changed(), 4096), (changed(), 70)]
    for header, data in cases:
        write_raw(path, header, data)
        try:
            with safetensors.safe_open(path, "np") as file:
                accepted = sorted(file.keys())
        except safetensors.SafetensorError:
            accepted = None
        assert (read_header(partial(open_regular, path)).problems == ()) == (accepted is not None), header


def test_a_hundred_thousand_tensors_are_quick(tmp_path: Path) -> None:
    write_safetensors(
        tmp_path / "m.safetensors", {f"model.layers.{n}.weight": ("BF16", (8, 8)) for n in range(100_000)}
    )
    started = time.process_time()  # not the wall's: other work on the machine is no fault of the reader
    header = read_header(partial(open_regular, tmp_path / "m.safetensors"))
    assert len(header.tensors) == 100_000
    assert time.process_time() - started < 5
