from __future__ import annotations

from hubpub.card.gaps import write_gap
from hubpub.card.sections import course_sections
from hubpub.core.findings import Finding, Severity
from hubpub.rules.run import lint_card

FRONT = "---\nlicense: mit\n---\n# x\n\n"
WORDS = "These are quite a few real words about the matter at hand, more than fifteen of them in all.\n\n"


def findings(text: str) -> list[Finding]:
    found = lint_card(text.encode(), path="README.md", target="card").findings
    return [finding for finding in found if finding.rule.startswith(("META", "SECT", "TEXT"))]


def test_the_sections_that_are_missing_are_one_finding() -> None:
    text = FRONT + "".join(f"## {section.title}\n\n{WORDS}" for section in course_sections()[:-2])
    assert [(finding.rule, finding.message, finding.line) for finding in findings(text)] == [
        ("SECT003", "2 of 7 sections are missing: Training procedure, Evaluation results", None),
    ]


def test_a_gap_is_one_finding_that_says_what_to_write() -> None:
    gap = write_gap("limitations-and-bias", "where the model fails")
    bodies = {section.title: WORDS for section in course_sections()} | {"Limitations and bias": gap + "\n\n"}
    text = FRONT + "".join(f"## {title}\n\n{body}" for title, body in bodies.items())
    (finding,) = findings(text)
    assert (finding.rule, finding.severity, finding.hint) == (
        "SECT010",
        Severity.WARNING,
        "write where the model fails",
    )
    assert finding.line is not None
    assert text.splitlines()[finding.line - 1].startswith("<!-- hubpub:todo")


def test_a_placeholder_in_a_section_is_reported_once() -> None:
    bodies = {section.title: WORDS for section in course_sections()} | {
        "Training data": "[More Information Needed]\n\n"
    }
    text = FRONT + "".join(f"## {title}\n\n{body}" for title, body in bodies.items())
    assert [finding.rule for finding in findings(text)] == ["TEXT001"]


def test_an_empty_section_is_found_at_its_heading() -> None:
    bodies = {section.title: WORDS for section in course_sections()} | {"Training data": "<!-- what -->\n\n"}
    text = FRONT + "".join(f"## {title}\n\n{body}" for title, body in bodies.items())
    (finding,) = findings(text)
    assert finding.rule == "SECT010"
    assert finding.line is not None
    assert text.splitlines()[finding.line - 1] == "## Training data"
