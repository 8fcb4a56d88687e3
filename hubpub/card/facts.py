"""What the card can say of a model without asking anybody: plain data, all of it read from the folder's files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hubpub.card.hub_lists import licence_alias
from hubpub.card.licence_text import licence_files
from hubpub.card.model_identity import json_object, library_of, parents_of, quantisation_of, relation_of, task_of
from hubpub.card.training import TrainingRun, Value, read_training_run
from hubpub.card.usage import Usage, usage_of
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind

_MOST_LABELS = 200
_CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length", "n_ctx")
# Their position embeddings begin behind the padding token's, so two of them cannot be used.
_OFFSET_POSITIONS = {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "xmod", "longformer", "mpnet"}
# Relative positions: the number in the configuration is what they were trained with, not a limit.
_RELATIVE_POSITIONS = {"t5", "mt5", "umt5", "longt5", "switch_transformers"}


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What is known of a model; None and empty where the files say nothing.

    Attributes:
        name: of the repo, else of the folder.
        repo_id: where it is to be published.
        kind: the value of its ModelKind.
        library_name: the Hub's id of the library that loads it.
        pipeline_tag: the Hub's id of its task.
        model_type: its family, as transformers names it.
        architecture: its class.
        parameters: how many, counted in the safetensors headers.
        dtypes: parameters by data type, as safetensors names it.
        weight_bytes: size of the weights.
        context_length: tokens that fit into the model.
        vocabulary: entries of the vocabulary.
        hidden_size: width of its layers.
        layers: how many.
        embedding_size: dimensions of the vectors that a sentence-transformers model makes.
        labels: what it tells apart, by id.
        base_model: the repo that it was made from.
        base_model_relation: how, as the Hub names it.
        quantization: the method, as transformers names it.
        license: the Hub's id.
        language: language codes.
        datasets: ids of the training data sets.
        chat_template: whether it formats conversations.
        custom_code: whether it needs Python files from the repo.
        has_tokenizer: whether the folder holds a vocabulary.
        peft_task: `task_type` of an adapter.
        adapter: settings of an adapter.
        training: what the training run left.
        versions: of the libraries that saved it.
        usage: how it is loaded and called.
    """

    name: str
    repo_id: str | None = None
    kind: str = "other"
    library_name: str | None = None
    pipeline_tag: str | None = None
    model_type: str | None = None
    architecture: str | None = None
    parameters: int | None = None
    dtypes: tuple[tuple[str, int], ...] = ()
    weight_bytes: int = 0
    context_length: int | None = None
    vocabulary: int | None = None
    hidden_size: int | None = None
    layers: int | None = None
    embedding_size: int | None = None
    labels: tuple[str, ...] = ()
    base_model: str | None = None
    base_model_relation: str | None = None
    quantization: str | None = None
    license: str | None = None
    language: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    chat_template: bool = False
    custom_code: bool = False
    has_tokenizer: bool = False
    peft_task: str | None = None
    adapter: tuple[Value, ...] = ()
    training: TrainingRun = field(default_factory=TrainingRun)
    versions: tuple[tuple[str, str], ...] = ()
    usage: Usage = field(default_factory=Usage)

    @property
    def load_id(self) -> str:
        """What a snippet loads."""
        return self.repo_id or self.name


def card_facts(folder: ModelFolder, *, repo_id: str | None, settings: CardSettings) -> CardFacts:
    """What the files of `folder` and the project's settings tell of the model.

    Args:
        folder: the saved model.
        repo_id: where it is to be published, if that is known.
        settings: what the files of a model cannot tell.
    """
    config = json_object(folder.config)
    text = _part(config, "text_config", "llm_config", "language_config", "decoder")
    adapter = json_object(folder.adapter_config)
    training = read_training_run(folder)
    architecture = folder.architectures[0] if folder.architectures else None
    quantization = quantisation_of(config)
    parents = parents_of(folder, repo_id)
    base_model = parents.names[0] if parents and len(parents.names) == 1 else None
    return CardFacts(
        name=repo_id.rpartition("/")[2] if repo_id else folder.root.name,
        repo_id=repo_id,
        kind=folder.kind.value,
        library_name=library_of(folder),
        pipeline_tag=task_of(folder),
        model_type=folder.model_type,
        architecture=architecture,
        parameters=folder.weights.parameters,
        dtypes=tuple(sorted(folder.weights.parameters_by_dtype.items(), key=lambda item: (-item[1], item[0]))),
        weight_bytes=folder.weights.weight_bytes,
        context_length=_context_length(folder, text),
        vocabulary=_positive(text.get("vocab_size")),
        hidden_size=_first_positive(text, "hidden_size", "d_model", "n_embd", "dim"),
        layers=_first_positive(text, "num_hidden_layers", "n_layer", "n_layers", "num_layers"),
        embedding_size=_embedding_size(folder, config),
        labels=_labels(config, architecture),
        base_model=base_model,
        base_model_relation=_relation(folder, training, base_model) if base_model else None,
        quantization=quantization,
        license=_license(folder) or _wanted_license(settings),
        language=settings.language,
        datasets=settings.datasets,
        chat_template=_has_chat_template(folder),
        custom_code="auto_map" in config and any(name.endswith(".py") for name in folder.root_names),
        has_tokenizer=bool(folder.tokenizer.vocabularies),
        peft_task=_word(adapter.get("task_type")),
        adapter=_adapter_settings(adapter),
        training=training,
        versions=_versions(folder, config, adapter),
        usage=usage_of(folder),
    )


