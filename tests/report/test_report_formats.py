"""The formats of a report, with findings that try to break out of each."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.browser import browser

from hubpub.core.errors import UsageError
from hubpub.core.findings import Edit, Finding, Fix, Severity
from hubpub.core.report import Report, Skip
from hubpub.report.excerpt import excerpt
from hubpub.report.formats import render
from hubpub.report.judged import Judged
from hubpub.report.markdown import MARK
from hubpub.rules.catalogue import all_rules

RULES = {rule.code: rule for rule in all_rules()}
SUPPORT = Path(__file__).parents[1] / "support"

EVIL = (
    "::error::x\r\n::set-output name=a::b %0A <script>alert(1)</script> | `code` [l](javascript:1) @octo "
    "#12 \x1b[2J\x00￿ {0} ]]>"
)
TEXT = "---\nlicense: MIT\n---\n\n# 模型 <b>x</b>\n"
FINDINGS = (
    Finding(
        "META012", "licence-unknown", Severity.ERROR, "the Hub knows no licence 'MIT'", "m/README.md", 2, 10,
        hint="did you mean mit?", fix=Fix("replace MIT by mit", True, (Edit("m/README.md", 13, 16, "mit"),)),
    ),
    Finding("TEXT001", "placeholder-left", Severity.WARNING, EVIL, "m/READ, ME:`|<i>\n.md", 1, 1, hint=EVIL),
    Finding("SECT003", "required-section-missing", Severity.WARNING, "the card has no section Usage", "m/README.md"),
    Finding("WEIGHT005", "n", Severity.INFO, "two hold it", None, tensor="lm_head|`.weight"),
)  # fmt: skip
REPORT = Report(
    "m/README.md",
    FINDINGS,
    (Skip("LINK016", "only with --online"),),
    {"sections_filled": 5, "sections_required": 7},
    0.25,
)
JUDGED = Judged(REPORT, text_of=lambda path: TEXT if path == "m/README.md" else None)
CLEAN = Judged(Report("ok/README.md", (), facts={"sections_filled": 7, "sections_required": 7}))
FORMATS = ("text", "concise", "json", "jsonl", "github", "gitlab", "sarif", "junit", "markdown", "html")


@cache
def sarif_schema() -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(json.loads((SUPPORT / "sarif-2.1.0.schema.json").read_text()))


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("judged", [(JUDGED,), (CLEAN,), (JUDGED, CLEAN), ()], ids=["one", "clean", "two", "none"])
def test_no_format_lets_control_characters_through(output_format: str, judged: tuple[Judged, ...]) -> None:
    if output_format == "json" and not judged:
        return
    text = render(judged, output_format, rules=RULES)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", text)
    assert text == "" or text.endswith("\n")


def test_text_shows_the_line_and_the_score() -> None:
    assert render([JUDGED], "text", show_fixes=True).splitlines()[:5] == [
        "error META012 m/README.md:2:10: the Hub knows no licence 'MIT'",
        "     2 | license: MIT",
        "       |          ^",
        "    → did you mean mit?",
        "    ✎ --fix: replace MIT by mit",
    ]
    assert render([JUDGED], "text").splitlines()[-1] == (
        "failed: m/README.md: 1 error, 2 warnings, 1 info in 0.25 s; 5 of 7 sections filled; --fix mends 1"
    )


def test_concise_has_one_line_per_finding() -> None:
    lines = render([JUDGED], "concise").splitlines()
    assert len(lines) == len(FINDINGS)
    assert lines[0] == "m/README.md:2:10: error META012 the Hub knows no licence 'MIT' [*]"
    assert lines[3] == "m/README.md: info WEIGHT005 two hold it [lm_head|`.weight]"


def test_json_lines_are_findings_with_a_fingerprint() -> None:
    lines = [json.loads(line) for line in render([JUDGED, CLEAN], "jsonl").splitlines()]
    assert [line["rule"] for line in lines] == [finding.rule for finding in FINDINGS]
    assert lines[0]["schema"] == "hubpub.finding/1"
    assert len({line["fingerprint"] for line in lines}) == len(FINDINGS)


def test_github_cannot_be_given_another_command() -> None:
    lines = render([JUDGED], "github").splitlines()
    assert len(lines) == len(FINDINGS)
    assert lines[0].startswith("::error file=m/README.md,line=2,col=10,title=META012 licence-unknown::")
    assert all(re.match(r"::(error|warning|notice) [^:]*::", line) for line in lines)
    assert "file=m/READ%2C ME%3A`|<i>%0A.md,line=1" in lines[1]
    assert "%250A" in lines[1]


def test_gitlab_has_what_gitlab_asks_for() -> None:
    entries = json.loads(render([JUDGED, replace(JUDGED)], "gitlab"))
    assert entries[0] == {
        "description": "META012: the Hub knows no licence 'MIT'",
        "check_name": "META012",
        "fingerprint": entries[0]["fingerprint"],
        "severity": "major",
        "location": {"path": "m/README.md", "lines": {"begin": 2}},
    }
    assert all(entry["location"]["lines"]["begin"] >= 1 for entry in entries)
    assert render([CLEAN], "gitlab") == "[]\n"


@pytest.mark.parametrize("judged", [[JUDGED, CLEAN], [CLEAN], []], ids=["two", "clean", "none"])
def test_sarif_is_valid(judged: list[Judged]) -> None:
    log = json.loads(render(judged, "sarif", rules=RULES))
    sarif_schema().validate(log)
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region.get("startColumn", 1) >= 1
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert all(rule["help"]["text"] and rule["fullDescription"]["text"] for rule in rules)


def test_sarif_of_every_rule_is_valid() -> None:
    findings = tuple(
        Finding(rule.code, rule.name, rule.severity, rule.summary, "a b/ü.md", 0, 0) for rule in RULES.values()
    )
    log = json.loads(render([Judged(Report("t", findings), "hf://a/b@v1")], "sarif", rules=RULES))
    sarif_schema().validate(log)
    assert len(log["runs"][0]["tool"]["driver"]["rules"]) == len(RULES)
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "hf://a/b@v1/a%20b/%C3%BC.md"},
        "region": {"startLine": 1, "startColumn": 1},
    }


def test_sarif_text_is_no_link() -> None:
    message = json.loads(render([JUDGED], "sarif", rules=RULES))["runs"][0]["results"][1]["message"]["text"]
    assert "\\[l](javascript:1)" in message
    assert "{{0}}" in message


def test_junit_is_xml_and_only_failures_fail() -> None:
    root = ET.fromstring(render([JUDGED, CLEAN], "junit"))
    first, second = root.findall("testsuite")
    assert (first.get("tests"), first.get("failures"), first.get("skipped")) == ("5", "1", "4")
    assert [failure.get("type") for failure in first.iter("failure")] == ["META012"]
    assert len(second.findall("testcase")) == 1
    strict = Judged(replace(REPORT, fail_on=Severity.WARNING))
    assert ET.fromstring(render([strict], "junit")).find("testsuite").get("failures") == "3"  # type: ignore[union-attr]


def test_markdown_stays_a_table() -> None:
    text = render([JUDGED, CLEAN], "markdown")
    assert text.startswith(MARK + "\n")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "Rule" not in line]
    assert len(rows) == len(FINDINGS)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "<script>" not in html
    assert "javascript:1)</td>" not in html.replace("[l](", "")
    assert "<a href" not in html
    assert "@<!-- -->octo" in html
    assert "#<!-- -->12" in html
    assert html.count("<tr>") == len(FINDINGS) + 1


def test_markdown_fits_into_a_comment() -> None:
    many = tuple(replace(FINDINGS[1], line=line) for line in range(2000))
    text = render([Judged(Report("t", many))], "markdown")
    assert len(text) < 65_536
    assert re.search(r"and 1,\d\d\d more that do not fit", text)


def test_html_is_escaped_and_needs_nothing_else() -> None:
    page = render([JUDGED, CLEAN], "html")
    assert "<script" not in page
    assert "<b>x" not in page
    assert "<i>" not in page
    assert "src=" not in page
    assert "url(" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "default-src 'none'" in page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_html_in_a_browser(scheme: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(render([JUDGED, CLEAN], "html"))
    with browser(tmp_path / "profile") as window:
        window.size(390, 844)
        window.prefer(scheme)
        window.open(page.as_uri())
        assert window.console() == []
        assert window.run("return document.querySelectorAll('section').length") == 2
        assert window.run("return document.querySelectorAll('script, img, link').length") == 0
        assert window.run("return document.documentElement.scrollWidth <= innerWidth"), "nothing runs out of the page"
        ground = window.run("return getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_a_badge_is_about_a_card() -> None:
    with pytest.raises(UsageError, match="badge is about a model card"):
        render([Judged(Report("m", ()))], "badge")


def shown(line: str, column: int | None, name: str = "n") -> Any:
    return excerpt(line, Finding("TEXT001", name, Severity.ERROR, "m", "a", 1, column))


def test_the_caret_stands_below_its_column() -> None:
    assert (shown("模型: x", 5).text, shown("模型: x", 5).caret) == ("模型: x", 6)
    assert shown("\ta", 2).text == " a"
    assert shown("a\x1bb", 3).text == "a\\x1bb"
    assert shown("a\x1bb", 3).caret == 5
    long = shown("x" * 500 + "HERE" + "y" * 500, 501)
    assert long.text[long.caret : long.caret + 4] == "HERE"
    assert len(long.text) < 110
    assert shown("abc", 99).caret == 3
    assert shown("abc", None).caret is None
    assert shown("   ", 1) is None


def test_a_secret_is_not_shown() -> None:
    assert shown("token: hf_" + "qWzK7pLm2VxN9tRb4YcF" * 2, 8) is None
    assert shown("anything", 1, "secret-in-card") is None
