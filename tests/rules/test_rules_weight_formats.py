"""Weights of formats that hubpub does not read: a model in one of them is no folder without weights."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from support.judging import judge_folder

from hubpub.core.findings import Finding, Severity
from hubpub.model.folder import ModelFolder


def zipped(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 50)
    return made.getvalue()


def findings(folder: Path) -> dict[str, Severity]:
    return {found.rule: found.severity for found in judge_folder(folder) if isinstance(found, Finding)}


@pytest.mark.parametrize(
    ("names", "content", "known_as"),
    [
        (["ggml-base.en.bin"], b"lmgg" + bytes(60), "ggml"),
        (["lid.176.bin"], b"\xba\x16\x4f\x2f" + bytes(60), "fasttext"),
        (["lid.176.ftz"], b"\xba\x16\x4f\x2f" + bytes(60), "fasttext"),
        (["yolo.bin", "yolo.param"], bytes(64), "ncnn"),
        (["params_shard_0.bin", "ndarray-cache.json"], b"{}", "mlc"),
        (["ppo-CartPole-v1.zip"], zipped("data", "policy.pth", "_stable_baselines3_version"), "stable-baselines3"),
        (["model.pdparams"], bytes(64), "paddle"),
        (["model.pte"], bytes(64), "executorch"),
        (["rust_model.ot"], bytes(64), "tch"),
    ],
)
def test_a_model_of_another_format_has_weights(names: list[str], content: bytes, known_as: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_bytes(content)
    assert ModelFolder.open(tmp_path).weights.formats == (known_as,)
    assert findings(tmp_path).keys().isdisjoint({"WEIGHT001", "FILE018"})


@pytest.mark.parametrize(
    ("name", "content", "severity"),
    [
        ("agent.zip", zipped("a.txt", "data"), Severity.WARNING),  # who knows
        ("words.bin", b"data" * 20, Severity.ERROR),
        ("notes.txt", b"lmgg", Severity.ERROR),
    ],
)
def test_what_is_no_weights(name: str, content: bytes, severity: Severity, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert findings(tmp_path).get("WEIGHT001") is severity


def test_an_archive_is_no_model_of_transformers(plain_model: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((plain_model / "config.json").read_bytes())
    (tmp_path / "model.zip").write_bytes(zipped("model.safetensors"))
    assert findings(tmp_path)["WEIGHT001"] is Severity.ERROR
