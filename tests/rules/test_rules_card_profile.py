"""SECT rules about what a profile asks for."""

from __future__ import annotations

import pytest
from support.linting import codes_of, findings_of, fixed, subject

from hubpub.card.profiles import profile_named
from hubpub.card.sections import course_sections
from hubpub.core.findings import Finding, Severity

LEAD = "# x\n\nTells whether a film review is positive or negative.\n\n"
WORDS = "These are quite a few real words about the matter at hand, more than fifteen of them in all.\n\n"


def found(text: str, code: str, profile: str = "course-7") -> list[Finding]:
    return findings_of(subject(text, profile=profile_named(profile)), code)


def all_but(title: str) -> str:
    return LEAD + "".join(f"## {section.title}\n\n{WORDS}" for section in course_sections() if section.title != title)


def test_a_finding_says_which_headings_would_count() -> None:
    (finding,) = found(all_but("Limitations and bias"), "SECT003")
    assert (finding.message, finding.hint) == (
        "the card has no section Limitations and bias",
        "add a heading that means it, such as Limitations, Bias, risks and limitations or Risks, and what belongs "
        "there; `hubpub card PATH --write` proposes what the files tell",
    )


@pytest.mark.parametrize("section", course_sections(), ids=lambda section: section.id)
@pytest.mark.parametrize("language", ["en", "zh", "ja", "fr", "de", "es", "pt"])
def test_every_heading_that_is_proposed_would_count(section: object, language: str) -> None:
    from hubpub.card.sections import section_meanings

    examples = section.synonyms.examples(language)  # type: ignore[attr-defined]
    assert len(examples) == 3
    for example in examples:
        assert section_meanings(example) == {section.id}  # type: ignore[attr-defined]


def test_headings_are_proposed_in_the_language_of_the_card() -> None:
    text = "# x\n\n## 模型介绍\n\n## 预期用途\n\n## 局限性\n\n## 训练数据\n\n## 训练过程\n\n## 评估结果\n"
    (finding,) = found(text, "SECT003")
    assert "如何使用, 使用方法 or 使用方式" in (finding.hint or "")
    (finding,) = found("# x\n\n## Daten\n\n", "SECT003")
    assert finding.message.startswith("6 of 7 sections are missing: Model description, ")
    assert finding.hint == (
        "add a heading for each, such as Modellbeschreibung, Verwendungszweck, Verwendung, Einschränkungen, "
        "Trainingsverfahren and Evaluationsergebnisse, and what belongs there; "
        "`hubpub card PATH --write` proposes what the files tell"
    )


@pytest.mark.parametrize(
    ("missing", "message", "such_as"),
    [
        (2, "2 of 7 sections are missing: Model description, Intended uses & limitations", "Model description and In"),
        (
            3,
            "3 of 7 sections are missing: Model description, Intended uses & limitations, How to use",
            "Model description, Intended use and How to use",
        ),
        (
            4,
            "4 of 7 sections are missing: "
            "Model description, Intended uses & limitations, How to use, Limitations and bias",
            None,
        ),
    ],
)
def test_several_missing_sections_are_one_finding_that_names_them(
    missing: int, message: str, such_as: str | None
) -> None:
    text = LEAD + "".join(f"## {section.title}\n\n{WORDS}" for section in course_sections()[missing:])
    (finding,) = found(text, "SECT003")
    assert (finding.message, finding.severity) == (message, Severity.WARNING)
    assert (finding.hint or "").startswith("add a heading for each")
    assert ("such as" in (finding.hint or "")) is (such_as is not None)
    assert (such_as or "") in (finding.hint or "")


def test_a_card_without_any_of_them_has_one_finding() -> None:
    (finding,) = found("# x\n\nSome words.\n", "SECT003")
    assert finding.message.startswith("the card has none of the 7 sections: Model description, Intended uses")
    assert found("", "SECT003") == []


