"""Whether the tensors of a folder are those of its class in transformers, which a child process asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubpub.core.code_state import code_of
from hubpub.model.kept import Kept, cache_directory
from hubpub.model.shapes import unwrap
from hubpub.model.stored import Stored, stored_tensors

if TYPE_CHECKING:
    from hubpub.model.child import Answer
    from hubpub.model.folder import ModelFolder

SECONDS = 180.0
"""For one model; nearly all of it is the import of torch and transformers, 5 s on a quiet machine."""

_FORMAT = 1  # to be raised when what is kept, or what it means, changes

MEMORY = 12 << 30
"""Bytes of address space; torch reserves several GB and uses 350 MB."""


class Status(StrEnum):
    """How far the comparison came."""

    COMPARED = "compared"
    UNKNOWN_TYPE = "unknown-type"
    UNKNOWN_CLASS = "unknown-class"
    REFUSED = "refused"
    UNABLE = "unable"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A tensor whose shape is not the one that the class has with this configuration."""

    tensor: str
    stored: tuple[int, ...]
    wanted: tuple[int, ...]

    @property
    def transposed(self) -> bool:
        """Whether it is the matrix that is wanted, rows for columns."""
        return len(self.stored) == 2 and self.stored == self.wanted[::-1] and self.stored != self.wanted


@dataclass(frozen=True, slots=True)
class LayerGap:
    """Whole layers that only one side has.

    Attributes:
        stack: what the names of its tensors begin with, "bert.encoder.layer".
        model: layers that the class has with this configuration.
        stored: layers in the file.
        tensors: how many tensors are in the layers that only one side has.
    """

    stack: str
    model: int
    stored: int
    tensors: int


@dataclass(frozen=True, slots=True)
class Architecture:
    """What the installed transformers makes of config.json and the names and shapes of the tensors.

    Attributes:
        status: how far it came.
        name: of the class, `architectures[0]`.
        path: of the weights, or of their index.
        config: path of config.json.
        reason: why it was refused or could not be compared.
        transformers: version; None when it was not asked.
        torch: version; None when it was not asked.
        expected: tensors that the class has.
        missing: tensors of the class that the file lacks, at most 1,000; `missing_count` says how many there are.
        unexpected: tensors that the class lacks, likewise.
        mismatched: tensors with another shape, likewise.
        conversions: what cannot be made of several stored tensors (experts), and why.
        layers: whole layers that only one side has; their tensors are not in `missing` and `unexpected`.
        prefix: what nine in ten names begin with, and should not; the rest was compared without it.
        fits: the class of the same model type that all tensors are for.
        classes: of the model type, when `name` is not a class of transformers.
        known_class: whether transformers has `name`, when it does not have the model type.
        output: names of the parameters of the output embedding.
    """

    status: Status
    name: str | None = None
    path: str = "model.safetensors"
    config: str = "config.json"
    reason: str | None = None
    transformers: str | None = None
    torch: str | None = None
    expected: int = 0
    missing: tuple[str, ...] = ()
    missing_count: int = 0
    unexpected: tuple[str, ...] = ()
    unexpected_count: int = 0
    mismatched: tuple[Mismatch, ...] = ()
    mismatched_count: int = 0
    conversions: tuple[tuple[str, str], ...] = ()
    layers: tuple[LayerGap, ...] = ()
    prefix: str | None = None
    fits: str | None = None
    classes: tuple[str, ...] = ()
    known_class: bool = False
    output: tuple[str, ...] = ()

    def is_(self, *statuses: str) -> bool:
        """Whether the comparison came so far, by the value of a `Status`."""
        return self.status in [Status(status) for status in statuses]

    def to_json(self) -> dict[str, Any]:
        """What a report says of it."""
        return {
            "status": self.status.value,
            "class": self.name,
            "reason": self.reason,
            "transformers": self.transformers,
            "torch": self.torch,
            "tensors": self.expected,
        }


