"""Comments in a card that silence rules, where they stand and what they reach.

    <!-- hubpub: ignore[TEXT002] reason -->             findings on the comment's own line
    <!-- hubpub: ignore-next-line[TEXT002, SECT] -->    findings on the next line that says something
    <!-- hubpub: ignore-file[META011] reason -->        findings anywhere in the card, also those without a line
    license: mit  # hubpub: ignore[META012] reason      in the metadata; alone on its line, it means the next one

A comment that is shown to readers as code silences nothing.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from hubpub.card.document import Block, Card
from hubpub.core.findings import Finding
from hubpub.core.pattern import Pattern

_MARK = "hubpub:"
_MOST = 500  # of which each is compared with each finding
_INDENT = 200
_FURTHEST = 50
_OPENING = Pattern(r"<!--[ \t]{0,20}\Z")
_DIRECTIVE = Pattern(r"[ \t]*([A-Za-z-]*)[ \t]*(?:\[([^\[\]\r\n]{0,1000})\])?")
_YAML_COMMENT = Pattern(r"(?:^|(?<=[ \t\r\n]))#[ \t]*hubpub:([^\r\n]*)", re.MULTILINE)
_CODE_OR_COMMENT = Pattern(r"<!--|\\?`+")
_REACHES = ("ignore", "ignore-next-line", "ignore-file")


class Ignore(NamedTuple):
    """One such comment.

    Attributes:
        words: what it names: codes, prefixes of codes, names, or ALL.
        first: first line that it reaches; 0 for the whole file.
        last: last line that it reaches.
        start: offset of the comment in the card.
        end: offset behind it.
        brackets: offsets of what stands between the brackets; None when there are none.
        problem: why it silences nothing, such as a word that is misspelt; None when it can be understood.
    """

    words: tuple[str, ...]
    first: int
    last: int
    start: int
    end: int
    brackets: tuple[int, int] | None
    problem: str | None = None

    def reaches(self, finding: Finding) -> bool:
        """Whether the finding stands where the comment reaches."""
        return self.first == 0 or (finding.line is not None and self.first <= finding.line <= self.last)


def silences(ignore: Ignore, word: str, finding: Finding) -> bool:
    """Whether this word of the comment silences the finding."""
    if not ignore.reaches(finding):
        return False
    return word.upper() == "ALL" or finding.rule.startswith(word.upper()) or finding.name == word.lower()


def is_silenced(card: Card, finding: Finding) -> bool:
    """Whether a comment of the card silences the finding."""
    by_line = _by_line(card)
    near = chain(by_line.get(0, ()), by_line.get(finding.line, ()) if finding.line else ())
    return any(silences(ignore, word, finding) for ignore in near for word in ignore.words)


@lru_cache(maxsize=8)
def _by_line(card: Card) -> dict[int, list[Ignore]]:
    """The comments by the lines that they reach; 0 for those that reach the whole file."""
    found: dict[int, list[Ignore]] = {}
    for ignore in find_ignores(card):
        for line in range(ignore.first, ignore.last + 1):
            found.setdefault(line, []).append(ignore)
    return found


@lru_cache(maxsize=8)
def find_ignores(card: Card) -> tuple[Ignore, ...]:
    """The comments of a card that are about rules, in their order."""
    if _MARK not in card.text:
        return ()
    return tuple(islice(chain(_in_metadata(card), _in_body(card)), _MOST))


def _in_body(card: Card) -> Iterator[Ignore]:
    found = list(islice(_comments(card), _MOST))
    alone = {
        line
        for start, end in found
        for line in range(card.lines.place(start)[0], card.lines.place(end)[0] + 1)
        if _is_alone(card, start, end)
    }
    for start, end in found:
        first, last = card.lines.place(start)[0], card.lines.place(end)[0]
        following = last + 1
        end_of_search = min(len(card.lines.starts), last + _FURTHEST)
        while following < end_of_search and (following in alone or not _line(card, following).strip()):
            following += 1
        yield from _ignore(card, start, end, card.text.index(_MARK, start) + len(_MARK), (first, last), following)


def _comments(card: Card) -> Iterator[tuple[int, int]]:
    """The span of each HTML comment that begins with the mark and is not shown as code."""
    at = card.front_matter.body_start
    shown_as_code: dict[int, list[tuple[int, int]]] = {}
    while (mark := card.text.find(_MARK, at)) >= 0:
        at = mark + len(_MARK)
        opening = _OPENING.search(card.text[max(0, mark - 24) : mark])
        if not opening:
            continue
        end = card.text.find("-->", at)
        if end < 0:
            return
        start = mark - len(opening[0])
        block = _block_at(card, start)
        if block is None or block.kind == "code":
            continue
        if block.start not in shown_as_code:
            shown_as_code[block.start] = list(_code_spans(card.text[block.start : block.end]))
        spans = shown_as_code[block.start]
        before = bisect_right(spans, (start - block.start, 0)) - 1
        if before < 0 or spans[before][1] <= start - block.start:
            yield start, end + 3
            at = end


def _in_metadata(card: Card) -> Iterator[Ignore]:
    front_matter = card.front_matter
    holders = {path[:length] for path in front_matter.values for length in range(len(path))}
    scalars = [span for path, span in front_matter.values.items() if path not in holders]
    spans = sorted([*scalars, *front_matter.keys.values()])
    for match in _YAML_COMMENT.finditer(front_matter.raw):
        start, end = front_matter.start + match.start(), front_matter.start + len(match[0].rstrip()) + match.start()
        before = bisect_right(spans, (start, len(card.text))) - 1
        if before >= 0 and start < spans[before][1]:
            continue
        line = following = card.lines.place(start)[0]
        last = card.lines.place(front_matter.end)[0]
        if _is_alone(card, start, end):
            following += 1
            while following < last and _line(card, following).lstrip()[:1] in ("", "#"):
                following += 1
        yield from _ignore(card, start, end, front_matter.start + match.start(1), (following, following), line + 1)


def _ignore(
    card: Card, start: int, end: int, behind_mark: int, own: tuple[int, int], following: int
) -> Iterator[Ignore]:
    """The comment, if it is about rules: gaps have the same mark."""
    directive = _DIRECTIVE.match(card.text, behind_mark, end)
    if directive is None or not difflib.get_close_matches(directive[1].lower(), _REACHES, n=1, cutoff=0.75):
        return
    name, inside = directive[1].lower(), directive[2]
    words = tuple(word.strip() for word in (inside or "").split(",") if word.strip())
    brackets = directive.span(2) if inside is not None else None
    problem = None
    if name not in _REACHES:
        problem = f"there is no instruction {name}; write {', '.join(_REACHES)}"
    elif not words:
        problem = f"{name} names no rule"
    first, last = {"ignore-file": (0, 0), "ignore-next-line": (following, following)}.get(name, own)
    yield Ignore(() if problem else words, first, last, start, end, brackets, problem)


def _is_alone(card: Card, start: int, end: int) -> bool:
    """Whether nothing else stands on the lines of a span."""
    first, last = card.lines.place(start)[0], card.lines.place(end)[0]
    before = card.text[max(card.lines.start(first), start - _INDENT) : start]
    behind = card.text[end : min(card.lines.start(last + 1), end + _INDENT)]
    return not (before + behind).strip()


def _line(card: Card, number: int) -> str:
    return card.text[card.lines.start(number) : card.lines.start(number + 1)]


def _block_at(card: Card, offset: int) -> Block | None:
    index = bisect_right(card.blocks, offset, key=lambda block: block.start) - 1
    # a block in a list or a quote begins on the line of what holds it
    return next((block for block in reversed(card.blocks[max(0, index - 3) : index + 1]) if offset < block.end), None)


def _code_spans(source: str) -> Iterator[tuple[int, int]]:
    """The code spans of a paragraph: what begins first, a span or a comment, wins."""
    runs = [(match.start(), match[0]) for match in _CODE_OR_COMMENT.finditer(source)]
    closing: dict[int, list[int]] = {}
    for start, run in runs:
        if run != "<!--":
            ticks = run.lstrip("\\")
            closing.setdefault(len(ticks), []).append(start + len(run) - len(ticks))
    at = 0
    for start, run in runs:
        if start < at or run.startswith("\\"):
            continue
        if run == "<!--":
            end = source.find("-->", start)
            at = end + 3 if end >= 0 else len(source)
            continue
        candidates = closing[len(run)]
        index = bisect_right(candidates, start)
        if index < len(candidates):
            at = candidates[index] + len(run)
            yield start, at
