from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.layouts import LAYOUTS

from hubpub.model import configs
from hubpub.model.folder import ModelFolder
from hubpub.model.jsonfile import JsonFile
from hubpub.model.kind import model_kind
from hubpub.model.leftovers import leftover
from hubpub.model.signatures import instead_of_json, stub


def seen(folder: Path, name: str, content: bytes):  # type: ignore[no-untyped-def]
    (folder / name).write_bytes(content)
    return ModelFolder.open(folder).text_files.get(name)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"<!doctype HTML>", "HTML"),
        (b"\n <html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\r\noid", "git-LFS"),
        (b"version https://hawser.github.com/spec/v1", "git-LFS"),
        (b"/annex/objects/SHA256E-s5--abc.bin\n", "annex"),
        (b"../../.git/annex/objects/1/2/MD5-s5--abc", "annex"),
        (b"# xet version 0\n", "git-xet"),
        (b"<?xml version='1.0'?><Error/>", "XML"),
        (b"404: Not Found", "404"),
        (b"Entry not found\n", "Entry"),
        (b"Invalid username or password.", "Invalid"),
        (b'{"error": "gone", "status": 404}', "JSON"),
        (b'{"errors": [{"x": 1}], "message": "no"}', "JSON"),
    ],
)
def test_stubs(content: bytes, word: str) -> None:
    noun = stub(content, len(content))
    assert noun is not None
    assert word in noun


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Not Found in the index are words such as these",
        b'{"error": 0.1, "accuracy": 0.9}',
        b'{"message": "hello"}',
        b'{"error": ',
        b"#version: 0.2\na b",
        b"/annex/objects are kept elsewhere\n",
        b"PK\x03\x04",
    ],
)
def test_no_stubs(content: bytes) -> None:
    assert stub(content, len(content)) is None


def test_a_long_page_is_one_and_a_long_answer_is_none() -> None:
    assert stub(b"<html>" + b" " * 4000, 10**7) is not None
    assert stub(b"404: Not Found", 10**7) is None


def test_instead_of_json() -> None:
    assert instead_of_json(bytes(20)) == "nothing but zero bytes"
    assert instead_of_json(b"\x80\x02}q\x00.") == "a pickle"
    assert instead_of_json(b"{,}") is None


def test_a_text_file_without_anything_odd_is_not_told(tmp_path: Path) -> None:
    assert seen(tmp_path, "a.txt", b"text\n") is None
    assert seen(tmp_path, "b.json", b'{"a": "b/c"}') is None
    assert seen(tmp_path, "c.bin", bytes(100)) is None


def test_encodings(tmp_path: Path) -> None:
    assert seen(tmp_path, "a.txt", "a".encode("utf-16")).encoding == "UTF-16"
    assert seen(tmp_path, "b.txt", b"\xef\xbb\xbfa").encoding == "a byte order mark"


def test_a_conflict_needs_all_three_markers(tmp_path: Path) -> None:
    assert seen(tmp_path, "a.txt", b"x\n<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n").conflict == 2
    assert seen(tmp_path, "b.txt", b"<<<<<<< a\n1\n||||||| base\n0\n=======\n2\n>>>>>>> b\n").conflict == 1
    for content in (
        b"<<<<<<< a\n=======\n",
        b"=======\n>>>>>>> b\n",
        b" <<<<<<< a\n=======\n>>>>>>> b\n",
        b"<<<<<<<\n",
    ):
        assert seen(tmp_path, "c.txt", content) is None


