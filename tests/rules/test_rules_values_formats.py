"""Values in files of torch.save, GGUF and ONNX: seen where the numbers stand plainly, and told where they do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from support.formats import gguf, onnx, onnx_tensor
from support.judging import judge_opened

from hubpub.core.findings import Finding
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.model.folder import ModelFolder
from hubpub.model.inspection import inspect_folder
from hubpub.report.inspection import render_inspection

QUERY = "bert.encoder.layer.0.attention.self.query.weight"
NAN = np.array([np.nan], np.float32).tobytes()


def judge(folder: Path) -> list[Finding | Skip]:
    return judge_opened(ModelFolder.open(folder), Depth.DEEP, family="WEIGHT02")


def brief(folder: Path) -> list[tuple[str, str | None, str | None]]:
    return [(item.rule, item.path, item.tensor) for item in judge(folder) if isinstance(item, Finding)]


def skipped(folder: Path) -> list[str]:
    return [f"{item.what}: {item.reason}" for item in judge(folder) if isinstance(item, Skip)]


@pytest.fixture
def pickled(bert_classifier: Path, copy_of: Callable[[Path], Path]) -> Path:
    """A sound classifier whose weights are a torch file and nothing else."""
    folder = copy_of(bert_classifier)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


def change(folder: Path, of: Callable[[dict[str, torch.Tensor]], object], **saving: bool) -> None:
    state = torch.load(folder / "pytorch_model.bin")
    of(state)
    torch.save(state, folder / "pytorch_model.bin", **saving)


def test_a_sound_torch_file(pickled: Path) -> None:
    assert judge(pickled) == []
    assert ModelFolder.open(pickled).readings["pytorch_model.bin"].values[QUERY].largest


@pytest.mark.parametrize(
    ("value", "rule"),
    [(float("nan"), "WEIGHT020"), (float("inf"), "WEIGHT021"), (0.0, "WEIGHT022"), (0.5, "WEIGHT024")],
)
def test_a_defect_in_a_torch_file(pickled: Path, value: float, rule: str) -> None:
    change(pickled, lambda state: state[QUERY].fill_(value))
    found = brief(pickled)
    assert (rule, "pytorch_model.bin", QUERY) in found
    assert {path for _, path, _ in found} == {"pytorch_model.bin"}


def test_the_other_dtypes_of_torch(pickled: Path) -> None:
    change(pickled, lambda state: state.update({name: tensor.bfloat16() for name, tensor in state.items()}))
    assert judge(pickled) == []
    change(pickled, lambda state: state[QUERY].__setitem__((3, 5), float("nan")))
    assert brief(pickled) == [("WEIGHT020", "pytorch_model.bin", QUERY)]


def test_tensors_that_share_a_storage(pickled: Path) -> None:
    """Tied ones are looked at once; rows of one matrix each where it is; transposed ones in the order of the file."""

    def share(state: dict[str, torch.Tensor]) -> None:
        state["tied"] = state[QUERY]
        whole = torch.randn(8, 6)
        whole[5, 2] = float("nan")
        state["first"], state["last"], state["turned"] = whole[:4], whole[4:], torch.randn(4, 7).T

    change(pickled, share)
    assert brief(pickled) == [("WEIGHT020", "pytorch_model.bin", "last")]
    assert skipped(pickled) == []


def test_a_view_with_gaps_is_told(pickled: Path) -> None:
    change(pickled, lambda state: state.update(column=torch.randn(8, 6)[:, 2]))
    assert skipped(pickled) == [
        "values of 1 tensor (pytorch_model.bin): they are quantised, packed or stored with gaps"
    ]


def test_the_format_of_before_2020(pickled: Path) -> None:
    change(pickled, lambda state: state[QUERY][7].fill_(float("nan")), _use_new_zipfile_serialization=False)
    [finding] = judge(pickled)
    assert isinstance(finding, Finding)
    assert (finding.rule, finding.path, finding.tensor) == ("WEIGHT020", "pytorch_model.bin", QUERY)
    assert "holds 32 NaN values" in finding.message


def write_gguf(path: Path, kind: str, data: bytes) -> None:
    content = gguf({"blk.0.attn_q.weight": (kind, (32, 4)), "output_norm.weight": ("F32", (32,))}, data=False)
    path.write_bytes(content + bytes(-len(content) % 32) + data)


def test_values_of_a_gguf(tmp_path: Path) -> None:
    halves = np.linspace(-1, 1, 128).astype(np.float16)
    norm = np.ones(32, np.float32).tobytes()
    write_gguf(tmp_path / "m.gguf", "F16", halves.tobytes() + norm)
    assert judge(tmp_path) == []
    halves[7] = np.nan
    write_gguf(tmp_path / "m.gguf", "F16", halves.tobytes() + norm)
    assert brief(tmp_path) == [("WEIGHT020", "m.gguf", "blk.0.attn_q.weight")]


def test_quantised_values_of_a_gguf_are_told(tmp_path: Path) -> None:
    write_gguf(tmp_path / "m.gguf", "Q4_0", bytes(18 * 4) + bytes(-18 * 4 % 32) + np.ones(32, np.float32).tobytes())
    assert brief(tmp_path) == []
    assert skipped(tmp_path) == ["values of 1 tensor (m.gguf): they are quantised, packed or stored with gaps"]


def test_values_of_an_onnx_file_and_of_the_file_beside_it(tmp_path: Path) -> None:
    numbers = np.arange(6, dtype=np.float32).tobytes()
    inside = onnx_tensor("inside", (2, 3), numbers)
    outside = onnx_tensor("outside", (2, 3), location="model.onnx_data", offset="8", length="24")
    (tmp_path / "model.onnx").write_bytes(onnx(inside, outside))
    (tmp_path / "model.onnx_data").write_bytes(bytes(8) + numbers)
    assert judge(tmp_path) == []
    (tmp_path / "model.onnx_data").write_bytes(bytes(8) + numbers[:-4] + NAN)
    assert brief(tmp_path) == [("WEIGHT020", "model.onnx_data", "outside")]
    (tmp_path / "model.onnx").write_bytes(onnx(onnx_tensor("inside", (2, 3), NAN + numbers[4:]), outside))
    assert ("WEIGHT020", "model.onnx", "inside") in brief(tmp_path)


def test_masks_and_constants_of_an_onnx_graph_are_no_weights(tmp_path: Path) -> None:
    constants = np.full(6, -np.inf, np.float32).tobytes()
    (tmp_path / "model.onnx").write_bytes(onnx(onnx_tensor("onnx::MatMul_12.weight", (2, 3), constants)))
    assert brief(tmp_path) == []


def test_an_external_file_that_leads_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(NAN * 6)
    (folder / "model.onnx").write_bytes(onnx(onnx_tensor("w", (2, 3), location="../secret", length="24")))
    assert brief(folder) == []
    assert list(ModelFolder.open(folder).readings) == ["model.onnx"]


def test_an_inspection_of_a_torch_file_says_what_that_of_safetensors_says(bert_classifier: Path, pickled: Path) -> None:
    first, second = (inspect_folder(ModelFolder.open(folder)) for folder in (bert_classifier, pickled))
    for fact in ("parameters", "parameters_by_dtype", "tensors"):
        assert first.facts[fact] == second.facts[fact]
    assert json.dumps(first.modules.to_json(), sort_keys=True).count("self") == json.dumps(
        second.modules.to_json(), sort_keys=True
    ).count("self")
    assert first.memory == second.memory


def test_an_inspection_of_quantised_gguf(tmp_path: Path) -> None:
    tensors = {f"blk.{layer}.attn_q.weight": ("Q6_K", (256, 8)) for layer in range(3)} | {"norm": ("F32", (256,))}
    (tmp_path / "m-Q6_K.gguf").write_bytes(gguf(tensors))
    (tmp_path / "m-Q8_0.gguf").write_bytes(gguf(tensors))
    found = inspect_folder(ModelFolder.open(tmp_path))
    assert found.facts["parameters"] == 3 * 256 * 8 + 256
    assert found.facts["parameters_by_dtype"] == {"F32": 256, "Q6_K": 3 * 256 * 8}
    assert found.facts["tensors"] == 4
    shown = render_inspection(found)
    assert "0-2  x 3" in shown
    assert "Q6_K" in shown


def test_an_inspection_of_onnx(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx(onnx_tensor("a.weight", (2, 3)), onnx_tensor("a.bias", (3,))))
    assert inspect_folder(ModelFolder.open(tmp_path)).facts["parameters_by_dtype"] == {"F32": 9}
