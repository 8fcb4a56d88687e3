"""Training data that a person names: where they may lie, what the card tells of them, and what it does not."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from support.tracing import disagreeing, untraced

from hubpub.card.answers.card_input import answers_for
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.card.writing.render import render_card, render_folder_card
from hubpub.core.errors import UsageError
from hubpub.core.settings import CardSettings, parse_settings
from hubpub.model.folder import ModelFolder

Copy = Callable[[Path], Path]


@pytest.fixture
def model(plain_model: Path, copy_of: Copy) -> Path:
    return copy_of(plain_model)


def write_reviews(folder: Path, rows: int = 3) -> Path:
    """Two CSV files with a split in their names."""
    folder.mkdir(parents=True)
    for split, count in (("train", rows), ("test", 1)):
        lines = "".join(f"a text,{number}\n" for number in range(count))
        (folder / f"{split}.csv").write_text(f"text,stars\n{lines}")
    return folder


def facts(model: Path, *data: Path | str, settings: CardSettings | None = None) -> CardFacts:
    folder, settings = ModelFolder.open(model), settings or CardSettings()
    answers = answers_for(folder, settings, data=map(str, data))
    return card_facts(folder, repo_id=None, settings=settings, answers=answers)


def rows(known: CardFacts) -> dict[str, object]:
    return {split.name: split.rows and split.rows.value for data in known.data for split in data.splits}


def test_a_directory_is_told_by_its_own_name_and_every_number_is_traced(model: Path, tmp_path: Path) -> None:
    known = facts(model, write_reviews(tmp_path / "alice" / "reviews"))
    text = render_card(known)
    assert "The data in `reviews/` (CSV):\n\n| Split | Rows |\n|---|---|\n| train | 3 |\n| test | 1 |\n" in text
    assert "| `text` | string |\n| `stars` | int64 |" in text
    assert "alice" not in text
    assert "hubpub:todo training-data" not in text
    assert untraced(text, known) == []
    assert disagreeing(known, model, tmp_path / "alice") == []
    assert known.sources["data.0.train.rows"] == "reviews/train.csv"


def test_a_home_directory_is_named_like_its_owner_and_so_is_not_named(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = write_reviews(tmp_path / "alice")
    monkeypatch.setenv("HOME", str(home))
    assert "alice" not in render_card(facts(model, "~"))
    assert "`data/`" in render_card(facts(model, home))


def test_the_command_line_beats_card_yaml_and_that_beats_the_settings(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_reviews(tmp_path / "project" / "reviews", 5)
    settings = parse_settings({"card": {"data": ["reviews"]}}, tmp_path / "project" / "hubpub.toml").card
    assert rows(facts(model, settings=settings)) == {"train": 5, "test": 1}
    # what push, preview and rehearse call
    assert "| train | 5 |" in render_folder_card(ModelFolder.open(model), repo_id=None, settings=settings)
    write_reviews(model / "data", 6)
    (model / "card.yaml").write_text("data: data\n")
    assert rows(facts(model, settings=settings)) == {"train": 6, "test": 1}
    write_reviews(tmp_path / "other", 7)
    assert rows(facts(model, "other", settings=settings)) == {"train": 7, "test": 1}


@pytest.mark.parametrize("named", ["../outside", "/etc", "~", ".", "data/../../outside", "linked", "..\\outside"])
def test_card_yaml_of_a_model_leaves_its_folder_for_nothing(model: Path, tmp_path: Path, named: str) -> None:
    write_reviews(tmp_path / "outside")
    (model / "linked").symlink_to(tmp_path / "outside")
    (model / "card.yaml").write_text(f"language: en\ndata: '{named}'\n")
    with pytest.raises(UsageError, match=r"card\.yaml:2:1: "):
        facts(model)


def test_pickles_are_named_and_stay_closed(model: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.write_text, (tmp_path / "opened", "x"))

    folder = write_reviews(tmp_path / "reviews")
    (folder / "frame.pkl").write_bytes(pickle.dumps(Bomb()))
    text = render_card(facts(model, folder))
    assert "Not described here, since only code could open pickles: `reviews/frame.pkl`." in text
    alone = render_card(facts(model, folder / "frame.pkl"))
    assert "pickles: `frame.pkl`." in alone
    assert "hubpub:todo training-data" in alone
    assert not (tmp_path / "opened").exists()


def test_pictures_are_counted_by_split_and_class(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    counts = {"train": {"cat": 3, "dog": 2}, "test": {"cat": 1, "dog": 0}}
    for split, classes in counts.items():
        for name, count in classes.items():
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (2, 2)).save(folder / split / name / f"{number}.png")
    known = facts(model, folder)
    text = render_card(known)
    assert "The pictures in `pets/`:" in text
    assert "| Split | Rows | `cat` | `dog` |\n|---|---|---|---|\n| train | 5 | 3 | 2 |\n| test | 1 | 1 | 0 |" in text
    assert "| `label` | class_label, 2 classes: `cat`, `dog` |" in text
    assert disagreeing(known, model, tmp_path) == []


def test_what_cannot_be_read_says_what_to_name(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--data: .*nowhere cannot be read"):
        facts(model, "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="tells nothing of data: none of its files holds rows") as caught:
        facts(model, tmp_path / "empty")
    assert "CSV" in caught.value.next_step


def test_the_same_data_give_the_same_card(model: Path, tmp_path: Path) -> None:
    folder = write_reviews(tmp_path / "reviews")
    assert render_card(facts(model, folder)) == render_card(facts(model, folder))
    beside = render_card(facts(model, folder / "train.csv", folder / "test.csv"))
    assert "`train.csv` (CSV)" in beside
    assert "`test.csv` (CSV)" in beside
