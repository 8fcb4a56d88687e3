"""Files of torch.save: one defect each in a sound folder, and agreement with safetensors and indexes."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from support.formats import Tensor, torch_legacy, torch_zip, torchscript
from support.judging import judge_folder as judge
from support.weights import write_safetensors

from hubpub.core.findings import Finding
from hubpub.core.report import Skip

BIN = "pytorch_model.bin"
STATE = {"encoder.layer.0.weight": Tensor(2, 3), "encoder.layer.1.weight": Tensor(2, 3), "head.weight": Tensor(4)}
SAFE = {"encoder.layer.0.weight": (2, 3), "encoder.layer.1.weight": (2, 3), "head.weight": (4,)}


def safe(folder: Path, shapes: dict[str, tuple[int, ...]] = SAFE) -> Path:
    (folder / "config.json").write_text('{"hidden_size": 8, "dropout": 0.1}')
    write_safetensors(folder / "model.safetensors", {name: ("F32", shape) for name, shape in shapes.items()})
    return folder


def findings(folder: Path) -> list[tuple[str, str, str | None]]:
    return [(found.rule, found.severity.value, found.path) for found in judge(folder) if isinstance(found, Finding)]


BROKEN: dict[str, tuple[bytes, str]] = {
    "zip cut in the middle": (torch_zip(STATE)[:400], "is cut short or damaged"),
    "zip cut at the end": (torch_zip(STATE)[:-30], "is cut short or damaged"),
    "bytes lost in the middle": (torch_zip(STATE)[:500] + torch_zip(STATE)[520:], "its table of contents should be at"),
    "numbers of a tensor missing": (
        torch_zip(STATE, leave_out=["1"]),
        "has no member data/1 with the numbers of 'encoder.layer.1.weight'",
    ),
    "too few numbers": (torch_zip(STATE, sizes={"0": 20}), "has 20 bytes in data/0, but the storage"),
    "tensor past its storage": (torch_zip({"w": Tensor(4, offset=2)}), "lets 'w' reach past the end of its storage"),
    "legacy cut in the numbers": (torch_legacy(STATE)[:-10], "is cut short: 10 of 88 bytes of tensor data"),
    "legacy cut in the pickles": (torch_legacy(STATE)[:200], "is cut short: its pickle goes on after its end"),
    "legacy lacks numbers": (torch_legacy(STATE, leave_out=["2"]), "has no member data/2"),
    "empty": (b"", "has 0 bytes"),
    "zeros": (bytes(5000), "zero bytes"),
    "noise": (bytes(range(255, -1, -1)) * 20, "is neither a zip archive nor a pickle"),
    "another zip": (b"PK\x05\x06" + bytes(18), "is neither a zip archive nor a pickle"),
    "safetensors by another name": (b"\x08\0\0\0\0\0\0\0{}      ", "is neither a zip archive nor a pickle"),
    "pickle.dump of a dict": (pickle.dumps({"w": [1.0]}, 2), "is a plain pickle"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file(name: str, tmp_path: Path) -> None:
    safe(tmp_path)
    (tmp_path / BIN).write_bytes(torch_zip(STATE))
    assert judge(tmp_path) == []
    content, words = BROKEN[name]
    (tmp_path / BIN).write_bytes(content)
    assert findings(tmp_path) == [("WEIGHT044", "error", BIN)]
    [message] = [found.message for found in judge(tmp_path) if isinstance(found, Finding)]
    assert words in message
    assert message.startswith(BIN)


@pytest.mark.parametrize("save", [torch_zip, torch_legacy])
def test_sound_files(save: Callable[..., bytes], tmp_path: Path) -> None:
    safe(tmp_path)
    (tmp_path / BIN).write_bytes(save(STATE))
    (tmp_path / "weights.pt").write_bytes(save({"state_dict": {"w": Tensor(3)}, "epoch": 3, "names": ["a"]}))
    assert judge(tmp_path) == []


@pytest.mark.parametrize(("name", "content"), [("train.pt", b"ola mundo\n"), ("model.bin", b"\xba\x16O/" + bytes(90))])
def test_what_is_no_file_of_torch_is_left_alone(name: str, content: bytes, tmp_path: Path) -> None:
    safe(tmp_path)
    (tmp_path / name).write_bytes(content)
    assert judge(tmp_path) == []


def test_torch_files_saved_by_torch(saved_models: Path) -> None:
    from hubpub.model.folder import ModelFolder

    files = ModelFolder.open(saved_models / "torch_files").torch_files
    assert set(files) >= {BIN, "legacy.bin", "mixed.pt"}
    for path in (BIN, "legacy.bin"):
        assert files[path].known
        assert {name: (tensor.dtype, tensor.shape) for name, tensor in files[path].tensors.items()} == {
            "weight": ("BF16", (600, 600)),
            "bias": ("BF16", (600,)),
        }
    assert files["mixed.pt"].tensors["p"].shape == (2,)


def test_torchscript_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(torchscript())
    assert findings(tmp_path) == [("WEIGHT045", "info", "model.pt")]


def test_a_pickle_that_is_too_large_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubpub.model.torchfile.LARGEST_PICKLE", 100)
    safe(tmp_path)
    (tmp_path / BIN).write_bytes(torch_zip(STATE))
    [skip] = judge(tmp_path)
    assert isinstance(skip, Skip)
    assert skip.what == f"WEIGHT044 on {BIN}"


AGREE: dict[str, tuple[dict[str, tuple[int, ...]], dict[str, Tensor]]] = {
    "the same": (SAFE, STATE),
    "tied weights left out": (
        {"embed.weight": (5, 4)},
        {"embed.weight": Tensor(5, 4, storage="e"), "lm_head.weight": Tensor(5, 4, storage="e")},
    ),
    "old names of LayerNorm": (
        {"layer.0.LayerNorm.weight": (4,), "layer.0.LayerNorm.bias": (4,)},
        {"layer.0.LayerNorm.gamma": Tensor(4), "layer.0.LayerNorm.beta": Tensor(4)},
    ),
    "a prefix": (
        {f"layer.{n}.weight": (4,) for n in range(3)} | {"classifier.weight": (2, 4)},
        {f"bert.layer.{n}.weight": Tensor(4) for n in range(3)} | {"classifier.weight": Tensor(2, 4)},
    ),
    "buffers that were stored once": (
        SAFE,
        STATE | {"embeddings.position_ids": Tensor(1, 8), "h.0.attn.masked": Tensor(1)},
    ),
    "one weight of a layer that newer versions drop": (
        SAFE | {"decoder.block.0.attention.q.weight": (2, 2)},
        STATE | {"decoder.block.0.attention.q.weight": Tensor(2, 2), "decoder.block.0.bias.weight": Tensor(2, 2)},
    ),
    "causal masks that were stored once": (SAFE, STATE | {"h.0.attn.bias": Tensor(1, 1, 8, 8)}),
    "a head that one has": (SAFE, STATE | {"pooler.dense.weight": Tensor(3, 3)}),
    "weight norm": (
        SAFE | {"conv.0.parametrizations.weight.original0": (3,)},
        STATE | {"conv.0.weight_g": Tensor(3)},
    ),
    "a head of numbered layers": (SAFE, STATE | {"classifier.1.weight": Tensor(2, 2)}),
    "every layer renamed": (
        SAFE | {"vit.encoder.layer.0.q.weight": (2,), "vit.pos": (3,)},
        STATE | {"vit.layers.0.q.weight": Tensor(2), "vit.pos": Tensor(3)},
    ),
    "a renamed stack": (
        SAFE | {"down.blocks.0.weight": (2,), "down.blocks.1.weight": (2,)},
        STATE | {"down.blocks.first.weight": Tensor(2), "down.blocks.2.weight": Tensor(2)},
    ),
    "a scalar or one number": ({**SAFE, "scale": ()}, {**STATE, "scale": Tensor(1)}),
    "experts merged": (
        SAFE | {"mlp.experts.gate_up_proj": (2, 3)},
        STATE | {"mlp.experts.0.w1.weight": Tensor(3)},
    ),
}
DISAGREE: dict[str, tuple[dict[str, tuple[int, ...]], dict[str, Tensor], str, str]] = {
    "shape": (SAFE, STATE | {"head.weight": Tensor(5)}, "error", "head.weight [4] and [5]"),
    "a layer less in torch": (
        SAFE,
        {name: tensor for name, tensor in STATE.items() if ".1." not in name},
        "error",
        "1 layer that only the former has: encoder.layer.1",
    ),
    "a layer more in torch": (
        SAFE,
        STATE | {"encoder.layer.2.weight": Tensor(2, 3)},
        "error",
        "1 layer that only the latter has: encoder.layer.2",
    ),
    "another model": (SAFE, {"wte": Tensor(3), "wpe": Tensor(3)}, "info", "no tensor name in common"),
}


@pytest.mark.parametrize("name", AGREE)
def test_formats_that_agree(name: str, tmp_path: Path) -> None:
    shapes, state = AGREE[name]
    safe(tmp_path, shapes)
    (tmp_path / BIN).write_bytes(torch_zip(state))
    assert judge(tmp_path) == []


@pytest.mark.parametrize("name", DISAGREE)
def test_formats_that_disagree(name: str, tmp_path: Path) -> None:
    shapes, state, severity, words = DISAGREE[name]
    safe(tmp_path, shapes)
    (tmp_path / BIN).write_bytes(torch_zip(state))
    [found] = judge(tmp_path)
    assert isinstance(found, Finding)
    assert (found.rule, found.severity, found.path) == ("WEIGHT055", severity, BIN)
    assert words in found.message


FIRST, SECOND, INDEX = "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin", f"{BIN}.index.json"


def shards(folder: Path) -> dict[str, str]:
    safe(folder)
    (folder / FIRST).write_bytes(torch_zip({"encoder.layer.0.weight": Tensor(2, 3)}))
    (folder / SECOND).write_bytes(torch_zip({"encoder.layer.1.weight": Tensor(2, 3), "head.weight": Tensor(4)}))
    return {"encoder.layer.0.weight": FIRST, "encoder.layer.1.weight": SECOND, "head.weight": SECOND}


def write_index(folder: Path, weight_map: dict[str, str]) -> None:
    (folder / INDEX).write_text(json.dumps({"metadata": {"total_size": 64}, "weight_map": weight_map}))


SHARDS: dict[str, tuple[Callable[[Path, dict[str, str]], object], tuple[str, str, str]]] = {
    "a shard removed": (lambda folder, index: (folder / SECOND).unlink(), ("WEIGHT004", "error", INDEX)),
    "a tensor in no shard": (lambda folder, index: index.update(x=FIRST), ("WEIGHT005", "error", INDEX)),
    "a tensor not named": (lambda folder, index: index.pop("head.weight"), ("WEIGHT005", "error", INDEX)),
    "the wrong shard": (lambda folder, index: index.update({"head.weight": FIRST}), ("WEIGHT005", "error", INDEX)),
    "outside": (lambda folder, index: index.update(x="../x.bin"), ("WEIGHT006", "error", INDEX)),
    "a shard cut": (lambda folder, index: os.truncate(folder / FIRST, 300), ("WEIGHT044", "error", FIRST)),
}


@pytest.mark.parametrize("name", SHARDS)
def test_torch_shards(name: str, tmp_path: Path) -> None:
    weight_map = shards(tmp_path)
    write_index(tmp_path, weight_map)
    assert judge(tmp_path) == []
    defect, expected = SHARDS[name]
    defect(tmp_path, weight_map)
    write_index(tmp_path, weight_map)
    assert findings(tmp_path) == [expected]


def test_shards_are_held_against_safetensors(tmp_path: Path) -> None:
    write_index(tmp_path, shards(tmp_path))
    safe(tmp_path, SAFE | {"head.weight": (7,)})
    assert findings(tmp_path) == [("WEIGHT055", "error", INDEX)]
