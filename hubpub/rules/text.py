"""TEXT: what the card says, whatever its sections are."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.card.placeholders import find_unrendered
from hubpub.core.findings import Problem, Severity
from hubpub.rules.registry import CardSubject, card_rules

_HUB_TEMPLATE = (
    "https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/templates/modelcard_template.md"
)


@card_rules.rule(
    "TEXT003",
    "unrendered-template",
    Severity.ERROR,
    summary="A template's variable was never filled in.",
    why="The script that made the card failed silently: readers see {{ model_name }}, and the Hub rejects such values.",
    bad="# {{ model_name }}",
    good="# acme/sentiment",
    hint="render the template with a value for it",
    source=_HUB_TEMPLATE,
)
def unrendered_template(subject: CardSubject) -> Iterator[Problem]:
    """`{{ x }}`, `{% x %}` and `${x}` in text and metadata, not in code."""
    for placeholder in find_unrendered(subject.card):
        line, column = subject.card.lines.place(placeholder.start)
        message = f"a template variable was left: {' '.join(placeholder.text.split())[:80]}"
        yield Problem(message, subject.path, line, column)


@card_rules.rule(
    "TEXT025",
    "card-empty",
    Severity.ERROR,
    summary="The card holds nothing.",
    why="An empty README.md is worse than none: the Hub shows a blank page and offers nobody to write a card.",
    bad="",
    good="---\nlicense: mit\n---\n\n# My model",
    hint="write a card with `hubpub card PATH --write`",
    source="https://huggingface.co/docs/hub/model-cards",
)
def card_empty(subject: CardSubject) -> Iterator[Problem]:
    """Nothing but blanks in the file."""
    if subject.card.is_blank:
        yield Problem("the card is empty", subject.path, 1, 1)


@card_rules.rule(
    "TEXT026",
    "card-not-utf8",
    Severity.ERROR,
    summary="The card is not UTF-8 text.",
    why="The Hub and its clients read cards as UTF-8; other bytes make the client fail and show as � to readers.",
    bad="caf\\xe9 (Latin-1)",
    good="café (UTF-8)",
    hint="save the file as UTF-8",
    source="https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/repocard.py",
)
def card_not_utf8(subject: CardSubject) -> Iterator[Problem]:
    """The first byte that is not UTF-8, or the first that no text has."""
    if subject.undecodable is not None:
        yield Problem(f"the card is not UTF-8: byte {subject.undecodable} begins no character", subject.path)
    elif (nul := subject.card.text.find("\0")) >= 0:
        line, column = subject.card.lines.place(nul)
        yield Problem("the card is not text: it holds a NUL byte", subject.path, line, column)
