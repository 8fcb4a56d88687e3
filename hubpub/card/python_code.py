"""Python as cards have it: with prompts, magics, ellipses, indented as a whole, cut off. It is parsed, never run.

Every reading keeps the lines and columns of the code, so that a place in the tree is a place in the card.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

LARGEST = 1 << 16
"""A longer block is not parsed."""

_MOST_NODES = 20_000

_PROMPT = re.compile(r"[ \t]*(?:>>>|\.\.\.)(?:[ ]|$)")
_FIRST_PROMPT = re.compile(r"[ \t]*>>>(?:[ ]|$)")
# What a notebook runs and Python does not: !pip, %pip, %%time, pip install (automagic), model?
_MAGIC = re.compile(
    r"[ \t]*(?:[!%]|\$[ ]|(?:[\w, ]+=[ \t]*)[!%]\w|(?:pip3?|conda|uv|apt(?:-get)?|git|npm|wget)[ \t]+[a-z]"
    r"|cd[ \t]+[\w./~]|[\w.]+\?{1,2}[ \t]*$)"
)
_CELL_MAGIC = re.compile(r"\s*%%(?!time|timeit|capture|prun)")
_ELLIPSIS = re.compile(r"(?<![.\w])\.\.\.(?!\.)")
_FILLED_IN = re.compile(r"<[A-Za-z][\w /:.,'-]{0,60}>")
# Newer than the oldest Python that hubpub runs on: it must not be called wrong there.
_NEWER = re.compile(
    r"[ \t]*(?:type[ \t]+\w+|(?:async[ \t]+)?def[ \t]+\w+\[|class[ \t]+\w+\[|except[ \t]+\w+[ \t]*,|.*\bt[\"'])"
)
_LOOKS_LIKE_CODE = re.compile(r"^[ \t]*(?:>>> )?(?:import|from|def|class|with|for|\w[\w., ]{0,80}=.*\()", re.MULTILINE)
_PROGRAM = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.With, ast.For)


@dataclass(frozen=True, slots=True)
class Broken:
    """Why code is not Python.

    Attributes:
        message: in the parser's words.
        line: 1-based, in the code.
        column: 0-based, in characters.
    """

    message: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of a block of Python.

    Attributes:
        source: the text that was parsed, line by line that of the block.
        tree: its tree; None when it cannot be parsed, or was not.
        broken: why it is not Python; None when it is, or nobody can be sure.
        removed: how many characters each line of `source` lacks at its beginning; empty when none does.
    """

    source: str = ""
    tree: ast.Module | None = None
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


def parse_python(text: str) -> Parsed:
    """Parse the code of a block, as it stands or as notebooks and documentation would have it read; never raises."""
    if len(text) > LARGEST or _CELL_MAGIC.match(text):
        return Parsed()
    tree, error = _parse(text)
    if tree is not None:
        return Parsed(text, tree)
    if error is None:
        return Parsed()
    for lines, removed in _readings(text.split("\n")):
        source = "\n".join(lines)
        tree, _ = _parse(source)
        if tree is not None:
            return Parsed(source, tree, removed=removed)
    return Parsed(broken=None if _doubtful(text, error) else _broken(text, error))


def parses_as_program(text: str) -> bool:
    """Whether a text is Python beyond doubt: it parses, and imports, defines or calls."""
    if len(text) > LARGEST or not _LOOKS_LIKE_CODE.search(text):
        return False
    tree = parse_python(text).tree
    return tree is not None and any(
        isinstance(node, _PROGRAM) or (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call))
        for node in tree.body
    )


def _parse(source: str) -> tuple[ast.Module | None, SyntaxError | None]:
    """The tree, or the error; neither when the code is too deep or too large to look at."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes, which are the card's own affair
            tree = ast.parse(source)
    except SyntaxError as error:
        return None, error
    except (ValueError, RecursionError, MemoryError):
        return None, None
    if sum(1 for _ in zip(ast.walk(tree), range(_MOST_NODES + 1), strict=False)) > _MOST_NODES:
        return None, None
    return tree, None


def _readings(lines: list[str]) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """Other ways to read the code, the likeliest first: the lines, and by how much each is shortened."""
    if any(_FIRST_PROMPT.match(line) for line in lines):
        prompts = [_PROMPT.match(line) for line in lines]
        typed = [line[prompt.end() :] if prompt else "" for line, prompt in zip(lines, prompts, strict=True)]
        removed = tuple(prompt.end() if prompt else 0 for prompt in prompts)
        yield [_without_magic(line) for line in typed], removed
        # code without prompts, and behind them what it prints
        yield ["" if _FIRST_PROMPT.match(line) else line for line in lines], ()
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


def _doubtful(text: str, error: SyntaxError) -> bool:
    """Whether the parser may be wrong: of Python newer than the one that runs, or too deep for it."""
    message = error.msg or ""
    if message.startswith(("f-string", "t-string", "too many")):
        return True
    lines = text.split("\n")
    return bool(_NEWER.match(lines[min(max(error.lineno or 1, 1), len(lines)) - 1]))


def _broken(text: str, error: SyntaxError) -> Broken:
    lines = text.split("\n")
    line = min(max(error.lineno or 1, 1), len(lines))
    column = min(max((error.offset or 1) - 1, 0), len(lines[line - 1]))
    return Broken(" ".join((error.msg or "invalid syntax").split())[:120], line, column)
