"""The code blocks of a card: in which language each is, said or recognised, and where its characters are in the card.

A block of Markdown has lost its indentation, its list's and its quote's marks; a place in it is found again through its
lines, each of which is the end of a line of the card.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import NamedTuple

from hubpub.card.code.python_code import parses_as_program
from hubpub.card.document import Block, Card
from hubpub.core.pattern import Pattern

_ALIASES = {
    "python": ("py", "python", "python2", "python3", "ipython", "ipython3", "pycon", "jupyter", "notebook"),
    "shell": ("bash", "cmd", "console", "powershell", "sh", "shell", "shell-session", "terminal", "zsh", "commandline"),
    "bibtex": ("bib", "biblatex", "bibtex"),
    "json": ("json", "json5", "jsonc", "jsonl"),
    "yaml": ("yaml", "yml"),
}
_LANGUAGES = {alias: language for language, aliases in _ALIASES.items() for alias in aliases}
# What the info string should be for each language that is recognised.
INFO_STRINGS = {"python": "python", "shell": "bash", "bibtex": "bibtex", "json": "json"}

_FENCE = Pattern(r"(?:[ \t>]|[-+*][ \t]|\d{1,9}[.)][ \t])*(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^\r\n]*)")
_WORD = Pattern(r"[\w+#-]+")
_BIBTEX = Pattern(
    r"\s*@(?:article|book|booklet|conference|dataset|inbook|incollection|inproceedings|manual|mastersthesis|misc|online"
    r"|phdthesis|proceedings|report|software|techreport|thesis|unpublished)[ \t]*[{(]",
    re.IGNORECASE,
)
_COMMAND = Pattern(
    r"(?:\$[ \t]+)?(?:[A-Z_]{2,40}=\S{0,200}[ \t]+){0,5}(?:sudo[ \t]+)?(?:"
    r"(?:pip3?|conda|uv|poetry|npm|apt(?:-get)?|brew|cargo|go|docker)[ \t]+(?:install|add|run|create|activate|pull"
    r"|build|get)\b"
    r"|uv[ \t]+pip\b|python3?[ \t]+(?:-[mcu][ \t]+\S|\S{1,200}\.py\b)|git[ \t]+(?:clone|lfs)\b"
    r"|cd[ \t]+[\w./~$-]+[ \t]*$"
    r"|export[ \t]+\w+=|(?:wget|curl)[ \t]+\S|(?:huggingface-cli|hf)[ \t]+[a-z]|ollama[ \t]+(?:run|pull)\b"
    r"|vllm[ \t]+serve\b"
    r"|\.{0,2}/?(?:[\w.-]+/){0,8}llama-(?:cli|server)\b|torchrun[ \t]+\S|accelerate[ \t]+launch\b"
    r"|(?:ba)?sh[ \t]+\S{1,200}\.sh\b|\./\S{1,200}\.sh\b|mkdir[ \t]+\S|source[ \t]+\S)"
)
_LARGEST_JSON = 1 << 16


class CodeBlock(NamedTuple):
    """One code block.

    Attributes:
        block: as the document has it.
        fenced: whether it stands between fences; else it is indented.
        info: the info string of its fence as it stands in the card.
        info_start: where in the card the info string stands, or would stand.
        declared: the language that the info string names, in one spelling for each; empty when it names none.
        language: the declared language, or the one that is recognised for sure; empty when neither.
        first_line: the line of the card, 1-based, with the first line of the code.
        shifts: for each line of the code, how many characters the line of the card has before it.
        starts: the offset in the card of each line of the code.
    """

    block: Block
    fenced: bool
    info: str
    info_start: int
    declared: str
    language: str
    first_line: int
    shifts: tuple[int, ...]
    starts: tuple[int, ...]

    @property
    def text(self) -> str:
        """The code, lines ended by a line feed."""
        return self.block.text

    def offset(self, line: int, column: int) -> int:
        """The offset in the card of a place in the code: 1-based line, 0-based column in characters."""
        index = min(max(line, 1), len(self.starts)) - 1
        return self.starts[index] + max(column, 0) if self.starts else self.block.start

    def offset_of(self, position: int) -> int:
        """The offset in the card of the character at `position` of the code."""
        line = self.text.count("\n", 0, position)
        return self.offset(line + 1, position - (self.text.rfind("\n", 0, position) + 1))


@lru_cache(maxsize=8)
def code_blocks(card: Card) -> tuple[CodeBlock, ...]:
    """The code blocks of a card, in order."""
    return tuple(_read(card, block) for block in card.blocks if block.kind == "code")


def _read(card: Card, block: Block) -> CodeBlock:
    first = block.start
    opening = card.text[first : card.lines.start(block.line + 1)].rstrip("\r\n")
    lines = block.text.split("\n")
    if lines[-1] == "":
        lines.pop()
    fence = _FENCE.fullmatch(opening)
    # an indented block may show the fences of another one
    fenced = fence is not None and not (lines and lines[0].strip() == opening[fence.start("marks") :].strip())
    info = fence["info"].strip() if fence and fenced else ""
    info_start = first + (fence.end("marks") if fence and fenced else 0)
    declared = declared_language(info)
    first_line = block.line + 1 if fenced else block.line
    starts, shifts = [], []
    for number, line in enumerate(lines, first_line):
        start = card.lines.start(number)
        written = card.text[start : card.lines.start(number + 1)].rstrip("\r\n")
        shift = max(len(written) - len(line), 0)
        starts.append(start + shift)
        shifts.append(shift)
    language = declared or ("" if info else recognised_language(block.text))
    return CodeBlock(block, fenced, info, info_start, declared, language, first_line, tuple(shifts), tuple(starts))


def declared_language(info: str) -> str:
    """The language that an info string names; its first word in lower case for those that are not known here."""
    word = _WORD.search(info.casefold().split(" ")[0].lstrip("{.")) if info else None
    return _LANGUAGES.get(word[0], word[0]) if word else ""


def recognised_language(text: str) -> str:
    """The language of code that names none; empty unless there is no doubt."""
    stripped = text.strip()
    if not stripped:
        return ""
    if _BIBTEX.match(stripped):
        return "bibtex"
    first = next((line.strip() for line in stripped.split("\n") if line.strip() and line.strip()[0] != "#"), "")
    if _COMMAND.match(first):
        return "shell"
    if stripped[0] in "{[" and len(stripped) <= _LARGEST_JSON and _is_json(stripped):
        return "json"
    return "python" if parses_as_program(text) else ""


def _is_json(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value[0] if isinstance(value, list) and value else value, dict)
