"""META: the card's metadata, as the Hub and its clients read it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.card.document import Card
from hubpub.card.hub_lists import (
    licence_alias,
    nearest_licence,
    nearest_pipeline_tag,
)
from hubpub.card.placeholders import is_unrendered
from hubpub.card.schema import Issue, validate_front_matter
from hubpub.card.yaml_block import Path
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.rules.meta_implicit import is_named_here
from hubpub.rules.registry import CardSubject, card_rules

_SPEC = "https://github.com/huggingface/hub-docs/blob/main/modelcard.md"
_LICENCES = "https://github.com/huggingface/hub-docs/blob/main/docs/hub/repositories-licenses.md"
_FOLDER = re.compile(r"[./~\\]|[A-Za-z]:[\\/]|file:|.*/.*/|.*\\")


@card_rules.rule(
    "META011",
    "licence-missing",
    Severity.WARNING,
    summary="The metadata names no licence.",
    why="Nobody may use a model whose licence is unknown. In the Hub's own user study people cared most about it; two "
    "thirds of 949 real cards name none.",
    bad="---\npipeline_tag: fill-mask\n---",
    good="---\nlicense: mit\npipeline_tag: fill-mask\n---",
    hint="add license: with an id of the Hub's list, such as apache-2.0",
    source=_LICENCES,
)
def licence_missing(subject: CardSubject) -> Iterator[Problem]:
    """Readable metadata without a value for `license`."""
    data = subject.card.front_matter.data
    if data is None or data.get("license"):
        return
    if "licence" in data:
        line, column = subject.card.lines.place(subject.card.front_matter.keys[("licence",)][0])
        yield Problem(
            "the metadata names no licence: the key licence is unknown to the Hub",
            subject.path,
            line,
            column,
            hint="name the key license",
        )
        return
    yield Problem("the metadata names no licence", subject.path, subject.card.front_matter.first_line, 1)


@card_rules.rule(
    "META012",
    "licence-unknown",
    Severity.ERROR,
    summary="The licence is not one of the Hub's ids.",
    why='The Hub rejects the push: "license" must be one of its ids, which are in lower case and not those of SPDX.',
    bad="---\nlicense: MIT\n---",
    good="---\nlicense: mit\n---",
    hint="take an id of the Hub's list, or other with license_name and license_link",
    source=_LICENCES,
    fixable=Fixable.SAFE,
)
def licence_unknown(subject: CardSubject) -> Iterator[Problem]:
    """Every licence that the Hub would refuse, with the id that was meant."""
    for issue in _issues(subject.card):
        if issue.rejects and issue.path[:1] == ("license",) and not _left_to_others(issue):
            yield _licence_problem(subject, issue)


def _licence_problem(subject: CardSubject, issue: Issue) -> Problem:
    line, column = _place(subject.card, issue.path)
    name = issue.value if isinstance(issue.value, str) else None
    meant = nearest_licence(name) if name else None
    message = f"the Hub knows no licence {_quoted(issue.value)}"
    if name is None or meant is None:
        return Problem(message, subject.path, line, column)
    fix = _replace(subject, issue.path, name, meant, safe=licence_alias(name) == meant)
    return Problem(message, subject.path, line, column, hint=f"did you mean {meant}?", fix=fix)


@card_rules.rule(
    "META060",
    "hub-would-reject",
    Severity.ERROR,
    summary="The Hub would reject the card for this value.",
    why="The Hub validates the metadata when the commit is made, after everything was uploaded. This is its answer, "
    "beforehand and offline.",
    bad="---\nlicense: mit\nlanguage: english\n---",
    good="---\nlicense: mit\nlanguage: en\n---",
    hint="write what the message asks for",
    source=_SPEC,
)
def hub_would_reject(subject: CardSubject) -> Iterator[Problem]:
    """What the Hub's validation rejects and no other rule names."""
    for issue in _issues(subject.card):
        named = issue.path[:1] == ("license",) or _is_base_model_path(issue) or is_named_here(issue)
        if issue.path and issue.rejects and not named and not _left_to_others(issue):
            line, column = _place(subject.card, issue.path)
            yield Problem(f"the Hub would reject the card: {issue.message}", subject.path, line, column)


