"""A card as a document: its front matter, its sections and its blocks, each with its place in the text.

Markdown is read by markdown-it-py (CommonMark and tables, as the Hub shows it), block level only: what a rule
wants of a paragraph is its text and its lines.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from hubpub.card.metadata.frontmatter import FrontMatter, Lines, read_front_matter
from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

BlockKind: TypeAlias = Literal["heading", "text", "code", "html", "table"]

# A longer card is read up to here. The longest of the Hub's most loaded models has 0.3 MB, and of 179 real ones none
# has more than 700 lines; a list of as many items as LARGEST_BODY could hold would take markdown-it-py half a minute.
LARGEST_BODY = 1 << 19
MOST_LINES = 8_000

_COMMENT = Pattern(r"<!--[\s\S]*?(?:-->|\Z)")
_HTML_HEADING = Pattern(r"<h([1-6])(?:\s[^<>]{0,500})?>([\s\S]{0,500}?)</h\1\s*>", re.IGNORECASE)
_HTML_TAG = Pattern(r"</?[A-Za-z][^<>]*>")
_INLINE_MARKUP = Pattern(r"!?\[([^\[\]]*)\]\([^()]*\)|[*`~]+|(?<!\w)_+|_+(?!\w)")


class Block(NamedTuple):
    """One block of Markdown.

    Attributes:
        kind: "heading", "text" (a paragraph, also in a list or quote), "code", "html" or "table".
        text: a heading's or paragraph's source without its marks, the code without its fences, the HTML as it stands.
        line: 1-based line in the card on which it begins.
        start: offset of that line in the card.
        end: offset behind its last line.
        level: 1 to 6 for headings, else 0.
        language: the info string of fenced code, first word in lower case.
    """

    kind: BlockKind
    text: str
    line: int
    start: int
    end: int
    level: int = 0
    language: str = ""


class Section(NamedTuple):
    """A heading and what stands under it, up to the next heading of any level.

    Attributes:
        heading: its text without Markdown or HTML marks.
        level: 1 to 6.
        line: 1-based line of the heading in the card.
        heading_start: offset of the heading.
        start: offset of the body.
        end: offset behind the body.
        body: the text in between.
        blocks: the body's blocks.
    """

    heading: str
    level: int
    line: int
    heading_start: int
    start: int
    end: int
    body: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, eq=False)
class Card:
    """A parsed card; build it with `Card.parse`. Two cards are equal when they are the same object.

    Attributes:
        text: the whole card.
        front_matter: its YAML block.
        blocks: all blocks behind the front matter.
        sections: its headings in order, those in code or comments not counted.
        lines: its lines by offset.
        read_to: the offset up to which its Markdown was read; less than its length only when it is far too long.
    """

    text: str
    front_matter: FrontMatter
    blocks: tuple[Block, ...]
    sections: tuple[Section, ...]
    lines: Lines
    read_to: int

    @classmethod
    def parse(cls, text: str) -> Card:
        """Read a card; never raises, whatever the text."""
        lines = Lines(text)
        front_matter = read_front_matter(text, lines)
        # a byte order mark is no part of the first line: "# Title" behind it is a heading
        start = front_matter.body_start or len(text) - len(text.removeprefix("\ufeff"))
        read_to = min(len(text), start + LARGEST_BODY, lines.start(lines.place(start)[0] + MOST_LINES))
        blocks = tuple(_blocks(text, start, read_to, lines))
        return cls(text, front_matter, blocks, tuple(_sections(text, blocks)), lines, read_to)

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it but blanks and a byte order mark."""
        return not self.text.strip("\ufeff \t\r\n")

    @property
    def title(self) -> str | None:
        """The text of the first heading of level 1."""
        return next((section.heading for section in self.sections if section.level == 1), None)

    def children(self, section: Section) -> tuple[Section, ...]:
        """The sections that are nested in `section`, at any depth."""
        first = bisect_right(self.sections, section.heading_start, key=lambda other: other.heading_start)
        following = islice(self.sections, first, None)
        return tuple(takewhile(lambda other: other.level > section.level, following))


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # a third of the start-up time of commands that read no card

    return MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])


def _blocks(text: str, body_start: int, read_to: int, lines: Lines) -> Iterator[Block]:
    body = text[body_start:read_to]
    first_line = lines.place(body_start)[0]
    tokens = _markdown().parse(body)
    for index, token in enumerate(tokens):
        if token.map is None:
            continue
        line = first_line + token.map[0]
        start, end = max(lines.start(line), body_start), lines.start(first_line + token.map[1])
        if token.type == "heading_open":
            level = int(token.tag[1]) if token.level == 0 else 0
            yield Block("heading" if level else "text", tokens[index + 1].content, line, start, end, level)
        elif token.type == "paragraph_open":
            yield Block("text", tokens[index + 1].content, line, start, end)
        elif token.type in ("fence", "code_block"):
            language = (token.info.split() or [""])[0].lower()
            yield Block("code", token.content, line, start, end, language=language)
        elif token.type == "table_open":
            yield Block("table", _table_text(tokens, index), line, start, end)
        elif token.type == "html_block":
            yield from _html(text, start, end, lines)


def _table_text(tokens: Sequence[Token], index: int) -> str:
    cells = []
    for position in range(index, len(tokens)):  # a slice would copy all that follows, for each table
        token = tokens[position]
        if token.type == "table_close":
            break
        if token.type == "inline":
            cells.append(token.content)
    return "\n".join(cells)


def _html(text: str, start: int, end: int, lines: Lines) -> Iterator[Block]:
    """An HTML block, divided at the headings that it holds outside comments."""
    source = text[start:end]
    visible = _COMMENT.sub(lambda match: " " * len(match[0]), source)
    at = 0
    for heading in _HTML_HEADING.finditer(visible):
        if source[at : heading.start()].strip():
            yield Block(
                "html", source[at : heading.start()], lines.place(start + at)[0], start + at, start + heading.start()
            )
        begin = start + heading.start()
        words = " ".join(_HTML_TAG.sub(" ", heading[2]).split())
        yield Block("heading", words, lines.place(begin)[0], begin, start + heading.end(), int(heading[1]))
        at = heading.end()
    if source[at:].strip():
        yield Block("html", source[at:], lines.place(start + at)[0], start + at, end)


def _sections(text: str, blocks: Sequence[Block]) -> Iterator[Section]:
    headings = [index for index, block in enumerate(blocks) if block.kind == "heading"]
    for index, following in zip(headings, [*headings, len(blocks)][1:], strict=True):
        heading = blocks[index]
        end = blocks[following].start if following < len(blocks) else len(text)
        yield Section(
            heading=_plain(heading.text),
            level=heading.level,
            line=heading.line,
            heading_start=heading.start,
            start=heading.end,
            end=end,
            body=text[heading.end : end],
            blocks=tuple(blocks[index + 1 : following]),
        )


def _plain(heading: str) -> str:
    words = _HTML_TAG.sub(" ", _COMMENT.sub(" ", heading))
    return " ".join(_INLINE_MARKUP.sub(lambda match: match[1] or "", words).split())
