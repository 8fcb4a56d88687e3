"""Managed regions: the parts of a card's body that hubpub writes, and how it knows its own text again.

A region stands between two comments on lines of their own. The first one holds a hash of what hubpub wrote there:
as long as the text agrees with it, nobody has edited the region, and hubpub may write it anew.

    <!-- hubpub:begin training-results sha256=0123456789abcdef -->
    ...
    <!-- hubpub:end training-results -->

Markers in fenced code are text. Those that make no pair, and names that are there twice, make no region: what stands
between them is a person's.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from hubpub.card.metadata.frontmatter import Lines, find_body
from hubpub.core.pattern import Pattern

_MARKER = Pattern(
    r"[ \t]*(?P<mark><!--[ \t]*hubpub:(?P<edge>begin|end)[ \t]+(?P<name>[a-z0-9-]{1,100})"
    r"(?:[ \t]+sha256=(?P<stamp>[0-9a-f]{16}))?[ \t]*-->)[ \t]*"
)
_ATTEMPT = Pattern(r"<!--[ \t]*hubpub:(?:begin|end)\b(?:[ \t]+([A-Za-z0-9_-]{1,100}))?")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_LINE_END = re.compile(r"\r\n|\r")
_BEGIN, _END = "hubpub:begin", "hubpub:end"
_FENCE = Pattern(r"(?:[ \t]|>|[-*+][ \t]|\d{1,9}[.)][ \t])*(?P<fence>`{3,}(?=[^`]*\Z)|~{3,})(?P<info>.*)")


class Region(NamedTuple):
    """One region of a text, by offsets.

    Attributes:
        name: what the template calls it.
        start: of the line that begins it.
        mark: span of the comment in that line.
        inner: span of what stands between the two lines; it ends in a line end, or is empty.
        end: behind the line that ends it, its line end not counted.
        stamp: the hash in its first comment; None where it has none.
        content: what stands between the two lines.
    """

    name: str
    start: int
    mark: tuple[int, int]
    inner: tuple[int, int]
    end: int
    stamp: str | None
    content: str

    @property
    def is_untouched(self) -> bool:
        """Whether it holds what hubpub wrote there, line ends aside."""
        return self.stamp == content_hash(self.content)


class MarkerProblem(NamedTuple):
    """Markers that make no region.

    Attributes:
        name: the region that they mean; "" when that cannot be told.
        line: 1-based line of the card.
        message: what is wrong, as the end of a sentence that begins with the marker.
    """

    name: str
    line: int
    message: str


class Regions(NamedTuple):
    """The regions of a text.

    Attributes:
        found: by name, in their order.
        problems: the markers that make none, in their order.
        mentioned: every name that a marker has, those in code among them.
        code: the spans of fenced code; of one that is left open, to behind the end of the text.
    """

    found: dict[str, Region]
    problems: tuple[MarkerProblem, ...]
    mentioned: frozenset[str]
    code: tuple[tuple[int, int], ...]


class _Marker(NamedTuple):
    edge: str
    name: str
    stamp: str | None
    line: int
    start: int
    mark: tuple[int, int]
    end: int
    next_line: int


def content_hash(content: str) -> str:
    """The first 16 hex digits of a text's SHA-256; a text with other line ends has the same."""
    return hashlib.sha256(_LINE_END.sub("\n", content).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_regions(text: str) -> Regions:
    """The regions of a card; never raises, whatever the text."""
    markers: list[_Marker] = []
    problems: list[MarkerProblem] = []
    mentioned: set[str] = set()
    code: list[tuple[int, int]] = []
    if "hubpub:" in text:
        _scan(text, markers, problems, mentioned, code)
    often = {name for name, count in Counter(marker.name for marker in markers).items() if count > 2}
    found: dict[str, Region] = {}
    at = 0
    while at < len(markers):
        begin = markers[at]
        end = markers[at + 1] if at + 1 < len(markers) else None
        if begin.name in often:
            problems.append(MarkerProblem(begin.name, begin.line, "is there more than once"))
        elif begin.edge == "end":
            problems.append(MarkerProblem(begin.name, begin.line, "ends a region that was not begun"))
        elif end is None or end.edge == "begin" or end.name != begin.name:
            problems.append(MarkerProblem(begin.name, begin.line, "begins a region that is not ended before the next"))
        else:
            inner = (begin.next_line, end.start)
            found[begin.name] = Region(
                begin.name, begin.start, begin.mark, inner, end.end, begin.stamp, text[inner[0] : inner[1]]
            )
            at += 1
        at += 1
    for name in {problem.name for problem in problems} & found.keys():
        del found[name]
    return Regions(found, tuple(sorted(problems, key=lambda item: item.line)), frozenset(mentioned), tuple(code))


def begin_mark(name: str, content: str) -> str:
    """The comment that begins a region with that content."""
    return f"<!-- {_BEGIN} {name} sha256={content_hash(content)} -->"


def stamp(rendered: str) -> str:
    """A card as the templates make it, with the hash of its content in each region's first comment."""
    parts: list[str] = []
    at = 0
    for region in read_regions(rendered).found.values():
        parts += (rendered[at : region.mark[0]], begin_mark(region.name, region.content))
        at = region.mark[1]
    return "".join((*parts, rendered[at:]))


def lines_of(text: str, start: int) -> Iterator[tuple[int, int, int]]:
    """(start, end without the line end, end) of each line from an offset on."""
    for match in _LINE.finditer(text, start):
        if match.end() > match.start():
            yield match.start(), match.end(1), match.end()


def _scan(
    text: str,
    markers: list[_Marker],
    problems: list[MarkerProblem],
    mentioned: set[str],
    code: list[tuple[int, int]],
) -> None:
    body = find_body(text)
    line = Lines(text[:body]).place(body)[0] - 1
    fence: str | None = None
    opened = 0
    for start, end, following in lines_of(text, body):
        line += 1
        source = text[start:end]
        if fence is None:
            found = _FENCE.match(source) if "```" in source or "~~~" in source else None
            if found:
                fence, opened = found["fence"], start
                continue
        elif _closes(source, fence):
            fence = None
            code.append((opened, end))
            continue
        if _BEGIN not in source and _END not in source:
            continue
        marker = _MARKER.fullmatch(source)
        name = marker["name"] if marker else next((item[1] or "" for item in [_ATTEMPT.search(source)] if item), None)
        if name is None:
            continue  # words about markers
        mentioned.add(name)
        if fence is not None:
            problems.append(MarkerProblem(name, line, "stands in code that begins before it"))
        elif marker is None:
            problems.append(MarkerProblem(name, line, "is not alone on its line, or not written as hubpub writes it"))
        else:
            mark = (start + marker.start("mark"), start + marker.end("mark"))
            markers.append(_Marker(marker["edge"], name, marker["stamp"], line, start, mark, end, following))
    if fence is not None:
        code.append((opened, len(text) + 1))


def _closes(line: str, fence: str) -> bool:
    bare = line.strip(" \t>")
    return len(bare) >= len(fence) and not bare.strip(fence[0])