def test_optional_sections_are_information() -> None:
    needed, optional = sorted(found(all_but(""), "SECT003", "hub-template"), key=lambda finding: finding.severity.rank)[
        ::-1
    ]
    assert (needed.severity, optional.severity) == (Severity.WARNING, Severity.INFO)
    assert "Environmental" in needed.message
    assert "Glossary" in optional.message
    assert "optional sections" in optional.message


def test_the_minimal_profile_leaves_title_and_licence_to_their_rules() -> None:
    text = "Some words about it, of which there are more than six.\n"
    assert [finding.message for finding in found(text, "SECT003", "minimal")] == ["the card has no section How to use"]
    assert {"SECT001"} <= set(codes_of(subject(text, profile=profile_named("minimal")), "SECT META"))


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (WORDS, []),
        ("", ["SECT010"]),
        ("<!-- " + WORDS + "-->", ["SECT010"]),
        ("![a](b.png)", ["SECT010"]),
        ("To follow.", ["SECT011"]),
        ("It knows English only.", ["SECT011"]),
        ("[More Information Needed]", ["TEXT001"]),
        ("TODO", ["TEXT002"]),
        ("N/A", ["SECT019"]),
        ("None", ["SECT019"]),
        ("-", []),  # an empty item of a list, see below
        ("N/A: the limits of the base model apply", []),
        ("### More\n\n" + WORDS, []),
        ("### More\n", ["SECT010"]),
        ("### Citation\n\n" + WORDS, ["SECT010"]),
    ],
)
def test_one_section_one_finding(body: str, codes: list[str]) -> None:
    text = all_but("Limitations and bias") + f"## Limitations and bias\n\n{body}\n\n"
    got = codes_of(subject(text), "SECT010 SECT011 SECT019 TEXT001 TEXT002")
    assert got == codes or body == "-"


@pytest.mark.parametrize(
    ("body", "message", "severity"),
    [
        ("", "nothing stands under 'Uses', which means Intended uses & limitations", Severity.WARNING),
        (
            "![a](b.png)",
            "nothing but a picture stands under 'Uses', which means Intended uses & limitations",
            Severity.WARNING,
        ),
        (
            "### How to use\n\n" + WORDS,
            "nothing stands under 'Uses' but other sections, which means Intended uses & limitations",
            Severity.WARNING,
        ),
        ("Soon.", "Intended uses & limitations has 1 word, fewer than 15", Severity.WARNING),
        ("For sorting film reviews.", "Intended uses & limitations has 4 words, fewer than 15", Severity.INFO),
        ("None", "all that 'Uses' says is 'None'", Severity.WARNING),
    ],
)
def test_the_finding_says_what_stands_there(body: str, message: str, severity: Severity) -> None:
    text = f"{LEAD}## Uses\n\n{body}\n\n## Contact\n\nus\n"
    (finding,) = found(text, "SECT010 SECT011 SECT019")
    assert (finding.message, finding.severity, finding.line) == (message, severity, 5)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("## Citation\n\n## Contact\n\nus\n", [1]),
        ("## Citation\n", [1]),
        ("## Citation\n\n### BibTeX\n\nx\n", []),
        ("## Citation\n\n<!-- later -->\n\n## Contact\n\nus\n", [1]),
        ("## Citation\n\n---\n\n## Contact\n\nus\n", [1]),
        ("## Samples\n\n![a](b.png)\n", []),
        ("## Samples\n\n<Gallery />\n", []),
        ("## Samples\n\n<div>\n</div>\n", [1]),
        ("## [Paper](https://example.org)\n\n## Contact\n\nus\n", []),
        ("## This repository has moved to another place\n\n## Contact\n\nus\n", []),
        ("# x\n", []),
        ("## Model\n##\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", []),
    ],
)
def test_empty_sections_that_nobody_asked_for(text: str, lines: list[int]) -> None:
    assert [finding.line for finding in found(text, "SECT010", "minimal")] == lines


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("# x\n\n## Usage\n\n" + WORDS, True),
        ("# x\n\n![a](b.png) [![c](d.svg)](https://example.org)\n\n## Usage\n\n" + WORDS, True),
        ("# x\n\nShort one.\n\n## Usage\n\n" + WORDS, True),
        ("# RoBERTa-like language model trained on part of a corpus\n\n## Usage\n\n" + WORDS, False),
        ("# BERT fine-tuned on SQuAD\n\n## Usage\n\n" + WORDS, True),
        ("# Model card for the OPT models of the lab\n\n## Usage\n\n" + WORDS, True),
        (LEAD + "## Usage\n\n" + WORDS, False),
        ("Tells whether a film review is positive or negative.\n\n# x\n\n## Usage\n", False),
        ("# x\n\n> Tells whether a film review is positive or negative.\n\n## Usage\n", False),
        ("# x\n\n<p>Tells whether a film review is positive or negative.</p>\n\n## Usage\n", False),
        ("# x\n\n这个模型用来判断影评是正面的还是负面的。\n\n## Usage\n", False),
        ("# x\n\n## Model description\n\n" + WORDS, False),
        ("# x\n\n[More Information Needed]\n\n## Usage\n", False),
        ("# x\n\n# y\n\nTells whether a film review is positive or negative.\n\n## Usage\n", False),
        ("# x\n", False),
        ("## Usage\n\n" + WORDS, False),
    ],
)
def test_a_summary_stands_below_the_title(text: str, missing: bool) -> None:
    assert bool(found(text, "SECT017")) is missing


