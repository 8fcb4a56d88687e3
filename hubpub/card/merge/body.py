"""Merging a card's body: regions and gaps that nobody touched follow the facts, all else stays byte for byte.

A new region goes where the template has it: behind the one before it, or into the section that it belongs to. What is
in the base and not in the card was deleted by a person, and stays so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from hubpub.card.document import Card, Section
from hubpub.card.headings import normalised
from hubpub.card.merge.given import Given
from hubpub.card.merge.outcome import Change, Choice, Kept, Part
from hubpub.card.merge.units import (
    REST_OF_LINE,
    Body,
    Key,
    Unit,
    has_blank_line_before,
    is_alone,
    line_end,
    line_start,
    lines_of_unit,
)
from hubpub.card.metadata.edits import TextEdit, apply_edits, newline_of
from hubpub.card.regions import begin_mark
from hubpub.card.sections import course_sections, required_sections

_TITLE = -1
"""Where the text above the first heading stands, in place of the index of a section."""

_NOWHERE = -2
"""In place of the index of a section that is there without a heading: a title or the metadata stand for it."""


def merge_body(
    existing: Card, rendered: Card, base: Given | None, choice: Choice
) -> tuple[str, list[Change], list[Kept], list[str]]:
    """The card with its regions, gaps and sections merged, what changed, what was kept, and the headings to add.

    The sections of those headings are in `rendered`, and neither in the card nor in the base.

    Args:
        existing: the card.
        rendered: a card as `render_card` makes it, stamped.
        base: what was rendered last; None when that is not known: then nothing goes into sections that are there.
        choice: where hubpub's text is taken all the same.
    """
    merge = _Merge(Body.of(existing), Body.of(rendered), base, choice)
    merge.update()
    merge.insert()
    return apply_edits(existing.text, merge.edits), merge.changes, merge.kept, merge.missing


class _Merge:
    def __init__(self, here: Body, there: Body, base: Given | None, choice: Choice) -> None:
        self.here, self.there, self.base, self.choice = here, there, base, choice
        self.newline = newline_of(here.card.text)
        self.edits: list[TextEdit] = []
        self.changes: list[Change] = []
        self.kept: list[Kept] = []
        self.missing: list[str] = []
        self._removed: dict[Key, Unit] = {}
        self._nested: list[tuple[int, int, str, str]] = []

    def update(self) -> None:
        """What is in both cards, or in this one only."""
        for key, unit in self.here.units.items():
            new = self.there.units.get(key)
            taken = new is not None and self.choice.takes_hubpubs(key[1])
            if new is not None and new.hash == unit.hash and not taken:
                continue
            if self._is_hubpubs(unit) or taken:
                if new is None:
                    self._removed[key] = unit
                elif new.text != unit.text:
                    self._replace(unit, new)
            elif key[0] is Part.REGION:
                why = "edited" if new is not None else "edited, and hubpub renders it no more"
                self.kept.append(Kept(*key, why, unit.text, self._own(new.text) if new else ""))

    def insert(self) -> None:
        """What is in the other card only; what is in this one only and untouched goes."""
        placed: dict[int, list[Unit]] = {}
        sections = self._sections()
        for key, new in self.there.units.items():
            if key in self.here.units or sections.get(new.section) in (None, _NOWHERE):
                continue  # of a section that is not here, all goes or stays together
            if key[1] in self.here.regions.mentioned and key[0] is Part.REGION:
                self.kept.append(Kept(*key, "its markers are damaged", "", self._own(new.text)))
            elif self.choice.takes_hubpubs(key[1]) or (self.base is not None and not self._was_given(key)):
                placed.setdefault(new.section, []).append(new)
            elif key[0] is Part.GAP and self._is_filled(key[1]):
                continue  # what was asked for has been written
            elif self._was_placed(new) or self.here.regions.found:
                why = "deleted" if self._was_placed(new) else "absent"
                self.kept.append(Kept(*key, why, "", self._own(new.text)))
        for index, units in placed.items():
            home = sections[index]
            if home is not None:
                self._place(index, home, units)
        for start, end, shown, text in self._nested:
            at = start + len(self.here.card.text[start:end].rstrip())
            home = bisect_right(self.here.card.sections, at, key=lambda section: section.heading_start) - 1
            if self._insert_behind(at, home, self._own(text)):
                self.changes.append(Change(Part.SECTION, shown, "added"))
        self._drop_empty_sections()
        for unit in self._removed.values():
            self.changes.append(Change(*unit.key, "removed"))
            self.edits.append((*lines_of_unit(self.here.card.text, unit), ""))

    def _drop_empty_sections(self) -> None:
        """A section that hubpub gave and renders no more goes with its heading when nothing else stands in it."""
        rendered = {normalised(section.heading) for section in self.there.card.sections}
        outside = {self.here.card.sections[index].heading_start for index in self.here.sections}
        by_section: dict[int, list[Unit]] = {}
        for unit in self._removed.values():
            by_section.setdefault(unit.section, []).append(unit)
        for index, units in by_section.items():
            section = self.here.card.sections[index] if index >= 0 else None
            if section is None or self.base is None:
                continue
            nested = self.here.card.children(section)
            if not outside.isdisjoint(item.heading_start for item in nested):
                continue
            end = nested[-1].end if nested else section.end
            spans = [(unit.start - section.start, unit.end - section.start, "") for unit in units]
            name, left = normalised(section.heading), apply_edits(self.here.card.text[section.start : end], spans)
            if name in self.base.sections and name not in rendered and not left.strip():
                self.edits.append((section.heading_start, end, ""))
                self.changes.append(Change(Part.SECTION, section_name(section.heading), "removed"))
                for unit in units:
                    self.changes.append(Change(*self._removed.pop(unit.key).key, "removed"))

    def _is_hubpubs(self, unit: Unit) -> bool:
        part, name = unit.key
        if part is Part.REGION:
            return self.here.regions.found[name].is_untouched
        given = self.base.gaps.get(name) if self.base else None
        return given == unit.hash and is_alone(self.here.card.text, unit)

    def _was_given(self, key: Key) -> bool:
        given = self.base or Given()
        return key[1] in (given.regions if key[0] is Part.REGION else given.gaps)

    def _is_filled(self, slot: str) -> bool:
        states = required_sections(self.here.card)
        return any(state.filled for required, state in states.items() if required.id == slot)

    def _was_placed(self, new: Unit) -> bool:
        """Whether the card had it: what another hand's text stood for, when the card was adopted, it never had."""
        if self.base is None:
            return False
        section = self.there.card.sections[new.section] if new.section >= 0 else None
        if section is None or section.level == 1 or not self.base.placed:
            return True
        return normalised(section.heading) in self.base.placed

    def _replace(self, unit: Unit, new: Unit) -> None:
        if unit.key[0] is Part.REGION:
            region = self.here.regions.found[unit.key[1]]
            content = self.there.regions.found[unit.key[1]].content
            self.edits.append((*region.mark, begin_mark(region.name, content)))
            self.edits.append((*region.inner, self._own(content)))
        else:
            self.edits.append((unit.start, unit.end, self._own(new.text)))
        self.changes.append(Change(*unit.key, "updated"))

    def _own(self, text: str) -> str:
        return text.replace("\n", self.newline)

    def _sections(self) -> dict[int, int | None]:
        """The index of the section of this card that each one of the other card is; None for those that are not here.

        Those that neither the card nor the base has are noted as missing.
        """
        known: dict[int, list[int]] = {}
        for key, unit in self.there.units.items():
            if key in self.here.units:
                known.setdefault(unit.section, []).append(self.here.units[key].section)
        headings: dict[str, int] = {}
        for index, section in enumerate(self.here.card.sections):
            headings.setdefault(normalised(section.heading), index)
        meant = self._by_meaning()
        top = next((index for index, item in enumerate(self.here.card.sections) if item.level == 1), _TITLE)
        found: dict[int, int | None] = {_TITLE: _TITLE}
        above: list[tuple[int, int]] = []
        for index in self.there.sections:
            section = self.there.card.sections[index]
            while above and above[-1][0] >= section.level:
                above.pop()
            if index in known:
                found[index] = known[index][0]
            elif index == 0 and section.level == 1:
                found[index] = top
            else:
                found[index] = headings.get(normalised(section.heading), meant.get(section.heading))
            if index == 0 and section.level == 1:
                continue
            parent = above[-1][1] if above else None
            if found[index] is None and (parent is None or found[parent] is not None):
                self._missing(section, found[parent] if parent is not None else None)
            above.append((section.level, index))
        return found

    def _by_meaning(self) -> dict[str, int]:
        lines = [section.line for section in self.here.card.sections]
        return {
            required.title: bisect_right(lines, state.line) - 1 if state.line else _NOWHERE
            for required, state in required_sections(self.here.card).items()
            if state.present
        }

    def _missing(self, section: Section, parent: int | None) -> None:
        """A section that this card does not have; `parent` is the one here that it belongs into."""
        name, shown = normalised(section.heading), section_name(section.heading)
        required = any(item.title == section.heading for item in course_sections())
        if self.here.card.read_to < len(self.here.card.text):
            self.kept.append(Kept(Part.SECTION, shown, "the card is too long to tell whether it is there"))
        elif self.base is not None and name in self.base.sections and not self.choice.takes_hubpubs(shown):
            self.kept.append(Kept(Part.SECTION, shown, "deleted", "", self._own(self._text_of(section))))
        elif damaged := self._units_in(section) & self.here.regions.mentioned:
            self.kept += [Kept(Part.REGION, name, "its markers are damaged") for name in sorted(damaged)]
        elif parent is None and (required or self.base is not None):
            self.missing.append(section.heading)
            self.changes.append(Change(Part.SECTION, shown, "added"))
        elif parent is not None and parent >= 0 and self.base is not None:
            holder = self.here.card.sections[parent]
            nested = self.here.card.children(holder)
            end = nested[-1].end if nested else holder.end
            self._nested.append((holder.heading_start, end, shown, self._text_of(section)))

    def _units_in(self, section: Section) -> set[str]:
        """The regions of the other card that stand in a section, or in one nested in it."""
        start = section.heading_start
        end = start + len(self._text_of(section))
        return {key[1] for key, unit in self.there.units.items() if key[0] is Part.REGION and start <= unit.start < end}

    def _text_of(self, section: Section) -> str:
        """A section of the other card, with what is nested in it."""
        nested = self.there.card.children(section)
        return self.there.card.text[section.heading_start : nested[-1].end if nested else section.end].strip("\n")

    def _place(self, index: int, home: int, units: list[Unit]) -> None:
        """Put the new units of one section where the template has them."""
        gone = next((unit for unit in self._removed.values() if unit.section == home), None)
        if gone is not None:
            del self._removed[gone.key]
            self.changes.append(Change(*gone.key, "removed"))
            self._added(units)
            self.edits.append((gone.start, gone.end, self._joined(units)))
            return
        siblings = [key for key, unit in self.there.units.items() if unit.section == index]
        present = [key for key in siblings if key in self.here.units and key not in self._removed]
        wanted = {unit.key: unit for unit in units}
        groups: dict[Key | None, list[Unit]] = {}
        last: Key | None = None
        for key in siblings:
            if key in wanted:
                groups.setdefault(last, []).append(wanted[key])
            elif key in present:
                last = key
        for anchor, group in groups.items():
            if anchor is not None:
                done = self._insert_behind(self.here.units[anchor].end, home, self._joined(group))
            elif present:
                done = self._insert_before(self.here.units[present[0]].start, home, self._joined(group))
            else:
                done = self._insert_behind(self._end_of(home), home, self._joined(group))
            if done:
                self._added(group)
            else:
                why = "its place is in code or in a comment"
                self.kept += [Kept(*unit.key, why, "", self._own(unit.text)) for unit in group]

    def _insert_behind(self, at: int, home: int, text: str) -> bool:
        # a heading that a person wrote into a region ends the section in the middle of it
        inside = (region.end for region in self.here.regions.found.values() if region.start < at < region.end)
        at = line_end(self.here.card.text, next(inside, at))
        gone = next((unit for unit in self._removed.values() if unit.start <= at <= unit.end), None)
        if gone is not None:
            return self._insert_before(gone.start, home, text)
        if self._is_hidden(at, home):
            return False
        rest = REST_OF_LINE.match(self.here.card.text, at)
        blank = rest is None or REST_OF_LINE.match(self.here.card.text, rest.end())
        self.edits.append((at, at, self.newline * 2 + text + ("" if blank else self.newline)))
        return True

    def _insert_before(self, at: int, home: int, text: str) -> bool:
        at = line_start(self.here.card.text, at)
        if self._is_hidden(at, home):
            return False
        blank = not self.here.card.text[:at].strip() or has_blank_line_before(self.here.card.text, at)
        self.edits.append((at, at, ("" if blank else self.newline) + text + self.newline * 2))
        return True

    def _is_hidden(self, at: int, home: int) -> bool:
        """Whether what is inserted there would be code, or part of a comment."""
        text, start = self.here.card.text, self._start(home)
        in_comment = text.rfind("<!--", start, at) > text.rfind("-->", start, at)
        return in_comment or any(begin < at < end for begin, end in self.here.regions.code)

    def _added(self, units: Iterable[Unit]) -> None:
        self.changes += [Change(*unit.key, "added") for unit in units]

    def _joined(self, units: Iterable[Unit]) -> str:
        return self._own("\n\n".join(unit.text for unit in units))

    def _start(self, home: int) -> int:
        if home == _TITLE:
            return self.here.card.front_matter.body_start
        return self.here.card.sections[home].heading_start

    def _end_of(self, home: int) -> int:
        """Behind the last character of a section's own text, or of its heading."""
        card = self.here.card
        start = self._start(home)
        if home == _TITLE:
            end = card.sections[0].heading_start if card.sections else len(card.text)
        else:
            end = card.sections[home].end
        return start + len(card.text[start:end].rstrip())


def section_name(heading: str) -> str:
    """What a section of the template is called: the id of a required one, else its heading in lower case."""
    name = normalised(heading)
    required = (item.id for item in course_sections() if normalised(item.title) == name)
    return next(required, name.replace(" ", "-"))
