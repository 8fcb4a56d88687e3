"""Untrained models of many architectures: zeros and constants are where transformers puts them; nothing is wrong."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from support import untrained
from support.judging import judge_opened

from hubpub.core.rule import Depth
from hubpub.model.folder import ModelFolder
from hubpub.model.roles import is_trained_weight
from hubpub.model.safetensors import read_header

NAMES = [name for name, _ in untrained.MODELS]
NAMES += [f"{name}-{dtype}" for name in untrained.HALVES for dtype in ("bf16", "fp16")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    folder = tmp_path_factory.mktemp("architectures")
    command = [sys.executable, "-W", "ignore", untrained.__file__, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_untrained_is_not_broken(name: str, built: Path) -> None:
    assert judge_opened(ModelFolder.open(built / name), Depth.DEEP, family="WEIGHT00 WEIGHT02 WEIGHT03") == []


@pytest.mark.parametrize("name", NAMES)
def test_most_matrices_are_held_to_be_trained(name: str, built: Path) -> None:
    """Silence is no merit where nothing is looked at."""
    tensors = read_header(lambda: (built / name / "model.safetensors").open("rb")).tensors.values()
    matrices = [tensor for tensor in tensors if len(tensor.shape) >= 2 and min(tensor.shape) > 1]
    trained = [tensor for tensor in matrices if is_trained_weight(tensor, None)]
    assert len(trained) >= 0.6 * len(matrices)
