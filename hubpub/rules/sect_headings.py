"""SECT: the card's headings as an outline: one title, no level left out, nothing that only looks like a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hubpub.card.metadata.edits import newline_of
from hubpub.card.outline import bold_lines, duplicates, levels, parents, shifted, skips, without_space
from hubpub.card.sections import MOST_HEADINGS, card_meanings, section_meanings
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.rules.placing import fix_of
from hubpub.rules.registry import CardSubject, card_rules
from hubpub.rules.sect import describes, summary_words

_COMMONMARK = "https://spec.commonmark.org/0.31.2/#atx-headings"
_MARKDOWNLINT = "https://github.com/DavidAnson/markdownlint/blob/main/doc/Rules.md"
# what training scripts write as the name of a model
_NO_NAMES = {"output", "outputs", "result", "results", "model", "checkpoint", "tmp", "test"}
# a line such as "#My-model: a classifier of films"; it may be a tag
_TITLE_WITHOUT_SPACE = re.compile(r"#[^\s#]")
# each is tried on the whole outline; the rest is found again once these are mended
_MOST_LIFTED = 20


@card_rules.rule(
    "SECT001",
    "missing-title",
    Severity.WARNING,
    summary="The card has no heading of level 1.",
    why="Where the card is read without the Hub's page around it (in a checkout, a mirror, a cache), nothing says "
    "which model it describes. 17 % of 949 real cards have none.",
    bad="---\nlicense: mit\nmodel-index:\n- name: films-en\n  results:\n  - task:\n      type: text-classification\n"
    "    dataset:\n      name: SST-2\n      type: stanfordnlp/sst2\n    metrics:\n    - type: accuracy\n      value: "
    "0.91\n---\n\nTells whether a film review is positive or negative.\n\n## Model description\n\nA small one.",
    good="---\nlicense: mit\n---\n\n# films-en\n\nTells whether a film review is positive or negative.\n\n"
    "## Model description\n\nA small one.",
    hint="begin the text with `# name-of-the-model`",
    source="https://huggingface.co/docs/hub/model-card-annotated",
    fixable=Fixable.SAFE,
)
def missing_title(subject: CardSubject) -> Iterator[Problem]:
    """No heading of level 1 in a card that has text; the fix takes the name from the repo id or the model index."""
    card = subject.card
    if card.is_blank or not card.blocks or card.title is not None:
        return
    if any(block.kind == "html" and "<h1" in block.text.lower() for block in card.blocks):
        return
    message, hint, mend = "the card has no heading of level 1", None, _title_fix(subject)
    first = card.blocks[0]
    if first.kind == "heading":
        message += f"; it begins with {card.sections[0].heading!r} on level {card.sections[0].level}"
    elif _TITLE_WITHOUT_SPACE.match(first.text) and not any(meant.start < first.end for meant in without_space(card)):
        message += ": there is no blank behind the # of its first line"
        hint, behind = "put a blank behind the #", card.text.index("#", first.start) + 1
        mend = Fix(hint, False, (Edit(subject.path, behind, behind, " "),))
    yield Problem(message, subject.path, first.line, 1, hint=hint, fix=mend)


def _title_fix(subject: CardSubject) -> Fix | None:
    card = subject.card
    name = _model_name(subject)
    if not name:
        return None
    first = card.sections[0] if card.sections else None
    if first and (first.level > 2 or not (summary_words(card, first) or describes(subject, first))):
        return None  # the title would lack a summary, or stand too far above
    newline = newline_of(card.text)
    at = card.blocks[0].start
    return Fix(f"write the title {name}", True, (Edit(subject.path, at, at, f"# {name}{newline}{newline}"),))


def _model_name(subject: CardSubject) -> str | None:
    if subject.repo_id:
        return subject.repo_id.rpartition("/")[2]
    index: Any = (subject.card.front_matter.data or {}).get("model-index")
    entry = index[0] if isinstance(index, list) and index else None
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        return None
    return None if name.lower() in _NO_NAMES or name.lower().startswith("checkpoint") else name


@card_rules.rule(
    "SECT002",
    "multiple-h1",
    Severity.INFO,
    summary="The card has more than one heading of level 1.",
    why="The table of contents and screen readers take each for the title of a document of its own.",
    bad="# My model\n\nTells whether a film review is positive or negative.\n\n# Usage\n\nCall it with a text.",
    good="# My model\n\nTells whether a film review is positive or negative.\n\n## Usage\n\nCall it with a text.",
    hint="keep one # for the title, and write the sections with ##",
    source=_MARKDOWNLINT,
    fixable=Fixable.UNSAFE,
)
def multiple_h1(subject: CardSubject) -> Iterator[Problem]:
    """One problem at the second one; the fix moves all but the first down, with what is nested in them."""
    card = subject.card
    tops = [section for section in card.sections if section.level == 1]
    if len(tops) > 1:
        message = f"the card has {len(tops)} headings of level 1; the second is {tops[1].heading!r}"
        yield Problem(message, subject.path, tops[1].line, 1, fix=_one_title_fix(subject))


def _one_title_fix(subject: CardSubject) -> Fix | None:
    card = subject.card
    if len(card.sections) > MOST_HEADINGS:
        return None
    before = levels(card)
    second = before.index(1, before.index(1) + 1)
    moved = range(second, len(before))
    after = [level + (index in moved) for index, level in enumerate(before)]
    if card_meanings(card, subject.profile)[card.sections[before.index(1)].heading_start]:
        return None  # the first one is a section like the others
    if len(duplicates(card, after)) > len(duplicates(card, before)) or len(skips(after)) > len(skips(before)):
        return None
    return fix_of(subject, "move the other headings one level down", shifted(card, moved, 1), safe=False)


@card_rules.rule(
    "SECT012",
    "duplicate-heading",
    Severity.WARNING,
    summary="Two headings of one level in the same section have the same text.",
    why="A link to the heading leads to the first only, and often a template was appended twice: 7 of 125 modern cards "
    "have the like.",
    bad="## Usage\n\nCall it with a text.\n\n## Usage\n\nOr with a list of texts.",
    good="## Usage\n\nCall it with a text.\n\n## Usage in batches\n\nOr with a list of texts.",
    hint="merge the two, or tell them apart by name",
    source=_MARKDOWNLINT,
)
def duplicate_heading(subject: CardSubject) -> Iterator[Problem]:
    """Siblings with the same text."""
    card = subject.card
    for index, earlier in duplicates(card, levels(card)):
        section, first = card.sections[index], card.sections[earlier]
        message = f"the heading {section.heading!r} is the same as that of line {first.line}"
        yield Problem(message, subject.path, section.line, 1)


@card_rules.rule(
    "SECT013",
    "heading-level-skip",
    Severity.INFO,
    summary="A heading is more than one level below the one that it stands in.",
    why="Screen readers and tables of contents announce a level that is not there; a quarter of 949 real cards do it, "
    "most of them with ### right below the title.",
    bad="# My model\n\nTells whether a film review is positive or negative.\n\n### Usage\n\nCall it with a text.",
    good="# My model\n\nTells whether a film review is positive or negative.\n\n## Usage\n\nCall it with a text.",
    hint="take the next level",
    source=_MARKDOWNLINT,
    fixable=Fixable.SAFE,
)
def heading_level_skip(subject: CardSubject) -> Iterator[Problem]:
    """The first heading of each run that is too deep; the fix lifts the run, where the outline stays the same tree."""
    card = subject.card
    before = levels(card)
    above = parents(before)
    for number, index in enumerate(skips(before)):
        section, parent = card.sections[index], card.sections[above[index]]
        message = f"the heading {section.heading!r} goes from level {parent.level} to {section.level}"
        yield Problem(
            message,
            subject.path,
            section.line,
            1,
            fix=_lift_fix(subject, index, above) if number < _MOST_LIFTED else None,
        )


def _lift_fix(subject: CardSubject, index: int, above: list[int]) -> Fix | None:
    card = subject.card
    if len(card.sections) > MOST_HEADINGS:
        return None
    before = levels(card)
    by = before[above[index]] + 1 - before[index]
    end = next((at for at in range(index, len(before)) if before[at] < before[index]), len(before))
    run = range(index, end)
    after = [level + by * (at in run) for at, level in enumerate(before)]
    if parents(after) != above or len(duplicates(card, after)) > len(duplicates(card, before)):
        return None
    description = f"move it {-by} level{'s' if by < -1 else ''} up, with what is nested in it"
    return fix_of(subject, description, shifted(card, run, by), safe=True)


@card_rules.rule(
    "SECT014",
    "heading-missing-space",
    Severity.WARNING,
    summary="A heading has no blank behind its #, so it is text.",
    why="CommonMark, and so the Hub, shows ##Usage as it stands: no heading, no anchor, no section. The same happens "
    "with a no-break or full-width blank, which looks right in an editor.",
    bad="# My model\n\nTells whether a film review is positive or negative.\n\n##Model description\n\nA BERT with six "
    "layers, distilled from the large one, which tells whether a film review is positive or negative.",
    good="# My model\n\nTells whether a film review is positive or negative.\n\n## Model description\n\nA BERT with "
    "six layers, distilled from the large one, which tells whether a film review is positive or negative.",
    hint="put a blank between the # and the text",
    source=_COMMONMARK,
    fixable=Fixable.SAFE,
)
def heading_missing_space(subject: CardSubject) -> Iterator[Problem]:
    """Lines that can be nothing but a heading; a single # may begin a tag, so its fix is not safe."""
    card = subject.card
    for meant in without_space(card):
        line, column = card.lines.place(meant.start - meant.level)
        message = f"{'#' * meant.level}{meant.text[:60]} is no heading: there is no blank behind the #"
        if meant.end > meant.start:
            message = f"{'#' * meant.level} {meant.text[:60]} is no heading: the blank behind the # is not a plain one"
        fix = Fix("put a blank behind the #", meant.sure, (Edit(subject.path, meant.start, meant.end, " "),))
        yield Problem(message, subject.path, line, column, fix=fix)


