"""The fixture for other projects, in a project of its own, and that it costs nothing where it is not used."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = """
import os, subprocess, sys, threading
from pathlib import Path
from huggingface_hub import HfApi

CHILD = '''
from huggingface_hub import HfApi
api = HfApi()
api.create_repo("tester/model")
api.upload_file(path_or_fileobj=b"x" * 100_000, path_in_repo="model.safetensors", repo_id="tester/model")
print(api.whoami()["name"])
'''

def test_child_process_and_faults(hubpub_hub):
    faults = hubpub_hub.faults("preupload: 503 first=1 retry_after=0")
    env = hubpub_hub.env(EXTRA="1")
    assert env["EXTRA"] == "1" and "HF_TOKEN_PATH" not in env
    done = subprocess.run([sys.executable, "-c", CHILD], env=env, capture_output=True, text=True)
    assert done.stdout.strip() == "tester", done.stderr
    assert faults.hits == 1
    assert HfApi(hubpub_hub.endpoint, token=hubpub_hub.token()).file_exists("tester/model", "model.safetensors")
    assert any(hubpub_hub.home.iterdir())

def test_each_test_has_its_own(hubpub_hub):
    assert not list(HfApi(hubpub_hub.endpoint).list_models())
    assert not any(hubpub_hub.home.iterdir())
    reader = HfApi(hubpub_hub.endpoint, token=hubpub_hub.token("bob", "read"))
    assert reader.whoami()["name"] == "bob"
    assert hubpub_hub.token() not in repr(hubpub_hub)
"""
UNUSED = """
import sys

def test_server_was_not_imported():
    assert "hubpub.hub.pytest_plugin" in sys.modules
    heavy = {"starlette", "uvicorn", "dulwich", "huggingface_hub", "jinja2", "asyncio", "hubpub.hub.server"}
    assert not heavy & set(sys.modules)
"""


def run(folder: Path, code: str, *arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run pytest in a project that consists of one test file, with warnings as errors.

    The plugin is named on the command line, or found in the metadata of a package on `path`.
    """
    (folder / "test_project.py").write_text(code)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), path])), "HF_TOKEN_PATH": "/nowhere"}
    plugin: list[str] = []
    if not path:
        env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        plugin = ["-p", "hubpub.hub.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *plugin, *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_in_another_project(tmp_path: Path) -> None:
    done = run(tmp_path, PROJECT)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_costs_nothing_when_unused(tmp_path: Path) -> None:
    done = run(tmp_path, UNUSED)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_is_listed_among_the_fixtures(tmp_path: Path) -> None:
    done = run(tmp_path, "", "--fixtures")
    assert "hubpub_hub -- " in done.stdout
    assert "A running Hub for this test" in done.stdout


def test_is_loaded_where_hubpub_is_installed(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["entry-points"]["pytest11"]
    assert declared == {"hubpub_hub": "hubpub.hub.pytest_plugin"}
    # As an installation of hubpub would leave it.
    about = tmp_path / "site" / "hubpub_here-0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: hubpub-here\nVersion: 0\n")
    (about / "RECORD").write_text("")
    lines = [f"{name} = {module}" for name, module in declared.items()]
    (about / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]))
    code = "import sys\n\ndef test_it(request):\n    assert request.getfixturevalue('hubpub_hub').endpoint\n"
    done = run(tmp_path, code, path=str(tmp_path / "site"))
    assert "1 passed" in done.stdout, done.stdout + done.stderr
