"""The tensors of models against the classes of transformers, on the meta device: no weight is read, no model run.

One public call compares, `from_pretrained(None, config=..., state_dict=..., device_map={"": "meta"})`: it renames and
converts older layouts as users' own calls do, so nothing of that is repeated here. What it only logs (tensors that it
cannot convert) and what it hides (gaps that a class says to ignore) is taken where it adjusts its report.
"""

from __future__ import annotations

import importlib
import json
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_LAYER = re.compile(r"(.+?)\.(\d+)\.")
_MOST_NAMES = 1_000
_MOST_CANDIDATES = 16
_LONGEST_PREFIX = 4

# Buffers that older versions stored and newer ones compute; nothing is lost when they are left over.
_COMPUTED = re.compile(
    r"(^|\.)(position_ids|token_type_ids|inv_freq|masked_bias|attn\.bias|attention\.bias|num_batches_tracked"
    r"|relative_position_index|embed_positions\.(weights|_float_tensor)|_float_tensor|causal_mask|triangular_mask)$"
)

# Names of safetensors and of torch; what torch lacks (F4, F6) is stood in for by bytes.
_DTYPES = {
    "BOOL": "bool",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "U32": "uint32",
    "I32": "int32",
    "U64": "uint64",
    "I64": "int64",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}


def compare(request: Mapping[str, Any]) -> dict[str, Any]:
    """Compare each of `request["models"]`, {"config": {...}, "tensors": {name: [dtype, shape]}}.

    Returns:
        {"transformers": version, "torch": version, "models": [...]}, or {"absent": library}. What comes with a model's
        "status" is read by `hubpub.model.architecture`.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        return {"absent": error.name or "torch"}
    logging.disable(logging.CRITICAL)
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    _allow_meta()
    models = [_guarded(model) for model in request["models"]]
    return {"transformers": transformers.__version__, "torch": str(torch.__version__), "models": models}


def _allow_meta() -> None:
    """Without accelerate, transformers refuses every device map, though one to the meta device needs nothing of it."""
    accelerate: Any = importlib.import_module("transformers.integrations.accelerate")
    accelerate.is_accelerate_available = lambda *_: True


def _guarded(model: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return _model(model["config"], model["tensors"])
    except (ImportError, OSError) as error:
        # A library that is not installed, a connection that is not allowed, a file that the folder does not hold.
        return {"status": "unable", "reason": first_line(error)}


def _model(document: dict[str, Any], tensors: dict[str, Any]) -> dict[str, Any]:
    import transformers
    from transformers import AutoConfig
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    cls: Any = getattr(transformers, document["architectures"][0], None)
    if cls is not None and not isinstance(cls, type):
        cls = None
    if cls is not None and not hasattr(cls, "_from_config"):
        # Where libraries are missing, a stand-in says which; a class that is no model takes anything.
        if getattr(cls, "_backends", None):
            return {"status": "unable", "reason": f"{cls.__name__} needs {', '.join(cls._backends)}"}
        cls = None
    if document["model_type"] not in CONFIG_MAPPING:
        return {"status": "unknown-type", "known_class": cls is not None}
    if cls is None:
        return {"status": "unknown-class", "classes": [found.__name__ for found in _classes(document["model_type"])]}
    try:
        config = _config(AutoConfig, document)
        comparison = _Comparison(cls, config)
        found = comparison.of(tensors)
    except (ImportError, OSError, MemoryError):
        raise
    except Exception as error:
        return {"status": "refused", "reason": f"{type(error).__name__}: {first_line(error)}"}
    return {"status": "compared", **_judged(comparison, tensors, found)}


def _config(auto: Any, document: dict[str, Any]) -> Any:
    """As users load it, from a config.json, which lies in this process's own temporary directory."""
    Path("config.json").write_text(json.dumps(document), encoding="utf-8")
    return auto.from_pretrained(".", trust_remote_code=False, local_files_only=True)


