"""What the files of a folder tell of the model as a whole: its library, its task, and what it was made from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hubpub.card.facts.named_adapters import ADAPTER_CONFIG, named_adapters
from hubpub.card.facts.other_libraries import is_setfit, is_sklearn, task_told
from hubpub.card.facts.tasks import pipeline_tag_of, pipeline_tag_of_adapter
from hubpub.card.hub_lists import libraries
from hubpub.card.metadata.schema import is_repo_id
from hubpub.card.metadata.yaml_block import read_yaml
from hubpub.core.pattern import Pattern
from hubpub.model.jsonfile import json_object
from hubpub.model.kind import ModelKind
from hubpub.model.sentence_class import SENTENCE_TRANSFORMER, SPARSE_ENCODER, sentence_class

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

_LIBRARY_KINDS = {
    ModelKind.TRANSFORMERS: "transformers",
    ModelKind.ADAPTER: "peft",
    ModelKind.SENTENCE_TRANSFORMERS: "sentence-transformers",
    ModelKind.DIFFUSERS: "diffusers",
    ModelKind.SPACY: "spacy",
    ModelKind.TIMM: "timm",
}
# Folders that training scripts write to; "results/checkpoint-500" looks like a repo id and is none.
_FOLDERS = Pattern(
    r"(?:outputs?|results?|models?|checkpoints?|ckpts?|runs?|tmp|temp|data|out|exp|experiments?|logs?|content|workspace"
    r"|saved[-_]models?|trained[-_]models?|pretrained[-_]models?|local|home|mnt|build|work|cache|hub)/.*"
    r"|.*/(?:checkpoint-\d+|best|final|last|latest|epoch[-_]?\d+)",
    re.IGNORECASE,
)
# Repos of the first years have no namespace; a bare name that is not one of these may be anybody's folder.
_WITHOUT_NAMESPACE = Pattern(
    r"bert-(?:base|large)-(?:un)?cased|bert-base-multilingual-(?:un)?cased|bert-base-(?:chinese|german-cased)"
    r"|distilbert-base-(?:(?:un)?cased|multilingual-cased)|distilroberta-base|roberta-(?:base|large)|distilgpt2"
    r"|gpt2(?:-(?:medium|large|xl))?|t5-(?:small|base|large|3b|11b)|albert-(?:base|large|xlarge|xxlarge)-v[12]"
    r"|xlm-roberta-(?:base|large)|xlnet-(?:base|large)-cased|camembert-base"
)
# mergekit writes its recipe beside what it merged: https://github.com/arcee-ai/mergekit
MERGE_RECIPE = "mergekit_config.yml"
_RECIPE_LIMIT = 1 << 16
# https://github.com/ml-explore/mlx-lm/blob/main/mlx_lm/utils.py
MLX_KEY = "quantization"
# Names of repos that hold quantised weights: what was trained from one is not quantised by its author.
_QUANTISED_NAME = Pattern(
    r"[-_.](?:bnb|gptq|awq|gguf|[48]-?bit|int[48]|fp8|nf4|exl2|mxfp4|nvfp4|w[48]a\d+)", re.IGNORECASE
)


class Parents(NamedTuple):
    """The models that a model was made from.

    Attributes:
        names: ids of their repos on the Hub.
        path: the file that names them.
        sure: whether the file says so; a configuration only says from where the model was loaded.
    """

    names: tuple[str, ...]
    path: str
    sure: bool


def library_of(folder: ModelFolder) -> str | None:
    """The Hub's id of the library that loads the model."""
    if folder.kind is ModelKind.ADAPTER and (folder.adapter is None or "modules.json" in folder.root_names):
        return None  # AdapterHub and MLX call their files the same
    if folder.weights.mlx:
        return "mlx"
    if named_adapters(folder):
        return "peft"
    if is_setfit(folder):
        return "setfit"
    if is_sklearn(folder):
        return "sklearn"
    if folder.kind is ModelKind.TRANSFORMERS and folder.config is None:
        return None  # weights alone; others call theirs the same
    name = "sentence-transformers" if sentence_class(folder) else _LIBRARY_KINDS.get(folder.kind)
    return name if name in libraries() else None