def compare(folder: ModelFolder) -> Architecture | None:
    """Ask a child process; None when the folder holds no model of transformers to compare."""
    return compare_all([folder])[0]


def compare_all(folders: Sequence[ModelFolder]) -> list[Architecture | None]:
    """The same for several folders, with one child process."""
    models = [stored_tensors(folder) for folder in folders]
    asked = [model for model in models if isinstance(model, Stored)]
    found = iter(_ask(asked) if asked else ())
    return [next(found) if isinstance(model, Stored) else _unable(model) if model else None for model in models]


def _ask(models: Sequence[Stored]) -> list[Architecture]:
    """The answer of the child, or the one that it gave to the same question before."""
    requests = [
        {
            "config": model.config,
            "tensors": {name: [tensor.dtype, tensor.shape] for name, tensor in unwrap(model.tensors).items()},
        }
        for model in models
    ]
    kept = Kept(cache_directory() / f"architectures-{_FORMAT}")
    question = json.dumps([_versions(), requests], sort_keys=True)
    known = kept.get(question)
    if known is not None:
        value = json.loads(known)
    else:
        answer = _ask_child(requests)
        if answer.value is None:
            return [_unable(f"the comparison {answer.failure}")] * len(models)
        value = answer.value
        if "absent" in value:
            return [_unable(f"{value['absent']} is not installed")] * len(models)
        # What could not be told for want of a library or of memory may be told the next time.
        if all(found["status"] != Status.UNABLE for found in value["models"]):
            kept.put(question, json.dumps(value).encode())
            kept.trim()
    versions = value["transformers"], value["torch"]
    return [_architecture(found, model, *versions) for found, model in zip(value["models"], models, strict=True)]


def _ask_child(requests: list[dict[str, Any]]) -> Answer:
    from hubpub.model.child import Child

    return Child(
        "hubpub.model.children.architecture:compare",
        {"models": requests},
        seconds=SECONDS + len(requests),
        memory=MEMORY,
        env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    ).answer()


def _versions() -> list[str]:
    """What the answer depends on besides the question: who gives it, and with which libraries."""
    from importlib.metadata import PackageNotFoundError, version

    found = [code_of([Path(__file__).parent / "children" / "architecture.py"])]
    for package in ("transformers", "torch", "accelerate", "timm"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"no {package}")
    return found


def _unable(reason: str) -> Architecture:
    return Architecture(Status.UNABLE, reason=reason)


def _architecture(found: dict[str, Any], model: Stored, transformers: str, torch: str) -> Architecture:
    absent = [name for name in found.get("missing", ()) if name not in model.listed]
    return Architecture(
        status=Status(found["status"]),
        name=model.name,
        path=model.path,
        config=model.directory + "config.json",
        reason=found.get("reason"),
        transformers=transformers,
        torch=torch,
        expected=found.get("expected", 0),
        missing=tuple(absent),
        missing_count=found.get("missing_count", 0) - len(found.get("missing", ())) + len(absent),
        unexpected=tuple(found.get("unexpected", ())),
        unexpected_count=found.get("unexpected_count", 0),
        mismatched=tuple(
            Mismatch(name, tuple(stored), tuple(wanted)) for name, stored, wanted in found.get("mismatched", ())
        ),
        mismatched_count=found.get("mismatched_count", 0),
        conversions=tuple(found.get("conversions", {}).items()),
        layers=tuple(LayerGap(**gap) for gap in found.get("layers", ())),
        prefix=found.get("prefix"),
        fits=found.get("fits"),
        classes=tuple(found.get("classes", ())),
        known_class=found.get("known_class", False),
        output=tuple(found.get("output", ())),
    )


def newer_than(version: str, installed: str) -> bool:
    """Whether a version, as "5.30.0.dev0", is of a later minor release than the installed one."""
    return _minor(version) > _minor(installed)


def _minor(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()
