"""The repo that a training begins with, as `hubpub.training` finds it in the model."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace as Thing

import pytest

from hubpub.model.files import files_at
from hubpub.model.hubpub_run import read_recorded_runs
from hubpub.training import record
from hubpub.training.base_model import loaded_from


class Embedder(list):  # type: ignore[type-arg]
    """As a SentenceTransformer: a sequence of modules that encodes."""

    def encode(self) -> None: ...


def loaded(name: str | None) -> Thing:
    return Thing(config=Thing(_name_or_path=name), name_or_path=name)


def test_it_is_what_the_weights_were_loaded_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert loaded_from(loaded("google-bert/bert-base-uncased")) == "google-bert/bert-base-uncased"
    assert loaded_from(Embedder([Thing(auto_model=loaded("acme/base")), Thing()])) == "acme/base"


@pytest.mark.parametrize("name", ["", None, "/data/bert", "./bert", "~/bert", "C:\\bert", "runs/7/bert", "here/bert"])
def test_folders_and_new_weights_are_none(name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here" / "bert").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert loaded_from(loaded(name)) is None
    assert loaded_from(object()) is None


def test_what_the_person_says_counts(tmp_path: Path) -> None:
    with record(tmp_path / "one") as run:
        run.components(model=loaded("acme/base"))
    with record(tmp_path / "two") as run:
        run.note(base_model="acme/told")
        run.components(model=loaded("acme/base"))
    assert json.loads((tmp_path / "one" / "hubpub_run.json").read_text())["base_model"] == "acme/base"
    [found], _ = read_recorded_runs(files_at(tmp_path / "two"))
    fact = found.fact("base_model")
    assert fact is not None
    assert (fact.value, fact.key) == ("acme/told", "base_model")
