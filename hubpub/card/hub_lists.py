"""What the Hub knows by name: licences, tasks, libraries, languages, keys; each a data file with source and date."""

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


def pipeline_tag_alias(name: str) -> str | None:
    """The pipeline tag that is written in another way (`Text Classification`, `ner`, `asr`); None for others."""
    wanted = _hyphenated(name)
    known = wanted if wanted in pipeline_tags() else read_data("pipeline-tags.json")["aliases"].get(wanted)
    return str(known) if known else None


@lru_cache(maxsize=256)
def nearest_pipeline_tag(name: str) -> str | None:
    """The pipeline tag that somebody who wrote `name` most likely meant; None when there is none near."""
    wanted = _hyphenated(name)
    successor: str | None = read_data("pipeline-tags.json")["successors"].get(wanted)
    return pipeline_tag_alias(name) or successor or _nearest(wanted, pipeline_tags())


def library_alias(name: str) -> str | None:
    """The library that is written in another way (`Transformers`, `scikit-learn`); None for others."""
    alias: str | None = read_data("libraries.json")["aliases"].get(_hyphenated(name))
    return _libraries_by_bare_name().get(_bare(name)) or alias


@lru_cache(maxsize=256)
def nearest_library(name: str) -> str | None:
    """The library that somebody who wrote `name` most likely meant; None when there is none near."""
    known = library_alias(name)
    if known:
        return known
    found = difflib.get_close_matches(name.casefold()[:100], list(libraries()), n=1, cutoff=0.85)
    return found[0] if found else None


def relation_alias(name: str) -> str | None:
    """The `base_model_relation` that is written in another way (`fine-tuned`, `lora`); None for others."""
    wanted = _bare(name)
    if wanted in ("adapter", "merge", "quantized", "finetune"):
        return wanted
    known: str | None = read_data("relations.json")["aliases"].get(wanted)
    return known


@cache
def metadata_keys() -> frozenset[str]:
    """The keys that the specification of a model card's metadata knows."""
    return frozenset(read_data("metadata-keys.json")["keys"])


def is_known_key(key: str) -> bool:
    """Whether a key of the metadata is specified, marked as somebody's own by `x_`, or often written all the same."""
    return key in metadata_keys() or key in read_data("metadata-keys.json")["other"] or key.startswith(("x_", "x-"))


@lru_cache(maxsize=256)
def meant_key(key: str) -> str | None:
    """The key that somebody who wrote `key` meant; None when it is a known one, or none is near enough to be sure."""
    if is_known_key(key):
        return None
    bare, known = _bare(key), _keys_by_bare_name()
    if bare in known:
        return known[bare]
    near = difflib.get_close_matches(bare[:100], list(known), n=1, cutoff=0.87) if len(bare) > 4 else []
    return known[near[0]] if near else None


@lru_cache(maxsize=256)
def licence_family(base_model: str) -> tuple[str, str] | None:
    """The family of models that a repo belongs to, and the licence that binds what is made from it; None for most."""
    for family, licence, pattern in _licence_families():
        if pattern.fullmatch(base_model):
            return family, licence
    return None


def is_permissive(licence: str) -> bool:
    """Whether the licence asks for no more than to be named."""
    return licence in read_data("licence-families.json")["permissive"]


@cache
def _licence_families() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    return tuple(
        (family["name"], family["licence"], re.compile(family["base_model"], re.IGNORECASE))
        for family in read_data("licence-families.json")["families"]
    )


@cache
def _keys_by_bare_name() -> Mapping[str, str]:
    misspelt: dict[str, str] = read_data("metadata-keys.json")["misspelt"]
    return {_bare(name): name for name in metadata_keys()} | {_bare(name): meant for name, meant in misspelt.items()}


@cache
def _libraries_by_bare_name() -> Mapping[str, str]:
    return {_bare(name): name for name in libraries()}


def _bare(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.casefold())


def _hyphenated(name: str) -> str:
    return re.sub(r"[\s_]+", "-", name.casefold().strip())


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
