"""Python as cards have it: with prompts, magics, ellipses, indented as a whole, cut off. It is parsed, never run.

Every reading keeps the lines and columns of the code, so that a place in the tree is a place in the card.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from hubpub.core.pattern import Pattern

LARGEST = 1 << 16
"""A longer block is not parsed."""

_MOST_NODES = 20_000

_PROMPT = Pattern(r"[ \t]*(?:>>>[ ]?|\.\.\.(?:[ ]|$))")
_FIRST_PROMPT = Pattern(r"[ \t]*>>>")
# What a notebook runs and Python does not: !pip, %pip, %%time, pip install (automagic), model?
_MAGIC = Pattern(
    r"[ \t]*(?:[!%]|\$[ ]|(?:[\w, ]+=[ \t]*)[!%]\w|(?:pip3?|conda|uv|apt(?:-get)?|git|npm|wget)[ \t]+[a-z]"
    r"|cd[ \t]+[\w./~]|[\w.]+\?{1,2}[ \t]*$)"
)
_CELL_MAGIC = Pattern(r"\s*%%(?!time|timeit|capture|prun)")
_ELLIPSIS = Pattern(r"(?<![.\w])\.\.\.(?!\.)")
_FILLED_IN = Pattern(r"<[A-Za-z][\w /:.,'-]{0,60}>")
# Newer than the oldest Python that hubpub runs on: it must not be called wrong there.
_NEWER = Pattern(
    r"[ \t]*(?:type[ \t]+\w+|(?:async[ \t]+)?def[ \t]+\w+\[|class[ \t]+\w+\[|except[ \t]+\w+[ \t]*,|.*\bt[\"'])"
)
_LOOKS_LIKE_CODE = Pattern(r"^[ \t]*(?:>>> )?(?:import|from|def|class|with|for|\w[\w., ]{0,80}=.*\()", re.MULTILINE)
_PROGRAM = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.With, ast.For)


class Broken(NamedTuple):
    """Why code is not Python.

    Attributes:
        message: in the parser's words.
        line: 1-based, in the code.
        column: 0-based, in characters.
    """

    message: str
    line: int
    column: int


class _Tree(NamedTuple):
    tree: ast.Module
    nodes: tuple[ast.AST, ...]


class Parsed(NamedTuple):
    """What became of a block of Python.

    Attributes:
        source: the text that was parsed, line by line that of the block.
        tree: its tree; None when it cannot be parsed, or was not.
        nodes: the nodes of the tree, outer ones first.
        broken: why it is not Python; None when it is, or nobody can be sure.
        removed: how many characters each line of `source` lacks at its beginning; empty when none does.
    """

    source: str = ""
    tree: ast.Module | None = None
    nodes: tuple[ast.AST, ...] = ()
    broken: Broken | None = None
    removed: tuple[int, ...] = ()

    def place(self, line: int, byte_column: int) -> tuple[int, int]:
        """The line and the column in characters, in the block, of a place that the tree gives in bytes."""
        lines = self.source.split("\n")
        written = lines[line - 1] if line <= len(lines) else ""
        column = byte_column
        if not written.isascii():
            column = len(written.encode("utf-8", "replace")[:byte_column].decode("utf-8", "ignore"))
        return line, column + (self.removed[line - 1] if line <= len(self.removed) else 0)


@lru_cache(maxsize=16)
def parse_python(text: str) -> Parsed:
    """Parse the code of a block, as it stands or as notebooks and documentation would have it read; never raises."""
    if len(text) > LARGEST or _CELL_MAGIC.match(text):
        return Parsed()
    tree, error = _parse(text)
    if tree is not None:
        return Parsed(text, tree.tree, tree.nodes)
    if error is None:
        return Parsed()
    lines = text.split("\n")
    if _FIRST_PROMPT.match(next((line for line in lines if line.strip()), "")):
        return _parse_session(lines)
    if any(_FIRST_PROMPT.match(line) for line in lines):
        # code without prompts, and behind them what it prints
        lines = ["" if _FIRST_PROMPT.match(line) else line for line in lines]
        text = "\n".join(lines)
        tree, error = _parse(text)
        if tree is not None:
            return Parsed(text, tree.tree, tree.nodes)
        if error is None:
            return Parsed()
    for read, removed in _readings(lines):
        source = "\n".join(read)
        tree, _ = _parse(source)
        if tree is not None:
            return Parsed(source, tree.tree, tree.nodes, removed=removed)
    return Parsed(broken=_broken(lines, error))


def _parse_session(lines: list[str]) -> Parsed:
    """A session at the prompt: what was typed counts, what was printed does not."""
    prompts = [_PROMPT.match(line) for line in lines]
    typed = [
        _without_magic(line[prompt.end() :]) if prompt else "" for line, prompt in zip(lines, prompts, strict=True)
    ]
    removed = tuple(prompt.end() if prompt else 0 for prompt in prompts)
    source = "\n".join(typed)
    tree, error = _parse(source)
    if tree is not None:
        return Parsed(source, tree.tree, tree.nodes, removed=removed)
    if error is None:
        return Parsed()
    broken = _broken(typed, error)
    if broken is not None:
        broken = Broken(broken.message, broken.line, broken.column + removed[broken.line - 1])
    return Parsed(broken=broken)


def parses_as_program(text: str) -> bool:
    """Whether a text is Python beyond doubt: it parses, and imports, defines or calls."""
    if len(text) > LARGEST or not _LOOKS_LIKE_CODE.search(text):
        return False
    tree = parse_python(text).tree
    return tree is not None and any(
        isinstance(node, _PROGRAM) or (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call))
        for node in tree.body
    )


def _parse(source: str) -> tuple[_Tree | None, SyntaxError | None]:
    """The tree, or the error; neither when the code is too deep or too large to look at."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes, which are the card's own affair
            tree = ast.parse(source)
    except SyntaxError as error:
        return None, error
    except (ValueError, RecursionError, MemoryError):
        return None, None
    nodes = tuple(islice(ast.walk(tree), _MOST_NODES + 1))
    return (None, None) if len(nodes) > _MOST_NODES else (_Tree(tree, nodes), None)


def _readings(lines: list[str]) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """Other ways to read the code, the likeliest first: the lines, and by how much each is shortened."""
    tolerant = [_without_magic(line) for line in lines]
    indents = [len(line) - len(line.lstrip(" \t")) for line in tolerant if line.strip()]
    common = min(indents, default=0)
    removed = (common,) * len(lines) if common else ()
    tolerant = [line[common:] for line in tolerant]
    yield tolerant, removed
    # the head of a function or loop, whose body is left out
    yield [*tolerant, "                pass"], removed
    yield [_ELLIPSIS.sub("**_", line) for line in tolerant], removed


def _without_magic(line: str) -> str:
    """The line with nothing that only a notebook or a reader understands; as long as before, but for magics."""
    if _MAGIC.match(line):
        return line[: len(line) - len(line.lstrip(" \t"))] + "pass"
    return _FILLED_IN.sub(lambda found: '"' + found[0][1:-1].replace('"', "'") + '"', line.replace("…", "_"))


def _broken(lines: list[str], error: SyntaxError) -> Broken | None:
    """Where the parser gave up; None when it may be wrong: of newer Python than it knows, or too deep for it."""
    line = min(max(error.lineno or 1, 1), len(lines))
    column = min(max((error.offset or 1) - 1, 0), len(lines[line - 1]))
    message = " ".join((error.msg or "invalid syntax").split())[:120]
    if message.startswith(("f-string", "t-string", "too many")) or _NEWER.match(lines[line - 1]):
        return None
    return Broken(message, line, column)
