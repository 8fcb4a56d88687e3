"""META: the card's metadata, as the Hub and its clients read it."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.rules.meta_values import SPEC
from hubpub.rules.registry import CardSubject, card_rules


@card_rules.rule(
    "META001",
    "front-matter-missing",
    Severity.WARNING,
    summary="The card has no metadata.",
    why="Without a YAML block the model has no licence, task or language on the Hub, and no search finds it. The Hub "
    "takes the card and warns of empty or missing metadata.",
    bad="# My model",
    good="---\nlicense: apache-2.0\npipeline_tag: text-classification\n---\n\n# My model",
    hint="put a block between two lines of --- at the top; `hubpub card PATH --write` adds what the files tell",
    source=SPEC,
)
def front_matter_missing(subject: CardSubject) -> Iterator[Problem]:
    """No block, and nothing that was meant as one."""
    front_matter = subject.card.front_matter
    if not front_matter.found and not front_matter.problem and not subject.card.is_blank:
        yield Problem("the card has no metadata block", subject.path, 1, 1)


@card_rules.rule(
    "META002",
    "front-matter-unreadable",
    Severity.ERROR,
    summary="The card's metadata cannot be read.",
    why="The Hub rejects a push with metadata that is not YAML with keys and values, at the very end of the upload. A "
    "block that is not the first thing in the file, or not closed, it takes for text, and the model has no metadata.",
    bad="---\nmodel_name: My: model\n---",
    good='---\nmodel_name: "My: model"\n---',
    hint="mend the block: --- as the first line, keys with values, --- as its last line",
    source=SPEC,
)
def front_matter_unreadable(subject: CardSubject) -> Iterator[Problem]:
    """A block that the Hub, or the Python client, cannot read."""
    problem = subject.card.front_matter.problem
    if problem:
        message = f"the metadata block cannot be read: {problem.message}"
        if problem.kind == "not-recognised":
            message = f"the Hub does not see the metadata block: {problem.message}"
        yield Problem(message, subject.path, problem.line, problem.column)
