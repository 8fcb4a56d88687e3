"""What merging a card did, and what it left to the person who wrote there: in words that name each part of the card."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from hubpub.card.merge.given import Given


class Part(StrEnum):
    """What a card consists of, to the merge."""

    METADATA = "metadata"
    REGION = "region"
    GAP = "gap"
    SECTION = "section"
    CARD = "card"


class Change(NamedTuple):
    """What hubpub changed.

    Attributes:
        part: what it is part of.
        name: of the key, region, gap or section.
        how: "added", "updated" or "removed".
    """

    part: Part
    name: str
    how: str

    def __str__(self) -> str:
        return f"{self.part} {self.name} is {self.how}"

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"part": self.part.value, "name": self.name, "how": self.how}


class Kept(NamedTuple):
    """What a person wrote or deleted, and hubpub would write otherwise.

    Attributes:
        part: what it is part of.
        name: of the key, region, gap or section.
        why: "edited", "deleted", "absent", or what keeps hubpub from changing it.
        here: the text in the card; "" where it has none.
        ours: what hubpub would write.
    """

    part: Part
    name: str
    why: str
    here: str = ""
    ours: str = ""

    @property
    def may_be_taken(self) -> bool:
        """Whether `--theirs` would take hubpub's text."""
        return self.why in ("edited", "deleted", "written before hubpub knew it")

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"part": self.part.value, "name": self.name, "why": self.why, "here": self.here, "ours": self.ours}


class Choice(NamedTuple):
    """Whose text is taken where a person edited or deleted what hubpub rendered: the person's, but for these.

    Attributes:
        theirs: names of parts of which hubpub's text is taken; "all" for every one.
        ours: names of parts that stay although `theirs` is "all".
    """

    theirs: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()

    @classmethod
    def of(cls, theirs: Iterable[str] = (), ours: Iterable[str] = ()) -> Choice:
        """The choice that names in any order amount to."""
        return cls(frozenset(theirs), frozenset(ours))

    def takes_hubpubs(self, name: str) -> bool:
        """Whether hubpub's text is taken for that part."""
        return name not in self.ours and bool(self.theirs & {"all", name})


@dataclass(frozen=True)
class Merged:
    """A merged card.

    Attributes:
        text: the card.
        remember: works out what hubpub has rendered, see `given`; a card that is only looked at needs no next merge.
        changes: what hubpub changed in it.
        kept: what it left to the person.
        problems: markers that make no region, as sentences.
        stubs: what would change beyond that where a generator left what it did not know.
    """

    text: str
    remember: Callable[[], Given]
    changes: tuple[Change, ...] = ()
    kept: tuple[Kept, ...] = ()
    problems: tuple[str, ...] = ()
    stubs: tuple[Change, ...] = ()

    @cached_property
    def given(self) -> Given:
        """What hubpub has rendered, for the next merge."""
        return self.remember()
