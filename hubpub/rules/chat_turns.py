"""CHAT: what chat templates make of a conversation."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import listed
from hubpub.model.chat import ChatTemplate, Reader
from hubpub.model.chat_tokens import PIPED, known_texts
from hubpub.model.children.template_chats import ASSISTANT, MARKUP, SYSTEM, USER, USER_2
from hubpub.model.folder import ModelFolder
from hubpub.rules.chat_views import Plain, ends_of_answers, generates, plain, sound
from hubpub.rules.registry import model_rules

if TYPE_CHECKING:
    from hubpub.model.chat_examination import Examination

_DOCS = "https://huggingface.co/docs/transformers/chat_templating_writing"

# `<|user|>` is plain text on purpose in Zephyr, Tulu, OLMo and their like: the model learnt it as such.
_ROLE_WORDS = re.compile(
    r"system|user|assistant|tool|tools|developer|human|gpt|bot|model|ai|function|functions|observation"
    r"|ipython|prompter|instruction|context|answer|question|query|response|input|output|prompt|chatbot"
    r"|agent|latent"
)
_STAND_IN = "<eos>"
_MARKER = re.compile(r"<[^<>\s]{1,60}>|\[/?[A-Z_]{2,30}\]")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_DAY = re.compile(rf"\b(?:\d{{1,2}} {_MONTH},? 20\d\d|{_MONTH} \d{{1,2}},? 20\d\d|20\d\d-\d\d-\d\d)\b")
_KNOWLEDGE = re.compile(r"updat|cut-?off|knowledge|train", re.IGNORECASE)
_RENDERED_YEAR = "2003"


@model_rules.rule(
    "CHAT006",
    "chat-template-unknown-token",
    Severity.ERROR,
    summary="A chat template writes something that looks like a special token, and the tokenizer does not have it.",
    why="The text is then cut into several ordinary tokens that the model has never seen as the begin or end of a "
    "turn; it answers badly, or does not stop.",
    bad="<|start_header_id|> with a tokenizer that has <|im_start|> and <|im_end|>",
    good="the special tokens of tokenizer.json",
    hint="use the template of the model that the tokenizer comes from, or add the token to the tokenizer",
    source=_DOCS,
)
def unknown_token(folder: ModelFolder) -> Iterator[Problem]:
    """Texts like `<|...|>`, where the tokenizer has others of that style; names of roles are often plain text."""
    paths = {entry.path for entry in folder.release_files}
    for template, examination in sound(folder):
        if template.reader is Reader.GGUF or _has_own_tokenizer(folder, template.directory):
            continue
        plainly = _markers(text or "" for text in _texts(plain(examination)))
        elsewhere = _markers(chat.text or "" for name, chat in examination.chats.items() if name != "image")
        found = known_texts(template.directory, paths, list(plainly | elsewhere), folder.start)
        unknown = (plainly | elsewhere) - found.known
        if not found.readable or not unknown:
            continue
        roles = {marker for marker in unknown if _ROLE_WORDS.fullmatch(marker[2:-2].lower())}
        grave = sorted(unknown - roles)
        if grave and found.piped:
            severity = None if plainly.intersection(grave) else Severity.WARNING
            grave.sort(key=lambda marker: marker not in plainly)
            message = f"{template.title} writes {listed(grave)}, which the tokenizer does not have as a token"
            yield Problem(message, template.path, severity=severity)
        else:
            names = listed(sorted(unknown))
            message = f"{template.title} writes {names} as plain text: the tokenizer has no such token"
            yield Problem(message, template.path, severity=Severity.INFO)


def _texts(of: Plain) -> list[str | None]:
    return [of.user, of.go, of.ended, of.turns]


def _markers(texts: Iterable[str]) -> set[str]:
    return {marker for text in texts for marker in PIPED.findall(text)}


def _has_own_tokenizer(folder: ModelFolder, directory: str) -> bool:
    """Whether the code of the model makes the tokenizer, with tokens that no file names."""
    config = folder.json(f"{directory}tokenizer_config.json")
    return config is not None and bool(config.get("auto_map"))


@model_rules.rule(
    "CHAT007",
    "chat-template-no-generation-prompt",
    Severity.WARNING,
    summary="A chat template ignores add_generation_prompt, and writes nothing that begins the assistant's turn.",
    why="The model goes on with the user's turn, or begins with the header of its own; pipelines and servers set "
    "add_generation_prompt and count on it.",
    bad="a template that ends with the loop over the messages",
    good="{% if add_generation_prompt %}<|im_start|>assistant\\n{% endif %} after the loop",
    hint="write what begins an answer at the end, if add_generation_prompt is set",
    source=_DOCS,
)
def no_generation_prompt(folder: ModelFolder) -> Iterator[Problem]:
    """Not where the answer follows right after the user's turn, as after [/INST]."""
    for template, examination in sound(folder) if generates(folder) else ():
        chats = plain(examination)
        if chats.user is None or chats.go != chats.user or chats.ended is None or ASSISTANT not in chats.ended:
            continue
        before = chats.ended[: chats.ended.index(ASSISTANT)]
        missing = " ".join(before[len(chats.user.rstrip()) :].split())
        if before.startswith(chats.user.rstrip()) and USER in chats.user and missing:
            message = f"{template.title} ignores add_generation_prompt: it never writes {missing[:80]!r} for an answer"
            yield Problem(message, template.path)


