"""ONNX files: one defect each in a sound folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.formats import field, onnx, onnx_tensor
from support.judging import judge_folder as judge

from hubpub.core.findings import Finding
from hubpub.model.folder import ModelFolder

NAME, DATA = "onnx/model.onnx", "onnx/model.onnx_data"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0f" * 32 + b"\nsize 117979485\n"


def external(location: str = "model.onnx_data", offset: str = "0", length: str = "24") -> bytes:
    return onnx_tensor("w", (2, 3), location=location, offset=offset, length=length)


def sound(folder: Path) -> Path:
    (folder / "onnx").mkdir()
    (folder / NAME).write_bytes(onnx(external(), onnx_tensor("v", (4,))))
    (folder / DATA).write_bytes(bytes(24))
    return folder


def write(content: bytes, name: str = NAME) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


CONSTANT = field(1, "x") + field(4, "Constant") + field(5, field(1, "value") + field(5, external("gone.bin")))

DEFECTS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "an error page": (write(b"<!doctype html>"), "FILE017", "is an HTML page"),
    "empty": (write(b""), "WEIGHT046", "has 0 bytes"),
    "zeros": (write(bytes(9000)), "WEIGHT046", "begins with zero bytes"),
    "text": (write(b"not a model at all"), "WEIGHT046", "is not an ONNX model"),
    "cut short": (write(onnx(onnx_tensor("w", (100, 100)))[:-5000]), "WEIGHT046", "is cut short: at least"),
    "no graph": (write(onnx(graph=False)), "WEIGHT046", "it has no graph"),
    "no opset": (write(onnx(domains=())), "WEIGHT046", "no opset_import"),
    "too few numbers": (write(onnx(onnx_tensor("w", (2, 3), bytes(20)))), "WEIGHT046", "has 20 bytes for 'w'"),
    "lfs pointer": (write(POINTER), "FILE005", "git-LFS pointer"),
    "data missing": (lambda folder: (folder / DATA).unlink(), "WEIGHT047", f"in {DATA}, which is not in the folder"),
    "data cut short": (write(bytes(20), DATA), "WEIGHT047", f"needs 24 bytes of {DATA}, which has 20"),
    "data above": (write(onnx(external("../x.data"))), "WEIGHT047", "keeps 1 tensor in '../x.data', outside"),
    "data at an absolute path": (write(onnx(external("/tmp/x.data"))), "WEIGHT047", "outside of its folder"),
    "data nowhere": (write(onnx(external(""))), "WEIGHT047", "without saying where"),
    "offset is no number": (write(onnx(external(offset="-8"))), "WEIGHT047", "that is no number"),
    "length is another": (write(onnx(external(length="20"))), "WEIGHT047", "another length"),
    "data of a constant": (write(onnx(external(), nodes=[CONSTANT])), "WEIGHT047", "onnx/gone.bin"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_defect(name: str, tmp_path: Path) -> None:
    assert judge(sound(tmp_path)) == []
    defect, rule, words = DEFECTS[name]
    defect(tmp_path)
    [found] = judge(tmp_path)
    assert isinstance(found, Finding)
    assert (found.rule, found.severity.value, found.path) == (rule, "error", NAME)
    assert words in found.message


def test_a_pointer_in_place_of_the_data_is_told_once(tmp_path: Path) -> None:
    sound(tmp_path)
    (tmp_path / DATA).write_bytes(POINTER)
    assert [(f.rule, f.path) for f in judge(tmp_path) if isinstance(f, Finding)] == [("FILE005", DATA)]


def test_operators_of_others_are_told(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx(domains=("", "com.microsoft", "ai.onnx.contrib", "pkg.torch")))
    [found] = judge(tmp_path)
    assert isinstance(found, Finding)
    assert (found.rule, found.severity.value) == ("WEIGHT048", "info")
    assert "uses operators of ai.onnx.contrib" in found.message
    functions = field(25, field(1, "f") + field(10, "ai.onnx.contrib"))
    (tmp_path / "model.onnx").write_bytes(onnx(domains=("", "ai.onnx.contrib")) + functions)
    assert judge(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [
        onnx(ir_version=3),
        onnx(ir_version=2, domains=()),
        onnx() + field(14, field(1, "k") + field(2, "v")),
        onnx(onnx_tensor("q", (3,), bytes(12)), domains=("", "com.microsoft")),
    ],
    ids=["old", "before opsets", "metadata", "quantised"],
)
def test_other_sound_files(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    assert judge(tmp_path) == []


def test_facts(tmp_path: Path) -> None:
    file = ModelFolder.open(sound(tmp_path)).onnx[NAME]
    assert (file.ir_version, file.producer, file.opsets) == (8, "tests", {"": 17})
    assert (file.inputs, file.outputs, file.nodes) == (("x",), ("y",), 1)
    assert [(tensor.name, tensor.dims, tensor.size) for tensor in file.initializers] == [
        ("w", (2, 3), 24),
        ("v", (4,), 16),
    ]
    assert [(found.location, found.end) for found in file.external] == [("model.onnx_data", 24)]
