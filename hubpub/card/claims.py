"""What a card claims of the weights: how many parameters, and of which type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from hubpub.card.document import Card
from hubpub.card.tables import tables
from hubpub.core.pattern import Pattern

_UNITS = {"k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "b": 10**9, "billion": 10**9}
_UNITS |= {"t": 10**12, "trillion": 10**12}
_AMOUNT = (
    r"(?P<number>\d{1,3}(?:,\d{3}){1,5}(?![\d.])|\d{1,6}(?:\.\d{1,4})?)[ \t]?"
    r"(?P<unit>(?:[KMBT]|[kmbt]|[Tt]housand|[Mm]illion|[Bb]illion|[Tt]rillion)(?![A-Za-z0-9]))?"
)
_MARKS = r"[*_`~≈ \t]{0,6}"
_LABEL = (
    r"(?:total |model |number of |no\.? of |# ?|num[ _])?(?:param(?:eter)?s|parameter count|params count|param count)"
)
_LABELLED = Pattern(
    rf"^[ \t>]*(?:[-*+][ \t]+)?{_MARKS}(?P<name>{_LABEL}){_MARKS}[:=]{_MARKS}(?:about |approx\.? )?{_AMOUNT}"
    rf"(?P<rest>(?:[ \t]?param(?:eter)?s)?{_MARKS}\.?)[ \t\r]*$",
    re.MULTILINE | re.IGNORECASE,
)
_NAMED = Pattern(rf"{_MARKS}{_LABEL}{_MARKS}", re.IGNORECASE)
_CELL = Pattern(rf"{_MARKS}{_AMOUNT}(?:[ \t]?param(?:eter)?s)?{_MARKS}", re.IGNORECASE)
_IN_TITLE = Pattern(r"(?<![\w.])(?P<number>\d{1,3}(?:\.\d{1,2})?)(?P<unit>[BM])(?![\w])")
_SIZE_LIKE = Pattern(r"\d[\d.]{0,6}[xX]\d|\b[AEae]\d{1,3}(?:\.\d)?[BbMm]\b|\d[BbMm]x\d")

# Written names of data types -> what safetensors calls them.
_TYPES = {
    "float32": "F32",
    "fp32": "F32",
    "f32": "F32",
    "float16": "F16",
    "fp16": "F16",
    "f16": "F16",
    "half": "F16",
    "bfloat16": "BF16",
    "bf16": "BF16",
}
_TYPE = r"(?:torch\.)?(?P<type>" + "|".join(sorted(_TYPES, key=len, reverse=True)) + r")(?![\w])"
_TYPE_LABEL = (
    r"(?:(?:tensor|weight|weights|model|parameter|storage|torch)[ _-])?(?:d?types?|data[ _-]?type|tensor[ _-]type)"
)
_TYPED = Pattern(
    rf"^[ \t>]*(?:[-*+][ \t]+)?{_MARKS}{_TYPE_LABEL}{_MARKS}[:=]{_MARKS}{_TYPE}{_MARKS}[ \t\r]*$",
    re.MULTILINE | re.IGNORECASE,
)
_TYPE_NAMED = Pattern(rf"{_MARKS}{_TYPE_LABEL}{_MARKS}", re.IGNORECASE)
_TYPE_CELL = Pattern(rf"{_MARKS}{_TYPE}{_MARKS}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParameterClaim:
    """A number of parameters.

    Attributes:
        count: how many.
        number: the digits as written.
        unit: "", "M", "billion", as written.
        start: offset of the digits in the card.
        end: offset behind the unit.
        in_title: whether it is a part of the title, and so of the name.
    """

    count: float
    number: str
    unit: str
    start: int
    end: int
    in_title: bool = False


class TypeClaim(NamedTuple):
    """A data type: as safetensors names it, as it is written, and where."""

    dtype: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Offset behind the word."""
        return self.start + len(self.text)


@lru_cache(maxsize=8)
def parameter_claims(card: Card) -> tuple[ParameterClaim, ...]:
    """The number of parameters in the title, in bullets and in rows of tables with two columns, in order."""
    return tuple(sorted({*_in_title(card), *_labelled(card)}, key=lambda claim: claim.start))


@lru_cache(maxsize=8)
def type_claims(card: Card) -> tuple[TypeClaim, ...]:
    """The data types that bullets and rows of tables give the weights, in order; not those of the training."""
    found = []
    for block in card.blocks:
        if block.kind == "text":
            found += [(m["type"], m.start("type")) for m in _TYPED.finditer(card.text, block.start, block.end)]
    for name, value, start in _rows(card):
        if _TYPE_NAMED.fullmatch(name) and (match := _TYPE_CELL.fullmatch(value)):
            found.append((match["type"], start + match.start("type")))
    return tuple(TypeClaim(_TYPES[text.casefold()], text, start) for text, start in sorted(found, key=lambda f: f[1]))


def spelt_alike(old: str, dtype: str) -> str | None:
    """Another data type in the spelling of `old`: float16 -> bfloat16, FP16 -> BF16; None for types without one."""
    long = "float" in old.casefold() or old.casefold() == "half"
    short = old.casefold() in ("f16", "f32")
    names = {"F32": ("float32", "f32", "fp32"), "F16": ("float16", "f16", "fp16"), "BF16": ("bfloat16", "bf16", "bf16")}
    if dtype not in names:
        return None
    name = names[dtype][0 if long else 1 if short else 2]
    return name.upper() if old.isupper() else name


def _in_title(card: Card) -> Iterator[ParameterClaim]:
    title = next((section for section in card.sections if section.level == 1), None)
    if title is None:
        return
    source = card.text[title.heading_start : title.start]
    found = list(_IN_TITLE.finditer(source))
    if len(found) == 1 and not _SIZE_LIKE.search(source):
        yield _claim(found[0], title.heading_start, in_title=True)


def _labelled(card: Card) -> Iterator[ParameterClaim]:
    for block in card.blocks:
        if block.kind == "text":
            for found in _LABELLED.finditer(card.text, block.start, block.end):
                yield _claim(found, 0)
    for name, value, start in _rows(card):
        if _NAMED.fullmatch(name) and (match := _CELL.fullmatch(value)):
            yield _claim(match, start)


def _rows(card: Card) -> Iterator[tuple[str, str, int]]:
    for table in tables(card):
        if len(table.header) == 2:
            yield from (
                (row[0].text, row[1].text, row[1].start) for row in (table.header, *table.rows) if len(row) == 2
            )


def _claim(found: re.Match[str], offset: int, *, in_title: bool = False) -> ParameterClaim:
    number, unit = found["number"], found["unit"] or ""
    count = float(number.replace(",", "")) * _UNITS.get(unit.casefold(), 1)
    end = found.end("unit") if unit else found.end("number")
    return ParameterClaim(count, number, unit, offset + found.start("number"), offset + end, in_title)
