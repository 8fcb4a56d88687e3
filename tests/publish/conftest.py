from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.killable_hub import set_faults
from support.killable_machine import Machine, machine
from support.running_hub import TestHub, hubs
from support.tiny_release import TOKEN

from hubpub.hub import Hub, Limits, parse_org, parse_token, running


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    with hubs(tmp_path_factory) as start:
        yield start()


@pytest.fixture
def plain_copy(plain_model: Path, tmp_path: Path) -> Path:
    """A copy of the torch-free model that the test may change."""
    return Path(shutil.copytree(plain_model, tmp_path / "model"))


@pytest.fixture(scope="session")
def shared_hub() -> Iterator[Hub]:
    """One hub for all of the matrix, with small pages and small parts, so that each call is made several times."""
    limits = Limits(page=3, multipart_from=600_000, part=200_000)
    with running(
        tokens=[parse_token(f"{TOKEN}=alice:write")], orgs=[parse_org("acme=alice:admin")], limits=limits
    ) as hub:
        yield hub


@pytest.fixture
def faulty_hub(shared_hub: Hub, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Hub]:
    """The same, well again after each test, and nothing was said that holds the token."""
    caplog.set_level(logging.DEBUG)
    yield shared_hub
    shared_hub.faults()
    out, err = capfd.readouterr()
    assert TOKEN not in caplog.text + out + err


@pytest.fixture(scope="session")
def shared_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("hub"), tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture
def killable(shared_machine: Machine) -> Iterator[Machine]:
    """A hub and a machine that may be killed; no output of theirs holds a token."""
    yield shared_machine
    set_faults(shared_machine.server.endpoint)
    shared_machine.check_outputs()
