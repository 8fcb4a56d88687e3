"""Regular expressions that are compiled when they are first used.

The rules about cards have some hundreds of them. Compiling all of them takes several times as long as linting a card,
and most cards have nothing that most of them look for.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any


class Pattern:
    """What `re.compile` would return, with its methods.

    With clues, a text is first looked through for them, which costs next to nothing: where none of them stands, the
    expression is not even compiled. So every match has to hold one of the clues, as it is written; in lower case for
    an expression that ignores case.
    """

    def __init__(self, source: str, flags: int = 0, *, clues: tuple[str, ...] = ()) -> None:
        self.source = source
        self._flags = flags
        self.clues = clues
        self._ignores_case = bool(flags & re.IGNORECASE)

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The compiled expression."""
        return re.compile(self.source, self._flags)

    def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """The first match."""
        return self.compiled.search(text, start, end) if self._may_match(text, start) else None

    def match(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """The match at the start."""
        return self.compiled.match(text, start, end) if self._may_match(text, start) else None

    def fullmatch(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """The match that is the whole text."""
        return self.compiled.fullmatch(text, start, end) if self._may_match(text, start) else None

    def finditer(self, text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[re.Match[str]]:
        """Every match."""
        return self.compiled.finditer(text, start, end) if self._may_match(text, start) else iter(())

    def findall(self, text: str) -> list[Any]:
        """The texts of every match, or of its groups."""
        return self.compiled.findall(text) if self._may_match(text) else []

    def sub(self, new: str | Callable[[re.Match[str]], str], text: str, count: int = 0) -> str:
        """The text with every match replaced."""
        return self.compiled.sub(new, text, count) if self._may_match(text) else text

    def split(self, text: str, maxsplit: int = 0) -> list[Any]:
        """The text, divided at every match."""
        return self.compiled.split(text, maxsplit) if self._may_match(text) else [text]

    def _may_match(self, text: str, start: int = 0) -> bool:
        if not self.clues or start:  # who looks at parts of a text, one by one, would have all of it looked through
            return True
        searched = text.lower() if self._ignores_case else text
        return any(clue in searched for clue in self.clues)
