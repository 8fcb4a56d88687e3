"""Keras, TensorFlow, OpenVINO, CTranslate2 and other formats, and files in pieces: one defect each."""

from __future__ import annotations

import base64
import io
import json
import marshal
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.judging import judge_folder as judge
from support.weights import write_safetensors

from hubpub.core.findings import Finding

Defect = Callable[[Path], object]
HDF5 = b"\x89HDF\r\n\x1a\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0f" * 32 + b"\nsize 117979485\n"


def keras(*layers: dict[str, Any]) -> dict[str, Any]:
    dense = {"module": "keras.layers", "class_name": "Dense", "config": {"name": "d", "units": 3}}
    return {"module": "keras", "class_name": "Functional", "config": {"layers": [dense, *layers]}}


def lambda_layer(source: str, version: int = 3) -> dict[str, Any]:
    code = base64.b64encode(marshal.dumps(compile(source, "x", "eval"))).decode()
    function = {"class_name": "__lambda__", "config": {"code": code}} if version == 3 else [code, None, None]
    config = {"name": "twice", "function": function, "function_type": "lambda"}
    return {"class_name": "Lambda", "config": config}


def keras_zip(config: dict[str, Any] | None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        if config is not None:
            archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", HDF5)
    return buffer.getvalue()


def keras_h5(config: dict[str, Any]) -> bytes:
    return HDF5 + bytes(600) + b"model_config\0" + json.dumps(config).encode() + bytes(900)


def ctranslate2(variables: int = 3, size: int = 40) -> bytes:
    name = b"TransformerSpec\0"
    content = struct.pack("<IH", 6, len(name)) + name + struct.pack("<II", 7, variables)
    for number in range(variables):
        key = f"encoder/w{number}\0".encode()
        content += struct.pack("<H", len(key)) + key + struct.pack("<BIBI", 1, 10, 0, size) + bytes(size)
    return content + struct.pack("<I", 0)


XML = (
    b'<?xml version="1.0"?>\n<net name="m" version="11">\n<layers><layer id="0" type="Const">'
    b'<data element_type="f32" shape="2, 3" offset="16" size="24" /></layer></layers>\n</net>\n'
)


def sound(folder: Path) -> Path:
    """One folder of every format, each in a directory of its own."""
    files: dict[str, bytes] = {
        "keras/model.keras": keras_zip(keras()),
        "keras/model.h5": keras_h5(keras()),
        "keras/tf_model.h5": HDF5 + bytes(900),
        "keras/block.h5": bytes(512) + HDF5 + bytes(900),
        "other/model.bin": b"\x06\0\0\0 something else",
        "flax/flax_model.msgpack": b"\x81\xa1a\xc0",
        "lite/model.tflite": b"\x1c\0\0\0TFL3" + bytes(40),
        "saved/saved_model.pb": b"\x08\x01\x12\x80\x01 VarHandleOp ",
        "saved/variables/variables.index": b"x",
        "saved/variables/variables.data-00000-of-00002": b"x",
        "saved/variables/variables.data-00001-of-00002": b"x",
        "frozen/saved_model.pb": b"\x08\x01\x12\x80\x01 Const ",
        "openvino/openvino_model.xml": XML,
        "openvino/openvino_model.bin": bytes(40),
        "ct2/model.bin": ctranslate2(),
        "ct2/shared_vocabulary.json": b"[]",
        "ct2/config.json": b"{}",
        "feed/atom.xml": b'<?xml version="1.0"?>\n<feed></feed>',
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(content)
    return folder


def write(name: str, content: bytes) -> Defect:
    return lambda folder: (folder / name).write_bytes(content)


def remove(name: str) -> Defect:
    return lambda folder: (folder / name).unlink()


K, H, S, X, B, C = (
    "keras/model.keras",
    "keras/model.h5",
    "saved/saved_model.pb",
    "openvino/openvino_model.xml",
    "openvino/openvino_model.bin",
    "ct2/model.bin",
)
EXEC = {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "function"}
OS = {"module": "os", "class_name": "system", "config": {}}

DEFECTS: dict[str, tuple[Defect, str, str, str, str]] = {
    "lambda": (write(K, keras_zip(keras(lambda_layer("t * 2")))), "WEIGHT049", "warning", K, "Lambda layer 'twice'"),
    "lambda of Keras 2": (
        write(H, keras_h5(keras(lambda_layer("t * 2", 2)))),
        "WEIGHT049",
        "warning",
        H,
        "Lambda layer 'twice'",
    ),
    "hostile lambda": (
        write(H, keras_h5(keras(lambda_layer("__import__('os').system('id')")))),
        "WEIGHT049",
        "error",
        H,
        "the Lambda layer 'twice' with __import__",
    ),
    "exec": (write(K, keras_zip(keras(EXEC))), "WEIGHT049", "error", K, "builtins.exec"),
    "os.system": (write(K, keras_zip(keras(OS))), "WEIGHT049", "error", K, "os.system"),
    "keras is a page": (write(K, b"<html>"), "FILE017", "error", K, "is an HTML page"),
    "keras is empty": (write(K, b""), "WEIGHT050", "error", K, "has 0 bytes"),
    "keras is cut": (write(K, keras_zip(keras())[:200]), "WEIGHT050", "error", K, "is cut short or damaged"),
    "keras without config": (write(K, keras_zip(None)), "WEIGHT050", "error", K, "without config.json"),
    "h5 is a page": (write(H, b"<!DOCTYPE html>"), "FILE017", "error", H, "is an HTML page"),
    "h5 is a pointer": (write(H, POINTER), "FILE005", "error", H, "git-LFS"),
    "flax is empty": (
        write("flax/flax_model.msgpack", b""),
        "WEIGHT050",
        "error",
        "flax/flax_model.msgpack",
        "0 bytes",
    ),
    "flax is a page": (
        write("flax/flax_model.msgpack", b"<html>"),
        "FILE017",
        "error",
        "flax/flax_model.msgpack",
        "is an HTML page",
    ),
    "tflite is not": (
        write("lite/model.tflite", b"nothing of it"),
        "WEIGHT050",
        "error",
        "lite/model.tflite",
        "does not begin as tflite weights do",
    ),
    "variables without a data file": (
        remove("saved/variables/variables.data-00001-of-00002"),
        "WEIGHT051",
        "error",
        "saved/variables/variables.data-00001-of-00002",
        "missing beside",
    ),
    "variables without an index": (
        remove("saved/variables/variables.index"),
        "WEIGHT051",
        "error",
        "saved/variables/variables.index",
        "missing beside",
    ),
    "no variables": (
        lambda folder: [path.unlink() for path in (folder / "saved/variables").iterdir()],
        "WEIGHT051",
        "error",
        S,
        "no variables/ beside it",
    ),
    "no data files": (
        lambda folder: [path.unlink() for path in (folder / "saved/variables").glob("*.data*")],
        "WEIGHT051",
        "error",
        "saved/variables/variables.index",
        "has no variables.data file",
    ),
    "openvino without bin": (remove(B), "WEIGHT052", "error", X, "needs 40 bytes of openvino/openvino_model.bin"),
    "openvino without xml": (remove(X), "WEIGHT052", "error", B, "has no openvino/openvino_model.xml"),
    "openvino bin cut": (write(B, bytes(39)), "WEIGHT052", "error", X, "which has 39"),
    "openvino xml cut": (write(X, XML[:-10]), "WEIGHT052", "error", X, "does not end with </net>"),
    "ctranslate2 cut": (write(C, ctranslate2()[:-30]), "WEIGHT053", "error", C, "is cut short"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_defect(name: str, tmp_path: Path) -> None:
    sound(tmp_path)
    before = judge(tmp_path)
    assert [found for found in before if isinstance(found, Finding)] == []
    defect, rule, severity, path, words = DEFECTS[name]
    defect(tmp_path)
    [found] = [found for found in judge(tmp_path) if isinstance(found, Finding)]
    assert (found.rule, found.severity.value, found.path) == (rule, severity, path)
    assert words in found.message
    assert path in found.message


def test_a_lambda_that_names_its_function_carries_no_code(tmp_path: Path) -> None:
    layer = {"class_name": "Lambda", "config": {"name": "l", "function": "my_function", "function_type": "function"}}
    (tmp_path / "model.keras").write_bytes(keras_zip(keras(layer)))
    assert judge(tmp_path) == []
    activation = {"class_name": "Dense", "config": {"activation": lambda_layer("t")["config"]["function"]}}
    (tmp_path / "model.keras").write_bytes(keras_zip(keras(activation)))
    [found] = judge(tmp_path)
    assert isinstance(found, Finding)
    assert "runs the code of a lambda when" in found.message


SAFE = "model.safetensors"


def cut(*names: str) -> Defect:
    def defect(folder: Path) -> None:
        content = (folder / SAFE).read_bytes().replace(b"\0\0", b"\1\2")
        (folder / SAFE).unlink()
        size = -(-len(content) // len(names))
        for number, name in enumerate(names):
            (folder / name).write_bytes(content[number * size : (number + 1) * size])

    return defect


@pytest.mark.parametrize(
    "names",
    [
        (f"{SAFE}.part-aa", f"{SAFE}.part-ab"),
        (f"{SAFE}.partaa", f"{SAFE}.partab"),
        (f"{SAFE}.001", f"{SAFE}.002"),
        (f"{SAFE}-aa", f"{SAFE}-ab"),
        (f"{SAFE}.aa", f"{SAFE}.ab"),
        ("xaa", "xab"),
        ("model.gguf-split-a", "model.gguf-split-b"),
        ("model.gguf.part1of2", "model.gguf.part2of2"),
        ("model.z01", "model.z02"),
        ("model.zip.001", "model.zip.002"),
    ],
)
def test_files_in_pieces(names: tuple[str, ...], plain_model: Path, copy_of: Callable[[Path], Path]) -> None:
    model = copy_of(plain_model)
    cut(*names)(model)
    [found] = judge(model)
    assert isinstance(found, Finding)
    assert (found.rule, found.severity.value, found.path) == ("WEIGHT054", "error", names[0])
    assert "2 pieces" in found.message
    assert "joined first" in found.message


def test_pieces_beside_the_whole_file_are_left_over(tmp_path: Path) -> None:
    write_safetensors(tmp_path / SAFE, {"a": ("F32", (4,))})
    (tmp_path / "config.json").write_text('{"hidden_size": 8, "dropout": 0.1}')
    (tmp_path / f"{SAFE}.part-aa").write_bytes(b"x")
    [found] = judge(tmp_path)
    assert isinstance(found, Finding)
    assert (found.rule, found.severity.value, found.path) == ("WEIGHT054", "warning", f"{SAFE}.part-aa")


@pytest.mark.parametrize("name", ["train.log.001", "xab", "v1.01", "notes.aa", "lid.bin.ar", "model.pt.10"])
def test_other_names_are_no_pieces(name: str, tmp_path: Path) -> None:
    write_safetensors(tmp_path / SAFE, {"a": ("F32", (4,))})
    (tmp_path / "config.json").write_text('{"hidden_size": 8, "dropout": 0.1}')
    (tmp_path / name).write_text("x")
    assert judge(tmp_path) == []
