"""Loading and running a model in a child process; see `hubpub.model.children.load`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubpub.model.architecture import Architecture, Status
from hubpub.model.kind import ModelKind
from hubpub.model.sentence_class import sentence_class
from hubpub.model.stored import Stored, stored_tensors

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

_GIB = 1 << 30
_BASE_SECONDS = 300.0
_BYTES_PER_SECOND = 50e6
_LIBRARIES = 1 * _GIB
_ADDRESS_SPACE = 16 * _GIB


@dataclass(frozen=True, slots=True)
class Step:
    """One step of loading and running.

    Attributes:
        name: "config", "tokenizer", "model", "forward", "generate", "pipeline", ...
        error: why it failed, in one line.
        skip: why it could not be tried.
    """

    name: str
    error: str | None = None
    skip: str | None = None


@dataclass(frozen=True, slots=True)
class Loading:
    """What became of loading and running a model.

    Attributes:
        reason: why it was not tried, or not to the end; None when it was.
        path: of the weights, or of their index.
        name: of the class.
        steps: in order.
        not_finite: the output that holds NaN or infinity.
        empty: whether the model generates nothing but special tokens, whatever the prompt.
        tokens: of the tokenizer.
        vocabulary: `vocab_size` of config.json.
    """

    reason: str | None = None
    path: str = "model.safetensors"
    name: str | None = None
    steps: tuple[Step, ...] = ()
    not_finite: str | None = None
    empty: bool = False
    tokens: int | None = None
    vocabulary: int | None = None

    def to_json(self) -> dict[str, Any]:
        """What a report says of it."""
        return {
            "reason": self.reason,
            "class": self.name,
            "steps": [{"step": step.name, "error": step.error, "skip": step.skip} for step in self.steps],
        }


def load(folder: ModelFolder) -> Loading | None:
    """Ask a child process; None when the folder holds no weights."""
    if not folder.weights.files:
        return None
    stored = stored_tensors(folder)
    reason = _obstacle(folder, stored)
    if reason is not None or not isinstance(stored, Stored) or folder.source.directory is None:
        return Loading(reason or "it is no model of transformers or sentence-transformers")
    needed = memory_needed(folder)
    free = available_memory()
    if free is not None and needed > free:
        return Loading(f"it takes {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free")
    sentences = folder.kind is ModelKind.SENTENCE_TRANSFORMERS
    request = {
        "directory": str(folder.source.directory),
        "library": "sentence-transformers" if sentences else "transformers",
        "class": sentence_class(folder) if sentences else stored.name,
        "text": folder.tokenizer_in(stored.directory).usable,
        "single": mostly_half(folder),
    }
    from hubpub.model.child import Child

    seconds, memory = child_limits(folder.weights.weight_bytes, needed)
    answer = Child(
        "hubpub.model.children.load:load",
        request,
        seconds=seconds,
        memory=memory,
    ).answer()
    if answer.value is None:
        return Loading(f"it {answer.failure}", stored.path, stored.name)
    return _loading(answer.value, stored)


def _loading(value: Mapping[str, Any], stored: Stored) -> Loading:
    if "absent" in value:
        return Loading(f"{value['absent']} is not installed", stored.path, stored.name)
    vocabulary = stored.config.get("vocab_size")
    return Loading(
        path=stored.path,
        name=stored.name,
        steps=tuple(Step(step["step"], step["error"], step["skip"]) for step in value["steps"]),
        not_finite=value["not_finite"],
        empty=value["empty"],
        tokens=value["tokens"],
        vocabulary=vocabulary if type(vocabulary) is int else None,
    )


def _obstacle(folder: ModelFolder, stored: Stored | str | None) -> str | None:
    """Why it is not loaded at all."""
    if isinstance(stored, str):
        return stored
    if folder.source.directory is None:
        return "it is not in a directory of this machine"
    if folder.others:
        return "the folder has entries that cannot be published, which loading it would follow"
    if folder.kind is ModelKind.ADAPTER:
        return "it is an adapter, and its base model is not in the folder"
    if stored is None:
        return "it is no model of transformers or sentence-transformers"
    if folder.kind is ModelKind.SENTENCE_TRANSFORMERS:
        return _foreign_modules(folder)
    return _told(folder.architecture, folder)


def _foreign_modules(folder: ModelFolder) -> str | None:
    """Modules that would be imported from elsewhere, or unpickled."""
    modules = folder.modules.value if folder.modules else None
    types = [str(module.get("type")) for module in modules or () if isinstance(module, dict)]
    if not types or not all(name.startswith("sentence_transformers.") for name in types):
        return "modules.json names modules that are not those of sentence-transformers"
    if "pytorch" in folder.weights.files:
        return "some of its weights are pickles, which are not loaded"
    return None


def _told(found: Architecture | None, folder: ModelFolder) -> str | None:
    """Why it would fail, where the architecture check has told that already."""
    if found is None or found.status is Status.UNABLE:
        return None
    if found.status is not Status.COMPARED:
        return "transformers cannot build it, as the architecture check tells"
    if found.mismatched_count or found.conversions or folder.promises.vocabulary or folder.promises.labels:
        return "its tensors have other shapes than its class, as the architecture check tells"
    return None


def mostly_half(folder: ModelFolder) -> bool:
    """Whether most weights are float16, in which a processor may overflow where an accelerator does not."""
    counts = folder.weights.parameters_by_dtype
    return counts.get("F16", 0) * 2 > sum(counts.values())


def memory_needed(folder: ModelFolder) -> int:
    """Bytes that loading and running takes: the weights, twice when they are widened, and the libraries."""
    return folder.weights.weight_bytes * (3 if mostly_half(folder) else 1) * 5 // 4 + _LIBRARIES


def child_limits(weight_bytes: int, needed: int) -> tuple[float, int]:
    """Seconds and bytes of address space of a child that loads such weights and takes so many bytes of memory."""
    return _BASE_SECONDS + weight_bytes / _BYTES_PER_SECOND, needed * 2 + _ADDRESS_SPACE


def available_memory() -> int | None:
    """Bytes of memory that are free to be used; None when the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
