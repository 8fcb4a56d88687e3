from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from safetensors.numpy import load_file

from hubpub.model.sameness import Place, same_bytes, sum_of, torch_storages


class Files:
    def __init__(self, **files: bytes) -> None:
        self.files = files

    def __call__(self, path: str) -> BinaryIO:
        return io.BytesIO(self.files[path])


def test_same_bytes_in_two_places() -> None:
    long = np.random.default_rng(0).bytes(3_000_000)
    files = Files(a=b"xy" + long, b=long + b"z", c=long[:-1] + bytes([long[-1] ^ 1]))
    assert same_bytes(files, Place("a", 2, len(long)), Place("b", 0, len(long)))
    assert not same_bytes(files, Place("b", 0, len(long)), Place("c", 0, len(long)))
    assert not same_bytes(files, Place("b", 0, 5), Place("b", 0, 6))


def test_a_place_past_the_end() -> None:
    with pytest.raises(OSError, match="ends too early"):
        same_bytes(Files(a=b"abc", b=b"abcdef"), Place("a", 0, 6), Place("b", 0, 6))


def test_sums_do_not_see_the_order() -> None:
    numbers = np.random.default_rng(0).normal(size=(700, 900)).astype(np.float32)
    changed = numbers.copy()
    changed[3, 4] += 1e-3
    files = Files(a=numbers.tobytes(), b=np.ascontiguousarray(numbers.T).tobytes(), c=changed.tobytes())
    first, second, third = (sum_of(files, Place(path, 0, numbers.nbytes)) for path in "abc")
    assert first == second != third


def test_storages_of_a_torch_file(saved_models: Path) -> None:
    path = saved_models / "both_formats" / "pytorch_model.bin"
    content = path.read_bytes()
    places = torch_storages(Files(bin=content), "bin")
    assert places is not None
    stored = {content[place.begin : place.begin + place.size] for place in places.values()}
    for name, tensor in load_file(path.with_name("model.safetensors")).items():
        assert (tensor.T if "layer.0.attention.self.query.weight" in name else tensor).tobytes() in stored


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and nothing more", b"\x80\x02}."])
def test_what_is_no_torch_zip(content: bytes) -> None:
    assert torch_storages(Files(a=content), "a") is None


def test_a_compressed_storage_is_not_looked_into() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data/0", bytes(1000))
    assert torch_storages(Files(a=buffer.getvalue()), "a") is None
