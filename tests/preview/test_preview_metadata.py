"""What the Hub makes of the metadata, and that nothing in it breaks the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubpub.card.document import Card
from hubpub.core.settings import Settings
from hubpub.preview.metadata import Chip, ancestry, chips, examples, filed_results, results
from hubpub.preview.page import whole_page
from hubpub.preview.subject import read_subject

CARD = """---
license: other
license_name: acme-community
language: [en, de]
library_name: transformers
pipeline_tag: text-classification
base_model: [a/b, c/d]
base_model_relation: merge
datasets: [x/1, x/2, x/3, x/4, x/5, x/6]
tags: [sentiment]
co2_eq_emissions: {emissions: 1250, source: codecarbon}
widget:
- text: I love it
  example_title: Happy
  output: [{label: good, score: 0.98}]
- messages: [{role: user, content: 2+2?}]
- src: assets/a.png
  candidate_labels: cat, dog
- source_sentence: a
  sentences: [b, c]
model-index:
- name: m
  results:
  - task: {type: text-classification}
    dataset: {name: SST-2, type: sst2, split: validation}
    source: {name: a leaderboard, url: https://x.example}
    metrics:
    - {type: accuracy, value: 0.93121, name: Accuracy}
    - {type: f1, value: "0.9 ± 0.1", verified: true}
---
"""


def test_chips_in_the_hubs_words() -> None:
    found = chips(Card.parse(CARD))
    assert found == [
        Chip("task", "Text Classification"),
        Chip("library", "Transformers"),
        *(Chip("dataset", f"x/{number}") for number in range(1, 5)),
        Chip("dataset", "and 2 more", ("x/5", "x/6")),
        Chip("language", "English"),
        Chip("language", "German"),
        Chip("", "sentiment"),
        Chip("licence", "acme-community"),
        Chip("CO2", "1.25 kg of CO2"),
    ]


def test_examples_results_and_tree() -> None:
    card = Card.parse(CARD)
    happy, chat, picture, sentences = examples(card)
    assert (happy.title, happy.parts, happy.output) == ("Happy", (("", "I love it"),), "good 0.98")
    assert chat.parts == (("user", "2+2?"),)
    assert (picture.title, picture.source) == ("Example 3", "assets/a.png")
    assert picture.parts == (("candidate labels", "cat, dog"),)
    assert sentences.parts[1] == ("sentences", '["b", "c"]')
    accuracy, f1 = results(card)
    assert accuracy[:5] == ("Accuracy", "0.931", "SST-2 (validation)", "Text Classification", "a leaderboard")
    assert (f1.metric, f1.value, f1.verified) == ("f1", "0.9 ± 0.1", True)
    assert ancestry(card) == ("merged from", ("a/b", "c/d"))


def test_results_in_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / ".eval_results").mkdir()
    (tmp_path / ".eval_results/a.yaml").write_text(
        "- dataset: {id: cais/hle, task_id: hle}\n  value: 20.9\n"
        "  source: {name: our run, url: https://x.example}\n- 5\n"
    )
    (tmp_path / ".eval_results/b.yml").write_text("a: [")
    (tmp_path / ".eval_results/c.yaml").symlink_to("/etc/passwd")
    (result,) = filed_results(tmp_path)
    assert result == ("hle", "20.9", "cais/hle", "", "our run", False)
    (tmp_path / "README.md").write_text("# T\n")
    assert "20.9" in whole_page(read_subject(tmp_path / "README.md", Settings()), remote_images=False)


ODD = {
    "no mapping": "---\n- a\n---\n",
    "no YAML": "---\na: [\n---\n",
    "wrong types": "---\nlicense: [1, {a: b}]\ntags: {a: b}\ndatasets: 5\nwidget: {text: x}\nmodel-index: 3\n---\n",
    "nested": "---\nwidget: [5, [a], {text: [1, {b: c}]}, {messages: [x, {role: [y]}]}, {src: 5}]\nlanguage: no\n---\n",
    "results": "---\nmodel-index:\n- results:\n"
    "  - metrics: [5, {value: .nan}, {value: {a: b}, type: [x]}]\n    dataset: 5\n---\n",
    "numbers": "---\npipeline_tag: 1.5\nco2_eq_emissions: .inf\nbase_model: {a: b}\nlicense_name: 2020-01-01\n---\n",
    "duplicates": "---\ntags: [a]\ntags: [b]\n---\n",
    "empty": "",
    "binary": "\x00\x01\ud7ff\ufeff",
    "unfinished": "---\nlicense: mit\n",
    "html": '---\nlicense: "<script>1</script>"\ntags: ["<img src=x onerror=1>"]\n'
    'widget: [{text: "<b>", example_title: "<i>"}]\n'
    "base_model: \"'><script>\"\nmodel-index: [{results: [{metrics: [{type: '<b>', value: '<script>'}]}]}]\n---\n",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_metadata_is_shown_and_escaped(text: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(text + "# Title\n", encoding="utf-8")
    html = whole_page(read_subject(tmp_path / "README.md", Settings()), remote_images=False)
    assert "Title" in html
    page = html.partition("</head>")[2]
    assert not [part for part in ("<script", "<img", "<i>") if part in page]


def test_undecodable_text_is_shown(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"---\nlicense: \xff\n---\n# T\xe9\n")
    html = whole_page(read_subject(tmp_path / "README.md", Settings()), remote_images=False)
    assert "TEXT" in html
    assert 'class="note error"' in html
