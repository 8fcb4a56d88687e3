"""A hub for each test that wants one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.running_hub import StartHub, TestHub, hubs


@pytest.fixture
def start_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartHub]:
    with hubs(tmp_path_factory) as start:
        yield start


@pytest.fixture
def hub(start_hub: StartHub) -> TestHub:
    """A running hub."""
    return start_hub()
