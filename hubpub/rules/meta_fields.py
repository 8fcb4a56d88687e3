"""META: the fields with a shape of their own: widget, thumbnail, gated access and emissions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from hubpub.card.metadata.edits import remove_key, set_value
from hubpub.card.metadata.yaml_block import Path
from hubpub.core.findings import Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.rules.meta_values import SPEC, fix, is_left, meant_task, metadata, most, quoted, rejected
from hubpub.rules.placing import at_path
from hubpub.rules.registry import CardSubject, card_rules

_WIDGETS = "https://github.com/huggingface/hub-docs/blob/main/docs/hub/models-widgets-examples.md"
# What an example needs to have, by task: one of each set. Examples with an output are pictures of what comes out.
_SOURCE: tuple[set[str], ...] = ({"src"},)
_NEEDED: Mapping[str, tuple[set[str], ...]] = {
    "question-answering": ({"text", "question"}, {"context"}),
    "fill-mask": ({"text"},),
    "text-classification": ({"text"},),
    "token-classification": ({"text"},),
    "summarization": ({"text"},),
    "translation": ({"text"},),
    "text-generation": ({"text", "messages"},),
    "text-to-speech": ({"text"},),
    "zero-shot-classification": ({"text"},),
    "sentence-similarity": ({"source_sentence"}, {"sentences"}),
    "table-question-answering": ({"text"}, {"table"}),
    "automatic-speech-recognition": _SOURCE,
    "audio-classification": _SOURCE,
    "audio-to-audio": _SOURCE,
    "voice-activity-detection": _SOURCE,
    "image-classification": _SOURCE,
    "object-detection": _SOURCE,
    "image-segmentation": _SOURCE,
    "depth-estimation": _SOURCE,
    "zero-shot-image-classification": _SOURCE,
    "visual-question-answering": ({"src"}, {"text"}),
    "document-question-answering": ({"src"}, {"text"}),
    "tabular-classification": ({"structured_data", "structuredData"},),
    "tabular-regression": ({"structured_data", "structuredData"},),
}
_MASK = Pattern(r"\[MASK\]|<mask>|<mask_\d+>|\[mask\]|<extra_id_\d+>|<special\d+>")
_GATED_TYPES = {"text", "checkbox", "date_picker", "country", "ip_location", "select"}
_GRAMS: Mapping[str, int | str] = {
    "g": 1,
    "gram": 1,
    "grams": 1,
    "mg": "0.001",
    "kg": 1000,
    "t": 1_000_000,
}
_AMOUNT = Pattern(r"(?P<number>[0-9]{1,12}(?:\.[0-9]{1,12})?)\s*(?P<unit>[A-Za-z]*)(?:\s*(?:of\s+)?CO2(?:-?eq)?)?")


@card_rules.rule(
    "META040",
    "widget-type",
    Severity.ERROR,
    summary="widget is not a list.",
    why='The Hub rejects the push: "widget" must be an array (https://github.com/ostris/ai-toolkit/issues/260).',
    bad="---\nlicense: mit\nwidget: {text: A film that I liked}\n---",
    good="---\nlicense: mit\nwidget: [{text: A film that I liked}]\n---",
    hint="write a list of examples, each with its keys",
    source=_WIDGETS,
    fixable=Fixable.SAFE,
)
def widget_type(subject: CardSubject) -> Iterator[Problem]:
    """A single example, or a text, in place of the list."""
    for issue in rejected(subject, "widget"):
        mend = None
        if isinstance(issue.value, dict):
            edits = set_value(subject.card.text, subject.card.front_matter, issue.path, [issue.value])
            mend = fix(subject, "make a list of the example", edits, safe=True)
        yield at_path(subject, issue.path, f"widget is {quoted(issue.value)}, not a list of examples", fix=mend)


@card_rules.rule(
    "META041",
    "widget-example-shape",
    Severity.WARNING,
    summary="An example of the widget does not fit the task.",
    why="The widget shows an error, or nothing, in place of the example: each task has keys of its own, and a text for "
    "fill-mask needs the mask in it.",
    bad="---\nlicense: mit\nlanguage: en\npipeline_tag: fill-mask\nwidget:\n- text: Paris is a city.\n---",
    good='---\nlicense: mit\nlanguage: en\npipeline_tag: fill-mask\nwidget:\n- text: "Paris is a [MASK]."\n---',
    hint="give the example the keys of its task",
    source=_WIDGETS,
)
def widget_example_shape(subject: CardSubject) -> Iterator[Problem]:
    """Examples without the keys of the card's task."""
    data = metadata(subject) or {}
    widget, task = data.get("widget"), meant_task(subject, data)
    examples: list[tuple[Path, Any]] = [(("widget",), widget)] if isinstance(widget, dict) else []
    if isinstance(widget, list):
        examples = [(("widget", index), example) for index, example in enumerate(widget[: most(subject.card)])]
    for path, example in examples:
        if not isinstance(example, dict):
            if example is not None:
                yield at_path(subject, path, f"an example of the widget is {quoted(example)}, not keys with values")
            continue
        if "output" in example or task is None:
            continue
        absent = [min(keys) for keys in _NEEDED.get(task, ()) if not keys & example.keys()]
        text = example.get("text")
        if absent:
            yield at_path(subject, path, f"an example of the widget lacks {' and '.join(absent)}, which {task} takes")
        elif task == "fill-mask" and isinstance(text, str) and not _has_mask(text, data):
            yield at_path(subject, (*path, "text"), f"there is no mask in {quoted(text)}", "put [MASK] or <mask> in")