@card_rules.rule(
    "SECT018",
    "bold-as-heading",
    Severity.INFO,
    summary="A line of bold text stands in place of a heading.",
    why="It gets no anchor and no place in the table of contents, screen readers do not jump to it, and whoever looks "
    "for the section (hubpub, too) does not find it. 47 of 125 modern cards have such lines.",
    bad="# My model\n\nTells whether a film review is positive or negative.\n\n## Model description\n\nA BERT with six "
    "layers, distilled from the large one.\n\n**Training data**\n\n"
    "[SST-2](https://huggingface.co/datasets/stanfordnlp/sst2).",
    good="# My model\n\nTells whether a film review is positive or negative.\n\n## Model description\n\nA BERT with "
    "six layers, distilled from the large one.\n\n### Training data\n\n"
    "[SST-2](https://huggingface.co/datasets/stanfordnlp/sst2).",
    hint="make it a heading",
    source=_MARKDOWNLINT,
    fixable=Fixable.UNSAFE,
)
def bold_as_heading(subject: CardSubject) -> Iterator[Problem]:
    """Bold paragraphs with text below; a warning where the profile asks for the section and no heading means it."""
    card = subject.card
    present = frozenset().union(*card_meanings(card, subject.profile).values())
    first = [section.heading_start for section in card.sections[:2]] if card.title is not None else []
    for meant in bold_lines(card):
        line, column = card.lines.place(meant.start)
        lacking = section_meanings(meant.text, subject.profile) - present
        titles = [required.title for required in subject.profile.sections if required.id in lacking]
        message = f"**{meant.text}** is bold text, not a heading"
        if titles:
            message += f", so the card has no section {' or '.join(titles)}"
        severity = Severity.WARNING if titles else None
        fix = None
        if not first or meant.start > first[-1] > first[0]:  # else the title would be left without its summary
            edit = Edit(subject.path, meant.start, meant.end, f"{'#' * meant.level} {meant.text}")
            fix = Fix("make it a heading", False, (edit,))
        yield Problem(message, subject.path, line, column, severity=severity, fix=fix)
