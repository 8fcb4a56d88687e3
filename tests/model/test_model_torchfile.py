from __future__ import annotations

import io
import os
import pickle
import time
import zipfile
from typing import Any

import pytest
from support.formats import Tensor, torch_legacy, torch_zip, torchscript

from hubpub.model.torch_pickle import Ended, run
from hubpub.model.torch_values import UNKNOWN, NotFollowed, tensors_in
from hubpub.model.torchfile import TorchFile, TorchFormat, parse_torch


def parsed(content: bytes) -> TorchFile:
    return parse_torch(io.BytesIO(content), len(content))


@pytest.mark.parametrize("save", [torch_zip, torch_legacy])
def test_tensors(save: Any) -> None:
    state = {"a": Tensor(2, 3), "b": {"c": Tensor(4, storage="s", elements=9, offset=5), "d": [Tensor(), 7]}, "n": 1}
    file = parsed(save(state))
    assert file.known
    assert {name: (t.dtype, t.shape, t.offset, t.extent) for name, t in file.tensors.items()} == {
        "a": ("F32", (2, 3), 0, 6),
        "b.c": ("F32", (4,), 5, 4),
        "b.d.0": ("F32", (), 0, 1),
    }
    assert file.twins == {}


def test_twins_share_a_place() -> None:
    file = parsed(torch_zip({"a": Tensor(2, 3, storage="s"), "b": Tensor(2, 3, storage="s")}))
    assert file.twins == {"b": "a"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (torchscript(), TorchFormat.TORCHSCRIPT),
        (pickle.dumps([1, 2]), TorchFormat.PICKLE),
        (pickle.dumps([1, 2], 0), TorchFormat.PICKLE),
        (bytes(257) + b"ustar" + bytes(250), TorchFormat.TAR),
        (b"hello", TorchFormat.OTHER),
    ],
)
def test_formats(content: bytes, expected: TorchFormat) -> None:
    assert parsed(content).format is expected


class System:
    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/canary-of-hubpub",)


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_is_called(protocol: int) -> None:
    value = run(pickle.dumps({"a": System(), "b": 1}, protocol)).value
    assert value == {"a": UNKNOWN, "b": 1}
    assert not os.path.exists("/tmp/canary-of-hubpub")  # noqa: PTH110


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_as_pickle_has_them(protocol: int) -> None:
    value = {"a": [1, -2, 2**70, None, True, 1.5], "b": ("x", "é", ()), 3: {}, "c": b"raw"}
    shared = [value, value["a"]]
    got = run(pickle.dumps(shared, protocol)).value
    if protocol < 3:
        got[0].pop("c")  # bytes are a call there
        value.pop("c")
    assert got == shared


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"\x80\x02", Ended),
        (b"\x80\x02X\xff\xff\xff\x7f", Ended),
        (b"\x80\x02X\xff", Ended),
        (b"\x80\x02\x85.", NotFollowed),
        (b"\x80\x02R.", NotFollowed),
        (b"\x80\x02t.", NotFollowed),
        (b"\x80\x02h\x07.", NotFollowed),
        (b"\xff", NotFollowed),
        (b"N0" * 600_000, NotFollowed),
    ],
)
def test_what_is_not_followed(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        run(content)


def test_hostile_sharing_takes_no_time() -> None:
    started = time.process_time()
    doubled = b"\x80\x02]q\0" + b"".join(
        b"](h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1]) for n in range(60)
    )
    with pytest.raises(NotFollowed):
        tensors_in(run(doubled + b".").value)
    tuples = b"\x80\x02}N" + b"\x86".join([b"2"] * 60) + b"\x86Ns."
    assert run(tuples).value == {}
    assert time.process_time() - started < 3


def test_a_wide_checkpoint_is_quick() -> None:
    content = torch_zip({f"layers.{n}.weight": Tensor(1) for n in range(5000)})
    started = time.process_time()
    assert len(parsed(content).tensors) == 5000
    assert time.process_time() - started < 3


def test_a_zip_bomb_is_cut_off() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + b"N" * (19 << 20))
    started = time.process_time()
    assert parsed(buffer.getvalue()).unseen is not None
    assert time.process_time() - started < 5