@card_rules.rule(
    "META042",
    "thumbnail-invalid",
    Severity.INFO,
    summary="thumbnail is empty, or no address.",
    why="The thumbnail is what chat programs and social networks show for a link to the model: they fetch it from a "
    "full address. 46 of 949 cards have the key without a value.",
    bad="---\nlicense: mit\nthumbnail:\ntags: [sentiment]\n---",
    good="---\nlicense: mit\ntags: [sentiment]\n---",
    hint="give the address of a picture, from https:// on",
    source=SPEC,
    fixable=Fixable.SAFE,
)
def thumbnail_invalid(subject: CardSubject) -> Iterator[Problem]:
    """A thumbnail without a value, or with one that is no address."""
    data, path = metadata(subject) or {}, ("thumbnail",)
    if "thumbnail" not in data:
        return
    value = data["thumbnail"]
    if value is None or (isinstance(value, str) and not value.strip()):
        edits = remove_key(subject.card.text, subject.card.front_matter, path)
        mend = fix(subject, "remove the empty thumbnail", edits, safe=True)
        line, column = subject.card.lines.place(subject.card.front_matter.keys[path][0])
        yield Problem("thumbnail is empty", subject.path, line, column, hint="remove it, or give an address", fix=mend)
    elif not _is_address(value) and not is_left(path, value):
        yield at_path(subject, path, f"thumbnail is {quoted(value)}, which is no full address")


@card_rules.rule(
    "META044",
    "gated-fields-type",
    Severity.ERROR,
    summary="extra_gated_fields is not what the Hub can ask for.",
    why="The Hub rejects the push when the fields are not keys with values, and cannot show a field of a type that it "
    "does not know: text, checkbox, date_picker, country, ip_location, or select with options.",
    bad="---\nlicense: mit\nextra_gated_fields:\n- Company\n---",
    good="---\nlicense: mit\nextra_gated_fields:\n  Company: text\n---",
    hint="write each question as a key, with its type as the value",
    source="https://github.com/huggingface/hub-docs/blob/main/docs/hub/models-gated.md",
)
def gated_fields_type(subject: CardSubject) -> Iterator[Problem]:
    """A list or text in place of the mapping (the Hub rejects it), and types that it does not know (a warning)."""
    for issue in rejected(subject, "extra_gated_fields"):
        yield at_path(subject, issue.path, f"extra_gated_fields is {quoted(issue.value)}, not keys with values")
    fields = (metadata(subject) or {}).get("extra_gated_fields")
    for name, kind in islice(fields.items() if isinstance(fields, dict) else (), most(subject.card)):
        wanted = kind.get("type") if isinstance(kind, dict) else kind
        if isinstance(wanted, str) and wanted in _GATED_TYPES:
            continue
        found = at_path(subject, ("extra_gated_fields", name), f"a gated field is of the type {quoted(wanted)}")
        yield Problem(
            found.message,
            found.path,
            found.line,
            found.column,
            hint=f"take one of {', '.join(sorted(_GATED_TYPES))}",
            severity=Severity.WARNING,
        )


@card_rules.rule(
    "META045",
    "co2-shape",
    Severity.WARNING,
    summary="co2_eq_emissions is not a number of grams.",
    why="The Hub shows and sorts by grams of CO2: a number, or a mapping with the number as emissions, and where it "
    "comes from. Text with a unit it cannot read.",
    bad="---\nlicense: mit\nco2_eq_emissions: 1.2 kg\n---",
    good="---\nlicense: mit\nco2_eq_emissions: 1200\n---",
    hint="write the grams as a number, or {emissions: 1200, source: codecarbon}",
    source="https://github.com/huggingface/hub-docs/blob/main/docs/hub/model-cards-co2.md",
    fixable=Fixable.SAFE,
)
def co2_shape(subject: CardSubject) -> Iterator[Problem]:
    """Text in place of a number, a list, or a mapping without emissions."""
    data = metadata(subject) or {}
    value, path = data.get("co2_eq_emissions"), ("co2_eq_emissions",)
    if isinstance(value, dict):
        if "emissions" not in value:
            yield at_path(subject, path, "co2_eq_emissions has no emissions")
            return
        value, path = value["emissions"], (*path, "emissions")  # type: ignore[assignment]
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return
    if is_left(path, value):
        return
    grams = _grams(value) if isinstance(value, str) else None
    hint = None if grams is None else f"write {grams}"
    mend = None
    if grams is not None:
        edits = set_value(subject.card.text, subject.card.front_matter, path, grams)
        mend = fix(subject, f"write {grams}, in grams", edits, safe=True)
    yield at_path(subject, path, f"{'.'.join(path)} is {quoted(value)}, not a number of grams", hint, mend)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and bool(re.match(r"https?://|//|data:image/", value.strip()))


def _has_mask(text: str, data: Mapping[str, Any]) -> bool:
    token = data.get("mask_token")
    return bool(_MASK.search(text)) or (isinstance(token, str) and token in text)


def _grams(text: str) -> int | float | None:
    from decimal import Decimal, InvalidOperation  # few cards name emissions

    found = _AMOUNT.fullmatch(text.strip())
    factor = _GRAMS.get(found["unit"].lower() or "g") if found else None
    if found is None or factor is None:
        return None
    try:
        grams = Decimal(found["number"]) * Decimal(factor)
    except InvalidOperation:
        return None
    return int(grams) if grams == grams.to_integral_value() else float(grams)
