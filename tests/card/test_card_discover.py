"""Which cards a command line means."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hubpub.card.discover import card_from_stdin, find_cards
from hubpub.core.errors import UsageError

CARD = "---\nlicense: mit\n---\n# A\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "README.md": "# My project\n",
        "a/README.md": CARD,
        "b/c/README.md": CARD,
        "b/README.md": "# just text\n",
        "model/README.md": "# without metadata\n",
        "model/config.json": "{}",
        "model/checkpoint-1/README.md": CARD,
        "data/README.md": "---\nlicense: mit\ntask_categories: [x]\n---\n",
        "space/README.md": "---\nsdk: gradio\n---\n",
        ".hidden/README.md": CARD,
        "node_modules/x/README.md": CARD,
        ".venv/x/README.md": CARD,
        "env/pyvenv.cfg": "",
        "env/x/README.md": CARD,
        "ignored/README.md": CARD,
        "kept/x/README.md": CARD,
        "kept/y/README.md": CARD,
        "kept/.gitignore": "*\n!x\n!x/README.md\n",
        ".gitignore": "/ignored/\n",
        ".git/HEAD": "ref: refs/heads/main\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*places: str) -> list[str]:
    return [card.name for card in find_cards(places)]


def test_a_directory_means_the_model_cards_below_it(project: Path) -> None:
    expected = ["a/README.md", "b/c/README.md", "kept/x/README.md", "model/README.md"]
    assert names(".") == expected
    assert names(str(project)) == [f"{project.as_posix()}/{name}" for name in expected]
    assert names("b") == ["b/c/README.md"]
    assert names("ignored") == ["ignored/README.md"], "what is named is wanted"


def test_without_git_nothing_is_ignored(project: Path) -> None:
    (project / ".git" / "HEAD").unlink()
    (project / ".git").rmdir()
    assert "ignored/README.md" in names(".")


def test_a_model_folder_means_its_card(project: Path) -> None:
    (card,) = find_cards(["model"])
    assert card.name == "model/README.md"
    assert card.folder
    assert find_cards(["model/README.md"])[0].folder, "and so does the card in it"
    assert find_cards(["a/README.md"])[0].folder is None


def test_a_file_is_taken_as_it_is(project: Path) -> None:
    assert names("README.md", "data/README.md", ".hidden/README.md") == [
        "README.md",
        "data/README.md",
        ".hidden/README.md",
    ]


def test_each_card_is_taken_once(project: Path) -> None:
    assert names("a/README.md", "a", "./a/README.md", str(project / "a")) == ["a/README.md"]


def test_globs_that_no_shell_has_expanded(project: Path) -> None:
    first = ["a/README.md", "b/README.md", "data/README.md"]
    assert names("*/README.md") == [*first, "ignored/README.md", "model/README.md", "space/README.md"]
    (project / "[x]").mkdir()
    (project / "[x]" / "README.md").write_text(CARD)
    assert names("[x]") == ["[x]/README.md"]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("none", "cannot be read"),
        ("none/*", "nothing matches"),
        ("env/y", "cannot be read"),
        ("node_modules", "has no README"),
    ],
)
def test_what_means_no_card_is_refused(project: Path, place: str, says: str) -> None:
    (project / "node_modules" / "x" / "README.md").unlink()
    with pytest.raises(UsageError, match=says):
        find_cards([place])


def test_a_directory_without_model_cards_has_the_one_that_it_has(project: Path) -> None:
    (project / "b" / "c" / "README.md").unlink()
    assert names("b") == ["b/README.md"]


def test_links_are_not_followed_into_other_directories(project: Path) -> None:
    (project / "a" / "loop").symlink_to("..", target_is_directory=True)
    os.mkfifo(project / "b" / "c" / "pipe")
    assert names("a", "b") == ["a/README.md", "b/c/README.md"]


def test_stdin_may_belong_at_a_file(project: Path) -> None:
    assert card_from_stdin(b"x", None).name == "stdin"
    card = card_from_stdin(b"x", "model/README.md")
    assert (card.name, card.content, card.path) == ("model/README.md", b"x", None)
    assert card.folder
    assert card_from_stdin(b"x", "nowhere/README.md").folder is None
    with pytest.raises(UsageError, match="20 MB"):
        card_from_stdin(b"x" * (20 << 20) + b"x", None)
