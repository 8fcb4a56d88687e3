"""The sections that a profile asks for: which of a card's headings mean them, and whether anything stands there.

By default these are the seven of the Hugging Face course (https://huggingface.co/learn/llm-course/chapter4/4).
Headings are recognised by meaning, in several languages, nested or flat. A heading is not content: of 125 cards
written since 2021, 38 have all seven headings and 11 have something under each.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from hubpub.card.content import Filling, filling
from hubpub.card.document import Block, Card, Section
from hubpub.card.gaps import Gap, find_gaps
from hubpub.card.headings import NO_CONTENT, Content, is_other_section, read_heading
from hubpub.card.placeholders import find_placeholders
from hubpub.card.profiles import Profile, RequiredSection, default_profile
from hubpub.core.pattern import Pattern

# no card has so many; those behind mean nothing
MOST_HEADINGS = 2000

_LOADS = Pattern(
    r"\.from_pretrained\(|\bpipeline\(|(?:SentenceTransformer|CrossEncoder|SparseEncoder)\(|\bLLM\(|\bLlama\(|InferenceSession\("
    r"|torch\.hub\.load\(|timm\.create_model\(|spacy\.load\(|\bhf_hub_download\(|\bload_model\(|\bInferenceClient\("
    r"|\bllama-(?:cli|server) |\bvllm serve |\bsglang\.launch_server|\bollama (?:run|pull) "
    r"|\bmlx_lm\.(?:generate|server)|\bdocker model run |\blms get "
)
_LINK_IN_HEADING = Pattern(r"\]\((?!#)[^)\s]|https?://|<a\b[^<>]{0,500}href", re.IGNORECASE)
# code that loads the model in these sections repeats its training or evaluation
_NOT_FOR_USE = frozenset({"training-data", "training-procedure", "evaluation-results"})


class SectionState(NamedTuple):
    """What a card has of a required section.

    Attributes:
        present: whether a heading means it, or the title, the metadata or a snippet that loads the model stands for it.
        filled: whether something stands there: enough words, a table or code; no gap is left.
        line: 1-based line of the heading or the snippet; None without one.
        gap: the first gap that is left in it, at its offsets in the card.
        placeholder: whether a template's placeholder is left in it, and nothing else fills it.
        filling: what stands there; None when no heading means it.
    """

    present: bool = False
    filled: bool = False
    line: int | None = None
    gap: Gap | None = None
    placeholder: bool = False
    filling: Filling | None = None


def course_sections() -> tuple[RequiredSection, ...]:
    """The seven sections of the Hugging Face course, in its order."""
    return default_profile().sections


def required_sections(card: Card, profile: Profile | None = None) -> Mapping[RequiredSection, SectionState]:
    """What the card has of each section of the profile, in its order; the default is the course's seven."""
    return _required_sections(card, profile or default_profile())


@lru_cache(maxsize=8)
def _required_sections(card: Card, profile: Profile) -> Mapping[RequiredSection, SectionState]:
    meanings = card_meanings(card, profile)
    states = {}
    for required in profile.sections:
        found = [section for section in card.sections if required.id in meanings[section.heading_start]]
        if found:
            state = _state(card, required, found, meanings)
        else:
            shown = required.id == "how-to-use" and _loading_code(card, meanings)
            state = SectionState(True, True, shown.line) if shown else SectionState()
        states[required] = _or_elsewhere(card, required, state)
    return states


def score(card: Card, profile: Profile | None = None) -> tuple[int, int]:
    """How many of the profile's sections are filled, and how many there are; optional ones are not counted."""
    states = [state for required, state in required_sections(card, profile).items() if not required.optional]
    return sum(state.filled for state in states), len(states)


@lru_cache(maxsize=2048)
def section_meanings(
    heading: str, profile: Profile | None = None, content: Content = NO_CONTENT, inside: frozenset[str] = frozenset()
) -> frozenset[str]:
    """The ids of the profile's sections that a heading means; most mean none or one.

    Args:
        heading: as the card has it, without Markdown.
        profile: the default is the course's seven sections.
        content: what stands under it, for headings that depend on it.
        inside: the ids of the sections that it is nested in.
    """
    forms = read_heading(heading)
    sections = (profile or default_profile()).sections
    found = {
        required.id for required in sections if required.synonyms.mean(forms.plain, content, inside - {required.id})
    }
    also = set()
    for required in sections if forms.parts else ():
        synonyms = required.synonyms
        if required.id in found or synonyms.exclude(forms.plain):
            continue
        # "Model description and intended uses" begins as one section; a part by chance does not make it another
        others = inside - {required.id}
        if any(synonyms.name(part) if found else synonyms.mean(part, content, others) for part in forms.parts):
            also.add(required.id)
    return frozenset(found | also)


