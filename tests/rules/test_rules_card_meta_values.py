"""Values of the metadata, card alone: which rule names them, and what the fix makes of them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.linting import codes_of, findings_of, fixed, subject

from hubpub.core.findings import Severity


def block(lines: str) -> str:
    return f"---\n{lines}\n---\n# x\n"


def licensed(lines: str) -> str:
    return block(f"license: mit\nlanguage: en\n{lines}")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        # licence
        (block("license:\nlanguage: en"), ["META011"]),
        (block("license: other\nlicense_name: x\nlicense_link: https://x.org/licence"), []),
        (block("license: other\nlicense_link: LICENSE"), ["META013"]),
        (block("license: [mit, other]"), ["META013"]),
        (block("license: apache-2.0\nbase_model: unsloth/Meta-Llama-3.1-8B-bnb-4bit"), ["META016"]),
        (block("license: Apache-2.0\nbase_model: google/gemma-2-9b-it"), ["META012", "META016"]),
        (block("license: llama3.1\nbase_model: meta-llama/Llama-3.1-8B"), []),
        (block("license: [mit, gemma]\nbase_model: google/gemma-2b"), []),
        (block("license: apache-2.0\nbase_model: google/gemma-4-E4B-it"), []),
        (block("license: apache-2.0\nbase_model: TinyLlama/TinyLlama-1.1B-Chat-v1.0"), []),
        (block("license: apache-2.0\nbase_model: openlm-research/open_llama_7b"), []),
        (block("license: mit\nbase_model: deepseek-ai/DeepSeek-R1-Distill-Llama-8B"), []),
        # languages
        (block("license: mit\npipeline_tag: text-generation"), ["META019"]),
        (block("license: mit\npipeline_tag: image-classification"), []),
        (block("license: mit\ntags: [summarization]"), ["META019"]),
        (block("license: mit\npipeline_tag: fill-mask\nlanguages: en"), ["META017"]),
        (block("license: mit\nlanguage: no"), ["META008"]),
        (block("license: mit\nlanguage: [en, english]"), ["META020"]),
        (block("license: mit\nlanguage: {en: 1}"), ["META021"]),
        (block("license: mit\nlanguage: [en, null]"), ["META021"]),
        (block("license: mit\nlanguage: false"), ["META008"]),
        # task and library
        (licensed("pipeline_tag: [fill-mask]"), ["META024"]),
        (licensed("pipeline_tag: [fill-mask, ner]"), ["META024"]),
        (licensed("library_name: pytorch"), ["META027"]),
        (licensed("library_name: my-own-library"), ["META027"]),
        (licensed("library_name: PaddleOCR"), []),
        # base model
        (licensed("base_model: a/b/c"), ["META030"]),
        (licensed("base_model: [a/b, 3]"), ["META030"]),
        (licensed("base_model: openai-community/gpt2\nbase_model_relation: lora"), ["META032"]),
        (licensed("new_version: ./v2"), ["META046"]),
        (licensed("new_version: [a/b]"), ["META046"]),
        (licensed("new_version: a/b"), []),
        # lists
        (licensed("datasets: squad"), []),
        (licensed("datasets: [a/b, 'Wikipedia (English)']"), ["META035"]),
        (licensed("metrics: accuracy"), []),
        (licensed("metrics: {accuracy: 0.9}"), ["META037"]),
        (licensed("metrics:\n- name: accuracy\n  value: 0.9"), ["META037"]),
        (licensed("tags: [a, a]"), ["META038"]),
        (licensed("tags:\n-\n- a"), ["META038"]),
        (licensed("tags:\n- 2023"), ["META009"]),
        (licensed("tags:\n- conversational [peft, lora]"), ["META038"]),
        (licensed("tags:\n- dataset_size:1M<n<10M\n- 'loss:MultipleNegativesRankingLoss'\n- 'arxiv:2401.00001'"), []),
        (licensed("tags:\n- 'n<1,000,000'\n- 'a sentence, as somebody would write it'"), []),
        # widget
        (licensed("widget: {text: a}"), ["META040"]),
        (licensed("pipeline_tag: fill-mask\nwidget:\n- text: Paris is <mask>.\n- text: '[MASK] is Paris'"), []),
        (licensed("pipeline_tag: fill-mask\nmask_token: '***'\nwidget:\n- text: Paris is ***."), []),
        (licensed("pipeline_tag: question-answering\nwidget:\n- text: Who?"), ["META041"]),
        (licensed("pipeline_tag: question-answering\nwidget:\n- text: Who?\n  context: Me.\n  example_title: a"), []),
        (licensed("pipeline_tag: image-classification\nwidget:\n- text: a"), ["META041"]),
        (licensed("pipeline_tag: text-to-image\nwidget:\n- text: a\n  output: {url: a.png}"), []),
        (licensed("widget:\n- a text"), ["META041"]),
        # others
        (licensed("thumbnail: ./logo.png"), ["META042"]),
        (licensed("thumbnail: https://x.org/a.png"), []),
        (licensed("extra_gated_fields: [a]"), ["META044"]),
        (
            licensed("extra_gated_fields:\n  Name: text\n  Use: {type: select, options: [a, b]}\n  Born: date_picker"),
            [],
        ),
        (licensed("extra_gated_fields:\n  Name: string"), ["META044"]),
        (licensed("co2_eq_emissions: 12.5"), []),
        (licensed("co2_eq_emissions: {emissions: 12.5, source: codecarbon}"), []),
        (licensed("co2_eq_emissions: {source: codecarbon}"), ["META045"]),
        (licensed("co2_eq_emissions: a lot"), ["META045"]),
        # keys
        (block("licence: license"), ["META017"]),
        (block("License: mit"), ["META017"]),
        (licensed("licence: mit"), ["META017"]),
        (licensed("dataset: {name: x}"), ["META018"]),
        (licensed("model: a/b\nimage: x.png\nx_dataset: y"), []),
        (licensed("datsets: [a/b]"), ["META017"]),
        # placeholders
        (block("license: license"), ["META049"]),
        (block("license: {license}  # Example: apache-2.0"), ["META049"]),
        (block("license: mit\nlanguage:\n- {lang_0}  # Example: fr\n- en"), ["META049"]),
        (block('license: "any valid license identifier"'), ["META049"]),
        (licensed("base_model: '{base_model}'"), ["META049"]),
        (licensed("datasets: [TODO]"), ["META049"]),
        (licensed("base_model: ${base_model}"), []),
    ],
)
def test_one_rule_names_a_value(text: str, codes: list[str]) -> None:
    assert sorted(set(codes_of(subject(text), "META")) - {"META050"}) == sorted(codes)


@pytest.mark.parametrize(
    ("before", "after", "safe"),
    [
        ("licence: mit  # checked", "license: mit  # checked", True),
        ("license: mit\nlicence: mit", "license: mit", True),
        ("license: mit\ntag:\n- a", "license: mit\ntags:\n- a", True),
        ("license: mit\nbase-model: a/b", "license: mit\nbase_model: a/b", True),
        ("license: mit\nlanguage: pt_pt", "license: mit\nlanguage: pt\nlanguage_bcp47:\n  - pt-PT", True),
        ("license: mit\nlanguage: [en, pt-BR]", "license: mit\nlanguage: [en, pt]\nlanguage_bcp47:\n  - pt-BR", True),
        ("license: mit\nlanguage: 'english'", "license: mit\nlanguage: 'en'", True),
        ("license: mit\nlanguage: en, de", "license: mit\nlanguage: [en, de]", True),
        ("license: mit\nlanguage: en-de", "license: mit\nlanguage: [en, de]", False),
        ("license: mit\nlanguage:\n- en\n-\n- de # c", "license: mit\nlanguage:\n- en\n- de # c", True),
        ("license: mit\nlanguage: {en: 1}", "license: mit\nlanguage: [en]", True),
        ("license: mit\nlanguage: false", "license: mit\nlanguage: 'no'", False),
        ("license: mit\npipeline_tag: Image_Classification", "license: mit\npipeline_tag: image-classification", True),
        (
            "license: mit\nlanguage: en\npipeline_tag: text2text-generation",
            "license: mit\nlanguage: en\npipeline_tag: text-generation",
            False,
        ),
        ("license: mit\nlibrary_name: scikit-learn", "license: mit\nlibrary_name: sklearn", True),
        ("license: mit\nbase_model: https://hf.co/a/b/tree/main", "license: mit\nbase_model: a/b", True),
        (
            "license: mit\nbase_model: /root/.cache/huggingface/hub/models--a--b-c/snapshots/0f",
            "license: mit\nbase_model: a/b-c",
            True,
        ),
        (
            "license: mit\nbase_model: a/b\nbase_model_relation: QLoRA",
            "license: mit\nbase_model: a/b\nbase_model_relation: adapter",
            True,
        ),
        ("license: mit\ndatasets:\n- hf.co/datasets/squad # q", "license: mit\ndatasets:\n- squad # q", True),
        ("license: mit\ndatasets: a/b, c", "license: mit\ndatasets: [a/b, c]", True),
        ("license: mit\nmetrics: accuracy, f1", "license: mit\nmetrics: [accuracy, f1]", True),
        ("license: mit\ntags:\n- a\n- b\n- a\n- c", "license: mit\ntags:\n- a\n- b\n- c", True),
        ("license: mit\ntags:\n- a # x\n- ''", "license: mit\ntags:\n- a # x", True),
        ("license: mit\ntags: [a, b, a]", "license: mit\ntags: [a, b]", True),
        ("license: mit\ntags: [a, a]\nx_y: z", "license: mit\ntags: [a]\nx_y: z", True),
        ("license: mit\ntags:\n- ''", "license: mit", True),
        ("license: mit\ntags:\n- 2023", 'license: mit\ntags:\n- "2023"', True),
        ("license: mit\ntags:\n- chat [peft, lora]", "license: mit\ntags: [chat, peft, lora]", False),
        ("license: mit\nthumbnail:\nx_y: z", "license: mit\nx_y: z", True),
        ("license: mit\nwidget:\n  text: a: b", None, True),
        ("license: mit\nco2_eq_emissions: 1.2 kg", "license: mit\nco2_eq_emissions: 1200", True),
        (
            "license: mit\nco2_eq_emissions: {emissions: '0.5'}",
            "license: mit\nco2_eq_emissions: {emissions: 0.5}",
            True,
        ),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_fix_changes_what_it_says_and_nothing_else(before: str, after: str | None, safe: bool, newline: str) -> None:
    text = block(before).replace("\n", newline)
    found = [finding for finding in findings_of(subject(text), "META") if finding.fix]
    if after is None:
        assert found == []
        return
    assert len(found) == 1
    assert found[0].fix is not None
    assert found[0].fix.safe is safe
    result = fixed(text, found[0])
    assert result == block(after).replace("\n", newline)
    assert Counter(codes_of(subject(result), "META")) <= Counter(codes_of(subject(text), "META"))


@pytest.mark.parametrize(
    "lines",
    [
        "licence: license",
        "license: mit\nlicence: apache-2.0",
        "license: mit\ndataset: Wikipedia (English)",
        "tag: a, b\nlicense: mit",
    ],
)
def test_a_misspelt_key_is_not_renamed_into_another_mistake(lines: str) -> None:
    (finding,) = findings_of(subject(block(lines)), "META017")
    assert finding.fix is None


def test_training_data_that_the_card_links() -> None:
    text = block("license: mit") + (
        "## Training data\n\n[a](https://huggingface.co/datasets/squad/viewer/x), https://hf.co/datasets/a/b.\n\n"
        "<!-- https://huggingface.co/datasets/c/d -->\n### Filter\n\n`https://huggingface.co/datasets/e/f`\n\n"
        "## Evaluation\n\nhttps://huggingface.co/datasets/g/h\n"
    )
    (finding,) = findings_of(subject(text), "META034")
    assert "squad, a/b" in finding.message
    assert finding.severity is Severity.INFO
    assert "datasets:\n  - squad\n  - a/b\n---" in fixed(text, finding)


def test_the_sentence_of_the_trainer_names_the_base_model() -> None:
    sentence = "This model is a fine-tuned version of [gpt2](https://huggingface.co/openai-community/gpt2) on x.\n"
    (finding,) = findings_of(subject(block("license: mit") + sentence), "META029")
    assert finding.fix
    assert not finding.fix.safe
    assert "base_model: openai-community/gpt2" in fixed(block("license: mit") + sentence, finding)
    for silent in (f"```\n{sentence}```\n", f"<!-- {sentence} -->\n", sentence.replace("This model", "Their model")):
        assert codes_of(subject(block("license: mit") + silent), "META029") == []


def test_the_model_itself() -> None:
    text = licensed("base_model: [x/y, Acme/Model]\nnew_version: acme/model")
    found = findings_of(subject(text, repo_id="acme/model"), "META03 META04")
    assert [(finding.rule, finding.line) for finding in found] == [("META031", 4), ("META046", 5)]


def test_there_is_an_end_to_what_is_told() -> None:
    text = block("license: mit\ndatasets:\n" + "- a b\n" * 20_000)
    assert 0 < len(findings_of(subject(text), "META035")) < 30


words = st.sampled_from(
    [
        *("mit", "MIT", "other", "{license}", "<x>", "null", "true", "3", "[a,a]", "{a: 1}", "[null]", "english"),
        *("pt_pt", "en,de", "a/b", "/x/y", "hf.co/a/b", "1kg", "TODO", "", "\n- a\n-\n- b, c", "\n  a: b"),
        *("|\n  x", "'q'", '"q"', "&a [x]", "- ", "[x\n", "💥"),
    ]
)
keys = st.sampled_from(
    [
        *("license", "licence", "license_link", "License", "language", "tags", "tag", "datasets", "datsets", "metrics"),
        *("base_model", "base_model_relation", "new_version", "pipeline_tag", "library_name", "widget", "thumbnail"),
        *("co2_eq_emissions", "co2", "extra_gated_fields", "model-index", "foo"),
    ]
)


@settings(derandomize=True, max_examples=60)
@given(st.lists(st.tuples(keys, words), min_size=1, max_size=4))
def test_a_safe_fix_brings_nothing_new(pairs: list[tuple[str, str]]) -> None:
    text = block("\n".join(f"{key}: {value}" for key, value in pairs))
    before = findings_of(subject(text), "META")
    for finding in before:
        if finding.fix and finding.fix.safe:
            after = Counter(found.rule for found in findings_of(subject(fixed(text, finding)), "META"))
            assert after[finding.rule] < Counter(found.rule for found in before)[finding.rule]
            assert set(after) <= {found.rule for found in before}
