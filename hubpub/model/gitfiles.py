"""`.gitattributes` and `.gitignore` at the root of a folder: which lines they have, and which paths they match.

The format is that of https://git-scm.com/docs/gitignore#_pattern_format. A path is compared part by part, so that no
pattern makes the comparison take long.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

LARGEST = 64 << 10
"""Bytes of such a file that are read; real ones have a few kB."""

_LONGEST_PATTERN = 256


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern.

    Attributes:
        line: 1-based line.
        text: the pattern as written.
        parts: what the parts of a path are compared with; "**" stands for any number of them.
        negated: whether it takes back what an earlier pattern matched.
        directory: whether it matches directories only.
    """

    line: int
    text: str
    parts: tuple[str, ...]
    negated: bool
    directory: bool

    def matches(self, path: str) -> bool:
        """Whether it matches the file, or a directory that the file is in."""
        parts = path.split("/")
        ends = range(1, len(parts) + (0 if self.directory else 1))
        return any(_match(self.parts, parts[:end]) for end in ends)


def ignore_patterns(text: str) -> list[Pattern]:
    """The patterns of a `.gitignore`."""
    return [
        pattern
        for number, line in enumerate(text.splitlines(), 1)
        if (pattern := _pattern(line.rstrip(), number)) is not None
    ]


def ignored_by(path: str, patterns: Sequence[Pattern]) -> Pattern | None:
    """The pattern because of which git leaves the file out; the last one that matches decides."""
    decisive = None
    for pattern in patterns:
        if pattern.matches(path):
            decisive = None if pattern.negated else pattern
    return decisive


@dataclass(frozen=True, slots=True)
class Attributes:
    """A `.gitattributes`.

    Attributes:
        rules: each pattern with the attributes that it sets.
        malformed: the lines that set nothing, with their numbers.
    """

    rules: tuple[tuple[Pattern, tuple[str, ...]], ...]
    malformed: tuple[tuple[int, str], ...]

    def is_lfs(self, path: str) -> bool:
        """Whether the file goes to git-LFS; the last rule that says something about it decides."""
        decisive = False
        for pattern, attributes in self.rules:
            said = [attribute for attribute in attributes if attribute.lstrip("-!").partition("=")[0] == "filter"]
            if said and pattern.matches(path):
                decisive = said[-1] == "filter=lfs"
        return decisive


def read_attributes(text: str) -> Attributes:
    """The rules of a `.gitattributes`; macros are left out, as nothing about uploads hangs on them."""
    rules: list[tuple[Pattern, tuple[str, ...]]] = []
    malformed: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        glob, *attributes = line.split() or [""]
        if not glob or glob.startswith(("#", "[attr]", '"')):
            continue
        pattern = _pattern(glob, number)
        if not attributes or pattern is None or pattern.negated:
            malformed.append((number, line.strip()))
        else:
            rules.append((pattern, tuple(attributes)))
    return Attributes(tuple(rules), tuple(malformed))


def _pattern(text: str, line: int) -> Pattern | None:
    body = text
    if not body or body.startswith("#") or len(body) > _LONGEST_PATTERN:
        return None
    negated = body.startswith("!")
    body = body[1:] if negated else body.removeprefix("\\")
    directory = body.endswith("/")
    body = body.rstrip("/")
    if not body:
        return None
    anchored = "/" in body
    parts = body.lstrip("/").split("/")
    return Pattern(line, text, tuple(parts) if anchored else ("**", *parts), negated, directory)


def _match(pattern: tuple[str, ...], parts: Sequence[str]) -> bool:
    """Whether all of `parts` match: the positions in the pattern that can be reached, part by part."""
    reached = _past_stars(pattern, {0})
    for part in parts:
        following = {at for at in reached if at < len(pattern) and pattern[at] == "**"}
        following |= {at + 1 for at in reached if at < len(pattern) and fnmatch.fnmatchcase(part, pattern[at])}
        reached = _past_stars(pattern, following)
    return len(pattern) in reached


def _past_stars(pattern: tuple[str, ...], reached: set[int]) -> set[int]:
    for at in sorted(reached):
        while at < len(pattern) and pattern[at] == "**":
            at += 1
            reached.add(at)
    return reached
