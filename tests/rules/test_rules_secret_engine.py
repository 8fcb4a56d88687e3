"""The rules of betterleaks, where they are installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from support.judging import judge_opened

from hubpub.core.findings import Finding
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.model.child import Answer
from hubpub.model.folder import ModelFolder
from hubpub.rules import secret

TWILIO = "SK" + "9f3c27d1a4be058691c7f2ad3e4b5c60"


def found_by_engine(model: Path) -> list[Finding | Skip]:
    return judge_opened(ModelFolder.open(model), Depth.DEEP, family="SECRET003")


@pytest.mark.skipif(find_spec("pybetterleaks") is None, reason="needs hubpub[secrets]")
def test_a_key_of_another_service(model: Path) -> None:
    (model / "notes.md").write_text(f"# Notes\n\ntwilio {TWILIO}\nhf_" + "qWnTzKvbMxPdLsRgHcJyFwEuAoIiXtYrBk\n")
    [finding] = found_by_engine(model)
    assert isinstance(finding, Finding)
    assert (finding.severity.value, finding.path, finding.line) == ("warning", "notes.md", 3)
    assert TWILIO[4:] not in str(finding.to_json())


def test_without_the_package_nothing_is_said(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "find_spec", lambda _: None)
    (model / "notes.md").write_text(f"twilio {TWILIO}")
    assert found_by_engine(model) == []


def test_what_the_engine_answers_and_when_it_fails(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (model / "notes.md").write_text("one\ntwo\n")
    hit = {"path": "notes.md", "rule": "twilio-api-key", "line": 2, "column": 1}
    generic = {"path": "notes.md", "rule": "generic-api-key", "line": 1, "column": 1}
    monkeypatch.setattr(secret, "find_spec", lambda _: object())
    monkeypatch.setattr("hubpub.model.child.ask", lambda *_, **__: Answer([hit, generic]))
    [finding] = found_by_engine(model)
    assert isinstance(finding, Finding)
    assert finding.line == 2
    monkeypatch.setattr(
        "hubpub.model.child.ask", lambda *_, **__: Answer(None, "took more than 60 seconds", timed_out=True)
    )
    assert [str(skip) for skip in found_by_engine(model)] == [
        str(Skip("SECRET003", "betterleaks took more than 60 seconds"))
    ]
