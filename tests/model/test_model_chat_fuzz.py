"""Chat templates that nobody would write: whatever they hold, there is an answer, and nothing of them runs."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.models import CHAT_TEMPLATE

from hubpub.model.chat import ChatTemplate, Reader
from hubpub.model.chat_examination import examine
from hubpub.model.chat_tokens import ChatTokens

PIECES = [
    *["{{", "}}", "{%", "%}", "{#", "#}", "for", "in", "if", "else", "endif", "endfor", "macro", "endmacro", "m()"],
    *[
        "set x =",
        "namespace()",
        "ns.x",
        "**",
        "*",
        "9**9**9",
        "(",
        ")",
        "[",
        "]",
        "'",
        '"',
        "~",
        "-",
        "|join",
        "|tojson",
    ],
    *["|attr('__init__')", "|center(999999999)", "range(99999)", "raise_exception('x')", "generation", "endgeneration"],
    *["break", "continue", "recursive", "loop(messages)", "strftime_now('%')", "messages", "content", "\0", "\ud800"],
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = CHAT_TEMPLATE
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 8))
        text = text[:at] + draw(st.sampled_from(PIECES) | st.text(max_size=8)) + text[at + cut :]
    return text


@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(st.lists(mutated(), min_size=8, max_size=8, unique=True))
def test_every_template_gets_an_answer(tmp_path: Path, texts: list[str]) -> None:
    canary = tmp_path / "canary"
    attack = f"{{{{ lipsum.__globals__['os'].system('touch {canary}') }}}}"
    templates = [ChatTemplate(text + attack, f"{at}.jinja", "default", Reader.PERSON) for at, text in enumerate(texts)]
    found = examine(templates, lambda _: ChatTokens({}, {}))
    assert set(found) == set(templates)
    assert not canary.exists()
