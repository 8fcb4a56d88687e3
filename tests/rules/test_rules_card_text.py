from __future__ import annotations

import time

import pytest

from hubpub.card.document import Card
from hubpub.card.sections import score
from hubpub.core.findings import Finding
from hubpub.rules.registry import CardSubject, card_rules
from hubpub.rules.run import lint_card

FRONT = "---\nlicense: mit\n---\n"


def text_findings(body: str) -> list[Finding]:
    report = lint_card((FRONT + body).encode(), path="README.md", target="card")
    # the texts are all too short for a card
    return [finding for finding in report.findings if finding.rule.startswith("TEXT") and finding.rule != "TEXT011"]


@pytest.mark.parametrize(
    ("body", "code", "severity", "text"),
    [
        ("- **License:** [More Information Needed]", "TEXT001", "error", "[More Information Needed]"),
        ("More information needed", "TEXT001", "error", "More information needed"),
        ("## Data\n\nMore information needed.", "TEXT001", "error", "More information needed"),
        ("[TODO: describe the data]", "TEXT002", "warning", "[TODO: describe the data]"),
        ("## Limitations (TODO)", "TEXT002", "warning", "TODO"),
        ("| a | b |\n|---|---|\n| TBD | 2 |", "TEXT002", "warning", "TBD"),
        ("Coming soon", "TEXT002", "warning", "Coming soon"),
        ("**Coming soon:**", "TEXT002", "warning", "Coming soon"),
        ("Written by [Your Name]", "TEXT002", "warning", "[Your Name]"),
        ("git clone https://example.org/your-username/model", "TEXT009", "error", "your-username/model"),
        (
            '```python\nm = AutoModel.from_pretrained("your-username/your-model")\n```',
            "TEXT009",
            "error",
            "your-username/your-model",
        ),
        ('```python\np = pipeline("fill-mask", model="<your-model>")\n```', "TEXT009", "error", "<your-model>"),
        ('```python\nm = SentenceTransformer("path/to/model")\n```', "TEXT009", "error", "path/to/model"),
    ],
)
def test_a_placeholder_is_found(body: str, code: str, severity: str, text: str) -> None:
    (finding,) = text_findings(body)
    assert (finding.rule, finding.severity.value) == (code, severity)
    assert finding.message == f"a placeholder was left: {text}"
    line = (FRONT + body).splitlines()[(finding.line or 0) - 1]
    assert line[(finding.column or 0) - 1 :].startswith(text)


@pytest.mark.parametrize(
    "body",
    [
        "```python\n# TODO: batch this\npath = 'path/to/data'\n```",
        "```\n[More Information Needed]\n```",
        "Replace `TODO` and `[More Information Needed]` in the template.",
        "<!-- TODO: check -->",
        "[TODO list](https://example.org/todo)",
        "If more information is needed, write to us.",
        "```bash\nexport TOKEN=<your-token>\nexport SQUAD_DIR=/path/to/squad\n```",
        "The [MASK] token, [1] and [x].",
        "Trained on TODO-bench, see a/TODO.md",
        "Your model, your name and my organisation.",
        '```python\nm = AutoModel.from_pretrained("acme/model")\n```',
        '```python\nm = AutoModel.from_pretrained("MODEL_NAME")\n```\n\n`MODEL_NAME` is one of the table above.',
        "    [TODO] in indented code",
        "**Coming Soon :** Fine-tuning demo using HuggingFace's Trainer API",
        "Coming soon: a demo",
    ],
)
def test_what_is_no_placeholder(body: str) -> None:
    assert text_findings(body) == []


@pytest.mark.parametrize(
    "body", ["# {{ model_name }}", "{% if x %}a{% endif %}", "by ${author_name}", "{{ a | default('x') }}"]
)
def test_an_unrendered_template_is_found(body: str) -> None:
    assert {finding.rule for finding in text_findings(body)} == {"TEXT003"}


@pytest.mark.parametrize(
    "body",
    [
        "```jinja\n{{ messages[0]['content'] }}\n```",
        "Use `{{ messages }}` in the template.",
        "@article{a,\n  title = {{BERT}},\n  author = {X}\n}",
        "In $\\frac{{a}}{{b}}$ and ${x}_i$",
        "f-strings like {name} are fine",
    ],
)
def test_what_is_no_template(body: str) -> None:
    assert text_findings(body) == []


@pytest.mark.parametrize("content", [b"", b" \n\r\n", b"\xef\xbb\xbf\n"])
def test_an_empty_card_is_one_finding(content: bytes) -> None:
    report = lint_card(content, path="README.md", target="card")
    assert [finding.rule for finding in report.findings] == ["TEXT025"]


def test_bytes_that_are_not_utf8_are_one_finding() -> None:
    report = lint_card(b"---\nlicense: mit\n---\n# caf\xe9\n", path="README.md", target="card")
    assert [finding.message for finding in report.findings if finding.rule == "TEXT026"] == [
        "the card is not UTF-8: byte 26 begins no character"
    ]


HOSTILE = {
    "headings": "## Usage\n" * 10_000,
    "images": "![" * 50_000,
    "variables": "${abc}" * 15_000,
    "unclosed tags": "<div>\n" + "<h1 " * 25_000,
    "quotes": "\n> - \n" * 15_000,
    "calls": "```\n" + 'pipeline("' * 10_000 + "\n```",
    "comments": "a <!-- " * 15_000,
    "brackets": "[" * 100_000,
    "placeholders": "[More information needed " * 4_000,
    "licences": "---\nlicense: [" + "aa," * 5_000 + "]\n---\n",
    "licence": '---\nlicense: "' + "a" * 100_000 + '"\n---\n',
    "binary": "".join(chr(index % 256) for index in range(100_000)),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.timeout(20)
def test_a_hostile_card_takes_bounded_time(text: str) -> None:
    card = Card.parse(text)
    for rule in card_rules:
        for _ in rule.run(CardSubject(card)):
            pass
    assert score(card)[1] == 7


def test_a_usual_card_is_linted_at_once() -> None:
    paragraph = "Some words with a [link](https://example.org), `code` and *emphasis* in a line of text.\n\n"
    body = "".join(f"## Heading {index}\n\n{paragraph * 9}```python\nx = 1\n```\n\n" for index in range(20))
    content = (FRONT + body).encode()
    assert 15_000 < len(content) < 25_000
    lint_card(content, path="README.md", target="card")  # loads the lists
    started = time.perf_counter()
    lint_card(content, path="README.md", target="card")
    assert time.perf_counter() - started < 0.5  # 0.03 s on an idle machine
