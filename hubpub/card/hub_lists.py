"""What the Hub knows by name: licences, pipeline tags, libraries. Each list is a data file with its source and date."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


@cache
def read_data(name: str) -> Any:
    """The parsed JSON of one of the package's data files."""
    return json.loads((_DATA / name).read_text(encoding="utf-8"))


@cache
def licences() -> tuple[str, ...]:
    """The ids that the Hub takes as `license`, in its order."""
    return tuple(read_data("licences.json")["ids"])


@cache
def pipeline_tags() -> Mapping[str, str]:
    """The ids that the Hub knows as `pipeline_tag`, with their names for people."""
    names: dict[str, str] = read_data("pipeline-tags.json")["ids"]
    return names


@cache
def libraries() -> Mapping[str, str]:
    """The ids that the Hub knows as `library_name`, with their names for people."""
    names: dict[str, str] = read_data("libraries.json")["ids"]
    return names


def licence_alias(name: str) -> str | None:
    """The Hub's id for a licence that is written in another way (`MIT`, `Apache 2.0`, `gplv3`); None for others."""
    wanted = re.sub(r"\b(?:the|licen[sc]e|version)\b", " ", name.casefold().replace("_", " "))
    wanted = re.sub(r"[\s,-]+", "-", wanted).strip("-.")
    known = wanted if wanted in licences() else read_data("licences.json")["aliases"].get(wanted)
    return str(known) if known else None


@lru_cache(maxsize=256)
def nearest_licence(name: str) -> str | None:
    """The id that somebody who wrote `name` most likely meant; None when there is none near."""
    return licence_alias(name) or _nearest(name, licences())


@lru_cache(maxsize=256)
def nearest_pipeline_tag(name: str) -> str | None:
    """The pipeline tag that somebody who wrote `name` most likely meant; None when there is none near."""
    wanted = re.sub(r"[\s_]+", "-", name.casefold().strip())
    if wanted in pipeline_tags():
        return wanted
    alias = read_data("pipeline-tags.json")["aliases"].get(wanted)
    return alias or _nearest(wanted, pipeline_tags())


def _nearest(name: str, known: Mapping[str, str] | tuple[str, ...]) -> str | None:
    found = difflib.get_close_matches(name.casefold()[:100], list(known), n=1)
    return found[0] if found else None
