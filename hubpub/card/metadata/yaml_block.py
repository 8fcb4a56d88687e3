"""Read a block of YAML as both its readers do, with the place of every key, and within bounds.

The Python client reads a card's metadata with PyYAML (YAML 1.1), the Hub with js-yaml 4 (YAML 1.2 and timestamps).
They differ on `no`, `1e3`, `0o12` or `12:30:45`, on duplicate keys and on tabs. Nothing here raises on any text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import yaml

from hubpub.card.metadata.js_scalars import js_key, js_scalar, js_tagged
from hubpub.core.pattern import Pattern

Path: TypeAlias = tuple[str | int, ...]
Span: TypeAlias = tuple[int, int]

LARGEST = 1 << 20
_DEEPEST = 64
_LARGEST_EXPANSION = 200_000
_LARGEST_FOR_PURE_PYTHON = 1 << 16
# PyYAML's constructors take a tagged scalar for what it says it is: `!!int ""`, `!!bool x`, `!!timestamp x`.
_CONSTRUCTION_ERRORS = (yaml.YAMLError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError)

LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_SCALARS = ("null", "bool", "int", "float", "binary", "timestamp", "str", "merge", "value")
_KNOWN_TAGS: Mapping[type[yaml.Node], frozenset[str]] = {
    yaml.ScalarNode: frozenset(_TAG + name for name in _SCALARS),
    yaml.SequenceNode: frozenset(_TAG + name for name in ("seq", "omap", "pairs")),
    yaml.MappingNode: frozenset(_TAG + name for name in ("map", "set")),
}
# Line ends to YAML 1.1, and so to PyYAML; to YAML 1.2 they are characters like others.
_ONLY_YAML_1_1_LINE_ENDS = Pattern("[\x85\u2028\u2029]")

_TABS_OR_COMMENT = Pattern(r"\t+|(?<!\S)#[^\r\n]*")

_WRITTEN_TAG = Pattern(r"(?:&\S+\s+)?!")


class YamlProblem(NamedTuple):
    """Why a block cannot be read.

    Attributes:
        kind: "syntax", "duplicate-key", "tag", "tab", "not-a-mapping", "empty" or "bounds".
        message: what is wrong, in a few words.
        offset: where, in characters from the start of the block.
        fatal: whether the Hub cannot read it either.
        earlier: of a duplicate key, the span of the entry that is there before, key and value.
    """

    kind: str
    message: str
    offset: int = 0
    fatal: bool = True
    earlier: Span | None = None


@dataclass(frozen=True, slots=True)
class YamlReading:
    """What a block says.

    Attributes:
        data: the mapping as PyYAML reads it; None when it cannot be read, and `problem` says why.
        hub_data: the mapping as js-yaml reads it; None when it cannot be read. Dates are `datetime.date`.
        problem: why it cannot be read.
        keys: the span of each key, by its path.
        values: the span of each value, by its path.
    """

    data: dict[str, Any] | None = None
    hub_data: dict[str, Any] | None = None
    problem: YamlProblem | None = None
    keys: Mapping[Path, Span] = field(default_factory=dict)
    values: Mapping[Path, Span] = field(default_factory=dict)


class _UnreadableError(Exception):
    def __init__(
        self, kind: str, message: str, offset: int = 0, *, fatal: bool = True, earlier: Span | None = None
    ) -> None:
        super().__init__(message)
        self.problem = YamlProblem(kind, message, offset, fatal, earlier)


def read_yaml(block: str) -> YamlReading:
    """Read the mapping that `block` holds; what stands in the way is in `problem`."""
    problem = None
    try:
        try:
            node = _compose(block)
        except _UnreadableError as error:
            as_the_hub = _ONLY_YAML_1_1_LINE_ENDS.sub(" ", block)
            if error.problem.kind != "syntax" or as_the_hub == block:
                raise
            node = _compose(as_the_hub)
            problem = YamlProblem("syntax", error.problem.message, error.problem.offset, fatal=False)
        _check(node)
        hub_data = _JsReader(block).mapping(node)
    except _UnreadableError as error:
        return YamlReading(problem=error.problem)
    keys: dict[Path, Span] = {}
    values: dict[Path, Span] = {}
    _locate(node, (), keys, values)
    problem = problem or _only_python_fails(block)
    data = None
    if problem is None:
        data, problem = _construct(node)
    return YamlReading(data, hub_data, problem, keys, values)


def python_reading(block: str) -> dict[str, Any] | None:
    """The mapping as PyYAML alone reads it: of two entries with the same key, it keeps the last."""
    try:
        return _construct(_compose(block))[0]
    except _UnreadableError:
        return None


def _compose(block: str) -> yaml.MappingNode:
    if len(block) > LARGEST:
        raise _UnreadableError("bounds", f"it is larger than {LARGEST >> 20} MB")
    try:
        # composing recurses, in C: events come first, one by one, to see how deep it would go
        depth = 0
        for event in yaml.parse(block, Loader=LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > _DEEPEST:
                    raise _UnreadableError(
                        "bounds",
                        f"it is nested more than {_DEEPEST} deep",
                        event.start_mark.index if event.start_mark else 0,
                    )
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
        node = yaml.compose(block, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _refusal(block, error, mark.index if mark else 0) from error
    except (yaml.YAMLError, ValueError) as error:
        offset = getattr(error, "position", 0)
        reason = getattr(error, "reason", None) or str(error)
        raise _UnreadableError("syntax", " ".join(reason.split()), offset or 0) from error
    if node is None:
        raise _UnreadableError("empty", "it holds nothing but blanks and comments")
    if isinstance(node, yaml.SequenceNode):
        raise _UnreadableError("not-a-mapping", "it is a list, not keys with values", node.start_mark.index)
    if not isinstance(node, yaml.MappingNode):
        raise _UnreadableError("not-a-mapping", "it is plain text, not keys with values", node.start_mark.index)
    return node


def _refusal(block: str, error: yaml.MarkedYAMLError, offset: int) -> _UnreadableError:
    problem = error.problem or ""
    # libyaml 0.2.6 and later have a bound of their own, which the scanner meets before any event.
    if "nesting depth" in problem:
        return _UnreadableError("bounds", _sentence(error), offset)
    if "tab character where an indentation" in problem:
        # in the first line of a block scalar, where js-yaml takes it for text
        return _UnreadableError("tab", "a tab where YAML wants blanks", offset, fatal=False)
    if block[offset : offset + 1] == "\t":
        return _UnreadableError("tab", "a tab where YAML wants blanks", offset)
    return _UnreadableError("syntax", _sentence(error), offset)


def _sentence(error: yaml.MarkedYAMLError) -> str:
    parts = [" ".join(part.split()) for part in (error.context, error.problem) if part]
    return ", ".join(parts) or "it is not YAML"


def _check(root: yaml.MappingNode) -> None:
    """Refuse what either reader refuses, or what aliases blow up; visits every node once."""
    done: dict[int, tuple[int, int]] = {}
    open_nodes: set[int] = set()

    def visit(node: yaml.Node) -> tuple[int, int]:
        """How many values a node stands for, and how deep they are nested."""
        if id(node) in done:
            return done[id(node)]
        if id(node) in open_nodes:
            raise _UnreadableError("bounds", "an alias refers to what it is part of", node.start_mark.index)
        open_nodes.add(id(node))
        if node.tag not in _KNOWN_TAGS[type(node)]:
            raise _UnreadableError("tag", f"unknown tag {node.tag}", node.start_mark.index)
        size, depth = 1, 0
        for child in _children(node):
            more, deeper = visit(child)
            size, depth = size + more, max(depth, deeper)
        if size > _LARGEST_EXPANSION:
            raise _UnreadableError(
                "bounds", f"its aliases expand to more than {_LARGEST_EXPANSION} values", node.start_mark.index
            )
        if depth >= _DEEPEST:
            raise _UnreadableError("bounds", f"its aliases nest it more than {_DEEPEST} deep", node.start_mark.index)
        open_nodes.remove(id(node))
        done[id(node)] = size, depth + 1
        return done[id(node)]

    visit(root)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    """The nodes below a node; of a mapping, keys and values by turns, and no key twice."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, Span] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _TAG + "merge":
                if key.value in seen:
                    raise _twice(key.value, key, seen[key.value])
                seen[key.value] = (key.start_mark.index, max(key.end_mark.index, value.end_mark.index))
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _twice(name: str, key: yaml.Node, earlier: Span | None = None) -> _UnreadableError:
    return _UnreadableError("duplicate-key", f"the key {name} is there twice", key.start_mark.index, earlier=earlier)


def _locate(node: yaml.Node, path: Path, keys: dict[Path, Span], values: dict[Path, Span]) -> None:
    # an alias stands where its anchor is: one place per node is enough, and bounds the walk
    seen: set[int] = set()
    stack: list[tuple[yaml.Node, Path]] = [(node, path)]
    while stack:
        node, path = stack.pop()
        values[path] = (node.start_mark.index, node.end_mark.index)
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    keys[(*path, key.value)] = (key.start_mark.index, key.end_mark.index)
                    stack.append((value, (*path, key.value)))
        elif isinstance(node, yaml.SequenceNode):
            stack.extend((value, (*path, index)) for index, value in enumerate(node.value))


def _only_python_fails(block: str) -> YamlProblem | None:
    """A tab after a colon: js-yaml and libyaml take it, PyYAML without libyaml, which the client uses, does not."""
    if "\t" not in block or not tabs_outside_text(block):
        return None
    try:
        yaml.compose(block[:_LARGEST_FOR_PURE_PYTHON], Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        if mark and block[mark.index : mark.index + 1] == "\t":
            return YamlProblem("tab", "a tab where YAML wants blanks", mark.index, fatal=False)
    return None


def tabs_outside_text(block: str) -> list[Span]:
    """The runs of tabs in a block that are not in quotes, block scalars or comments."""
    found: list[Span] = []
    behind = 0
    try:
        for token in yaml.scan(block, Loader=LOADER):
            start, end = token.start_mark.index, token.end_mark.index
            plain = isinstance(token, yaml.ScalarToken) and token.plain
            runs = _TABS_OR_COMMENT.finditer(block, behind, max(behind, end if plain else start))
            found += (run.span() for run in runs if run[0][0] == "\t")
            behind = max(behind, end)
    except yaml.YAMLError:
        return found
    return found


def _construct(node: yaml.MappingNode) -> tuple[dict[str, Any] | None, YamlProblem | None]:
    loader = LOADER("")
    try:
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return None, YamlProblem("syntax", _sentence(error), mark.index if mark else 0, fatal=False)
    except _CONSTRUCTION_ERRORS as error:
        return None, YamlProblem("syntax", f"a value cannot be read: {error}", _unbuildable(node), fatal=False)
    finally:
        loader.dispose()
    return {str(key): value for key, value in data.items()}, None


def _unbuildable(root: yaml.Node) -> int:
    """The offset of the first scalar that PyYAML cannot make a value of."""
    loader = LOADER("")
    try:
        for node in _scalars(root, set()):
            try:
                loader.construct_object(node)
            except _CONSTRUCTION_ERRORS:
                return int(node.start_mark.index)
    finally:
        loader.dispose()
    return int(root.start_mark.index)


def _scalars(node: yaml.Node, seen: set[int]) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif id(node) not in seen:
        seen.add(id(node))
        for child in _children(node):
            yield from _scalars(child, seen)


class _JsReader:
    """Values as js-yaml makes them: its own scalar types, and keys that are always strings."""

    def __init__(self, block: str) -> None:
        self._block = block
        self._done: dict[int, Any] = {}

    def mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        """The mapping of `node`, with what `<<` brings in."""
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == _TAG + "merge":
                for parent in self._parents(value):
                    merged = {**self.value(parent), **merged}
            else:
                name = js_key(self.value(key))
                if name in own:
                    raise _twice(name, key)
                own[name] = self.value(value)
        return {**merged, **own}

    def value(self, node: yaml.Node) -> Any:
        """The value of `node`; nodes that aliases share are made once."""
        if id(node) not in self._done:
            if isinstance(node, yaml.MappingNode):
                made: Any = self.mapping(node)
            elif isinstance(node, yaml.SequenceNode):
                made = [self.value(item) for item in node.value]
            elif isinstance(node, yaml.ScalarNode):
                made = self._scalar(node)
            self._done[id(node)] = made
        return self._done[id(node)]

    def _parents(self, node: yaml.Node) -> Iterator[yaml.MappingNode]:
        parents = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for parent in parents:
            if not isinstance(parent, yaml.MappingNode):
                raise _UnreadableError("syntax", "<< wants a mapping to merge", node.start_mark.index)
            yield parent

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text: str = node.value
        if self._has_tag(node):
            try:
                return js_tagged(text, node.tag.removeprefix(_TAG))
            except ValueError as error:
                message = f"{text[:40]!r} is not what its tag says"
                raise _UnreadableError("tag", message, node.start_mark.index) from error
        return text if node.style else js_scalar(text)

    def _has_tag(self, node: yaml.ScalarNode) -> bool:
        """Whether a tag is written; the composer puts one on every node. It stands before or behind an anchor."""
        return bool(_WRITTEN_TAG.match(self._block, node.start_mark.index))
