from __future__ import annotations

import time

import pytest

from hubpub.model.gitfiles import ignore_patterns, ignored_by, read_attributes


@pytest.mark.parametrize(
    ("pattern", "path", "hidden"),
    [
        ("*.safetensors", "model.safetensors", True),
        ("*.safetensors", "unet/model.safetensors", True),
        ("/model.bin", "model.bin", True),
        ("/model.bin", "a/model.bin", False),
        ("onnx", "onnx/model.onnx", True),
        ("onnx/", "onnx/model.onnx", True),
        ("onnx/", "onnx", False),
        ("a/*.bin", "a/x.bin", True),
        ("a/*.bin", "b/a/x.bin", False),
        ("a/*.bin", "a/b/x.bin", False),
        ("a/**", "a/b/x.bin", True),
        ("**/x.bin", "x.bin", True),
        ("a/**/x.bin", "a/x.bin", True),
        ("a/**/x.bin", "a/b/c/x.bin", True),
        ("model-0000[12]-of-*", "model-00001-of-00002.safetensors", True),
        ("model?.bin", "model.bin", False),
        ("# comment", "# comment", False),
        ("\\#odd", "#odd", True),
        ("*.bin  ", "x.bin", True),
    ],
)
def test_pattern(pattern: str, path: str, hidden: bool) -> None:
    assert (ignored_by(path, ignore_patterns(pattern)) is not None) == hidden


def test_the_last_match_decides() -> None:
    patterns = ignore_patterns("*.bin\n\n!model.bin\n")
    assert ignored_by("model.bin", patterns) is None
    found = ignored_by("other.bin", patterns)
    assert found is not None
    assert found.line == 1


def test_no_pattern_takes_long() -> None:
    patterns = ignore_patterns("\n".join(["a*" * 60 + "b", "**/" * 40 + "x", "*" * 200]))
    started = time.perf_counter()
    for path in ("a" * 250, "/".join("a" * 60), "x/" * 60 + "y"):
        ignored_by(path, patterns)
    assert time.perf_counter() - started < 2


def test_attributes() -> None:
    attributes = read_attributes("# lfs\n*.bin filter=lfs -text\n*.txt text\nsmall.bin -filter\n*.odd\n[attr]x y\n")
    assert attributes.is_lfs("a/x.bin")
    assert not attributes.is_lfs("small.bin")
    assert not attributes.is_lfs("a.txt")
    assert attributes.malformed == ((5, "*.odd"),)
