"""Broken bytes of every kind: each reader gives an answer, soon."""

from __future__ import annotations

import io
import pickle
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.formats import Tensor, field, gguf, onnx, onnx_tensor, torch_legacy, torch_zip, torchscript
from support.fuzz_targets import TARGETS

from hubpub.model.ctranslate2 import read_ctranslate2
from hubpub.model.gguf import parse_gguf
from hubpub.model.keras import read_keras
from hubpub.model.onnx import parse_onnx
from hubpub.model.openvino import read_openvino
from hubpub.model.torchfile import parse_torch

CORPUS = Path(__file__).parent / "corpus"
STATE = {"a": Tensor(2, 3), "b": {"c": Tensor(4)}}
EXTERNAL = onnx_tensor("w", (2,), location="x", offset="1", length="8")
NODE = field(4, "Constant") + field(5, field(1, "value") + field(5, EXTERNAL))

READERS: dict[str, tuple[Callable[[bytes], object], list[bytes]]] = {
    "gguf": (
        lambda data: parse_gguf(io.BytesIO(data), len(data)),
        [gguf(None, {"general.architecture": "x", "l": ["a", "b"], "d": [[1], [2]]}), gguf(order=">")],
    ),
    "torch": (
        lambda data: parse_torch(io.BytesIO(data), len(data)).twins,
        [torch_zip(STATE), torch_legacy(STATE), torchscript(), pickle.dumps([{1: (2,)}, {3}], 4), pickle.dumps([1], 0)],
    ),
    "onnx": (
        lambda data: [external.end for external in parse_onnx(io.BytesIO(data), len(data)).external],
        [onnx(EXTERNAL, nodes=[NODE]), onnx()],
    ),
    "keras": (
        lambda data: [read_keras(lambda: io.BytesIO(data), f"m.{suffix}") for suffix in ("keras", "h5")],
        [b'\x89HDF\r\n\x1a\nmodel_config{"class_name": "Lambda", "config": {"function": ["AA==", null, null]}}'],
    ),
    "ctranslate2": (
        lambda data: read_ctranslate2(lambda: io.BytesIO(data)),
        [b"\x06\0\0\0\x05\0Spec\0\1\0\0\0\1\0\0\0\2\0w\0\1\1\0\0\0\0\4\0\0\0\0\0\0\0"],
    ),
    "openvino": (
        lambda data: read_openvino(lambda: io.BytesIO(data)),
        [b'<net name="m"><data offset="0" size="9"/></net>'],
    ),
}


def broken(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """A sound file with bytes changed, lost or added, or cut."""
    change = st.tuples(st.integers(0, 4000), st.integers(0, 8), st.binary(max_size=12))

    def apply(seed: bytes, changes: list[tuple[int, int, bytes]], end: int | None) -> bytes:
        for at, length, new in changes:
            at %= len(seed) + 1
            seed = seed[:at] + new + seed[at + length :]
        return seed[:end]

    cuts = st.none() | st.integers(0, 4000)
    return st.builds(apply, st.sampled_from(seeds), st.lists(change, max_size=6), cuts) | st.binary(max_size=200)


@pytest.mark.parametrize("name", READERS)
def test_any_bytes_are_answered(name: str) -> None:
    reader, seeds = READERS[name]

    @settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.too_slow], database=None)
    @given(broken(seeds))
    def answers(data: bytes) -> None:
        reader(data)

    answers()


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_corpus_is_answered(path: Path) -> None:
    """Inputs that once went wrong, or that reach far into a reader; found by fuzzing."""
    started = time.process_time()
    TARGETS[path.parent.name][0](path.read_bytes())
    assert time.process_time() - started < 2
