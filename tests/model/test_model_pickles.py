from __future__ import annotations

import io
import os
import pickle
import pickletools
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hubpub.model import pickles
from hubpub.model.pickles import Danger, PickleScan, may_be_pickle, scan


class System:
    def __reduce__(self) -> Any:
        return os.system, ("true",)


def scanned(content: bytes, suffix: str = ".bin") -> PickleScan:
    return scan(io.BytesIO(content), suffix)


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


EVIL = pickle.dumps(System(), 2)


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol(protocol: int) -> None:
    [found] = scanned(pickle.dumps(System(), protocol)).imports
    assert (str(found), found.danger) == ("posix.system", Danger.DANGEROUS)


@pytest.mark.parametrize("value", [{}, [1, 2.5, "x", None], {"a": (1, b"x")}, 10**100])
def test_plain_values(value: object) -> None:
    assert scanned(pickle.dumps(value), ".pkl") == PickleScan()


def test_torch_zip_reads_the_pickles_and_not_the_tensors() -> None:
    content = zipped({"archive/data.pkl": EVIL, "archive/data/0": bytes(100), "archive/version": b"3\n"})
    assert [str(found) for found in scanned(content).imports] == ["posix.system"]
    assert scanned(zipped({"archive/data.pkl": pickle.dumps({}, 2), "archive/data/0": EVIL})).imports == ()
    assert [str(found) for found in scanned(zipped({"archive/hidden.dat": EVIL})).imports] == ["posix.system"]


def test_a_wrong_checksum_does_not_hide_a_pickle() -> None:
    content = bytearray(zipped({"archive/data.pkl": EVIL}))
    at = content.rfind(b"PK\x01\x02")
    content[at + 16 : at + 20] = b"\1\2\3\4"
    assert [str(found) for found in scanned(bytes(content)).imports] == ["posix.system"]


def test_numpy_object_arrays() -> None:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    assert [str(found) for found in scanned(content + EVIL, ".npy").imports] == ["posix.system"]
    assert [str(found) for found in scanned(zipped({"a.npy": content + EVIL}), ".npz").imports] == ["posix.system"]
    plain = content.replace(b"'|O'", b"'<f4")
    assert scanned(plain + EVIL, ".npy") == PickleScan()


def test_torch_files(saved_torch_files: Path) -> None:
    for path in sorted(saved_torch_files.iterdir()):
        with path.open("rb") as file:
            assert scan(file, path.suffix) == PickleScan(), path.name


@pytest.fixture(scope="session")
def saved_torch_files(saved_models: Path) -> Path:
    return saved_models / "torch_files"


@pytest.mark.parametrize(
    ("content", "unseen"),
    [
        (b"PK\x03\x04" + bytes(100), "cannot be read as a zip archive"),
        (b"\x1f\x8b" + bytes(100), "compressed with gzip"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(100), "compressed with 7z"),
    ],
)
def test_what_was_not_looked_at_is_told(content: bytes, unseen: str) -> None:
    assert unseen in (scanned(content).unseen or "")


def test_millions_of_opcodes_are_told_and_take_no_time() -> None:
    started = time.perf_counter()
    assert "opcodes" in (scanned(b"\x80\x04" + b"N" * (8 << 20) + b".").unseen or "")
    assert time.perf_counter() - started < 5


def test_only_what_may_still_be_pickle_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "PICKLE_LIMIT", 1000)
    blob = pickle.dumps(bytes(5000), 4)
    assert "looked at" in (scanned(blob).unseen or "")
    legacy = b"".join(pickle.dumps(n, 2) for n in range(5)) + b"\xff" * 5000
    assert scanned(legacy).unseen is None


def test_a_zip_bomb_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "PICKLE_LIMIT", 1 << 20)
    bomb = pickletools.optimize(pickle.dumps(bytes(50 << 20), 4))
    content = zipped({f"{n}.pkl": bomb for n in range(5)}, zipfile.ZIP_DEFLATED)
    started = time.perf_counter()
    assert scanned(content).unseen is not None
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("suffix", "start", "expected"),
    [
        (".bin", b"", True),
        (".xyz", b"\x80\x04\x95", True),
        (".xyz", b"cos\nsystem\n(S'true'", True),
        (".xyz", b"PK\x03\x04", True),
        (".md", b"chapter one\n", False),
        (".json", b"{", False),
        (".safetensors", b"\x08\0\0\0\0\0\0\0{", False),
    ],
)
def test_choice_of_files(suffix: str, start: bytes, expected: bool) -> None:
    assert may_be_pickle(suffix, start) is expected
