"""What people may answer: the keys of card.yaml, of which kind each is, and which values the Hub takes for it."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, NoReturn

from hubpub.card.document import Card
from hubpub.card.hub_lists import (
    is_known_key,
    language_alias,
    languages,
    library_alias,
    licence_alias,
    meant_key,
    nearest_language,
    nearest_licence,
    nearest_pipeline_tag,
    pipeline_tag_alias,
    read_data,
    relation_alias,
)
from hubpub.card.metadata.frontmatter import FrontMatter
from hubpub.card.metadata.schema import RELATIONS, is_repo_id, validate_front_matter
from hubpub.card.metadata.yaml_block import Path
from hubpub.card.metadata.yaml_text import Paragraphs
from hubpub.card.profiles import default_profile, profile_named, profile_names
from hubpub.card.sanitise import plain_lines
from hubpub.card.sections import section_meanings
from hubpub.core.pattern import Pattern

LONGEST_SECTION = 64 << 10
"""Characters that an answer in Markdown may have."""

_LONGEST_TEXT = 4000
_HEADING = "The end"
# Comments by which hubpub finds its own text again; a person's text that holds one would be taken for it.
_OWN_COMMENT = Pattern(r"<!--\s*hubpub:")


class Kind(StrEnum):
    """What a value is; the word for it in messages."""

    TEXT = "text"
    TEXTS = "a list of texts"
    NUMBER = "a number"
    SWITCH = "true or false"
    LIST = "a list"
    TABLE = "keys with values"
    MARKDOWN = "Markdown"
    ANY = "a value"


# The keys of a model card's metadata, https://github.com/huggingface/hub-docs/blob/main/modelcard.md. Those with dots
# are inside of tables.
_METADATA: Mapping[str, Kind] = {
    "license": Kind.TEXT,
    "license_name": Kind.TEXT,
    "license_link": Kind.TEXT,
    "language": Kind.TEXTS,
    "language_bcp47": Kind.TEXTS,
    "library_name": Kind.TEXT,
    "pipeline_tag": Kind.TEXT,
    "base_model": Kind.TEXTS,
    "base_model_relation": Kind.TEXT,
    "new_version": Kind.TEXT,
    "datasets": Kind.TEXTS,
    "metrics": Kind.TEXTS,
    "tags": Kind.TEXTS,
    "thumbnail": Kind.TEXT,
    "mask_token": Kind.TEXT,
    "model_name": Kind.TEXT,
    "inference": Kind.ANY,
    "widget": Kind.LIST,
    "model-index": Kind.LIST,
    "co2_eq_emissions": Kind.TABLE,
    "co2_eq_emissions.emissions": Kind.NUMBER,
    "co2_eq_emissions.source": Kind.TEXT,
    "co2_eq_emissions.training_type": Kind.TEXT,
    "co2_eq_emissions.geographical_location": Kind.TEXT,
    "co2_eq_emissions.hardware_used": Kind.TEXT,
    "extra_gated_prompt": Kind.MARKDOWN,
    "extra_gated_heading": Kind.TEXT,
    "extra_gated_description": Kind.TEXT,
    "extra_gated_button_content": Kind.TEXT,
    "extra_gated_eu_disallowed": Kind.SWITCH,
    "extra_gated_fields": Kind.TABLE,
}
# What the results of the Trainer were measured on: no file of its own says so.
_EVALUATION: Mapping[str, Kind] = {
    "evaluation.dataset": Kind.TEXT,
    "evaluation.name": Kind.TEXT,
    "evaluation.config": Kind.TEXT,
    "evaluation.split": Kind.TEXT,
    "evaluation.revision": Kind.TEXT,
    "evaluation.task_id": Kind.TEXT,
    "evaluation.source_url": Kind.TEXT,
    "evaluation.source_name": Kind.TEXT,
}
_REPOS = {"base_model", "new_version", "datasets", "evaluation.dataset"}


class AnswerError(Exception):
    """An answer that cannot be one.

    Attributes:
        path: of the key or value.
        message: what is wrong with it.
        hint: what to write instead.
    """

    def __init__(self, path: Path, message: str, hint: str) -> None:
        super().__init__(message)
        self.path, self.message, self.hint = path, message, hint


@cache
def section_titles() -> Mapping[str, str]:
    """The sections that may be answered: their headings by id, those of the usual profile first.

    Of the other profiles those that mean none of these: two names for the same section would make two of it.
    """
    titles = {section.id: section.title for section in default_profile().sections}
    for section in (section for name in profile_names() for section in profile_named(name).sections):
        if not (section.title_counts or section.told_by or section_meanings(section.title)):
            titles.setdefault(section.id, section.title)
    return titles


@cache
def answer_keys() -> Mapping[str, Kind]:
    """All keys, parts joined by dots, with their kinds."""
    sections = {f"sections.{name}": Kind.MARKDOWN for name in section_titles()}
    return {
        **_METADATA,
        "data": Kind.TEXTS,
        "evaluation": Kind.TABLE,
        **_EVALUATION,
        "sections": Kind.TABLE,
        **sections,
    }


def checked_answers(data: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as the Hub writes them: `MIT` is `mit`, one language is a list of one.

    A key whose value is null stays so: it is not to be written, whatever the files say.

    Raises:
        AnswerError: an unknown key, a value of another kind, or one that the Hub would not take.
    """
    checked = {key: _checked((str(key),), value) for key, value in data.items()}
    issues = validate_front_matter(FrontMatter(True, data=checked, hub_data=checked)).issues
    for issue in issues:
        if issue.rejects and issue.path[0] in _METADATA:
            raise AnswerError(issue.path, f"the Hub would reject it: {issue.message[:300]}", "write it as the Hub does")
    return checked


