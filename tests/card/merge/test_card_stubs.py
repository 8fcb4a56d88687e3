"""Cards of generators are adopted; what they left to be filled in is replaced when that is asked for."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import ModelCard, ModelCardData
from support.managed_cards import managed_card

from hubpub.card.merge.update import merge_card

RENDERED = managed_card()

TRAINER = """---
library_name: transformers
tags:
- generated_from_trainer
model-index:
- name: x
  results: []
---

<!-- This model card has been generated automatically according to the information the Trainer had access to. You
should probably proofread and complete it, then remove this comment. -->

# x

This model was trained from scratch on an unknown dataset.

## Model description

More information needed

## Intended uses & limitations

More information needed

## Training and evaluation data

Reviews of 2019, which Anna collected.

## Training procedure

### Training hyperparameters

The following hyperparameters were used during training:
- learning_rate: 5e-05

### Framework versions

- Transformers 5.0.0
"""

PEFT = """---
base_model: acme/base
library_name: peft
---

# Model Card for Model ID

<!-- Provide a quick summary of what the model is/does. -->

## Model Details

### Model Description

<!-- Provide a longer summary of what this model is. -->

- **Developed by:** [More Information Needed]

## How to Get Started with the Model

Use the code below to get started with the model.

[More Information Needed]

## Evaluation

### Results

[More Information Needed]

### Framework versions

- PEFT 0.21.2
"""

TRL = """# Model Card for x