def test_a_file_that_cannot_be_read_any_more(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    folder = ModelFolder.open(tmp_path)
    (tmp_path / "a.json").unlink()
    assert folder.text_files == {}


@pytest.mark.parametrize(
    ("path", "top"),
    [
        ("logs/train.log", "logs/train.log"),
        ("checkpoint_3/model.safetensors", "checkpoint_3/"),
        ("venv/lib/x.py", "venv/"),
        ("a/optimizer_0/x.distcp", "a/optimizer_0/"),
        (".zsh_history", ".zsh_history"),
    ],
)
def test_leftovers(path: str, top: str) -> None:
    found = leftover(path)
    assert found is not None
    assert found.top == top


@pytest.mark.parametrize(
    "path",
    [
        "poetry.lock",
        "uv.lock",
        "catalog",
        "core.py",
        "optimizer.py",
        "checkpoint-best/x.txt",
        "history.json",
        "logger.json",
    ],
)
def test_no_leftovers(path: str) -> None:
    assert leftover(path) is None


def test_data_of_transformers() -> None:
    assert configs.heads_must_divide("bert") == [("hidden_size", "num_attention_heads")]
    assert configs.heads_must_divide("mistral") == []
    assert configs.wants_preprocessor("ViTForImageClassification") == "images"
    assert configs.wants_preprocessor("WhisperForConditionalGeneration") == "sound"
    assert configs.wants_preprocessor("BertModel") is None
    assert {"temperature", "stop_strings"} <= configs.generation_keys()
    assert {"default", "linear", "yarn"} <= configs.rope_types()
    assert int(configs.known_version().partition(".")[0]) >= 5


def test_sections() -> None:
    config = {"a": 1, "text_config": {"b": 2}, "id2label": {"0": "x"}, "encoder": {"c": 3}, "vision_config": None}
    assert [where for where, _ in configs.sections(config)] == ["", "text_config.", "encoder."]


@pytest.mark.parametrize(
    ("names", "config", "formats", "kind"),
    [
        ({"adapter_model.safetensors"}, None, {"safetensors"}, "adapter"),
        ({"adapter_config.json", "adapter_model.bin"}, None, {"pytorch"}, "adapter"),
        (
            {"adapter_config.json", "adapter_model.bin", "model.safetensors"},
            {"model_type": "x"},
            {"safetensors"},
            "transformers",
        ),
        ({"config.json", "model.onnx"}, {"model_type": "bert"}, {"onnx"}, "onnx"),
        ({"config.json", "a.gguf"}, {"model_type": "llama"}, {"gguf"}, "gguf"),
        (
            {"config.json", "a.gguf", "model.safetensors"},
            {"model_type": "llama"},
            {"gguf", "safetensors"},
            "transformers",
        ),
        (
            {"config.json", "model.safetensors"},
            {"architecture": "vit", "model_type": "timm_wrapper"},
            {"safetensors"},
            "transformers",
        ),
        ({"config.json", "pytorch_model.bin"}, {"architecture": "resnet18"}, {"pytorch"}, "timm"),
        ({"tokenizer.json", "tokenizer_config.json"}, None, set(), "tokenizer"),
        ({"pytorch_lora_weights.safetensors"}, None, {"safetensors"}, "weights"),
        ({"notes.txt"}, None, set(), "other"),
        (
            {"modules.json", "model.safetensors", "config.json"},
            {"model_type": "bert"},
            {"safetensors"},
            "sentence-transformers",
        ),
        ({"config.json", "model.safetensors"}, {"auto_map": {"AutoModel": "m.M"}}, {"safetensors"}, "transformers"),
        ({"model-00001-of-00002.safetensors", "tokenizer.json"}, None, {"safetensors"}, "transformers"),
    ],
)
def test_kinds(names: set[str], config: dict[str, object] | None, formats: set[str], kind: str) -> None:
    assert model_kind(names, JsonFile(config) if config is not None else None, formats).value == kind


@pytest.mark.parametrize("name", LAYOUTS)
def test_kinds_of_layouts(name: str, tmp_path: Path) -> None:
    make, kind = LAYOUTS[name]
    make(tmp_path / "m" if name in ("sentence-transformers", "onnx", "custom code") else tmp_path)
    where = tmp_path / "m" if (tmp_path / "m").exists() else tmp_path
    facts = ModelFolder.open(where).facts()
    assert facts["kind"] == kind
    assert json.dumps(facts)
