"""Baselines survive moved lines; changed lines are git's, and nothing of the repository is run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from hubpub.core.errors import UsageError
from hubpub.core.findings import Finding, Severity
from hubpub.core.report import Report
from hubpub.report.baseline import read_baseline, without_known, write_baseline
from hubpub.report.changed_lines import changed_lines, on_changed_lines
from hubpub.report.judged import Judged


def judged(text: str, path: str = "README.md", *more: Finding) -> Judged:
    """TODO is a finding of rule TEXT001 on each line that has one."""
    findings = [
        Finding("TEXT001", "placeholder-left", Severity.WARNING, "TODO was left", path, number, 1)
        for number, line in enumerate(text.splitlines(), 1)
        if "TODO" in line
    ]
    return Judged(Report(path, (*findings, *more)), text_of=lambda _: text)


def left(before: Judged, after: Judged, tmp_path: Path) -> tuple[list[int | None], int]:
    write_baseline(tmp_path / "base.json", [before])
    compared = without_known([after], read_baseline(tmp_path / "base.json"))
    return [finding.line for finding in compared.judged[0].report.findings], len(compared.stale)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("TODO a\n", "TODO a\n", ([], 0)),
        ("TODO a\n", "\n\n   TODO   a\n", ([], 0)),
        ("TODO a\n", "TODO a\nTODO b\n", ([2], 0)),
        ("TODO a\nTODO a\n", "TODO a\nx\nTODO a\nTODO a\n", ([4], 0)),
        ("TODO a\nTODO b\n", "TODO b\n", ([], 1)),
        ("TODO a\n", "", ([], 1)),
        ("TODO a\n", "TODO b\n", ([1], 1)),
    ],
)
def test_what_is_known_is_left_out_wherever_it_stands(
    before: str, after: str, expected: tuple[list[int], int], tmp_path: Path
) -> None:
    assert left(judged(before), judged(after), tmp_path) == expected


def test_another_file_is_another_finding_and_is_not_stale(tmp_path: Path) -> None:
    write_baseline(tmp_path / "base.json", [judged("TODO"), judged("TODO", "b/README.md")])
    compared = without_known([judged("TODO", "c/README.md")], read_baseline(tmp_path / "base.json"))
    assert len(compared.judged[0].report.findings) == 1
    assert compared.stale == ()


def test_findings_without_a_line_are_known_by_what_they_say(tmp_path: Path) -> None:
    usage = Finding("SECT003", "n", Severity.WARNING, "no section Usage", "README.md")
    data = Finding("SECT003", "n", Severity.WARNING, "no section Data", "README.md")
    assert left(judged("", "README.md", usage), judged("", "README.md", data), tmp_path) == ([None], 1)


def test_paths_are_those_seen_from_the_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    write_baseline(tmp_path / "base.json", [judged("TODO", "models/README.md")])
    assert json.loads((tmp_path / "base.json").read_text())["findings"][0]["path"] == "models/README.md"
    monkeypatch.chdir(tmp_path / "models")
    compared = without_known([judged("TODO")], read_baseline(Path("../base.json")))
    assert compared.known == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": "hubpub.baseline/1", "findings": [1]}', "[" * 100_000])
def test_what_is_no_baseline_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text(content)
    with pytest.raises(UsageError, match="no baseline"):
        read_baseline(tmp_path / "base.json")
    with pytest.raises(UsageError, match="cannot be read"):
        read_baseline(tmp_path / "none.json")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, env=env, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    (folder / "m").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "m" / "README.md").write_text("one\ntwo\nthree\nfour\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    git(folder, "tag", "v1")
    return folder


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one\ntwo\nthree\nfour\n", set()),
        ("one\r\ntwo\r\nthree\r\nfour\r\n", set()),
        ("one\n2\nthree\nfour\n", {2}),
        ("zero\none\ntwo\nthree\nfour\nfive\nsix\n", {1, 6, 7}),
        ("one\nfour\n", set()),
        ("", set()),
    ],
)
def test_lines_are_those_that_git_calls_changed(repo: Path, text: str, lines: set[int]) -> None:
    changes = changed_lines(repo / "m" / "README.md", text, "v1")
    assert (changes.new, changes.lines) == (False, lines)


def test_a_file_that_the_revision_lacks_is_new(repo: Path) -> None:
    assert changed_lines(repo / "m" / "OTHER.md", "x", "HEAD").new


def test_what_others_changed_meanwhile_is_not_yours(repo: Path) -> None:
    git(repo, "checkout", "-qb", "mine")
    git(repo, "checkout", "-q", "main")
    (repo / "m" / "README.md").write_text("ONE\ntwo\nthree\nfour\n")
    git(repo, "commit", "-qam", "theirs")
    git(repo, "checkout", "-q", "mine")
    assert changed_lines(repo / "m" / "README.md", "one\ntwo\nthree\n4\n", "main").lines == {4}


def test_findings_on_other_lines_are_left_out(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo)
    whole = Finding("SECT003", "n", Severity.WARNING, "m", "m/README.md")
    after = on_changed_lines(judged("one\nTODO\nthree\nfour\n", "m/README.md", whole), "v1")
    assert [finding.line for finding in after.report.findings] == [2]
    new = on_changed_lines(
        judged("TODO\n", "m/NEW.md", Finding("SECT003", "n", Severity.WARNING, "m", "m/NEW.md")), "v1"
    )
    assert [finding.line for finding in new.report.findings] == [1, None]


@pytest.mark.parametrize(
    "revision", ["none", "--output=pwned", "-h", "", "v1:m/README.md", "v1 HEAD", "$(touch pwned)"]
)
def test_what_is_no_revision_is_refused_and_runs_nothing(repo: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="git knows no revision"):
        changed_lines(repo / "m" / "README.md", "x", revision)
    assert not list(repo.rglob("pwned"))


def test_outside_of_a_repository_there_are_no_revisions(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="git knows no revision"):
        changed_lines(tmp_path / "README.md", "x", "HEAD")


def test_nothing_that_the_repository_configures_is_run(repo: Path) -> None:
    script = repo / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch {repo}/pwned\ncat\n")
    script.chmod(0o755)
    for key in (
        "core.fsmonitor", "diff.external", "diff.x.textconv", "diff.x.command", "filter.x.clean", "filter.x.smudge",
        "filter.x.process", "core.pager", "core.sshCommand",
    ):  # fmt: skip
        git(repo, "config", key, str(script))
    (repo / ".gitattributes").write_text("*.md diff=x filter=x\n")
    (repo / "m" / "README.md").write_text("one\n2\n")
    assert changed_lines(repo / "m" / "README.md", "one\n2\n", "v1").lines == {2}
    assert not (repo / "pwned").exists()
