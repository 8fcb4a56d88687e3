"""WEIGHT: the number formats of the weights, by their headers alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import counted
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.model.roles import is_matrix
from hubpub.rules.registry import model_rules

_DECLARED = {"float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64"}
_PLAIN = frozenset(_DECLARED.values())
_BITS = {"F16": 16, "BF16": 16, "F32": 32, "F64": 64}
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")


def declared_dtype(folder: ModelFolder) -> str | None:
    """The dtype that config.json says the model is loaded in, as safetensors names it; None when it says none."""
    if folder.config is None or folder.kind not in (ModelKind.TRANSFORMERS, ModelKind.SENTENCE_TRANSFORMERS):
        return None
    value = folder.config.get("dtype") or folder.config.get("torch_dtype")
    return _DECLARED.get(value.removeprefix("torch.")) if isinstance(value, str) else None


def main_files(folder: ModelFolder) -> tuple[str, ...]:
    """The sound safetensors files that transformers loads beside config.json; () when there are none."""
    index = "model.safetensors.index.json"
    indexed = {name for found in folder.weights.indexes if found.path == index for name in found.shards()}
    wanted = {"model.safetensors"} if "model.safetensors" in folder.weights.headers else indexed
    headers = folder.weights.headers
    return tuple(path for path in headers if path in wanted and not headers[path].problems)


@model_rules.rule(
    "WEIGHT026",
    "dtype-disagrees",
    Severity.WARNING,
    summary="config.json declares another dtype than the weights are stored in.",
    why="transformers loads the model in the declared dtype: float32 weights become float16 without a word, with other "
    "results than those that were measured, and users download twice the bytes they get.",
    bad='"dtype": "float16" beside weights in F32',
    good='"dtype": "float32", or weights saved in float16',
    hint="save the model in the dtype that it is for: model.to(torch.bfloat16).save_pretrained(FOLDER)",
    source="https://huggingface.co/docs/transformers/main_classes/model#model-instantiation-dtype",
)
def dtype_disagrees(folder: ModelFolder) -> Iterator[Problem]:
    """Not one matrix is in the declared dtype. Narrower weights in a wider model lose nothing, so that is info."""
    declared = declared_dtype(folder)
    files = main_files(folder)
    if declared is None or not files or folder.config is None or folder.config.get("quantization_config"):
        return
    counts: Counter[str] = Counter()
    for path in files:
        for tensor in folder.weights.headers[path].tensors.values():
            if is_matrix(tensor):
                counts[tensor.dtype] += tensor.elements
    floats = {dtype: count for dtype, count in counts.items() if dtype in _PLAIN}
    stored = max(floats, key=lambda dtype: floats[dtype], default=declared)
    quantised = sum(counts.values()) - sum(floats.values()) > floats.get(stored, 0)
    if declared in floats or not floats or quantised:
        return
    severity = Severity.INFO if _BITS[declared] > _BITS[stored] else None
    name = next(name for name, dtype in _DECLARED.items() if dtype == declared)
    message = f"config.json declares {name}, but the weights are stored in {stored} ({files[0]})"
    yield Problem(message, "config.json", severity=severity)


@model_rules.rule(
    "WEIGHT027",
    "dtypes-mixed",
    Severity.WARNING,
    summary="The same weight is stored in one dtype in some layers and in another in the rest.",
    why="Norms and routers in float32 are common, but every layer alike. A few layers that differ were patched in, or "
    "merged from another checkpoint; loading converts them without a word.",
    bad="layers.0.mlp.up_proj.weight in F32 and layers.1.mlp.up_proj.weight in BF16",
    good="each weight in the same dtype in all layers",
    hint="convert the model as a whole, and check where the odd layers come from",
    source="https://huggingface.co/docs/transformers/main_classes/model#model-instantiation-dtype",
)
def dtypes_mixed(folder: ModelFolder) -> Iterator[Problem]:
    """One finding for the files that are loaded; layers of which some are quantised are another matter."""
    groups: dict[tuple[str, tuple[int, ...]], dict[str, tuple[int, str, str]]] = {}
    for path in main_files(folder):
        for tensor in folder.weights.headers[path].tensors.values():
            if len(tensor.shape) >= 2:
                found = groups.setdefault((_NUMBER.sub("*", tensor.name, count=1), tensor.shape), {})
                count = found[tensor.dtype][0] if tensor.dtype in found else 0
                found[tensor.dtype] = (count + 1, path, tensor.name)
    mixed = {key[0]: found for key, found in groups.items() if len(found) > 1 and found.keys() <= _PLAIN}
    if not mixed:
        return
    name, found = next(iter(mixed.items()))
    ordered = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
    _, path, odd = ordered[-1][1]
    rest = f", and {counted(len(mixed) - 1, 'more weight')} likewise" if len(mixed) > 1 else ""
    amounts = " and ".join(f"{dtype} ({counted(count, 'layer')})" for dtype, (count, _, _) in ordered)
    yield Problem(f"{path} and its like store {name[:200]} in {amounts}{rest}", path, tensor=odd[:1000])
