"""How many parameters a safetensors file holds, from its header alone.

Format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from hubpub.hub.store.content import Content

_LARGEST_HEADER = 8 << 20
_PREFIX = 8
_DTYPE = re.compile(r"[A-Z][A-Z0-9_]{0,15}")
_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
_MOST_SHARDS = 1000


def weights_of(names: Iterable[str]) -> list[str]:
    """Which of the files in a repo's root are its model: `model.safetensors`, else its shards, else all of them."""
    found = sorted(name for name in names if name.endswith(".safetensors"))
    if "model.safetensors" in found:
        return ["model.safetensors"]
    return ([name for name in found if _SHARD.fullmatch(name)] or found)[:_MOST_SHARDS]


def parameter_counts(content: Content) -> Mapping[str, int] | None:
    """The number of parameters by dtype; None if the header cannot be read or is longer than 8 MiB."""
    if content.size < _PREFIX:
        return None
    length = int.from_bytes(b"".join(content.read(0, _PREFIX)), "little")
    if not 2 <= length <= min(_LARGEST_HEADER, content.size - _PREFIX):
        return None
    try:
        header = json.loads(b"".join(content.read(_PREFIX, _PREFIX + length)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict):
        return None
    counts: Counter[str] = Counter()
    for name, tensor in header.items():
        if name != "__metadata__" and not _count(counts, tensor):
            return None
    return counts


def _count(counts: Counter[str], tensor: Any) -> bool:
    """Add what a tensor holds; False if its entry is malformed."""
    if not isinstance(tensor, dict):
        return False
    dtype, shape = tensor.get("dtype"), tensor.get("shape")
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype) or not isinstance(shape, list) or len(shape) > 64:
        return False
    if not all(type(size) is int and 0 <= size < 1 << 63 for size in shape):
        return False
    counts[dtype] += math.prod(shape)
    return True
