"""WEIGHT: adapters of PEFT, by adapter_config.json and the names and shapes of their tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import model_rules

if TYPE_CHECKING:
    from hubpub.model.adapter import Adapter

_DOCS = "https://huggingface.co/docs/peft/developer_guides/checkpoint"
_CONFIG = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"


@model_rules.rule(
    "WEIGHT074",
    "adapter-base-missing",
    Severity.ERROR,
    summary="adapter_config.json does not name the base model, or the method.",
    why="An adapter is of no use without its base: AutoPeftModel and transformers' own loading of adapters take it "
    "from here, and the Hub links it from here.",
    bad='{"peft_type": "LORA", "base_model_name_or_path": null}',
    good='{"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-3.2-1B"}',
    hint="set base_model_name_or_path to the id of the base model on the Hub",
    source=_DOCS,
)
def adapter_base_missing(folder: ModelFolder) -> Iterator[Problem]:
    """A base that is no model of a library has no name, and says so in auto_mapping."""
    adapter = folder.adapter
    if adapter is None:
        return
    if adapter.base_model is None and not adapter.base_is_custom:
        yield Problem(f"{_CONFIG} names no base model (base_model_name_or_path)", path=_CONFIG)
    if adapter.peft_type is None:
        message = f"{_CONFIG} has no peft_type: peft cannot tell what kind of adapter it is"
        yield Problem(message, path=_CONFIG, hint="save the adapter with save_pretrained of peft")


@model_rules.rule(
    "WEIGHT075",
    "adapter-base-local",
    Severity.ERROR,
    summary="adapter_config.json names the base model by a path of the machine that trained it.",
    why="Nobody else has that path: loading the adapter by its id fails with an error about a repo id.",
    bad='"base_model_name_or_path": "/home/me/llama"',
    good='"base_model_name_or_path": "meta-llama/Llama-3.2-1B"',
    hint="set base_model_name_or_path to the id of the base model on the Hub",
    source=_DOCS,
)
def adapter_base_local(folder: ModelFolder) -> Iterator[Problem]:
    """Whatever cannot be the id of a model on the Hub."""
    adapter = folder.adapter
    if adapter is not None and adapter.base_is_local:
        base = str(adapter.base_model)
        shown = base if len(base) <= 100 else base[:97] + "..."
        yield Problem(f"{_CONFIG} names the base model by a local path: {shown!r}", path=_CONFIG)


@model_rules.rule(
    "WEIGHT076",
    "adapter-rank",
    Severity.ERROR,
    summary="The LoRA matrices have another rank than adapter_config.json says.",
    why="peft builds matrices of the rank in the configuration and then raises on the shapes of the file.",
    bad="r 8 in adapter_config.json, lora_A of 4 rows",
    good="r 4 in adapter_config.json, lora_A of 4 rows",
    hint="set r (and rank_pattern, where modules differ) to the rank that was trained, or save the adapter again",
    source="https://huggingface.co/docs/peft/package_reference/lora",
)
def adapter_rank(folder: ModelFolder) -> Iterator[Problem]:
    """All modules of one rank are one finding; rank_pattern counts, and so do experts that share a matrix."""
    adapter = folder.adapter
    if adapter is None or not adapter.is_lora:
        return
    wrong: dict[tuple[int, int], list[str]] = {}
    for pair in adapter.pairs:
        ranks = pair.ranks
        if ranks is None:
            continue
        if ranks[0] != ranks[1]:
            message = f"{_WEIGHTS}: lora_A of {pair.module[-100:]} has rank {ranks[0]}, its lora_B has {ranks[1]}"
            yield Problem(message, path=_WEIGHTS, tensor=pair.a.name[:1000] if pair.a else None)
        elif not _allowed(adapter, pair.module, ranks[0]):
            wrong.setdefault((ranks[0], min(adapter.ranks(pair.module))), []).append(pair.module)
    for (rank, said), modules in wrong.items():
        where = f"{_WEIGHTS} has rank {rank} in {counted(len(modules), 'module')}: {listed(modules)}"
        yield Problem(f"{_CONFIG} says r {said}, but {where}", path=_CONFIG)


def _allowed(adapter: Adapter, module: str, rank: int) -> bool:
    allowed = adapter.ranks(module)
    # target_parameters gives all experts of a layer one matrix, of so many times the rank.
    experts = bool(adapter.config.get("target_parameters"))
    return rank in allowed or (experts and any(one > 0 and rank % one == 0 for one in allowed))


@model_rules.rule(
    "WEIGHT077",
    "adapter-half-missing",
    Severity.ERROR,
    summary="A LoRA matrix is there without its other half.",
    why="peft leaves the missing half as it was made: zero, so that the module is as if never trained, or random.",
    bad="q_proj.lora_A.weight without q_proj.lora_B.weight",
    good="both",
    hint="save the adapter again with save_pretrained of peft",
    source=_DOCS,
)
def adapter_half_missing(folder: ModelFolder) -> Iterator[Problem]:
    """One finding for all modules that lack the same half."""
    adapter = folder.adapter
    if adapter is None or not adapter.is_lora:
        return
    for have, lack in (("A", "B"), ("B", "A")):
        alone = [pair for pair in adapter.pairs if (pair.a if have == "A" else pair.b) is not None]
        alone = [pair for pair in alone if (pair.b if have == "A" else pair.a) is None]
        if alone:
            names = listed([pair.module for pair in alone])
            message = f"{_WEIGHTS} holds lora_{have} without lora_{lack} for {counted(len(alone), 'module')}: {names}"
            half = alone[0].a or alone[0].b
            yield Problem(message, path=_WEIGHTS, tensor=half.name[:1000] if half else None)


@model_rules.rule(
    "WEIGHT078",
    "adapter-targets",
    Severity.ERROR,
    summary="The weights hold LoRA matrices of modules that target_modules does not name.",
    why="peft makes matrices only for the modules that are named, and drops the others from the file with a warning.",
    bad='"target_modules": ["q_proj"] beside o_proj.lora_A.weight',
    good='"target_modules": ["q_proj", "o_proj"]',
    hint="name every trained module in target_modules",
    source="https://huggingface.co/docs/peft/package_reference/lora",
)
def adapter_targets(folder: ModelFolder) -> Iterator[Problem]:
    """Only where target_modules lists names; a name that matches nothing is information."""
    adapter = folder.adapter
    if adapter is None or not adapter.is_lora or not adapter.pairs or adapter.config.get("target_parameters"):
        return
    others = [pair.module for pair in adapter.pairs if not adapter.targeted(pair.module)]
    if others:
        message = f"{_WEIGHTS} holds {counted(len(others), 'module')} that target_modules of {_CONFIG} does not name"
        yield Problem(f"{message}: {listed(others)}", path=_WEIGHTS)
        return
    if adapter.config.get("exclude_modules"):
        return
    idle = [
        target
        for target in adapter.targets or ()
        if not any(pair.module == target or pair.module.endswith("." + target) for pair in adapter.pairs)
    ]
    if idle:
        message = f"{_CONFIG}: target_modules names {listed(idle)}, of which {_WEIGHTS} has nothing"
        hint = "remove them, unless they are there for other base models"
        yield Problem(message, path=_CONFIG, hint=hint, severity=Severity.INFO)


@model_rules.rule(
    "WEIGHT079",
    "adapter-settings",
    Severity.INFO,
    summary="adapter_config.json says less, or something else, than a published adapter should.",
    why="Without a task type, AutoPeftModel cannot choose a class; with inference_mode false, the adapter is loaded "
    "ready to be trained on.",
    bad='{"task_type": null, "inference_mode": false}',
    good='{"task_type": "CAUSAL_LM", "inference_mode": true}',
    hint="save the adapter with save_pretrained of peft, and give get_peft_model a task_type",
    source=_DOCS,
)
def adapter_settings(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """Information only; a method that this version does not know is not checked."""
    adapter = folder.adapter
    if adapter is None:
        return
    from hubpub.model.adapter import KNOWN_TYPES

    if adapter.peft_type is not None and adapter.peft_type not in KNOWN_TYPES:
        yield Skip("the adapter's tensors", f"its peft_type {adapter.peft_type[:40]!r} is not one that is known here")
    if adapter.config.get("task_type") is None and not adapter.base_is_custom:
        yield Problem(f"{_CONFIG} names no task_type", path=_CONFIG)
    if adapter.config.get("inference_mode") is False:
        yield Problem(f"{_CONFIG} says inference_mode false", path=_CONFIG)
