"""Tracing the numbers of a card to the facts, and the facts to the files that they come from."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from hubpub.card.document import Card
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.fact_list import ListedFact, list_facts
from hubpub.card.writing.presentation import DECIMALS, cell, duration, gibibytes, rounded, setting

_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
_CODE = re.compile(r"`[^`]*`")
# Worked out of what the source says, not copied from it.
_DERIVED = (
    "pipeline_tag",
    "tokenizer.kind",
    "tokenizer.vocabulary",
    "chat.path",
    "modules.Module 1",
    "run.code.remote",
)
_NO_FILE = (
    "the kind of the folder",
    "the folder's name",
    "--repo-id",
    "settings",
    "2 files of weights",
    "the files of a training run",
)
_TARGET = re.compile(r"\]\([^)]*\)|<https?://[^>]*>")


def numbers_of(text: str) -> list[str]:
    """The numbers in the text of a card: not those in code, names set as code, addresses and comments."""
    card = Card.parse(text)
    shown = "\n".join(block.text for block in card.blocks if block.kind in ("text", "table"))
    plain = _TARGET.sub("]", _CODE.sub("", shown))
    return [found.rstrip(",") for found in _NUMBER.findall(plain)]


def untraced(text: str, facts: CardFacts) -> list[str]:
    """The numbers of a card that are no value of a fact, in one of the forms in which values are shown."""
    known = {str(DECIMALS)}
    for fact in list_facts(facts):
        known.update(_forms(fact.value))
    known.update(map(str, range(max(len(facts.labels), len(facts.modules)))))
    known.add(f"{len(facts.summary.log.rows)}")
    return [number for number in numbers_of(text) if number not in known]


def _forms(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _forms(list(value.items()))
    elif isinstance(value, list | tuple):
        yield str(len(value))
        for one in value:
            yield from _forms(one)
    elif isinstance(value, str):
        yield from (found.rstrip(",") for found in _NUMBER.findall(value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from (cell(value), setting(value), rounded(value))
        yield from _NUMBER.findall(f"{duration(value)} {gibibytes(value)}")


def disagreeing(facts: CardFacts, folder: Path, data: Path | None = None) -> list[ListedFact]:
    """The facts whose source is a key of a file of the folder that says something else.

    Args:
        facts: to be traced.
        folder: of the model.
        data: the directory in which the named training data are.
    """
    return [fact for fact in list_facts(facts) if not _agrees(fact, folder) and not (data and _counted(fact, data))]


def _counted(fact: ListedFact, data: Path) -> bool:
    """Whether a fact on plain data is what one finds when one looks, rows and columns counted anew."""
    place, _, key = fact.source.partition(": ")
    path = data / place
    if not fact.name.startswith("data.") or not path.exists():
        return False
    if key == "features":
        return fact.name.startswith("data.0.columns.")
    if key == "pictures":
        label = fact.name.rpartition(".rows")[2].removeprefix(".")
        return fact.value == len(list(path.glob(f"{label or '*'}/*.png")))
    text = path.read_text()
    rows = len(list(csv.DictReader(text.splitlines()))) if place.endswith(".csv") else text.count("\n")
    return bool(fact.value == rows)


def _agrees(fact: ListedFact, folder: Path) -> bool:
    if fact.name in _DERIVED:
        return bool(fact.source)
    place, _, key = fact.source.partition(": ")
    path, _, line = place.partition(":")
    if not fact.source:
        return False
    if not key or not (folder / path).is_file():
        return (folder / path).is_file() or place in _NO_FILE
    if path.endswith(".csv"):
        row = list(csv.DictReader((folder / path).read_text().splitlines()))[int(line) - 2]
        return _same(fact.value, row[key])
    if path.endswith((".json", ".yaml")):
        document = yaml.safe_load((folder / path).read_text()) if path.endswith("yaml") else _json(folder / path)
        found = _at(document, key)
        return found is not None and (not isinstance(fact.value, int | float | str) or _same(fact.value, found))
    return True


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def _at(document: Any, key: str) -> Any:
    """What a key of joined parts leads to, where the parts may hold dots themselves."""
    if not key:
        return document
    if isinstance(document, list):
        head, _, rest = key.partition(".")
        return _at(document[int(head)], rest) if head.isdigit() and int(head) < len(document) else None
    if isinstance(document, dict):
        for name in document:
            if key == name or key.startswith(f"{name}."):
                found = _at(document[name], key[len(name) + 1 :])
                if found is not None:
                    return found
    return None


def _same(value: Any, found: Any) -> bool:
    """Whether the file has the value; what was worked out of a list or an object counts, and is tested elsewhere."""
    if isinstance(found, dict | list):
        return True
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(found) in (float(value), float(value) / (1 << 30))
    return str(value) == str(found) or str(value) in str(found)
