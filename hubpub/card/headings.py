"""What a heading means: which section of a profile, by synonyms in several languages, and under which conditions.

A heading is compared without its numbering, symbols, emoji, accents and asides. `*` in a synonym stands for any
characters. Some headings mean a section only when code or a table stands under them ("Examples"), or only outside
another section ("Overview" below "Training data" is no overview of the model).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from itertools import islice
from typing import Any, NamedTuple

from hubpub.card.hub_lists import read_data
from hubpub.core.pattern import Pattern

_COMPOUND = Pattern(r"\b(pre|fine|hyper|quick)[- ](?=train|tun|param|start)")
_NUMBERING = Pattern(r"^(?:\(?\d+(?:\.\d+)*[.):]?|[ivx]{1,4}[.)]|[a-h][.)]|第?[一二三四五六七八九十]{1,3}[章节節]?)\s+")
_ASIDE = Pattern(r"\[(?:optional|todo|tbd)\]|\((?:optional|todo[^)]*|tbd)\)")
_ACCENTED = Pattern(r"[\u00c0-\u024f\u1e00-\u1eff]")
# scripts without an own word for "and" between the languages of one heading: "模型介绍 Introduction"
_EAST_ASIAN = Pattern(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af][\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\s]*")
_LONGEST_HEADING = 300
# a sentence that ends in a synonym does not name a section
_LONGEST_NAME = 80
_MOST_EXAMPLES = 3


class Globs:
    """Synonyms, most of them words, or words and a `*` at one end: no expression of thousands of words is compiled."""

    def __init__(self, globs: Iterable[str]) -> None:
        exact, prefixes, suffixes, others, clues = set(), [], [], [], []
        for glob in map(_folded, globs):
            if "*" not in glob:
                exact.add(glob)
            elif glob.find("*") == len(glob) - 1:
                prefixes.append(glob[:-1])
            elif glob.rfind("*") == 0:
                suffixes.append(glob[1:])
            else:
                others.append(re.escape(glob).replace(r"\*", ".{0,60}"))
                clues.append(max(glob.split("*"), key=len))
        self._exact = frozenset(exact)
        self._prefixes, self._suffixes = tuple(prefixes), tuple(suffixes)
        self._others = Pattern("|".join(others), clues=tuple(clues)) if others else None

    def match(self, plain: str) -> bool:
        """Whether one of them is the whole of a normalised heading."""
        if plain in self._exact or plain.startswith(self._prefixes):
            return True
        if len(plain) > _LONGEST_NAME:
            return False
        return plain.endswith(self._suffixes) or bool(self._others and self._others.fullmatch(plain))


class Content(NamedTuple):
    """What stands under a heading, for synonyms that depend on it."""

    code: bool = False
    table: bool = False


NO_CONTENT = Content()


@dataclass(frozen=True)
class Synonyms:
    """The headings that mean one section.

    Attributes:
        languages: headings by language; those that come first are given as examples.
        but_not: headings that they do not mean.
        with_code: headings that count when there is code under them.
        without_code: headings that count when there is none.
        with_table: headings that count when there is a table under them.
        nested_elsewhere: of all these, the ones that do not count inside another section.
        not_inside: the ids of those sections; every other one when empty.
    """

    languages: tuple[tuple[str, tuple[str, ...]], ...] = ()
    but_not: tuple[str, ...] = ()
    with_code: tuple[str, ...] = ()
    without_code: tuple[str, ...] = ()
    with_table: tuple[str, ...] = ()
    nested_elsewhere: tuple[str, ...] = ()
    not_inside: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Synonyms:
        """The synonyms of an entry of data/sections.json or data/profiles.json."""
        given = entry.get("headings", ())
        languages = given.items() if isinstance(given, Mapping) else [("en", given)]
        return cls(
            languages=tuple((language, tuple(globs)) for language, globs in languages),
            not_inside=frozenset(entry.get("not_inside", ())),
            **{
                name: tuple(entry.get(name, ()))
                for name in ("but_not", "with_code", "without_code", "with_table", "nested_elsewhere")
            },
        )

    def examples(self, language: str) -> tuple[str, ...]:
        """A few headings that count, in that language where there are any."""
        by_language = dict(self.languages)
        globs = by_language.get(language) or by_language.get("en") or ()
        named = (glob.rstrip("*") for glob in globs)
        return tuple(
            islice(
                (f"{name[:1].upper()}{name[1:]}" for name in named if "*" not in name and not name.endswith(" ")),
                _MOST_EXAMPLES,
            )
        )

    def mean(self, plain: str, content: Content, inside: frozenset[str] = frozenset()) -> bool:
        """Whether a normalised heading means the section.

        Args:
            plain: the heading, as `normalised` makes it.
            content: what stands under it.
            inside: the ids of the other sections that it is nested in.
        """
        found = self._always.match(plain) or (
            (content.code and self._with_code.match(plain))
            or (not content.code and self._without_code.match(plain))
            or (content.table and self._with_table.match(plain))
        )
        if not found or self._but_not.match(plain):
            return False
        held = inside & self.not_inside if self.not_inside else inside
        return not (held and self._nested_elsewhere.match(plain))

    def exclude(self, plain: str) -> bool:
        """Whether a normalised heading is one that does not mean the section, whatever is in it."""
        return self._but_not.match(plain)

    def name(self, plain: str) -> bool:
        """Whether a normalised heading is one of the synonyms word for word, as a title would not be by chance."""
        return plain in self._exact

    def language_of(self, plain: str) -> str | None:
        """The language whose synonyms a normalised heading is one of, English before others."""
        return next((language for language, globs in self._by_language if globs.match(plain)), None)

    @cached_property
    def _by_language(self) -> tuple[tuple[str, Globs], ...]:
        return tuple((language, Globs(globs)) for language, globs in self.languages)

    @cached_property
    def _always(self) -> Globs:
        return Globs(glob for _, globs in self.languages for glob in globs)

    @cached_property
    def _but_not(self) -> Globs:
        return Globs(self.but_not)

    @cached_property
    def _with_code(self) -> Globs:
        return Globs(self.with_code)

    @cached_property
    def _without_code(self) -> Globs:
        return Globs(self.without_code)

    @cached_property
    def _with_table(self) -> Globs:
        return Globs(self.with_table)

    @cached_property
    def _nested_elsewhere(self) -> Globs:
        return Globs(self.nested_elsewhere)

    @cached_property
    def _exact(self) -> frozenset[str]:
        globs = [glob for _, globs in self.languages for glob in globs]
        return frozenset(_folded(glob.replace("*", " ")).strip() for glob in (*globs, *self.with_code))


class Heading(NamedTuple):
    """A heading in the forms that synonyms are compared with.

    Attributes:
        plain: all of it.
        parts: what stands for itself in it, when it names several things: both languages, or both sides of an "and".
    """

    plain: str
    parts: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def read_heading(heading: str) -> Heading:
    """A heading in its forms."""
    plain = normalised(heading)
    # compiling the ranges of these scripts takes as long as a small card
    latin = plain if plain.isascii() else " ".join(_EAST_ASIAN.sub(" ", plain).split())
    if latin and latin != plain:
        eastern = (part.strip() for part in _EAST_ASIAN.findall(plain))
        return Heading(plain, (latin, *eastern))
    parts = tuple(part for part in plain.split(" and ") if part)
    return Heading(plain, parts if len(parts) > 1 else ())


def normalised(heading: str) -> str:
    """A heading without numbering, symbols, accents, emoji and asides, in lower case, `&` written as "and"."""
    text = html.unescape(unicodedata.normalize("NFKC", heading[:_LONGEST_HEADING])).casefold()
    text = _ASIDE.sub(" ", text)
    for mark in "&/|":
        text = text.replace(mark, " and ")
    text = "".join(char if _is_wanted(char) else " " for char in text.replace("’", "'"))
    text = _NUMBERING.sub("", " ".join(text.split()))
    text = _folded(_COMPOUND.sub(r"\1", text)).replace("(", " ").replace(")", " ")
    return " ".join(text.split()).strip(" .'")


def is_other_section(heading: str) -> bool:
    """Whether a heading stands for itself, and means none of the required sections: Citation, Licence, Contact."""
    return bool(_others().match(normalised(heading)))


@cache
def _others() -> Globs:
    return Globs(read_data("sections.json")["others"])


def _folded(text: str) -> str:
    """Without accents on Latin letters, which many leave out, and commas, and with blanks for hyphens."""
    text = text.casefold()
    if not text.isascii():
        text = _ACCENTED.sub(_without_accent, text)
    return text.replace("-", " ").replace(", ", " ")


def _without_accent(letter: re.Match[str]) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", letter[0]) if not unicodedata.combining(char))


def _is_wanted(char: str) -> bool:
    # not the marks of an emoji: its variant, and the box of a keycap
    return char in " '-.()" or (unicodedata.category(char)[0] in "LMN" and char not in "\ufe0f\u20e3")
