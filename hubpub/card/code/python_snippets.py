"""The Python of a card, read as one program: its snippets build on each other, and names of an earlier one count later.

Names are followed through imports (`import transformers as t; t.pipeline` is `transformers.pipeline`) and through
variables: what `tok = AutoModel.from_pretrained("a/b")` made is called `transformers.AutoModel.from_pretrained()`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from hubpub.card.code.code_blocks import CodeBlock, code_blocks
from hubpub.card.code.python_code import LARGEST, Parsed, parse_python
from hubpub.card.document import Card

# More than any card has; what follows is not parsed.
_MOST_CODE = 4 * LARGEST
_LONGEST_NAME = 200


class Snippet(NamedTuple):
    """A block of Python, declared or recognised, with what became of parsing it."""

    code: CodeBlock
    parsed: Parsed

    def span(self, node: ast.expr | ast.keyword | ast.alias | ast.stmt) -> tuple[int, int]:
        """The offsets in the card of a node."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        start = self.code.offset(*self.parsed.place(node.lineno, node.col_offset))
        return start, self.code.offset(*self.parsed.place(end_line, end_column))


class Call(NamedTuple):
    """A call.

    Attributes:
        snippet: where it is.
        node: its node.
        name: what is called, in full; empty when it has no name.
        keywords: its keyword arguments.
    """

    snippet: Snippet
    node: ast.Call
    name: str
    keywords: Mapping[str, ast.keyword]

    @property
    def last(self) -> str:
        """The last part of the name: `from_pretrained`."""
        return self.name.rpartition(".")[2]

    @property
    def owner(self) -> str:
        """The part before the last, `AutoModel` of `transformers.AutoModel.from_pretrained`; empty without one."""
        return self.name.rpartition(".")[0].rpartition(".")[2]

    @property
    def root(self) -> str:
        """The first part of the name, which is a package when it was imported."""
        return self.name.partition(".")[0]


class Imported(NamedTuple):
    """A name that an import brings.

    Attributes:
        snippet: where.
        node: the statement's part that names it.
        name: the full name of what is imported, "transformers.AutoModel"; "transformers.*" for all of it.
        bound: the name that it has from then on.
    """

    snippet: Snippet
    node: ast.alias
    name: str
    bound: str