def _judged(comparison: _Comparison, tensors: dict[str, Any], found: _Found) -> dict[str, Any]:
    prefix = None
    if found.unexpected and found.missing and len(found.unexpected) * 2 > len(tensors):
        prefix, found = _without_prefix(comparison, tensors, found)
    layers = layer_gaps(comparison.expected, found)
    fits = _fitting(comparison, tensors, found) if found.unexpected and not prefix else None
    return {
        "expected": len(comparison.expected),
        "missing": sorted(found.missing)[:_MOST_NAMES],
        "missing_count": len(found.missing),
        "unexpected": sorted(found.unexpected)[:_MOST_NAMES],
        "unexpected_count": len(found.unexpected),
        "mismatched": sorted(found.mismatched)[:_MOST_NAMES],
        "mismatched_count": len(found.mismatched),
        "conversions": dict(sorted(found.conversions.items())[:_MOST_NAMES]),
        "layers": layers,
        "prefix": prefix,
        "fits": fits,
        "output": comparison.output,
    }


class _Found:
    """What one comparison came to, in the names of the model's own modules."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self.unexpected: set[str] = set()
        self.mismatched: list[tuple[str, list[int], list[int]]] = []
        self.conversions: dict[str, str] = {}


class _Comparison:
    """A class with its configuration, to compare tensors with."""

    def __init__(self, cls: Any, config: Any) -> None:
        self.cls = cls
        self.config = config
        self.expected: list[str] = []
        self.output: list[str] = []

    def of(self, tensors: Mapping[str, Any]) -> _Found:
        """Compare {name: [dtype, shape]}; whatever transformers raises is raised."""
        import torch

        state = {name: torch.empty(shape, dtype=_dtype(kind), device="meta") for name, (kind, shape) in tensors.items()}
        with _witness(self.cls) as seen:
            try:
                model = self.cls.from_pretrained(
                    None,
                    config=self.config,
                    state_dict=state,
                    device_map={"": "meta"},
                    ignore_mismatched_sizes=True,
                    output_loading_info=True,
                    local_files_only=True,
                )[0]
            except RuntimeError:
                if not seen or not seen["found"].conversions:
                    raise
                model = seen["model"]
        self.expected = list(model.state_dict())
        self.output = _output_names(model)
        found: _Found = seen["found"]
        found.unexpected = {name for name in found.unexpected if not _COMPUTED.search(name)}
        # A tensor that cannot be converted is not missing as well.
        found.missing -= {name for name in found.missing if any(name in key for key in found.conversions)}
        return found


@contextmanager
def _witness(cls: Any) -> Iterator[dict[str, Any]]:
    """Note what the report is made of, and the gaps that it leaves out although whole modules stay random."""
    seen: dict[str, Any] = {}
    adjust = cls._adjust_missing_and_unexpected_keys

    def witnessed(model: Any, info: Any) -> None:
        before = set(info.missing_keys)
        adjust(model, info)
        found = _Found()
        found.missing = set(info.missing_keys) | _hidden(model, before - set(info.missing_keys))
        found.unexpected = set(info.unexpected_keys)
        found.mismatched = [(name, list(stored), list(wanted)) for name, stored, wanted in info.mismatched_keys]
        found.conversions = {name: last_line(text) for name, text in info.conversion_errors.items()}
        seen.update(found=found, model=model)

    cls._adjust_missing_and_unexpected_keys = witnessed
    try:
        yield seen
    finally:
        cls._adjust_missing_and_unexpected_keys = adjust


def _hidden(model: Any, ignored: set[str]) -> set[str]:
    """Ignored gaps below a pattern that is the name of a whole module: SeamlessM4T ignores its vocoder like that."""
    patterns = getattr(model, "_keys_to_ignore_on_load_missing", None) or ()
    modules = {name for name, _ in model.named_children()} & set(patterns)
    return {name for name in ignored if name.partition(".")[0] in modules}


def _output_names(model: Any) -> list[str]:
    """The names of the parameters of the output embedding."""
    try:
        output = model.get_output_embeddings()
    except (NotImplementedError, AttributeError):
        return []
    if output is None:
        return []
    mine = {id(parameter) for parameter in output.parameters()}
    return [name for name, parameter in model.named_parameters(remove_duplicate=False) if id(parameter) in mine]


def _without_prefix(comparison: _Comparison, tensors: dict[str, Any], found: _Found) -> tuple[str | None, _Found]:
    """A prefix in whose absence the tensors fit, and what is found then; None and `found` when there is none."""
    for prefix in common_prefixes(tensors):
        try:
            without = comparison.of({name.removeprefix(prefix): tensor for name, tensor in tensors.items()})
        except Exception:  # noqa: S112 -- this prefix is not it, whatever transformers makes of it
            continue
        if len(without.missing) * 2 < len(found.missing) and len(without.unexpected) * 2 < len(found.unexpected):
            return prefix, without
    return None, found


def common_prefixes(names: Iterable[str]) -> list[str]:
    """The dotted prefixes of nine in ten of the names, shortest first."""
    counts: Counter[str] = Counter()
    total = 0
    for name in names:
        total += 1
        parts = name.split(".")[:_LONGEST_PREFIX]
        counts.update(".".join(parts[: end + 1]) + "." for end in range(len(parts)))
    return sorted((prefix for prefix, count in counts.items() if count * 10 >= total * 9), key=len)


def layer_gaps(expected: Iterable[str], found: _Found) -> list[dict[str, Any]]:
    """Whole layers at the end of a stack that only the class or only the file has; they are taken out of `found`.

    Returns:
        {"stack": ..., "model": layers, "stored": layers, "tensors": how many} each.
    """
    stacks: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in expected:
        _add(stacks, name)
    extra: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in found.unexpected:
        _add(extra, name)
    gaps = []
    for stack, layers in stacks.items():
        count = max(layers) + 1
        kept = count
        while kept and all(name in found.missing for name in layers.get(kept - 1, ["?"])):
            kept -= 1
        if 0 < kept < count:
            names = [name for index in range(kept, count) for name in layers[index]]
            gaps.append({"stack": stack, "model": count, "stored": kept, "tensors": len(names)})
            found.missing -= set(names)
        beyond = {index: names for index, names in extra.get(stack, {}).items() if index >= count}
        if beyond:
            names = [name for layer in beyond.values() for name in layer]
            gaps.append({"stack": stack, "model": count, "stored": max(beyond) + 1, "tensors": len(names)})
            found.unexpected -= set(names)
    return gaps


def _add(stacks: dict[str, dict[int, list[str]]], name: str) -> None:
    place = _LAYER.match(name)
    if place:
        stacks[place[1]][int(place[2])].append(name)


def _fitting(comparison: _Comparison, tensors: dict[str, Any], found: _Found) -> str | None:
    """Another class of the same model type that all tensors are for."""
    for cls in _classes(comparison.config.model_type)[:_MOST_CANDIDATES]:
        if cls is comparison.cls:
            continue
        try:
            other = _Comparison(cls, comparison.config).of(tensors)
        except Exception:  # noqa: S112 -- what this class makes of the configuration says nothing about the model
            continue
        if not other.missing and not other.unexpected and not other.mismatched and not other.conversions:
            return str(cls.__name__)
    return None


def _classes(model_type: str) -> list[Any]:
    """The classes that the Auto classes know for a model type."""
    import transformers
    from transformers.models.auto import modeling_auto

    names: dict[str, None] = {}
    for attribute in sorted(vars(modeling_auto)):
        if attribute.startswith("MODEL_") and attribute.endswith("MAPPING_NAMES"):
            value = getattr(modeling_auto, attribute).get(model_type, ())
            names |= dict.fromkeys([value] if isinstance(value, str) else value)
    classes = (getattr(transformers, name, None) for name in names)
    return [cls for cls in classes if isinstance(cls, type) and hasattr(cls, "_from_config")]


def _dtype(name: str) -> Any:
    import torch

    return getattr(torch, _DTYPES.get(name, "uint8"), torch.uint8)


def first_line(error: object) -> str:
    """The first line of a message that says something, without the paths of this process."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    if text.endswith(":") and len(lines) > 1:
        text = f"{text} {lines[1]}"
    return text.replace(str(Path.cwd()), ".")[:300]


def last_line(text: object) -> str:
    """The last line of a message that says something."""
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
