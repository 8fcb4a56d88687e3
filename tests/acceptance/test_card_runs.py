"""From a folder that a real, tiny training run saved to a card that is fit for release, by the real commands."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command import REPO
from support.tracing import disagreeing, untraced

import hubpub
from hubpub.card.answers.card_input import answers_for
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.card.gaps import find_gaps
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder
from hubpub.rehearsal.result import Status

HUMAN = ["intended-uses", "limitations-and-bias"]
# Those that were trained without hubpub's callback, or on files that say more than what the Trainer was given.
WITH_DATA = ("text_classifier", "chat_lm", "image_classifier")
RUNS = ("text_classifier", "token_classifier", "chat_lm", "adapter", "seq2seq", "embedder", "image_classifier")
# What else `lint` warns of, beside the two gaps. No folder holds a licence; T5 is for more than one task.
WARNINGS = {**{name: {"META011"} for name in (*RUNS, "minilm")}, "seq2seq": {"META011", "META023"}}
Release = Callable[[str], Path]


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hubpub", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPO,
        timeout=120,
    )


@pytest.fixture(scope="module")
def release(tiny_runs: Path, minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Gives the folder of a run with the card that `hubpub card --write` put there, and no other card."""
    root = tmp_path_factory.mktemp("releases")

    def made(name: str) -> Path:
        folder = root / name
        if not folder.exists():
            shutil.copytree(minilm if name == "minilm" else tiny_runs / name, folder)
            (folder / "README.md").unlink(missing_ok=True)  # that of sentence-transformers or PEFT
            data = ("--data", tiny_runs / "data" / name) if name in WITH_DATA else ()
            done = command("card", folder, "--repo-id", f"acme/{name}", "--write", *data)
            assert done.returncode == 0, done.stderr
        return folder

    return made


def facts_of(folder: Path, data: Path) -> CardFacts:
    model, name = ModelFolder.open(folder), folder.name
    answers = answers_for(model, CardSettings(), data=[str(data / name)] if name in WITH_DATA else ())
    return card_facts(model, repo_id=f"acme/{name}", settings=CardSettings(), answers=answers)


@pytest.mark.parametrize("name", RUNS)
def test_only_people_know_what_is_missing(name: str, release: Release) -> None:
    text = (release(name) / "README.md").read_text()
    assert [gap.slot for gap in find_gaps(text)] == HUMAN
    based = name in ("text_classifier", "token_classifier", "embedder")
    assert ("base_model: acme/tiny-bert\nbase_model_relation: finetune\n" in text) is based


def test_of_minilm_no_file_tells_how_it_was_trained(release: Release) -> None:
    text = (release("minilm") / "README.md").read_text()
    assert [gap.slot for gap in find_gaps(text)] == [*HUMAN, "training-procedure", "evaluation-results"]
    assert "base_model: nreimers/MiniLM-L6-H384-uncased\n" in text
    assert "290 files with 1,170,060,424 rows" in text
    assert "license" not in text
    assert "language" not in text


@pytest.mark.parametrize("name", [*RUNS, "minilm"])
def test_lint_finds_no_error_and_warns_of_what_is_true(name: str, release: Release) -> None:
    done = command("lint", release(name), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    found = [one for one in report["findings"] if one["severity"] in ("error", "warning")]
    gaps = len(find_gaps((release(name) / "README.md").read_text()))
    assert [one["rule"] for one in found].count("SECT010") == gaps
    assert {one["rule"] for one in found} == {"SECT010", *WARNINGS[name]}


@pytest.mark.parametrize("name", ["adapter", "embedder"])
def test_the_card_that_a_library_saved_leaves_people_no_more_to_write(
    name: str, tiny_runs: Path, tmp_path: Path
) -> None:
    """PEFT saves a template with thirty placeholders, sentence-transformers a card with an id that loads nothing."""
    folder = Path(shutil.copytree(tiny_runs / name, tmp_path / name))
    done = command("card", folder, "--repo-id", f"acme/{name}", "--replace-stubs", "--write")
    assert done.returncode == 0, done.stderr
    assert [gap.slot for gap in find_gaps((folder / "README.md").read_text())] == HUMAN
    linted = command("lint", folder)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize("name", [*RUNS, "minilm"])
def test_every_number_is_that_of_its_file(name: str, release: Release, tiny_runs: Path) -> None:
    folder, data = release(name), tiny_runs / "data"
    facts = facts_of(folder, data)
    assert untraced((folder / "README.md").read_text(), facts) == []
    assert disagreeing(facts, folder, data) == []
    assert str(tiny_runs) not in (folder / "README.md").read_text()


@pytest.mark.parametrize("name", [*RUNS, "minilm"])
def test_it_loads_and_its_snippet_runs(name: str, release: Release, tiny_runs: Path) -> None:
    bases = {"acme/tiny-base": tiny_runs / "acme/tiny-base"} if name == "adapter" else {}
    rehearsal = hubpub.rehearse(release(name), f"acme/{name}", bases=bases, depth="quick")
    told = [(check.name, check.status, check.text) for check in rehearsal.checks]
    assert rehearsal.ok, (told, [(block.line, block.reason) for block in rehearsal.blocks])
    assert {status for _, status, _ in told} == {Status.RAN}, told
    assert len(told) > 3
    python = [block for block in rehearsal.blocks if block.language == "python"]
    assert python
    assert all(block.status is Status.RAN and block.by_hubpub for block in python), python
