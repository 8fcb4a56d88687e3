"""SECT: the seven sections that a model card has, and whether anything stands in them."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.card.sections import ENOUGH_WORDS, required_sections
from hubpub.core.findings import Problem, Severity
from hubpub.rules.registry import CardSubject, card_rules

_COURSE = "https://huggingface.co/learn/llm-course/chapter4/4"


@card_rules.rule(
    "SECT003",
    "required-section-missing",
    Severity.WARNING,
    summary="One of the seven sections of a model card is missing.",
    why="People who find the model cannot judge whether it fits: of 125 cards written since 2021, 38 have all seven. "
    "Headings are recognised by meaning, in several languages, nested or flat.",
    bad="# My model\n\n## Usage\n\nCall it.",
    good="# My model\n\n## Model description\n\n## Intended uses & limitations\n\n## How to use\n\n"
    "## Limitations and bias\n\n## Training data\n\n## Training procedure\n\n## Evaluation results",
    hint="add the section; `hubpub card PATH --write` proposes what the files tell",
    source=_COURSE,
)
def required_section_missing(subject: CardSubject) -> Iterator[Problem]:
    """One problem per section that no heading means."""
    if subject.card.is_blank:
        return
    for required, state in required_sections(subject.card).items():
        if not state.present:
            yield Problem(f"the card has no section {required.title}", subject.path)


@card_rules.rule(
    "SECT010",
    "required-section-not-filled",
    Severity.WARNING,
    summary="A section has its heading, but nothing stands there yet.",
    why="A heading is not content: of the 38 modern cards that have all seven headings, 11 fill them. A section counts "
    f"as filled with {ENOUGH_WORDS} words, a table or code. A link to data, scripts or results is enough, "
    "and so is a measured number.",
    bad="## Training data\n\nTo follow.",
    good="## Training data\n\nTrained on [SST-2](https://huggingface.co/datasets/stanfordnlp/sst2), 67,349 sentences.",
    hint="write the section",
    source=_COURSE,
)
def required_section_not_filled(subject: CardSubject) -> Iterator[Problem]:
    """One problem per section that is there and empty; placeholders in it are named by TEXT001."""
    for required, state in required_sections(subject.card).items():
        if state.gap:
            line, column = subject.card.lines.place(state.gap.start)
            message = f"{required.title} is still to be written"
            yield Problem(message, subject.path, line, column, hint=f"write {state.gap.prompt}")
        elif state.present and not state.filled and not state.placeholder:
            yield Problem(f"{required.title} has fewer than {ENOUGH_WORDS} words", subject.path, state.line, 1)
