"""The load checks of a rehearsal: by repo id, in a child, as users load the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hubpub.card.facts.collect import CardFacts
from hubpub.card.writing.snippets import peft_class
from hubpub.model.kind import ModelKind
from hubpub.model.load import available_memory, memory_needed, mostly_half
from hubpub.model.sentence_class import sentence_class
from hubpub.model.stored import model_directory
from hubpub.model.weights import SINGLE_FILES
from hubpub.rehearsal.confinement import Ending, Limits, Place, confine
from hubpub.rehearsal.result import Check, Status

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder
    from hubpub.model.weights import Weights

_CHILD = "hubpub.model.children.rehearse_load:load"
_KINDS = (ModelKind.TRANSFORMERS, ModelKind.ADAPTER, ModelKind.SENTENCE_TRANSFORMERS)
# https://github.com/huggingface/setfit/blob/main/src/setfit/modeling.py
_SETFIT_HEAD = "model_head.pkl"
_LONGEST = 500


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


def memory_obstacle(folder: ModelFolder) -> str | None:
    """Why the model cannot be loaded on this machine now."""
    needed, free = memory_needed(folder), available_memory()
    if free is not None and needed > free:
        return f"takes {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free"
    return None


def load_checks(
    folder: ModelFolder,
    facts: CardFacts,
    repo_id: str,
    place: Place,
    limits: Limits,
    *,
    trust: bool,
    on_start: Callable[[str], None],
    on_check: Callable[[Check], None],
) -> Ending | None:
    """Load the model from the hub, and run it once; None when there is nothing to load, which `on_check` is told.

    Args:
        folder: what was published.
        facts: what is known of it.
        repo_id: what to load.
        place: where the child lives.
        limits: what it may take.
        trust: whether code of the repo may run.
        on_start: is told what begins.
        on_check: is given what has become of it.
    """
    if folder.kind not in _KINDS:
        on_check(Check("load", Status.NOT_RUNNABLE, f"hubpub has no load check for {folder.kind.value} models"))
        return None
    name = peft_class(facts) if folder.kind is ModelKind.ADAPTER else (facts.architecture or "")
    if folder.kind is ModelKind.SENTENCE_TRANSFORMERS:
        name = sentence_class(folder) or ""
    if not name and folder.kind is ModelKind.TRANSFORMERS:
        on_check(Check("load", Status.NOT_RUNNABLE, "config.json names no class (architectures)"))
        return None
    running = ""

    def on_event(event: Mapping[str, Any]) -> None:
        nonlocal running
        if "starting" in event:
            running = str(event["starting"])[:80]
            on_start(running)
        elif isinstance(event.get("step"), str):
            running = ""
            on_check(_check(event))

    ending = confine(_CHILD, _request(folder, facts, repo_id, name, trust=trust), place, limits, on_event)
    if ending.failure:
        on_check(Check(running or "load", Status.FAILED, ending.failure))
    return ending


def _request(folder: ModelFolder, facts: CardFacts, repo_id: str, name: str, *, trust: bool) -> dict[str, Any]:
    directory = model_directory(folder) or ""
    tokenizer = folder.tokenizer_in(directory)
    if tokenizer.tokenizer_json and tokenizer.tokenizer_json.length:
        tokens: int | None = tokenizer.tokenizer_json.length
    else:
        tokens = tokenizer.fallback.vocabulary.size if tokenizer.fallback else None
    return {
        "repo": repo_id,
        "kind": folder.kind.value,
        "class": name,
        "task": facts.pipeline_tag if folder.kind is ModelKind.TRANSFORMERS else None,
        "text": tokenizer.usable,
        "single": mostly_half(folder),
        "tokens": tokens,
        "trust": trust,
    }


def _check(event: Mapping[str, Any]) -> Check:
    """What the child says of a step, as far as it is what a step says."""
    error, skip, note, seconds = (event.get(key) for key in ("error", "skip", "note", "seconds"))
    status = Status.FAILED if error else Status.NOT_RUNNABLE if skip else Status.RAN
    text = str(error or skip or note or "")[:_LONGEST]
    return Check(str(event["step"])[:80], status, text, seconds if isinstance(seconds, float) else 0.0)
