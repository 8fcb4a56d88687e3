"""The npm client, written by others in another language, publishes to the hub and reads from it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.running_hub import ALICE, TestHub

SOURCE = Path(__file__).parents[1] / "support" / "npm"

pytestmark = pytest.mark.npm


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pinned client installed."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("node or npm is not installed")
    folder = Path(shutil.copytree(SOURCE, tmp_path_factory.mktemp("npm") / "client"))
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0 and "CI" not in os.environ:
        pytest.skip(f"npm could not install the client: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize(("kind", "mode"), [("model", "xet"), ("model", "lfs"), ("dataset", "xet")])
def test_the_npm_client_publishes_and_reads(hub: TestHub, client: Path, kind: str, mode: str) -> None:
    seen = run(client, hub, "acme/js", kind, mode)
    prefix = "" if kind == "model" else "datasets/"
    assert seen["user"] == "alice"
    assert seen["created"] == f"{hub.endpoint}/{prefix}acme/js"
    assert (seen["existed"], seen["exists"], seen["gone"]) == (False, True, True)
    files = {file["path"]: file for file in seen["files"]}
    assert sorted(files) == [".gitattributes", "README.md", "model.safetensors", "other.bin", "small.json"]
    assert files["model.safetensors"]["lfs"]["oid"] == seen["large"] == seen["downloadedLarge"]
    assert seen["info"][0]["lfs"]["oid"] == seen["other"] == seen["downloadedPlain"]
    assert len(seen["info"]) == 1
    assert seen["isXet"] is (mode == "xet")
    assert f"sha256:{seen['large']}" in seen["pointer"]
    assert seen["atFirst"] == ["a folder/ünï.txt"]
    assert seen["commits"] == ["edit and delete", "upload three", "initial commit"]
    assert seen["count"] == 3
    assert seen["stale"] == 412
    assert seen["pullRequest"] == f"{hub.endpoint}/{prefix}acme/js/discussions/1"
    assert (seen["slice"], seen["missing"], seen["fileExists"]) == ("license: mit", None, [True, False])
    assert seen["anonymous"] == 401
    assert (seen["listed"], seen["updated"]) == (["acme/js"], True)
    assert seen["branch"] == "d"
    assert seen["left"] == [".gitattributes", "README.md", "model.safetensors", "other.bin"]


@pytest.mark.parametrize("mode", ["xet", "lfs"])
def test_the_python_client_reads_what_the_npm_client_published(hub: TestHub, client: Path, mode: str) -> None:
    seen = run(client, hub, "acme/js", "model", mode, KEEP="1")
    info = hub.api().model_info("acme/js", files_metadata=True)
    sizes = {file.rfilename: file.lfs.sha256 for file in info.siblings or [] if file.lfs}
    assert sizes == {"model.safetensors": seen["large"], "other.bin": seen["other"]}
    folder = hub.home / "folder"
    hub.api().snapshot_download("acme/js", local_dir=folder)
    checked = hub.api().verify_repo_checksums("acme/js", local_dir=folder)
    assert checked.mismatches == []
    assert checked.missing_paths == []


def run(client: Path, hub: TestHub, *arguments: str, **more: str) -> dict[str, Any]:
    """What the client's script saw."""
    done = subprocess.run(
        ["node", "client.mjs", *arguments],
        cwd=client,
        env={**os.environ, "HUB_URL": hub.endpoint, "HUB_TOKEN": ALICE, **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen
