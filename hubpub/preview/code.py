"""Code as HTML, line by line: coloured where Pygments is installed, marked on the lines that findings are about."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

_LONGEST = 50_000
# What cards are written in; lexers of other languages are not let loose on text that anybody may have written.
_LEXERS = {
    "bash": "bash",
    "bibtex": "bibtex",
    "c": "c",
    "c++": "cpp",
    "console": "console",
    "cpp": "cpp",
    "diff": "diff",
    "dockerfile": "docker",
    "html": "html",
    "ini": "ini",
    "java": "java",
    "javascript": "javascript",
    "js": "javascript",
    "json": "json",
    "julia": "julia",
    "py": "python",
    "python": "python",
    "python3": "python",
    "r": "r",
    "rust": "rust",
    "sh": "bash",
    "shell": "bash",
    "sql": "sql",
    "swift": "swift",
    "toml": "toml",
    "ts": "typescript",
    "typescript": "typescript",
    "xml": "xml",
    "yaml": "yaml",
    "yml": "yaml",
}
# The types of Pygments' tokens, https://pygments.org/docs/tokens/; the first that holds a token's type is its colour.
_KINDS = (
    ("Comment", "comment"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Keyword", "keyword"),
    ("Operator.Word", "keyword"),
    ("Name.Tag", "key"),
    ("Name.Function", "name"),
    ("Name.Class", "name"),
    ("Name.Decorator", "name"),
    ("Name.Builtin", "name"),
    ("Generic.Prompt", "comment"),
    ("Generic.Output", "comment"),
)


def code_html(code: str, language: str, marks: Mapping[int, str] | None = None, *, numbered: int | None = None) -> str:
    """A `pre` element with the code, every character of it escaped.

    Args:
        code: the text.
        language: what it is written in, as the info string of a fence; "" when nobody said.
        marks: severities by 0-based line.
        numbered: the number of the first line, to number all of them.
    """
    marks = marks or {}
    shown = []
    for number, line in enumerate(_lines(code.rstrip("\n"), language)):
        text = f'<span class="number">{numbered + number}</span>{line}' if numbered else line
        mark = marks.get(number)
        shown.append(f'<span class="line marked {mark}">{text}</span>\n' if mark else f"{text}\n")
    label = f' data-language="{html.escape(language)}"' if language else ""
    return f'<pre class="code" tabindex="0"{label}><code>{"".join(shown)}</code></pre>'


def _lines(code: str, language: str) -> Iterator[str]:
    line: list[str] = []
    for kind, text in _tokens(code, language):
        for index, part in enumerate(text.split("\n")):
            if index:
                yield "".join(line)
                line = []
            if part:
                escaped = html.escape(part)
                line.append(f'<span class="is-{kind}">{escaped}</span>' if kind else escaped)
    yield "".join(line)


def _tokens(code: str, language: str) -> Iterator[tuple[str, str]]:
    """The code in pieces, each with its kind; "" for those without."""
    lexer = _lexer(language) if len(code) <= _LONGEST else None
    tokens = list(lexer.get_tokens(code)) if lexer else []
    if "".join(text for _, text in tokens) != code:  # some lexers lose what they do not understand
        tokens = [("", code)]
    for token_type, text in tokens:
        name = str(token_type).removeprefix("Token.")
        yield next((kind for prefix, kind in _KINDS if name.startswith(prefix)), ""), text


def _lexer(language: str) -> Any:
    """Pygments' lexer; None without Pygments, and for languages that cards are rarely written in."""
    if language not in _LEXERS:
        return None
    try:
        from pygments.lexers import get_lexer_by_name
    except ImportError:  # it comes with other packages, and is only for the looks
        return None
    return get_lexer_by_name(_LEXERS[language], stripnl=False, ensurenl=False)
