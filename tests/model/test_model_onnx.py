from __future__ import annotations

import io
import time

import pytest
from support.formats import field, onnx, onnx_tensor

from hubpub.model.onnx import OnnxFile, parse_onnx


def parsed(content: bytes) -> OnnxFile:
    return parse_onnx(io.BytesIO(content), len(content))


def test_tensors_of_subgraphs_count_for_external_data_alone() -> None:
    inner = field(5, onnx_tensor("deep", (2,), location="x.bin"))
    branch = field(4, "If") + field(5, field(1, "then_branch") + field(6, inner))
    file = parsed(onnx(onnx_tensor("w", (2, 3)), nodes=[branch]))
    assert file.problems == ()
    assert [tensor.name for tensor in file.initializers] == ["w"]
    assert [(found.tensor.name, found.location, found.end) for found in file.external] == [("deep", "x.bin", 8)]


def test_packed_dimensions() -> None:
    tensor = field(1, b"\x02\x80\x02") + field(2, 1) + field(8, "w") + field(9, bytes(2048))
    file = parsed(onnx(tensor))
    assert file.problems == ()
    assert file.initializers[0].dims == (2, 256)


@pytest.mark.parametrize(("kind", "dims", "size"), [(22, (3,), 2), (3, (5,), 5), (16, (2, 2), 8), (9, (7,), 7)])
def test_sizes_of_types(kind: int, dims: tuple[int, ...], size: int) -> None:
    tensor = b"".join(field(1, length) for length in dims) + field(2, kind) + field(8, "w")
    assert parsed(onnx(tensor + field(9, bytes(size)))).problems == ()
    assert len(parsed(onnx(tensor + field(9, bytes(size + 1)))).problems) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x0b\x0b", "begins no field of protobuf"),
        (b"\x02\x00", "a field of number 0"),
        (b"\x08" + b"\xff" * 11, "a number of more than 64 bits"),
        (field(1, 8) + b"\x3a\xff\xff\x03", "is cut short: at least"),
        (field(7, field(5, b"\x4a\xff\x01")), "reaches past the end of what holds it"),
        (onnx(ir_version=0), "has no ir_version"),
    ],
)
def test_broken_files(content: bytes, message: str) -> None:
    assert message in parsed(content).problems[0].message


def test_deep_graphs_and_many_nodes_take_no_time() -> None:
    deep = field(5, onnx_tensor("w", (1,), location="x"))
    for _ in range(200):
        deep = field(1, field(5, field(1, "body") + field(6, deep)))
    started = time.process_time()
    assert parsed(field(1, 8) + field(7, deep) + field(8, b"")).external == ()
    assert parsed(onnx(nodes=[field(4, "Relu")] * 50_000)).nodes == 50_000
    assert time.process_time() - started < 3
