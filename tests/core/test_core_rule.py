from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from hubpub.core.findings import Edit, Finding, Fix, Problem, Severity
from hubpub.core.report import Report, Skip, joined, sorted_findings
from hubpub.core.rule import Registry

DECLARED = {"summary": "s", "why": "w", "bad": "b", "good": "g", "hint": "do it", "source": "here"}


def words_over(limit: int) -> Registry[str]:
    registry: Registry[str] = Registry()

    @registry.rule("TEXT001", "long-word", Severity.WARNING, **DECLARED)
    def long_word(text: str) -> Iterator[Problem]:
        for word in text.split():
            if len(word) > limit:
                yield Problem(f"{word} is long", path="a.txt", severity=Severity.ERROR if len(word) > 9 else None)

    return registry


def test_a_rule_gives_its_findings_its_code_severity_and_hint() -> None:
    (rule,) = words_over(4)
    first, second = rule.run("one longer extraordinary")
    assert (first.rule, first.name, first.severity, first.hint) == (
        "TEXT001",
        "long-word",
        Severity.WARNING,
        "do it",
    )
    assert second.severity is Severity.ERROR
    assert list(rule.run("a b c")) == []


@pytest.mark.parametrize(("code", "name"), [("text1", "a"), ("TEXT1", "a"), ("TEXT002", "Not Kebab"), ("TEXT001", "b")])
def test_a_malformed_or_taken_code_is_refused(code: str, name: str) -> None:
    registry = words_over(4)
    with pytest.raises(ValueError, match=r"malformed|twice"):
        registry.rule(code, name, Severity.INFO, **DECLARED)(lambda _text: [])


def test_rules_come_in_the_order_of_their_codes() -> None:
    registry: Registry[str] = Registry()
    for code in ("TEXT003", "FILE001", "TEXT001"):
        registry.rule(code, code.lower(), Severity.INFO, **DECLARED)(lambda _text: [])
    assert [rule.code for rule in registry] == ["FILE001", "TEXT001", "TEXT003"]


def finding(severity: Severity, path: str = "a", line: int = 1) -> Finding:
    return Finding("FILE001", "n", severity, "m", path, line)


def test_a_report_is_ok_below_its_threshold_only() -> None:
    warned = Report("t", (finding(Severity.WARNING),))
    assert warned.ok
    assert not Report("t", warned.findings, fail_on=Severity.WARNING).ok
    assert not Report("t", (finding(Severity.ERROR),)).ok


def test_findings_are_shown_worst_first_then_by_place() -> None:
    shuffled = [
        finding(Severity.INFO),
        finding(Severity.ERROR, "b"),
        finding(Severity.ERROR, "a", 9),
        finding(Severity.ERROR, "a", 2),
    ]
    ordered = sorted_findings(shuffled)
    assert [(item.severity.value, item.path, item.line) for item in ordered] == [
        ("error", "a", 2),
        ("error", "a", 9),
        ("error", "b", 1),
        ("info", "a", 1),
    ]


def test_the_json_form_has_every_field_and_null_where_unset() -> None:
    fix = Fix("lower case", safe=True, edits=(Edit("README.md", 0, 3, "mit"),))
    report = Report(
        "model",
        (Finding("META012", "licence-unknown", Severity.ERROR, "m", "README.md", 2, 10, fix=fix),),
        (Skip("architecture", "torch is not installed"),),
        {"parameters": 3},
        0.12345,
    )
    document = json.loads(json.dumps(report.to_json()))
    assert list(document) == ["schema", "target", "ok", "counts", "findings", "skipped", "facts", "seconds"]
    assert document["schema"] == "hubpub.report/1"
    assert document["counts"] == {"error": 1, "warning": 0, "info": 0}
    assert document["findings"][0] == {
        "rule": "META012",
        "name": "licence-unknown",
        "severity": "error",
        "message": "m",
        "path": "README.md",
        "line": 2,
        "column": 10,
        "tensor": None,
        "hint": None,
        "fix": {
            "description": "lower case",
            "safe": True,
            "edits": [{"path": "README.md", "start": 0, "end": 3, "text": "mit"}],
            "renamings": [],
        },
    }
    assert document["skipped"] == [{"what": "architecture", "reason": "torch is not installed"}]
    assert document["seconds"] == 0.123


def test_two_reports_join_into_one() -> None:
    both = joined(
        Report("model", (finding(Severity.INFO),), seconds=1),
        Report("card", (finding(Severity.ERROR),), seconds=2),
    )
    assert (both.target, both.summary, both.seconds) == ("model", "1 error, 1 info", 3)
    assert Report("t", ()).summary == "no findings"
