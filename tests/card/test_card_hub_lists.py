from __future__ import annotations

import pytest

from hubpub.card.hub_lists import (
    is_known_key,
    is_permissive,
    libraries,
    library_alias,
    licence_family,
    licences,
    meant_key,
    metadata_keys,
    nearest_library,
    nearest_licence,
    nearest_pipeline_tag,
    pipeline_tag_alias,
    pipeline_tags,
    read_data,
    relation_alias,
)

LISTS = (
    "licences.json",
    "pipeline-tags.json",
    "libraries.json",
    "metadata-keys.json",
    "licence-families.json",
    "relations.json",
)


@pytest.mark.parametrize("name", LISTS)
def test_each_list_says_where_it_is_from(name: str) -> None:
    assert read_data(name)["source"]
    assert read_data(name)["date"].startswith("20")


def test_other_names_lead_to_known_ones() -> None:
    assert set(read_data("licences.json")["aliases"].values()) <= set(licences())
    tags = read_data("pipeline-tags.json")
    assert {*tags["aliases"].values(), *tags["successors"].values()} <= set(pipeline_tags())
    assert set(read_data("libraries.json")["aliases"].values()) <= set(libraries())
    assert set(read_data("metadata-keys.json")["misspelt"].values()) <= metadata_keys()
    families = read_data("licence-families.json")
    assert {*families["permissive"], *(family["licence"] for family in families["families"])} <= set(licences())
    assert not any(is_permissive(family["licence"]) for family in families["families"])


def test_other_names_are_not_known_ones_themselves() -> None:
    assert not set(read_data("licences.json")["aliases"]) & set(licences())
    assert not set(read_data("pipeline-tags.json")["aliases"]) & set(pipeline_tags())
    assert not any(is_known_key(name) for name in read_data("metadata-keys.json")["misspelt"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("licence", "license"),
        ("License", "license"),
        ("licence_name", "license_name"),
        ("tag", "tags"),
        ("dataset", "datasets"),
        ("datsets", "datasets"),
        ("languages", "language"),
        ("base-model", "base_model"),
        ("baseModel", "base_model"),
        ("pipeline-tag", "pipeline_tag"),
        ("pipelne_tag", "pipeline_tag"),
        ("library", "library_name"),
        ("libary_name", "library_name"),
        ("model_index", "model-index"),
        ("license", None),
        ("model", None),
        ("models", None),
        ("image", None),
        ("x_licence", None),
        ("dataset_info", None),
        ("training_data", None),
        ("framework", None),
        ("task", None),
        ("", None),
        ("a" * 100_000, None),
    ],
)
def test_keys_that_were_meant(written: str, meant: str | None) -> None:
    assert meant_key(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("Transformers", "transformers"), ("sentence_transformers", "sentence-transformers"), ("pytorch", None)],
)
def test_libraries_by_other_names(written: str, meant: str | None) -> None:
    assert library_alias(written) == nearest_library(written) == meant


def test_tasks_that_are_gone_are_only_near() -> None:
    assert pipeline_tag_alias("text2text-generation") is None
    assert nearest_pipeline_tag("text2text-generation") == "text-generation"
    assert pipeline_tag_alias("Named_Entity Recognition") == "token-classification"


def test_relations_by_other_names() -> None:
    assert relation_alias("Fine-Tuned") == "finetune"
    assert relation_alias("quantised") == "quantized"
    assert relation_alias("distilled") is None


@pytest.mark.parametrize(
    ("repo", "licence"),
    [
        ("meta-llama/Llama-3.2-1B-Instruct", "llama3.2"),
        ("NousResearch/Meta-Llama-3-8B", "llama3"),
        ("codellama/CodeLlama-7b-hf", "llama2"),
        ("google/gemma-3-4b-it", "gemma"),
        ("black-forest-labs/FLUX.1-dev", "other"),
        ("google/gemma-4-E4B-it", None),
        ("black-forest-labs/FLUX.1-schnell", None),
        ("Qwen/Qwen2.5-7B", None),
        ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", None),
    ],
)
def test_families_with_a_licence_of_their_own(repo: str, licence: str | None) -> None:
    family = licence_family(repo)
    assert (family and family[1]) == licence


def test_a_long_name_is_near_nothing() -> None:
    assert nearest_licence("x" * 100_000) is None
    assert nearest_library("x" * 100_000) is None