def split_key(name: str) -> Path:
    """The path of a key that is written with dots: only the first one divides, as ids of sections have none.

    Raises:
        AnswerError: there is no such key.
    """
    path = tuple(name.split(".", 1))
    kind_of(path)
    return path


def kind_of(path: Path) -> Kind:
    """The kind of the value at a path.

    Raises:
        AnswerError: there is no such key.
    """
    name = ".".join(map(str, path))
    kind = answer_keys().get(name)
    if kind is not None:
        return kind
    if path[0] == "extra_gated_fields" or (len(path) == 1 and name.startswith(("x_", "x-"))):
        return Kind.ANY
    if len(path) == 1 and is_known_key(name):
        raise AnswerError(path, f"{name} is no key of card.yaml", "it is not for people to answer; remove it")
    meant = _meant(name)
    known = [key for key in answer_keys() if key.rpartition(".")[0] == name.rpartition(".")[0]] or list(_METADATA)
    hint = f"did you mean {meant}?" if meant else f"known keys: {', '.join(known)}"
    raise AnswerError(path, f"unknown key {name}", hint)


def _meant(name: str) -> str | None:
    spelt = meant_key(name)
    if spelt in answer_keys():
        return spelt
    top, _, last = name.rpartition(".")
    beside = [key for key in answer_keys() if key.rpartition(".")[0] == top]
    near = difflib.get_close_matches(name, beside, n=1) or difflib.get_close_matches(name, answer_keys(), n=1)
    # a section that stands at the top, or a part of a table
    return near[0] if near else next((key for key in answer_keys() if key.rpartition(".")[2] == last), None)


def _checked(path: Path, value: Any) -> Any:
    kind = kind_of(path)
    if value is None:
        return None
    if isinstance(value, datetime.date):
        value = value.isoformat()  # YAML takes a version such as 2024-01-15 for a date
    if kind is Kind.TABLE:
        if path == ("co2_eq_emissions",) and _is_number(value):
            return value
        if not isinstance(value, dict):
            raise _wrong(path, value, kind)
        return {str(key): _checked((*path, str(key)), inner) for key, inner in value.items()}
    if kind is Kind.TEXTS:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list):
            raise _wrong(path, value, kind)
        return [_text(path, item, (*path, index)) for index, item in enumerate(items)]
    if kind is Kind.LIST:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise AnswerError(path, f"{_name(path)} is not a list of keys with values", "begin each entry with -")
        return value
    if kind is Kind.MARKDOWN:
        return _markdown(path, value)
    if kind is Kind.TEXT:
        return _text(path, value, path)
    fits = _is_number(value) if kind is Kind.NUMBER else isinstance(value, bool)
    if kind is not Kind.ANY and not fits:
        raise _wrong(path, value, kind)
    return value


