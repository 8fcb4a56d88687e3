"""`hubpub card` on a folder whose card a person has worked on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.managed_cards import METADATA, managed_card, with_regions

from hubpub.card.merge.lock import LOCK
from hubpub.cli.main import main

FIRST = managed_card()
SECOND = managed_card(
    with_regions("Evaluation results", results="Measured on 20 examples."), metadata={**METADATA, "license": "bsd"}
)

Card = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(plain_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    model = Path(shutil.copytree(plain_model, tmp_path / "model"))
    (model / "README.md").unlink(missing_ok=True)
    return model


@pytest.fixture
def card(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Card:
    """Runs `hubpub card` on the folder, whose facts amount to the card `rendered`: code, stdout, stderr."""

    def run(*options: str, rendered: str = FIRST) -> tuple[int, str, str]:
        monkeypatch.setattr("hubpub.card.writing.render.render_card", lambda *_: rendered)
        with pytest.raises(SystemExit) as ended:
            main(["card", str(folder), *options])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def command(folder: Path, capsys: pytest.CaptureFixture[str]) -> Card:
    """Runs `hubpub card` on the folder with its own facts."""

    def run(*options: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["card", str(folder), *options])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_check_fails_until_the_card_is_written_and_again_when_the_facts_change(folder: Path, card: Card) -> None:
    code, out, err = card("--check")
    assert (code, out) == (1, "")
    assert "added the card README.md" in err
    assert "--write` brings it there" in err
    assert not (folder / LOCK).exists()
    assert card("--write")[0] == 0
    assert (folder / "README.md").read_text() == FIRST
    assert card("--check")[0] == 0
    code, _, err = card("--check", rendered=SECOND)
    assert code == 1
    assert "updated metadata license" in err
    assert "updated the region results" in err
    assert (folder / "README.md").read_text() == FIRST


def test_what_is_kept_by_hand_is_told_and_no_failure(folder: Path, card: Card) -> None:
    card("--write")
    mine = FIRST.replace("f1 | 0.9", "f1 | 0.91").replace("license: mit\n", "")
    (folder / "README.md").write_text(mine)
    code, _, err = card("--check", rendered=SECOND)
    assert code == 0
    assert "kept by hand: the region results (would now be different)" in err
    assert "left out, as they were deleted by hand: metadata license" in err
    assert "--theirs NAME" in err
    _, out, err = card("--diff", rendered=SECOND)
    assert out == ""
    assert "+Measured on 20 examples." in err
    assert "-| f1 | 0.91 |" in err
    _, _, err = card("--write", rendered=SECOND)
    assert "kept by hand: the region results" in err
    assert (folder / "README.md").read_text() == mine


def test_theirs_takes_hubpubs_text_and_names_are_checked(folder: Path, card: Card) -> None:
    card("--write")
    (folder / "README.md").write_text(FIRST.replace("f1 | 0.9", "f1 | 0.91").replace("license: mit", "license: gpl"))
    code, _, err = card("--write", "--theirs", "result", rendered=SECOND)
    assert code == 2
    assert "name one of evaluation-results," in err
    assert card("--diff", "--theirs", "all", "--ours", "results", rendered=SECOND)[1].count("\n+") == 2
    card("--write", "--theirs", "results", rendered=SECOND)
    assert (folder / "README.md").read_text() == SECOND.replace("license: bsd", "license: gpl")
    card("--write", "--theirs", "all", rendered=SECOND)
    assert (folder / "README.md").read_text() == SECOND


def test_json_tells_the_same(folder: Path, card: Card) -> None:
    card("--write")
    (folder / "README.md").write_text(FIRST.replace("f1 | 0.9", "f1 | 0.91"))
    code, out, _ = card("--check", "--json", rendered=SECOND)
    document: dict[str, Any] = json.loads(out)
    assert (code, document["schema"], document["stale"], document["written"]) == (1, "hubpub.card/1", True, False)
    assert document["changes"] == [{"part": "metadata", "name": "license", "how": "updated"}]
    assert [(kept["name"], kept["why"]) for kept in document["kept"]] == [("results", "edited")]
    assert "+license: bsd" in document["diff"]


def test_a_marker_that_is_damaged_is_told_with_its_line(folder: Path, card: Card) -> None:
    card("--write")
    (folder / "README.md").write_text(FIRST.replace("<!-- hubpub:end results -->\n", ""))
    line = FIRST[: FIRST.index("<!-- hubpub:begin results")].count("\n") + 1
    err = card("--write", rendered=SECOND)[2]
    assert f"line {line}: the marker of the region results begins a region that is not ended" in err


def test_stubs_are_replaced_when_asked_for(folder: Path, card: Card) -> None:
    (folder / "README.md").write_text("# x\n\n## Model description\n\nMore information needed\n\n## Mine\n\nWords.\n")
    assert "More information needed" in card()[1]
    assert "More information needed" not in card("--replace-stubs")[1]


@pytest.mark.parametrize("options", [("--write", "--check"), ("--write", "--diff")])
def test_what_excludes_each_other(card: Card, options: tuple[str, str]) -> None:
    code, _, err = card(*options)
    assert code == 2
    assert "give one of them" in err


def test_check_and_lint_say_nothing_of_hubpubs_notes(
    folder: Path, card: Card, capsys: pytest.CaptureFixture[str]
) -> None:
    card("--write")
    with pytest.raises(SystemExit):
        main(["check", str(folder), "--json"])
    assert ".hubpub" not in json.dumps(json.loads(capsys.readouterr().out)["findings"])


def test_a_card_that_the_settings_exclude_stays(folder: Path, tmp_path: Path, card: Card) -> None:
    (folder / "README.md").write_text("# By hand\n")
    (tmp_path / "hubpub.toml").write_text('exclude = ["*.md"]\n')
    code, _, told = card("--write")
    assert code == 4
    assert "the settings exclude it" in told
    assert (folder / "README.md").read_text() == "# By hand\n"


@pytest.mark.parametrize("options", [(), ("--diff",)])
def test_a_card_does_not_steer_the_terminal(
    options: tuple[str, ...], folder: Path, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "README.md").write_text("# By hand\x1b]0;pwned\x07\u202e\n\tand \x9b31m more\n")
    assert "\x1b]0;" in card(*options)[1]
    monkeypatch.setattr("hubpub.cli.output.sys.stdout.isatty", lambda: True, raising=False)
    shown = card(*options)[1]
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)
    assert "\n" in shown


def test_the_repo_that_a_card_was_written_for_is_remembered(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So that --check needs no --repo-id; another one, or a lock that names none, is another card."""

    def run(*options: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["card", str(folder), *options])
        capsys.readouterr()
        return int(str(ended.value.code))

    assert run("--write", "--repo-id", "acme/model-x") == 0
    assert '"acme/model-x"' in (folder / "README.md").read_text()
    assert (run("--check"), run("--write"), run("--check")) == (0, 0, 0)
    assert run("--check", "--repo-id", "acme/other") == 1
    lock = folder / LOCK
    lock.write_text(lock.read_text().replace("acme/model-x", "../model"))
    assert run("--check") == 1