@model_rules.rule(
    "CHAT008",
    "chat-template-open-turn",
    Severity.ERROR,
    summary="A chat template does not end the assistant's turn.",
    why="A model that is trained or prompted with it never learns or sees where an answer ends, and generates until "
    "the limit of tokens.",
    bad="<|im_start|>assistant\\n{{ message.content }}\\n",
    good="<|im_start|>assistant\\n{{ message.content }}<|im_end|>\\n",
    hint="write the end-of-turn token (eos_token in many models) after what the assistant said",
    source=_DOCS,
)
def open_turn(folder: ModelFolder) -> Iterator[Problem]:
    """Where turns begin with markers; in plain text ("User: ...") a new line may be all there is.

    In GLM's templates the marker of the user's turn is what ends an answer, so that is fine where it is a token.
    """
    for template, examination in sound(folder) if generates(folder) else ():
        chats = plain(examination)
        ends = ends_of_answers(folder, template.directory) or {_STAND_IN}
        gap = _open_gap(chats, ends)
        begin = _MARKER.findall((chats.ended or "").partition(ASSISTANT)[0].partition(USER)[2])
        if gap is None or not begin:
            continue
        follows = _MARKER.search(gap)
        if follows and follows[0] not in begin and _may_be_token(folder, template, follows[0]):
            continue
        never = f" with {min(ends)}" if _STAND_IN not in ends else ""
        message = f"{template.title} begins turns with {begin[0]} and never ends the assistant's{never}"
        yield Problem(message, template.path)


def _may_be_token(folder: ModelFolder, template: ChatTemplate, text: str) -> bool:
    paths = {entry.path for entry in folder.release_files}
    found = known_texts(template.directory, paths, [text], folder.start)
    return text in found.known or not found.readable


def _open_gap(chats: Plain, ends: set[str]) -> str | None:
    """What is between an answer and the next turn when that is nothing but the begin of the turn; else None."""
    if chats.user is None or chats.ended is None or ASSISTANT not in chats.ended:
        return None
    before, _, tail = chats.ended.partition(ASSISTANT)
    gap = ""
    if chats.turns is not None and ASSISTANT in chats.turns and USER_2 in chats.turns:
        gap = chats.turns.partition(ASSISTANT)[2].partition(USER_2)[0]
    if any(end in tail or end in gap for end in ends):
        return None
    tail = tail.strip()
    # What also ends a conversation without an answer is the begin of one, written without being asked.
    if tail and (not chats.user.rstrip().endswith(tail) or tail in gap):
        return None
    first = before.partition(USER)[0]
    header = os.path.commonprefix([gap[::-1], first[::-1]])  # noqa: RUF071 -- of characters, not of paths
    return None if gap[: len(gap) - len(header)].strip() else gap


