"""CODE: what would run on the machine of whoever loads the model."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.wording import listed
from hubpub.model.folder import ModelFolder
from hubpub.model.pickles import Danger, PickleImport, may_be_pickle, scan
from hubpub.model.walk import FileEntry
from hubpub.rules.registry import model_rules

_PICKLE = "https://docs.python.org/3/library/pickle.html"


@model_rules.rule(
    "CODE001",
    "unsafe-pickle",
    Severity.ERROR,
    summary="A pickle imports something that runs commands, reads files or opens connections when it is loaded.",
    why="Loading a pickle runs it. The Hub flags such a file for every visitor, torch refuses it with weights_only, "
    "and whoever loads it otherwise gives the machine away.",
    bad="pytorch_model.bin that imports os.system",
    good="model.safetensors",
    hint="save the weights as safetensors, and find out where this file comes from before you load it again",
    source="https://huggingface.co/docs/hub/security-pickle",
)
def unsafe_pickle(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """Every file that is a pickle by name or by its first bytes; an import on nobody's list is a warning."""
    for entry in folder.files:
        if entry.size and may_be_pickle(entry.suffix, folder.start(entry.path)):
            yield from _scan(folder, entry)


def _scan(folder: ModelFolder, entry: FileEntry) -> Iterator[Problem | Skip]:
    try:
        with folder.open_file(entry.path) as file:
            found = scan(file, entry.suffix)
    except OSError as error:
        yield Skip(f"CODE001 on {entry.path}", f"it cannot be read: {error.strerror or error}")
        return
    dangerous = [imported for imported in found.imports if imported.danger is Danger.DANGEROUS]
    if dangerous:
        yield Problem(f"{entry.path} is a pickle that imports {_names(dangerous)} when it is loaded", path=entry.path)
    elif found.imports and folder.leftover(entry.path) is None:
        yield Problem(
            f"{entry.path} is a pickle that imports {_names(found.imports)}, which is not known to be harmless",
            path=entry.path,
            severity=Severity.WARNING,
        )
    if found.unseen is not None:
        yield Skip(f"CODE001 on {entry.path}", found.unseen)


def _names(imports: list[PickleImport] | tuple[PickleImport, ...]) -> str:
    return listed([str(imported) for imported in imports])


@model_rules.rule(
    "CODE002",
    "pickle-weights-only",
    Severity.WARNING,
    summary="The weights are there only as a pickle, not as safetensors.",
    why="Many users and servers refuse to load pickles, torch 2.6 and later loads them with restrictions, and the Hub "
    "shows neither parameters nor tensors of them.",
    bad="pytorch_model.bin alone",
    good="model.safetensors",
    hint="load the model once and save it again: save_pretrained writes safetensors",
    source=_PICKLE,
)
def pickle_weights_only(folder: ModelFolder) -> Iterator[Problem]:
    """Weights of torch, and of no other format."""
    if folder.weights.formats == ("pytorch",):
        paths = [entry.path for entry in folder.weights.files["pytorch"]]
        yield Problem(f"the weights are there only as a pickle: {listed(paths)}", path=paths[0])
