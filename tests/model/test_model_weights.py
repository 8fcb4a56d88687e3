from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.weights import write_raw, write_safetensors, write_shards

from hubpub.model.folder import ModelFolder
from hubpub.model.weights import escapes


def test_formats(tmp_path: Path) -> None:
    for name, content in {
        "model.safetensors": b"",
        "pytorch_model.bin": b"PK\x03\x04",
        "legacy.bin": b"\x80\x02\x8a\n",
        "adapter_model.bin": b"version https://git-lfs.github.com/spec/v1\n",
        "noise.bin": b"\0\0\0\0",
        "sub/model.bin": b"\x06\0\0\0",
        "openvino_model.bin": b"\1\2",
        "openvino_model.xml": b"<net/>",
        "onnx/model.onnx": b"\x08",
        "x-Q8_0.gguf": b"GGUF",
        "optimizer.bin": b"PK\x03\x04",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    files = ModelFolder.open(tmp_path).weights.files
    assert {name: [entry.path for entry in entries] for name, entries in files.items()} == {
        "ctranslate2": ["sub/model.bin"],
        "gguf": ["x-Q8_0.gguf"],
        "onnx": ["onnx/model.onnx"],
        "openvino": ["openvino_model.bin"],
        "pytorch": ["adapter_model.bin", "legacy.bin", "pytorch_model.bin"],
        "safetensors": ["model.safetensors"],
    }


def test_parameters_are_those_of_the_files_that_are_loaded(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "model.safetensors", {"a": ("F32", (10, 10)), "ids": ("I64", (7,))})
    write_safetensors(tmp_path / "consolidated.safetensors", {"a": ("F32", (10, 10))})
    write_shards(tmp_path, [{"a": ("F16", (5,))}, {"b": ("F16", (5,))}])
    weights = ModelFolder.open(tmp_path).weights
    assert weights.primary == ("model.safetensors",)
    assert weights.parameters == 107
    assert weights.parameters_by_dtype == {"F32": 100, "I64": 7}
    (tmp_path / "model.safetensors").unlink()
    weights = ModelFolder.open(tmp_path).weights
    assert weights.parameters_by_dtype == {"F16": 10}
    assert weights.weight_bytes == sum(path.stat().st_size for path in tmp_path.glob("model-*"))


def test_parameters_of_every_directory_are_added(tmp_path: Path) -> None:
    for name, count in {"unet": 3, "vae": 4}.items():
        (tmp_path / name).mkdir()
        write_safetensors(tmp_path / name / "diffusion_pytorch_model.safetensors", {"a": ("F32", (count,))})
    assert ModelFolder.open(tmp_path).weights.parameters == 7


def test_parameters_are_unknown_rather_than_wrong(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_safetensors(path, {"q.weight": ("U8", (8, 8)), "norm.weight": ("F16", (8,))})
    assert ModelFolder.open(tmp_path).weights.parameters is None  # bitsandbytes packs two into each byte
    write_raw(path, b"{broken", 0)
    assert ModelFolder.open(tmp_path).weights.parameters is None
    path.rename(tmp_path / "pytorch_model.bin")
    assert ModelFolder.open(tmp_path).weights.parameters is None


def test_checkpoints_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-10").mkdir()
    write_safetensors(tmp_path / "checkpoint-10" / "model.safetensors", {"a": ("F32", (3,))})
    write_safetensors(tmp_path / "model.safetensors", {"a": ("F32", (3,))})
    assert list(ModelFolder.open(tmp_path).weights.headers) == ["model.safetensors"]


def test_shard_sets(tmp_path: Path) -> None:
    for number in (1, 3):
        write_safetensors(tmp_path / f"model-{number:05d}-of-00004.safetensors", {f"t{number}": ("F32", (1,))})
    [shards] = ModelFolder.open(tmp_path).weights.shard_sets
    assert (shards.stem, shards.total, shards.missing_count) == ("model", 4, 2)
    assert shards.missing(9) == ["model-00002-of-00004.safetensors", "model-00004-of-00004.safetensors"]
    assert shards.index_path == "model.safetensors.index.json"


def test_names_that_promise_too_many_shards_cost_nothing(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"m{number}-00001-of-99999.bin").write_bytes(b"")
    sets = ModelFolder.open(tmp_path).weights.shard_sets
    assert sum(shards.missing_count for shards in sets) == 200 * 99998


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "is not JSON"),
        ("{}", "has no weight_map"),
        ('{"weight_map": []}', "has no weight_map"),
        ('{"weight_map": {"a": 1}}', "does not map names to file names"),
    ],
)
def test_unusable_index(document: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(document)
    [index] = ModelFolder.open(tmp_path).weights.indexes
    assert index.problem is not None
    assert message in index.problem.message
    assert index.weight_map == {}


def test_index_in_a_subfolder_and_with_a_variant(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    name = "diffusion_pytorch_model.safetensors.index.fp16.json"
    (tmp_path / "unet" / name).write_text(json.dumps({"weight_map": {"a": "x.safetensors"}}))
    [index] = ModelFolder.open(tmp_path).weights.indexes
    assert (index.directory, index.suffix, index.shards()) == ("unet/", ".safetensors", ["x.safetensors"])


@pytest.mark.parametrize(
    ("file", "out"),
    [
        ("a.safetensors", False),
        ("sub/a.safetensors", False),
        ("..a.safetensors", False),
        ("../a.safetensors", True),
        ("sub/../../a.safetensors", True),
        ("/a.safetensors", True),
        ("..\\a.safetensors", True),
        ("C:\\a.safetensors", True),
        ("a\0.safetensors", True),
        ("", True),
    ],
)
def test_escapes(file: str, out: bool) -> None:
    assert escapes(file) is out
