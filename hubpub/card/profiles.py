"""Profiles: which sections and fields a card is asked for; by default the seven sections of the Hugging Face course."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

from hubpub.card.headings import NO_CONTENT, Synonyms, normalised, read_heading
from hubpub.card.hub_lists import read_data
from hubpub.core.errors import UsageError

DEFAULT_PROFILE = "course-7"
ENOUGH_WORDS = 15


@dataclass(frozen=True)
class RequiredSection:
    """A section that a card is asked for. Two are equal when id and title are.

    Attributes:
        id: its name in gaps, settings and reports, kebab-case.
        title: its heading.
        synonyms: the headings that mean it.
        optional: whether a card may do without it.
        link_is_enough: whether a link to where the matter is described fills it.
        enough_words: how many words fill it.
        metadata: keys of the metadata that stand for it.
        title_counts: whether the card's title stands for it.
        told_by: the code of the rule that reports its lack; empty for the rule about sections.
    """

    id: str
    title: str
    synonyms: Synonyms = field(default_factory=Synonyms)
    optional: bool = False
    link_is_enough: bool = False
    enough_words: int = ENOUGH_WORDS
    metadata: tuple[str, ...] = ()
    title_counts: bool = False
    told_by: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RequiredSection) and (self.id, self.title) == (other.id, other.title)

    def __hash__(self) -> int:
        return hash((self.id, self.title))


class RequiredField(NamedTuple):
    """A single value that a card is asked for: "- **Release date:** 2026-11-22", a row of a table, a section, a key.

    Attributes:
        id: its name, kebab-case.
        title: its label.
        labels: labels and headings that mean it, as in `Synonyms`.
        metadata: keys of the metadata that stand for it, with dots between the parts of a path.
        prose: an expression for what says it in running text; empty for none.
    """

    id: str
    title: str
    labels: tuple[str, ...]
    metadata: tuple[str, ...] = ()
    prose: str = ""


@dataclass(frozen=True, eq=False)
class Profile:
    """What a card is asked for. Two profiles are equal when they are the same object.

    Attributes:
        name: as settings name it.
        title: in words.
        source: where it comes from, a link.
        sections: the sections, in their order.
        fields: single values.
    """

    name: str
    title: str
    source: str
    sections: tuple[RequiredSection, ...]
    fields: tuple[RequiredField, ...] = ()


def profile_names() -> tuple[str, ...]:
    """The profiles that there are, the default first."""
    return tuple(entry["name"] for entry in read_data("profiles.json")["profiles"])


@cache
def default_profile() -> Profile:
    """The seven sections of the course."""
    return _read_profile(DEFAULT_PROFILE)


def profile_named(
    name: str, *, required: Sequence[str] = (), aliases: Mapping[str, Sequence[str]] | None = None
) -> Profile:
    """The profile of that name, with what a project's settings change of it.

    Args:
        name: one of `profile_names()`.
        required: sections in place of the profile's, by id, title or any heading that means them; a name that means
            none is a section of its own. When each begins with "+" or "-", they are added to the profile's, or taken
            away from them.
        aliases: further headings by the id or title of a section; `*` stands for anything.

    Raises:
        UsageError: there is no such profile, or no such section.
    """
    if name not in profile_names():
        near = difflib.get_close_matches(name, profile_names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(profile_names())}"
        raise UsageError(f"there is no profile {name!r}", hint)
    if not required and not aliases:
        return default_profile() if name == DEFAULT_PROFILE else _read_profile(name)
    profile = _read_profile(name)
    sections = _with_required(profile.sections, required) if required else profile.sections
    return replace(profile, sections=_with_aliases(sections, aliases or {}))


def _with_required(sections: tuple[RequiredSection, ...], required: Sequence[str]) -> tuple[RequiredSection, ...]:
    if not all(name[:1] in ("+", "-") for name in required):
        named = [_section_called(name, sections) or _own_section(name) for name in required]
        return tuple(dict.fromkeys(named))
    for name in required:
        section = _section_called(name[1:], sections)
        if name[0] == "+":
            section = section or _own_section(name[1:])
            sections = (*(other for other in sections if other != section), section)
        elif section in sections:
            sections = tuple(other for other in sections if other != section)
        else:
            raise _no_section(name[1:], sections)
    return sections


def _with_aliases(
    sections: tuple[RequiredSection, ...], aliases: Mapping[str, Sequence[str]]
) -> tuple[RequiredSection, ...]:
    for name, headings in aliases.items():
        section = _section_called(name, sections)
        if section not in sections:
            raise _no_section(name, sections)
        globs = tuple(_normalised_glob(heading) for heading in headings)
        synonyms = replace(section.synonyms, languages=(*section.synonyms.languages, ("own", globs)))
        extended = replace(section, synonyms=synonyms)
        sections = tuple(extended if other == section else other for other in sections)
    return sections


def _section_called(name: str, sections: tuple[RequiredSection, ...]) -> RequiredSection | None:
    """The section of that id, title or meaning; first among `sections`, then among the course's and all the others."""
    known = [*sections, *default_profile().sections, *(s for other in profile_names() for s in _sections_of(other))]
    plain = normalised(name)
    by_name = (section for section in known if plain in (normalised(section.id), normalised(section.title)))
    by_meaning = (section for section in known if section.synonyms.mean(read_heading(name).plain, NO_CONTENT))
    return next(by_name, None) or next(by_meaning, None)


