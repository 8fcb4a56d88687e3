from __future__ import annotations

import pytest

from hubpub.card.document import Card
from hubpub.card.gaps import find_gaps, write_gap
from hubpub.card.headings import normalised
from hubpub.card.sections import SectionState, course_sections, required_sections, score, section_meanings

WORDS = "These are quite a few real words about the matter at hand, more than fifteen of them in all."


def states(text: str) -> dict[str, SectionState]:
    return {required.id: state for required, state in required_sections(Card.parse(text)).items()}


def test_the_seven_sections() -> None:
    assert [section.title for section in course_sections()] == [
        "Model description",
        "Intended uses & limitations",
        "How to use",
        "Limitations and bias",
        "Training data",
        "Training procedure",
        "Evaluation results",
    ]
    for section in course_sections():
        assert section_meanings(section.title) == {section.id}


@pytest.mark.parametrize(
    ("heading", "meant"),
    [
        ("🚀 1. **How to use** it", "how-to-use"),
        ("How to Get Started with the Model", "how-to-use"),
        ("Bias, Risks, and Limitations", "limitations-and-bias"),
        ("Out-of-Scope Use", "intended-uses"),
        ("Downstream Use [optional]", "intended-uses"),
        ("Training and evaluation data", "training-data"),
        ("Pre-training corpora", "training-data"),
        ("Fine-tuning", "training-procedure"),
        ("Training hyperparameters", "training-procedure"),
        ("Testing Data, Factors & Metrics", "evaluation-results"),
        ("Results on the test set:", "evaluation-results"),
        ("Model Details", "model-description"),
        ("如何使用", "how-to-use"),
        ("训练数据", "training-data"),
        ("制限とバイアス", "limitations-and-bias"),
        ("Utilisations prévues", "intended-uses"),
        ("Trainingsdaten", "training-data"),
        ("Procedimiento de entrenamiento", "training-procedure"),
        ("Resultados da avaliação", "evaluation-results"),
    ],
)
def test_headings_are_recognised_by_meaning(heading: str, meant: str) -> None:
    assert section_meanings(heading) == {meant}


@pytest.mark.parametrize("heading", ["Citation", "License", "Authors", "Environmental impact", "Contact", "", "🤗"])
def test_other_headings_mean_none_of_the_seven(heading: str) -> None:
    assert section_meanings(heading) == frozenset()


def test_headings_are_normalised() -> None:
    assert normalised("2.1) _Intended_ Uses &amp; Limitations ⚠️ (optional)") == "intended uses and limitations"


@pytest.mark.parametrize(
    "body",
    [
        WORDS,
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "```python\nx = 1\n```",
        "- " + WORDS,
        "### Something else\n\n" + WORDS,
        "这个模型适合用来做中文文本的分类任务，不适合用来生成文本，也不适合其他语言。",
    ],
)
def test_a_section_with_words_a_table_or_code_is_filled(body: str) -> None:
    assert states(f"## Training procedure\n\n{body}\n")["training-procedure"].filled


@pytest.mark.parametrize(
    "body",
    [
        "",
        "To follow.",
        "[More Information Needed]",
        "<!-- " + WORDS + " -->",
        "- **Data size:** [More Information Needed]\n" * 9,
        "This model was trained from scratch on an unknown dataset.",
        "More information needed",
        "![a plot of many things that are drawn here](plot.png)",
        write_gap("training-procedure", "how") + "\n\n" + WORDS,
        "## Evaluation results\n\n" + WORDS,
    ],
)
def test_a_section_of_placeholders_is_not_filled(body: str) -> None:
    state = states(f"## Training procedure\n\n{body}\n")["training-procedure"]
    assert state.present
    assert not state.filled


def test_a_number_is_a_result_and_a_link_leads_to_the_data() -> None:
    found = states("## Results\n\nAccuracy: 0.91\n\n## Dataset\n\n[SQuAD](https://huggingface.co/datasets/squad)\n")
    assert found["evaluation-results"].filled
    assert found["training-data"].filled


def test_what_stands_under_another_required_section_does_not_count_twice() -> None:
    found = states("## Intended uses & limitations\n\n### How to use\n\n```python\nx\n```\n")
    assert found["how-to-use"].filled
    assert found["intended-uses"].present
    assert not found["intended-uses"].filled


def test_a_snippet_that_loads_the_model_says_how_to_use_it() -> None:
    text = "# x\n\n## A first try\n\n```python\nmodel = AutoModel.from_pretrained('a/b')\n```\n"
    assert states(text)["how-to-use"].filled


def test_a_long_title_is_no_section() -> None:
    text = "# RoBERTa-like language model trained on the OSCAR Basque corpus\n\n" + WORDS
    assert not states(text)["training-data"].present


def test_the_score_counts_filled_sections() -> None:
    text = (
        "".join(f"## {section.title}\n\n{WORDS}\n\n" for section in course_sections()[:5]) + "## Evaluation results\n"
    )
    assert score(Card.parse(text)) == (5, 7)
    assert score(Card.parse("")) == (0, 7)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_gap_is_read_back_as_it_was_written(newline: str) -> None:
    text = f"## Uses\n\n{write_gap('intended-uses', 'who should use it')}\n\nmore".replace("\n", newline)
    (gap,) = find_gaps(text)
    assert (gap.slot, gap.prompt) == ("intended-uses", "who should use it")
    assert text[gap.start : gap.end].endswith("*")
    state = states(text)["intended-uses"]
    assert state.gap is not None
    assert text[state.gap.start :].startswith("<!-- hubpub:todo")


def test_a_gap_that_was_replaced_is_none() -> None:
    assert find_gaps("<!-- hubpub:todo intended-uses -->\nFor sorting reviews.") == ()
