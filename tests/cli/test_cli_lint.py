"""`hubpub lint` through the real command."""

from __future__ import annotations

import io
import json
import os
import stat
from pathlib import Path

import pytest

from hubpub.cli.main import main

BAD = "---\nlicense: MIT\n---\n\n# {{ name }}\n"
QUIET = ("--ignore", "SECT,TEXT011")


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def lint(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[str], str]:
    """The exit code, the codes of the findings, and stderr."""
    code, out, err = run(capsys, "lint", *arguments, "--format", "jsonl")
    return code, [json.loads(line)["rule"] for line in out.splitlines()], err


@pytest.fixture(autouse=True)
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("README.md").write_text(BAD)
    return tmp_path / "README.md"


def give(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_rules_are_selected(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(capsys, "README.md", *QUIET) == (1, ["META012", "TEXT003"], "")
    assert lint(capsys, "README.md", "--select", "TEXT00,META011")[1] == ["TEXT003"]
    assert lint(capsys, "README.md", "--select", "META,SECT", "--ignore", "META012,SECT")[1] == []
    assert lint(capsys, "README.md", "--select", "META", "--extend-select", "unrendered-template")[1] == [
        "META012",
        "TEXT003",
    ]
    code, _, err = run(capsys, "lint", "README.md", "--select", "META01Z")
    assert code == 2
    assert "there is no rule 'META01Z'; did you mean META0" in err


def test_settings_select_and_flags_come_on_top(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text(
        '[tool.hubpub]\nignore = ["SECT003"]\n[tool.hubpub.lint]\nextend-select = []\nignore = ["SECT010", "TEXT"]\n'
        '[tool.hubpub.lint.severity]\nMETA012 = "warning"\nSECT = "off"\n'
        '[tool.hubpub.lint.per-file-ignores]\n"old/*" = ["ALL"]\n'
    )
    assert lint(capsys, "README.md") == (0, ["META012"], "")
    assert lint(capsys, "README.md", "--fail-on", "warning")[0] == 1
    assert lint(capsys, "README.md", "--extend-select", "TEXT003")[1] == ["TEXT003", "META012"]
    Path("old").mkdir()
    Path("old/README.md").write_text(BAD)
    assert lint(capsys, "old/README.md") == (0, [], "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[lint]\nselct = ["META"]\n', "did you mean lint.select?"),
        ('[lint]\nselect = ["MTEA011"]\n', "did you mean META01"),
        ('[lint.severity]\nMETA011 = "fatal"\n', "write one of error, warning, info, off"),
        ("[lint.severity]\nMETA01Z = 'off'\n", "did you mean META0"),
        ('[lint]\nper-file-ignores = ["a"]\n', "write [tool.hubpub.lint.per-file-ignores]"),
        ('[lint.per-file-ignores]\n"a" = 3\n', "is not a list of strings"),
        ('[lint]\ninline-ignores = "no"\n', "is not a boolean"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(capsys: pytest.CaptureFixture[str], text: str, says: str) -> None:
    Path("hubpub.toml").write_text(text)
    code, out, err = run(capsys, "lint", "README.md")
    assert (code, out) == (2, "")
    assert says in err


def test_comments_silence_and_can_be_overruled(capsys: pytest.CaptureFixture[str], card: Path) -> None:
    card.write_text("---\nlicense: MIT # hubpub: ignore[META012]\n---\n\n# {{ a }} <!-- hubpub: ignore[TEXT003] -->\n")
    assert lint(capsys, "README.md", *QUIET) == (0, [], "")
    assert lint(capsys, "README.md", *QUIET, "--no-inline-ignores")[1] == ["META012", "TEXT003"]
    Path("hubpub.toml").write_text("[lint]\ninline-ignores = false\n")
    assert lint(capsys, "README.md", *QUIET)[1] == ["META012", "TEXT003"]


def test_several_cards_are_several_reports(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        Path(name).mkdir()
        Path(name, "README.md").write_text(BAD)
    code, out, _ = run(capsys, "lint", "a", "b/README.md", "--json")
    document = json.loads(out)
    assert (code, document["schema"]) == (1, "hubpub.reports/1")
    assert [report["target"] for report in document["reports"]] == ["a/README.md", "b/README.md"]
    assert document["reports"][0]["findings"][0]["path"] == "a/README.md"
    assert document["reports"][0]["facts"]["sections_required"] == 7
    _, out, _ = run(capsys, "lint", ".", *QUIET)
    assert "error META012 b/README.md:2:10: the Hub knows no licence 'MIT'" in out
    assert out.count(" of 7 sections filled") == 3


def test_the_result_goes_to_a_file_and_findings_need_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "lint", "README.md", "--format", "sarif", "--output", "out.sarif", "--exit-zero")
    assert (code, out) == (0, "")
    assert "wrote out.sarif" in err
    log = json.loads(Path("out.sarif").read_text())
    uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in log["runs"][0]["results"]}
    assert uris == {"README.md"}
    assert "\x1b" not in run(capsys, "lint", "README.md")[1], "no colours in a pipe"


def test_fixes_are_shown_made_and_made_once(capsys: pytest.CaptureFixture[str], card: Path) -> None:
    card.write_bytes(("\ufeff" + BAD.replace("\n", "\r\n")).encode())
    card.chmod(0o640)
    before = card.read_bytes()
    code, _, err = run(capsys, "lint", "README.md", "--diff", *QUIET)
    assert code == 1
    assert "-license: MIT" in err
    assert "+license: mit" in err
    assert card.read_bytes() == before
    code, _, err = run(capsys, "lint", "README.md", "--fix", "--show-fixes", "--select", "META")
    assert code == 0
    assert "fixed META012: replace 'MIT' by mit" in err
    assert "fixed META047: remove the byte order mark" in err
    assert "fixed 2 findings in README.md" in err
    assert card.read_bytes() == before.replace(b"MIT", b"mit").removeprefix(b"\xef\xbb\xbf")
    assert stat.S_IMODE(card.stat().st_mode) == 0o640
    inode = card.stat().st_ino
    assert run(capsys, "lint", "README.md", "--fix", "--select", "META")[2] == ""
    assert card.stat().st_ino == inode, "not even written again"


def test_unsafe_fixes_are_asked_for(capsys: pytest.CaptureFixture[str], card: Path) -> None:
    card.write_text("---\nlicense: mti\nlanguage: en\n---\n")
    run(capsys, "lint", "README.md", "--fix")
    assert "license: mti" in card.read_text()
    _, out, _ = run(capsys, "lint", "README.md", "--show-fixes")
    assert "--fix --unsafe-fixes: replace 'mti' by mit" in out
    run(capsys, "lint", "README.md", "--fix", "--unsafe-fixes")
    assert "license: mit" in card.read_text()


def test_links_and_other_encodings_are_not_fixed(capsys: pytest.CaptureFixture[str], card: Path) -> None:
    Path("link.md").symlink_to("README.md")
    code, _, err = run(capsys, "lint", "link.md", "--fix")
    assert code == 1
    assert "is a symlink" in err
    assert card.read_text() == BAD
    latin = "---\nlicense: MIT\n---\ncafé\n".encode("latin-1")
    card.write_bytes(latin)
    assert lint(capsys, "README.md", "--fix")[0] == 1
    assert card.read_bytes() == latin


def test_stdin_is_fixed_to_stdout(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, BAD.replace("\n", "\r\n").encode())
    with pytest.raises(SystemExit):
        main(["lint", "-", "--fix", *QUIET])
    out, err = capsys.readouterr()
    assert out == BAD.replace("MIT", "mit").replace("\n", "\r\n")
    assert "error TEXT003 stdin:5:3" in err


def test_stdin_has_the_name_that_it_is_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(monkeypatch, BAD.encode())
    _, out, _ = run(capsys, "lint", "-", "--stdin-filename", "models/README.md", *QUIET)
    assert "error META012 models/README.md:2:10" in out
    code, _, err = run(capsys, "lint", "-", "README.md")
    assert code == 2
    assert "lint stdin alone" in err


def test_a_baseline_leaves_out_what_is_known(capsys: pytest.CaptureFixture[str], card: Path) -> None:
    code, out, err = run(capsys, "lint", ".", "--write-baseline", "base.json")
    assert (code, out) == (0, "")
    assert "known from now on" in err
    assert lint(capsys, ".", "--baseline", "base.json")[:2] == (0, [])
    Path("hubpub.toml").write_text('[lint]\nbaseline = "base.json"\n')
    card.write_text(BAD.replace("# {{", "{{ new }}\n\n# {{"))
    assert lint(capsys, ".", "--ignore", "TEXT011")[:2] == (1, ["TEXT003"])
    card.write_text(BAD.replace("MIT", "mit"))
    code, rules, err = lint(capsys, ".")
    assert (code, rules) == (0, [])
    assert "1 in " in err
    assert "no longer found, such as META012 in README.md" in err


@pytest.mark.parametrize(
    ("text", "code", "verdict"),
    [
        ("---\nlicense: mit\n---\n", 0, "accept"),
        ("---\nlicense: MIT\n---\n", 1, "reject"),
        ("---\nlicense: mit\npipeline_tag: ner\n---\n", 0, "warn"),
        ("# nothing\n", 0, "warn"),
        ("---\na: b: c\n---\n", 1, "reject"),
    ],
)
def test_the_verdict_of_the_hub(
    capsys: pytest.CaptureFixture[str], card: Path, text: str, code: int, verdict: str
) -> None:
    from hubpub.card.metadata.schema import validate_card

    card.write_text(text)
    assert run(capsys, "lint", "README.md", "--hub-only")[0] == code
    ended, out, _ = run(capsys, "lint", "README.md", "--hub-only", "--json")
    (told,) = json.loads(out)["cards"]
    assert (ended, told["path"], told["verdict"]) == (code, "README.md", verdict)
    assert [error["message"] for error in told["errors"]] == list(validate_card(text).errors)
    assert [warning["message"] for warning in told["warnings"]] == list(validate_card(text).warnings)


def test_check_has_the_same_formats_and_selection(
    capsys: pytest.CaptureFixture[str], plain_model: Path, tmp_path: Path
) -> None:
    import shutil

    folder = Path(shutil.copytree(plain_model, tmp_path / "m"))
    (folder / "optimizer.pt").write_bytes(b"\0")
    _, out, _ = run(capsys, "check", "m", "--format", "concise")
    assert out.startswith("m/optimizer.pt: warning FILE006 ")
    _, out, _ = run(capsys, "check", "m", "--select", "WEIGHT,CONF", "--json")
    assert json.loads(out)["findings"] == []
    _, out, _ = run(capsys, "check", "m", "--format", "github")
    assert out.startswith("::warning file=m/optimizer.pt,title=FILE006 ")
    assert run(capsys, "check", "m", "--fail-on", "warning")[0] == 1
    assert run(capsys, "check", "m", "--fail-on", "warning", "--exit-zero")[0] == 0


def test_help_says_how_to_silence(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "lint", "--help")
    for word in ("hubpub: ignore[", "[tool.hubpub.lint]", "--diff-base", "--write-baseline", "sarif"):
        assert word in out


def test_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "rules", "--select", "META012,TEXT090")
    assert [line.split()[0] for line in out.splitlines()] == ["META012", "TEXT090"]
    assert out.splitlines()[0].endswith("[fix]")
    _, out, _ = run(capsys, "rules", "--json")
    assert {"code", "default", "fixable", "needs"} <= set(json.loads(out)[0])
    _, out, _ = run(capsys, "rules", "--format", "markdown")
    assert out.startswith("| Rule |")
    assert run(capsys, "rules", "--select", "METTA")[0] == 2


def test_the_hooks_of_pre_commit_run_on_a_list_of_files(capsys: pytest.CaptureFixture[str], card: Path) -> None:
    import shlex

    import yaml

    hooks = {
        hook["id"]: hook for hook in yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text())
    }
    assert set(hooks) == {"hubpub-lint", "hubpub-lint-fix"}
    Path("b").mkdir()
    Path("b/README.md").write_text(BAD.replace("{{ name }}", "B"))
    for name, expected in (("hubpub-lint", BAD), ("hubpub-lint-fix", BAD.replace("MIT", "mit"))):
        program, *arguments = shlex.split(hooks[name]["entry"])
        assert program == "hubpub"
        assert hooks[name]["language"] == "python"
        code, out, _ = run(capsys, *arguments, *hooks[name].get("args", ()), "README.md", "b/README.md")
        assert code == 1
        assert "TEXT003" in out
        assert card.read_text() == expected


def test_a_closed_output_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "lint", "README.md", "--output", f"none{os.sep}out.txt")
    assert code == 2
    assert err.startswith("error: ")


def test_what_the_network_is_for_is_asked_only_with_online(capsys: pytest.CaptureFixture[str]) -> None:
    from hubpub.core.rule import Needs
    from hubpub.rules import card_families  # noqa: F401 -- declares the rules
    from hubpub.rules.registry import card_rules

    needing = next(rule for rule in card_rules if rule.needs is Needs.NETWORK)
    _, out, _ = run(capsys, "lint", "README.md", "--select", needing.code)
    assert f"not checked {needing.code} {needing.name}: only with --online" in out


def test_a_repo_id_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "lint", "README.md", "--repo-id", "acme/model")[0] == 1
    code, _, err = run(capsys, "lint", "README.md", "--repo-id", "not a repo")
    assert code == 2
    assert err.startswith("error: ")


