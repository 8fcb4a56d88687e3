"""Text that a chat template writes only when a message holds certain words.

This is how a poisoned template hides an instruction from everyone who tries it, until a user says the word.

Two ways find it. The template is read: a condition that compares what was said with a literal, and a branch with
words of its own. And it is tried: every such literal is said, and what is then written that no ordinary
conversation had is noted. The first sees conditions that no trial meets, the second words put together at run time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import nodes

from hubpub.model.children.template_chats import triggered_chats, whole_chats
from hubpub.model.children.template_constants import Binding, Constants

_CONTENT = frozenset(["content", "text", "reasoning_content", "thinking", "reasoning"])
_AS_TEXT = frozenset(["string", "tojson", "pprint", "join", "list"])
_SEARCHES = re.compile(r"startswith|endswith|r?find|r?index|count|r?split|r?partition")
_SILENT_METHODS = re.compile(rf"{_SEARCHES.pattern}|[lr]?strip|get|removeprefix|removesuffix|items|keys|values")
_COMPARING_TESTS = frozenset(["eq", "equalto", "==", "ne", "!=", "in", "sameas", "gt", "greaterthan", ">", "lt", "<"])
_WRITING_FILTERS = frozenset(["format", "join", "default", "d", "replace"])
_WORD = re.compile(r"[^\W\d]{2,}")
_MOST_LITERALS = 60
_LONGEST_LITERAL = 200
_SHOWN = 160

ON_A_DAY, BY_CHANCE = "\0", "\1"
"""Stand among the literals for a condition on the date, and for one on chance."""

Trigger = tuple[list[str], list[str]]
"""What a message must hold for a condition to be true, and what for it to be false."""


def is_prose(text: str) -> bool:
    """Whether a text says something, unlike markup and single keywords."""
    words = {word.casefold() for word in _WORD.findall(re.sub(r"<[^<>\n]{1,60}>|\[/?[A-Z_]+\]", " ", text))}
    # Chinese, Thai and others write sentences without spaces.
    long = (word for word in words if len(word) >= (12 if word.isascii() else 4) and "_" not in word)
    return len(words) >= 2 or any(long)


class Triggers:
    """What the conditions of one template ask of what was said.

    Attributes:
        literals: what messages are compared with.
        hidden: notes with the "line", the "literals", the "text" that is written only then, and whether it is written
            "by chance", so that a trial may meet it or not.
    """

    def __init__(self, tree: nodes.Template, constants: Constants) -> None:
        self._constants = constants
        self._said: set[Binding] = set()
        self._flags: dict[Binding, list[str]] = {}
        self._found: dict[str, None] = {}
        self._macros = {str(m.name): m for m in tree.find_all(nodes.Macro)}
        for _ in range(4):  # what follows from what, along chains of variables
            self._follow(tree)
        self.hidden: list[dict[str, Any]] = []
        for node in tree.find_all(nodes.Node):
            for body, literals in self._branches(node):
                self._note(node.lineno, body, literals)
        self.literals = [text for text in self._found if text.strip() and len(text) <= _LONGEST_LITERAL]
        self.literals = self.literals[:_MOST_LITERALS]

    def _note(self, line: int, body: Iterable[nodes.Node], literals: list[str]) -> None:
        for text in self._written(body):
            if is_prose(text) and text.strip() not in literals:
                said = [literal for literal in literals if literal not in (ON_A_DAY, BY_CHANCE)][:3]
                note = {"line": line, "literals": said, "text": text.strip()[:2000], "by chance": BY_CHANCE in literals}
                self.hidden.append(note)
                return

    def _follow(self, tree: nodes.Template) -> None:
        for node in tree.find_all(nodes.Node):
            if isinstance(node, nodes.Assign):
                self._assign(node.target, node.node)
            elif isinstance(node, nodes.For) and self._is_said(node.iter):
                self._said |= set(_bindings(node.target))
            elif isinstance(node, nodes.AssignBlock):
                if any(self._is_said(part) for output in node.find_all(nodes.Output) for part in output.nodes):
                    self._said |= set(_bindings(node.target))
            elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in self._macros:
                parameters = self._macros[node.node.name].args
                for parameter, argument in zip(parameters, node.args, strict=False):
                    if self._is_said(argument):
                        self._said.add((parameter.name, None))
            for body, literals in self._branches(node):
                for part in body:
                    for assign in [part, *part.find_all(nodes.Assign)]:
                        if isinstance(assign, nodes.Assign) and self._constants.values(assign.node):
                            for binding in _bindings(assign.target):
                                self._flags.setdefault(binding, literals)

    def _assign(self, target: nodes.Node, value: nodes.Node) -> None:
        if self._is_said(value):
            self._said |= set(_bindings(target))
        true, false = self._asked(value)
        if true or false:
            for binding in _bindings(target):
                self._flags.setdefault(binding, true or false)

    def _is_said(self, node: nodes.Node | None) -> bool:
        """Whether a value comes from what somebody said."""
        if node is None or isinstance(node, nodes.Const | nodes.TemplateData | nodes.Test | nodes.Compare):
            return False
        if isinstance(node, nodes.Name):
            return (node.name, None) in self._said
        if isinstance(node, nodes.Getattr):
            name = node.node.name if isinstance(node.node, nodes.Name) else ""
            return node.attr in _CONTENT or (name, node.attr) in self._said
        if isinstance(node, nodes.Getitem):
            keys = self._constants.texts(node.arg)
            return any(key in _CONTENT for key in keys) if keys else self._is_said(node.node)
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            if node.node.attr == "get":
                return bool(node.args) and any(text in _CONTENT for text in self._constants.texts(node.args[0]))
            return self._is_said(node.node.node) or any(self._is_said(argument) for argument in node.args)
        if isinstance(node, nodes.Filter):
            named = [*node.args, *(keyword.value for keyword in node.kwargs)]
            if node.name == "map" and any(text in _CONTENT for part in named for text in self._constants.texts(part)):
                return True
            if node.name in _AS_TEXT and isinstance(node.node, nodes.Name) and node.node.name.startswith("message"):
                return True
        return any(self._is_said(child) for child in node.iter_child_nodes())

    def _asked(self, node: nodes.Node | None) -> Trigger:
        """What a condition compares with what was said, with the date or with chance."""
        if node is None:
            return [], []
        if isinstance(node, nodes.Filter | nodes.Test) and _is_random(node):
            return [BY_CHANCE], [BY_CHANCE]
        if isinstance(node, nodes.Not):
            true, false = self._asked(node.node)
            return false, true
        if isinstance(node, nodes.Name):
            return self._flags.get((node.name, None), []), []
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            return self._flags.get((node.node.name, node.attr), []), []
        if isinstance(node, nodes.Compare):
            return self._compared(node)
        if isinstance(node, nodes.Test):
            if node.name in _COMPARING_TESTS and any(map(self._is_said, [node.node, *node.args])):
                return self._keep([node.node, *node.args]), []
            return [], []
        if isinstance(node, nodes.Call) and self._searches(node.node):
            return self._keep(node.args), []
        if isinstance(node, nodes.Filter) and node.name in ("selectattr", "rejectattr", "select", "reject"):
            arguments = [a for a in node.args if not set(self._constants.texts(a)) & (_CONTENT | _COMPARING_TESTS)]
            about_content = any(set(self._constants.texts(a)) & _CONTENT for a in node.args)
            if about_content or self._is_said(node.node):
                return self._keep(arguments), []
        true, false = [], []
        for child in node.iter_child_nodes():
            also_true, also_false = self._asked(child)
            true, false = true + also_true, false + also_false
        return true, false

    def _searches(self, method: nodes.Node) -> bool:
        """Whether this is `content.startswith` or the like."""
        if not isinstance(method, nodes.Getattr) or not _SEARCHES.fullmatch(method.attr):
            return False
        return self._is_said(method.node)

    def _compared(self, node: nodes.Compare) -> Trigger:
        true: list[str] = []
        false: list[str] = []
        operands = [node.expr, *(operand.expr for operand in node.ops)]
        if any(map(_is_random, operands)):
            true, false = [BY_CHANCE], [BY_CHANCE]
        elif any(map(_is_of_the_day, operands)):
            true, false = [ON_A_DAY], [ON_A_DAY]
        elif any(self._is_said(operand) for operand in operands):
            literals = self._keep(operands)
            negative = any(operand.op in ("ne", "notin") for operand in node.ops)
            if any(operand.op in ("gt", "gteq", "lt", "lteq") for operand in node.ops):
                # `content|length > 0` only asks whether there is something.
                literals += [str(n) for part in operands for n in self._constants.values(part) if _is_size(n)]
                true, false = literals, literals
            else:
                true, false = ([], literals) if negative else (literals, [])
        for operand in operands:
            inner_true, inner_false = self._asked(operand)
            both = inner_true + inner_false
            true, false = true + both, false + both
        return true, false

    def _keep(self, operands: Iterable[nodes.Node]) -> list[str]:
        """The strings among the operands, also those in a list or dictionary."""
        kept: list[str] = []
        for operand in operands:
            for value in self._constants.values(operand):
                kept += [text for text in _flat(value) if text.strip()]
            if isinstance(operand, nodes.Dict):
                kept += [text for pair in operand.items for text in self._constants.texts(pair.key)]
        self._found |= dict.fromkeys(kept)
        return kept

    def _branches(self, node: nodes.Node) -> Iterator[tuple[list[nodes.Node], list[str]]]:
        """The parts of a statement or expression that count only when a message holds certain words."""
        if isinstance(node, nodes.If | nodes.CondExpr):
            true, false = self._asked(node.test)
            otherwise: list[nodes.Node]
            if isinstance(node, nodes.If):
                then, otherwise = list(node.body), [*node.else_, *(n for part in node.elif_ for n in part.body)]
            else:
                then, otherwise = [_output(node.expr1)], [_output(node.expr2)] if node.expr2 else []
            if true:
                yield then, true
            if false:
                yield otherwise, false
        elif isinstance(node, nodes.For):
            asked = [*self._asked(node.test)[0], *self._asked(node.iter)[0]]
            if asked:
                yield list(node.body), asked
        elif isinstance(node, nodes.And | nodes.Mul):
            true, false = self._asked(node.left)
            if true or false:
                yield [_output(node.right)], true or false
        elif isinstance(node, nodes.Getitem):
            true, false = self._asked(node.arg)
            if isinstance(node.node, nodes.Dict) and self._is_said(node.arg):
                true = self._keep([node.node])
            if true or false:
                yield [_output(node.node)], true or false
        elif isinstance(node, nodes.Filter) and node.name == "replace" and len(node.args) > 1:
            yield from self._replaced(node.node, *node.args[:2])
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            if node.node.attr == "replace" and len(node.args) > 1:
                yield from self._replaced(node.node.node, *node.args[:2])
            elif node.node.attr == "get" and any(self._is_said(argument) for argument in node.args[:1]):
                yield [_output(node.node.node)], self._keep([node.node.node])

    def _replaced(
        self, said: nodes.Node | None, old: nodes.Expr, new: nodes.Expr
    ) -> Iterator[tuple[list[nodes.Node], list[str]]]:
        """A replacement that says more than what it replaces; another word for the same is none."""
        if not self._is_said(said):
            return
        searched = self._keep([old])
        most = max((len(_WORD.findall(text)) for text in searched), default=0)
        if any(len(_WORD.findall(text)) >= most + 2 for text in self._constants.texts(new)):
            yield [_output(new)], searched

    def _written(self, body: Iterable[nodes.Node], depth: int = 0) -> Iterator[str]:
        """The texts of its own that a part of the template writes, or keeps to write them later."""
        for node in body:
            if depth > 30:
                return
            if isinstance(node, nodes.Output):
                yield "".join(text for part in node.nodes for text in self._texts(part, depth + 1))
            elif isinstance(node, nodes.Assign):
                yield from self._texts(node.node, depth + 1)
            elif isinstance(node, nodes.If):
                yield from self._written([*node.body, *node.elif_, *node.else_], depth + 1)
            elif isinstance(node, nodes.For | nodes.AssignBlock | nodes.With | nodes.CallBlock | nodes.FilterBlock):
                yield from self._written(node.body, depth + 1)

    def _texts(self, node: nodes.Node, depth: int) -> Iterator[str]:
        if depth > 30 or isinstance(node, nodes.Compare | nodes.Test):
            return
        if isinstance(node, nodes.Const | nodes.TemplateData | nodes.Name | nodes.Getattr):
            yield from self._constants.texts(node)[:1]
        elif isinstance(node, nodes.Call):
            if isinstance(node.node, nodes.Name):
                if node.node.name in self._macros:
                    yield from self._written(self._macros[node.node.name].body, depth + 1)
                elif node.node.name == "raise_exception":
                    return
            elif isinstance(node.node, nodes.Getattr):
                yield from self._constants.texts(node)[:1] or self._texts(node.node.node, depth + 1)
                if _SILENT_METHODS.fullmatch(node.node.attr):
                    return
            for argument in node.args:
                yield from self._texts(argument, depth + 1)
        elif isinstance(node, nodes.CondExpr):
            for part in (node.expr1, node.expr2):
                if part is not None:
                    yield from self._texts(part, depth + 1)
        elif isinstance(node, nodes.Filter):
            whole = self._constants.texts(node)[:1]
            yield from whole
            if not whole and node.node is not None:
                yield from self._texts(node.node, depth + 1)
            for argument in node.args if node.name in _WRITING_FILTERS else []:
                yield from self._texts(argument, depth + 1)
        elif isinstance(node, nodes.Getitem):
            yield from self._constants.texts(node)[:1] or self._texts(node.node, depth + 1)
        else:
            whole = self._constants.texts(node)[:1]
            yield from whole or (text for child in node.iter_child_nodes() for text in self._texts(child, depth + 1))


def _bindings(target: nodes.Node) -> list[Binding]:
    if isinstance(target, nodes.Name):
        return [(target.name, None)]
    if isinstance(target, nodes.NSRef):
        return [(target.name, target.attr)]
    return [binding for child in target.iter_child_nodes() for binding in _bindings(child)]


def _output(expression: nodes.Expr) -> nodes.Output:
    return nodes.Output([expression], lineno=expression.lineno)


def _is_random(node: nodes.Node) -> bool:
    """Whether a value depends on chance."""
    return any(part.name == "random" for part in [node, *node.find_all(nodes.Filter)] if isinstance(part, nodes.Filter))


def _is_of_the_day(node: nodes.Node) -> bool:
    """Whether a value depends on the date."""
    calls = [part.node for part in [node, *node.find_all(nodes.Call)] if isinstance(part, nodes.Call)]
    return any(isinstance(called, nodes.Name) and called.name == "strftime_now" for called in calls)


def _flat(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple | dict) else []


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 1


def find_triggered(
    render: Callable[[dict[str, Any]], dict[str, Any]], literals: list[str], ordinary: list[str], later: str
) -> list[dict[str, Any]]:
    """What a template writes when the literals are said, or on a later day, and else never.

    Args:
        render: what becomes of a conversation; see `template.Renderer`.
        literals: what the template compares messages with.
        ordinary: what it writes for ordinary conversations.
        later: what it writes for one of them many years later.
    """
    known = _words("\n".join(ordinary))
    found = []
    news = _news(later, known)
    if news:
        found.append({"literal": None, "text": news})
    together = "\n".join(literals)
    known |= _words(together)

    def first_news(chats: list[dict[str, Any]]) -> str | None:
        texts = (str(render(chat).get("text", "")) for chat in chats)
        return next((news for news in (_news(text, known) for text in texts) if news), None)

    for literal in literals:
        news = first_news(whole_chats(literal))
        if news:
            found.append({"literal": literal, "text": news})
    both = first_news(triggered_chats(together)) if literals and not found else None
    if both:
        alone = ((literal, first_news(triggered_chats(literal))) for literal in literals)
        found += [{"literal": literal, "text": news} for literal, news in alone if news]
        found = found or [{"literal": " + ".join(literals), "text": both}]
    return found[:5]


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _news(text: str, known: set[str]) -> str | None:
    """The part of a text with the words that are not known, if they say something."""
    new = [found for found in _WORD.finditer(text) if found[0].casefold() not in known]
    if not new or not is_prose(" ".join(found[0] for found in new)):
        return None
    return text[new[0].start() : new[-1].end()][:_SHOWN]
