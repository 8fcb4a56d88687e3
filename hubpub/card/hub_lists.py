"""What the Hub knows by name: licences, pipeline tags, libraries, languages; each a data file with source and date."""

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


@cache
def languages() -> Mapping[str, str]:
    """The codes of ISO 639-1, 639-2 and 639-3, and the Hub's own values, with their names in English."""
    names: dict[str, str] = read_data("languages.json")["ids"]
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


def language_alias(name: str) -> str | None:
    """The code of a language that is written in another way; None for others, and for what is no code.

    By name in English or in the language itself (`English`, `deutsch`), by a code in capitals or with a region or
    script behind it (`EN`, `pt_pt`, `zh-Hans`), or by the code of a country that is often taken for one (`jp`).
    """
    wanted = " ".join(re.sub(r"[(),]", " ", name[:200].casefold().replace("_", "-")).split())
    aliases: dict[str, str] = read_data("languages.json")["aliases"]
    code, _, region = wanted.partition("-")
    if not region or wanted in aliases:
        return wanted if wanted in languages() else aliases.get(wanted)
    if not 2 <= len(code) <= 3 or (region in languages() and region not in read_data("languages.json")["regions"]):
        return None  # hi-en is two languages, pt-br one and a country
    return code if code in languages() else aliases.get(code)


@lru_cache(maxsize=256)
def nearest_language(name: str) -> str | None:
    """The code that somebody who wrote `name` most likely meant; None when there is none near."""
    known = language_alias(name) or language_alias(name.strip().rpartition(" ")[2])  # "scientific english"
    if known:
        return known
    aliases: dict[str, str] = read_data("languages.json")["aliases"]
    near = _nearest_of(name.casefold()[:100], tuple(alias for alias in aliases if len(alias) > 3), 0.8)
    return aliases[near] if near else None


def _nearest(name: str, known: Mapping[str, str] | tuple[str, ...]) -> str | None:
    return _nearest_of(name.casefold()[:100], tuple(known), 0.6)


def _nearest_of(name: str, known: tuple[str, ...], cutoff: float) -> str | None:
    found = difflib.get_close_matches(name, known, n=1, cutoff=cutoff)
    return found[0] if found else None
