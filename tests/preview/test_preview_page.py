"""The whole page: where findings go, what is on it, and that one file is enough."""

from __future__ import annotations

import re
import time
from html import unescape
from pathlib import Path

import pytest
from support.nasty_cards import NASTY

from hubpub.cli.main import main
from hubpub.core.settings import LintSettings, Settings
from hubpub.preview.page import live_page, whole_page
from hubpub.preview.subject import read_subject

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "cards"
PATHS = sorted(CORPUS.glob("*.md"))


def page_of(path: Path, settings: Settings | None = None) -> str:
    return live_page(read_subject(path, settings or Settings()), "v", remote_images=False).html


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_a_real_card(minilm: Path) -> None:
    html = page_of(minilm)
    text = words(html)
    assert "Sentence Similarity" in text
    assert "4/7 sections filled" in text
    assert re.search(r"SECT003 .*META029 line 2 .*Metadata", text)  # before the block that they are about
    in_card = html.partition("<article")[2]
    assert re.search(r"USAGE003.*?</div>\s*</div>\s*<pre", in_card, re.DOTALL)
    assert '<li class="filled"><span><a href="#training-procedure">Training procedure</a></span>' in html
    assert html.count("<main") == html.count("<h1>model</h1>") == html.count("<footer") == 1
    assert "<script src=" in html
    assert not re.search(r"<script>|<style|\sstyle=|\son[a-z]+=", html)


def test_a_folder_without_a_card_shows_the_one_that_would_be_written(plain_model: Path) -> None:
    html = page_of(plain_model)
    assert "There is no README.md yet" in html
    assert html.count('<div class="gap">') == 5
    assert "BertForSequenceClassification" in html
    assert not (plain_model / "README.md").exists()
    assert f"acme/{plain_model.name}" in words(page_of(plain_model, Settings(org="acme"))).split("How to use")[-1]


def test_settings_count(minilm: Path) -> None:
    settings = Settings(org="acme", ignore=("META029",), lint=LintSettings(severity={"SECT003": "error"}))
    text = words(page_of(minilm, settings))
    assert "acme/ model" in text
    assert "META029" not in text
    assert "1 error " in text


def test_one_file_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/p.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    card = tmp_path / "README.md"
    card.write_text("# T\n\n![p](assets/p.svg) ![r](https://r.example/r.png)\n")
    out = tmp_path / "out.html"
    with pytest.raises(SystemExit) as left:
        main(["preview", str(card), "--once", str(out)])
    assert left.value.code == 0
    html = out.read_text()
    assert 'src="data:image/svg+xml;base64,' in html
    assert "remote image, not loaded" in html
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert "unsafe" not in policy[1]
    assert "img-src data:;" in policy[1]
    assert not re.search(r'(?:src|href)="(?:/|https://r\.)', html)
    assert "wrote" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["missing", "."])
def test_what_cannot_be_previewed_is_an_error(tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["preview", str(tmp_path / path), "--once", str(tmp_path.parent / "x.html")])
    assert left.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_card_that_is_a_link_out_of_the_folder_is_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret").write_text("secret words")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "README.md").symlink_to(tmp_path / "secret")
    (folder / "config.json").write_text("{}")
    with pytest.raises(SystemExit) as left:
        main(["preview", str(folder), "--once", str(tmp_path / "x.html")])
    assert left.value.code == 2
    assert "is not a file of the folder" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["headings", "HTML", "placeholders", "results", "deep quotes", "open links"])
def test_cards_that_nobody_writes_are_shown_too(kind: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(NASTY[kind](30_000))
    html = page_of(tmp_path / "README.md")
    assert len(html) < 3_000_000
    found = re.search(r"([\d,]+) more findings are not on this page", html)
    assert html.count('class="note ') <= 400
    assert bool(found) is (html.count('class="note ') == 400)


@pytest.mark.skipif(not PATHS, reason="the corpus of real cards is not beside the checkout")
def test_real_cards_are_shown_whole_and_in_time() -> None:
    whole_page(read_subject(PATHS[0], Settings()), remote_images=False)
    for path in PATHS:
        for _ in range(2):  # a busy machine may take twice as long once
            started = time.process_time()
            subject = read_subject(path, Settings())
            html = whole_page(subject, remote_images=False)
            seconds = time.process_time() - started
            if seconds < 0.3:
                break
        assert seconds < 0.3, path.name
        shown = set(re.findall(r"\w+", unescape(re.sub(r"<[^>]+>", "", html.partition("<article")[2]))))
        for section in subject.card.sections:
            assert set(re.findall(r"\w+", unescape(section.heading))) <= shown, (path.name, section.heading)
        assert html.count('class="note ') == len(subject.report.findings), path.name
