"""What the Hub makes of a card's metadata: the chips below the name, examples to try, results, what it was made from.

https://huggingface.co/docs/hub/model-cards, https://huggingface.co/docs/hub/models-widgets#adding-example-inputs
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from hubpub.card.document import Card
from hubpub.card.hub_lists import languages, libraries, pipeline_tags
from hubpub.card.metadata.yaml_block import read_yaml
from hubpub.card.results import indexed_results
from hubpub.preview.files import EVAL_RESULTS, shown_file

_MOST = 40
_MOST_ALIKE = 4
_LONGEST = 300
_LARGEST_RESULTS = 1 << 20
# keys of a widget's example that are not its input
_ABOUT = frozenset({"example_title", "output", "group", "pipeline_tag"})
_RELATIONS = {
    "finetune": "fine-tuned from",
    "adapter": "an adapter for",
    "quantized": "quantised from",
    "merge": "merged from",
}


class Chip(NamedTuple):
    """One thing that the header says.

    Attributes:
        kind: which kind of thing; "" for a tag.
        text: what, in the words of the Hub.
        more: the others of its kind, where these are too many to be shown.
    """

    kind: str
    text: str
    more: tuple[str, ...] = ()


class Example(NamedTuple):
    """An example that people can try in the Hub's widget.

    Attributes:
        title: its name in the list.
        parts: what is put in, each with what it is called.
        source: the address of a picture or a sound that is put in.
        output: what comes out, if the card tells.
    """

    title: str
    parts: tuple[tuple[str, str], ...]
    source: str = ""
    output: str = ""


class Result(NamedTuple):
    """One number of the panel "Evaluation results"."""

    metric: str
    value: str
    dataset: str
    task: str
    source: str
    verified: bool


class Ancestry(NamedTuple):
    """What a model was made from."""

    relation: str
    models: tuple[str, ...]


def chips(card: Card) -> list[Chip]:
    """What the header shows, in the Hub's order."""
    data = _data(card)
    found = [
        *(Chip("task", pipeline_tags().get(tag, tag)) for tag in _texts(data.get("pipeline_tag"))),
        *(Chip("library", libraries().get(name, name)) for name in _texts(data.get("library_name"))),
        *_few("dataset", _texts(data.get("datasets"))),
        *_few("language", [languages().get(code, code) for code in _texts(data.get("language"))]),
        *_few("", _texts(data.get("tags"))),
        *(Chip("licence", name) for name in _texts(data.get("license"))),
    ]
    names = _texts(data.get("license_name"))
    if names and _texts(data.get("license")) == ["other"]:
        found[-1] = Chip("licence", names[0])
    if data.get("co2_eq_emissions"):
        found.append(Chip("CO2", _emissions(data["co2_eq_emissions"])))
    if data.get("gated"):
        found.append(Chip("", "gated"))
    return list(dict.fromkeys(found))


def ancestry(card: Card) -> Ancestry | None:
    """The base models and the relation to them; None when the metadata names none."""
    data = _data(card)
    models = tuple(_texts(data.get("base_model")))
    if not models:
        return None
    relation = next(iter(_texts(data.get("base_model_relation"))), "")
    return Ancestry(_RELATIONS.get(relation, relation or "made from"), models)


def examples(card: Card) -> list[Example]:
    """The widget's examples, in order."""
    widget = _data(card).get("widget")
    entries = widget if isinstance(widget, list) else []
    found = []
    for number, entry in enumerate(entries[:_MOST], start=1):
        if not isinstance(entry, Mapping):
            found.append(Example(f"Example {number}", (("", _text(entry)),)))
            continue
        title = _text(entry.get("example_title")) or f"Example {number}"
        source = entry.get("src")
        parts = tuple(islice(_parts(entry), _MOST))
        address = source if isinstance(source, str) else ""
        found.append(Example(title, parts, address, _output(entry.get("output"))))
    return found


