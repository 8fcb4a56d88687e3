"""Release notes: what a hub holds of two releases, as Markdown, in the message of a tag, and in a changelog."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy
import pytest
import safetensors.numpy
from support.running_hub import ALICE, TestHub

import hubpub
from hubpub.core.errors import UsageError
from hubpub.core.rule import Depth
from hubpub.publish.changelog import add_section
from hubpub.publish.client import HubClient
from hubpub.publish.notes import Change, release_notes
from hubpub.publish.prepare import PushOptions
from hubpub.publish.push import push
from hubpub.publish.target import Target

REPO = "acme/model"
CARD = """---
license: mit
model-index:
- name: model
  results:
  - task: {type: text-classification}
    dataset: {name: IMDB, type: imdb, split: test}
    metrics:
    - {type: accuracy, value: VALUE}
---
# Model
"""


def release(hub: TestHub, folder: Path, tag: str | None, *, size: int, accuracy: float, **config: Any) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "x", "sizes": {"hidden": size}, **config}))
    (folder / "README.md").write_text(CARD.replace("VALUE", str(accuracy)))
    (folder / "eval_results.json").write_text(json.dumps({"eval_loss": 1 - accuracy, "note": "text"}))
    safetensors.numpy.save_file({"a": numpy.ones((size, 10), "f4")}, folder / "model.safetensors")
    options = PushOptions(folder, "model", namespace="acme", depth=Depth.QUICK, tag=tag, ignore=("ALL",))
    push(options, client(hub), lambda _: None)


def client(hub: TestHub) -> HubClient:
    return HubClient(Target(hub.endpoint, ALICE, "HF_TOKEN"))


@pytest.fixture
def folder(hub: TestHub, tmp_path: Path) -> Path:
    """Two releases: v1.0.0, and v1.1.0 which is larger and better."""
    found = tmp_path / "model"
    found.mkdir()
    (found / "old.txt").write_text("old")
    release(hub, found, "v1.0.0", size=100, accuracy=0.8)
    (found / "old.txt").unlink()
    (found / "new `|.txt").write_text("new")
    release(hub, found, None, size=150, accuracy=0.85)  # not tagged
    release(hub, found, "v1.1.0", size=200, accuracy=0.9, extra=["a", 1])
    return found


def test_what_changed(hub: TestHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.api().delete_file("old.txt", REPO)
    notes = release_notes(client(hub), REPO, "v1.0.0", "main")
    assert notes.parameters == Change("parameters", 1000, 2000)
    assert notes.config == (
        Change("config.json: sizes.hidden", 100, 200),
        Change("config.json: extra", None, ["a", 1]),
    )
    assert [item.name for item in notes.metrics] == ["eval_loss (eval_results.json)", "accuracy on IMDB test"]
    assert [item.name for item in notes.added] == ["new `|.txt"]
    assert [item.name for item in notes.removed] == ["old.txt"]
    assert {item.name for item in notes.changed} == {
        "README.md",
        "config.json",
        "eval_results.json",
        "model.safetensors",
    }
    text = notes.to_markdown()
    assert "- parameters: 1,000 → 2,000 (+100.0%)" in text
    assert "- `config.json: sizes.hidden`: `100` → `200`" in text
    assert "| accuracy on IMDB test | 0.8 | 0.9 | +0.1 |" in text
    assert "- added ``new `¦.txt`` (3 bytes)" in text
    document = notes.to_json()
    assert (document["schema"], document["parameters"]["after"]) == ("hubpub.notes/1", 2000)
    same = release_notes(client(hub), REPO, "v1.1.0", "v1.1.0").to_markdown()
    assert "No file changed." in same
    monkeypatch.setenv("HF_TOKEN", ALICE)
    assert hubpub.release_notes(REPO, "v1.0.0", hub=hub.endpoint).metrics == notes.metrics
    with pytest.raises(UsageError, match="no branch, tag or commit v9"):
        release_notes(client(hub), REPO, "v9", "main")


def test_the_message_of_a_tag(hub: TestHub, folder: Path, tmp_path: Path) -> None:
    """By git: the first tag has nothing to compare with, the second one says what changed since the first."""
    address = hub.endpoint.replace("//", f"//alice:{ALICE}@")
    clone = ["git", "clone", "-q", "--bare", f"{address}/{REPO}", str(tmp_path / "clone")]
    subprocess.run(clone, check=True, env={"GIT_LFS_SKIP_SMUDGE": "1", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})

    def message(tag: str) -> str:
        read = ["git", "-C", str(tmp_path / "clone"), "tag", "-l", "--format=%(contents)", tag]
        return subprocess.run(read, check=True, capture_output=True, text=True).stdout

    assert message("v1.0.0").strip() == "Publish model v1.0.0"
    second = message("v1.1.0")
    assert second.startswith("Publish model v1.1.0\n\nChanges of acme/model since v1.0.0.")
    assert "- parameters: 1,000 → 2,000 (+100.0%)" in second


def test_notes_that_cannot_be_made_stop_no_release(hub: TestHub, folder: Path) -> None:
    """The fetch of what the notes are made of fails; the tag is set all the same."""
    (folder / "notes.txt").write_text("x")
    hub.hub.faults("GET /**/resolve/*/config.json: 404", "GET /**/resolve/*/eval_results.json: 403")
    release(hub, folder, "v1.2.0", size=300, accuracy=0.9)
    assert "v1.2.0" in {ref.name for ref in hub.api().list_repo_refs(REPO).tags}


def test_a_changelog(tmp_path: Path) -> None:
    path = tmp_path / "CHANGELOG.md"
    assert add_section(path, "v1.0.0", "## v1.0.0\n\nFirst.\n")
    assert path.read_text() == "# Changelog\n\n## v1.0.0\n\nFirst.\n"
    assert add_section(path, "v1.1.0", "## v1.1.0\n\nSecond.\n")
    assert path.read_text() == "# Changelog\n\n## v1.1.0\n\nSecond.\n\n## v1.0.0\n\nFirst.\n"
    before = path.read_bytes()
    for name in ("v1.0.0", "v1.1.0"):
        assert not add_section(path, name, f"## {name}\n\nAgain.\n")
    assert path.read_bytes() == before
    assert add_section(path, "v1.1", "## v1.1\n\nNot that one.\n")
    assert add_section(path, "a_b", "## a\\_b\n\nEscaped.\n")
    assert not add_section(path, "a_b", "## a\\_b\n\nEscaped.\n")


def test_a_changelog_of_somebody_else(tmp_path: Path) -> None:
    path = tmp_path / "CHANGES.md"
    path.write_text("# Changes\n\nAll of them.\n\n## [v2] - 2024\n\nOld.\n")
    assert not add_section(path, "v2", "## v2\n\nNew.\n")
    assert add_section(path, "v3", "## v3\n\nNew.\n")
    assert path.read_text() == "# Changes\n\nAll of them.\n\n## v3\n\nNew.\n\n## [v2] - 2024\n\nOld.\n"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not a changelog"):
        add_section(path, "v4", "## v4")
    with pytest.raises(UsageError, match="cannot be read"):
        add_section(tmp_path, "v4", "## v4")
