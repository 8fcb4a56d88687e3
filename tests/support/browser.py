"""Headless Chromium, driven by chromedriver over the WebDriver protocol."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Browser:
    """A browser with one window."""

    address: str
    session: str

    def open(self, url: str) -> None:
        """Go to a page and wait until it is loaded."""
        self._ask("url", {"url": url})

    def run(self, script: str) -> Any:
        """The value that a function body returns in the page; it runs although the policy forbids scripts."""
        return self._ask("execute/sync", {"script": script, "args": []})

    def screenshot(self, path: Path) -> None:
        """Keep what is seen of the page."""
        image = json.loads(_request(f"{self.address}/session/{self.session}/screenshot"))["value"]
        path.write_bytes(base64.b64decode(image))

    def size(self, width: int, height: int) -> None:
        """Look at the page through a window, or a phone, of this size."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._devtools("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: str) -> None:
        """Prefer `light` or `dark` pages."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._devtools("Emulation.setEmulatedMedia", {"features": [feature]})

    def console(self) -> list[str]:
        """What the browser has complained of since the last time."""
        return [entry["message"] for entry in self._ask("se/log", {"type": "browser"})]

    def _devtools(self, command: str, params: dict[str, Any]) -> None:
        self._ask("goog/cdp/execute", {"cmd": command, "params": params})

    def _ask(self, command: str, body: dict[str, Any]) -> Any:
        return json.loads(_request(f"{self.address}/session/{self.session}/{command}", body))["value"]


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with its own profile. Skips the test where Chromium or chromedriver is missing."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed")
    with subprocess.Popen(
        [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port = next(match[1] for line in process.stdout if (match := re.search(r"on port (\d+)\.", line)))
            address = f"http://127.0.0.1:{port}"
            options = {"binary": chromium, "args": [*_FLAGS, f"--user-data-dir={profile}"]}
            wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            answer = _request(f"{address}/session", {"capabilities": {"alwaysMatch": wanted}})
            session = json.loads(answer)["value"]["sessionId"]
            try:
                yield Browser(address, session)
            finally:
                _request(f"{address}/session/{session}", method="DELETE")
        finally:
            process.terminate()


def _request(address: str, body: dict[str, Any] | None = None, method: str | None = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as response:
        content: bytes = response.read()
    return content
