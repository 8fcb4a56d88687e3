"""What counts as something that stands in a section."""

from __future__ import annotations

import pytest

from hubpub.card.content import count_words, is_not_applicable, tells
from hubpub.card.document import Card
from hubpub.card.sections import SectionState, required_sections

WORDS = "These are quite a few real words about the matter at hand, more than fifteen of them in all."


def state(title: str, body: str) -> SectionState:
    states = required_sections(Card.parse(f"# x\n\n## {title}\n\n{body}\n\n## Contact\n\nus\n"))
    return next(state for section, state in states.items() if section.title == title)


@pytest.mark.parametrize(
    "body",
    [
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "<table><tr><td>Accuracy</td><td>0.91</td></tr></table>",
        "<pre><code>pip install x</code></pre>",
        "    indented = code()",
        f"<details><summary>Click to expand</summary>\n\n{WORDS}\n\n</details>",
        f"> {WORDS}",
        "N/A: no fine-tuning was done",
        "Not applicable, as those of the base model apply.",
        "这个模型适合用来做中文文本的分类任务，不适合用来生成文本，也不适合其他语言。",
    ],
)
def test_it_is_filled(body: str) -> None:
    assert state("Limitations and bias", body).filled


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<!-- " + WORDS + " -->",
        "![" + WORDS + "](plot.png)",
        '<img src="a.png" alt="' + WORDS + '"/>',
        "| Risk | Answer |\n|---|---|",
        "| Risk | Answer |\n|---|---|\n| Bias | |\n| Safety | TBD |\n| Law | N/A |\n| Use | [Insert Response Here] |",
        "```bibtex\n@article{a, title={" + WORDS + "}}\n```",
        "```python\n# TODO: " + WORDS + "\n...\n```",
        "*This section provides information for anyone who wants to know about the model and what it can be used for.*",
        "<details><summary>Click to expand</summary></details>",
        "- **A label:** [More Information Needed]\n" * 9,
        "Users (both direct and downstream) should be made aware of the risks, biases and limitations of the model. "
        "More information needed for further recommendations.",
        "N/A",
        "None.",
        "https://example.org/where-it-is-said",
        "### Citation\n\n" + WORDS,
        "### How to use\n\n#### In detail\n\n" + WORDS,
    ],
)
def test_it_is_not_filled(body: str) -> None:
    found = state("Limitations and bias", body)
    assert found.present
    assert not found.filled


@pytest.mark.parametrize("title", ["How to use", "Training data", "Training procedure", "Evaluation results"])
@pytest.mark.parametrize(
    ("body", "filled"),
    [
        ("https://huggingface.co/datasets/squad", True),
        ("See [the paper](https://arxiv.org/abs/2001.00001).", True),
        ("[![Open in Colab](badge.svg)](https://colab.research.google.com/x)", True),
        ("![a plot](https://example.org/plot.png)", False),
        ("See [above](#overview).", False),
        ("To follow.", False),
    ],
)
def test_a_link_is_enough_where_the_matter_has_a_page_of_its_own(title: str, body: str, filled: bool) -> None:
    assert state(title, body).filled is filled


def test_a_link_in_the_heading_is_a_link() -> None:
    text = "# x\n\n## [Training script](https://example.org/train.py)\n\n## Contact\n\nus\n"
    states = required_sections(Card.parse(text))
    assert next(state for section, state in states.items() if section.id == "training-procedure").filled


def test_a_measured_number_is_a_result_and_nothing_else() -> None:
    assert state("Evaluation results", "Accuracy: 0.91").filled
    assert state("Evaluation results", "Accuracy of 91 %").filled
    assert not state("Evaluation results", "![0.91](plot-0.91.png)").filled
    assert not state("Limitations and bias", "Accuracy: 0.91").filled


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("one two-three don't", 3),
        ("[a link](https://example.org/a_(b)) <b>bold</b>", 3),
        ("![a b c](x.png) d", 1),
        ("模型介绍", 2),
        ("https://example.org", 0),
    ],
)
def test_words_are_counted(text: str, words: int) -> None:
    assert count_words(text) == words


@pytest.mark.parametrize(
    "text", ["N/A", "n/a.", "**None**", "-", "Not applicable", "无", "なし", "Keine", "aucun", "ninguna"]
)
def test_nothing_to_say_in_many_words(text: str) -> None:
    assert is_not_applicable(text)


def test_more_than_nothing_to_say() -> None:
    assert not any(is_not_applicable(text) for text in ("", "None of us", "N/A: no", "Nonesuch", "no bias"))


@pytest.mark.parametrize(
    ("value", "said"), [("mit", True), ("None", True), ("TBD", False), ("", False), ("a: b", True)]
)
def test_what_a_value_tells(value: str, said: bool) -> None:
    assert tells(value) is said
