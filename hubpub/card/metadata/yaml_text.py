"""Writing values as YAML that both readers of a card read alike: PyYAML, and the Hub's js-yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from hubpub.card.metadata.js_scalars import js_scalar
from hubpub.card.sanitise import one_line, plain_lines

_LONGEST_LINE = 120


class Paragraphs(str):
    """Text that a person wrote and that keeps its lines; other text becomes one line."""

    __slots__ = ()


def dump(values: Mapping[str, Any] | Sequence[Any]) -> str:
    """Block YAML of `values` in their order, one line per scalar but for `Paragraphs`."""
    return yaml.dump(values, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1 << 20)


def flow(value: Any) -> str:
    """`value` on one line: a scalar as it stands behind a key, a list as [a, b]."""
    text = yaml.dump(
        [value], Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1 << 20, default_flow_style=True
    )
    return text.strip()[1:-1]


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    line = one_line(value)
    style = None if js_scalar(line) == line else '"'  # PyYAML leaves 1e3 bare, which js-yaml reads as a number
    return dumper.represent_scalar("tag:yaml.org,2002:str", line, style=style)


def _paragraphs(dumper: yaml.SafeDumper, value: Paragraphs) -> yaml.ScalarNode:
    text = plain_lines(value)
    style = "|" if "\n" in text or len(text) > _LONGEST_LINE else None if js_scalar(text) == text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Paragraphs, _paragraphs)
