"""Following the files: changes are seen, and nothing that is wrong with them ends the preview."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hubpub.core.settings import Settings, find_settings
from hubpub.preview import live
from hubpub.preview.live import LivePreview

CARD = "---\nlicense: mit\n---\n# Title\n\n![p](assets/p.png)\n"


@pytest.fixture
def model(plain_model: Path, copy_of: Callable[[Path], Path]) -> Path:
    folder = copy_of(plain_model)
    (folder / "README.md").write_text(CARD)
    return folder


def following(path: Path) -> LivePreview:
    return LivePreview(path, lambda: find_settings(path), remote_images=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "README.md").write_text(CARD + "more"),
        lambda folder: (folder / "config.json").write_text("{}"),
        lambda folder: ((folder / "assets").mkdir(), (folder / "assets/p.png").write_bytes(b"x")),
        lambda folder: ((folder / ".eval_results").mkdir(), (folder / ".eval_results/x.yaml").write_text("[]")),
        lambda folder: (folder / "hubpub.toml").write_text("org = 'acme'"),
        lambda folder: (folder / "new.json").write_text("{}"),
    ],
    ids=["card", "config", "picture", "results", "settings", "new file"],
)
def test_a_change_is_seen_once(model: Path, change: Callable[[Path], object]) -> None:
    preview = following(model)
    before = preview.page()
    assert f'data-version="{preview.version()}"' in before
    change(model)
    assert f'data-version="{preview.version()}"' not in before
    after = preview.page()
    assert f'data-version="{preview.version()}"' in after


def test_saving_by_renaming_shows_no_moment_without_the_card(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preview = following(model)
    preview.page()
    version = preview.version()
    content = (model / "README.md").read_text()
    (model / "README.md").unlink()
    assert preview.version() == version
    (model / "new").write_text(content + "more")
    (model / "new").rename(model / "README.md")
    assert preview.version() != version
    (model / "README.md").unlink()
    monkeypatch.setattr(live, "_PATIENCE", 0)
    assert "There is no README.md yet" in preview.page()


def test_a_lone_card_that_is_gone_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_PATIENCE", 0)
    card = tmp_path / "CARD.md"
    card.write_text(CARD)
    preview = following(card)
    assert "<h1" in preview.page()
    card.unlink()
    gone = preview.page()
    assert "CARD.md cannot be read" in gone
    assert "how it was before" in gone
    assert ">Title</h1>" in gone
    card.write_text(CARD + "back")
    back = preview.page()
    assert "cannot be read" not in back
    assert "back" in back


def test_wrong_settings_and_faults_are_told(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preview = following(model)
    preview.page()
    (model / "hubpub.toml").write_text("org = 5")
    wrong = preview.page()
    assert "org is not a string" in wrong
    assert ">Title</h1>" in wrong
    (model / "hubpub.toml").write_text("org = 'acme'")
    assert '<span class="namespace">acme/</span>plain_model' in preview.page()

    def fail(path: Path, settings: Settings) -> None:
        raise ValueError("<b>")

    monkeypatch.setattr(live, "read_subject", fail)
    failed = preview.page()
    assert "ValueError: &lt;b&gt;" in failed
    assert ">Title</h1>" in failed


def test_unreadable_metadata_is_a_finding(model: Path) -> None:
    preview = following(model)
    (model / "README.md").write_text("---\nlicense: [mit\n---\n# Title\n")
    page = preview.page()
    assert "<code>META003</code>" in page
    assert re.search(r'class="line marked error"><span class="number">\d</span>', page)


def test_a_folder_that_never_could_be_read(tmp_path: Path) -> None:
    page = following(tmp_path).page()
    assert "holds no files" in page
    assert "data-version" in page
