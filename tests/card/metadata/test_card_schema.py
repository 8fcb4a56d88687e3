"""The Hub's answers, case by case; the sources are named in hubpub/card/metadata/schema.py."""

from __future__ import annotations

import pytest

from hubpub.card.hub_lists import libraries, licence_alias, licences, nearest_pipeline_tag, pipeline_tags
from hubpub.card.metadata.schema import is_repo_id, validate_card

EMPTY = "empty or missing yaml metadata in repo card"
INVALID = "The YAML metadata of your README.md is invalid."


def card(block: str) -> str:
    return f"---\n{block}\n---\n# x\n"


@pytest.mark.parametrize(
    "text",
    ["", "# x", "---\nlicense: mit\n", "---\nlicense: mit\n---oops\n", "---\n---\n", "text\n---\nlicense: mit\n---"],
)
def test_no_block_is_a_warning(text: str) -> None:
    verdict = validate_card(text)
    assert verdict.errors == ()
    assert verdict.warnings == (EMPTY,)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("# docs\n", INVALID),
        ("", INVALID),
        ("words", INVALID),
        ("- a", '"value" must be of type object'),
        ("[a, b]", '"value" must be of type object'),
        ("a: b: c", "Invalid YAML in README.md: mapping values are not allowed in this context (2:5)"),
        ("license: mit\nlicense: mit", "Invalid YAML in README.md: duplicated mapping key (3:1)"),
        ("x: !!python/tuple [a]", "Invalid YAML in README.md: unknown tag tag:yaml.org,2002:python/tuple (2:4)"),
    ],
)
def test_a_block_that_is_not_a_mapping_is_rejected(block: str, message: str) -> None:
    text = "---\n\n\n---\n" if block == "" else card(block)
    assert validate_card(text).errors == (message,)


@pytest.mark.parametrize(
    ("block", "start"),
    [
        ("license: MIT", '"license" must be one of [apache-2.0, mit, '),
        ("license: [mit, nope]", '"license[1]" must be one of ['),
        ("license: 3", '"license" must be one of ['),
        ("language: english", '"language" with value "english" is not valid. It must be an ISO 639-1'),
        ("language: [en, pt_pt]", '"language[1]" with value "pt_pt" is not valid.'),
        ("language: {en: 1}", '"language" with value'),
        ("base_model: /kaggle/input/x", '"base_model" with value "/kaggle/input/x" is not valid. Use a model id'),
        ("base_model: [a/b, ./c]", '"base_model[1]" with value "./c" is not valid.'),
        ("base_model: https://huggingface.co/a/b", '"base_model" with value'),
        ("base_model_relation: fine-tuned", '"base_model_relation" must be one of [adapter, merge, quantized'),
        ("datasets: [/var/hf/images/]", '"datasets[0]" with value "/var/hf/images/" is not valid. If possible'),
        ("widget: {text: a}", '"widget" must be an array'),
        ("model-index: foo", '"model-index" must be an array'),
        ("model-index: [{results: []}]", '"model-index[0].name" is required'),
        ("model-index: [{name: a}]", '"model-index[0].results" is required'),
        ("extra_gated_fields: [a]", '"extra_gated_fields" must be of type object'),
    ],
)
def test_a_value_that_the_hub_rejects(block: str, start: str) -> None:
    errors = validate_card(card(block)).errors
    assert len(errors) == 1
    assert errors[0].startswith(start)


def test_results_are_judged_to_the_last_metric() -> None:
    block = """model-index:
- name: x
  results:
  - dataset: {type: a, config: 1, revision: 5503434551203435120343551203455120345512}
    source: {name: leaderboard}
    metrics:
    - {type: accuracy}
    - {type: f1, value: 0.5, config: 3}"""
    assert validate_card(card(block)).errors == (
        '"model-index[0].results[0].dataset.config" must be a string',
        '"model-index[0].results[0].dataset.revision" must be a string',
        '"model-index[0].results[0].source.url" is required',
        '"model-index[0].results[0].metrics[0].value" is required',
        '"model-index[0].results[0].metrics[1].config" must be a string',
    )


@pytest.mark.parametrize(
    "block",
    [
        "license: mit",
        "license: [mit, apache-2.0]",
        "license:",
        "language: no",
        "language: [en, code, multilingual, zxx]",
        "base_model: bert-base-uncased",
        "base_model: [a/b, c/d.e_f-1]",
        "base_model_relation: merge",
        "datasets: [squad, a/b]",
        "pipeline_tag: text-classification",
        "library_name: whatever",
        "metrics: [made-up]",
        "some_key: {any: [thing]}",
        "a:\tb",
        "model-index: [{name: a, results: [{metrics: [{type: a, value: 0}]}]}]",
    ],
)
def test_what_the_hub_takes(block: str) -> None:
    verdict = validate_card(card(block))
    assert verdict.errors == ()
    assert verdict.warnings == ()


def test_an_unknown_task_is_a_warning_with_the_list() -> None:
    verdict = validate_card(card("pipeline_tag: ner"))
    assert verdict.errors == ()
    assert verdict.warnings[0].startswith('"pipeline_tag" must be one of [text-classification, ')


def test_fields_of_models_are_free_in_other_repos() -> None:
    text = card("license: mit\nbase_model: /x\nwidget: {}\npipeline_tag: ner")
    assert validate_card(text, "dataset").issues == ()
    assert validate_card(card("license: MIT"), "space").errors


def test_the_lists_are_whole() -> None:
    assert len(licences()) == len(set(licences())) == 83
    assert len(pipeline_tags()) == 57
    assert len(libraries()) == 257


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("MIT", "mit"),
        ("MIT License", "mit"),
        ("Apache-2.0", "apache-2.0"),
        ("apache2", "apache-2.0"),
        ("Apache License 2.0", "apache-2.0"),
        ("GPLv3", "gpl-3.0"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("proprietary", None),
        ("", None),
    ],
)
def test_licences_by_other_names(written: str, meant: str | None) -> None:
    assert licence_alias(written) == meant


def test_tasks_by_other_names() -> None:
    assert nearest_pipeline_tag("ner") == "token-classification"
    assert nearest_pipeline_tag("Text Classification") == "text-classification"
    assert nearest_pipeline_tag("zzzz") is None


def test_repo_ids() -> None:
    assert all(map(is_repo_id, ["a", "a/b", "A-b.c_d/e", "_a/b", "gpt2"]))
    assert not any(
        map(is_repo_id, ["", "/a", "a/", "a/b/c", "./a", "a b", "a--b", "a..b", "-a", "a.", "a.git", "ä/b", "a/b\n"])
    )
