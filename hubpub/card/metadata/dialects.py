"""What the readers of a card's metadata read differently: the Python client (PyYAML, YAML 1.1), the Hub (js-yaml 4).

`language: no` is false to the one and Norwegian to the other, `revision: 5503434551203435` digits to both and text to
neither. What only one of them can read at all (a tab, a duplicate key) is the block's problem, and a difference too.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

from hubpub.card.metadata.frontmatter import FrontMatter
from hubpub.card.metadata.yaml_block import Path, Span

Cause: TypeAlias = Literal["boolean", "number", "time", "date", "tab", "duplicate-key", "other"]

UNREADABLE = "cannot be read"
"""The reading of whoever cannot read the value."""


class Difference(NamedTuple):
    """A value that the two read differently.

    Attributes:
        path: of the value; empty when it is the block that one of them cannot read.
        span: where it stands in the card.
        python: as PyYAML reads it.
        hub: as js-yaml reads it; a date as JavaScript writes it.
        cause: what the difference comes from.
    """

    path: Path
    span: Span
    python: Any
    hub: Any
    cause: Cause


@lru_cache(maxsize=8)
def differences(front_matter: FrontMatter) -> tuple[Difference, ...]:
    """Every value that the two read differently, in the order of the text."""
    found = [*_values(front_matter), *_problem(front_matter)]
    return tuple(sorted(found, key=lambda difference: difference.span))


def value_at(data: Any, path: Path) -> Any:
    """What stands at `path`; None where there is nothing, or the path goes through a key that is no text."""
    for part in path:
        if isinstance(data, dict) and isinstance(part, str):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _values(front_matter: FrontMatter) -> Iterator[Difference]:
    if front_matter.data is None or front_matter.hub_data is None:
        return
    for path, span in front_matter.values.items():
        python, hub = value_at(front_matter.data, path), value_at(front_matter.hub_data, path)
        if isinstance(python, (dict, list)) or isinstance(hub, (dict, list)):
            continue
        if isinstance(python, datetime.date) and isinstance(hub, datetime.date):
            yield Difference(path, span, python, f"{hub.isoformat()}T00:00:00.000Z", "date")
        elif python != hub and not (python != python and hub != hub):
            yield Difference(path, span, python, hub, _cause(python, hub))


def _cause(python: Any, hub: Any) -> Cause:
    if isinstance(python, bool) or isinstance(hub, bool):
        return "boolean"
    if isinstance(python, datetime.date) or isinstance(hub, datetime.date):
        return "date"
    if isinstance(hub, str) and ":" in hub:
        return "time"
    return "number" if isinstance(python, (int, float)) or isinstance(hub, (int, float)) else "other"


def _problem(front_matter: FrontMatter) -> Iterator[Difference]:
    problem = front_matter.problem
    if problem is None:
        return
    span = (problem.offset, problem.offset + 1)
    if problem.kind == "duplicate-key":
        yield Difference((), span, "the last of them", UNREADABLE, "duplicate-key")
    elif not problem.fatal and front_matter.found:
        yield Difference((), span, UNREADABLE, "a value", "tab" if problem.kind == "tab" else "other")
