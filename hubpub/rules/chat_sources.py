"""CHAT: where chat templates are, and where one is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.model.chat import DEFAULT, LEGACY_FILE, TEMPLATE_DIRECTORY, ChatTemplate, Reader
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.model.tokenizer import TOKENIZER_CONFIG, takes_text
from hubpub.rules.chat_views import ends_of_answers, generates
from hubpub.rules.registry import model_rules

_DOCS = "https://huggingface.co/docs/transformers/chat_templating"
_SOURCE = "transformers/tokenization_utils_base.py and processing_utils.py"

# What ends a turn, and so is the end of an answer only in a model that was trained on conversations.
_END_OF_TURN = re.compile(
    r"<\|(?:im_end|eot_id|eom_id|end|eot|end_of_turn|END_OF_TURN_TOKEN|return)\|>|<end_of_turn>|<turn\|>"
)


@model_rules.rule(
    "CHAT011",
    "chat-template-missing",
    Severity.WARNING,
    summary="A chat model has no chat template.",
    why="apply_chat_template raises, chat pipelines and servers refuse the model, and users invent a format that it "
    "was not trained with.",
    bad="eos_token <|im_end|> in tokenizer_config.json, and no chat_template.jinja",
    good="chat_template.jinja beside tokenizer.json",
    hint="set tokenizer.chat_template to the template that the model was trained with, and save the tokenizer",
    source=_DOCS,
)
def template_missing(folder: ModelFolder) -> Iterator[Problem]:
    """Only where an answer ends with an end-of-turn token, by the tokenizer or generation_config.json.

    That a vocabulary has such tokens says nothing: those of many base models do.
    """
    if folder.kind is not ModelKind.TRANSFORMERS or folder.chat_templates or not folder.tokenizer.files:
        return
    if takes_text(folder.architectures, folder.model_type) is False:
        return
    if not generates(folder):
        return
    config = folder.tokenizer_config
    if config is not None and config.get("auto_map"):  # its code may build the prompts
        return
    ends = [end for end in ends_of_answers(folder, "") if _END_OF_TURN.fullmatch(end)]
    if ends:
        message = f"{TOKENIZER_CONFIG} has no chat template, though answers end with {min(ends)}, as in a chat model"
        yield Problem(message, TOKENIZER_CONFIG)


@model_rules.rule(
    "CHAT012",
    "chat-templates-differ",
    Severity.WARNING,
    summary="Two files of the folder have different chat templates for the same purpose.",
    why="transformers takes one of them without a word; other programs, and older versions, take the other, and the "
    "same conversation becomes two prompts.",
    bad="chat_template.jinja was changed, tokenizer_config.json still has the old chat_template",
    good="chat_template.jinja alone",
    hint="delete the one that is not meant",
    source=_SOURCE,
)
def templates_differ(folder: ModelFolder) -> Iterator[Problem]:
    """Line ends and blank lines at the end do not count; a processor may differ from a tokenizer on purpose."""
    templates = [template for template in folder.chat_templates if template.text is not None]
    for loser in templates:
        if loser.reader in (Reader.GGUF, Reader.PERSON):
            continue
        rivals = [t for t in templates if (t.directory, t.name) == (loser.directory, loser.name) and t is not loser]
        if not loser.used:
            winner = next((t for t in rivals if t.used and t.reader is loser.reader), None)
            if winner is not None and _differ(winner, loser):
                message = f"{winner.title} and {loser.title} differ; transformers takes {winner.path}"
                yield Problem(message, loser.path)
        elif loser.path.endswith(LEGACY_FILE):
            raw = next((t for t in rivals if t.used and t.is_file), None)
            if raw is not None and _differ(raw, loser):
                takes = f"the processor takes {loser.path}, the tokenizer {raw.path}"
                yield Problem(f"{raw.title} and {loser.title} differ; {takes}", loser.path)


def _differ(one: ChatTemplate, other: ChatTemplate) -> bool:
    return _normal(one.text or "") != _normal(other.text or "")


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()


@model_rules.rule(
    "CHAT016",
    "chat-template-no-default",
    Severity.WARNING,
    summary="There are chat templates with names, and none that is taken when nobody names one.",
    why="apply_chat_template raises: this model has multiple chat templates with no default specified. Files in "
    "additional_chat_templates/ also replace the chat_template of tokenizer_config.json altogether.",
    bad="additional_chat_templates/tool_use.jinja without chat_template.jinja",
    good="chat_template.jinja beside it",
    hint="save the template that is meant for every conversation as chat_template.jinja",
    source=_SOURCE,
)
def no_default(folder: ModelFolder) -> Iterator[Problem]:
    """Of each tokenizer."""
    for directory in sorted({template.directory for template in folder.chat_templates}):
        own = [t for t in folder.chat_templates if t.directory == directory and t.reader is Reader.TOKENIZER]
        used = [template for template in own if template.used]
        if used and not any(template.name == DEFAULT for template in used):
            lost = next((template for template in own if template.name == DEFAULT), None)
            also = f", and replaces that of {lost.path}" if lost is not None else ""
            yield Problem(
                f"{used[0].path} has a chat template {used[0].name!r} and none by default{also}", used[0].path
            )


@model_rules.rule(
    "CHAT017",
    "chat-template-files-conflict",
    Severity.ERROR,
    summary="chat_template.json is beside additional_chat_templates/, which no processor loads.",
    why="AutoProcessor.from_pretrained raises ValueError: cannot load chat template due to conflicting files.",
    bad="chat_template.json and additional_chat_templates/tool_use.jinja",
    good="chat_template.jinja and additional_chat_templates/tool_use.jinja",
    hint="save the template of chat_template.json as chat_template.jinja, and delete chat_template.json",
    source=_SOURCE,
)
def files_conflict(folder: ModelFolder) -> Iterator[Problem]:
    """In the same directory."""
    for template in folder.chat_templates:
        if not template.path.endswith(LEGACY_FILE):
            continue
        other = f"{template.directory}{TEMPLATE_DIRECTORY}/"
        if any(t.path.startswith(other) for t in folder.chat_templates):
            yield Problem(f"{template.path} cannot be loaded beside {other}", template.path)
