from __future__ import annotations

import pytest
from support.linting import codes_of, findings_of, fixed, subject

from hubpub.core.findings import Severity

RESULT = """\
  - task: {type: text-classification}
    dataset: {name: SST-2, type: stanfordnlp/sst2, split: validation}
    metrics:
    - type: accuracy
      value: 0.91
"""


def card(results: str, before: str = "", body: str = "") -> str:
    return f"---\nlicense: mit\n{before}model-index:\n- name: m\n  results:\n{results}---\n{body}"


def index(block: str) -> str:
    return f"---\nlicense: mit\nmodel-index: {block}\n---\n"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (card(RESULT), []),
        (index("foo"), ["EVAL001"]),
        (index("[3]"), ["EVAL001"]),
        (index("[{results: []}]"), ["EVAL001", "EVAL021"]),
        (index("[{name: a}]"), ["EVAL001"]),
        (index("[{name: a, results: x}]"), ["EVAL001"]),
        (index("[{name: a, results: [x]}]"), ["EVAL001"]),
        (index("[{name: a, results: null}]"), ["EVAL001"]),
        (card(RESULT.replace("{type: text-classification}", "text-classification")), ["EVAL001"]),
        (card(RESULT.replace("    - type: accuracy\n      value: 0.91\n", "    - 0.91\n")), ["EVAL001"]),
        (card(RESULT.replace("type: stanfordnlp/sst2, ", "")), ["EVAL002"]),
        (card(RESULT.replace("- type: accuracy", "- name: accuracy")), ["EVAL002"]),
        (card(RESULT.replace("value: 0.91", "value:")), ["EVAL002"]),
        (card(RESULT[: RESULT.index("    metrics")]), ["EVAL002"]),
        (index("[{name: a, results: []}, {name: b, results: []}]"), ["EVAL003", "EVAL021"]),
        (card(RESULT.replace("0.91", '"20.0 ± 1.2"')), []),
        (card(RESULT.replace("0.91", "91 %")), []),
        (card(RESULT.replace("0.91", "TODO")), ["EVAL004"]),
        (card(RESULT.replace("0.91", "-.inf")), ["EVAL004"]),
        (card(RESULT.replace("0.91", "{accuracy: 0.91}")), ["EVAL004"]),
        (card(RESULT.replace("0.91", "[0.91]")), ["EVAL004"]),
        (card(RESULT.replace("0.91", "true")), ["EVAL004"]),
        (card(RESULT.replace("0.91", "{{ accuracy }}")), None),  # YAML cannot read it: META002 says so
        (card(RESULT.replace("0.91", '"{{ accuracy }}"')), []),  # TEXT003 says so
        (card(RESULT.replace("split: validation", "config: 1.10")), ["EVAL005"]),
        (card(RESULT.replace("split: validation", "config: no")), []),  # text to the Hub
        (card(RESULT.replace("split: validation", "split: 2")), ["EVAL005"]),
        (card(RESULT + "    source: {name: x}\n"), ["EVAL006"]),
        (card(RESULT + "    source: {name: x, url: https://x.org}\n"), []),
        (card(RESULT + RESULT), []),
        (card(RESULT + RESULT + "    source: {name: x, url: https://x.org}\n"), ["EVAL007"]),
        (card(RESULT + RESULT.replace("SST-2", "SST-2 (few shot)")), ["EVAL007"]),
        (card(RESULT + RESULT.replace("validation", "test") + "    source: {name: x, url: https://x.org}\n"), []),
        (card(RESULT + RESULT.replace("validation", "test").replace("0.91", "88.2")), ["EVAL008"]),
        (card(RESULT + RESULT.replace("validation", "test").replace("0.91", "1.0")), []),
        (card(RESULT + RESULT.replace("validation", "test").replace("0.91", "2.5")), []),  # may be 2.5 %
        (card(RESULT.replace("0.91", "910")), ["EVAL008"]),
        (card(RESULT.replace("accuracy", "mse").replace("0.91", "910")), []),
        (card(RESULT, before="metrics: accuracy\n"), []),
        (card(RESULT, before="metrics: [f1]\n"), ["EVAL010"]),
        (card(RESULT.replace("accuracy", "rouge1"), before="metrics: [rouge]\n"), []),
        (card(RESULT.replace("accuracy", "loss"), before="metrics: [f1]\n"), []),
        (card(RESULT.replace("accuracy", "goodness")), ["EVAL011"]),
        (card(RESULT.replace("accuracy", "Rouge-L")), []),
        (card(RESULT + "      verified: true\n"), ["EVAL016"]),
        (card(RESULT + "      verified: false\n"), []),
        (card(RESULT + "      verified: true\n      verifyToken: eyJhbGciOi.eyJoYXNo.sig\n"), []),
        (card(RESULT + "      verified: true\n      verifyToken: trust-me\n"), ["EVAL016"]),
        ("---\nlicense: mit\nmodel-index: [\n---\n", []),
        ("# no metadata", []),
    ],
)
def test_what_model_index_says(text: str, codes: list[str] | None) -> None:
    found = codes_of(subject(text), "EVAL0")
    assert found == codes or codes is None