@model_rules.rule(
    "CHAT010",
    "chat-template-drops-content",
    Severity.ERROR,
    summary="A chat template leaves out what somebody said, without a word.",
    why="The model does not see the message. A template that cannot use a message says so with raise_exception.",
    bad="{% for message in messages if message.role == 'assistant' %}...",
    good="every message is written, or refused",
    hint="write the content of every role, or call raise_exception for those that the model does not take",
    source=_DOCS,
)
def drops_content(folder: ModelFolder) -> Iterator[Problem]:
    """What the user or the assistant says is an error, earlier turns and the system message are a warning."""
    for template, examination in sound(folder):
        chats = plain(examination)
        dropped = [
            (chats.user, USER, "the user's message", None),
            (chats.ended, ASSISTANT, "the assistant's message", None),
            (chats.turns, USER_2, "the user's last message", None),
            (chats.turns, USER, "earlier messages", Severity.WARNING),
        ]
        for text, said, what, severity in dropped:
            if text is not None and said.casefold() not in text.casefold():
                yield Problem(f"{template.title} leaves out {what}", template.path, severity=severity)
                break
        else:
            yield from _changed(template.title, template.path, examination)


def _changed(title: str, path: str, examination: Examination) -> Iterator[Problem]:
    system = [text for text in (examination.text("system"), examination.text("parts system")) if text is not None]
    if system and not any(SYSTEM.casefold() in text.casefold() for text in system):
        yield Problem(f"{title} leaves out the system message", path, severity=Severity.WARNING)
    markup = examination.text("markup") or ""
    if MARKUP not in markup and "&lt;" in markup:
        yield Problem(f"{title} writes < and & in messages as &lt; and &amp;", path, severity=Severity.WARNING)


@model_rules.rule(
    "CHAT013",
    "chat-template-fixed-date",
    Severity.INFO,
    summary="A chat template tells the model a date that never changes.",
    why="The model takes it for today. transformers offers strftime_now.",
    bad="Today Date: 26 Jul 2024",
    good="Today Date: {{ strftime_now('%d %b %Y') }}",
    hint="use strftime_now where it is defined",
    source=_DOCS,
)
def fixed_date(folder: ModelFolder) -> Iterator[Problem]:
    """Whole dates only, and not those up to which the model knows things."""
    for template, examination in sound(folder):
        text = plain(examination).go or ""
        for found in _DAY.finditer(text):
            about_knowledge = _KNOWLEDGE.search(text, text.rfind("\n", 0, found.start()) + 1, found.start())
            if _RENDERED_YEAR not in found[0] and not about_knowledge:
                yield Problem(f"{template.title} writes the fixed date {found[0]}", template.path)
                break


@model_rules.rule(
    "CHAT014",
    "chat-template-own-prompt",
    Severity.INFO,
    summary="A chat template adds sentences of its own to a conversation of one message.",
    why="Users who send one message get more than that; it should be what the model was trained with, and no leftover "
    "of another model.",
    bad="You are Qwen, created by Alibaba Cloud. in a model of somebody else",
    good="no prompt, or the model's own",
    hint="see whether this is what the model should be told",
    source=_DOCS,
)
def own_prompt(folder: ModelFolder) -> Iterator[Problem]:
    """Prose around what the user said."""
    for template, examination in sound(folder):
        before, _, after = (plain(examination).user or "").partition(USER)
        says = " ".join(_MARKER.sub(" ", f"{before} {after}").split())
        if len(re.findall(r"[^\W\d_]{2,}", says)) >= 4:
            shown = says if len(says) <= 100 else says[:97] + "..."
            yield Problem(f"{template.title} adds a prompt of its own: {shown!r}", template.path)


@model_rules.rule(
    "CHAT015",
    "chat-template-trailing-space",
    Severity.INFO,
    summary="What a chat template writes to begin an answer ends with a space.",
    why="In most tokenizers the space belongs to the word that follows; a model that has to begin after one answers "
    "worse.",
    bad="Assistant: with a space at the end",
    good="Assistant:",
    hint="leave the space to the answer, unless the model was trained like this",
    source=_DOCS,
)
def trailing_space(folder: ModelFolder) -> Iterator[Problem]:
    """What add_generation_prompt adds."""
    for template, examination in sound(folder):
        chats = plain(examination)
        if chats.go and chats.user and chats.go != chats.user and chats.go.endswith(" "):
            ends = chats.go[-20:]
            yield Problem(f"{template.title} begins an answer with {ends!r}, which ends with a space", template.path)