@dataclass(frozen=True, slots=True)
class PythonOfCard:
    """What the snippets of a card say together.

    Attributes:
        snippets: in order, those that do not parse included.
        imports: every imported name.
        calls: every call.
        bound: every name that is given to something anywhere.
        used: the first use of every name that is read, with its snippet.
        operated: the names that are called, or of which an attribute is taken.
        constants: the strings that variables hold, by name; None where a variable holds several.
    """

    snippets: tuple[Snippet, ...] = ()
    imports: tuple[Imported, ...] = ()
    calls: tuple[Call, ...] = ()
    bound: frozenset[str] = frozenset()
    used: Mapping[str, tuple[Snippet, ast.Name]] = field(default_factory=dict)
    operated: frozenset[str] = frozenset()
    constants: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def has_star_import(self) -> bool:
        """Whether `from x import *` brings names that nobody knows."""
        return any(imported.bound == "*" for imported in self.imports)

    def text_of(self, node: ast.expr | None) -> str | None:
        """The string that an argument is, written there or held by a variable; None when nobody can say."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        return self.constants.get(node.id) if isinstance(node, ast.Name) else None


@lru_cache(maxsize=8)
def python_of(card: Card) -> PythonOfCard:
    """What the Python of a card says."""
    budget, snippets = _MOST_CODE, []
    for code in code_blocks(card):
        if code.language == "python" and len(code.text) <= budget:
            budget -= len(code.text)
            snippets.append(Snippet(code, parse_python(code.text)))
    reading = _Reading()
    for snippet in snippets:
        if snippet.parsed.tree is not None:
            reading.read(snippet)
    return PythonOfCard(
        tuple(snippets),
        tuple(reading.imports),
        tuple(reading.calls),
        frozenset(reading.bound),
        reading.used,
        frozenset(reading.operated),
        reading.constants,
    )


@dataclass
class _Reading:
    """Collects from the trees, in the order of the snippets."""

    imports: list[Imported] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)
    used: dict[str, tuple[Snippet, ast.Name]] = field(default_factory=dict)
    operated: set[str] = field(default_factory=set)
    constants: dict[str, str | None] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def read(self, snippet: Snippet) -> None:
        # in the order of the text, so that a name means what it was given before
        for node in sorted((node for node in snippet.parsed.nodes if isinstance(node, _TELLING)), key=_order):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(snippet, node)
            elif isinstance(node, ast.Assign):
                self._assign(node)
            elif isinstance(node, ast.Call):
                keywords = {keyword.arg: keyword for keyword in node.keywords if keyword.arg}
                self.calls.append(Call(snippet, node, self._full_name(node.func), keywords))
                if isinstance(node.func, ast.Name):
                    self.operated.add(node.func.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                self.operated.add(node.value.id)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self.used.setdefault(node.id, (snippet, node))
            self.bound.update(_names_bound_by(node))

    def _import(self, snippet: Snippet, node: ast.Import | ast.ImportFrom) -> None:
        module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        module = "." * node.level + module if isinstance(node, ast.ImportFrom) else module
        for alias in node.names:
            name = f"{module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
            bound = alias.asname or (alias.name if isinstance(node, ast.ImportFrom) else name.partition(".")[0])
            self.imports.append(Imported(snippet, alias, name, bound))
            self.bound.add(bound)
            self._names[bound] = name if alias.asname or isinstance(node, ast.ImportFrom) else bound

    def _assign(self, node: ast.Assign) -> None:
        """Remember what simple variables hold, and what made it."""
        for target in node.targets:
            if not isinstance(target, ast.Name):
                continue
            value = node.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                known = self.constants.get(target.id, value.value)
                self.constants[target.id] = value.value if known == value.value else None
            elif target.id in self.constants:
                self.constants[target.id] = None
            while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _SAME:
                value = value.func.value  # `AutoModel.from_pretrained(x).to(device)` is still the model
            if isinstance(value, ast.Call):
                name = self._full_name(value.func)
                self._names[target.id] = f"{name}()" if name and len(name) < _LONGEST_NAME else target.id
            elif not _made_of(value, target.id):
                self._names.pop(target.id, None)

    def _full_name(self, func: ast.expr) -> str:
        parts: list[str] = []
        node = func
        while isinstance(node, ast.Attribute) and len(parts) < 8:
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            return ".".join([self._names.get(node.id, node.id), *reversed(parts)])
        if isinstance(node, ast.Call) and parts and len(parts) < 8:
            inner = self._full_name(node.func) if _depth(node) < 8 else ""
            return ".".join([f"{inner}()", *reversed(parts)]) if inner else ""
        return ""


# The nodes that bind, use, call or make something.
_TELLING = (
    *(ast.Import, ast.ImportFrom, ast.Assign, ast.Call, ast.Attribute, ast.Name, ast.arg, ast.ExceptHandler),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Global, ast.Nonlocal),
    *(ast.MatchAs, ast.MatchStar, ast.MatchMapping),
)
# Methods that give back what they are called on.
_SAME = ("to", "cuda", "eval", "half", "float", "bfloat16", "cpu", "train")


def _order(node: Any) -> tuple[int, int]:
    """Where a node takes effect: an assignment behind its value."""
    if isinstance(node, ast.Assign):
        return node.end_lineno or node.lineno, node.end_col_offset or 0
    return node.lineno, node.col_offset


def _made_of(value: ast.expr, name: str) -> bool:
    """Whether a variable is made of itself: `model = model.eval()`, `model = compile(model)`."""
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))


def _depth(node: ast.expr) -> int:
    depth = 0
    current: ast.expr = node
    while isinstance(current, ast.Call | ast.Attribute) and depth < 16:
        current = current.func if isinstance(current, ast.Call) else current.value
        depth += 1
    return depth


def _names_bound_by(node: ast.AST) -> Iterator[str]:
    """The names that a node binds other than by assigning to a name."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif isinstance(node, ast.Global | ast.Nonlocal):
        yield from node.names
