"""The command line itself: help, usage errors, output formats. What a push does is in tests/acceptance."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hubpub.cli.main import main
from hubpub.rules.catalogue import all_rules

Copy = Callable[[Path], Path]


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.fixture(autouse=True)
def away_from_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_help_lists_every_verb_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for word in (
        "check",
        "lint",
        "card",
        "plan",
        "push",
        "verify",
        "rollback",
        "serve",
        "whoami",
        "rule",
        "6 verification failed",
    ):
        assert word in out


@pytest.mark.parametrize(
    "verb", ["check", "lint", "card", "rehearse", "plan", "push", "verify", "rollback", "whoami", "rule", "serve"]
)
def test_every_verb_teaches(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    code, out, _ = run(capsys, verb, "--help")
    assert code == 0
    assert "Examples:" in out
    assert f"hubpub {verb}" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("chek", "x"), "did you mean `hubpub check`?"),
        (("push",), "see `hubpub push --help`"),
        (("check", "--format", "xml", "x"), "see `hubpub check --help`"),
        (("rule", "WEIGTH002"), "did you mean WEIGHT002"),
        (("check", ".", "--config", "none.toml"), "cannot be read"),
        (("lint", "none.md"), "cannot be read"),
        (("lint", "."), "has no README.md"),
        (("card", ".", "--write", "--diff"), "give one of them"),
        (("push", ".", "--repo-id", "a/b", "--org", "c"), "contradicts"),
        (("push", ".", "--org", "-"), "is not the name of an organisation"),
        (("push", ".", "--hub", "hub"), "is not the URL of a hub"),
    ],
)
def test_wrong_usage_is_one_line_with_the_next_step(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("push", "", "--org", "acme"), "argument 2"),
        (("push", "model", "--org", ""), "--org"),
        (("push", "model", "--org="), "--org"),
        (("push", "model", "--org", "acme", "--hub="), "--hub"),
        (("push", "model", "--repo", ""), "--repo"),
        (("check", ""), "argument 2"),
        (("rollback", "acme/model", "--to", "", "--json"), "--to"),
    ],
)
def test_what_a_variable_that_is_not_set_leaves_is_not_taken_for_an_argument(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], what: str
) -> None:
    """Else the working directory would be published, or to another organisation, or to another hub."""
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert err.startswith(f"error: {what} is empty; see whether a variable of the shell is not set")
    assert ("hubpub.error/1" in out) == ("--json" in arguments)


KEY = "AbCdEfGhIjKlMnOpQrStUvWxYz12345678"


@pytest.mark.parametrize("token", [f"hf_{KEY}", f"hf_oauth_{KEY}", "hf_jwt_eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("push", "model", "--token", "{}"),
        ("push", "model", "--org={}"),
        ("push", "{}", "--org", "acme"),
        ("push", "model", "--org", "acme", "--hub", "https://user:{}@hub.example"),
        ("check", "{}", "--json"),
        ("{}",),
    ],
)
def test_a_token_among_the_arguments_is_not_repeated(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], token: str
) -> None:
    code, out, err = run(capsys, *(argument.format(token) for argument in arguments))
    assert code == 2
    assert "holds a token" in err
    assert "revoke it" in err
    assert KEY not in out + err
    assert "c2lnbmF0dXJl" not in out + err


def test_a_folder_may_be_called_like_a_token(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "check", tmp_path / "hf_bertfinetunedonourownsupporttickets2026")
    assert code == 2
    assert "token" not in err


def test_a_rule_that_does_not_exist_cannot_be_ignored(capsys: pytest.CaptureFixture[str], plain_model: Path) -> None:
    code, _, err = run(capsys, "check", plain_model, "--ignore", "WEIGHT99")
    assert code == 2
    assert "there is no rule 'WEIGHT99'" in err


def test_check_in_text_and_json(capsys: pytest.CaptureFixture[str], plain_model: Path) -> None:
    code, out, _ = run(capsys, "check", plain_model)
    assert code == 0
    assert out.splitlines()[-1].startswith(f"ok: {plain_model}: no findings")
    code, out, _ = run(capsys, "check", plain_model, "--json")
    document = json.loads(out)
    assert (code, document["schema"], document["ok"], document["findings"]) == (0, "hubpub.report/1", True, [])
    assert document["facts"]["parameters"] > 0


def test_check_fails_at_its_threshold(capsys: pytest.CaptureFixture[str], plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    (folder / "optimizer.pt").write_bytes(b"\0")
    assert run(capsys, "check", folder)[0] == 0
    assert run(capsys, "check", folder, "--fail-on", "warning")[0] == 1
    assert run(capsys, "check", folder, "--fail-on", "warning", "--ignore", "FILE")[0] == 0
    assert run(capsys, "check", folder, "--fail-on", "warning", "--exclude", "optimizer.*")[0] == 0
    Path("hubpub.toml").write_text('fail-on = "warning"\n')
    assert run(capsys, "check", folder)[0] == 1
    assert run(capsys, "check", folder, "--fail-on", "error")[0] == 0, "a flag beats the file"


def test_card_prints_writes_and_shows_the_difference(
    capsys: pytest.CaptureFixture[str],
    plain_model: Path,
    copy_of: Copy,
) -> None:
    folder = copy_of(plain_model)
    readme = folder / "README.md"
    code, printed, _ = run(capsys, "card", folder)
    assert code == 0
    assert printed.startswith("---\n")
    assert not readme.exists()
    assert run(capsys, "card", folder, "--write")[0] == 0
    assert readme.read_text() == printed
    assert run(capsys, "card", folder, "--diff")[1] == ""

    by_hand = "---\nlicense: mit # ours\n---\n\n# Mine\n\nMy own words, without an end of line"
    readme.write_text(by_hand)
    shown = run(capsys, "card", folder, "--diff")[1]
    assert "+## Training data" in shown
    assert "\\ No newline at end of file" in shown
    assert readme.read_text() == by_hand
    run(capsys, "card", folder, "--write")
    assert readme.read_text().startswith("---\nlicense: mit # ours\n")
    assert "My own words, without an end of line" in readme.read_text()


def test_card_is_not_written_through_a_link(
    capsys: pytest.CaptureFixture[str], plain_model: Path, copy_of: Copy
) -> None:
    folder = copy_of(plain_model)
    (folder / "notes.md").write_text("# Notes\n")
    (folder / "README.md").symlink_to("notes.md")
    code, _, err = run(capsys, "card", folder, "--write")
    assert code == 2
    assert "is a symlink" in err
    assert (folder / "notes.md").read_text() == "# Notes\n"


def test_lint_reads_a_file_or_stdin(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: MIT\n---\n# Model\n")
    code, out, _ = run(capsys, "lint", card, "--json")
    first = json.loads(out)["findings"][0]
    assert (code, first["rule"], first["line"], first["fix"]["safe"]) == (1, "META012", 2, True)
    edit = first["fix"]["edits"][0]
    text = card.read_text()
    assert text[: edit["start"]] + edit["text"] + text[edit["end"] :] == text.replace("MIT", "mit")

    with card.open("rb") as stdin:
        monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": stdin}))
        code, out, _ = run(capsys, "lint", "-")
    assert code == 1
    assert "error META012 stdin:2:10: " in out


def test_rules_are_listed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "rule")
    assert len(out.splitlines()) == len(all_rules())
    _, page, _ = run(capsys, "rule", "weight002")
    for part in ("WEIGHT002 safetensors-malformed (error)", "Why", "Bad", "Good", "What to do", "Source"):
        assert part in page
    _, out, _ = run(capsys, "rule", "secret-in-file", "--json")
    assert json.loads(out)["code"] == "SECRET001"
    _, out, _ = run(capsys, "rule", "--json")
    assert [rule["code"] for rule in json.loads(out)] == [rule.code for rule in all_rules()]
