"""META: the lists of the metadata: datasets, metrics and tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from hubpub.card.document import Card, Section
from hubpub.card.hub_lists import libraries
from hubpub.card.measures import single_measures
from hubpub.card.metadata.edits import remove_item, remove_key, set_text, set_value
from hubpub.card.metadata.schema import is_repo_id
from hubpub.card.metrics import is_loss
from hubpub.card.placeholders import prose
from hubpub.card.sections import section_meanings
from hubpub.core.findings import Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.rules.meta_values import (
    MODEL_CARDS,
    SPEC,
    fix,
    is_given,
    is_left,
    metadata,
    missing,
    most,
    put,
    quoted,
    rejected,
    texts,
)
from hubpub.rules.placing import at_path
from hubpub.rules.registry import CardSubject, card_rules

_DATASET_LINK = Pattern(
    r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/datasets/(?P<id>[\w.-]{1,96}(?:/[\w.-]{1,96})?)"
)
_DATASET_ADDRESS = Pattern(
    r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/datasets/(?P<id>[\w.-]+(?:/[\w.-]+?)?)/?"
    r"(?:/(?:tree|blob|resolve|viewer)(?:/.*)?|[?#].*)?"
)
_PAGES = {"viewer", "tree", "blob", "resolve", "discussions"}
_JOINED = Pattern(r"\s*[,;]\s*")
_BRACKETED = Pattern(r"(?:(?P<first>[\w.-]+)\s+)?\[(?P<rest>[^\[\]]{1,400})\]?")
_MOST = 50


@card_rules.rule(
    "META034",
    "datasets-missing",
    Severity.INFO,
    summary="The card links its training data, and the metadata does not name it.",
    why="The Hub shows a model on the page of each data set in datasets, and people search by them; 83 of 125 cards "
    "since 2021 tell of training data and name no data set there.",
    bad="---\nlicense: mit\n---\n\n# Sentiment\n\n## Training data\n\nTrained on "
    "[IMDb](https://huggingface.co/datasets/stanfordnlp/imdb).\n",
    good="---\nlicense: mit\ndatasets:\n- stanfordnlp/imdb\n---\n\n# Sentiment\n\n## Training data\n\nTrained on "
    "[IMDb](https://huggingface.co/datasets/stanfordnlp/imdb).\n",
    hint="add datasets: with the ids of the data sets on the Hub",
    source=MODEL_CARDS,
    fixable=Fixable.UNSAFE,
)
def datasets_missing(subject: CardSubject) -> Iterator[Problem]:
    """No datasets, and a section about the training data that links some on the Hub."""
    data = metadata(subject)
    if data is None or is_given(subject, "datasets"):
        return
    names = list(dict.fromkeys(_linked_datasets(subject.card)))[:_MOST]
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        mend = put(subject, {"datasets": names}, safe=False)
        message = f"the metadata names no datasets; the card's training data is {', '.join(names[:3])}{more}"
        yield missing(subject, message, fix=mend)


@card_rules.rule(
    "META035",
    "datasets-invalid-id",
    Severity.ERROR,
    summary="datasets names what is not the id of a data set on the Hub.",
    why="The Hub rejects the push: each entry has to be the id of a repo, such as stanfordnlp/imdb. AutoTrain wrote "
    "folders of its machines (https://github.com/huggingface/autotrain-advanced/issues/648), and 23 of 949 cards have "
    "titles or addresses.",
    bad="---\nlicense: mit\ndatasets:\n- https://huggingface.co/datasets/stanfordnlp/imdb\n---",
    good="---\nlicense: mit\ndatasets:\n- stanfordnlp/imdb\n---",
    hint="write ids of data sets on the Hub, and tell of others in the card's text",
    source=SPEC,
    fixable=Fixable.SAFE,
)
def datasets_invalid_id(subject: CardSubject) -> Iterator[Problem]:
    """A title, path or address in place of an id."""
    text, front_matter = subject.card.text, subject.card.front_matter
    for issue in rejected(subject, "datasets"):
        value = issue.value
        message = f"datasets names {quoted(value)}, which is not the id of a data set"
        if not isinstance(value, str):
            yield at_path(subject, issue.path, message)
            continue
        parts = [part for part in _JOINED.split(value.strip()) if part]
        found = _DATASET_ADDRESS.fullmatch(value.strip())
        meant = found["id"] if found and is_repo_id(found["id"]) else None
        hint, mend = None, None
        if meant:
            hint = f"did you mean {meant}?"
            edits = set_text(text, front_matter, issue.path, meant)
            mend = fix(subject, f"replace the address by {meant}", edits, safe=True)
        elif len(issue.path) == 1 and 1 < len(parts) <= _MOST and all(map(is_repo_id, parts)):
            hint = "write a list"
            mend = fix(subject, "make a list of the ids", set_value(text, front_matter, issue.path, parts), safe=True)
        yield at_path(subject, issue.path, message, hint, mend)


@card_rules.rule(
    "META036",
    "metrics-missing",
    Severity.INFO,
    summary="The card reports results, and the metadata has no metrics.",
    why="The list of metrics is a filter of the Hub's of its own; 99 of 125 cards since 2021 have none.",
    bad="---\nlicense: mit\nmodel-index:\n- name: sentiment\n  results:\n  - task: {type: text-classification}\n"
    "    dataset: {type: stanfordnlp/imdb, name: IMDb}\n    metrics:\n    - {type: accuracy, value: 0.91}\n---",
    good="---\nlicense: mit\nmodel-index:\n- name: sentiment\n  results:\n  - task: {type: text-classification}\n"
    "    dataset: {type: stanfordnlp/imdb, name: IMDb}\n    metrics:\n    - {type: accuracy, value: 0.91}\n"
    "metrics:\n- accuracy\n---",
    hint="add metrics: with what you measured",
    source=SPEC,
    default=False,
    fixable=Fixable.SAFE,
)
def metrics_missing(subject: CardSubject) -> Iterator[Problem]:
    """Results in model-index or in the text, and no list of metrics; the fix lists what the results name."""
    data = metadata(subject)
    if data is None or is_given(subject, "metrics"):
        return
    indexed = list(dict.fromkeys(_measured(data)))[:_MOST]
    told = (measure.metric for measure in single_measures(subject.card) if not is_loss(measure.metric))
    names = indexed or list(dict.fromkeys(told))[:_MOST]
    if names:
        mend = put(subject, {"metrics": names}, safe=bool(indexed))
        yield missing(subject, f"the metadata names no metrics; its results are of {', '.join(names[:3])}", fix=mend)


@card_rules.rule(
    "META037",
    "metrics-type",
    Severity.WARNING,
    summary="metrics is not a list of names.",
    why="metrics lists what was measured, by id; the numbers have their place in model-index, and nobody finds them "
    "here.",
    bad="---\nlicense: mit\nmetrics: accuracy, f1\n---",
    good="---\nlicense: mit\nmetrics: [accuracy, f1]\n---",
    hint="list the ids of the metrics, such as accuracy, and put the numbers into model-index",
    source=SPEC,
    fixable=Fixable.SAFE,
)
def metrics_type(subject: CardSubject) -> Iterator[Problem]:
    """Mappings, numbers and joined names."""
    data, path = metadata(subject), ("metrics",)
    value = data.get("metrics") if data else None
    if isinstance(value, str):
        parts = [part for part in _JOINED.split(value.strip()) if part]
        if 1 < len(parts) <= _MOST and not is_left(path, value):
            edits = set_value(subject.card.text, subject.card.front_matter, path, parts)
            mend = fix(subject, "make a list of them", edits, safe=True)
            yield at_path(subject, path, f"metrics is one text, {quoted(value)}", "write a list", mend)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if not isinstance(item, str) and not is_left(("metrics", index), item):
                yield at_path(subject, ("metrics", index), f"metrics holds {quoted(item)}, which is no name")
                return
    elif value is not None and not is_left(path, value):
        shown = (
            f"keys with values ({', '.join(map(str, list(value)[:3]))})" if isinstance(value, dict) else quoted(value)
        )
        yield at_path(subject, path, f"metrics is {shown}, not a list of names")


@card_rules.rule(
    "META038",
    "tags-malformed",
    Severity.WARNING,
    summary="Tags are not a list of words, each there once.",
    why="The Hub makes a filter of each entry: `peft, lora` becomes one tag that nobody searches for.",
    bad="---\nlicense: mit\ntags: sentiment, reviews\n---",
    good="---\nlicense: mit\ntags: [sentiment, reviews]\n---",
    hint="write a list, one tag per entry",
    source=MODEL_CARDS,
    fixable=Fixable.SAFE,
)
def tags_malformed(subject: CardSubject) -> Iterator[Problem]:
    """One text for all, and entries that are joined, blank, there twice, or no text."""
    text, front_matter, path = subject.card.text, subject.card.front_matter, ("tags",)
    data = metadata(subject)
    value = data.get("tags") if data else None
    if isinstance(value, str) and value.strip() and not is_left(path, value):
        parts = _tags_in(value) or [value.strip()]
        mend = fix(subject, "make a list of the tags", set_value(text, front_matter, path, parts), safe=True)
        yield at_path(subject, path, f"tags is one text, {quoted(value)}, not a list", fix=mend)
    elif isinstance(value, dict) and not is_left(path, value):
        yield at_path(subject, path, "tags is keys with values, not a list")
    elif isinstance(value, list):
        yield from islice(_tags(subject, value), most(subject.card))


@card_rules.rule(
    "META039",
    "tag-redundant",
    Severity.INFO,
    summary="A tag repeats what another key says.",
    why="The Hub makes tags of the library, task, licence and languages itself; the same word twice is one more place "
    "that has to be kept right.",
    bad="---\nlicense: mit\nlibrary_name: transformers\ntags:\n- transformers\n- sentiment\n---",
    good="---\nlicense: mit\nlibrary_name: transformers\ntags:\n- sentiment\n---",
    hint="remove the tag",
    source=MODEL_CARDS,
    default=False,
    fixable=Fixable.SAFE,
)
def tag_redundant(subject: CardSubject) -> Iterator[Problem]:
    """Tags that are the value of library_name, pipeline_tag, license or language."""
    data = metadata(subject) or {}
    tags = data.get("tags")
    if not isinstance(tags, list):
        return
    said: dict[str, str] = {}
    for key in ("library_name", "pipeline_tag", "license", "language"):
        for word in texts(data.get(key)):
            if key != "library_name" or word in libraries():
                said.setdefault(f"license:{word}" if key == "license" else word, key)
    redundant = ((index, tag) for index, tag in enumerate(tags) if isinstance(tag, str) and tag in said)
    for index, tag in islice(redundant, most(subject.card)):
        mend = _without(subject, index, tags, f"remove the tag {tag}")
        yield at_path(subject, ("tags", index), f"the tag {quoted(tag)} repeats {said[tag]}", fix=mend)


def _tags(subject: CardSubject, tags: list[Any]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, item in enumerate(tags):
        if not is_left(("tags", index), item):
            yield from _tag(subject, index, item, tags, seen)


def _tag(subject: CardSubject, index: int, item: Any, tags: list[Any], seen: set[str]) -> Iterator[Problem]:
    text, front_matter, path = subject.card.text, subject.card.front_matter, ("tags", index)
    if item is None or (isinstance(item, str) and not item.strip()):
        yield at_path(subject, path, "an entry of tags is empty", fix=_without(subject, index, tags, "remove it"))
    elif isinstance(item, str):
        parts = _tags_in(item)
        if item in seen:
            mend = _without(subject, index, tags, f"remove the second {item}")
            yield at_path(subject, path, f"the tag {quoted(item)} is there twice", fix=mend)
        elif parts:
            every = [*tags[:index], *(part for part in parts if part not in tags), *tags[index + 1 :]]
            # the whole list is written anew, on one line: more than was asked for
            mend = fix(subject, "make a tag of each", set_value(text, front_matter, ("tags",), every), safe=False)
            yield at_path(subject, path, f"one entry of tags holds several: {quoted(item)}", fix=mend)
        seen.add(item)
    elif isinstance(item, dict | list):
        yield at_path(subject, path, f"an entry of tags is {quoted(item)}, not a word")


def _without(subject: CardSubject, index: int, tags: list[Any], description: str) -> Fix | None:
    text, front_matter = subject.card.text, subject.card.front_matter
    if len(tags) == 1:
        return fix(subject, description, remove_key(text, front_matter, ("tags",)), safe=True)
    return fix(subject, description, remove_item(text, front_matter, ("tags", index)), safe=True)


def _tags_in(text: str) -> list[str]:
    """The tags in `a, b` or `a [b, c]`; empty when it is one. Numbers with commas, as in `n<1,000`, are one."""
    bracketed = _BRACKETED.fullmatch(text.strip())
    if bracketed:
        parts = [bracketed["first"] or "", *_JOINED.split(bracketed["rest"])]
    else:
        parts = re.split(r"\s*;\s*|\s*,\s+|(?<!\d),(?!\d)", text.strip())
    parts = [part.strip("\"' ") for part in parts]
    parts = list(dict.fromkeys(part for part in parts if part))
    wordy = any(len(part.split()) > 4 for part in parts)
    return parts if (len(parts) > 1 or bracketed) and len(parts) <= _MOST and not wordy else []


def _linked_datasets(card: Card) -> Iterator[str]:
    if "/datasets/" not in card.text:
        return
    for section in card.sections:
        if "training-data" in section_meanings(section.heading):
            for part in (section, *card.children(section)):
                yield from _datasets_in(card, part)


def _datasets_in(card: Card, section: Section) -> Iterator[str]:
    for block in section.blocks:
        if block.kind in ("text", "html", "table"):
            for found in _DATASET_LINK.finditer(prose(card.text[block.start : block.end])):
                name, _, rest = found["id"].rstrip(".").partition("/")
                identifier = f"{name}/{rest}" if rest and rest not in _PAGES else name
                if name not in _PAGES and is_repo_id(identifier):
                    yield identifier


def _measured(data: Mapping[str, Any]) -> Iterator[str]:
    """The types of the metrics in model-index."""
    stack: list[Any] = [data.get("model-index")]
    for key in ("results", "metrics"):
        entries = [entry for part in stack if isinstance(part, list) for entry in part if isinstance(entry, dict)]
        stack = [entry.get(key) for entry in entries]
    for part in stack:
        for metric in part if isinstance(part, list) else ():
            if isinstance(metric, dict) and isinstance(metric.get("type"), str) and metric["type"].strip():
                yield metric["type"]
