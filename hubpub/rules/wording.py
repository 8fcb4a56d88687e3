"""How rules put into words what is wrong with a file of weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hubpub.core.findings import Problem
from hubpub.core.wording import counted

if TYPE_CHECKING:
    from hubpub.model.safetensors import HeaderProblem


def malformed(path: str, problems: Sequence[HeaderProblem]) -> Iterator[Problem]:
    """The first problem of a file, with its place, and how many more there are; nothing when there are none."""
    if problems:
        first, more = problems[0], len(problems) - 1
        at = f" (at byte {first.offset:,})" if first.offset else ""
        rest = f", and {counted(more, 'more problem')}" if more else ""
        yield Problem(f"{path} {first.message}{at}{rest}", path=path, tensor=first.tensor)