@lru_cache(maxsize=8)
def card_meanings(card: Card, profile: Profile) -> Mapping[int, frozenset[str]]:
    """The ids of the profile's sections that each heading of the card means, by the heading's offset."""
    code = [block.start for block in card.blocks if block.kind == "code"]
    tables = [block.start for block in card.blocks if block.kind == "table"]
    ends = _subtree_ends(card)
    meanings: dict[int, frozenset[str]] = {}
    above: list[tuple[int, frozenset[str]]] = []
    for index, section in enumerate(card.sections[:MOST_HEADINGS]):
        while above and above[-1][0] >= section.level:
            above.pop()
        if not index and section.level == 1:
            plain = read_heading(section.heading).plain
            found = frozenset(required.id for required in profile.sections if required.synonyms.name(plain))
        else:
            content = Content(_any_in(code, section.start, ends[index]), _any_in(tables, section.start, ends[index]))
            inside = frozenset(chain.from_iterable(ids for _, ids in above))
            found = section_meanings(section.heading, profile, content, inside)
        meanings[section.heading_start] = found
        above.append((section.level, found))
    return meanings | dict.fromkeys((section.heading_start for section in card.sections[MOST_HEADINGS:]), frozenset())


def _subtree_ends(card: Card) -> list[int]:
    """For each section, the offset behind it and all that is nested in it."""
    ends = [len(card.text)] * len(card.sections)
    open_sections: list[int] = []
    for index, section in enumerate(card.sections):
        while open_sections and card.sections[open_sections[-1]].level >= section.level:
            ends[open_sections.pop()] = section.heading_start
        open_sections.append(index)
    return ends


def _any_in(starts: list[int], start: int, end: int) -> bool:
    at = bisect_left(starts, start)
    return at < len(starts) and starts[at] < end


def _loading_code(card: Card, meanings: Mapping[int, frozenset[str]]) -> Block | None:
    """A snippet that loads the model says how to use it, under whatever heading it stands."""
    for block in card.blocks:
        if block.kind == "code" and _LOADS.search(block.text):
            at = bisect_right(card.sections, block.start, key=lambda section: section.heading_start) - 1
            if at < 0 or not meanings[card.sections[at].heading_start] & _NOT_FOR_USE:
                return block
    return None


def _or_elsewhere(card: Card, required: RequiredSection, state: SectionState) -> SectionState:
    """A section that the title or the metadata stands for is there, and filled."""
    data = card.front_matter.data or {}
    given = (required.title_counts and card.title) or any(data.get(key) for key in required.metadata)
    return state._replace(present=True, filled=True) if given else state


def _state(
    card: Card, required: RequiredSection, found: list[Section], meanings: Mapping[int, frozenset[str]]
) -> SectionState:
    parts: dict[int, Section] = {}
    for section in found:
        parts[section.heading_start] = section
        taken = 0
        for child in card.children(section):
            if taken and child.level > taken:
                continue
            # what stands under the heading of another section, or a citation, fills that one only
            taken = child.level if meanings[child.heading_start] or is_other_section(child.heading) else 0
            if not taken:
                parts[child.heading_start] = child
    gaps = (
        gap._replace(start=part.start + gap.start, end=part.start + gap.end)
        for part in parts.values()
        for gap in find_gaps(part.body)
    )
    gap = next(gaps, None)
    blocks = tuple(block for part in parts.values() for block in part.blocks)
    said = filling(card, blocks)
    if any(_LINK_IN_HEADING.search(card.text, section.heading_start, section.start) for section in found):
        said = said._replace(link=True)
    filled = gap is None and _is_enough(required, said)
    return SectionState(
        present=True,
        filled=filled,
        line=found[0].line,
        gap=gap,
        placeholder=not filled and next(find_placeholders(card, blocks), None) is not None,
        filling=said,
    )


def _is_enough(required: RequiredSection, said: Filling) -> bool:
    if said.code or said.table or said.reasoned or said.words >= required.enough_words:
        return True
    if required.id == "evaluation-results" and said.measured:
        return True
    return required.link_is_enough and said.link