def _part(config: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """The configuration of a multi-part model's language part; the whole one for others."""
    return next((config[key] for key in keys if isinstance(config.get(key), dict)), config)


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 48 else None


def _first_positive(config: Mapping[str, Any], *keys: str) -> int | None:
    return next((value for key in keys if (value := _positive(config.get(key)))), None)


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _context_length(folder: ModelFolder, text: Mapping[str, Any]) -> int | None:
    sentence_bert = json_object(folder.json("sentence_bert_config.json"))
    if limit := _positive(sentence_bert.get("max_seq_length")):
        return limit
    if folder.model_type in _RELATIVE_POSITIONS:
        return None
    length = _first_positive(text, *_CONTEXT_KEYS)
    return length - 2 if length and folder.model_type in _OFFSET_POSITIONS else length


def _embedding_size(folder: ModelFolder, config: Mapping[str, Any]) -> int | None:
    if folder.kind is not ModelKind.SENTENCE_TRANSFORMERS:
        return None
    dense = [
        size
        for path in sorted(entry.path for entry in folder.release_files)
        if path.endswith("_Dense/config.json")
        and (size := _positive(json_object(folder.json(path)).get("out_features")))
    ]
    return dense[-1] if dense else _first_positive(config, "hidden_size", "d_model", "dim")


def _labels(config: Mapping[str, Any], architecture: str | None) -> tuple[str, ...]:
    table = config.get("id2label")
    if not isinstance(table, dict) or not architecture or "Classification" not in architecture:
        return ()
    named = [(key, label) for key, label in table.items() if isinstance(label, str) and str(key).isdecimal()]
    labels = tuple(label for _, label in sorted(named, key=lambda item: int(item[0][:9])))
    if all(re.fullmatch(r"LABEL_\d+", label) for label in labels):
        return ()
    return labels[:_MOST_LABELS]


def _relation(folder: ModelFolder, training: TrainingRun, base_model: str) -> str | None:
    return relation_of(folder, (base_model,)) or ("finetune" if training else None)


def _license(folder: ModelFolder) -> str | None:
    found = set(licence_files(folder).values())
    return found.pop() if len(found) == 1 else None


def _wanted_license(settings: CardSettings) -> str | None:
    return settings.license and (licence_alias(settings.license) or settings.license)


def _has_chat_template(folder: ModelFolder) -> bool:
    if {"chat_template.jinja", "chat_template.json"} & folder.root_names:
        return True
    return bool(json_object(folder.tokenizer_config).get("chat_template"))


def _adapter_settings(adapter: Mapping[str, Any]) -> tuple[Value, ...]:
    named = (
        ("Method", adapter.get("peft_type")),
        ("Rank", adapter.get("r")),
        ("Alpha", adapter.get("lora_alpha")),
        ("Dropout", adapter.get("lora_dropout")),
        ("Target modules", _joined(adapter.get("target_modules"))),
    )
    return tuple(Value(name, value) for name, value in named if isinstance(value, int | float | str) and value != "")


def _joined(value: Any) -> Any:
    return ", ".join(sorted(map(str, value))) if isinstance(value, list) else value


def _versions(
    folder: ModelFolder, config: Mapping[str, Any], adapter: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    versions = json_object(folder.json("config_sentence_transformers.json")).get("__version__")
    found = dict(versions) if isinstance(versions, dict) else {}
    found = {"transformers": config.get("transformers_version"), **found, "peft": adapter.get("peft_version")}
    return tuple((str(name), version) for name, version in found.items() if isinstance(version, str) and version)
