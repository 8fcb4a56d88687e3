"""BibTeX as cards have it: entries, and the first thing in each that a reader of BibTeX stumbles over.

One pass over the text; the grammar is that of BibTeX's own reader (https://tug.ctan.org/info/bibtex/tamethebeast),
without what nobody writes in a card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from hubpub.core.pattern import Pattern

BibtexFault: TypeAlias = Literal["unclosed", "no-key", "no-comma", "no-value", "unknown-type"]

# Of BibTeX, biblatex and the styles that publishers ask for.
KNOWN_TYPES = frozenset(
    [
        "article",
        "artwork",
        "audio",
        "bibnote",
        "book",
        "bookinbook",
        "booklet",
        "collection",
        "commentary",
        "comment",
        "conference",
        "dataset",
        "electronic",
        "image",
        "inbook",
        "incollection",
        "inproceedings",
        "inreference",
        "jurisdiction",
        "legal",
        "legislation",
        "letter",
        "manual",
        "mastersthesis",
        "misc",
        "movie",
        "music",
        "mvbook",
        "mvcollection",
        "mvproceedings",
        "mvreference",
        "online",
        "patent",
        "performance",
        "periodical",
        "phdthesis",
        "preamble",
        "proceedings",
        "reference",
        "report",
        "review",
        "software",
        "standard",
        "string",
        "suppbook",
        "suppcollection",
        "suppperiodical",
        "techreport",
        "thesis",
        "unpublished",
        "video",
        "webpage",
        "website",
        "www",
        "inproc",
        "journal",
        "preprint",
    ]
)
_NO_ENTRIES = ("comment", "preamble", "string")

_ENTRY = Pattern(r"^[ \t]*@[ \t]*(?P<type>[A-Za-z]{2,30})[ \t]*(?P<open>[{(])", re.MULTILINE)
_KEY = Pattern(r"\s*(?P<key>[^\s,{}()=\"%#]{0,200})\s*(?P<next>[,=}){\"]?)")
_FIELD = Pattern(r"\s*(?P<name>[A-Za-z][\w.:+/-]{0,60})\s*=\s*")
_BARE = Pattern(r"[\w.:+/-]+")
_COMMAS = Pattern(r"(?:,|\s|%[^\n]*)*")
# A field inside the value of another one, whose closing brace was forgotten.
_SWALLOWED = Pattern(r",\s*[A-Za-z]{2,30}\s*=\s*[{\"]")
_SKIPPED = Pattern(r"(?:\s|%[^\n]*)*")


class BibtexEntry(NamedTuple):
    """One entry.

    Attributes:
        type: as it stands there, without the @.
        key: as it stands there.
        start: the index of the @.
        end: the index behind the entry, or where reading stopped.
        fault: what is wrong; None when the entry is whole.
        at: where that is.
        field: the field that it concerns, if there is one.
        depth: how many braces are still open at the end of the text, when the entry is not closed.
    """

    type: str
    key: str
    start: int
    end: int
    fault: BibtexFault | None = None
    at: int = 0
    field: str = ""
    depth: int = 0


def read_bibtex(text: str) -> Iterator[BibtexEntry]:
    """The entries of a text, in order; what stands between them is left alone."""
    at = 0
    while (found := _ENTRY.search(text, at)) is not None:
        entry = _read(text, found)
        yield entry
        at = max(entry.end, found.end())


def _read(text: str, found: re.Match[str]) -> BibtexEntry:
    kind, start = found["type"], found.start() + found[0].index("@")
    closing = "}" if found["open"] == "{" else ")"
    if kind.casefold() in _NO_ENTRIES:
        end, depth = _skip_group(text, found.end(), 1, closing)
        return BibtexEntry(kind, "", start, end, "unclosed" if depth else None, start, depth=depth)
    unknown = kind.casefold() not in KNOWN_TYPES
    key = _KEY.match(text, found.end())
    if key is None or (key["next"] == "=" or not key["key"]):
        end, _ = _skip_group(text, found.end(), 1, closing)
        return BibtexEntry(kind, "", start, end, "no-key", found.end())
    faults: list[tuple[BibtexFault, int, str]] = [("unknown-type", start, "")] if unknown else []
    at, name, last = key.end("key"), "", (0, 0)
    while True:
        at = _end_of_blank(text, at)
        if at >= len(text):
            if _SWALLOWED.search(text, *last):
                return BibtexEntry(kind, key["key"], start, at, "unclosed", last[0], name, 2)
            return BibtexEntry(kind, key["key"], start, at, "unclosed", start, name, 1)
        if text[at] == closing:
            return _whole(kind, key["key"], start, at + 1, faults)
        if text[at] == ",":
            commas = _COMMAS.match(text, at)
            at = commas.end() if commas else at + 1
            if at >= len(text) or text[at] == closing:
                continue
        elif not faults:
            faults.append(("no-comma", _end_of_content(text, at), name))
        field = _FIELD.match(text, at)
        if field is None:
            faults = faults or [("no-value", at, name)]
            at, depth = _skip_group(text, at, 1, closing)
            if depth:
                return BibtexEntry(kind, key["key"], start, at, "unclosed", start, name, depth)
            return _whole(kind, key["key"], start, at, faults)
        name = field["name"]
        value, depth = _skip_value(text, field.end())
        if depth:
            return BibtexEntry(kind, key["key"], start, value, "unclosed", field.start("name"), name, depth + 1)
        if value == field.end():
            faults = faults or [("no-value", field.start("name"), name)]
        last, at = (field.start("name"), value), value


def _whole(kind: str, key: str, start: int, end: int, faults: list[tuple[BibtexFault, int, str]]) -> BibtexEntry:
    fault, at, name = faults[0] if faults else (None, 0, "")
    return BibtexEntry(kind, key, start, end, fault, at, name)


def _end_of_blank(text: str, at: int) -> int:
    found = _SKIPPED.match(text, at)
    return found.end() if found else at


def _end_of_content(text: str, at: int) -> int:
    """The end of what stands before the blanks before `at`."""
    while at > 0 and text[at - 1].isspace():
        at -= 1
    return at


def _skip_value(text: str, at: int) -> tuple[int, int]:
    """Behind a value, whose parts are joined by #; and how many braces of it are never closed."""
    while at < len(text):
        if text[at] == "{":
            at, depth = _skip_group(text, at + 1, 1, "}")
        elif text[at] == '"':
            at, depth = _skip_quoted(text, at + 1)
        else:
            bare = _BARE.match(text, at)
            at, depth = (bare.end() if bare else at), 0
        if depth:
            return at, depth
        behind = _end_of_blank(text, at)
        if text[behind : behind + 1] != "#":
            return at, 0
        at = _end_of_blank(text, behind + 1)
    return at, 0


def _skip_quoted(text: str, at: int) -> tuple[int, int]:
    depth = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
        elif char == '"' and depth <= 0:
            return at + 1, 0
        at += 1
    return len(text), 1


def _skip_group(text: str, at: int, depth: int, closing: str) -> tuple[int, int]:
    """Behind the brace that closes the group; and how many are open at the end of the text, if it never does."""
    opening = "{" if closing == "}" else "("
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == opening:
            depth += 1
        elif char == closing:
            depth -= 1
            if depth == 0:
                return at + 1, 0
        at += 1
    return len(text), depth
