"""Completing a card that a person wrote: what is there stays byte for byte, what is missing is added.

Missing metadata keys are written into the block as text, behind the last key; missing sections go to the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hubpub.card.document import Block, Card
from hubpub.card.frontmatter import FrontMatter, read_front_matter
from hubpub.card.metadata import dump
from hubpub.card.sections import required_sections


def complete(existing: str, rendered: str) -> str:
    """The card `existing` with what it lacks of `rendered`.

    A card that lacks nothing comes back as it is, and completing twice changes nothing more. Front matter that
    cannot be read is not touched, and neither is one whose meaning an added key would change. A key that is there
    without a value stays so.

    Args:
        existing: what a person wrote; blank text gives `rendered`.
        rendered: a card as `render_card` makes it.
    """
    if not existing.strip("\ufeff \t\r\n"):
        return rendered
    newline = _newline(existing)
    with_metadata = _add_metadata(existing, read_front_matter(rendered), newline)
    return _add_sections(with_metadata, Card.parse(rendered), newline)


def _newline(text: str) -> str:
    """The line ending that most lines have."""
    windows = text.count("\r\n")
    return "\r\n" if windows * 2 > text.count("\n") else "\n"


def _add_metadata(existing: str, rendered: FrontMatter, newline: str) -> str:
    wanted = rendered.data or {}
    present = read_front_matter(existing)
    if present.problem or not wanted:
        return existing
    if not present.found:
        return _insert_block(existing, dump(wanted).replace("\n", newline), newline)
    missing = {key: value for key, value in wanted.items() if key not in (present.data or {})}
    return _append_keys(existing, present, missing, newline) if missing else existing


def _insert_block(existing: str, block: str, newline: str) -> str:
    # a byte order mark has to stay the first character; the Hub reads a block behind it
    at = 1 if existing.startswith("\ufeff") else 0
    gap = "" if existing[at:].startswith(("\n", "\r")) else newline
    result = f"{existing[:at]}---{newline}{block}---{newline}{gap}{existing[at:]}"
    return result if read_front_matter(result).data is not None else existing


def _append_keys(existing: str, present: FrontMatter, missing: Mapping[str, Any], newline: str) -> str:
    indent = re.match(r"[ ]*", existing[_start_of_line(existing, min(present.keys.values())[0]) :])
    lines = dump(missing).rstrip("\n").split("\n")
    added = newline.join((indent[0] if indent else "") + line for line in lines)
    gap = "" if present.raw.endswith(("\n", "\r")) else newline
    result = f"{existing[: present.end]}{gap}{added}{existing[present.end :]}"
    # in a flow mapping or behind an open block scalar the lines would mean something else
    read = read_front_matter(result)
    expected = {**(present.data or {}), **missing}
    hub_expected = {**(present.hub_data or {}), **missing}
    same = read.data == expected and read.hub_data == hub_expected and list(read.data) == list(expected)
    return result if same else existing


def _start_of_line(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def _add_sections(existing: str, rendered: Card, newline: str) -> str:
    card = Card.parse(existing)
    missing = {required for required, state in required_sections(card).items() if not state.present}
    added = []
    for section in rendered.sections:
        meant = {required for required in missing if required.title == section.heading}
        if meant:
            nested = rendered.children(section)
            end = nested[-1].end if nested else section.end
            added.append(rendered.text[section.heading_start : end].strip("\n").replace("\n", newline))
    if not added:
        return existing
    text = (newline * 2).join(added) + newline
    for closing in ("", *_closings(card, newline)):
        begin = existing + closing
        result = begin + _blank_line(begin, newline) + text
        states = required_sections(Card.parse(result))
        if all(states[required].present for required in missing):
            return result
    return existing


def _closings(card: Card, newline: str) -> list[str]:
    """What ends the code or comment that the card leaves open and that would swallow everything behind it."""
    last: Block | None = card.blocks[-1] if card.blocks else None
    if last is None:
        return []
    source = card.text[last.start : last.end]
    fence = re.match(r"\s*(`{3,}|~{3,})", source)
    if last.kind == "code" and fence:
        return [("" if source.endswith(("\n", "\r")) else newline) + fence[1] + newline]
    return [newline + "-->" + newline] if source.rfind("<!--") > source.rfind("-->") else []


def _blank_line(text: str, newline: str) -> str:
    if text.endswith((newline * 2, "\n\n")):
        return ""
    return newline if text.endswith(("\n", "\r")) else newline * 2
