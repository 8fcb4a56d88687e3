"""WEIGHT: ONNX files, by their outline, and the files that they keep their tensors in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.model.walk import EntryKind
from hubpub.model.weights import escapes
from hubpub.rules.registry import model_rules
from hubpub.rules.wording import malformed

if TYPE_CHECKING:
    from hubpub.model.onnx import External, OnnxFile

_IR = "https://github.com/onnx/onnx/blob/main/docs/IR.md"
_EXTERNAL = "https://github.com/onnx/onnx/blob/main/docs/ExternalData.md"
# Domains of ONNX itself, and of operators that ONNX Runtime has built in.
_BUILT_IN = frozenset(
    [
        "",
        "ai.onnx",
        "ai.onnx.ml",
        "ai.onnx.training",
        "ai.onnx.preview",
        "ai.onnx.preview.training",
        "com.microsoft",
        "com.microsoft.nchwc",
        "com.microsoft.experimental",
        "com.microsoft.dml",
        "com.ms.internal.nhwc",
        "org.pytorch.aten",
    ]
)


@model_rules.rule(
    "WEIGHT046",
    "onnx-malformed",
    Severity.ERROR,
    summary="A file that is called .onnx is no ONNX model, or is cut short.",
    why="Runtimes refuse it. A package on PyPI publishes a 134-byte text in place of its ONNX model.",
    bad="model.onnx that holds the HTML of an error page",
    good="a ModelProto with ir_version, opset_import and graph",
    hint="export or copy the file again, and compare its size",
    source=_IR,
)
def onnx_malformed(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """One finding per file: the first problem, and how many more there are."""
    for path, file in folder.onnx.items():
        yield from malformed(path, file.problems)
        if file.unseen is not None:
            yield Skip(f"WEIGHT046 on {path}", file.unseen)


@model_rules.rule(
    "WEIGHT047",
    "onnx-external-data",
    Severity.ERROR,
    summary="An ONNX file keeps tensors in a file that is not there, too short, or outside of the folder.",
    why="Above 2 GB the tensors of a model are in a second file, which is easily left behind or renamed; runtimes then "
    "fail to load the model, and refuse paths that lead out of its folder.",
    bad="model.onnx that says model.onnx_data, published without it",
    good="model.onnx and model.onnx_data beside each other, under the names that they were exported with",
    hint="export the model again and publish both files, without renaming either",
    source=_EXTERNAL,
)
def onnx_external_data(folder: ModelFolder) -> Iterator[Problem]:
    """One finding for each ONNX file and file of tensors."""
    for path, file in folder.onnx.items():
        by_location: dict[str, list[External]] = {}
        for external in file.external:
            by_location.setdefault(external.location, []).append(external)
        for location, tensors in by_location.items():
            message = _wrong(folder, path, location, tensors)
            if message is not None:
                yield Problem(f"{path} {message}", path=path, tensor=tensors[0].tensor.name[:1000] or None)


def _wrong(folder: ModelFolder, path: str, location: str, tensors: list[External]) -> str | None:
    number = counted(len(tensors), "tensor")
    if not location:
        return f"keeps {number} in other files without saying where"
    if escapes(location):
        return f"keeps {number} in {location[:200]!r}, outside of its folder"
    parts = [part for part in location.split("/") if part != "."]
    other = path[: path.rfind("/") + 1] + "/".join(parts)
    entry = folder.entry(other)
    if entry is None:
        return f"keeps {number} in {other[:200]}, which is not in the folder"
    if entry.kind is not EntryKind.FILE or other in folder.lfs_pointers:
        return None  # what is wrong with that file, the FILE rules tell
    if any(external.end is None for external in tensors):
        return f"has an offset or length in {other[:200]} that is no number"
    end = max(external.end or 0 for external in tensors)
    if end > entry.size:
        return f"needs {end:,} bytes of {other[:200]}, which has {entry.size:,}"
    odd = [
        external.tensor.name
        for external in tensors
        if external.length and external.tensor.size is not None and int(external.length) != external.tensor.size
    ]
    return f"gives {counted(len(odd), 'tensor')} another length than their shape needs: {listed(odd)}" if odd else None


@model_rules.rule(
    "WEIGHT048",
    "onnx-custom-operators",
    Severity.INFO,
    summary="An ONNX file uses operators that runtimes do not have built in.",
    why="It loads only where the library with those operators is registered, which nothing in the file says.",
    bad="an operator of the domain ai.onnx.contrib, and no word of onnxruntime-extensions in the card",
    good="only operators of ONNX and of the runtime; or the card says what to install",
    hint="say in the card which library has them",
    source="https://onnxruntime.ai/docs/reference/operators/add-custom-op.html",
)
def onnx_custom_operators(folder: ModelFolder) -> Iterator[Problem]:
    """The domains of each sound file that neither it nor ONNX Runtime defines."""
    for path, file in folder.onnx.items():
        domains = _custom(file) if not file.problems else []
        if domains:
            yield Problem(f"{path} uses operators of {listed(domains)}", path=path)


def _custom(file: OnnxFile) -> list[str]:
    return sorted(
        domain for domain in file.opsets.keys() - _BUILT_IN - file.functions if not domain.startswith(("pkg.", "local"))
    )
