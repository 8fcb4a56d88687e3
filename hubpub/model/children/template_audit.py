"""What a chat template says, without running it.

Attempts to get out of the sandbox, names that transformers does not have, loops without an end, and text that is
written only when a message holds certain words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, meta, nodes

from hubpub.model.children.template_constants import Constants
from hubpub.model.children.template_triggers import Triggers

_MOST_NOTES = 20
_HUGE_LOOP = 1_000_000

# Attributes of Python's objects that lead to its internals, besides those with two underscores.
_INTERNALS = re.compile(
    r"mro|gi_frame|gi_code|gi_yieldfrom|cr_frame|cr_code|ag_frame|ag_code|tb_frame|tb_next|f_back"
    r"|f_globals|f_locals|f_builtins|f_code|co_code|co_consts|func_globals|func_code|func_defaults|im_func"
    r"|im_self|im_class"
)
_COMMANDS = re.compile(r"popen|Popen|system|check_output|check_call|getoutput|execv|execve|execvp|spawnl|spawnv")
_DUNDER = re.compile(r"__\w+")
_KNOWN_DUNDER = re.compile(
    r"__(?:class|bases?|mro|subclasses|globals|builtins|import|init|getattribute|getattr|dict|code|closure|self|func"
    r"|loader|spec|reduce|reduce_ex|call|module|new|wrapped|kwdefaults|defaults|enter|exit|del|doc)__"
)
_DUNDER_FIELD = re.compile(r"\{[^{}]{0,200}__\w+")
_ATTRIBUTE_FILTERS = re.compile(r"attr|map|selectattr|rejectattr|sort|groupby|sum|unique|min|max|join|select|reject")
_LOADS: dict[type[nodes.Node], str] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Extends: "extends",
}


def audit(tree: nodes.Template, environment: Environment) -> dict[str, Any]:
    """What is noteworthy in a template, as lists of notes with their "line".

    "escapes" and "unknown" have a "what"; "loops" the "turns" of nested loops over ranges; "triggers" the
    "literals" that a message must hold for "text" to be written; "literals" are all that messages are compared with.
    """
    constants = Constants(tree, environment)
    triggers = Triggers(tree, constants)
    return {
        "escapes": _noted(_escapes(tree, constants)),
        "unknown": _noted(_unknown(tree, environment)),
        "loops": _loops(tree, constants)[:_MOST_NOTES],
        "triggers": triggers.hidden[:_MOST_NOTES],
        "literals": triggers.literals,
    }


def _noted(found: Iterator[tuple[int, str]]) -> list[dict[str, Any]]:
    unique = sorted(set(found))[:_MOST_NOTES]
    return [{"line": line, "what": what[:200]} for line, what in unique]


def _escapes(tree: nodes.Template, constants: Constants) -> Iterator[tuple[int, str]]:
    for node in _walk(tree):
        if isinstance(node, nodes.Getattr):
            if _inner(node.attr):
                yield node.lineno, f"reaches for {node.attr}"
        elif isinstance(node, nodes.Getitem):
            for text in constants.texts(node.arg):
                if _inner(text):
                    yield node.lineno, f"reaches for {text}"
        elif isinstance(node, nodes.Filter):
            yield from _of_filter(node, constants)
        elif isinstance(node, nodes.Call):
            yield from _of_call(node, constants)
        elif isinstance(node, nodes.Name) and node.ctx == "load" and _KNOWN_DUNDER.fullmatch(node.name):
            yield node.lineno, f"reaches for {node.name}"
        if isinstance(node, nodes.Concat | nodes.Add | nodes.Filter | nodes.Call | nodes.Const | nodes.Mod):
            for text in constants.texts(node):
                if _KNOWN_DUNDER.fullmatch(text.strip()):
                    yield node.lineno, f"makes the name {text.strip()}"


def _of_filter(node: nodes.Filter, constants: Constants) -> Iterator[tuple[int, str]]:
    if not _ATTRIBUTE_FILTERS.fullmatch(node.name):
        return
    arguments = [*node.args, *(keyword.value for keyword in node.kwargs)]
    for argument in arguments:
        for text in constants.texts(argument):
            if any(_inner(part) for part in text.split(".")):
                yield node.lineno, f"reaches for {text} with the filter {node.name}"
    if node.name == "attr" and arguments and not constants.values(arguments[0]):
        yield node.lineno, "reaches for an attribute whose name it computes, with the filter attr"


def _of_call(node: nodes.Call, constants: Constants) -> Iterator[tuple[int, str]]:
    if not isinstance(node.node, nodes.Getattr):
        return
    if _COMMANDS.fullmatch(node.node.attr) and node.args:
        yield node.lineno, f"calls {node.node.attr}"
    if node.node.attr in ("format", "format_map"):
        for text in constants.texts(node.node.node):
            if _DUNDER_FIELD.search(text):
                yield node.lineno, f"reaches for {_DUNDER.findall(text)[0]} in a format"


def _inner(name: str) -> bool:
    return bool(_INTERNALS.fullmatch(name) or _DUNDER.match(name))


def _unknown(tree: nodes.Template, environment: Environment) -> Iterator[tuple[int, str]]:
    """What transformers does not offer, unless the template asks first whether it is there."""
    asked = _asked(tree)
    undeclared: set[str] | None = None
    for node in _walk(tree):
        kind = _LOADS.get(type(node))
        if kind is not None:
            yield node.lineno, f"uses {{% {kind} %}}, and there is nothing to load from"
        elif isinstance(node, nodes.Filter):
            if node.name not in environment.filters and node.name not in asked:
                yield node.lineno, f"uses the filter {node.name}"
        elif isinstance(node, nodes.Test):
            if node.name not in environment.tests and node.name not in asked:
                yield node.lineno, f"uses the test {node.name}"
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            name = node.node.name
            if name in environment.globals or name in asked:
                continue
            if undeclared is None:  # not before it is needed: it takes as long as compiling
                undeclared = meta.find_undeclared_variables(tree)
            if name in undeclared:
                yield node.lineno, f"calls the function {name}"


def _asked(tree: nodes.Template) -> set[str]:
    """The names that are tested with `is defined`, `is filter` and the like, or in an `if`."""
    asked: set[str] = set()
    for test in tree.find_all(nodes.Test):
        assert isinstance(test, nodes.Test)  # noqa: S101 -- for the type checker
        if test.name in ("defined", "undefined", "callable", "none") and isinstance(test.node, nodes.Name):
            asked.add(test.node.name)
        elif test.name in ("filter", "test") and isinstance(test.node, nodes.Const):
            asked.add(str(test.node.value))
    for condition in tree.find_all(nodes.If):
        assert isinstance(condition, nodes.If)  # noqa: S101 -- for the type checker
        if isinstance(condition.test, nodes.Name):
            asked.add(condition.test.name)
    return asked


def _loops(node: nodes.Node, constants: Constants, turns: int = 1) -> list[dict[str, Any]]:
    """Nested loops over ranges of a length that is known and together huge; the innermost of each."""
    found: list[dict[str, Any]] = []
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.For):
            length = _range(child.iter, constants)
            if length is not None and turns * length >= _HUGE_LOOP:
                inner = _loops(child, constants, turns * length)
                found += inner or [{"line": child.lineno, "turns": turns * length}]
                continue
            found += _loops(child, constants, turns * (length or 1))
        else:
            found += _loops(child, constants, turns)
    return found


def _range(node: nodes.Node, constants: Constants) -> int | None:
    if not (isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "range"):
        return None
    bounds = [constants.values(argument) for argument in node.args]
    if not bounds or not all(values and isinstance(values[0], int) for values in bounds):
        return None
    try:
        return len(range(*(int(values[0]) for values in bounds)))
    except (ValueError, OverflowError):
        return None


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """The node and all below it, in the order of the text."""
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)
