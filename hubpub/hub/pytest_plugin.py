"""A pytest fixture for any project: `hubpub_hub`, a Hub of its own for one test.

    def test_upload(hubpub_hub):
        subprocess.run([sys.executable, "train.py", "--push"], env=hubpub_hub.env(), check=True)
        assert HfApi(hubpub_hub.endpoint, token=hubpub_hub.token()).file_exists("tester/model", "config.json")

It is registered as a `pytest11` entry point, so that it is there wherever hubpub is installed. Importing it imports
nothing but pytest; the server is imported when a test asks for the fixture.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hubpub.hub.server import Hub
    from hubpub.hub.web.faults import Fault, Faults

_USER = "tester"
_SETTINGS = ("HF_", "HUGGINGFACE_", "HUGGING_FACE_", "TRANSFORMERS_OFFLINE", "TRANSFORMERS_CACHE")


@dataclass(frozen=True)
class HubFixture:
    """A running Hub without repos, whose user `tester` may write to the namespace `tester`.

    Attributes:
        hub: as `hubpub.hub.running` gives it.
        home: a fresh folder for HF_HOME. hf_xet keeps there what it has uploaded to which hub.
    """

    hub: Hub
    home: Path
    _token: str = field(repr=False)

    @property
    def endpoint(self) -> str:
        """Its address, for HF_ENDPOINT or `HfApi(endpoint=...)`."""
        return self.hub.endpoint

    def token(self, user: str = _USER, role: str = "write") -> str:
        """A token of `user`, who need not exist yet; `role` is `read` or `write`."""
        return self._token if (user, role) == (_USER, "write") else self.hub.token(user, role)

    def env(self, **more: str) -> dict[str, str]:
        """The environment for a child process that is to use this Hub and no other.

        huggingface_hub reads these settings once, when it is imported, so changing `os.environ` in the process that
        runs the tests comes too late.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
        ours = {
            "HF_ENDPOINT": self.endpoint,
            "HF_TOKEN": self._token,
            "HF_HOME": str(self.home),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }
        return {**kept, **ours, **more}

    def faults(self, *rules: Fault | str) -> Faults:
        """Make chosen requests go wrong, such as `"preupload: 429 first=2"`: see `hubpub.hub.web.faults`."""
        return self.hub.faults(*rules)


@pytest.fixture
def hubpub_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubFixture]:
    """A running Hub for this test: `endpoint`, `token()`, `env()` for child processes, and `faults()`."""
    from hubpub.hub.server import running

    with running(tmp_path_factory.mktemp("hubpub-hub")) as hub:
        yield HubFixture(hub, tmp_path_factory.mktemp("hf-home"), hub.token(_USER))
