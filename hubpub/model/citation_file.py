"""CITATION.cff: how the authors of the code want it to be cited, as the fields of a BibTeX entry.

The format: https://github.com/citation-file-format/citation-file-format/blob/main/schema-guide.md
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.core.pattern import Pattern
from hubpub.model.files import Files, Unread, finite, line_of
from hubpub.model.yamlfile import YAML_LIMIT, parse_yaml

_NAME = Pattern(r"CITATION\.cff", re.IGNORECASE, clues=("citation.cff",))
_MOST_AUTHORS = 1000
_DOI = Pattern(r"10\.\d{4,9}(?:\.\d+)*/[-._;()/:<>+\w]{1,200}")
_DATE = Pattern(r"(\d{4})(?:-(\d{1,2})(?:-\d{1,2})?)?")
_WEB = Pattern(r"https?://[^\s{}\\]{1,1000}")
_ENTRY_TYPES = {
    "article": "article",
    "newspaper-article": "article",
    "magazine-article": "article",
    "book": "book",
    "conference-paper": "inproceedings",
    "proceedings": "proceedings",
    "conference": "proceedings",
    "manual": "manual",
    "report": "techreport",
    "pamphlet": "booklet",
    "unpublished": "unpublished",
    "software": "software",
    "software-code": "software",
}


@dataclass(frozen=True, slots=True)
class Citation:
    """What a CITATION.cff asks to be cited.

    Attributes:
        path: of the file.
        part: key in it that holds the entry: "preferred-citation", or "" for the file's own.
        type: of the BibTeX entry: "article", "inproceedings", "software", "misc", ...
        key: a key for the entry, of the first author, the year and the first long word of the title.
        fields: name and value, in the order to write them; nothing in them is escaped for LaTeX.
        license: as the file has it, SPDX by the format.
    """

    path: str
    part: str
    type: str
    key: str
    fields: tuple[tuple[str, str], ...]
    license: str | None = None

    def field(self, name: str) -> str | None:
        """The value of a field."""
        return next((value for field, value in self.fields if field == name), None)


def read_citation(files: Files) -> tuple[Citation | None, tuple[Unread, ...]]:
    """What the first CITATION.cff asks for, the one of the whole folder before those in directories of it."""
    unread: list[Unread] = []
    for entry in sorted(
        files.named(_NAME, total=4 * YAML_LIMIT), key=lambda entry: (entry.path.count("/"), entry.path)
    ):
        document = parse_yaml(files.start(entry.path, YAML_LIMIT + 1))
        citation = parse_citation(document.value, entry.path)
        if citation is not None:
            return citation, tuple(unread)
        unread.append(Unread(entry.path, document.problem or "has no title and authors"))
    return None, tuple(unread)


def parse_citation(document: Any, path: str) -> Citation | None:
    """What the document of such a file asks for; None when it has no title or no authors."""
    if not isinstance(document, dict):
        return None
    license_ = document.get("license")
    if isinstance(license_, list):
        license_ = " OR ".join(str(name) for name in license_[:10] if isinstance(name, str))
    for part in ("preferred-citation", ""):
        entry = document.get(part) if part else document
        if not isinstance(entry, dict):
            continue
        fields = tuple(_fields(entry))
        names = dict(fields)
        if "title" in names and "author" in names:
            kind = entry.get("type")
            known = _ENTRY_TYPES.get(kind, "misc") if isinstance(kind, str) else "misc" if part else "software"
            return Citation(path, part, known, _key(names), fields, line_of(license_, 200))
    return None


def _fields(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if title := line_of(entry.get("title")):
        yield "title", title
    authors = entry.get("authors")
    names = [name for one in (authors[:_MOST_AUTHORS] if isinstance(authors, list) else []) if (name := _author(one))]
    if names:
        yield "author", " and ".join(names)
    year, month = _when(entry)
    if year:
        yield "year", year
    if month:
        yield "month", month
    for name, source in (("journal", "journal"), ("volume", "volume"), ("number", "issue"), ("version", "version")):
        if (value := _short(entry.get(source))) is not None:
            yield name, value
    start, end = _short(entry.get("start")), _short(entry.get("end"))
    if start:
        yield "pages", f"{start}--{end}" if end and end != start else start
    if booktitle := line_of(entry.get("collection-title")) or _name_of(entry.get("conference")):
        yield "booktitle", booktitle
    if publisher := _name_of(entry.get("publisher")):
        yield "publisher", publisher
    if institution := _name_of(entry.get("institution")):
        yield "institution", institution
    if doi := _doi(entry):
        yield "doi", doi
    links = (entry.get(name) for name in ("url", "repository-code", "repository"))
    if url := next((link.strip() for link in links if isinstance(link, str) and _WEB.fullmatch(link.strip())), None):
        yield "url", url


def _author(author: Any) -> str | None:
    """A person as "particle Family, suffix, Given", anything else in braces so that BibTeX does not take it apart."""
    if not isinstance(author, dict):
        return None
    family = " ".join(filter(None, (line_of(author.get(name), 200) for name in ("name-particle", "family-names"))))
    given, suffix = line_of(author.get("given-names"), 200), line_of(author.get("name-suffix"), 50)
    if family:
        return ", ".join(filter(None, (family, suffix, given)))
    name = given or line_of(author.get("name"), 200) or line_of(author.get("alias"), 200)
    return f"{{{name}}}" if name else None


def _when(entry: Mapping[str, Any]) -> tuple[str | None, str | None]:
    year, month = _short(entry.get("year")), _short(entry.get("month"))
    if year is None:
        date = entry.get("date-published", entry.get("date-released"))
        text = date.isoformat() if isinstance(date, datetime.date) else _short(date) or ""
        found = _DATE.match(text)
        year, month = (found[1], found[2] and str(int(found[2]))) if found else (None, None)
    return year, month


def _doi(entry: Mapping[str, Any]) -> str | None:
    identifiers = entry.get("identifiers")
    listed = [
        one.get("value")
        for one in (identifiers[:100] if isinstance(identifiers, list) else [])
        if isinstance(one, dict) and one.get("type") == "doi"
    ]
    for text in (entry.get("doi"), *listed):
        if isinstance(text, str) and (found := _DOI.search(text[:400])):
            return found[0]
    return None


def _name_of(entity: Any) -> str | None:
    return line_of(entity.get("name")) if isinstance(entity, dict) else None


def _short(value: Any) -> str | None:
    number = finite(value)
    return line_of(value, 200) if number is None else f"{number:.15g}"


def _key(fields: Mapping[str, str]) -> str:
    first = re.split(r",| and ", fields["author"].strip("{}"))[0].split() or [""]
    word = next((word for word in re.findall(r"\w+", fields["title"]) if len(word) > 3), "")
    plain = unicodedata.normalize("NFKD", first[-1] + fields.get("year", "") + word)
    return re.sub(r"[^a-z0-9]", "", plain.casefold())[:60] or "citation"