def test_the_card_that_hubpub_renders_has_a_summary() -> None:
    from hubpub.card.facts.card_facts import CardFacts
    from hubpub.card.writing.render import render_card

    text = render_card(CardFacts(name="x", repo_id="acme/x", license="mit", pipeline_tag="fill-mask"))
    assert found(text, "SECT001 SECT002 SECT012 SECT013 SECT014 SECT017 SECT018") == []


def test_sections_are_called_as_in_the_profile() -> None:
    text = f"{LEAD}## Eval results\n\n{WORDS}## Usage\n\n{WORDS}### How to use\n\n{WORDS}## Datensatz\n\n{WORDS}"
    (finding,) = found(text, "SECT015")
    assert (finding.line, finding.hint) == (5, "call it Evaluation results")
    assert fixed(text, finding) == text.replace("Eval results", "Evaluation results")


@pytest.mark.parametrize("more", ["See [results](#eval-results).\n", "### evaluation RESULTS\n"])
def test_a_section_is_not_renamed_under_a_link_or_to_a_name_that_is_taken(more: str) -> None:
    assert all(finding.fix is None for finding in found(f"{LEAD}## Eval results\n\n{WORDS}{more}", "SECT015"))


def test_sections_come_in_the_order_of_the_profile() -> None:
    text = f"{LEAD}## Training data\n\n{WORDS}## Results\n\n{WORDS}## Usage\n\n{WORDS}"
    assert [(finding.line, finding.message) for finding in found(text, "SECT016")] == [
        (5, "Training data stands before How to use, which the profile course-7 puts first"),
        (9, "Evaluation results stands before How to use, which the profile course-7 puts first"),
    ]
    assert found(all_but(""), "SECT016") == []


def test_fields_are_asked_for_by_profiles_that_have_them() -> None:
    text = f"{LEAD}- **Release date:** 2026-11-22\n"
    assert found(text, "SECT020") == []
    findings = found(text, "SECT020", "eu-gpai")
    assert findings[0].message == (
        "the card has no value for Acceptable use policy, which the profile eu-gpai asks for"
    )
    assert findings[0].hint == "write `- **Acceptable use policy:** ...`, or a row of a table"
    assert not any("Release date" in finding.message for finding in findings)
    assert found("", "SECT020", "eu-gpai") == []