def results(card: Card) -> list[Result]:
    """The numbers of `model-index`, in order."""
    found = []
    for result in indexed_results(card)[:_MOST]:
        task = _text(result.task.get("name") or pipeline_tags().get(_text(result.task.get("type")), ""))
        dataset = _text(result.dataset.get("name") or result.dataset.get("type"))
        split = _text(result.dataset.get("split"))
        place = f"{dataset} ({split})" if split and split.casefold() not in dataset.casefold() else dataset
        source = _text(result.source.get("name"))
        for metric in result.metrics[:_MOST]:
            name = _text(metric.data.get("name") or metric.type or metric.id)
            verified = metric.data.get("verified") is True
            found.append(Result(name, _value(metric.value), place, task, source, verified))
    return found


def _few(kind: str, texts: list[str]) -> Iterator[Chip]:
    most = _MOST_ALIKE if kind else 3 * _MOST_ALIKE
    yield from (Chip(kind, text) for text in texts[:most])
    if len(texts) > most:
        yield Chip(kind, f"and {len(texts) - most} more", tuple(texts[most:]))


def filed_results(root: Path) -> list[Result]:
    """The numbers of the repo's `.eval_results/*.yaml`, which the Hub shows in the same panel, in order.

    https://github.com/huggingface/hub-docs/blob/main/eval_results.yaml
    """
    try:
        names = sorted(path.name for path in (root / EVAL_RESULTS).iterdir() if path.suffix in (".yaml", ".yml"))
    except OSError:
        return []
    found = []
    for name in names[:_MOST]:
        file = shown_file(root, f"{EVAL_RESULTS}/{name}")
        text = file.content[:_LARGEST_RESULTS].decode("utf-8", "replace") if file else ""
        # The reader of YAML wants keys with values at the top: the list becomes the value of one.
        data = read_yaml("results:\n" + text.removeprefix("\ufeff").removeprefix("---\n")).hub_data or {}
        entries = data.get("results")
        for entry in entries[:_MOST] if isinstance(entries, list) else ():
            if isinstance(entry, Mapping):
                dataset = entry.get("dataset")
                about = dataset if isinstance(dataset, Mapping) else {}
                source = entry.get("source")
                told = _text(source.get("name")) if isinstance(source, Mapping) else ""
                value = _value(entry.get("value"))
                found.append(
                    Result(_text(about.get("task_id")), value, _text(about.get("id")), "", told, verified=False)
                )
    return found


def _data(card: Card) -> Mapping[str, Any]:
    return card.front_matter.hub_data or card.front_matter.data or {}


def _parts(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in entry.items():
        if key in _ABOUT or key == "src":
            continue
        if key == "messages" and isinstance(value, list):
            for message in value:
                if isinstance(message, Mapping):
                    yield _text(message.get("role")) or "message", _text(message.get("content"))
        else:
            yield "" if key == "text" else str(key).replace("_", " "), _text(value)


def _output(value: Any) -> str:
    """What an example gives: a text, the address of a picture, or labels with their scores."""
    if isinstance(value, Mapping):
        return _text(value.get("text") or value.get("url") or value)
    if isinstance(value, list):
        labels = [
            f"{_text(item.get('label'))} {_value(item.get('score'))}" for item in value[:5] if isinstance(item, Mapping)
        ]
        return ", ".join(labels) or _text(value)
    return _text(value)


def _emissions(value: Any) -> str:
    """Grams, as the specification has them: as a number, or with where they come from."""
    grams = value.get("emissions") if isinstance(value, Mapping) else value
    if isinstance(grams, int | float) and not isinstance(grams, bool) and math.isfinite(grams):
        return f"{grams:,.4g} g of CO2" if grams < 1000 else f"{grams / 1000:,.4g} kg of CO2"
    return _text(grams)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".") if 1e-3 < abs(value) < 1e15 else repr(value)
    return _text(value)


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return [text for item in items[: 5 * _MOST] if (text := _text(item))]


def _text(value: Any) -> str:
    """A value of YAML on one line, and not too long."""
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        value = json.dumps(value, ensure_ascii=False, default=str)
    words = " ".join(str(value)[: 4 * _LONGEST].split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
