from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.profile_folders import PROFILES

from hubpub.card.answers.card_input import CardInput, answers_for, joined, parse_answers, parse_assignments
from hubpub.card.answers.text import add_answer
from hubpub.card.document import Card
from hubpub.card.facts.collect import card_facts
from hubpub.card.gaps import find_gaps
from hubpub.card.metadata.schema import validate_card
from hubpub.card.metadata.yaml_block import read_yaml
from hubpub.card.metadata.yaml_text import Paragraphs
from hubpub.card.writing.questions import questions
from hubpub.card.writing.render import render_card
from hubpub.core.errors import UsageError
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder
from hubpub.rules.run import check_folder

Copy = Callable[[Path], Path]

YAML = """\
# what legal decided
license:   'MIT'
language: [no, English]
datasets: stanfordnlp/sst2
co2_eq_emissions: {emissions: 12.5, source: codecarbon}
sections:
  intended-uses: |
    # For reviews

    ```
    # no heading
    ```

    Small print
    -----------
"""


def test_answers_are_spelt_as_the_hub_spells_them() -> None:
    answers = parse_answers(YAML.encode(), "card.yaml")
    assert answers.metadata == {
        "license": "mit",
        "language": ["no", "en"],
        "datasets": ["stanfordnlp/sst2"],
        "co2_eq_emissions": {"emissions": 12.5, "source": "codecarbon"},
    }
    assert list(answers.sections) == ["intended-uses"]
    assert not parse_answers(b"\n# nothing yet\n", "card.yaml")


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("licence: mit\n", "card.yaml:1:1: unknown key licence", "did you mean license?"),
        ("a: 1\n", "card.yaml:1:1: unknown key a", "known keys"),
        ("intended-uses: x\n", "unknown key intended-uses", "did you mean sections.intended-uses?"),
        ("sections:\n  intended: x\n", "card.yaml:2:3: unknown key sections.intended", "sections.intended-uses"),
        ("license: mit\n\nlicense: mit\n", "card.yaml:3:1: the key license is there twice", ""),
        ("license: foo-9\n", "card.yaml:1:1: the Hub knows no license 'foo-9'", ""),
        ("license: apache-2.9\n", "the Hub knows no license", "did you mean apache-2.0?"),
        ("language:\n- en\n- klingonese\n", "card.yaml:3:3: the Hub knows no language", ""),
        ("pipeline_tag: text-clasification\n", "the Hub knows no pipeline_tag", "did you mean text-classification?"),
        ("base_model: ./out\n", "is './out', not the id of a repo", "namespace/name"),
        ("base_model_relation: child\n", "the Hub knows no base_model_relation", "finetune"),
        ("tags: 3\n", "tags is 3, not a list of texts", ""),
        ("license_name: 1.0\n", "license_name is 1.0, not text", "quotes"),
        ("widget: {text: a}\n", "widget is not a list", ""),
        ("co2_eq_emissions: 1.2 kg\n", "not keys with values", ""),
        ("co2_eq_emissions:\n  emissions: many\n", "card.yaml:2:3: co2_eq_emissions.emissions is 'many'", "a number"),
        ("model-index:\n- results: []\n", "the Hub would reject it", ""),
        ("sections:\n  intended-uses: <!-- hubpub:end x -->\n", "holds a comment of hubpub's", ""),
        ("sections:\n  intended-uses: <!--hubpub:end x-->\n", "holds a comment of hubpub's", ""),
        ('sections:\n  intended-uses: "<!--\\t hubpub:begin how-to-use -->"\n', "holds a comment of hubpub's", ""),
        (
            "sections:\n  intended-uses: |\n    ```python\n    x = 1\n",
            "card.yaml:2:3: sections.intended-uses ends in code",
            "```",
        ),
        ("sections:\n  intended-uses: |\n    Films.\n\n    <!-- to do\n    more\n", "that is not closed", "-->"),
        ("evaluation: {dataset: sst2}\n", "evaluation.dataset is 'sst2'", "namespace/name"),
        ("- license: mit\n", "it is a list", ""),
        ("license: [\n", "card.yaml:2:1", ""),
    ],
)
def test_what_cannot_be_an_answer_is_named_with_its_place(text: str, says: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_answers(text.encode(), "card.yaml")
    assert says in caught.value.message
    assert hint in caught.value.next_step


def test_assignments_have_the_types_of_their_keys() -> None:
    answers = parse_assignments(
        [
            "license=Apache 2.0",
            "language=en, de",
            "co2_eq_emissions.emissions=1e2",
            "co2_eq_emissions.source=codecarbon",
            "extra_gated_eu_disallowed=true",
            "sections.intended-uses=a = b",
            "widget=",
            "evaluation.split=validation",
        ]
    )
    assert answers.metadata == {
        "license": "apache-2.0",
        "language": ["en", "de"],
        "co2_eq_emissions": {"emissions": 100.0, "source": "codecarbon"},
        "extra_gated_eu_disallowed": True,
        "widget": None,
    }
    assert (answers.sections, answers.evaluation) == ({"intended-uses": "a = b"}, {"split": "validation"})


@pytest.mark.parametrize("assignment", ["license", "licens=mit", "co2_eq_emissions.emissions=x", "widget=[1]"])
def test_wrong_assignments(assignment: str) -> None:
    with pytest.raises(UsageError, match=re.escape(assignment.partition("=")[0])):
        parse_assignments([assignment])
    with pytest.raises(UsageError, match="is not key=value"):
        parse_assignments(["=mit"])


def test_a_flag_beats_the_file_and_the_file_beats_the_project(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    (folder / "card.yaml").write_text("license: mit\nlanguage: en\n")
    project = CardSettings(answers={"license": "gpl-3.0", "tags": ["acme"], "language": "fr"})
    answers = answers_for(ModelFolder.open(folder), project, assignments=["language=de"])
    assert answers.metadata == {"license": "mit", "tags": ["acme"], "language": ["de"]}
    with pytest.raises(UsageError, match=r"card\.answers\.licence"):
        answers_for(ModelFolder.open(folder), CardSettings(answers={"licence": "mit"}))


def test_answers_of_tables_come_together() -> None:
    first, second = CardInput({"co2_eq_emissions": {"emissions": 1}}), CardInput({"co2_eq_emissions": {"source": "x"}})
    assert joined(first, second).metadata == {"co2_eq_emissions": {"emissions": 1, "source": "x"}}


def test_answers_fill_gaps_and_headings_stay_below_the_section(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    (folder / "card.yaml").write_text(YAML + "  model-description: A *small* model.\n  glossary: Words.\n")
    facts = card_facts(ModelFolder.open(folder), repo_id="acme/tiny", settings=CardSettings())
    card = Card.parse(render_card(facts))
    by_heading = {section.heading: section for section in card.sections}
    assert by_heading["For reviews"].level == 3
    assert by_heading["Small print"].level == 4
    assert "```\n# no heading\n```" in card.text
    assert "intended-uses" not in {gap.slot for gap in find_gaps(card.text)}
    assert by_heading["Model description"].body.index("A *small* model.") < card.text.index("| Architecture |")
    assert by_heading["Glossary"].body.split("\n")[2] == "Words."
    assert card.front_matter.data is not None
    assert card.front_matter.data["license"] == "mit"
    assert validate_card(card.text).issues == ()
    assert render_card(facts) == card.text


def test_what_is_answered_with_nothing_is_left_out(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    (folder / "card.yaml").write_text("widget:\npipeline_tag: ~\n")
    facts = card_facts(ModelFolder.open(folder), repo_id=None, settings=CardSettings(license="mit"))
    assert Card.parse(render_card(facts)).front_matter.data == {"license": "mit", "library_name": "transformers"}


def test_jinja_in_an_answer_is_text(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    (folder / "card.yaml").write_text("sections: {intended-uses: 'a {{ 7 * 7 }} {% raw %} b'}\n")
    facts = card_facts(ModelFolder.open(folder), repo_id=None, settings=CardSettings())
    assert "a {{ 7 * 7 }} {% raw %} b" in render_card(facts)


def test_a_link_out_of_the_folder_is_no_card_yaml(plain_model: Path, copy_of: Copy, tmp_path: Path) -> None:
    folder = copy_of(plain_model)
    (tmp_path / "secret.yaml").write_text("license: mit\n")
    (folder / "card.yaml").symlink_to(tmp_path / "secret.yaml")
    assert not answers_for(ModelFolder.open(folder), CardSettings())
    (folder / "card.yaml").unlink()
    (folder / "card.yaml").write_bytes(b"#" * 600_000)
    with pytest.raises(UsageError, match="more than"):
        answers_for(ModelFolder.open(folder), CardSettings())


def test_only_what_no_file_tells_is_asked(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)

    def asked() -> list[str]:
        facts = card_facts(ModelFolder.open(folder), repo_id="acme/tiny", settings=CardSettings())
        return [question.key for question in questions(facts, render_card(facts))]

    assert asked()[:3] == ["license", "language", "sections.intended-uses"]
    (folder / "LICENSE").write_text("Apache License\nVersion 2.0, January 2004\n")
    (folder / "eval_results.json").write_text('{"eval_accuracy": 0.5}')
    (folder / "all_results.json").write_text('{"train_loss": 0.5}')
    assert asked()[:5] == ["language", "base_model", "datasets", "evaluation.dataset", "sections.intended-uses"]
    (folder / "card.yaml").write_text("language: en\nbase_model: google-bert/bert-base-uncased\ndatasets: a/b\n")
    assert asked()[0] == "sections.intended-uses"


def test_what_a_t5_is_for_is_asked(tmp_path: Path) -> None:
    """Its class is that of translators and of those that summarise."""
    PROFILES["seq2seq"](tmp_path / "m")
    (tmp_path / "m" / "config.json").write_text('{"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}')
    (tmp_path / "m" / "card.yaml").write_text("license: mit\nlanguage: en\n")

    def asked() -> str:
        facts = card_facts(ModelFolder.open(tmp_path / "m"), repo_id="acme/tiny", settings=CardSettings())
        return next(iter(questions(facts, render_card(facts)))).key

    assert asked() == "pipeline_tag"
    (tmp_path / "m" / "card.yaml").write_text("license: mit\nlanguage: en\npipeline_tag: translation\n")
    assert asked() == "sections.intended-uses"


BEFORE = """\
# Keep: chosen by legal
license: 'mit'   # do not touch

sections:  # prose
    # about uses
    intended-uses: |
        One.

        Two.
    # what follows is metadata
tags: [a, "b"]
"""


def test_an_answer_is_added_and_the_rest_stays() -> None:
    text = add_answer(BEFORE, ("language",), ["en", "no"], "card.yaml")
    text = add_answer(text, ("sections", "limitations-and-bias"), Paragraphs("First.\n\n- second: x"), "card.yaml")
    text = add_answer(text, ("evaluation", "dataset"), "a/b", "card.yaml")
    kept = [line for line in text.splitlines(keepends=True) if line in BEFORE.splitlines(keepends=True)]
    assert "".join(line for line in kept if line.strip()) == "".join(
        line for line in BEFORE.splitlines(keepends=True) if line.strip()
    )
    data = read_yaml(text).hub_data
    assert data is not None
    assert data["language"] == ["en", "no"]
    assert data["sections"]["limitations-and-bias"] == "First.\n\n- second: x"
    assert data["evaluation"] == {"dataset": "a/b"}


@given(st.text(max_size=200), st.sampled_from(["\n", "\r\n"]))
@settings(derandomize=True, max_examples=150)
def test_any_text_that_may_be_an_answer_comes_back(prose: str, newline: str) -> None:
    before = BEFORE.replace("\n", newline)
    answer = parse_assignments([f"sections.limitations-and-bias={prose}"]).sections.get("limitations-and-bias", "x")
    text = add_answer(before, ("sections", "limitations-and-bias"), answer, "card.yaml")
    data = read_yaml(text).hub_data
    assert data is not None
    assert set(data) == {"license", "sections", "tags"}
    assert data["sections"]["limitations-and-bias"] == answer
    assert data["sections"]["intended-uses"] == read_yaml(before).hub_data["sections"]["intended-uses"]  # type: ignore[index]


@pytest.mark.parametrize("text", ["{license: mit}\n", "license: mit\n...\n", "license: [\n"])
def test_a_file_that_leaves_no_place_is_not_changed(text: str) -> None:
    with pytest.raises(UsageError, match=r"card\.yaml"):
        add_answer(text, ("language",), "en", "card.yaml")


def test_a_key_without_a_value_gets_one() -> None:
    assert add_answer("license:\ntags: [a]\n", ("license",), "mit", "card.yaml") == "license: mit\ntags: [a]\n"
    assert add_answer("sections:\n", ("sections", "glossary"), "x", "card.yaml") == "sections:\n  glossary: x\n"
    assert add_answer("", ("license",), "mit", "card.yaml").endswith("# This file is not published.\nlicense: mit\n")


def test_answers_stay_home_unless_they_are_asked_for(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    (folder / "card.yaml").write_text("license: mit\n")
    model = ModelFolder.open(folder)
    assert "card.yaml" not in model.root_names
    found = model.leftover("card.yaml")
    assert found is not None
    assert "answers" in found.reason
    report = check_folder(model, target="model")
    assert [finding for finding in report.findings if finding.path == "card.yaml"] == []
    assert "card.yaml" in ModelFolder.open(folder, include=["card.yaml"]).root_names