@card_rules.rule(
    "META024",
    "hub-would-warn",
    Severity.WARNING,
    summary="The Hub would warn of this value.",
    why="The Hub takes a card with an unknown pipeline_tag, but gives the model no task, no widget and no place in the "
    "search by task.",
    bad="---\nlicense: mit\npipeline_tag: ner\n---",
    good="---\nlicense: mit\npipeline_tag: token-classification\n---",
    hint="take one of the Hub's tasks, see https://huggingface.co/tasks",
    source="https://github.com/huggingface/huggingface.js/blob/main/packages/tasks/src/pipelines.ts",
    fixable=Fixable.UNSAFE,
)
def hub_would_warn(subject: CardSubject) -> Iterator[Problem]:
    """What the Hub's validation warns of."""
    for issue in _issues(subject.card):
        if not issue.rejects and issue.path and not _left_to_others(issue):
            line, column = _place(subject.card, issue.path)
            meant = nearest_pipeline_tag(issue.value) if isinstance(issue.value, str) else None
            yield Problem(
                f"the Hub knows no task {_quoted(issue.value)}",
                subject.path,
                line,
                column,
                hint=f"did you mean {meant}?" if meant else None,
                fix=_replace(subject, issue.path, str(issue.value), meant, safe=False) if meant else None,
            )


@card_rules.rule(
    "META030",
    "base-model-is-a-path",
    Severity.ERROR,
    summary="base_model is a path on somebody's machine.",
    why="The Hub rejects the push, and the path tells strangers about your machine. PEFT writes whatever name the base "
    "model was loaded by (https://github.com/huggingface/peft/issues/2124).",
    bad="---\nlicense: mit\nbase_model: /kaggle/input/llama-3.1/transformers/8b/1\n---",
    good="---\nlicense: llama3.1\nbase_model: meta-llama/Llama-3.1-8B\n---",
    hint="write the id of the base model's repo on the Hub",
    source="https://github.com/huggingface/transformers/issues/33922",
)
def base_model_is_a_path(subject: CardSubject) -> Iterator[Problem]:
    """A base model that is named by a folder."""
    for issue in _issues(subject.card):
        if _is_base_model_path(issue) and not _left_to_others(issue):
            line, column = _place(subject.card, issue.path)
            yield Problem(f"base_model is a path: {_quoted(issue.value)}", subject.path, line, column)


def _issues(card: Card) -> tuple[Issue, ...]:
    return validate_front_matter(card.front_matter).issues


def _left_to_others(issue: Issue) -> bool:
    """A template's variable in place of a value is reported as such."""
    return isinstance(issue.value, str) and is_unrendered(issue.value)


def _is_base_model_path(issue: Issue) -> bool:
    is_text = issue.path[:1] == ("base_model",) and isinstance(issue.value, str)
    return is_text and "://" not in issue.value and bool(_FOLDER.match(issue.value))


def _place(card: Card, path: Path) -> tuple[int, int]:
    return card.lines.place(card.front_matter.offset_of(path))


def _quoted(value: object) -> str:
    text = " ".join(str(value).split())
    return f"{text[:80]!r}" if len(text) <= 80 else f"{text[:77] + '...'!r}"


def _replace(subject: CardSubject, path: Path, old: str, new: str, *, safe: bool) -> Fix | None:
    """Put `new` in place of the scalar at `path`; None when the text there is not plainly `old`."""
    span = subject.card.front_matter.values.get(path)
    if span is None:
        return None
    written = subject.card.text[span[0] : span[1]]
    inner = written[1:-1] if written[:1] in "\"'" and written[:1] == written[-1:] and len(written) > 1 else written
    if inner != old:
        return None
    start = span[0] + written.index(inner)
    return Fix(f"replace {old} by {new}", safe, (Edit(subject.path, start, start + len(inner), new),))
