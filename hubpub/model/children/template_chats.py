"""The conversations that a chat template is tried on.

What is said in them are words that no template has of its own, so that what a template adds can be told from what
it was given.
"""

from __future__ import annotations

from typing import Any

Chat = dict[str, Any]

SYSTEM = "uno-system-text"
USER, USER_2, USER_3 = "uno-question", "dos-question", "tres-question"
ASSISTANT, ASSISTANT_2 = "uno-answer", "dos-answer"
MARKUP = "uno<b>&tres"
RESULT = "uno-result"
TOOL = {
    "type": "function",
    "function": {
        "name": "uno_tool",
        "description": "uno-description",
        "parameters": {
            "type": "object",
            "properties": {"place": {"type": "string", "description": "uno-place"}},
            "required": ["place"],
        },
    },
}
# Mistral's templates want ids of nine letters or digits.
CALL = {"id": "a1b2c3d4e", "type": "function", "function": {"name": "uno_tool", "arguments": {"place": "uno-city"}}}
CALL_AS_TEXT = {**CALL, "function": {"name": "uno_tool", "arguments": '{"place": "uno-city"}'}}
DOCUMENT = {"title": "uno-title", "text": "uno-document", "contents": "uno-document", "doc_id": 1}


def said(role: str, content: Any, **more: Any) -> dict[str, Any]:
    """A message."""
    return {"role": role, "content": content, **more}


def text_part(text: str) -> list[dict[str, str]]:
    """Content as the list of parts that processors of multimodal models take."""
    return [{"type": "text", "text": text}]


def chat(*messages: dict[str, Any], **variables: Any) -> Chat:
    """What a template is rendered with; transformers always sets the first four."""
    return {
        "messages": list(messages),
        "tools": None,
        "documents": None,
        "add_generation_prompt": False,
        **variables,
    }


def ordinary_chats() -> dict[str, Chat]:
    """Conversations that any user might have, by name."""
    user, assistant, system = said("user", USER), said("assistant", ASSISTANT), said("system", SYSTEM)
    second, third = said("user", USER_2), said("user", USER_3)
    calling, result = said("assistant", "", tool_calls=[CALL]), said("tool", RESULT, name="uno_tool")
    result["tool_call_id"] = CALL["id"]
    parts = said("user", text_part(USER))
    parts_answer = said("assistant", text_part(ASSISTANT))
    image = said("user", [{"type": "image"}, *text_part(USER)])
    go = {"add_generation_prompt": True}
    return {
        "user": chat(user),
        "user go": chat(user, **go),
        "ended": chat(user, assistant),
        "turns": chat(user, assistant, second),
        "turns go": chat(user, assistant, second, **go),
        "system": chat(system, user),
        "system go": chat(system, user, **go),
        "system turns": chat(system, user, assistant, second, said("assistant", ASSISTANT_2), third, **go),
        "empty": chat(said("user", ""), **go),
        "empty answer": chat(user, said("assistant", ""), second, **go),
        "tools": chat(user, tools=[TOOL], **go),
        "system tools": chat(system, user, tools=[TOOL], **go),
        "tool call": chat(user, calling, tools=[TOOL]),
        "tool call text": chat(user, said("assistant", "", tool_calls=[CALL_AS_TEXT]), tools=[TOOL]),
        "tool result": chat(user, calling, result, tools=[TOOL], **go),
        "tool answer": chat(user, calling, result, assistant, second, tools=[TOOL], **go),
        "parts": chat(parts),
        "parts go": chat(parts, **go),
        "parts ended": chat(parts, parts_answer),
        "parts turns": chat(parts, parts_answer, said("user", text_part(USER_2))),
        "parts system": chat(said("system", text_part(SYSTEM)), parts, **go),
        "image": chat(image, **go),
        "documents": chat(user, documents=[DOCUMENT], **go),
        "thinking": chat(user, enable_thinking=True, thinking=True, **go),
        "no thinking": chat(user, enable_thinking=False, thinking=False, **go),
        "thought": chat(user, said("assistant", ASSISTANT, reasoning_content="uno-thought"), second, **go),
        "high effort": chat(user, reasoning_effort="high", **go),
        "low effort": chat(user, reasoning_effort="low", **go),
        "markup": chat(said("user", MARKUP), **go),
    }


def triggered_chats(text: str) -> list[Chat]:
    """Conversations that say `text` beside what the ordinary ones say, in every place."""
    go = {"add_generation_prompt": True}
    more = f"\n{text}"
    system, user = said("system", SYSTEM + more), said("user", USER + more)
    assistant, second = said("assistant", ASSISTANT + more), said("user", USER_2 + more)
    return [
        chat(user, **go),
        chat(system, user, **go),
        chat(system, user, assistant, second, **go),
        chat(said("user", text_part(USER + more)), **go),
    ]


def whole_chats(text: str) -> list[Chat]:
    """Conversations of which one message is nothing but `text`."""
    user, go = said("user", USER), {"add_generation_prompt": True}
    return [
        chat(said("user", text), **go),
        chat(user, said("assistant", text), said("user", text), **go),
    ]
