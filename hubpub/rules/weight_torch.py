"""WEIGHT: files of torch.save, by their tables and pickles, which are never loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import model_rules
from hubpub.rules.wording import malformed

if TYPE_CHECKING:
    from hubpub.model.pairs import Difference
    from hubpub.model.torchfile import TorchFile

_SERIALIZATION = "https://docs.pytorch.org/docs/stable/notes/serialization.html"
# Other libraries have files of these endings too, but not of these names.
_TORCH_ONLY = re.compile(r"(?:.*/)?(?:pytorch_model|adapter_model|diffusion_pytorch_model)\b[^/]*\.bin")


@model_rules.rule(
    "WEIGHT044",
    "torch-file-malformed",
    Severity.ERROR,
    summary="A file of torch weights is cut short, lacks the numbers of a tensor, or is something else.",
    why="torch.load raises, with a message that advises to switch its protection off, after all of it was downloaded.",
    bad="pytorch_model.bin of which a copy stopped halfway",
    good="a zip archive with the numbers of every tensor that its data.pkl names",
    hint="save or copy the file again, and compare its size; better, save it as safetensors",
    source=_SERIALIZATION,
)
def torch_file_malformed(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """One finding per file: the first problem, and how many more there are."""
    for path, file in folder.torch_files.items():
        if file.unseen is not None:
            yield Skip(f"WEIGHT044 on {path}", file.unseen)
        elif file.plain_dict and _TORCH_ONLY.fullmatch(path):
            yield Problem(f"{path} is a plain pickle, which torch.load takes for a corrupt file", path=path)
        elif _judged(path, file):
            yield from malformed(path, file.problems)


def _judged(path: str, file: TorchFile) -> bool:
    """Whether a file that is nothing of torch should have been: by its name, or when it is nothing at all."""
    if not file.foreign or _TORCH_ONLY.fullmatch(path):
        return True
    return any(what in problem.message for problem in file.problems for what in ("0 bytes", "zero bytes", "HTML"))


@model_rules.rule(
    "WEIGHT045",
    "torchscript-archive",
    Severity.INFO,
    summary="A file is a TorchScript archive: a program with its weights.",
    why="torch.jit.load runs the code that it carries, and only torch can read it; the Hub shows no tensors of it, and "
    "TorchScript is deprecated since torch 2.10.",
    bad="model.pt by torch.jit.save as the only weights",
    good="model.safetensors, and the code of the model in Python",
    hint="publish the weights as safetensors too, if the code of the model is public",
    source="https://docs.pytorch.org/docs/stable/jit.html",
)
def torchscript_archive(folder: ModelFolder) -> Iterator[Problem]:
    """Every zip archive of torch that holds code."""
    for path in folder.weight_files("torchscript"):
        yield Problem(f"{path} is a TorchScript archive: loading it runs the code in it", path=path)


@model_rules.rule(
    "WEIGHT055",
    "weight-formats-disagree",
    Severity.ERROR,
    summary="safetensors and torch files of the same model hold different tensors.",
    why="Which of them is loaded depends on the version and the settings of the library: some users get another model "
    "than others, or random layers.",
    bad="model.safetensors with 12 layers beside a pytorch_model.bin with 6",
    good="both written from the same model, or only model.safetensors",
    hint="delete the one that is out of date, or save the model again",
    source="https://huggingface.co/docs/transformers/main_classes/model",
)
def weight_formats_disagree(folder: ModelFolder) -> Iterator[Problem]:
    """Per directory: shapes that differ, layers that one side lacks; no common name at all is told."""
    if "pytorch" not in folder.weights.files or not folder.weights.headers:
        return
    from hubpub.model.pairs import differences

    for found in differences(folder.weights.headers, folder.weights.indexes, folder.torch_files):
        yield _difference(found)


def _difference(found: Difference) -> Problem:
    if found.strangers:
        message = f"{found.torch} and {found.safe} have no tensor name in common, and were not compared"
        return Problem(message, path=found.torch, severity=Severity.INFO)
    parts = []
    if found.shapes:
        shown = [f"{name} {list(safe)} and {list(torch)}" for name, safe, torch in found.shapes]
        parts.append(f"give {counted(len(shown), 'tensor')} different shapes: {listed(shown)}")
    if found.only_safe:
        parts.append(
            f"differ by {counted(len(found.only_safe), 'layer')} that only the former has: {listed(found.only_safe)}"
        )
    if found.only_torch:
        parts.append(
            f"differ by {counted(len(found.only_torch), 'layer')} that only the latter has: {listed(found.only_torch)}"
        )
    return Problem(f"{found.safe} and {found.torch} {' and '.join(parts)}", path=found.torch)
