"""TOKEN: the tokenizer."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import listed
from hubpub.model.folder import ModelFolder
from hubpub.model.jsonfile import JsonFile
from hubpub.model.stored import transformer_directory
from hubpub.model.tokenizer import TOKENIZER_CONFIG, takes_only_text, takes_text
from hubpub.rules.conf import json_problem
from hubpub.rules.registry import model_rules

_DOCS = "https://huggingface.co/docs/transformers/main_classes/tokenizer"


@model_rules.rule(
    "TOKEN001",
    "tokenizer-missing",
    Severity.ERROR,
    summary="A model that takes or gives text has no tokenizer, or one without a vocabulary.",
    why="AutoTokenizer does not fail: transformers 5.23 makes a toy tokenizer of five tokens out of config.json and "
    "turns every word into [UNK]. Published models do just that.",
    bad="config.json (bert) and model.safetensors alone",
    good="tokenizer.json and tokenizer_config.json beside them",
    hint="save the tokenizer into the same folder: tokenizer.save_pretrained(FOLDER)",
    source=_DOCS,
)
def tokenizer_missing(folder: ModelFolder) -> Iterator[Problem]:
    """Only where a text model of transformers is known for sure; an adapter may use its base's tokenizer.

    A warning for a class that transformers does not know, of a model type that takes nothing but text.
    """
    directory = transformer_directory(folder)
    if directory is None or folder.tokenizer.usable or folder.tokenizer_in(directory).usable:
        return
    takes = takes_text(folder.architectures, folder.model_type)
    of_its_own = takes is None and takes_only_text(folder.model_type)
    if not takes and not of_its_own:
        return
    model = folder.architectures[0] if folder.architectures else folder.model_type
    severity = Severity.WARNING if of_its_own else None
    digest = folder.tokenizer.tokenizer_json
    if digest is not None and digest.vocabulary == 0:
        yield Problem("tokenizer.json has an empty vocabulary", path="tokenizer.json", severity=severity)
    elif folder.tokenizer.files:
        found = listed(folder.tokenizer.files)
        message = f"tokenizer.json is missing: there is only {found}, and no vocabulary for {model}"
        yield Problem(message, path="tokenizer.json", severity=severity)
    else:
        message = f"tokenizer.json is missing: {model} has no tokenizer files"
        yield Problem(message, path="tokenizer.json", severity=severity)


@model_rules.rule(
    "TOKEN002",
    "tokenizer-unreadable",
    Severity.ERROR,
    summary="A tokenizer file is not the JSON that it should be.",
    why="The tokenizer does not load, or loads without what that file says.",
    bad="tokenizer.json of which a copy stopped halfway",
    good="tokenizer.json as save_pretrained wrote it",
    hint="save the tokenizer again: tokenizer.save_pretrained(FOLDER)",
    source=_DOCS,
)
def tokenizer_unreadable(folder: ModelFolder) -> Iterator[Problem]:
    """Each JSON file of the tokenizer; what only loses something (a duplicate key) is a warning."""
    digest = folder.tokenizer.tokenizer_json
    if digest is not None:
        yield from json_problem(folder, "tokenizer.json", JsonFile(None, digest.problem))
    for name in (TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json", "vocab.json"):
        yield from json_problem(folder, name, folder.json(name))