def test_a_finding_points_at_the_value() -> None:
    text = card(RESULT.replace("split: validation", "revision: 5503434"))
    (finding,) = findings_of(subject(text), "EVAL005")
    assert text.splitlines()[finding.line - 1][finding.column - 1 :].startswith("5503434")  # type: ignore[operator]
    assert (finding.severity, "must be a string" in finding.message) == (Severity.ERROR, True)


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("EVAL005", card(RESULT.replace("split: validation", "config: 1.10")), ("config: 1.10", 'config: "1.10"')),
        ("EVAL005", card(RESULT.replace("split: validation", "split: 2")), ("split: 2", 'split: "2"')),
        ("EVAL010", card(RESULT, before="metrics: [f1]\n"), ("[f1]", "[f1, accuracy]")),
        ("EVAL010", card(RESULT, before="metrics: f1\n"), ("metrics: f1", "metrics: [f1, accuracy]")),
        ("EVAL016", card(RESULT + "      verified: true # HF did\n"), ("      verified: true # HF did\n", "")),
        (
            "EVAL021",
            "---\nlicense: mit\nmodel-index:\n- name: m\n  results: []\n---\n",
            ("\nmodel-index:\n- name: m\n  results: []", ""),
        ),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_fix_changes_that_and_nothing_else(code: str, before: str, after: tuple[str, str], newline: str) -> None:
    text = before.replace("\n", newline)
    old, new = (part.replace("\n", newline) for part in after)
    assert text.count(old) == 1
    (finding,) = findings_of(subject(text), code)
    assert finding.fix
    assert finding.fix.safe
    mended = fixed(text, finding)
    assert mended == text.replace(old, new)
    assert not findings_of(subject(mended), code)


def test_a_list_with_comments_is_left_alone() -> None:
    (finding,) = findings_of(subject(card(RESULT, before="metrics:\n- f1 # the main one\n")), "EVAL010")
    assert finding.fix is None


BODY = "# m\n\n## Evaluation results\n\n"


@pytest.mark.parametrize(
    ("body", "hit"),
    [
        ("- Accuracy: 0.93\n", True),
        ("- Accuracy: 0.91\n", False),
        ("- Accuracy: 0.9\n", False),  # rounded
        ("- Accuracy: 91.0 %\n", False),
        ("- Accuracy: 0.914\n", True),
        ("- Accuracy: 0.93\n- Accuracy: 0.91\n", False),  # one of two
        ("### Test set\n\n- Accuracy: 0.93\n", False),
        ("### Results on the SST-2 validation set\n\n- Accuracy: 0.93\n", True),
        ("### Results on IMDB\n\n- Accuracy: 0.93\n", False),
        ("| Model | Accuracy |\n|---|---|\n| a | 0.93 |\n| m | 0.92 |\n", False),
        ("- F1: 0.93\n", False),
    ],
)
def test_text_and_metadata_agree(body: str, hit: bool) -> None:
    assert bool(findings_of(subject(card(RESULT, body=BODY + body)), "EVAL009")) is hit


