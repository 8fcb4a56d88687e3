from __future__ import annotations

import pytest

from hubpub.card.document import Card
from hubpub.card.fields import labelled_values, missing_fields
from hubpub.card.profiles import default_profile, profile_named, profile_names
from hubpub.card.sections import required_sections, score
from hubpub.core.errors import UsageError

WORDS = "These are quite a few real words about the matter at hand, more than fifteen of them in all.\n\n"


def titles(*arguments: str, **changes: object) -> list[str]:
    return [section.title for section in profile_named(*arguments, **changes).sections]  # type: ignore[arg-type]


def lacking(text: str, name: str) -> list[str]:
    return [field.id for field in missing_fields(Card.parse(text), profile_named(name))]


def test_the_profiles() -> None:
    counts = {name: (len(profile_named(name).sections), len(profile_named(name).fields)) for name in profile_names()}
    assert counts == {
        "course-7": (7, 0),
        "hub-template": (21, 0),
        "annotated": (15, 7),
        "mitchell": (9, 6),
        "nvidia-plus-plus": (14, 30),
        "eu-gpai": (5, 17),
        "minimal": (3, 0),
    }
    assert profile_named("course-7") is default_profile()


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_is_whole(name: str) -> None:
    profile = profile_named(name)
    assert profile.source.startswith("https://")
    assert profile.title
    assert len({section.id for section in profile.sections}) == len(profile.sections)
    assert len({field.id for field in profile.fields}) == len(profile.fields)
    by_title = "".join(f"## {section.title}\n\n{WORDS}" for section in profile.sections)
    states = required_sections(Card.parse(f"---\nlicense: mit\n---\n# x\n\n{by_title}"), profile)
    assert [section.title for section, state in states.items() if not state.filled] == []


@pytest.mark.parametrize("name", profile_names())
def test_every_label_of_a_field_is_one_that_counts(name: str) -> None:
    profile = profile_named(name)
    text = "".join(f"- **{field.title.rpartition(': ')[2]}:** 42 of them, as was said\n" for field in profile.fields)
    assert [field.title for field in missing_fields(Card.parse(text), profile)] == []


def test_an_unknown_profile_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError) as raised:
        profile_named("mitchel")
    assert (raised.value.message, raised.value.next_step) == ("there is no profile 'mitchel'", "did you mean mitchell?")
    with pytest.raises(UsageError) as raised:
        profile_named("zzz")
    assert "course-7, hub-template" in raised.value.next_step


def test_required_sections_replace_those_of_the_profile() -> None:
    assert titles("course-7", required=["Usage", "training-data", "Carbon footprint", "House rules"]) == [
        "How to use",
        "Training data",
        "Environmental Impact",
        "House rules",
    ]
    card = Card.parse(f"# x\n\n## House rules\n\n{WORDS}\n\n## Model description\n\n{WORDS}")
    assert score(card, profile_named("course-7", required=["House rules", "Usage"])) == (1, 2)


def test_required_sections_add_and_take_away() -> None:
    changed = titles("course-7", required=["+House rules", "-limitations-and-bias", "-Intended uses & limitations"])
    assert changed == [
        "Model description",
        "How to use",
        "Training data",
        "Training procedure",
        "Evaluation results",
        "House rules",
    ]
    assert titles("course-7", required=["+Usage"])[-1] == "How to use"
    with pytest.raises(UsageError):
        profile_named("course-7", required=["-House rules"])
    with pytest.raises(UsageError):
        profile_named("course-7", required=["🤗"])


def test_aliases_are_further_headings() -> None:
    profile = profile_named("course-7", aliases={"how-to-use": ["Spin it up*"], "Training data": ["Ingredients"]})
    card = Card.parse(f"# x\n\n## 🚀 Spin it up on a GPU\n\n{WORDS}\n\n## Ingredients\n\n{WORDS}")
    assert score(card, profile) == (2, 7)
    assert score(card) == (0, 7)
    with pytest.raises(UsageError) as raised:
        profile_named("course-7", aliases={"how-to-us": ["x"]})
    assert raised.value.next_step == "did you mean how-to-use?"


def test_optional_sections_are_not_counted() -> None:
    profile = profile_named("hub-template")
    assert score(Card.parse("# x\n\n## Glossary\n\nA word is a word.\n"), profile) == (0, 12)
    assert next(section for section in profile.sections if section.id == "glossary").optional


def test_title_and_metadata_stand_for_sections() -> None:
    minimal = profile_named("minimal")
    assert score(Card.parse("---\nlicense: mit\n---\n# x\n\n## Usage\n\n```python\nx()\n```\n"), minimal) == (3, 3)
    assert score(Card.parse("## Usage\n\n```python\nx()\n```\n"), minimal) == (1, 3)


