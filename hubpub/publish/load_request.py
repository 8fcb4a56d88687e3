"""What a child is asked in order to load a published model by its id, and what stands against asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.writing.snippets import choose_snippet, peft_class
from hubpub.model.kind import ModelKind
from hubpub.model.load import available_memory, mostly_half
from hubpub.model.sentence_class import sentence_class
from hubpub.model.stored import model_directory
from hubpub.model.weights import SINGLE_FILES

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder
    from hubpub.model.weights import Weights

_KINDS = (ModelKind.TRANSFORMERS, ModelKind.ADAPTER, ModelKind.SENTENCE_TRANSFORMERS)
# https://github.com/huggingface/setfit/blob/main/src/setfit/modeling.py
_SETFIT_HEAD = "model_head.pkl"


def needs_consent(folder: ModelFolder) -> str | None:
    """Why loading the model runs what hubpub did not write; None when it does not."""
    if folder.custom_code.references:
        return "runs code of the model (auto_map)"
    if folder.modules is not None:
        modules = folder.modules.value if isinstance(folder.modules.value, list) else [None]
        types = [module.get("type") if isinstance(module, dict) else None for module in modules]
        if not all(isinstance(name, str) and name.startswith("sentence_transformers.") for name in types):
            return "imports modules that are not those of sentence-transformers (modules.json)"
    if {"config_setfit.json", _SETFIT_HEAD} <= folder.root_names:
        return f"unpickles {_SETFIT_HEAD}"
    if "pytorch" in folder.weights.formats and not _has_safe_weights(folder.weights):
        return "unpickles weights"
    return None


def _has_safe_weights(weights: Weights) -> bool:
    """Whether loaders take safetensors wherever they would else take pickles, which they know by .bin."""
    taken = (*SINGLE_FILES, *(f"{name}.index.json" for name in SINGLE_FILES))
    paths = (*weights.primary, *(index.path for index in weights.indexes))
    safe = {path.removesuffix(name) for path in paths for name in taken if path.endswith(name)}
    pickles = {entry.path[: -len(entry.name)] for entry in weights.files["pytorch"] if entry.suffix == ".bin"}
    return bool(weights.primary) and pickles <= safe


def memory_obstacle(needed: int) -> str | None:
    """Why a model that takes so many bytes of memory cannot be loaded on this machine now."""
    free = available_memory()
    if free is not None and needed > free:
        return f"takes {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free"
    return None


def no_load_check(folder: ModelFolder, facts: CardFacts) -> str | None:
    """Why there is nothing to ask of this model; None when there is."""
    if folder.kind not in _KINDS:
        return f"hubpub has no load check for {folder.kind.value} models"
    if facts.quantization == "mlx":
        return "only MLX reads weights that it quantised"
    if folder.kind is ModelKind.TRANSFORMERS and not facts.architecture:
        return "config.json names no class (architectures)" if folder.config else "there is no config.json"
    return None


def load_request(folder: ModelFolder, facts: CardFacts, repo_id: str, *, trust: bool) -> dict[str, Any]:
    """What `hubpub.model.children.rehearse_load` takes.

    Args:
        folder: what was published.
        facts: what is known of it.
        repo_id: what to load.
        trust: whether code of the repo may run.
    """
    classes = {ModelKind.ADAPTER: peft_class(facts), ModelKind.SENTENCE_TRANSFORMERS: sentence_class(folder)}
    directory = model_directory(folder) or ""
    tokenizer = folder.tokenizer_in(directory)
    if tokenizer.tokenizer_json and tokenizer.tokenizer_json.length:
        tokens: int | None = tokenizer.tokenizer_json.length
    else:
        tokens = tokenizer.fallback.vocabulary.size if tokenizer.fallback else None
    return {
        "repo": repo_id,
        "kind": folder.kind.value,
        "class": classes.get(folder.kind, facts.architecture) or "",
        "task": _pipeline_task(facts) if folder.kind is ModelKind.TRANSFORMERS else None,
        "text": tokenizer.usable,
        "single": mostly_half(folder),
        "tokens": tokens,
        "trust": trust,
    }


def _pipeline_task(facts: CardFacts) -> str | None:
    """The pipeline that is to take the model; that of features takes text, and not every model with features does."""
    if facts.pipeline_tag == "feature-extraction" and choose_snippet(facts) != facts.pipeline_tag:
        return None
    return facts.pipeline_tag