def test_files_beside_the_card_are_named_and_mended_too(capsys: pytest.CaptureFixture[str]) -> None:
    results = Path("m/.eval_results/r.yaml")
    results.parent.mkdir(parents=True)
    Path("m/config.json").write_text("{}")
    Path("m/README.md").write_text("# x\n")
    bare = "- dataset: {id: a/b, task_id: t}\n  value: 0.9\n  date: 2026-01-15\n"
    results.write_text(bare)
    code, out, _ = run(capsys, "lint", "m", "--select", "EVAL017", "--format", "concise")
    assert (code, out.split(" ")[0]) == (1, "m/.eval_results/r.yaml:3:9:")
    _, _, err = run(capsys, "lint", "m", "--select", "EVAL017", "--diff")
    assert '+  date: "2026-01-15"' in err
    assert results.read_text() == bare
    code, out, err = run(capsys, "lint", "m", "--select", "EVAL017", "--fix")
    assert (code, err) == (0, "· fixed 1 finding in m/.eval_results/r.yaml\n")
    assert results.read_text() == bare.replace("2026-01-15", '"2026-01-15"')
    assert "no findings" in out


def test_no_fix_is_promised_for_a_file_that_is_not_text(capsys: pytest.CaptureFixture[str], card: Path) -> None:
    card.write_bytes(b"# x\r\n\r\ny\n\xff\r\n")
    _, out, _ = run(capsys, "lint", "README.md", "--fix")
    assert "META047" in out
    assert "--fix mends" not in out


def test_a_baseline_knows_a_finding_whose_numbers_change(capsys: pytest.CaptureFixture[str], card: Path) -> None:
    run(capsys, "lint", "README.md", "--select", "TEXT011", "--write-baseline", "base.json")
    card.write_text(BAD + "\nThree words more.\n")
    assert lint(capsys, "README.md", "--select", "TEXT011", "--baseline", "base.json")[:2] == (0, [])


def test_the_verdict_of_the_hub_has_no_other_formats(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "lint", "README.md", "--hub-only", "--format", "sarif")
    assert (code, out) == (2, "")
    assert err == "error: --hub-only prints text or JSON; leave out --output, and take --format text or json\n"
