"""What the expressions of a template come to, as far as that is the same for every conversation.

Attackers put names together from pieces (`'__cla' ~ 'ss__'`, `['sys', 'tem']|join`, `'%c' % 95`), so constants are
followed through concatenation, filters, methods of strings, slices, and variables that are set once or a few times.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from jinja2 import Environment, nodes

_MOST_VALUES = 6
_LARGEST = 100_000
_DEEPEST = 40
_METHODS = re.compile(
    r"capitalize|casefold|center|format|join|ljust|lower|lstrip|removeprefix|removesuffix|replace|rjust"
    r"|rstrip|strip|swapcase|title|upper|zfill|split"
)
_FILTERS = re.compile(
    r"capitalize|center|d|default|e|escape|first|forceescape|format|int|join|last|list|lower|replace"
    r"|reverse|safe|string|title|trim|truncate|upper|urlencode"
)

Binding = tuple[str, str | None]
"""A variable, or an attribute of a namespace."""


class Constants:
    """The constants of one template."""

    def __init__(self, tree: nodes.Template, environment: Environment) -> None:
        self._environment = environment
        self._sources: dict[Binding, list[nodes.Node]] = {}
        self._bound: dict[Binding, list[Any]] = {}
        self._known: dict[int, list[Any]] = {}
        for node in tree.find_all(nodes.Assign):
            assert isinstance(node, nodes.Assign)  # noqa: S101 -- for the type checker
            for target, value in _pairs(node.target, node.node):
                self._sources.setdefault(target, []).append(value)
                for keyword in _namespace(value):
                    self._sources.setdefault((target[0], keyword.key), []).append(keyword.value)

    def texts(self, node: nodes.Node) -> list[str]:
        """The strings that an expression may come to."""
        return [value for value in self.values(node) if isinstance(value, str)]

    def values(self, node: nodes.Node, depth: int = 0) -> list[Any]:
        """The values that an expression may come to; none when it depends on the conversation."""
        if depth > _DEEPEST:
            return []
        if id(node) not in self._known:
            try:
                found = self._values(node, depth + 1)
            except Exception:  # filters and methods of strings raise what they like
                found = []
            short = [value for value in found if not isinstance(value, str) or len(value) <= _LARGEST]
            self._known[id(node)] = short[:_MOST_VALUES]
        return self._known[id(node)]

    def _values(self, node: nodes.Node, depth: int) -> list[Any]:
        if isinstance(node, nodes.Const):
            return [node.value]
        if isinstance(node, nodes.TemplateData):
            return [node.data]
        if isinstance(node, nodes.Name):
            return self._of_binding((node.name, None), depth)
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            return self._of_binding((node.node.name, node.attr), depth)
        if isinstance(node, nodes.Concat):
            return ["".join(map(str, parts)) for parts in self._product(node.nodes, depth)]
        if isinstance(node, nodes.List | nodes.Tuple):
            return [list(items) for items in self._product(node.items, depth)]
        if isinstance(node, nodes.CondExpr):
            return [*self.values(node.expr1, depth), *(self.values(node.expr2, depth) if node.expr2 else [])]
        if isinstance(node, nodes.Add | nodes.Mul | nodes.Mod):
            return [_arithmetic(node, *pair) for pair in self._product([node.left, node.right], depth)]
        if isinstance(node, nodes.Getitem):
            return self._of_item(node, depth)
        if isinstance(node, nodes.Filter):
            return self._of_filter(node, depth)
        if isinstance(node, nodes.Call):
            return self._of_call(node, depth)
        return []

    def _of_binding(self, binding: Binding, depth: int) -> list[Any]:
        if binding not in self._bound:
            self._bound[binding] = []  # a variable that is made of itself depends on how often that happens
            found: list[Any] = []
            for source in self._sources.get(binding, [])[:_MOST_VALUES]:
                found += self.values(source, depth)
            self._bound[binding] = found
        return self._bound[binding]

    def _product(self, parts: list[nodes.Expr], depth: int) -> list[tuple[Any, ...]]:
        choices = [self.values(part, depth) for part in parts]
        return list(itertools.islice(itertools.product(*choices), _MOST_VALUES))

    def _of_item(self, node: nodes.Getitem, depth: int) -> list[Any]:
        whole = self.values(node.node, depth)
        if isinstance(node.arg, nodes.Slice):
            bounds = [
                self.values(part, depth) if part else [None] for part in (node.arg.start, node.arg.stop, node.arg.step)
            ]
            return [value[slice(*bound)] for value in whole for bound in itertools.product(*bounds)]
        return [value[item] for value in whole for item in self.values(node.arg, depth)]

    def _of_filter(self, node: nodes.Filter, depth: int) -> list[Any]:
        if node.node is None or not _FILTERS.fullmatch(node.name) or node.dyn_args or node.dyn_kwargs:
            return []
        named = {str(keyword.key): self.values(keyword.value, depth)[0] for keyword in node.kwargs}
        return [
            self._environment.call_filter(node.name, value, list(given), named) if node.name != "list" else list(value)
            for value in self.values(node.node, depth)
            for given in self._product(node.args, depth)
        ]

    def _of_call(self, node: nodes.Call, depth: int) -> list[Any]:
        if isinstance(node.node, nodes.Name) and node.node.name == "dict":
            return [{keyword.key: (self.values(keyword.value, depth) or [None])[0] for keyword in node.kwargs}]
        if not isinstance(node.node, nodes.Getattr) or not _METHODS.fullmatch(node.node.attr) or node.dyn_args:
            return []
        return [
            getattr(value, node.node.attr)(*given)
            for value in self.values(node.node.node, depth)
            if isinstance(value, str) and "__" not in (value if node.node.attr == "format" else "")
            for given in self._product(node.args, depth)
        ]


def _namespace(value: nodes.Node) -> list[nodes.Keyword]:
    """The attributes that `namespace(a='text')` sets."""
    if isinstance(value, nodes.Call) and isinstance(value.node, nodes.Name) and value.node.name == "namespace":
        return value.kwargs
    return []


def _pairs(target: nodes.Node, value: nodes.Node) -> list[tuple[Binding, nodes.Node]]:
    """What an assignment sets; `a, b = 'x', 'y'` sets two."""
    if isinstance(target, nodes.Name):
        return [((target.name, None), value)]
    if isinstance(target, nodes.NSRef):
        return [((target.name, target.attr), value)]
    if isinstance(target, nodes.Tuple) and isinstance(value, nodes.Tuple) and len(target.items) == len(value.items):
        return [pair for left, right in zip(target.items, value.items, strict=True) for pair in _pairs(left, right)]
    return []


def _arithmetic(node: nodes.Add | nodes.Mul | nodes.Mod, left: Any, right: Any) -> Any:
    if isinstance(node, nodes.Add):
        return left + right
    if isinstance(node, nodes.Mod):
        return left % (tuple(right) if isinstance(right, list) else right)
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    sequence, times = (right, left) if isinstance(left, int) else (left, right)
    if len(sequence) * times > _LARGEST:
        raise ValueError("too long")
    return sequence * times