This model is a fine-tuned version of [acme/base](https://huggingface.co/acme/base).

## Quick start

```python
from transformers import pipeline

generator = pipeline("text-generation", model="acme/x")
```

## Training procedure

This model was trained with SFT on many conversations that people have had with each other in the year before it.

## Citations

Cite TRL as:
"""


@pytest.mark.parametrize("card", [TRAINER, PEFT, TRL], ids=["Trainer", "PEFT", "TRL"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_generators_card_is_adopted_without_losing_a_byte(card: str, newline: str) -> None:
    card = card.replace("\n", newline)
    adopted = merge_card(card, RENDERED)
    body = card.removeprefix(f"---{newline}").partition(f"{newline}---{newline}")[2] or card
    assert body in adopted.text
    assert "hubpub:begin" not in adopted.text[: adopted.text.index(body) + len(body)]
    assert adopted.text.count("\n") == adopted.text.count(newline)
    assert merge_card(adopted.text, RENDERED, adopted.given).text == adopted.text
    assert merge_card(adopted.text, RENDERED).text == adopted.text


def test_only_stubs_are_replaced_by_what_is_known_or_by_a_gap() -> None:
    result = merge_card(TRAINER, RENDERED, stubs=True)
    updated = [change.name for change in result.changes if change.how == "updated"]
    assert updated == ["model-description", "intended-uses"]
    assert "## Model description\n\n<!-- hubpub:begin summary" in result.text
    assert "## Intended uses & limitations\n\n<!-- hubpub:todo intended-uses -->" in result.text
    assert "More information needed" not in result.text
    assert "Reviews of 2019, which Anna collected." in result.text
    assert "- learning_rate: 5e-05" in result.text
    assert merge_card(result.text, RENDERED, result.given, stubs=True).text == result.text


def test_headings_below_a_stub_go_with_it_but_for_those_that_say_something() -> None:
    """In the Hub's template, where a person has written one section."""
    begun = PEFT.replace("## Evaluation\n", "## Uses\n\n### Direct Use\n\nFor films.\n\n## Evaluation\n")
    result = merge_card(begun, RENDERED, stubs=True)
    assert "## Model Details\n\n<!-- hubpub:begin summary" in result.text
    assert "Developed by" not in result.text
    assert "## How to Get Started with the Model\n\n<!-- hubpub:begin usage" in result.text
    assert "## Uses\n\n### Direct Use\n\nFor films.\n\n## Evaluation\n\n<!-- hubpub:begin results" in result.text
    assert "### Framework versions\n\n- PEFT 0.21.2\n" in result.text
    assert "ore Information" not in result.text
    assert "### Results" not in result.text
    assert merge_card(result.text, RENDERED, result.given, stubs=True).text == result.text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_template_that_nobody_has_filled_in_is_replaced_as_a_whole(newline: str) -> None:
    card = hub_template().replace("\n", newline)
    result = merge_card(card, RENDERED, stubs=True)
    body = RENDERED.partition("---\n\n# x")[2].replace("\n", newline)
    assert result.text.endswith(f"---{newline}{newline}# x{body}")
    assert result.text.startswith(f"---{newline}base_model: acme/base{newline}library_name: peft{newline}")
    assert merge_card(result.text, RENDERED, result.given, stubs=True).text == result.text


@pytest.mark.parametrize(
    ("left", "written"),
    [
        ("- **Developed by:** [More Information Needed]", "- **Developed by:** Anna"),
        ("**APA:**", "**APA:** Lovelace (1843)"),
        ("# Model Card for Model ID\n", "# Model Card for Model ID\n\nReads films.\n"),
        ("- PEFT 0.21.2", "- PEFT 0.21.2, patched"),
    ],
)
def test_a_word_of_a_person_keeps_the_rest_of_a_template(left: str, written: str) -> None:
    card = hub_template()
    assert left in card
    result = merge_card(card.replace(left, written), RENDERED, stubs=True)
    assert written in result.text
    assert "## Glossary [optional]" in result.text


def hub_template() -> str:
    """The card that PEFT saves: the Hub's template, and a line behind it."""
    template = Path(huggingface_hub.__file__).with_name("templates") / "modelcard_template.md"
    card = ModelCard.from_template(ModelCardData(), template_path=str(template))
    card.data = ModelCardData(base_model="acme/base", library_name="peft")
    return f"{card}\n### Framework versions\n\n- PEFT 0.21.2"


def test_what_generators_write_into_all_metadata_goes_with_the_stubs() -> None:
    """TRL's `licence: license`, and the folder from which the base model was loaded."""
    head = (
        "---\nlibrary_name: peft\nlicence: license\nbase_model: /home/anna/base\n"
        "tags:\n- base_model:adapter:/home/anna/base\n- lora\n---\n"
    )
    rendered = managed_card(metadata={"library_name": "peft"})
    adopted = merge_card(head + TRL, rendered)
    assert adopted.text.startswith(head)
    assert [stub.name for stub in adopted.stubs] == ["licence", "base_model", "tags"]
    result = merge_card(head + TRL, rendered, stubs=True)
    assert result.text.startswith("---\nlibrary_name: peft\ntags:\n- lora\n---\n")
    assert result.stubs == ()
    assert merge_card(result.text, rendered, result.given, stubs=True).text == result.text
    kept = head.replace("/home/anna", "acme").replace("licence: license", "license: mit")
    assert merge_card(kept + TRL, rendered, stubs=True).text.startswith(kept)


def test_that_there_are_stubs_is_told_and_what_a_person_wrote_is_none() -> None:
    assert [stub.name for stub in merge_card(TRAINER, RENDERED).stubs] == ["model-description", "intended-uses"]
    assert [stub.name for stub in merge_card(hub_template(), RENDERED).stubs] == ["README.md"]
    assert merge_card(TRL, RENDERED).stubs == merge_card("# x\n\nWords.\n", RENDERED).stubs == ()


def test_a_stub_in_which_a_person_has_begun_to_write_stays() -> None:
    begun = TRAINER.replace("More information needed", "It reads films. More information needed", 1)
    changes = merge_card(begun, RENDERED, stubs=True).changes
    assert [change.name for change in changes if change.how == "updated"] == ["intended-uses"]


def test_a_regions_facts_are_followed_in_a_section_that_was_a_stub() -> None:
    result = merge_card(TRAINER, RENDERED, stubs=True)
    newer = RENDERED.replace("12 parameters", "13 parameters")
    assert "13 parameters" in merge_card(result.text, newer, result.given).text


def test_another_card_in_its_place_has_deleted_nothing() -> None:
    given = merge_card("", RENDERED).given
    assert merge_card("# mine\n\nWords.\n", RENDERED, given).text == merge_card("# mine\n\nWords.\n", RENDERED).text


def test_the_id_that_a_sparse_encoder_did_not_know_is_the_repos() -> None:
    card = '# x\n\n## Usage\n\n```python\nmodel = SparseEncoder("sparse_encoder_model_id")\n```\n'
    rendered = '# x\n\n## How to use\n\n```python\nmodel = SparseEncoder("acme/x")\n```\n'
    assert merge_card(card, rendered, stubs=True).text == card.replace("sparse_encoder_model_id", "acme/x")


def test_the_id_that_trl_did_not_know_is_the_repos() -> None:
    left = TRL.replace('model="acme/x"', 'model="None"')
    rendered = RENDERED.replace("model='acme/x'", "'text-generation', model='acme/x'")
    assert merge_card(left, rendered, stubs=True).text == merge_card(TRL, rendered, stubs=True).text


def test_the_id_that_a_generator_did_not_know_is_the_repos() -> None:
    """Only in code that loads the model, only when that is asked for, and only when the id is known."""
    card = (
        "# x\n\nSee sentence_transformers_model_id.\n\n## Usage\n\n```python\n"
        'model = SentenceTransformer("sentence_transformers_model_id")\n```\n'
    )
    rendered = '# x\n\n## How to use\n\n```python\nmodel = SentenceTransformer("acme/x")\n```\n'
    assert merge_card(card, rendered).text == card
    replaced = card.replace('"sentence_transformers_model_id"', '"acme/x"')
    assert merge_card(card, rendered, stubs=True).text == replaced
    assert merge_card(replaced, rendered, stubs=True).text == replaced
    assert merge_card(card, rendered.replace("acme/x", "x"), stubs=True).text == card