def test_the_settings_say_where_the_model_goes(folder: Path, command: Card) -> None:
    """As for `push`, which publishes below `org`; of no repo, a snippet cannot be right, and that is said."""
    code, _, err = command("--write")
    assert code == 0
    assert "the card calls the model model; --repo-id NS/NAME" in err
    (folder.parent / "hubpub.toml").write_text('org = "acme"\n')
    code, _, err = command("--write")
    assert "calls the model" not in err
    assert '"acme/model"' in (folder / "README.md").read_text()
    assert command("--check")[0] == 0
    (folder.parent / "hubpub.toml").write_text('org = "Acme, as the hub shows it"\n')
    assert command("--diff")[1].count('+classifier = pipeline("text-classification", model="model")') == 1


def test_a_card_that_comes_without_its_lock_names_its_repo(folder: Path, command: Card) -> None:
    """The hub has no lock, and a download lies in a folder of any name."""
    assert command("--write", "--repo-id", "acme/reviews")[0] == 0
    text = (folder / "README.md").read_text()
    (folder / LOCK).unlink()
    assert command("--write")[0] == 0
    assert command("--write")[0] == 0
    assert (folder / "README.md").read_text() == text


def test_a_lock_with_the_marks_of_a_merge_is_told_and_kept(folder: Path, command: Card) -> None:
    """Taken for none, it would be written over, and what people deleted would be forgotten."""
    assert command("--write", "--repo-id", "acme/x")[0] == 0
    before, lock = (folder / "README.md").read_bytes(), folder / LOCK
    lock.write_text("<<<<<<< HEAD\n" + lock.read_text() + "=======\n{}\n>>>>>>> other\n")
    marked = lock.read_text()
    assert f"{lock} cannot be read" in command("--check")[2]
    code, _, err = command("--write")
    assert code == 2
    assert "after a merge, take either side" in err
    assert (lock.read_text(), (folder / "README.md").read_bytes()) == (marked, before)
    lock.unlink()
    assert command("--write")[0] == 0


@pytest.mark.parametrize("verb", ["card", "lint", "preview", "plan"])
def test_a_card_that_no_hub_would_show_is_not_passed_over(
    verb: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another would be rendered and published beside it, and its author would look for it in vain."""
    (folder / "Readme.md").write_text("# By hand\n")
    monkeypatch.setenv("HF_TOKEN", "hf_" + "aB3" * 12)
    more = {"preview": ["--once", "x.html"], "plan": ["--org", "acme", "--hub", "http://127.0.0.1:9"]}
    with pytest.raises(SystemExit) as ended:
        main([verb, str(folder), *more.get(verb, [])])
    assert ended.value.code == 2
    assert (
        "Readme.md is not read as the card: hubs show README.md and no other spelling; rename it"
        in capsys.readouterr().err
    )
