"""The rules about the metadata block itself, and their fixes, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.linting import codes_of, findings_of, fixed, subject

from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.core.findings import Finding
from hubpub.rules.run import lint_card

RESULT = (
    "model-index:\n- name: x\n  results:\n  - dataset: {{type: d, revision: {}}}\n"
    "    metrics: [{{type: f1, value: {}}}]"
)


def block(yaml: str) -> str:
    return f"---\nlicense: mit\n{yaml}\n---\n# x\n"


def of(text: str, codes: str = "META00 META010 META047 META060") -> list[Finding]:
    return findings_of(subject(text), codes)


@pytest.mark.parametrize(
    ("text", "code", "severity", "line", "column"),
    [
        ("# x\n", "META001", "warning", 1, 1),
        ("---\nlicense: mit\n---oops\n", "META002", "error", 1, 1),
        ("---\na: 'b\n---\n", "META003", "error", 2, 6),
        ("---\ncreated: 2024-13-45\n---\n", "META003", "error", 2, 10),
        ("---\na: 1\nb: 2\na: 3\n---\n", "META004", "error", 4, 1),
        ("---\n- a\n---\n", "META005", "error", 2, 1),
        ("---\n# c\n\n---\n", "META006", "error", 2, 1),
        ("---\n---\n# x\n", "META006", "warning", 1, 1),
        ("---\nx: !!python/tuple [a]\n---\n", "META007", "error", 2, 4),
        (block("language: no"), "META008", "error", 3, 11),
        (block("language: [en, no]"), "META008", "error", 3, 16),
        (block("tags:\n- on"), "META008", "warning", 4, 3),
        (block("inference: off"), "META008", "warning", 3, 12),
        (block("x: yes"), "META008", "info", 3, 4),
        (block("widget:\n- text: no"), "META008", "warning", 4, 9),
        (block(RESULT.format("abc", "1e-3")), "META009", "warning", 7, 33),
        (block("tags: [2024]"), "META009", "warning", 3, 8),
        (block("x: 12:30:45"), "META009", "info", 3, 4),
        (block("x: 0o12"), "META009", "info", 3, 4),
        ("---\na:\tb\n---\n", "META010", "error", 2, 3),
        ("---\na:\n\tb: c\n---\n", "META010", "error", 3, 1),
        ("\ufeff---\nlicense: mit\n---\n", "META047", "warning", 1, 1),
        ("\ufeff# x\n---\n\na: b\n", "META047", "info", 1, 1),
        ("---\r\nlicense: mit\r\n---\r\n# x\ny\r\n", "META047", "warning", 4, 4),
    ],
)
def test_one_rule_names_each_fault_at_its_place(text: str, code: str, severity: str, line: int, column: int) -> None:
    found = [finding for finding in of(text) if finding.rule != "META001" or code == "META001"]
    assert [(each.rule, each.severity.value, each.line, each.column) for each in found] == [
        (code, severity, line, column)
    ]


@pytest.mark.parametrize(
    "yaml",
    [
        "language: 'no'",
        'language: [en, "no"]',
        "inference: false",
        "created: 2024-01-02",
        "x: 0.1\ny: 5\nz: true",
        "tags: ['2024', v1.0, 3d]",
        "x: y\ny: n",
        RESULT.format("e8379541af4e31359cca9fbcf4b00f2671dba205", 0.5),
        "widget:\n- structuredData: {a: [1, 2]}",
        "x: |\n  no\n  1e3",
        "license_name: llama3",
    ],
)
def test_values_that_everybody_reads_alike_are_left_alone(yaml: str) -> None:
    assert of(block(yaml)) == []


@pytest.mark.parametrize(
    ("text", "result", "safe"),
    [
        ("--- \nlicense: mit\n---\n", "---\nlicense: mit\n---\n", True),
        ("----\nlicense: mit\n----\n# x\n", "---\nlicense: mit\n---\n# x\n", True),
        ("---\r\nlicense: mit\r\n  ---\r\n# x\r\n", "---\r\nlicense: mit\r\n---\r\n# x\r\n", True),
        ("---\nlicense: mit\n---oops\n", "---\nlicense: mit\n---\noops\n", False),
        ("---\nlicense: mit\n...\n# x\n", "---\nlicense: mit\n---\n# x\n", False),
        ("---\nlicense: mit\n\n# x\n", "---\nlicense: mit\n---\n\n# x\n", False),
        ("![b](c)\n\n---\nlicense: mit\n---\n\nText\n", "---\nlicense: mit\n---\n![b](c)\n\n\nText\n", False),
        ("---\na: 1\na: 2\n---\n", "---\na: 2\n---\n", False),
        ("---\nx: !!python/tuple [a]\n---\n", "---\nx: [a]\n---\n", False),
        ("---\nx: &a !foo b\n---\n", "---\nx: &a b\n---\n", False),
        ("---\nlanguage: no # Norwegian\n---\n", "---\nlanguage: 'no' # Norwegian\n---\n", True),
        ("---\r\nlanguage:\r\n- en\r\n- no\r\n---\r\n", "---\r\nlanguage:\r\n- en\r\n- 'no'\r\n---\r\n", True),
        ("---\ntags: [a,2024,b]\n---\n", '---\ntags: [a,"2024",b]\n---\n', True),
        ("---\ninference: no\n---\n", "---\ninference: false\n---\n", False),
        ("---\nx: 12:30:45\n---\n", "---\nx: '12:30:45'\n---\n", False),
        ("---\nx: 1e-3\n---\n", "---\nx: 0.001\n---\n", False),
        ("---\nx: 012\n---\n", None, False),
        ("---\na: &n no\nlanguage: *n\n---\n", None, False),
        ("---\na:\tb\nc:\t\td\n---\n", "---\na: b\nc: d\n---\n", True),
        ("---\na:\n\tb: c\n---\n", "---\na:\n  b: c\n---\n", False),
        ("\ufeff---\nlicense: mit\n---\n", "---\nlicense: mit\n---\n", True),
        ("a\r\nb\nc\r\n", "a\r\nb\r\nc\r\n", True),
        ("---\n- a\n---\n", None, False),
        ("---\na: b: c\n---\n", None, False),
    ],
)
def test_a_fix_mends_the_block_and_keeps_the_rest(text: str, result: str | None, safe: bool) -> None:
    found = [finding for finding in of(text) if finding.rule != "META001"]
    fixes = [finding for finding in found if finding.fix]
    if result is None:
        assert found
        assert not fixes
        return
    assert fixed(text, fixes[0]) == result
    assert fixes[0].fix
    assert fixes[0].fix.safe is safe
    assert fixes[0].rule not in codes_of(subject(result))


@pytest.mark.parametrize("value", ["true", "5503434551203435", "2024-01-02", "[a]", "5503434551203435e24"])
def test_a_revision_that_is_no_text_is_left_to_the_rule_about_results(value: str) -> None:
    assert codes_of(subject(block(RESULT.format(value, 1))), "META008 META009 EVAL005") == ["EVAL005"]


def test_a_readme_in_lfs_is_an_error(tmp_path: Path) -> None:
    files = {".gitattributes": "*.bin filter=lfs\n*.md filter=lfs diff=lfs merge=lfs -text\n"}
    (finding,) = findings_of(subject("# x\n", files, tmp_path), "META051")
    assert finding.path == ".gitattributes"
    assert not findings_of(subject("# x\n", {".gitattributes": "*.bin filter=lfs\n"}, tmp_path / "b"), "META051")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    assert codes_of(subject(pointer), "META") == ["META051"]


PIECES = r"""---\n|---|--- \n|...\n|license: mit\n|license: MIT\n|language: no\n|tags:\n- a\n|  - b\n
|model-index:\n- name: x\n|  results:\n|  - dataset: {type: a, revision: 1}\n|    metrics: [{type: f1}]\n
|base_model: [a/b, /c]\n|x: &a {b: *a}\n
|<<: *a\n|? [a]\n: b\n|a: !!int x\n|a:\tb\n|'|"|a: >\n|# Title\n|## Usage\n|Setext\n===\n|> - a\n|```python\n|~~~\n
|<!-- |-->|<h2>a</h2>\n|<div>\n|[TODO]|[More Information Needed]|{{ x }}|${x}|@article{a,\n title={b}}\n|*a*|\n\n
|from_pretrained('a/b')\n|\ufeff|\r\n|\r|\x00|\x85|\u2028|\t| |\n|\ud800"""
FRAGMENTS = st.sampled_from(
    [*PIECES.replace("\n", "").encode().decode("unicode_escape").split("|"), "|a|b|\n|-|-|\n|1|2|\n", "🤗"]
)


@given(st.lists(st.one_of(FRAGMENTS, FRAGMENTS, st.text(max_size=5)), max_size=25).map("".join))
@settings(derandomize=True, max_examples=300)
def test_no_text_makes_a_rule_raise(text: str) -> None:
    judged = subject(text)
    for finding in findings_of(judged):
        if finding.fix and finding.rule.startswith(("META00", "META010")):
            assert read_front_matter(fixed(text, finding)) is not None
    lint_card(text.encode("utf-8", "replace"), path="README.md", target="card")


@given(st.binary(max_size=200))
@settings(derandomize=True, max_examples=100)
def test_no_bytes_make_it_raise(content: bytes) -> None:
    lint_card(content, path="README.md", target="card")
