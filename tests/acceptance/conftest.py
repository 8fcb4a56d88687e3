from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import CommandHub
from support.running_hub import hubs


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandHub]:
    with hubs(tmp_path_factory) as start:
        started = start()
        yield CommandHub(started.hub, started.home)


@pytest.fixture
def plain_copy(plain_model: Path, tmp_path: Path) -> Path:
    """A copy of the torch-free model that the test may break."""
    return Path(shutil.copytree(plain_model, tmp_path / "model"))
