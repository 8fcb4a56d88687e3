"""The YAML block at the top of a card: where it is, what it says, and why it cannot be read when it cannot."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hubpub.card.metadata.yaml_block import Path, Span, YamlProblem, read_yaml
from hubpub.core.pattern import Pattern

# The Hub's own expression, see REGEX_YAML_BLOCK in
# https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/repocard.py. In JavaScript, where the
# Hub runs it, \s also matches a byte order mark, but no separators of ASCII, and $ only the very end.
_JS_BLANK = r"[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
_BLOCK = Pattern(rf"({_JS_BLANK}*---(?:\r\n|\r|\n))([\S\s]*?)((?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|\Z))")
_LINE_END = Pattern(r"\r\n|\r|\n")

# Only the first part of a card is searched for a block that the Hub would not see.
_SEARCHED = 1 << 13
_FENCE = Pattern(r"^[ \t\ufeff]*-{3,}[ \t]*(?=[\r\n]|\Z)", re.MULTILINE)
_KEY = Pattern(r"[A-Za-z][\w-]*[ \t]*:(?:\s|\Z)")
_HUB_KEY = Pattern(
    r"^[ \t]*(?:license|language|tags|datasets|metrics|base_model|pipeline_tag|library_name|widget|model-index"
    r"|thumbnail)[ \t]*:(?:\s|\Z)",
    re.MULTILINE,
)
_CODE_FENCE = Pattern(r"^[ \t]*(?:```|~~~)", re.MULTILINE)


class Lines:
    """Lines and columns of a text, 1-based, by offset. A line ends at CR LF, CR or LF, as in Markdown."""

    def __init__(self, text: str) -> None:
        self.starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._length = len(text)

    def start(self, line: int) -> int:
        """The offset at which a line begins; behind the last one, the length of the text."""
        return self.starts[line - 1] if line <= len(self.starts) else self._length

    def place(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1


class FrontMatterProblem(NamedTuple):
    """Why a block cannot be read.

    Attributes:
        kind: that of a `YamlProblem`, or "not-recognised": the text has a block that the Hub does not see.
        message: what is wrong, in a few words.
        line: 1-based line in the card.
        column: 1-based column in that line.
        fatal: whether the Hub rejects the card; it takes a card with a block that it does not see.
        offset: of that place in the card.
        earlier: of a duplicate key, the span of the entry that is there before, in the card.
    """

    kind: str
    message: str
    line: int
    column: int
    fatal: bool = True
    offset: int = 0
    earlier: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FrontMatter:
    """The block, or the lack of one. Two are equal when they are the same object.

    Attributes:
        found: whether the Hub sees a block.
        raw: the text between the fences.
        start: offset of `raw` in the card.
        end: offset behind `raw`.
        body_start: offset of the first character behind the block.
        first_line: 1-based line on which `raw` begins.
        data: the mapping as the Python client reads it; None when there is none, or it cannot be read.
        hub_data: the mapping as the Hub reads it, in its YAML dialect.
        problem: why it cannot be read.
        keys: the span of each key in the card, by its path.
        values: the span of each value in the card, by its path.
    """

    found: bool = False
    raw: str = ""
    start: int = 0
    end: int = 0
    body_start: int = 0
    first_line: int = 1
    data: dict[str, Any] | None = None
    hub_data: dict[str, Any] | None = None
    problem: FrontMatterProblem | None = None
    keys: Mapping[Path, Span] = field(default_factory=dict)
    values: Mapping[Path, Span] = field(default_factory=dict)

    def offset_of(self, path: Path) -> int:
        """Where the value at `path` begins, or the deepest part of the path that the block holds."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.values:
                return self.values[path[:length]][0]
        return self.start


def read_front_matter(text: str, lines: Lines | None = None) -> FrontMatter:
    """The front matter of a card; never raises, whatever the text."""
    lines = lines or Lines(text)
    match = _BLOCK.match(text)
    if not match:
        return FrontMatter(problem=_overlooked(text, lines))
    start, end = match.span(2)
    reading = read_yaml(match[2])
    return FrontMatter(
        found=True,
        raw=match[2],
        start=start,
        end=end,
        body_start=match.end(),
        first_line=lines.place(start)[0],
        data=reading.data,
        hub_data=reading.hub_data,
        problem=_located(reading.problem, start, lines) if reading.problem else None,
        keys=_moved(reading.keys, start),
        values=_moved(reading.values, start),
    )


def find_body(text: str) -> int:
    """The offset behind the front matter that the Hub sees, and behind a byte order mark; nothing of it is read."""
    match = _BLOCK.match(text)
    return match.end() if match else len(text) - len(text.removeprefix("\ufeff"))


def stays_readable(before: str, after: str) -> bool:
    """Whether a changed card's metadata can be read by everybody who could read them before."""
    old, new = read_front_matter(before), read_front_matter(after)
    return (
        (old.data is None or new.data is not None)
        and (old.hub_data is None or new.hub_data is not None)
        and (new.problem is None or old.problem is not None)
    )


def _moved(spans: Mapping[Path, Span], by: int) -> dict[Path, Span]:
    return {path: (start + by, end + by) for path, (start, end) in spans.items()}


def _located(problem: YamlProblem, start: int, lines: Lines) -> FrontMatterProblem:
    line, column = lines.place(start + problem.offset)
    earlier = problem.earlier and (start + problem.earlier[0], start + problem.earlier[1])
    return FrontMatterProblem(
        problem.kind, problem.message, line, column, problem.fatal, start + problem.offset, earlier
    )


def _overlooked(text: str, lines: Lines) -> FrontMatterProblem | None:
    """The block that somebody wrote and the Hub does not see, if the text has one."""
    head = text[:_SEARCHED]

    def problem(kind: str, message: str, offset: int) -> FrontMatterProblem:
        line, column = lines.place(offset)
        return FrontMatterProblem(kind, message, line, column, fatal=False, offset=offset)

    for fence in _FENCE.finditer(head):
        before = head[: fence.start()]
        inside = head[fence.end() :].lstrip("\r\n")
        at_top = not before.strip("\ufeff \t\r\n")
        if at_top and re.match(r"---[ \t]*(?:\r\n|\r|\n|\Z)", inside):
            return problem("empty", "it holds nothing", fence.start())
        closing = _FENCE.search(inside)
        block = inside[: closing.start()] if closing else inside
        in_code = len(_CODE_FENCE.findall(before)) % 2
        if not in_code and _KEY.match(inside.lstrip(" \t")) and _HUB_KEY.search(block):
            if not at_top:
                return closing and problem("not-recognised", "there is text before it", fence.start())
            if fence[0].strip("\ufeff \t") != "---":
                return problem("not-recognised", "its opening fence is not exactly ---", fence.start())
            if fence[0][-1] in " \t":
                return problem("not-recognised", "its opening fence has blanks behind it", fence.start())
            return problem("not-recognised", "it has no closing line of exactly ---", fence.start())
        if at_top:
            return None
    return None
