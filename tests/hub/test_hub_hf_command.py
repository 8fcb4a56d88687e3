"""The `hf` command against the hub, as people use it."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.running_hub import BOB, TestHub

REPO = "acme/model"
WEIGHTS = bytes(range(256)) * 1000


def hf(hub: TestHub, *arguments: str | Path, code: int = 0, token: str = "hf_alice") -> str:
    """Run the command; what it printed, both ways."""
    done = subprocess.run(
        [Path(sys.executable).with_name("hf"), *arguments],
        env=hub.env(HF_TOKEN=token, NO_COLOR="1", HF_HUB_DISABLE_UPDATE_CHECK="1", COLUMNS="200"),
        cwd=hub.home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    return said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model" / "sub").mkdir(parents=True)
    (tmp_path / "model" / "README.md").write_text("---\nlicense: mit\npipeline_tag: fill-mask\n---\n# Card\n")
    (tmp_path / "model" / "sub" / "model.safetensors").write_bytes(WEIGHTS)
    return tmp_path / "model"


def test_a_model_from_upload_to_verified_download(hub: TestHub, folder: Path, tmp_path: Path) -> None:
    who = hf(hub, "auth", "whoami")
    assert "alice" in who
    assert "acme" in who
    hf(hub, "repos", "create", REPO)
    assert REPO in hf(hub, "upload", REPO, folder)
    hf(hub, "download", REPO, "--local-dir", tmp_path / "local")
    assert (tmp_path / "local/sub/model.safetensors").read_bytes() == WEIGHTS
    hf(hub, "download", REPO)
    verified, local, info, listed, files = _together(
        lambda: hf(hub, "cache", "verify", REPO, "--fail-on-missing-files"),
        lambda: hf(hub, "cache", "verify", REPO, "--local-dir", tmp_path / "local"),
        lambda: hf(hub, "models", "info", REPO, "--json"),
        lambda: hf(hub, "models", "ls", "--author", "acme", "--json"),
        lambda: hf(hub, "repos", "ls", "--namespace", "acme", "--json"),
    )
    assert "erified" in verified
    assert "erified" in local
    assert json.loads(info)["pipeline_tag"] == "fill-mask"
    assert [model["id"] for model in json.loads(listed)] == [REPO]
    assert [repo["id"] for repo in json.loads(files)] == [REPO]
    (tmp_path / "local/sub/model.safetensors").write_bytes(WEIGHTS[::-1])
    assert "sub/model.safetensors: expected" in hf(
        hub, "cache", "verify", REPO, "--local-dir", tmp_path / "local", code=1
    )


def test_tags_branches_moving_copying_and_deleting(hub: TestHub, folder: Path) -> None:
    api = hub.api()
    hf(hub, "upload", REPO, folder)
    _together(
        lambda: hf(hub, "repos", "tag", "create", REPO, "v1.0", "-m", "first"),
        lambda: hf(hub, "repos", "branch", "create", REPO, "dev"),
        lambda: hf(hub, "repos", "duplicate", REPO, "alice/copy"),
    )
    assert "v1.0" in hf(hub, "repos", "tag", "list", REPO)
    assert {branch.name for branch in api.list_repo_refs(REPO).branches} == {"main", "dev"}
    _together(
        lambda: hf(hub, "repos", "tag", "delete", REPO, "v1.0", "-y"),
        lambda: hf(hub, "repos", "branch", "delete", REPO, "dev"),
        lambda: hf(hub, "repos", "delete-files", "alice/copy", "README.md"),
    )
    refs = api.list_repo_refs(REPO)
    assert ([branch.name for branch in refs.branches], refs.tags) == (["main"], [])
    assert set(api.list_repo_files("alice/copy")) == {".gitattributes", "sub/model.safetensors"}
    hf(hub, "repos", "cp", f"hf://{REPO}/sub/model.safetensors", "hf://alice/copy/again.safetensors")
    assert hub.read("alice/copy", "again.safetensors") == WEIGHTS
    hf(hub, "repos", "settings", REPO, "--private")
    hf(hub, "repos", "move", REPO, "acme/renamed")
    assert api.model_info(REPO).id == "acme/renamed"
    assert api.model_info(REPO).private
    hf(hub, "repos", "delete", "alice/copy", "-y")
    assert not api.repo_exists("alice/copy")
    assert "not found" in hf(hub, "repos", "delete", "alice/copy", "-y", code=1).lower()


def test_a_pull_request_from_opening_to_merging(hub: TestHub, folder: Path) -> None:
    hf(hub, "repos", "create", REPO)
    hf(hub, "upload", REPO, folder, "--create-pr", "--commit-message", "Add the model", token=BOB)
    assert "Add the model" in hf(hub, "discussions", "list", REPO)
    said = hf(hub, "discussions", "info", REPO, "1")
    assert "bob" in said
    _together(
        lambda: hf(hub, "discussions", "comment", REPO, "1", "--body", "Looks good"),
        lambda: hf(hub, "discussions", "create", REPO, "--title", "A question", "--body", "?", token=BOB),
    )
    assert "+pipeline_tag: fill-mask" in hf(hub, "discussions", "diff", REPO, "1")
    # What uploads a folder opens a draft first, and commits to that.
    assert hub.api(BOB).get_discussion_details(REPO, 1).status == "draft"
    hub.api(BOB).change_discussion_status(REPO, 1, "open")
    hf(hub, "discussions", "merge", REPO, "1", "-y")
    assert hub.read(REPO, "sub/model.safetensors") == WEIGHTS
    hf(hub, "discussions", "close", REPO, "2", "-y", token=BOB)
    assert [found.status for found in hub.api().get_repo_discussions(REPO)] == ["closed", "merged"]


def _together(*runs: object) -> list[str]:
    """The commands at once; each takes a second to start."""
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda run: run(), runs))  # type: ignore[operator]
