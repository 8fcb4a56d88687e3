"""Good models of every kind: what save_pretrained writes for 128 architectures gets no error and no warning."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from support import architectures
from support.judging import judge_opened

from hubpub.core.findings import Finding, Severity
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.model.architecture import Status, compare_all
from hubpub.model.folder import ModelFolder

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed"),
    pytest.mark.timeout(900),
]

NAMES = [name for names in architectures.FAMILIES.values() for name in names]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelFolder]:
    """Every model, compared with its class by one child process."""
    root = tmp_path_factory.mktemp("sweep")
    command = [sys.executable, "-m", "support.architectures", root]
    tests = Path(architectures.__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, cwd=tests)
    assert done.returncode == 0, done.stderr[-2000:]
    opened = {name: ModelFolder.open(root / name) for name in NAMES}
    for folder, found in zip(opened.values(), compare_all(list(opened.values())), strict=True):
        vars(folder)["architecture"] = found
    return opened


def test_there_are_enough_of_every_kind() -> None:
    assert len(NAMES) == len(set(NAMES)) >= 120
    assert all(len(names) >= 5 for names in architectures.FAMILIES.values())


@pytest.mark.parametrize("name", NAMES)
def test_clean(name: str, folders: dict[str, ModelFolder]) -> None:
    found = judge_opened(folders[name], Depth.DEEP)
    loud = [finding for finding in found if isinstance(finding, Finding) and finding.severity is not Severity.INFO]
    assert loud == []
    assert [skip for skip in found if isinstance(skip, Skip) and skip.what == "the architecture"] == []
    architecture = folders[name].architecture
    assert architecture is not None
    assert architecture.status is Status.COMPARED


def test_some_are_sharded(folders: dict[str, ModelFolder]) -> None:
    assert sum(bool(folder.weights.indexes) for folder in folders.values()) >= 20
