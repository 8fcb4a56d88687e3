"""Files of the folder: what is shown, and what never leaves it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hubpub.preview.files import data_uri, shown_file, versioned


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.png").write_bytes(b"secret")
    root = tmp_path / "model"
    for name in (
        "a.png",
        "assets/b.svg",
        "LICENSE",
        "config.json",
        "model.safetensors",
        ".env",
        ".git/config.txt",
        "page.html",
        "code.js",
        ".eval_results/x.yaml",
        "UPPER.PNG",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"content of " + name.encode())
    (root / "inside.png").symlink_to("a.png")
    (root / "outside.png").symlink_to(tmp_path / "secret.png")
    (root / "uncovers.txt").symlink_to(".env")
    (root / "up").symlink_to(tmp_path)
    (root / "loop.png").symlink_to("loop.png")
    (root / "dir.png").mkdir()
    os.mkfifo(root / "pipe.png")
    return root


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.png", "image/png"),
        ("UPPER.PNG", "image/png"),
        ("assets/b.svg", "image/svg+xml"),
        ("inside.png", "image/png"),
        ("config.json", "text/plain; charset=utf-8"),
        ("LICENSE", "text/plain; charset=utf-8"),
        (".eval_results/x.yaml", "text/plain; charset=utf-8"),
    ],
)
def test_pictures_and_texts_are_shown(folder: Path, path: str, kind: str) -> None:
    found = shown_file(folder, path)
    assert found is not None
    assert found.content_type == kind
    assert found.content.startswith(b"content of ")


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "../secret.png", "assets/../../secret.png", "assets/../a.png", "/etc/passwd", "//etc/passwd",
     "assets//b.svg", "./a.png", "..\\secret.png", "a.png\0", "outside.png", "up/secret.png", "loop.png", "dir.png",
     "pipe.png", ".env", ".git/config.txt", "uncovers.txt", "page.html", "code.js", "model.safetensors", "missing.png",
     "x" * 5000 + ".png", "a.png/b.png"],
)  # fmt: skip
def test_nothing_else_is(folder: Path, path: str) -> None:
    assert shown_file(folder, path) is None
    assert versioned(folder, path) is None
    assert data_uri(folder, path) is None


def test_the_address_of_a_picture_changes_with_it(folder: Path) -> None:
    before = versioned(folder, "a.png")
    (folder / "a.png").write_bytes(b"longer than it was before")
    assert before != versioned(folder, "a.png")
    assert data_uri(folder, "config.json") is None
