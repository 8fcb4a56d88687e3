"""What hubpub rendered last: the base that a card is compared with, to tell a person's edits from its own text.

It comes from `.hubpub/card.lock.json` beside the card, or, for a card on a hub, from the card that the last push
published and a line in that commit's message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hubpub.card.document import Card
from hubpub.card.gaps import Gap, find_gaps
from hubpub.card.headings import normalised
from hubpub.card.regions import Regions, content_hash, read_regions

# Values that are longer, or hold mappings, are known by their hash: nothing but whether they changed is asked of them.
_LONGEST_VALUE = 2000
_MOST = 2000
_SCALARS = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Given:
    """What hubpub rendered last, or rendered once and a person deleted.

    Attributes:
        metadata: by key, each as `as_given` makes it.
        regions: the hash of each region's content, by name.
        gaps: the hash of each gap, by slot.
        sections: its headings below the title, normalised.
        placed: those of them under which hubpub put its text into the card, in place of what a generator or a person
            had there for it. A card on a hub does not tell.
    """

    metadata: Mapping[str, Any] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    gaps: Mapping[str, str] = field(default_factory=dict)
    sections: frozenset[str] = frozenset()
    placed: frozenset[str] = field(default=frozenset(), compare=False)

    @classmethod
    def of(cls, card: Card, regions: Regions | None = None) -> Given:
        """What a card holds, as if hubpub had rendered all of it."""
        regions = regions or read_regions(card.text)
        sections = frozenset(normalised(section.heading) for section in card.sections if section.level > 1)
        return cls(
            metadata={key: as_given(value) for key, value in (card.front_matter.data or {}).items()},
            regions={name: content_hash(region.content) for name, region in regions.found.items()},
            gaps={gap.slot: gap_hash(gap) for gap in gaps_of(card.text, regions).values()},
            sections=sections,
            placed=sections,
        )

    @classmethod
    def from_json(cls, document: Any) -> Given | None:
        """The reverse of `to_json`; None for anything else. Whoever made the folder made the document."""
        if not isinstance(document, dict):
            return None
        metadata, regions, gaps = (_mapping(document.get(name)) for name in ("metadata", "regions", "gaps"))
        sections, placed = document.get("sections", []), document.get("placed", [])
        if metadata is None or regions is None or gaps is None or not (_texts(sections) and _texts(placed)):
            return None
        if not (_texts(list(regions.values())) and _texts(list(gaps.values()))):
            return None
        if not all(map(_is_given, metadata.values())):
            return None
        return cls(metadata, regions, gaps, frozenset(sections), frozenset(placed))

    def to_json(self) -> dict[str, Any]:
        """Plain data, in an order that does not depend on that of the card."""
        return {
            "metadata": dict(sorted(self.metadata.items())),
            "regions": dict(sorted(self.regions.items())),
            "gaps": dict(sorted(self.gaps.items())),
            "sections": sorted(self.sections),
            "placed": sorted(self.placed),
        }

    def holds(self, key: str, value: Any) -> bool:
        """Whether hubpub gave that value to a metadata key."""
        return key in self.metadata and same(self.metadata[key], as_given(value))

    def beyond(self, card: Card) -> dict[str, Any]:
        """What a card does not tell of this: {} when it holds what was given, and nothing else."""
        shown = Given.of(card)
        told: dict[str, Any] = {
            "metadata": {
                key: value
                for key, value in self.metadata.items()
                if key not in shown.metadata or not same(shown.metadata[key], value)
            },
            "not_given": sorted(shown.metadata.keys() - self.metadata.keys()),
            "regions": {name: value for name, value in self.regions.items() if name not in shown.regions},
            "gaps": {slot: value for slot, value in self.gaps.items() if shown.gaps.get(slot) != value},
            "sections": sorted(self.sections - shown.sections),
        }
        return {name: value for name, value in told.items() if value}

    def with_beyond(self, told: Mapping[str, Any]) -> Given:
        """The reverse of `beyond`, for what `of` that card is; what cannot be read is left out."""
        more = Given.from_json(
            {name: told[name] for name in ("metadata", "regions", "gaps", "sections") if name in told}
        )
        not_given = told.get("not_given", [])
        if more is None or not _texts(not_given):
            return self
        gone = set(not_given)
        return replace(
            self,
            metadata={key: value for key, value in {**self.metadata, **more.metadata}.items() if key not in gone},
            regions={**self.regions, **more.regions},
            gaps={**self.gaps, **more.gaps},
            sections=self.sections | more.sections,
        )


def as_given(value: Any) -> Any:
    """A value of the metadata as it is remembered: as it is, or {"sha256": its hash}."""
    flat = isinstance(value, _SCALARS) or (
        isinstance(value, list) and all(isinstance(item, _SCALARS) for item in value)
    )
    text = canonical(value)
    return value if flat and len(text) <= _LONGEST_VALUE else {"sha256": content_hash(text)}


def same(one: Any, other: Any) -> bool:
    """Whether two values of the metadata are equal, types included: 1, 1.0 and true are not."""
    return canonical(one) == canonical(other)


def gaps_of(text: str, regions: Regions) -> dict[str, Gap]:
    """The gaps of a text by slot: outside regions and code, and those that are there once."""
    taken = sorted([(region.start, region.end) for region in regions.found.values()] + list(regions.code))
    found: dict[str, list[Gap]] = {}
    at = 0
    for gap in find_gaps(text):
        while at < len(taken) and taken[at][1] <= gap.start:
            at += 1
        if at == len(taken) or gap.start < taken[at][0]:
            found.setdefault(gap.slot, []).append(gap)
    return {slot: gaps[0] for slot, gaps in found.items() if len(gaps) == 1}


def gap_hash(gap: Gap) -> str:
    """By what a gap is known again."""
    return content_hash(f"{gap.slot}\n{gap.prompt}")


def canonical(value: Any) -> str:
    """A value as a text that only equal ones have."""
    return json.dumps(_with_text_keys(value), sort_keys=True, default=str)


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _with_text_keys(item) for key, item in value.items()}
    return [_with_text_keys(item) for item in value] if isinstance(value, list) else value


def _mapping(value: Any) -> dict[str, Any] | None:
    if value is None:
        return {}
    return value if isinstance(value, dict) and len(value) <= _MOST else None


def _is_given(value: Any) -> bool:
    """Whether it is what `as_given` gives."""
    if isinstance(value, dict):
        return value.keys() == {"sha256"} and isinstance(value["sha256"], str)
    return isinstance(value, _SCALARS) or (
        isinstance(value, list) and all(isinstance(item, _SCALARS) for item in value)
    )


def _texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= _MOST and all(isinstance(item, str) for item in value)
