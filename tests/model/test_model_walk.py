from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubpub.core.errors import UsageError
from hubpub.model import walk as walking
from hubpub.model.folder import ModelFolder
from hubpub.model.walk import EntryKind, open_regular

REPO = Path(__file__).parents[2]


def kinds(folder: ModelFolder) -> dict[str, EntryKind]:
    return {entry.path: entry.kind for entry in folder.others}


def test_files_are_sorted_and_have_their_size(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.txt").write_text("12345")
    (tmp_path / "a.txt").write_text("")
    folder = ModelFolder.open(tmp_path)
    assert [(entry.path, entry.size, entry.suffix) for entry in folder.files] == [
        ("a.txt", 0, ".txt"),
        ("b/x.txt", 5, ".txt"),
    ]
    assert folder.entry("b/x.txt") is folder.files[1]
    assert folder.entry("b") is None


def test_what_is_no_file_is_named_and_never_opened(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "sub").mkdir()
    for name, target in {
        "out": "/etc/passwd",
        "sub/up": "../../anything",
        "gone": "nowhere",
        "self": "self",
        "parent": ".",
        "device": "/dev/zero",
        "good": "in.txt",
        "piped": "pipe",
    }.items():
        (tmp_path / name).symlink_to(target)
    folder = ModelFolder.open(tmp_path)
    assert [entry.path for entry in folder.files] == ["good", "in.txt"]
    assert folder.files[0].size == 1
    assert folder.files[0].target == "in.txt"
    assert kinds(folder) == {
        "device": EntryKind.ESCAPING_SYMLINK,
        "gone": EntryKind.BROKEN_SYMLINK,
        "out": EntryKind.ESCAPING_SYMLINK,
        "parent": EntryKind.DIRECTORY_SYMLINK,
        "pipe": EntryKind.FIFO,
        "piped": EntryKind.FIFO,
        "self": EntryKind.LOOPING_SYMLINK,
        "sub/up": EntryKind.BROKEN_SYMLINK,
    }


def test_a_sibling_with_the_same_prefix_is_outside(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model-secret").write_text("x")
    (tmp_path / "model" / "a").symlink_to("../model-secret")
    assert kinds(ModelFolder.open(tmp_path / "model")) == {"a": EntryKind.ESCAPING_SYMLINK}


def test_the_folder_itself_may_be_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("x")
    (tmp_path / "link").symlink_to("real")
    folder = ModelFolder.open(tmp_path / "link")
    assert folder.root == tmp_path.resolve() / "real"
    assert [entry.path for entry in folder.files] == ["a.txt"]


def test_names_are_escaped_so_that_they_can_be_printed(tmp_path: Path) -> None:
    (tmp_path / "line\nbreak").write_text("x")
    (tmp_path / os.fsdecode(b"\xff\xfe.bin")).write_text("x")
    (tmp_path / "größe 模型 😀.txt").write_text("x")
    folder = ModelFolder.open(tmp_path)
    assert kinds(folder) == {"line\\nbreak": EntryKind.UNUSABLE_NAME, "\\xff\\xfe.bin": EntryKind.UNUSABLE_NAME}
    assert [entry.path for entry in folder.files] == ["größe 模型 😀.txt"]


def test_opening_a_fifo_does_not_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path / "pipe")


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside", "sub", "nowhere"])
def test_only_files_of_the_walk_are_opened(path: str, tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "sub").mkdir(parents=True)
    (model / "sub" / "a").write_text("x")
    (tmp_path / "outside").write_text("x")
    folder = ModelFolder.open(model)
    with pytest.raises(OSError, match="not a readable file"):
        folder.open_file(path)
    assert folder.start(path) == b""
    assert folder.text(path, 100) == ""


@pytest.mark.parametrize(
    ("make", "message", "next_step"),
    [
        (lambda path: path / "nowhere", "does not exist", "save_pretrained"),
        (lambda path: path / "file", "is a file, not a folder", "name the folder that holds it"),
        (lambda path: path / "empty", "holds no files", "save_pretrained"),
        (lambda path: Path(f"{path}/a\0b"), "does not exist", "save_pretrained"),
        (lambda path: path / ("x" * 300), "does not exist", "save_pretrained"),
    ],
)
def test_bad_folders(make: object, message: str, next_step: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty" / "sub").mkdir(parents=True)
    with pytest.raises(UsageError, match=message) as error:
        ModelFolder.open(make(tmp_path))  # type: ignore[operator]
    assert next_step in error.value.next_step
    assert "\n" not in error.value.message


def test_too_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        (tmp_path / str(number)).write_text("")
    monkeypatch.setattr(walking, "MOST_ENTRIES", 4)
    with pytest.raises(UsageError, match="more than 4 entries"):
        ModelFolder.open(tmp_path)


def test_too_deep(tmp_path: Path) -> None:
    (tmp_path / "/".join(["d"] * 70)).mkdir(parents=True)
    with pytest.raises(UsageError, match="64 deep"):
        ModelFolder.open(tmp_path)


@pytest.mark.parametrize(
    ("glob", "left"),
    [
        ("logs/*", ["a.txt", "catalogs/c.txt"]),
        ("logs/", ["a.txt", "catalogs/c.txt"]),
        ("logs", ["a.txt", "catalogs/c.txt"]),
        ("*.txt", []),
        ("*/c.txt", ["a.txt", "logs/b.txt"]),
        ("A.TXT", ["a.txt", "catalogs/c.txt", "logs/b.txt"]),
    ],
)
def test_exclude(glob: str, left: list[str], tmp_path: Path) -> None:
    for name in ("a.txt", "logs/b.txt", "catalogs/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    if not left:
        with pytest.raises(UsageError, match="that --exclude leaves"):
            ModelFolder.open(tmp_path, exclude=[glob])
        return
    assert [entry.path for entry in ModelFolder.open(tmp_path, exclude=[glob]).files] == left


def test_junk_directories_are_not_entered(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    for name in (".git/objects", "__pycache__", "sub/.cache/huggingface/download", ".cache/other"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "f").write_text("x")
    folder = ModelFolder.open(tmp_path)
    assert folder.pruned == (".git/", "__pycache__/", "sub/.cache/huggingface/")
    assert [entry.path for entry in folder.files] == [".cache/other/f", "a.txt"]


# As root everything is readable. The child becomes another user after a first run, which imports all it needs.
SCRIPT = """
import json, os, sys
from hubpub.core.errors import UsageError
from hubpub.core.findings import Finding
from support.judging import judge_folder
import picklescan.scanner
def told():
    try:
        return [(f.rule, f.path, f.message) for f in judge_folder(sys.argv[1]) if isinstance(f, Finding)]
    except UsageError as error:
        return error.message
control = told()
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
else:
    control = []
print(json.dumps([control, told()]))
"""


@pytest.fixture
def open_to_all(plain_model: Path) -> Iterator[Path]:
    """A copy of a model that every user can reach and read."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        model = Path(shutil.copytree(plain_model, folder / "model"))
        model.chmod(0o755)
        for path in model.iterdir():
            path.chmod(0o644)
        yield model
        model.chmod(0o755)
        for path in model.iterdir():
            path.chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_unreadable_files_and_folders(open_to_all: Path) -> None:
    def judged() -> object:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, open_to_all],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": f"{REPO}:{REPO / 'tests'}", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        control, found = json.loads(done.stdout)
        assert control == []
        return found

    assert judged() == []
    (open_to_all / "sub").mkdir(0)
    (open_to_all / "notes.md").write_text("x")
    (open_to_all / "notes.md").chmod(0)
    assert judged() == [
        ["FILE004", "notes.md", "notes.md is a file that may not be read"],
        ["FILE004", "sub", "sub is a directory that may not be read"],
    ]
    open_to_all.chmod(0)
    assert "cannot be read: Permission denied" in str(judged())
