from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import Hub

from hubpub.hub import parse_org, parse_token, running

TOKENS = {name: f"hf_{name}{'0' * 20}" for name in ("writer", "reader")}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    home = tmp_path / "home"
    home.mkdir()
    tokens = [parse_token(f"{TOKENS['writer']}=writer:write"), parse_token(f"{TOKENS['reader']}=reader:read")]
    orgs = [parse_org("acme=writer:admin,reader:read"), parse_org("readonly=writer:read")]
    with running(root=tmp_path / "hub-data", tokens=tokens, orgs=orgs) as server:
        yield Hub(server.endpoint, {**TOKENS, "stranger": f"hf_stranger{'0' * 20}"}, home)


@pytest.fixture
def plain_copy(plain_model: Path, tmp_path: Path) -> Path:
    """A copy of the torch-free model that the test may break, readable by any user."""
    folder = Path(shutil.copytree(plain_model, tmp_path / "model"))
    for path in (tmp_path, folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder
