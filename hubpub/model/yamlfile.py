"""YAML that somebody else wrote, read within bounds: its size, its depth, and what its aliases stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

YAML_LIMIT = 1 << 20
"""Bytes that a YAML file may have; training configurations have some kB."""

_DEEPEST = 40
_MOST_VALUES = 100_000
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# A tagged scalar is taken for what its tag says: `!!int ""`, `!!timestamp x`.
_ERRORS = (yaml.YAMLError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A YAML file as read.

    Attributes:
        value: what it holds, as PyYAML's safe loader makes it; None when it cannot be read.
        problem: why not, as the end of a sentence that begins with the name of the file.
    """

    value: Any = None
    problem: str | None = None


def parse_yaml(data: bytes) -> YamlFile:
    """Read the first document of a YAML file."""
    if len(data) > YAML_LIMIT:
        return YamlFile(problem=f"is larger than {YAML_LIMIT:,} bytes")
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        problem = _too_much(text)
        if problem is not None:
            return YamlFile(problem=problem)
        loader = _LOADER(text)
        try:
            return YamlFile(loader.get_data() if loader.check_data() else None)
        finally:
            loader.dispose()
    except _ERRORS as error:
        problem = getattr(error, "problem", None) or str(error)
        return YamlFile(problem=f"is not YAML: {' '.join(problem.split())[:200]}")


def _too_much(text: str) -> str | None:
    """What is beyond the bounds of the first document, before anything is built of it."""
    sizes: dict[str, tuple[int, int]] = {}  # what an anchor stands for: values, levels
    open_anchors: list[str | None] = []
    values, levels = [0], [0]
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentEndEvent):
            return None
        if isinstance(event, yaml.CollectionStartEvent):
            open_anchors.append(event.anchor)
            values.append(1)
            levels.append(1)
            if len(levels) > _DEEPEST:
                return f"is nested more than {_DEEPEST} deep"
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            size, depth, anchor = values.pop(), levels.pop(), open_anchors.pop()
        elif isinstance(event, yaml.ScalarEvent):
            size, depth, anchor = 1, 0, event.anchor
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                return "has an alias to what it is part of, or to nothing"
            (size, depth), anchor = sizes[event.anchor], None
        else:
            continue
        if anchor is not None:
            sizes[anchor] = size, depth
        values[-1] += size
        levels[-1] = max(levels[-1], depth + 1)
        if values[-1] > _MOST_VALUES:
            return f"holds more than {_MOST_VALUES:,} values"
        if len(levels) + depth > _DEEPEST:
            return f"is nested more than {_DEEPEST} deep"
    return None
