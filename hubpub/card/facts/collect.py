"""Reads all that a card can say of a model: from the files of its folder, each fact with its place; from answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from hubpub.card.answers.card_input import CardInput, answers_for
from hubpub.card.answers.named_data import read_named_data
from hubpub.card.facts.adapter import adapter_settings
from hubpub.card.facts.answered import answered
from hubpub.card.facts.architecture import architecture_facts
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.chat import ChatFacts, chat_facts, has_chat_facts
from hubpub.card.facts.data_summary import data_sets, named_datasets
from hubpub.card.facts.fact_list import list_facts
from hubpub.card.facts.interface import embedding_modules, generation_defaults, preprocessing, prompts
from hubpub.card.facts.licence_text import licence_files
from hubpub.card.facts.model_identity import (
    MERGE_RECIPE,
    MLX_KEY,
    is_public_id,
    library_of,
    parents_of,
    peft_task_of,
    quantisation_of,
    relation_of,
    task_of,
)
from hubpub.card.facts.named_adapters import ADAPTER_CONFIG, named_adapters
from hubpub.card.facts.other_libraries import labels_told, task_told
from hubpub.card.facts.provenance import Sources
from hubpub.card.facts.quantisation import quantisation_settings, quantised_files
from hubpub.card.facts.recorded_run import recorded_run
from hubpub.card.facts.run_summary import read_run, run_configs
from hubpub.card.facts.sourced import Value, source_of
from hubpub.card.facts.tokenizer import tokenizer_facts
from hubpub.card.facts.training import TrainingRun
from hubpub.card.facts.usage import gguf_embeds, usage_of
from hubpub.card.hub_lists import licence_alias, licences
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder
from hubpub.model.jsonfile import json_object
from hubpub.model.kind import ModelKind
from hubpub.model.sentence_class import SENTENCE_CONFIG, SENTENCE_TRANSFORMER, sentence_class

_MOST_LABELS = 200
_MOST_NAMED = 20


def card_facts(
    folder: ModelFolder, *, repo_id: str | None, settings: CardSettings, answers: CardInput | None = None
) -> CardFacts:
    """What the files of `folder`, people's answers and the project's settings tell of the model.

    Args:
        folder: the saved model.
        repo_id: where it is to be published, if that is known.
        settings: what the files of a model cannot tell.
        answers: what people told, which beats the files; None for what the folder's card.yaml and the settings say.

    Raises:
        UsageError: an answer cannot be one; the message names file and line.
    """
    told = answers_for(folder, settings) if answers is None else answers
    if not has_chat_facts(folder):
        return _facts(folder, repo_id, settings, told, lambda: None)
    from concurrent.futures import ThreadPoolExecutor

    # before there are two threads: Python 3.11 fails when both parse source, as importing does under pytest
    from hubpub.model import chat_examination, child  # noqa: F401

    with ThreadPoolExecutor(1) as beside:
        # a chat template is rendered by another process, which takes as long as all the rest
        return _facts(folder, repo_id, settings, told, beside.submit(chat_facts, folder).result)


def _facts(
    folder: ModelFolder,
    repo_id: str | None,
    settings: CardSettings,
    answers: CardInput,
    chat_answer: Callable[[], ChatFacts | None],
) -> CardFacts:
    sources = Sources()
    config, adapter = json_object(folder.config), json_object(folder.adapter_config)
    built = architecture_facts(folder, sources)
    labels = _labels(folder, config, built.architecture, sources)
    training, summary = read_run(folder, labels)
    base_model = _base_model(folder, repo_id, sources)
    named = read_named_data(folder, answers.data) if answers.data else None
    tokenizer, data = tokenizer_facts(folder), data_sets(folder.data_facts if named is None else named)
    mask = folder.tokenizer.special.role("mask_token")
    chat = chat_answer()
    versions = tuple(_versions(folder, config, adapter))
    quantization = quantisation_of(config)
    place = MLX_KEY if quantization == "mlx" else "quantization_config.quant_method"
    sources.note("quantization", quantization, source_of("config.json", place))
    for value in versions:
        sources.note(f"versions.{value.name}", value.value, value.source)
    facts = CardFacts(
        name=sources.note("name", _name(folder, repo_id), "--repo-id" if repo_id else "the folder's name") or "",
        repo_id=repo_id,
        kind=folder.kind.value,
        library_name=sources.note("library_name", library_of(folder), "the kind of the folder"),
        pipeline_tag=_task(folder, chat, sources),
        model_type=built.model_type,
        architecture=built.architecture,
        parameters=built.parameters,
        dtypes=built.dtypes,
        weight_bytes=built.weight_bytes,
        context_length=built.context_length,
        vocabulary=built.vocabulary,
        hidden_size=built.hidden_size,
        layers=built.layers,
        decoder_layers=built.decoder_layers,
        embedding_size=built.embedding_size,
        labels=labels,
        base_model=base_model,
        base_model_relation=_relation(folder, training, base_model, sources) if base_model else None,
        quantization=quantization,
        license=_license(folder, settings, sources),
        language=sources.note("language", settings.language, "settings: card.language") or (),
        datasets=_datasets(folder, settings, sources),
        peft_task=sources.note("peft_task", peft_task_of(folder), _adapter_place(folder)),
        adapter=adapter_settings(adapter),
        training=training,
        versions=tuple((value.name, str(value.value)) for value in versions),
        active_parameters=built.active_parameters,
        base_model_revision=sources.note(
            "base_model_revision", _word(adapter.get("revision")), "adapter_config.json: revision"
        ),
        quantization_settings=quantisation_settings(config),
        quantised_files=quantised_files(folder),
        tokenizer=tokenizer,
        chat=chat,
        generation=generation_defaults(folder),
        preprocessing=preprocessing(folder),
        modules=embedding_modules(folder),
        prompts=prompts(folder),
        summary=summary,
        data=data,
        pickled_data=() if named is None else named.pickled[:_MOST_NAMED],
        unread_data=() if named is None else tuple(f"{one.path} {one.reason}" for one in named.unread[:_MOST_NAMED]),
        citation=folder.run_facts.citation,
        sources=sources.places,
        run=folder.run_facts,
        answers=answers,
        mask_token=mask.content if mask else None,
        usage=usage_of(folder),
    )
    facts = answered(facts, folder)
    return replace(facts, sources={fact.name: fact.source for fact in list_facts(facts)})


def _name(folder: ModelFolder, repo_id: str | None) -> str:
    return repo_id.rpartition("/")[2] if repo_id else folder.root.name


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _task(folder: ModelFolder, chat: ChatFacts | None, sources: Sources) -> str | None:
    """Of GGUF files only those with a pooling or a chat template say what they are for."""
    if folder.kind is ModelKind.GGUF:
        pooled = next((path for path, file in folder.gguf.items() if file.is_model and file.pooling), None)
        if pooled is not None:
            task = "feature-extraction" if gguf_embeds(folder) else None
            return sources.note("pipeline_tag", task, source_of(pooled, "pooling_type"))
        return sources.note("pipeline_tag", "text-generation", chat.path) if chat is not None else None
    if (own := task_told(folder)) is not None:
        return sources.note("pipeline_tag", str(own.value), own.source)
    place = {ModelKind.ADAPTER: _adapter_place(folder), ModelKind.SENTENCE_TRANSFORMERS: "modules.json"}
    told = _adapter_place(folder) if named_adapters(folder) else place.get(folder.kind, "config.json: architectures.0")
    if sentence_class(folder) not in (None, SENTENCE_TRANSFORMER):
        told = f"{SENTENCE_CONFIG}: model_type" if told == "modules.json" else "config.json: sentence_transformers"
    return sources.note("pipeline_tag", task_of(folder), told)


def _adapter_place(folder: ModelFolder) -> str:
    several = named_adapters(folder)
    return source_of(f"{several[0].name}/{ADAPTER_CONFIG}" if several else ADAPTER_CONFIG, "task_type")


def _base_model(folder: ModelFolder, repo_id: str | None, sources: Sources) -> str | None:
    keys = {"config.json": "_name_or_path", MERGE_RECIPE: ""}
    if parents := parents_of(folder, repo_id):
        if len(parents.names) != 1:
            return None
        return sources.note(
            "base_model", parents.names[0], source_of(parents.path, keys.get(parents.path, "base_model_name_or_path"))
        )
    for config in run_configs(folder.run_facts):
        base = config.base_model
        if base and isinstance(base.value, str) and base.value != repo_id and is_public_id(base.value):
            return sources.note("base_model", base.value, source_of(base.path, base.key))
    recorded = recorded_run(folder.run_facts)
    told = recorded.fact("base_model") if recorded else None
    if told and isinstance(told.value, str) and told.value != repo_id and is_public_id(told.value):
        return sources.note("base_model", told.value, source_of(told.path, told.key))
    for path, file in folder.gguf.items():
        key = "general.base_model.0.repo_url"
        name = (file.text(key) or "").removeprefix("https://huggingface.co/")
        if name != repo_id and "/" in name and is_public_id(name):
            return sources.note("base_model", name, source_of(path, key))
    return None


def _datasets(folder: ModelFolder, settings: CardSettings, sources: Sources) -> tuple[str, ...]:
    if settings.datasets:
        return sources.note("datasets", settings.datasets, "settings: card.datasets") or ()
    found = named_datasets(run_configs(folder.run_facts), folder.data_facts)
    return sources.note("datasets", tuple(str(one.value) for one in found), found[0].source if found else "") or ()


def _labels(
    folder: ModelFolder, config: Mapping[str, Any], architecture: str | None, sources: Sources
) -> tuple[str, ...]:
    if (told := labels_told(folder)) is not None:
        return sources.note("labels", told.value[:_MOST_LABELS], told.source) or ()
    table = config.get("id2label")
    if not isinstance(table, dict) or not architecture or "Classification" not in architecture:
        return ()
    listed = [(key, label) for key, label in table.items() if isinstance(label, str) and str(key).isdecimal()]
    labels = tuple(label for _, label in sorted(listed, key=lambda item: int(item[0][:9])))
    if all(re.fullmatch(r"LABEL_\d+", label) for label in labels):
        return ()
    return sources.note("labels", labels[:_MOST_LABELS], source_of("config.json", "id2label")) or ()


def _relation(folder: ModelFolder, training: TrainingRun, base_model: str, sources: Sources) -> str | None:
    told = relation_of(folder, (base_model,))
    if told is not None:
        return sources.note("base_model_relation", told, "the kind of the folder")
    trained = "finetune" if training or folder.run_facts.configs else None
    return sources.note("base_model_relation", trained, "the files of a training run")


def _license(folder: ModelFolder, settings: CardSettings, sources: Sources) -> str | None:
    files = licence_files(folder)
    found = set(files.values())
    if len(found) == 1 and (told := found.pop()):
        return sources.note("license", told, next(iter(files)))
    if settings.license:
        return sources.note("license", licence_alias(settings.license) or settings.license, "settings: card.license")
    key = "general.license"
    for path, file in folder.gguf.items():
        if (named := file.text(key)) and named in licences():
            return sources.note("license", named, source_of(path, key))
    return None


def _versions(folder: ModelFolder, config: Mapping[str, Any], adapter: Mapping[str, Any]) -> Iterator[Value]:
    path = "config_sentence_transformers.json"
    document = json_object(folder.json(path)).get("__version__")
    saved = document if isinstance(document, dict) else {}
    if not _word(saved.get("transformers")) and (version := _word(config.get("transformers_version"))):
        yield Value("transformers", version, source_of("config.json", "transformers_version"))
    for name, version in list(saved.items())[:_MOST_LABELS]:
        if _word(version):
            yield Value(str(name), version, source_of(path, f"__version__.{name}"))
    if version := _word(adapter.get("peft_version")):
        yield Value("peft", version, source_of("adapter_config.json", "peft_version"))
