"""Shards and their index: one defect each in a sound sharded model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.formats import gguf
from support.judging import judge_folder as judge
from support.weights import write_safetensors

from hubpub.core.findings import Finding

INDEX = "model.safetensors.index.json"
FIRST, SECOND = "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors"


def index(model: Path, change: Callable[[dict[str, str]], object]) -> None:
    document: dict[str, Any] = json.loads((model / INDEX).read_text())
    change(document["weight_map"])
    (model / INDEX).write_text(json.dumps(document))


def outside(model: Path) -> None:
    write_safetensors(model.parent / "outside.safetensors", {"extra": ("F32", (3,))})
    index(model, lambda weight_map: weight_map.update(extra="../outside.safetensors"))


DEFECTS: dict[str, tuple[Callable[[Path], object], list[tuple[str, str, str]]]] = {
    "shard removed": (lambda model: (model / SECOND).unlink(), [("WEIGHT004", "error", INDEX)]),
    "a shard that does not exist": (
        lambda model: index(model, lambda m: m.update({"classifier.bias": "model-00009-of-00003.safetensors"})),
        [("WEIGHT004", "error", INDEX)],
    ),
    "a tensor in no shard": (
        lambda model: index(model, lambda m: m.update({"absent.weight": FIRST})),
        [("WEIGHT005", "error", INDEX)],
    ),
    "a tensor that the index lacks": (
        lambda model: index(model, lambda m: m.pop("classifier.bias")),
        [("WEIGHT005", "error", INDEX)],
    ),
    "a tensor in the wrong shard": (
        lambda model: index(
            model, lambda m: m.update({"classifier.bias": FIRST if m["classifier.bias"] != FIRST else SECOND})
        ),
        [("WEIGHT005", "error", INDEX)],
    ),
    "a tensor in two shards": (
        lambda model: (
            write_safetensors(model / "more.safetensors", {"classifier.bias": ("F32", (2,)), "m": ("F32", (1,))})
            and index(model, lambda m: m.update({"m": "more.safetensors"}))
        ),
        [("WEIGHT005", "error", INDEX)],
    ),
    "a shard never named": (
        lambda model: write_safetensors(model / "model-00004-of-00004.safetensors", {"x": ("F32", (1,))}),
        [("WEIGHT005", "warning", "model-00004-of-00004.safetensors")],
    ),
    "outside file": (outside, [("WEIGHT006", "error", INDEX)]),
    "absolute path": (
        lambda model: index(model, lambda m: m.update(extra="/tmp/x.safetensors")),
        [("WEIGHT006", "error", INDEX)],
    ),
    "index is not JSON": (lambda model: (model / INDEX).write_text("{"), [("WEIGHT007", "error", INDEX)]),
    "index without a map": (
        lambda model: (model / INDEX).write_text('{"metadata": {}}'),
        [("WEIGHT007", "error", INDEX)],
    ),
    "no index": (lambda model: (model / INDEX).unlink(), [("WEIGHT003", "error", INDEX)]),
    "no index and a gap": (
        lambda model: ((model / INDEX).unlink(), (model / SECOND).unlink()),
        [("WEIGHT003", "error", INDEX), ("WEIGHT004", "error", SECOND)],
    ),
    "shard cut short": (
        lambda model: (model / FIRST).write_bytes((model / FIRST).read_bytes()[:-10]),
        [("WEIGHT002", "error", FIRST)],
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_defect(name: str, sharded: Path) -> None:
    assert judge(sharded) == []
    defect, expected = DEFECTS[name]
    defect(sharded)
    found = judge(sharded)
    assert [(f.rule, f.severity.value, f.path) for f in found if isinstance(f, Finding)] == expected
    assert len(found) == len(expected)


def test_torch_shards_are_held_against_their_index(sharded: Path) -> None:
    for path in sharded.glob("model*"):
        path.unlink()
    (sharded / "pytorch_model-00001-of-00002.bin").write_bytes(b"\x80\x02}.")
    weight_map = {"a": "pytorch_model-00001-of-00002.bin", "b": "pytorch_model-00002-of-00002.bin"}
    (sharded / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": weight_map}))
    assert [f.rule for f in judge(sharded) if isinstance(f, Finding)] == ["CODE002", "WEIGHT004"]


def test_gguf_shards_need_no_index(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"model-{number:05d}-of-00002.gguf").write_bytes(gguf({f"t{number}": ("F32", (8,))}))
    assert judge(tmp_path) == []
    (tmp_path / "model-00001-of-00002.gguf").unlink()
    assert [f.rule for f in judge(tmp_path) if isinstance(f, Finding)] == ["WEIGHT004"]