def task_of(folder: ModelFolder) -> str | None:
    """The Hub's id of the model's task."""
    if (told := task_told(folder)) is not None:
        return str(told.value)
    if loader := sentence_class(folder):
        return _sentence_task(folder, loader)
    if folder.kind is ModelKind.ADAPTER or named_adapters(folder):
        return pipeline_tag_of_adapter(peft_task_of(folder))
    if folder.kind not in (ModelKind.TRANSFORMERS, ModelKind.ONNX) or not folder.architectures:
        return None
    config = json_object(folder.config)
    sees = isinstance(config.get("vision_config"), dict) or "image_size" in config or "num_channels" in config
    reads = isinstance(config.get("text_config"), dict) or "vocab_size" in config
    return pipeline_tag_of(folder.architectures[0], folder.model_type, sees=sees, reads=reads)


def peft_task_of(folder: ModelFolder) -> str | None:
    """What an adapter is for, as PEFT names it; of several, what all of them are for."""
    tasks = {adapter.task for adapter in named_adapters(folder)}
    told = tasks.pop() if len(tasks) == 1 else json_object(folder.adapter_config).get("task_type")
    return told if isinstance(told, str) and told else None


def _sentence_task(folder: ModelFolder, loader: str) -> str:
    """As the cards of sentence-transformers have it: scores of pairs rank, and several labels classify."""
    if loader == SPARSE_ENCODER:
        return "feature-extraction"
    if loader == SENTENCE_TRANSFORMER:
        return "sentence-similarity"
    labels = json_object(folder.config).get("id2label")
    return "text-ranking" if isinstance(labels, dict) and len(labels) == 1 else "text-classification"


def parents_of(folder: ModelFolder, repo_id: str | None) -> Parents | None:
    """The models that the folder's files say it was made from; None when they do not say, or name no repo.

    Args:
        folder: the saved model.
        repo_id: where it is to be published; a model is not made from itself.
    """
    adapter, config = json_object(folder.adapter_config), json_object(folder.config)
    recipe = tuple(dict.fromkeys(_merged(folder)))
    several = named_adapters(folder)
    of_all = tuple(dict.fromkeys(one.base_model for one in several))
    found = (
        Parents(of_all, f"{several[0].name}/{ADAPTER_CONFIG}" if several else ADAPTER_CONFIG, sure=True),
        Parents((adapter.get("base_model_name_or_path"),), "adapter_config.json", sure=True),  # type: ignore[arg-type]
        Parents(recipe, MERGE_RECIPE, sure=True),
        Parents((config.get("_name_or_path"),), "config.json", sure=False),  # type: ignore[arg-type]
    )
    for parents in found:
        if parents.names and all(
            isinstance(name, str) and name != repo_id and is_public_id(name) for name in parents.names
        ):
            return parents
    return None


def is_public_id(name: str) -> bool:
    """Whether a name that was passed to from_pretrained is a repo on the Hub and not somebody's folder."""
    if "/" not in name:
        return bool(_WITHOUT_NAMESPACE.fullmatch(name))
    return is_repo_id(name) and not _FOLDERS.fullmatch(name)


def relation_of(folder: ModelFolder, base_models: tuple[str, ...]) -> str | None:
    """What the files say of how the model was made from `base_models`, as the Hub names it."""
    if folder.kind is ModelKind.ADAPTER:
        return "adapter" if folder.adapter else None
    if named_adapters(folder):
        return "adapter"
    if MERGE_RECIPE in folder.root_names:
        return "merge"
    quantised = folder.kind is ModelKind.GGUF or quantisation_of(json_object(folder.config)) is not None
    if quantised and not any(_QUANTISED_NAME.search(name) for name in base_models):
        return "quantized"
    return None


def quantisation_of(config: Mapping[str, Any]) -> str | None:
    """The method by which the weights were quantised, as transformers names it; "mlx" for MLX, which has one only."""
    quantisation = config.get("quantization_config")
    method = quantisation.get("quant_method") if isinstance(quantisation, dict) else None
    if isinstance(method, str) and method:
        return method
    return "mlx" if quantisation_key(config) == MLX_KEY else None


def quantisation_key(config: Mapping[str, Any]) -> str:
    """The key of config.json that says how the weights were quantised; MLX writes its settings under two."""
    own = config.get(MLX_KEY)
    return MLX_KEY if isinstance(own, dict) and {"bits", "group_size"} <= own.keys() else "quantization_config"


def _merged(folder: ModelFolder) -> Iterator[str]:
    if MERGE_RECIPE not in folder.root_names:
        return
    recipe = read_yaml(folder.text(MERGE_RECIPE, _RECIPE_LIMIT)).data
    stack: list[Any] = [recipe]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            for key in ("base_model", "model"):
                if isinstance(part.get(key), str):
                    yield part[key]
            stack.extend(reversed(part.values()))
        elif isinstance(part, list):
            stack.extend(reversed(part))
