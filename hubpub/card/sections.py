"""The seven sections of a model card: which of a card's headings mean them, and whether anything stands there.

The seven are those of the Hugging Face course (https://huggingface.co/learn/llm-course/chapter4/4). Headings are
recognised by meaning, in several languages (data/sections.json), nested or flat. A heading is not content: of 125
cards written since 2021, 38 have all seven headings and 11 have something under each.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice

from hubpub.card.document import Block, Card, Section
from hubpub.card.gaps import Gap, find_gaps, without_gaps
from hubpub.card.hub_lists import read_data
from hubpub.card.placeholders import find_placeholders, without_placeholders

ENOUGH_WORDS = 15
_LONGEST_SECTION_NAME = 4
# A data set has a card, a script its repository, results their paper: a link to it says what there is to say.
_MAY_POINT_ELSEWHERE = ("how-to-use", "training-data", "training-procedure", "evaluation-results")

_COMPOUND = re.compile(r"\b(pre|fine|hyper|quick)[- ](?=train|tun|param|start)")
_NUMBERING = re.compile(r"^(?:\(?\d+(?:\.\d+)*[.):]?|[ivx]{1,4}[.)]|[a-h][.)])\s+")
_ASIDE = re.compile(r"\[(?:optional|todo|tbd)\]|\((?:optional|todo[^)]*|tbd)\)")
_LINK_TARGET = re.compile(r"!\[[^\]\n]{0,300}\]\([^)\n]{0,2000}\)|(?<=\])\([^)\n]{0,2000}\)|https?://\S+|<[^<>\n]+>")
_WORD = re.compile(r"\w[\w'’.-]*")
# scripts that put no blanks between words; two characters make about one word
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LOADS = re.compile(
    r"\.from_pretrained\(|\bpipeline\(|SentenceTransformer\(|CrossEncoder\(|\bLLM\(|llama-cli |vllm serve "
)
_MEASURED = re.compile(r"\d[.,]\d|\d\s?%")
_LINK = re.compile(r"https?://|\]\(|doi\.org|arxiv", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RequiredSection:
    """One of the seven.

    Attributes:
        id: its name in gaps and reports, kebab-case.
        title: its heading.
    """

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class SectionState:
    """What a card has of a required section.

    Attributes:
        present: whether one of the headings means it.
        filled: whether something stands there: 15 words, a table or code; no gap is left.
        line: 1-based line of the heading; None when absent.
        heading: as the card has it.
        gap: the first gap that is left in it, at its offsets in the card.
        placeholder: whether a template's placeholder is left in it.
    """

    present: bool = False
    filled: bool = False
    line: int | None = None
    heading: str | None = None
    gap: Gap | None = None
    placeholder: bool = False


@cache
def course_sections() -> tuple[RequiredSection, ...]:
    """The seven sections of the Hugging Face course, in its order."""
    return tuple(RequiredSection(entry["id"], entry["title"]) for entry in read_data("sections.json")["sections"])


def required_sections(card: Card) -> Mapping[RequiredSection, SectionState]:
    """What the card has of each of the seven, in the course's order."""
    meanings = {section.heading_start: section_meanings(section.heading) for section in card.sections}
    states = {}
    for required in course_sections():
        found = [
            section
            for section in card.sections
            if required.id in meanings[section.heading_start] and not _is_document_title(card, section)
        ]
        if found:
            states[required] = _state(card, required, found, meanings)
        else:
            shown = required.id == "how-to-use" and _loading_code(card)
            states[required] = SectionState(True, True, shown.line) if shown else SectionState()
    return states


def score(card: Card) -> tuple[int, int]:
    """How many of the seven sections are filled, and seven."""
    states = required_sections(card)
    return sum(state.filled for state in states.values()), len(states)


def section_meanings(heading: str) -> frozenset[str]:
    """The ids of the required sections that a heading means; most mean none or one."""
    plain = normalised(heading)
    return frozenset(
        section
        for section, (wanted, unwanted) in _patterns().items()
        if wanted.fullmatch(plain) and not unwanted.fullmatch(plain)
    )


