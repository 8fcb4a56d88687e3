from __future__ import annotations

import pytest

from hubpub.core.findings import Finding, Severity
from hubpub.rules.run import lint_card


def meta(text: str) -> list[Finding]:
    report = lint_card(text.encode(), path="README.md", target="card")
    return [finding for finding in report.findings if not finding.rule.startswith(("SECT", "TEXT011"))]


def block(lines: str) -> str:
    return f"---\nlicense: mit\n{lines}\n---\n# x\n"


@pytest.mark.parametrize(
    ("text", "rule", "line", "column"),
    [
        ("# x\n", "META001", 1, 1),
        ("---\na: b: c\n---\n", "META003", 2, 5),
        ("---\nlicense: mit\nlicense: mit\n---\n", "META004", 3, 1),
        ("---\n- a\n---\n", "META005", 2, 1),
        ("---\nwords\n---\n", "META005", 2, 1),
        ("---\n# c\n\n---\n", "META006", 2, 1),
        ("---\na:\tb\n---\n", "META010", 2, 3),
        ("---\nlicense: mit\n---oops\n", "META002", 1, 1),
        ("badge\n\n---\nlicense: mit\n---\n", "META002", 3, 1),
        ("---\nlanguage: en\n---\n", "META011", 2, 1),
        ("---\nlanguage: en\nlicence: license\n---\n", "META017", 3, 1),
        ("---\nlicense: MIT\n---\n", "META012", 2, 10),
        ("---\nlicense:\n- mit\n- Apache-2.0\n---\n", "META012", 4, 3),
        ("---\nlicense: 3\n---\n", "META012", 2, 10),
        (block("language: english"), "META020", 3, 11),
        (block("datasets:\n- SAIL 2017"), "META035", 4, 3),
        (block("base_model: https://huggingface.co/a/b"), "META030", 3, 13),
        (block("model-index: foo"), "EVAL001", 3, 14),
        (block("language: en\npipeline_tag: ner"), "META024", 4, 15),
        (block("base_model: /root/.cache/x"), "META030", 3, 13),
        (block("base_model: [a/b, ./out/checkpoint-5]"), "META030", 3, 19),
        (block("base_model: C:\\models\\x"), "META030", 3, 13),
        (block("base_model: a/b/c"), "META030", 3, 13),
        (block("base_model: ${base_model}"), "TEXT003", 3, 13),
        (block("base_model: your-username/your-model"), "TEXT009", 3, 13),
    ],
)
def test_one_rule_names_each_fault_at_its_place(text: str, rule: str, line: int, column: int) -> None:
    (finding,) = meta(text)
    assert (finding.rule, finding.line, finding.column) == (rule, line, column)


@pytest.mark.parametrize(
    "text",
    [
        block("language: 'no'"),
        block("language: [en, de]\nbase_model: a/b\ndatasets: squad\npipeline_tag: fill-mask"),
        block("widget:\n- text: 'Hello {{ name }}'"),
        "---\r\nlicense: mit\r\n---\r\n# x\r\n",
        "\n---\nlicense: [mit, cc-by-4.0]\n---\n",
    ],
)
def test_good_metadata_has_no_finding(text: str) -> None:
    assert meta(text) == []


@pytest.mark.parametrize(
    ("text", "fixed", "safe"),
    [
        ("---\nlicense: MIT # ok\n---\n", "---\nlicense: mit # ok\n---\n", True),
        ('---\nlicense: "Apache-2.0"\n---\n', '---\nlicense: "apache-2.0"\n---\n', True),
        ("---\r\ntitle: 🤗\r\nlicense: apache2\r\n---\r\n", "---\r\ntitle: 🤗\r\nlicense: apache-2.0\r\n---\r\n", True),
        ("---\nlicense: apache-2.1\n---\n", "---\nlicense: apache-2.0\n---\n", False),
        (
            "---\nlanguage: en\nlicense: mit\npipeline_tag: ner\n---\n",
            "---\nlanguage: en\nlicense: mit\npipeline_tag: token-classification\n---\n",
            True,
        ),
    ],
)
def test_a_fix_edits_the_value_and_nothing_else(text: str, fixed: str, safe: bool) -> None:
    (finding,) = meta(text)
    assert finding.fix is not None
    assert finding.fix.safe is safe
    (edit,) = finding.fix.edits
    assert text[: edit.start] + edit.text + text[edit.end :] == fixed
    assert meta(fixed) == []


def test_an_unknown_licence_without_a_near_id_has_no_fix() -> None:
    (finding,) = meta("---\nlicense: all rights reserved by me\n---\n")
    assert finding.fix is None
    assert finding.severity is Severity.ERROR
