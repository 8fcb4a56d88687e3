"""Every model class of transformers' Auto mappings, saved by its default configuration, against the architecture check.

Each class that constructs is laid out as save_pretrained would (on the meta device: no weights), and compared with
itself: not one tensor may be missing, unexpected or of another shape. Prints what is not so, and the totals.

    python benchmarks/architecture_sweep.py
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path[:0] = [str(Path(__file__).parents[1])]

import torch  # noqa: E402
import transformers  # noqa: E402
from transformers.core_model_loading import revert_weight_conversion  # noqa: E402
from transformers.models.auto import modeling_auto  # noqa: E402

from hubpub.model.children import architecture  # noqa: E402
from hubpub.model.safetensors import Tensor  # noqa: E402
from hubpub.model.shapes import broken_promises, wrapped  # noqa: E402

DTYPES = {name: safe for safe, name in architecture._DTYPES.items()} | {"uint8": "U8"}


def classes() -> list[tuple[str, str]]:
    """(model type, class) of all Auto mappings, each class once."""
    found: dict[str, str] = {}
    for attribute in dir(modeling_auto):
        if attribute.startswith("MODEL_") and attribute.endswith("MAPPING_NAMES"):
            for model_type, value in getattr(modeling_auto, attribute).items():
                for name in [value] if isinstance(value, str) else value:
                    found.setdefault(name, model_type)
    return [(model_type, name) for name, model_type in sorted(found.items())]


def saved(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """config.json and the stored tensors of a class with its default configuration."""
    cls = getattr(transformers, name)
    with torch.device("meta"):
        model = cls(cls.config_class())
    state = revert_weight_conversion(model, model.state_dict())
    tied = set(getattr(model, "all_tied_weights_keys", None) or {})
    tensors = {
        key: [DTYPES.get(str(value.dtype).removeprefix("torch."), "F32"), list(value.shape)]
        for key, value in state.items()
        if key not in tied and key not in (model._keys_to_ignore_on_save or ())
    }
    config = json.loads(model.config.to_json_string(use_diff=False))
    return config | {"architectures": [name], "model_type": model.config.model_type}, tensors


def main() -> None:
    """Compare all of them in this process."""
    logging.disable(logging.CRITICAL)
    transformers.logging.disable_progress_bar()
    outcomes: Counter[str] = Counter()
    seconds: list[float] = []
    os.chdir(tempfile.mkdtemp())
    architecture._allow_meta()
    for _, name in classes():
        try:
            config, tensors = saved(name)
        except Exception as error:
            outcomes["does not construct"] += 1
            print(f"{name}: does not construct: {type(error).__name__}: {architecture.first_line(error)[:120]}")
            continue
        started = time.perf_counter()
        found = architecture._guarded({"config": config, "tensors": tensors})
        seconds.append(time.perf_counter() - started)
        gaps = {
            key: found[key]
            for key in ("missing", "unexpected", "mismatched", "conversions", "layers")
            if found.get(key)
        }
        outcome = found["status"] if found["status"] != "compared" else "with findings" if gaps else "clean"
        outcomes[outcome] += 1
        if outcome != "clean":
            print(f"{name}: {outcome}: {found.get('reason') or str(gaps)[:300]}")
        headers = {key: Tensor(key, dtype, tuple(shape), 0, 0) for key, (dtype, shape) in tensors.items()}
        promises = broken_promises(config, headers)
        if promises.layers or promises.vocabulary or promises.labels or promises.num_labels or wrapped(headers):
            outcomes["with findings by headers"] += 1
            print(f"{name}: headers: {promises} {list(wrapped(headers))}")
    print(dict(outcomes), f"median {sorted(seconds)[len(seconds) // 2]:.2f} s, largest {max(seconds):.2f} s")


if __name__ == "__main__":
    main()