def _name(path: Path) -> str:
    return ".".join(map(str, path))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _wrong(path: Path, value: Any, kind: Kind) -> AnswerError:
    return AnswerError(path, f"{_name(path)} is {_shown(value)}, not {kind.value}", f"write {kind.value}")


def _shown(value: Any) -> str:
    return (
        repr(value)[:60] if not isinstance(value, dict | list) else "a list" if isinstance(value, list) else "a table"
    )


def _markdown(path: Path, value: Any) -> str:
    if not isinstance(value, str):
        raise AnswerError(
            path, f"{_name(path)} is {_shown(value)}, not text", "write Markdown, behind | on lines below"
        )
    if len(value) > LONGEST_SECTION:
        raise AnswerError(
            path,
            f"{_name(path)} has {len(value):,} characters",
            f"write at most {LONGEST_SECTION:,}, and link the rest",
        )
    if _OWN_COMMENT.search(value):
        raise AnswerError(path, f"{_name(path)} holds a comment of hubpub's, <!-- hubpub:…", "remove the comment")
    if _is_left_open(value):
        raise AnswerError(
            path,
            f"{_name(path)} ends in code, a comment or HTML that is not closed, and would take the rest of the card in",
            "close it, with ``` or --> on a line of its own",
        )
    return Paragraphs(plain_lines(value).strip("\n"))


def _is_left_open(markdown: str) -> bool:
    """Whether a heading behind the Markdown would be none."""
    card = Card.parse(f"\n{markdown}\n\n# {_HEADING}\n")  # a first line of --- is no front matter
    is_read = card.read_to >= len(card.text)
    return is_read and not (card.sections and card.sections[-1].heading == _HEADING)


def _text(path: Path, value: Any, place: Path) -> str:
    if not isinstance(value, str):
        raise AnswerError(place, f"{_name(path)} is {_shown(value)}, not text", "put it between quotes")
    text = value.strip()
    if not text or len(text) > _LONGEST_TEXT or "\n" in text or not text.isprintable():
        raise AnswerError(
            place, f"{_name(path)} is {_shown(value)}, not a line of text", "write one line, or remove it"
        )
    return _of_the_hub(_name(path), text, place)


def _of_the_hub(name: str, text: str, place: Path) -> str:
    """The text as the Hub's lists have it."""
    if name in _REPOS:
        if not is_repo_id(text) or (name != "base_model" and name != "datasets" and "/" not in text):
            raise AnswerError(place, f"{name} is {text!r}, not the id of a repo on the Hub", "write namespace/name")
        return text
    if name == "license":
        return licence_alias(text) or _unknown(place, name, text, nearest_licence(text), "mit, apache-2.0, other, ...")
    if name == "pipeline_tag":
        tag = pipeline_tag_alias(text)
        return tag or _unknown(place, name, text, nearest_pipeline_tag(text), "an id of https://huggingface.co/tasks")
    if name == "base_model_relation":
        return relation_alias(text) or _unknown(place, name, text, None, ", ".join(RELATIONS))
    if name == "language":
        code = text if text in languages() else language_alias(text)
        return code or _unknown(place, name, text, nearest_language(text), "a code of ISO 639, such as en")
    if name == "library_name":
        return library_alias(text) or text
    if name == "metrics":
        return str(read_data("metrics.json")["aliases"].get(text, text))
    return text


def _unknown(place: Path, name: str, text: str, near: str | None, instead: str) -> NoReturn:
    hint = f"did you mean {near}?" if near else f"write {instead}"
    raise AnswerError(place, f"the Hub knows no {name} {text!r}", hint)
