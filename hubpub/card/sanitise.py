"""Making text from a model folder harmless where it is put: in Markdown, in code, in Python, in one line of YAML."""

from __future__ import annotations

import json
import re
import unicodedata

from hubpub.core.pattern import Pattern

_LONGEST = 300
_BIDI = {
    "\u202a",
    "\u202b",
    "\u202c",
    "\u202d",
    "\u202e",
    "\u2066",
    "\u2067",
    "\u2068",
    "\u2069",
    "\u200e",
    "\u200f",
    "\ufeff",
}
_SPECIAL = Pattern(r"[\\`*\[\]|~$#!]|(?<!\w)_|_(?!\w)")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "{": "&#123;", "}": "&#125;"})
# A list or an underline, when it comes first in a line.
_LINE_START = Pattern(r"^(\d*)([.)]|[-+=])(?=\s|$)")


def one_line(text: str) -> str:
    """The text in one line of at most 300 characters, without control characters and bidirectional marks."""
    kept = "".join(
        " " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char
        for char in text[:4000]
        if char not in _BIDI
    )
    line = " ".join(kept.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def plain_lines(text: str) -> str:
    """A person's text as it is, without control characters and bidirectional marks; lines end as in Unix."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        char
        for char in lines
        if char in "\n\t" or not (char in _BIDI or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp"))
    )


def markdown_text(text: str) -> str:
    """Markdown that shows the text and nothing else: no markup, HTML, links, cells or template marks in it."""
    escaped = _SPECIAL.sub(lambda match: "\\" + match[0], one_line(text)).translate(_ENTITIES)
    return _LINE_START.sub(lambda match: f"{match[1]}\\{match[2]}", escaped)


def inline_code(text: str) -> str:
    """The text as inline code; as plain text when it holds what would end the code or a table cell."""
    line = one_line(text)
    return markdown_text(text) if not line or re.search(r"[`|{}<>]", line) else f"`{line}`"


def python_string(text: str) -> str:
    """A Python literal of the text, on one line."""
    return json.dumps(one_line(text), ensure_ascii=False)