def _own_section(name: str) -> RequiredSection:
    plain = _normalised_glob(name)
    if not plain:
        raise UsageError(f"{name!r} is no name of a section", "name it by a word, as its heading does")
    identifier = re.sub(r"\W+", "-", plain).strip("-")
    return RequiredSection(identifier, name.strip(), Synonyms((("en", (plain,)),)))


def _normalised_glob(heading: str) -> str:
    return "*".join(normalised(part) if part.strip() else "" for part in heading.split("*"))


def _no_section(name: str, sections: Iterable[RequiredSection]) -> UsageError:
    ids = [section.id for section in sections]
    near = difflib.get_close_matches(re.sub(r"\W+", "-", name.casefold()), ids, n=1)
    return UsageError(
        f"the profile has no section {name!r}", f"did you mean {near[0]}?" if near else f"it has {', '.join(ids)}"
    )


@cache
def _sections_of(name: str) -> tuple[RequiredSection, ...]:
    entry = next(entry for entry in read_data("profiles.json")["profiles"] if entry["name"] == name)
    return tuple(_section(section) for section in entry["sections"])


def _read_profile(name: str) -> Profile:
    entry = next(entry for entry in read_data("profiles.json")["profiles"] if entry["name"] == name)
    fields = tuple(
        RequiredField(
            given["id"],
            given["title"],
            tuple(given["labels"]),
            tuple(given.get("metadata", ())),
            given.get("prose", ""),
        )
        for given in entry["fields"]
    )
    return Profile(name, entry["title"], entry["source"], _sections_of(name), fields)


def _section(entry: str | Mapping[str, Any]) -> RequiredSection:
    given: Mapping[str, Any] = {"use": entry} if isinstance(entry, str) else entry
    used: Mapping[str, Any] = next(
        (known for known in read_data("sections.json")["sections"] if known["id"] == given.get("use")), {}
    )
    merged = {**used, **given, "but_not": [*used.get("but_not", ()), *given.get("but_not", ())]}
    return RequiredSection(
        id=merged["id"],
        title=merged["title"],
        synonyms=Synonyms.of(merged),
        optional=merged.get("optional", False),
        link_is_enough=merged.get("link_is_enough", False),
        enough_words=merged.get("enough_words", ENOUGH_WORDS),
        metadata=tuple(merged.get("metadata", ())),
        title_counts=merged.get("title_counts", False),
        told_by=merged.get("told_by", ""),
    )
