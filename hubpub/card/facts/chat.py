"""What a model's chat template can do, told from what it makes of some conversations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubpub.model.children.template_chats import DOCUMENT, RESULT, SYSTEM, TOOL, USER

if TYPE_CHECKING:
    from hubpub.model.chat import ChatTemplate
    from hubpub.model.chat_examination import Examination
    from hubpub.model.folder import ModelFolder


@dataclass(frozen=True, slots=True)
class ChatFacts:
    """The abilities of a chat template.

    Attributes:
        path: the file that holds it.
        names: of all templates of that file's reader, when there are several: "default", "tool_use", ...
        abilities: what for people, whether it can; empty when it could not be rendered.
    """

    path: str
    names: tuple[str, ...] = ()
    abilities: tuple[tuple[str, bool], ...] = ()


def has_chat_facts(folder: ModelFolder) -> bool:
    """Whether there is a chat template to tell of, which takes no time to say."""
    return bool(_used(folder))


def chat_facts(folder: ModelFolder) -> ChatFacts | None:
    """What the chat template that is used can do; None when there is none. It is rendered in a child process."""
    used = _used(folder)
    if not used:
        return None
    template = next((one for one in used if one.name == "default"), used[0])
    names = tuple(dict.fromkeys(one.name for one in used if one.reader is template.reader))
    examination = folder.chat_examinations.get(template)
    abilities = _abilities(examination) if examination and not _failed(examination) else ()
    return ChatFacts(template.path, names if len(names) > 1 else (), abilities)


def _used(folder: ModelFolder) -> list[ChatTemplate]:
    return [template for template in folder.chat_templates if template.used and template.text]


def _failed(examination: Examination) -> bool:
    broken = examination.unseen or examination.broken or examination.exhausted or examination.escapes
    return bool(broken) or (examination.text("user") is None and not _takes_parts_alone(examination))


def _takes_parts_alone(examination: Examination) -> bool:
    """Whether the template writes what is said only when it comes in parts, as processors of pictures pass it."""
    return USER not in (examination.text("user") or "") and USER in (examination.text("parts") or "")


def _abilities(examination: Examination) -> tuple[tuple[str, bool], ...]:
    text = examination.text
    function, document = TOOL["function"], str(DOCUMENT["text"])
    tool = str(function["name"]) if isinstance(function, dict) else ""
    in_parts, pictured = text("parts go"), text("image")
    alone = _takes_parts_alone(examination)
    unprompted, plain, system = ("parts", "parts go", "parts system") if alone else ("user", "user go", "system")
    tools = tool in (text("tools") or "")
    return (
        ("System message", SYSTEM in (text(system) or "")),
        ("Generation prompt", _differ(text(plain), text(unprompted))),
        ("Tools", tools),
        ("Results of tools", tools and RESULT in (text("tool result") or "")),
        ("Thinking switched on and off", _differ(text("thinking"), text("no thinking"))),
        ("Reasoning effort", _differ(text("high effort"), text("low effort"))),
        ("Documents", document in (text("documents") or "")),
        # a template that knows nothing of parts writes the list as Python does
        ("Images", in_parts == text(plain) and _differ(pictured, in_parts) and USER in (pictured or "")),
    )


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other
