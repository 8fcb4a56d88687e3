"""TEXT09x: comments that silence rules, and do not."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import lru_cache

from hubpub.card.document import Card
from hubpub.card.ignores import Ignore, find_ignores, silences
from hubpub.card.metadata.edits import TextEdit, apply_edits
from hubpub.core.findings import Edit, Finding, Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable, Needs, Rule
from hubpub.rules.registry import CardSubject, card_rules
from hubpub.rules.selection import names

_UNUSED = "TEXT090"
_SOURCE = "https://docs.astral.sh/ruff/rules/unused-noqa/"
# Each removal is tried; those for which that would take too long are for another run, or for a person.
_MOST_RENDERED = 200_000
_COMMENT = Pattern(r"<!--[\s\S]*?(?:-->|\Z)")


@card_rules.rule(
    _UNUSED,
    "unused-ignore",
    Severity.WARNING,
    summary="A comment silences a rule that has nothing to say there.",
    why="A comment that outlives its reason hides the next mistake on that line, and nobody will know why. An `ignore` "
    "comment reaches its own line only; alone on a line of Markdown it reaches nothing.",
    bad="---\nlicense: mit\n---\n\n# My model <!-- hubpub: ignore[TEXT003] the name is made by a script -->\n",
    good="---\nlicense: mit\n---\n\n# {{ name }} <!-- hubpub: ignore[TEXT003] the name is made by a script -->\n",
    hint="remove what is not needed; a comment on a line of its own is written ignore-next-line",
    source=_SOURCE,
    fixable=Fixable.SAFE,
)
def unused_ignore(subject: CardSubject) -> Iterator[Problem]:
    """The rules that a comment names are run here, also those that nobody selected."""
    findings: dict[str, list[Finding]] = {}
    removed: list[TextEdit] = []
    budget = _MOST_RENDERED
    for ignore in find_ignores(subject.card):
        unused = [word for word in ignore.words if _is_unused(subject, ignore, word, findings)]
        if unused:
            line, column = subject.card.lines.place(ignore.start)
            budget -= len(subject.card.text)
            kept = [word for word in ignore.words if word not in unused]
            edit = _removal(subject.card, ignore, kept, removed) if budget > 0 else None
            fix = Fix("take out what ignores nothing", True, (Edit(subject.path, *edit),)) if edit else None
            removed += [edit] if edit else []
            yield Problem(f"nothing to ignore here: {', '.join(unused)}", subject.path, line, column, fix=fix)


@card_rules.rule(
    "TEXT091",
    "ignore-not-understood",
    Severity.WARNING,
    summary="A comment is meant to silence a rule, but cannot be understood.",
    why="It silences nothing, and its author believes that it does. Rules about a model folder are not silenced by "
    "comments in a card but in the settings.",
    bad="---\nlicense: mit\n---\n\n# My model\n\n<!-- hubpub: ignore-file[TEXT9000] -->\n",
    good="---\nlicense: mit\n---\n\n# My model\n\n<!-- a comment of ours -->\n",
    hint="write ignore[CODE], ignore-next-line[CODE] or ignore-file[CODE]; `hubpub rules` lists the codes",
    source=_SOURCE,
)
def ignore_not_understood(subject: CardSubject) -> Iterator[Problem]:
    """An instruction, or a word in its brackets, that hubpub does not know."""
    for ignore in find_ignores(subject.card):
        line, column = subject.card.lines.place(ignore.start)
        if ignore.problem:
            yield Problem(ignore.problem, subject.path, line, column)
        for word in ignore.words:
            if not _called(word):
                known = [rule.code for rule in card_rules] + [rule.name for rule in card_rules]
                near = difflib.get_close_matches(word.upper(), known, n=1) or difflib.get_close_matches(
                    word, known, n=1
                )
                hint = f"did you mean {near[0]}?" if near else None
                yield Problem(f"there is no rule {word[:60]!r} about cards", subject.path, line, column, hint=hint)


@lru_cache(maxsize=256)
def _called(word: str) -> list[Rule[CardSubject]]:
    return [rule for rule in card_rules if names(word, rule.code, rule.name)]


def _is_unused(subject: CardSubject, ignore: Ignore, word: str, findings: dict[str, list[Finding]]) -> bool:
    rules = [rule for rule in _called(word) if rule.code != _UNUSED]
    if not rules or any(not _can_tell(rule, subject) for rule in rules):
        return False
    for rule in rules:
        if rule.code not in findings:
            findings[rule.code] = [found for found in rule.run(subject) if isinstance(found, Finding)]
    return not any(silences(ignore, word, found) for rule in rules for found in findings[rule.code])


def _can_tell(rule: Rule[CardSubject], subject: CardSubject) -> bool:
    """Whether the rule could have said something here: not so without the folder or the network that it needs."""
    return rule.needs is Needs.NOTHING or (rule.needs is Needs.FOLDER and subject.folder is not None)


def _removal(card: Card, ignore: Ignore, kept: list[str], others: list[TextEdit]) -> TextEdit | None:
    """The edit that takes out all but what is kept, and leaves the card as readers see it: alone, and with others."""
    if kept and ignore.brackets:
        return (*ignore.brackets, ", ".join(kept))
    for start, end in _spans(card, ignore):
        edit = (start, end, "")
        if _reads_the_same(card, [edit]) and (not others or _reads_the_same(card, [*others, edit])):
            return edit
    return None


def _spans(card: Card, ignore: Ignore) -> Iterator[tuple[int, int]]:
    """What may go with the comment: its whole line, or the blanks before it."""
    first, last = card.lines.place(ignore.start)[0], card.lines.place(ignore.end)[0]
    start, end = card.lines.start(first), card.lines.start(last + 1)
    if not (card.text[start : ignore.start] + card.text[ignore.end : end]).strip():
        yield start, end
    before = card.text[start : ignore.start]
    yield ignore.start - (len(before) - len(before.rstrip(" \t"))), ignore.end


def _reads_the_same(card: Card, edits: list[TextEdit]) -> bool:
    other = Card.parse(apply_edits(card.text, edits))
    before, after = card.front_matter, other.front_matter
    same_data = (before.data, before.hub_data, before.problem) == (after.data, after.hub_data, after.problem)
    return same_data and _shown(card) == _rendered(other)


@lru_cache(maxsize=1)
def _shown(card: Card) -> str:
    """As `_rendered`; the card is compared with itself after each edit."""
    return _rendered(card)


def _rendered(card: Card) -> str:
    """The card as readers see it, in HTML."""
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark").enable("table").render(card.text[card.front_matter.body_start :])
    return " ".join(_COMMENT.sub(" ", html).replace("<", " <").split())