def test_two_results_have_no_one_value() -> None:
    results = RESULT + RESULT.replace("validation", "test").replace("0.91", "0.90")
    assert not findings_of(subject(card(results, body=BODY + "- Accuracy: 0.93\n")), "EVAL009")


def test_the_text_gets_the_value_of_the_metadata_on_its_own_scale() -> None:
    text = card(
        RESULT.replace("0.91", "0.9134"), body=BODY + "| Metric | Value |\n|---|---|\n| Accuracy | **93.2** % |\n"
    )
    (finding,) = findings_of(subject(text), "EVAL009")
    assert finding.fix
    assert not finding.fix.safe
    assert fixed(text, finding) == text.replace("93.2", "91.3")


WORDS = (
    "It works very well on all of the texts that we have tried it on so far, better than any other model of its kind."
)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (f"## Evaluation\n\n{WORDS}", ["EVAL012"]),
        (f"## Evaluation\n\n{WORDS}\n\n![confusion matrix](a.png)", []),
        (f"## Evaluation\n\n{WORDS}\n\n```\naccuracy 0.91\n```", []),
        (f"## Evaluation\n\n{WORDS} It was right in 9 of 10 cases.", []),
        (f"## Evaluation data\n\n{WORDS}", []),
        (f"## Metrics\n\n{WORDS}", []),
        (f"## Evaluation\n\n{WORDS}\n\n## Other\n\nAccuracy was 91 %.", []),
        ("## Evaluation\n\nSee [the paper](https://arxiv.org/abs/1).", ["EVAL012"]),
        ("## Evaluation\n\nTo follow.", []),  # SECT010 says so
        (f"## Evaluation\n\nReleased in 2021. {WORDS}", ["EVAL012"]),
        ("## Results\n\n- F1: 0.91", ["EVAL013"]),
        ("## Results\n\n- F1: 0.91\n\nOn the dev split.", []),
        ("# BERT for SQuAD 2.0\n\n## Results\n\n- F1: 0.91", []),
        ("## Training data\n\nOur letters.\n\n## Results\n\n- F1: 0.91", []),
        ("---\ndatasets: [a/b]\n---\n\n## Results\n\n- F1: 0.91", []),
        ("| Set | F1 |\n|---|---|\n| a | 0.81 |\n| b | 79.3 |", ["EVAL008"]),
        ("| Set | F1 |\n|---|---|\n| a | 0.81 |\n| b | 79.3% |", []),
        ("| Set | F1 |\n|---|---|\n| a | 0.81 |\n| b | 1.2 |", []),
        ("| Set | PSNR |\n|---|---|\n| a | 0.81 |\n| b | 31.2 |", []),
        ("- Loss: 0.3\n", ["EVAL020"]),
        ("- Loss: 0.3\n- Wer: 0.3\n", []),
        ("- Loss: 0.3\n\n## Results\n\nThe accuracy is fine: 91 of 100 sentences of the test set.", []),
    ],
)
def test_results_in_the_text(text: str, codes: list[str]) -> None:
    found = codes_of(subject(text), "EVAL008 EVAL012 EVAL013 EVAL020")
    assert found == codes


def test_a_section_with_a_link_is_only_told() -> None:
    (finding,) = findings_of(subject("## Evaluation\n\nSee [the paper](https://arxiv.org/abs/1)."), "EVAL012")
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("- Accuracy: 0.91", ["EVAL014", "EVAL015"]),
        ("- Accuracy: 0.91 ± 0.01, per language", []),
        ("| Class | F1 |\n|---|---|\n| joy | 0.9 |\n| fear | 0.8 |\n| anger | 0.7 |\n\n(5 runs)", []),
        ("It is good.", []),
    ],
)
def test_what_is_left_unsaid(body: str, codes: list[str]) -> None:
    assert codes_of(subject(f"## Evaluation results\n\n{body}"), "EVAL014 EVAL015") == codes