NVIDIA = """# Voice detector

## Description: <br>
Tells where somebody speaks. The model has 91.5K parameters, few enough for a phone, and answers for each 20 ms. <br>

### License/Terms of Use:
Governed by the [agreement](https://example.org/licence).

### Deployment Geography:

Global <br>

### Use Case:

Speech engineers use it as the first step. <br>

## Model Architecture:

**Architecture Type:**  Convolutional Neural Network (CNN) <br>
**Network Architecture:** MarbleNet <br>

## Input: <br>
**Input Type(s):** Audio <br>
**Input Format:** .wav files <br>
**Input Parameters:** 1D <br>

## Output: <br>
**Output Type(s):** Probabilities <br>
**Output Format:** Float Array <br>
**Output Parameters:** [Insert here] <br>

## Software Integration:
**Runtime Engine(s):**
* NeMo-2.3.0 <br>

## Model Version(s):
2.0

## Training, Testing, and Evaluation Datasets:

### Training Dataset:
**Link:**
1. [ICSI (en)](https://example.org/icsi)

# Inference:
**Engine:** NeMo <br>

## Ethical Considerations

Whoever builds on it has to see that it fits the industry and use case at hand, and that nobody misuses it there.

## Bias

Field | Response
:-----|:--------
Participation considerations from adversely impacted groups [protected classes](https://example.org) in testing:  | None
Measures taken to mitigate against unwanted bias: | [Insert Response Here]

## Explainability

Field | Response
:-----|:--------
Intended Application & Domain: | Voice activity detection
Model Type: | CNN
Intended Users: | Engineers
Output: | Probabilities
Describe how the model works: | From spectrograms
Name the adversely impacted groups this has been tested to deliver comparable outcomes regardless of:  | Not Applicable
Technical Limitations: | Frames of 20 ms
Performance Metrics: | ROC-AUC
Potential Known Risks: | Other languages
Licensing: | [agreement](https://example.org/licence)
"""


def test_field_tables_of_nvidia_are_read() -> None:
    found = lacking(NVIDIA, "nvidia-plus-plus")
    assert found[:3] == ["output-parameters", "bias-measures", "reverse-engineerable"]
    assert all(
        identifier not in found for identifier in ("parameters", "impacted-groups", "participation", "input-type")
    )
    states = required_sections(Card.parse(NVIDIA), profile_named("nvidia-plus-plus"))
    assert [section.title for section, state in states.items() if not state.filled and not section.optional] == [
        "Release Date"
    ]


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("- **Release date:** 2026-11-22", "release-date"),
        ("Release Date: 2026-11-22", "release-date"),
        ("* Released: last week", "release-date"),
        ("| Release date | 2026-11-22 |\n|---|---|", "release-date"),
        ("## Release date\n\n2026-11-22", "release-date"),
        ("The model has 7 billion parameters.", "parameters"),
        ("It has 7B params.", "parameters"),
        ("It reads up to 128k tokens at a time.", "input-length"),
        ("It took 8e23 FLOPs.", "compute"),
        ("It took 4.2 MWh.", "energy"),
        ("---\nco2_eq_emissions:\n  emissions: 12\n---\n", "energy"),
        ("---\nlicense: mit\n---\n", "license"),
        ("Our acceptable use policy is in POLICY.md.", "acceptable-use"),
    ],
)
def test_a_field_is_given_in_many_forms(text: str, given: str) -> None:
    assert given not in lacking(text, "eu-gpai")


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("- **Release date:** [More Information Needed]", "release-date"),
        ("- **Release date:**", "release-date"),
        ("Release date: TBD", "release-date"),
        ("| Release date | |\n|---|---|\n| Release date | TODO |", "release-date"),
        ("`7 billion parameters` is what a large model has in <!-- 7 billion parameters -->", "parameters"),
        ("---\nlicense:\n---\n", "license"),
        ("```\nRelease date: 2026\n```", "release-date"),
    ],
)
def test_a_label_without_a_value_is_no_field(text: str, missing: str) -> None:
    assert missing in lacking(text, "eu-gpai")


def test_labels_and_values_are_found() -> None:
    text = "**Who:** we <br>\n**Why**: because\n\n| What | It |\n|---|---|\n| _How_ | so |\n\n**Where:**\n\n- here\n"
    assert [(entry.label, entry.value) for entry in labelled_values(Card.parse(text))] == [
        ("who", "we"),
        ("why", "because"),
        ("what", "It"),
        ("", "---"),
        ("how", "so"),
        ("where", "here"),
    ]
