from __future__ import annotations

import json
from pathlib import Path

import pytest

from hubpub.model.files import Fact
from hubpub.model.folder import ModelFolder
from hubpub.model.training_code import training_code

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REMOTE = "https://alice:hf_secret@github.com/acme/sst2.git"


def checkout(top: Path, remote: str = REMOTE, *, code: bool = True, index: bytes = b"DIRC train.py") -> None:
    git = top / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs" / "heads" / "main").write_text(f"{COMMIT}\n")
    (git / "config").write_text(f'[remote "origin"]\n\turl = {remote}\n')
    (git / "index").write_bytes(index)
    if code:
        (top / "train.py").write_text("print()\n")


def model(folder: Path, *, run: bool = True) -> ModelFolder:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    if run:
        (folder / "trainer_state.json").write_text('{"global_step": 3, "log_history": []}')
    return ModelFolder.open(folder)


def told(folder: ModelFolder) -> dict[str, object]:
    return {fact.name: fact.value for fact in training_code(folder, folder.run_facts)}


def test_a_run_in_a_checkout_is_of_its_commit(tmp_path: Path) -> None:
    checkout(tmp_path)
    folder = model(tmp_path / "runs" / "first" / "model")
    assert training_code(folder, folder.run_facts) == (
        Fact("remote", "https://github.com/acme/sst2", ".git/config", "url"),
        Fact("commit", COMMIT, ".git/HEAD"),
    )


def test_a_commit_that_holds_the_model_itself_is_left_out(tmp_path: Path) -> None:
    checkout(tmp_path, index=b"DIRC\0\0 out/config.json\0 train.py")
    assert told(model(tmp_path / "out")) == {"remote": "https://github.com/acme/sst2"}
    assert told(model(tmp_path / "other")) == {"remote": "https://github.com/acme/sst2", "commit": COMMIT}


@pytest.mark.parametrize(
    ("remote", "code"),
    [
        ("https://huggingface.co/acme/sst2", True),
        ("git@hf.co:acme/sst2", True),
        ("/srv/git/sst2", True),
        ("https://github.com/acme/dotfiles", False),
    ],
)
def test_other_checkouts_are_no_training_code(remote: str, code: bool, tmp_path: Path) -> None:
    checkout(tmp_path, remote, code=code)
    assert told(model(tmp_path / "m")) == {}


def test_a_model_without_a_run_or_far_below_is_of_no_checkout(tmp_path: Path) -> None:
    checkout(tmp_path)
    assert told(model(tmp_path / "m", run=False)) == {}
    assert told(model(tmp_path / "a" / "b" / "c" / "d")) == {}


def test_a_home_directory_under_version_control_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert told(model(tmp_path / "m")) == {}


def test_what_wandb_noted_counts_first(tmp_path: Path) -> None:
    checkout(tmp_path)
    other = "f" * 40
    files = tmp_path / "m" / "wandb" / "run-20260101_000000-abc" / "files"
    files.mkdir(parents=True)
    (files / "wandb-metadata.json").write_text(
        json.dumps({"git": {"commit": other, "remote": "git@github.com:acme/real.git"}})
    )
    assert told(model(tmp_path / "m")) == {"remote": "https://github.com/acme/real", "commit": other}


def test_a_model_folder_names_no_other_checkout(tmp_path: Path) -> None:
    """Whoever made the folder made its .git, which may lead to a private repo of this machine."""
    private = tmp_path / "private"
    checkout(private)
    folder = model(tmp_path / "model")
    (folder.root / "train.py").write_text("print()\n")
    (folder.root / ".git").write_text(f"gitdir: {private / '.git'}\n")
    assert told(folder) == {}
    (folder.root / ".git").unlink()
    checkout(folder.root, "https://github.com/acme/own")
    assert told(folder)["remote"] == "https://github.com/acme/own"
    (folder.root / ".git" / "config").unlink()
    (folder.root / ".git" / "config").symlink_to(private / ".git" / "config")
    assert told(folder) == {}
    (folder.root / ".git" / "config").unlink()
    (folder.root / ".git" / "commondir").write_text(str(private / ".git"))
    assert told(folder) == {}
