"""How many parameters of a mixture of experts take part in computing one token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.card.facts.provenance import Sources
    from hubpub.model.folder import ModelFolder
    from hubpub.model.safetensors import Tensor
    from hubpub.model.weights import Weights

# How the configurations of transformers and the metadata of GGUF call them.
_USED = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "experts_per_token",
    "num_selected_experts",
    "moe_topk",
    "moe_top_k",
    "moe_k",
    "expert_used_count",
)
_EACH = Pattern(r"(?P<group>.*\bexperts)\.(?:expert_)?(?P<number>\d{1,5})\..*")
# Those of GraniteMoe and of GGUF have names of their own.
_FUSED = Pattern(
    r"(?P<group>.*\bexperts)\.[^.]+(?:\.weight)?|.*\.ffn_\w+_exps\.\w+"
    r"|.*\.block_sparse_moe\.(?:input|output)_linear\.weight"
)


def active_parameters(
    folder: ModelFolder,
    weights: Weights,
    part: str,
    text: Mapping[str, Any],
    parameters: int | None,
    place: str,
    sources: Sources,
) -> int | None:
    """The parameters that one token takes part of, embeddings included; None for other models, and when unsure.

    Args:
        folder: the saved model.
        weights: those of its files that were counted.
        part: the keys that lead to `text` in config.json, with a dot at the end.
        text: the configuration of the language part.
        parameters: all of them.
        place: where they were counted.
        sources: where the answer is noted.
    """
    used, key = _used(folder, text, part)
    if not parameters or not used:
        return None
    routed = tuple(_routed(_tensors(folder, weights)))
    if not routed or any(experts < used for experts, _ in routed):
        return None
    idle = sum(count // experts * (experts - used) for experts, count in routed)
    return sources.note("active_parameters", parameters - idle, f"{place}; {key}")


def _tensors(folder: ModelFolder, weights: Weights) -> Iterable[Tensor]:
    if weights.primary:
        return weights.tensors
    from hubpub.model.tensors import stated_tensors

    return stated_tensors(folder)


def _used(folder: ModelFolder, text: Mapping[str, Any], part: str) -> tuple[int, str]:
    for key in _USED:
        value = text.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value, f"config.json: {part}{key}"
    for path, file in folder.gguf.items():
        key = f"{file.architecture}.expert_used_count"
        if value := file.number(key):
            return value, f"{path}: {key}"
    return 0, ""


def _routed(tensors: Iterable[Tensor]) -> Iterator[tuple[int, int]]:
    """Of each layer: how many experts it has, and how many elements they have together."""
    numbers: dict[str, set[int]] = {}
    elements: dict[str, int] = {}
    for tensor in tensors:
        if found := _EACH.fullmatch(tensor.name):
            numbers.setdefault(found["group"], set()).add(int(found["number"]))
            elements[found["group"]] = elements.get(found["group"], 0) + tensor.elements
        elif _FUSED.fullmatch(tensor.name) and len(tensor.shape) >= 2:
            # experts lie one behind the other in the first dimension, in GGUF too once its order is turned round
            yield tensor.shape[0], tensor.elements
    yield from ((len(numbers[group]), count) for group, count in elements.items())
