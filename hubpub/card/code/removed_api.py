"""What transformers has no longer: names, tasks, methods and arguments that snippets in cards still use.

data/removed-api.json compares the exported names of earlier versions with those of the present one;
scripts/refresh_removed_api.py writes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from hubpub.card.document import Card
from hubpub.card.hub_lists import read_data
from hubpub.core.pattern import Pattern

_OTHER_FRAMEWORK = Pattern(r"(TF|Flax)[A-Z0-9]\w*")
# "transformers==4.30", "transformers<5": the snippets are for that version.
_PINNED = Pattern(
    r"\btransformers(?:\[[\w,-]{1,60}\])?[\"'`]{0,3}[ \t]{0,3}(?:[=~]=[ \t]{0,2}v?[0-4]\.|<[ \t]{0,2}5|<=[ \t]{0,2}4)"
    r"|\btransformers(?:\.git)?@v[0-4]\."
    r"|\bversion [`\"']?[0-4]\.[\d.]{1,8}[`\"']? of (?:the )?[`\"'\[]?transformers\b",
    re.IGNORECASE,
    clues=("==", "~=", "<", "@v", "version "),
)


class RemovedApi(NamedTuple):
    """What is gone.

    Attributes:
        version: the version of transformers that has it no longer.
        names: classes and functions that nothing replaces one to one.
        renamed: names that are the same under another one.
        instead: for some of `names`, what to use, in words.
        methods: of tokenizers; "" where calling the tokenizer does the same.
        arguments: by what takes them, with their present names.
        removed_tasks: of pipelines.
        tasks: those that pipelines have.
    """

    version: str
    names: frozenset[str]
    renamed: Mapping[str, str]
    instead: Mapping[str, str]
    methods: Mapping[str, str | None]
    arguments: Mapping[str, Mapping[str, str | None]]
    removed_tasks: frozenset[str]
    tasks: frozenset[str]


@cache
def removed_api() -> RemovedApi:
    """What the data file says."""
    data = read_data("removed-api.json")
    return RemovedApi(
        version=data["version"],
        names=frozenset(data["names"]),
        renamed=data["renamed"],
        instead=data["instead"],
        methods=data["methods"],
        arguments=data["arguments"],
        removed_tasks=frozenset(data["removed_tasks"]),
        tasks=frozenset(data["tasks"]),
    )


def other_framework(name: str) -> str | None:
    """The framework of a class of transformers for TensorFlow or Flax; None for every other name."""
    found = _OTHER_FRAMEWORK.fullmatch(name)
    return {"TF": "TensorFlow", "Flax": "Flax"}[found[1]] if found else None


@lru_cache(maxsize=8)
def pins_an_earlier_version(card: Card) -> bool:
    """Whether the card says to install a transformers before 5, which its snippets are for."""
    return _PINNED.search(card.text) is not None


@cache
def auto_classes_that_make() -> Mapping[str, frozenset[str]]:
    """By model class, the auto classes that make one."""
    makes = read_data("auto-classes.json")["makes"]
    return {made: frozenset(autos.split()) for made, autos in makes.items()}


@cache
def model_types_of(auto_class: str) -> frozenset[str] | None:
    """The model types that an auto class knows; None when there is no such class."""
    types = read_data("auto-classes.json")["types"].get(auto_class)
    return None if types is None else frozenset(types.split())
