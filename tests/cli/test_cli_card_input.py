"""`hubpub card` with what people bring: answers, templates, the interview; and what it says of results."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from hubpub.card.answers.card_input import parse_answers
from hubpub.cli import interview
from hubpub.cli.card import card
from hubpub.core.errors import UsageError

Copy = Callable[[Path], Path]
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in an empty working directory, with answers typed on what it takes for a terminal."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(interview, "on_a_terminal", lambda: True)

    def invoke(*arguments: str | Path, typed: str = "") -> Result:
        return CliRunner().invoke(card, [str(argument) for argument in arguments], input=typed, standalone_mode=False)

    return invoke


def test_answers_and_results_on_one_command_line(run: Run, plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    results = {
        "results": {"gsm8k": {"acc,none": 0.2}, "quick": {"acc,none": 1}},
        "configs": {"gsm8k": {"dataset_path": "openai/gsm8k"}},
        "versions": {},
    }
    (folder / "results_x.json").write_text(json.dumps(results))
    shown = run(folder, "--set", "license=mit", "--set", "language=en")
    assert "license: mit\nlanguage:\n  - en\n" in shown.stdout
    assert "would write .eval_results/gsm8k.yaml" in shown.stderr
    assert "quick of results_x.json is of no data set that the file names" in shown.stderr
    assert not (folder / ".eval_results").exists()
    (folder / "README.md").write_text(shown.stdout)
    assert run(folder, "--check", "--set", "license=mit", "--set", "language=en").return_value == 1
    (folder / "README.md").write_text(run(folder, "--set", "license=mit").stdout)
    told = json.loads(run(folder, "--check", "--json", "--set", "license=mit").stdout)
    results_of_card = [{"path": ".eval_results/gsm8k.yaml", "state": "new"}]
    assert (told["stale"], told["diff"], told["eval_results"]) == (True, "", results_of_card)
    written = run(folder, "--write", "--set", "license=mit")
    assert "wrote .eval_results/gsm8k.yaml" in written.stderr
    assert (folder / ".eval_results/gsm8k.yaml").is_file()
    again = run(folder, "--write", "--set", "license=mit")
    assert "eval_results" not in again.stderr
    assert run(folder, "--check", "--set", "license=mit").return_value == 0


def test_a_card_yaml_elsewhere(run: Run, plain_model: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("license: mit\n")
    assert "license: mit" in run(plain_model, "--card-yaml", answers).stdout
    answers.write_text("\nlicence: mit\n")
    failed = run(plain_model, "--card-yaml", answers)
    assert isinstance(failed.exception, UsageError)
    assert failed.exception.message == f"{answers}:2:1: unknown key licence"
    missing = run(plain_model, "--card-yaml", tmp_path / "none.yaml")
    assert isinstance(missing.exception, UsageError)


def test_templates_from_the_command_line(run: Run, plain_model: Path, tmp_path: Path) -> None:
    listed = run("--list-templates").stdout.split()
    assert listed[0] == "default"
    assert "sections/intended-uses.md.jinja" in listed
    ejected = run("--eject", "sections/intended-uses", tmp_path / "templates")
    assert f"wrote {tmp_path}/templates/sections/intended-uses.md.jinja" in ejected.stderr
    (tmp_path / "one.md.jinja").write_text("# {{ facts.name }}\n{{ facts.nam }}\n")
    failed = run(plain_model, "--template", tmp_path / "one.md.jinja")
    assert isinstance(failed.exception, UsageError)
    assert failed.exception.message == f"{tmp_path}/one.md.jinja:2: CardFacts has no attribute 'nam'"


def test_the_interview_keeps_each_answer(run: Run, plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    (folder / "card.yaml").write_text("# by hand\ntags: [acme]  # ours\n")
    typed = "foo\nMIT\n\nFor reviews.\n\n- of films\n\n\nIrony.\n\n\n"
    done = run(folder, "--interview", typed=typed + "\n" * 9)
    assert done.exception is None
    assert "\n  the Hub knows no license 'foo'" in done.stderr
    assert "Nobody may use a model without one." in done.stderr
    text = (folder / "card.yaml").read_text()
    assert text.startswith("# by hand\ntags: [acme]  # ours\nlicense: mit\nlanguage: en\n")
    answers = parse_answers(text.encode(), "card.yaml")
    assert answers.sections["intended-uses"] == "For reviews.\n\n- of films"
    assert answers.sections["limitations-and-bias"] == "Irony."
    assert "license: mit\nlanguage:\n  - en\n" in done.stdout
    assert "For reviews." in done.stdout
    skipped = run(folder, "--interview", typed="\n" * 20)
    assert (folder / "card.yaml").read_text() == text
    assert "Licence" not in skipped.stderr


def test_an_interview_that_ends_early_loses_nothing(run: Run, plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    done = run(folder, "--interview", "--write", typed="mit\n")
    assert isinstance(done.exception, click.Abort)
    assert parse_answers((folder / "card.yaml").read_bytes(), "card.yaml").metadata == {"license": "mit"}
    assert not (folder / "README.md").exists()


def test_a_question_with_a_default_can_be_skipped(run: Run, plain_model: Path, copy_of: Copy) -> None:
    """An empty answer takes what is in brackets: nobody who wants to skip it means that the model speaks English."""
    folder = copy_of(plain_model)
    done = run(folder, "--interview", typed="\n-\n" + "\n" * 20)
    assert "[en]" in done.stderr
    assert "takes the one in brackets" in done.stderr
    assert "- skips any" in done.stderr
    assert not (folder / "card.yaml").exists()


def test_what_the_next_write_takes_out_is_told(run: Run, plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    assert "--set is for this once" in run(folder, "--write", "--set", "license=mit").stderr
    again = run(folder, "--write").stderr
    assert "removed metadata license" in again
    assert "--set" not in again
    assert "removed" not in run(folder, "--write").stderr


def test_an_interview_for_a_folder_that_may_not_be_changed(run: Run, plain_model: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in plain_model.iterdir())
    kept = tmp_path / "answers.yaml"
    done = run(plain_model, "--interview", "--card-yaml", kept, typed="mit\n" + "\n" * 20)
    assert done.exception is None
    assert "license: mit" in done.stdout
    assert sorted(path.name for path in plain_model.iterdir()) == before
    assert parse_answers(kept.read_bytes(), "answers.yaml").metadata == {"license": "mit", "language": ["en"]}


def test_without_a_terminal_nobody_is_asked(run: Run, plain_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interview, "on_a_terminal", lambda: False)
    failed = run(plain_model, "--interview")
    assert isinstance(failed.exception, UsageError)
    assert "--set" in failed.exception.next_step


def test_on_a_real_terminal(plain_model: Path, copy_of: Copy, tmp_path: Path) -> None:
    """Two answers, and Ctrl-C at the third question: the answers are there, and the card is not."""
    folder = copy_of(plain_model)
    ours, theirs = pty.openpty()
    # Ctrl-C reaches whom the terminal belongs to
    code = "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    code += "from hubpub.cli.main import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "card", str(folder), "--interview", "--write"]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, start_new_session=True
    )
    os.close(theirs)
    said = ""

    def wait_for(words: str, again: bytes = b"") -> None:
        """Read until the words come, and press the keys again where nothing comes.

        A signal that arrives just before Python begins to wait for a line is seen when the wait is over.
        """
        nonlocal said
        end = time.monotonic() + 120
        while words not in said:
            assert time.monotonic() < end, said
            if select.select([ours], [], [], 5)[0]:
                said += os.read(ours, 10_000).decode()
            else:
                os.write(ours, again)
        said = said.partition(words)[2]

    try:
        wait_for("Licence")
        wait_for("> ")
        os.write(ours, b"mit\n")
        wait_for("Languages")
        wait_for("[en]")
        os.write(ours, b"\n")
        wait_for("Intended uses")
        wait_for("> ")
        os.write(ours, b"\x03")
        wait_for("interrupted", b"\x03")
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert not (folder / "README.md").exists()
    assert parse_answers((folder / "card.yaml").read_bytes(), "card.yaml").metadata == {
        "license": "mit",
        "language": ["en"],
    }