def normalised(heading: str) -> str:
    """A heading without numbering, symbols, emoji and asides, in lower case, `&` written as "and"."""
    text = html.unescape(unicodedata.normalize("NFKC", heading)).casefold().replace("’", "'")
    text = _ASIDE.sub(" ", text).replace("&", " and ").replace("/", " and ")
    text = "".join(char if _is_wanted(char) else " " for char in text)
    text = _NUMBERING.sub("", " ".join(text.split()))
    text = _COMPOUND.sub(r"\1", text).replace("-", " ").replace("(", " ").replace(")", " ")
    return " ".join(text.split()).strip(" .'")


def _is_wanted(char: str) -> bool:
    return char in " '-.()" or (unicodedata.category(char)[0] in "LMN" and char != "\ufe0f")


@cache
def _patterns() -> Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    patterns = {}
    for entry in read_data("sections.json")["sections"]:
        globs = [glob for language in entry["headings"].values() for glob in language]
        wanted = [glob for glob in globs if not glob.startswith("!")]
        unwanted = [glob[1:] for glob in globs if glob.startswith("!")]
        patterns[entry["id"]] = (_any_of(wanted), _any_of(unwanted))
    return patterns


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(glob).replace(r"\*", ".*") for glob in globs) or r"(?!)")


def _loading_code(card: Card) -> Block | None:
    """A snippet that loads the model says how to use it, under whatever heading it stands."""
    return next((block for block in card.blocks if block.kind == "code" and _LOADS.search(block.text)), None)


def _is_document_title(card: Card, section: Section) -> bool:
    """The first and only heading of level 1 names the model when it is long, whatever words are in it."""
    if section.level != 1 or len(normalised(section.heading).split()) <= _LONGEST_SECTION_NAME:
        return False
    first_two = islice((other for other in card.sections if other.level == 1), 2)
    return [other.heading_start for other in first_two] == [section.heading_start]


def _state(
    card: Card, required: RequiredSection, found: list[Section], meanings: Mapping[int, frozenset[str]]
) -> SectionState:
    parts: dict[int, Section] = {}
    for section in found:
        parts[section.heading_start] = section
        for child in card.children(section):
            # what stands under another required section's heading fills that one only
            if not meanings[child.heading_start]:
                parts[child.heading_start] = child
    gaps = (
        replace(gap, start=part.start + gap.start, end=part.start + gap.end)
        for part in parts.values()
        for gap in find_gaps(part.body)
    )
    gap = next(gaps, None)
    blocks = tuple(block for part in parts.values() for block in part.blocks)
    return SectionState(
        present=True,
        filled=gap is None and _has_content(required, blocks, card),
        line=found[0].line,
        heading=found[0].heading,
        gap=gap,
        placeholder=next(find_placeholders(card, blocks), None) is not None,
    )


def _has_content(required: RequiredSection, blocks: tuple[Block, ...], card: Card) -> bool:
    if any(block.kind == "code" and block.text.strip() for block in blocks):
        return True
    if any(block.kind == "table" and count_words(without_placeholders(block.text)) for block in blocks):
        return True
    text = "\n".join(card.text[block.start : block.end] for block in blocks if block.kind in ("text", "html"))
    text = without_placeholders(without_gaps(text))
    words = count_words(text)
    if required.id == "evaluation-results" and _MEASURED.search(text):
        return True  # "Accuracy: 0.91" is a result
    if required.id in _MAY_POINT_ELSEWHERE and _LINK.search(text) and words:
        return True
    return words >= ENOUGH_WORDS


def count_words(text: str) -> int:
    """The words of a text, addresses and tags not counted; of scripts without blanks, two characters make one."""
    bare = _LINK_TARGET.sub(" ", text)
    unspaced = len(_UNSPACED.findall(bare))
    return len(_WORD.findall(_UNSPACED.sub(" ", bare))) + unspaced // 2
