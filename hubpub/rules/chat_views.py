"""How the rules about chat templates look at what was rendered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubpub.model.chat import DEFAULT, ChatTemplate, Reader
from hubpub.model.children.template_chats import USER
from hubpub.model.folder import ModelFolder

if TYPE_CHECKING:
    from hubpub.model.chat_examination import Examination

_NOT_GENERATING = ("Classification", "ForMultipleChoice", "ForQuestionAnswering", "ForMaskedLM", "RewardModel")


@dataclass(frozen=True, slots=True)
class Plain:
    """The plain conversations, said as strings or, where a template takes only those, as lists of parts.

    Attributes:
        user: a message of the user.
        go: the same, with add_generation_prompt.
        ended: and an answer of the assistant.
        turns: and another message of the user.
    """

    user: str | None
    go: str | None
    ended: str | None
    turns: str | None


def plain(examination: Examination) -> Plain:
    """The plain conversations as the template wrote them."""
    as_strings, as_parts = (
        Plain(*(examination.text(prefix + name) for name in names))
        for prefix, names in (("", ("user", "user go", "ended", "turns")), ("parts", ("", " go", " ended", " turns")))
    )
    if USER not in (as_strings.user or "") and USER in (as_parts.user or ""):
        return as_parts
    return as_strings


def fails_plainly(examination: Examination) -> bool:
    """Whether nothing comes of a plain conversation, in either form."""
    return plain(examination).user is None


def works_with_tools(examination: Examination) -> bool:
    """Whether something comes of a conversation with tools."""
    return USER in (examination.text("tools") or "")


def primary(folder: ModelFolder) -> Iterator[tuple[ChatTemplate, Examination]]:
    """The templates that are taken when nobody names one, each text once; those of GGUF files too."""
    told = set()
    for template, examination in folder.chat_examinations.items():
        if template.text in told or not template.used or template.reader is Reader.PERSON:
            continue
        if not (template.text or "").strip():
            continue
        if template.name == DEFAULT and not examination.broken and not examination.exhausted:
            told.add(template.text)
            yield template, examination


def sound(folder: ModelFolder) -> Iterator[tuple[ChatTemplate, Examination]]:
    """Those of them that work on plain conversations, which is what can be said of their output."""
    for template, examination in primary(folder):
        if not fails_plainly(examination) and not examination.escapes and not examination.refused:
            yield template, examination


def generates(folder: ModelFolder) -> bool:
    """Whether the model is one that answers: a classifier of conversations needs no begin and end of answers."""
    return not any(name.endswith(_NOT_GENERATING) for name in folder.architectures)


def ends_of_answers(folder: ModelFolder, directory: str) -> set[str]:
    """The texts of the tokens that end an answer, by tokenizer_config.json and generation_config.json."""
    ends = set()
    eos = folder.chat_tokens_in(directory).declared.get("eos_token")
    if eos is not None:
        ends.add(eos)
    generation, tokenizer = folder.generation_config, folder.json(f"{directory}tokenizer_config.json")
    ids = generation.get("eos_token_id") if generation else None
    added = tokenizer.get("added_tokens_decoder") if tokenizer else None
    for number in ids if isinstance(ids, list) else [ids]:
        token = added.get(str(number)) if isinstance(added, dict) else None
        if isinstance(token, dict) and isinstance(token.get("content"), str) and token["content"]:
            ends.add(token["content"])
    return ends
