"""What becomes of the chat templates of a folder: they are compiled, read and rendered in a child process."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubpub.core.code_state import code_of, package_code
from hubpub.model.chat import MOST_TEMPLATES, ChatTemplate
from hubpub.model.chat_tokens import ChatTokens
from hubpub.model.kept import Kept, cache_directory

if TYPE_CHECKING:
    from hubpub.model.child import Answer

_FUNCTION = "hubpub.model.children.template:examine"
_WALL = 20.0
_MEMORY = 400 << 20


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a template says, and its 1-based line where there is one."""

    what: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class HiddenText:
    """Text that is written only when a message holds one of the literals, or (without any) by date or chance."""

    text: str
    literals: tuple[str, ...]
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a conversation.

    Attributes:
        text: what the template wrote; None when it did not come to that.
        refused: what the template says why it does not take the conversation.
        failed: the error that it ended with.
        line: of the template in which it failed.
    """

    text: str | None = None
    refused: str | None = None
    failed: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """What is known of a chat template.

    Attributes:
        unseen: why it could not be examined; None when it was.
        broken: why it does not compile.
        exhausted: what it takes too much of.
        escapes: attempts to get at the internals of Python.
        refused: attributes that the sandbox refused while it was rendered.
        unknown: filters, tests, functions and statements that transformers does not offer.
        loops: nested loops over ranges of a million and more turns.
        hidden: text that only certain messages or a later day bring out.
        unset: variables that only the caller of apply_chat_template can set; known when it failed without.
        chats: what became of the conversations of children/template_chats.py, by name.
    """

    unseen: str | None = None
    broken: Note | None = None
    exhausted: Note | None = None
    escapes: tuple[Note, ...] = ()
    refused: tuple[str, ...] = ()
    unknown: tuple[Note, ...] = ()
    loops: tuple[Note, ...] = ()
    hidden: tuple[HiddenText, ...] = ()
    unset: tuple[str, ...] = ()
    chats: Mapping[str, Rendered] = field(default_factory=dict)

    def text(self, chat: str) -> str | None:
        """What the template wrote for a conversation."""
        return self.chats[chat].text if chat in self.chats else None


_TOO_LATE = Examination(unseen="the other chat templates took all the time")


def examine(
    templates: Iterable[ChatTemplate], tokens_in: Callable[[str], ChatTokens]
) -> dict[ChatTemplate, Examination]:
    """Examine all templates that have a text; without one no process is started.

    Args:
        templates: of the folder; the same text beside the same tokenizer is examined once.
        tokens_in: the special tokens of the tokenizer in a directory.
    """
    requests: dict[tuple[str, str], list[ChatTemplate]] = {}
    for template in templates:
        if template.text is not None:
            requests.setdefault((template.text, template.directory), []).append(template)
    asked = list(requests)[:MOST_TEMPLATES]
    found: dict[ChatTemplate, Examination] = {}
    for key, examination in zip(asked, _ask_for([_request(*key, tokens_in) for key in asked]), strict=True):
        found |= dict.fromkeys(requests[key], examination)
    for key in list(requests)[MOST_TEMPLATES:]:
        unseen = f"there are more than {MOST_TEMPLATES} chat templates"
        found |= dict.fromkeys(requests[key], Examination(unseen=unseen))
    return found


def _request(text: str, directory: str, tokens_in: Callable[[str], ChatTokens]) -> dict[str, Any]:
    return {"text": text, "tokens": tokens_in(directory).variables}


def _ask_for(requests: list[dict[str, Any]]) -> list[Examination]:
    """One child for all; when a template brings it down, one for each, so that it is known which."""
    if not requests:
        return []
    answer = _rendering(requests)
    if answer.failure is None:
        return [_digest(found) for found in answer.value]
    if len(requests) > 1:
        deadline = time.monotonic() + _WALL
        return [_alone(request) if time.monotonic() < deadline else _TOO_LATE for request in requests]
    return [_alone(requests[0], answer)]


def _alone(request: dict[str, Any], answer: Answer | None = None) -> Examination:
    """What is known of one template, of which the answer may be known."""
    answer = answer or _rendering([request])
    if answer.failure is None:
        return _digest(answer.value[0])
    looked = _ask([request], render=False)
    seen = _digest(looked.value[0]) if looked.failure is None else Examination()
    if seen.exhausted or seen.broken:
        return seen
    processor = answer.timed_out and "processor" in answer.failure
    killed = "code -" in answer.failure or "memory" in answer.failure  # else it is the child that does not work here
    if not processor and not killed:
        return replace(seen, unseen=f"the process that renders it {answer.failure}")
    what = "takes too much processor time" if answer.timed_out else f"ends the process: it {answer.failure}"
    return replace(seen, exhausted=Note(what))


def _rendering(requests: list[dict[str, Any]]) -> Answer:
    """What became of the templates, asked again only where another time or machine may tell more."""
    from hubpub.model.child import Answer

    kept = Kept(cache_directory() / "chat-templates")
    question = json.dumps([_versions(), requests], sort_keys=True)
    known = kept.get(question)
    if known is not None:
        return Answer(json.loads(known))
    answer = _ask(requests, render=True)
    if answer.failure is None and not any(found.get("exhausted") or found.get("unseen") for found in answer.value):
        kept.put(question, json.dumps(answer.value).encode())
        kept.trim()
    return answer


def _versions() -> list[str]:
    """What the answer depends on besides the question: who gives it, and with which jinja2."""
    children = (Path(__file__).parent / "children").glob("template*.py")
    return [code_of(sorted(children)), package_code("jinja2"), sys.version]


def _ask(requests: list[dict[str, Any]], *, render: bool) -> Answer:
    from hubpub.model.child import ask

    return ask(_FUNCTION, {"templates": requests, "render": render}, seconds=_WALL, memory=_MEMORY)


def _digest(found: dict[str, Any]) -> Examination:
    if found.get("unseen"):
        return _TOO_LATE
    audit = found.get("audit") or {}
    hidden = [HiddenText(t["text"], tuple(t["literals"]), t["line"]) for t in audit.get("triggers", ())]
    for trigger in found.get("triggered") or ():
        literals = (trigger["literal"],) if trigger["literal"] is not None else ()
        hidden.append(HiddenText(trigger["text"], literals))
    return Examination(
        broken=_note(found.get("broken")),
        exhausted=_note(found.get("exhausted")),
        escapes=_notes(audit.get("escapes", ())),
        refused=tuple(found.get("refused", ())),
        unknown=_notes(audit.get("unknown", ())),
        loops=tuple(Note(f"{loop['turns']:,} turns", loop["line"]) for loop in audit.get("loops", ())),
        hidden=tuple(hidden),
        unset=tuple(found.get("unset", ())),
        chats={name: _rendered(outcome) for name, outcome in found.get("chats", {}).items()},
    )


def _note(found: dict[str, Any] | None) -> Note | None:
    return Note(found["message"], found["line"]) if found else None


def _notes(found: Iterable[dict[str, Any]]) -> tuple[Note, ...]:
    return tuple(Note(item["what"], item["line"]) for item in found)


def _rendered(outcome: dict[str, Any]) -> Rendered:
    return Rendered(outcome.get("text"), outcome.get("refused"), outcome.get("failed"), outcome.get("line"))
