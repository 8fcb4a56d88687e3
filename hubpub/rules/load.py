"""LOAD: what only loading and running the model shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import model_rules

if TYPE_CHECKING:
    from hubpub.model.load import Loading, Step

_WHAT = "loading and running the model"
_DOCS = "https://huggingface.co/docs/transformers/main_classes/model#transformers.PreTrainedModel.from_pretrained"
_LOADING = {"config": "config.json", "tokenizer": "the tokenizer", "sentence-transformers": "the model"}
_TOY, _REAL = 16, 100


def _failed(found: Loading | None, *names: str) -> Iterator[Step]:
    for step in found.steps if found else ():
        if step.name in names and step.error:
            yield step


@model_rules.rule(
    "LOAD001",
    "does-not-load",
    Severity.ERROR,
    summary="The model, its configuration or its tokenizer does not load.",
    why="What fails here fails for everybody who downloads the model.",
    bad="a folder that from_pretrained raises on",
    good="a folder that loads offline, without remote code",
    hint="load the folder in a fresh process with HF_HUB_OFFLINE=1 to see all that is said",
    source=_DOCS,
    depth=Depth.LOAD,
)
def does_not_load(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """What the architecture check has told is not told again; steps that could not be tried are skipped."""
    found = folder.loading
    if found is None:
        return
    if found.reason is not None:
        yield Skip(_WHAT, found.reason)
    for step in found.steps:
        if step.skip is not None:
            yield Skip(f"{_WHAT}: {step.name}", step.skip)
    for step in _failed(found, "config", "tokenizer", "model", "sentence-transformers"):
        what = _LOADING.get(step.name, found.name or "the model")
        yield Problem(f"{found.path}: {what} does not load: {step.error}", path=found.path)


@model_rules.rule(
    "LOAD002",
    "output-not-finite",
    Severity.ERROR,
    summary="The model computes NaN or infinity.",
    why="All that follows from such an output is NaN too: no label, no token, no embedding.",
    bad="logits of which one is NaN",
    good="finite logits",
    hint="look for weights that are NaN, infinite or far too large, and save the model from a step before that",
    source=_DOCS,
    depth=Depth.LOAD,
)
def output_not_finite(folder: ModelFolder) -> Iterator[Problem]:
    """Of one forward pass; float16 weights are computed with in single precision."""
    found = folder.loading
    if found is not None and found.not_finite is not None:
        yield Problem(f"{found.path}: {found.not_finite} of {found.name} is NaN or infinite", path=found.path)


@model_rules.rule(
    "LOAD003",
    "tokenizer-toy",
    Severity.ERROR,
    summary="AutoTokenizer makes a tokenizer of a few tokens, although files with a vocabulary are there.",
    why="It does not fail: transformers 5 takes what it finds no file for from defaults, and every word becomes [UNK]. "
    "Two published models do that.",
    bad="vocab.txt for an AlbertTokenizer, which reads spiece.model",
    good="tokenizer.json",
    hint="save the tokenizer again with save_pretrained, which writes tokenizer.json",
    source="https://huggingface.co/docs/transformers/main_classes/tokenizer",
    depth=Depth.LOAD,
)
def tokenizer_toy(folder: ModelFolder) -> Iterator[Problem]:
    """Fewer than 16 tokens where config.json has more than 100."""
    found = folder.loading
    if found is None or found.tokens is None or found.vocabulary is None:
        return
    if found.tokens < _TOY and found.vocabulary > _REAL:
        path = next(iter(folder.tokenizer.vocabularies), "tokenizer.json")
        message = f"{path} is not what AutoTokenizer reads: it makes {found.tokens} tokens, config.json says vocab_size"
        yield Problem(f"{message} {found.vocabulary:,}", path=path)


@model_rules.rule(
    "LOAD004",
    "generates-nothing",
    Severity.WARNING,
    summary="The model generates nothing but special tokens.",
    why="Whoever tries the model sees an empty answer. The prompts may not suit it, so it is no error.",
    bad="</s> after every prompt",
    good="text",
    hint="try the model with a prompt of its own; look at eos_token_id, the chat template and the weights",
    source="https://huggingface.co/docs/transformers/main_classes/text_generation",
    depth=Depth.LOAD,
)
def generates_nothing(folder: ModelFolder) -> Iterator[Problem]:
    """After none of three prompts."""
    found = folder.loading
    if found is not None and found.empty:
        message = f"{found.path}: {found.name} generates nothing but special tokens after three prompts"
        yield Problem(message, path=found.path)


@model_rules.rule(
    "LOAD005",
    "does-not-run",
    Severity.ERROR,
    summary="The model loads, and fails when it is used: a forward pass, a few generated tokens, or its pipeline.",
    why="Users meet it with the first thing that they try.",
    bad="a tokenizer that makes ids beyond the embedding",
    good="a model that answers",
    hint="use the model as the message says in a fresh process to see all that is said",
    source="https://huggingface.co/docs/transformers/main_classes/pipelines",
    depth=Depth.LOAD,
)
def does_not_run(folder: ModelFolder) -> Iterator[Problem]:
    """The first step that fails: those after it fail for the same reason."""
    found = folder.loading
    words = {"forward": "a forward pass", "generate": "generate()", "pipeline": "its pipeline", "encode": "encode()"}
    for step in _failed(found, *words):
        if found is not None:
            yield Problem(f"{found.path}: {words[step.name]} of {found.name} fails: {step.error}", path=found.path)
        return
