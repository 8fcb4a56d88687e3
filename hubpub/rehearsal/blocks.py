"""Which code blocks of a card can be run, and which of them hubpub would have written itself."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from hubpub.card.code.code_blocks import CodeBlock, code_blocks
from hubpub.card.code.python_code import Broken, parse_python
from hubpub.card.document import Card
from hubpub.card.placeholders import card_placeholders

_SECTION_LEVEL = 2
_REMOTE_CODE = "trust_remote_code"


@dataclass(frozen=True, slots=True)
class CardBlock:
    """A block, and what is known of it before anything runs.

    Attributes:
        code: as it stands in the card.
        section: which of the card's large sections it is in; blocks of one build on each other.
        heading: the nearest heading above it.
        by_hubpub: whether it is byte for byte one that hubpub would write, for this repo or another name.
        other_name: by which hubpub would write it, where that is not the repo.
        source: the Python to run, line by line that of the block; None when there is none.
        obstacle: why it cannot be run.
        broken: where it is no Python.
        binds: names that it makes.
    """

    code: CodeBlock
    section: int
    heading: str
    by_hubpub: bool
    source: str | None
    obstacle: str
    broken: Broken | None
    binds: tuple[str, ...]
    other_name: str | None = None

    @property
    def trusts_remote_code(self) -> bool:
        """Whether it lets code of a repo run."""
        return _REMOTE_CODE in self.code.text


def card_blocks(card: Card, own: Mapping[str, str | None]) -> tuple[CardBlock, ...]:
    """The code blocks of a card, in order.

    Args:
        card: as it was published.
        own: the texts of those that hubpub would write, each with the name of the model where it is not the repo's.
    """
    placeholders = [found for found in card_placeholders(card) if found.kind == "identifier"]
    blocks = []
    for code in code_blocks(card):
        start, end = code.block.start, code.block.end
        filler = next((found.text for found in placeholders if start <= found.start < end), None)
        source, obstacle, broken = _runnable(code)
        if source is not None and filler:
            source, obstacle = None, f"names a placeholder: {filler}"
        section, heading = _place(card, start)
        by_hubpub, name = code.text in own, own.get(code.text)
        blocks.append(CardBlock(code, section, heading, by_hubpub, source, obstacle, broken, _binds(code), name))
    return tuple(blocks)


def _place(card: Card, offset: int) -> tuple[int, str]:
    """The offset of the section of level 1 or 2 that a place is in, and the nearest heading above it."""
    section, heading = 0, ""
    for each in card.sections:
        if each.heading_start > offset:
            break
        heading = each.heading
        if each.level <= _SECTION_LEVEL:
            section = each.heading_start
    return section, heading


def _runnable(code: CodeBlock) -> tuple[str | None, str, Broken | None]:
    """The Python of a block; or why there is none, and where it is broken."""
    if code.language != "python":
        return (
            None,
            f"is not Python ({code.language})" if code.language else "names no language, and is no Python",
            None,
        )
    parsed = parse_python(code.text)
    if parsed.broken:
        return None, "", parsed.broken
    if parsed.tree is None:
        return None, "is more, or other, than Python that can be read (a cell magic, or far too long)", None
    if parsed.removed and any(parsed.removed) and ">>>" in code.text:
        return parsed.source, "", None  # what was typed at the prompt
    written = [line.strip() for line in code.text.split("\n")]
    read = [line.strip() for line in parsed.source.split("\n")]
    # a notebook's magic reads as `pass`; any other change shows that the reader has to fill something in
    if len(read) != len(written) or any(was != now != "pass" for was, now in zip(written, read, strict=True)):
        return None, "is a sketch: Python cannot read it as it stands", None
    return parsed.source, "", None


def _binds(code: CodeBlock) -> tuple[str, ...]:
    names = set()
    for node in parse_python(code.text).nodes if code.language == "python" else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return tuple(sorted(names))
