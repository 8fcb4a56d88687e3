"""META001 to META007 and META010: is the metadata block seen, and can both of its readers read it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.card.metadata.edits import TextEdits, apply_edits, newline_of, remove_earlier_entry, without_tabs
from hubpub.card.metadata.frontmatter import FrontMatterProblem, read_front_matter
from hubpub.core.findings import Fix, Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.rules.meta_file import LFS_POINTER
from hubpub.rules.placing import fix_of
from hubpub.rules.registry import CardSubject, card_rules

_SPEC = "https://github.com/huggingface/hub-docs/blob/main/modelcard.md"
_REPOCARD = "https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/repocard.py"


@card_rules.rule(
    "META001",
    "front-matter-missing",
    Severity.WARNING,
    summary="The card has no metadata.",
    why="Without a YAML block the model has no licence, task or language on the Hub, and no search finds it. The Hub "
    "takes the card and warns of empty or missing metadata. A quarter of 949 real cards have none.",
    bad="# My model",
    good="---\nlicense: apache-2.0\npipeline_tag: text-classification\n---\n\n# My model",
    hint="put a block between two lines of --- at the top; `hubpub card PATH --write` adds what the files tell",
    source=_SPEC,
)
def front_matter_missing(subject: CardSubject) -> Iterator[Problem]:
    """No block, and nothing that was meant as one."""
    front_matter = subject.card.front_matter
    is_pointer = subject.card.text.startswith(LFS_POINTER)
    if not front_matter.found and not front_matter.problem and not subject.card.is_blank and not is_pointer:
        yield Problem("the card has no metadata block", subject.path, 1, 1)


@card_rules.rule(
    "META002",
    "front-matter-not-recognised",
    Severity.ERROR,
    summary="The card has a metadata block that the Hub does not see.",
    why="The Hub wants --- as the first line and --- alone on the closing one. A badge above the block, ---- for a "
    "fence, a blank behind it or no closing fence, and the block is text to it: it is shown on the page, and the model "
    "has no licence, task or language.",
    bad="--- \nlicense: mit\n---\n\n# My model",
    good="---\nlicense: mit\n---\n\n# My model",
    hint="make --- the first line of the file and the line behind the block",
    source=_REPOCARD,
    fixable=Fixable.SAFE,
)
def front_matter_not_recognised(subject: CardSubject) -> Iterator[Problem]:
    """A block with the keys of a card's metadata that the Hub's expression does not match."""
    for problem in _block_problem(subject, "not-recognised"):
        message = f"the Hub does not see the metadata block: {problem.message}"
        yield Problem(message, subject.path, problem.line, problem.column, fix=_made_visible(subject, problem))


@card_rules.rule(
    "META003",
    "yaml-syntax",
    Severity.ERROR,
    summary="The metadata is not YAML that both the Hub and the Python client can read.",
    why="The Hub rejects a push with metadata that is not YAML, at the very end of the upload. What only the Python "
    "client cannot read (a date that does not exist, a line separator) breaks `ModelCard.load` for everybody.",
    bad="---\nmodel_name: My: model\n---",
    good='---\nmodel_name: "My: model"\n---',
    hint="mend the YAML at this place; text with : or # in it wants quotes",
    source=_SPEC,
)
def yaml_syntax(subject: CardSubject) -> Iterator[Problem]:
    """A block that is not YAML, or that is beyond every bound."""
    for problem in _block_problem(subject, "syntax", "bounds"):
        yield _unreadable(subject, problem)


@card_rules.rule(
    "META004",
    "yaml-duplicate-key",
    Severity.ERROR,
    summary="A key is in the metadata twice.",
    why='The Hub rejects the push ("duplicated mapping key"), while the Python client silently keeps the last value '
    "and drops the others.",
    bad="---\nlicense: mit\nlicense: mit\n---",
    good="---\nlicense: mit\n---",
    hint="keep one of them",
    source="https://github.com/nodeca/js-yaml/blob/4.1.0/lib/loader.js",
    fixable=Fixable.UNSAFE,
)
def yaml_duplicate_key(subject: CardSubject) -> Iterator[Problem]:
    """The second entry with the same key, at any depth."""
    for problem in _block_problem(subject, "duplicate-key"):
        edits = remove_earlier_entry(subject.card.text, subject.card.front_matter)
        fix = fix_of(subject, "remove the first of the two", edits, safe=False)
        yield _unreadable(subject, problem, fix)


@card_rules.rule(
    "META005",
    "yaml-not-a-mapping",
    Severity.ERROR,
    summary="The metadata is a list or plain text, not keys with values.",
    why='The Hub rejects the push: "value" must be of type object.',
    bad="---\n- license: mit\n---",
    good="---\nlicense: mit\n---",
    hint="write key: value, one key a line",
    source=_SPEC,
)
def yaml_not_a_mapping(subject: CardSubject) -> Iterator[Problem]:
    """A block that is YAML, but no mapping."""
    for problem in _block_problem(subject, "not-a-mapping"):
        yield _unreadable(subject, problem)


@card_rules.rule(
    "META006",
    "yaml-empty-block",
    Severity.ERROR,
    summary="The metadata block holds nothing but blanks and comments.",
    why="The Hub rejects the push: the YAML metadata of your README.md is invalid. Copying the Hub's template and "
    "filling in nothing gives such a block; 5 of 125 cards written since 2021 have one. Two lines of --- with nothing "
    "in between it takes for no metadata, with a warning.",
    bad="---\n# For reference on model card metadata, see the spec\n\n---\n\n# My model",
    good="---\nlicense: mit\n---\n\n# My model",
    hint="fill it in, or remove the block; `hubpub card PATH --write` adds what the files tell",
    source=_SPEC,
)
def yaml_empty_block(subject: CardSubject) -> Iterator[Problem]:
    """An empty block; a warning where the Hub does not even see it."""
    for problem in _block_problem(subject, "empty"):
        severity = None if problem.fatal else Severity.WARNING
        message = f"the metadata block is empty: {problem.message}"
        yield Problem(message, subject.path, problem.line, problem.column, severity=severity)


@card_rules.rule(
    "META007",
    "yaml-unsafe-tag",
    Severity.ERROR,
    summary="A value has a YAML tag that is not one of the standard's.",
    why="`!!python/tuple` and the like come from dumping Python objects with yaml.dump. The Hub rejects them "
    "as unknown, and the Python client refuses to build them.",
    bad="---\nlicense: mit\nx_betas: !!python/tuple [0.9, 0.999]\n---",
    good="---\nlicense: mit\nx_betas: [0.9, 0.999]\n---",
    hint="remove the tag, and write the metadata with yaml.safe_dump",
    source="https://github.com/huggingface/huggingface_hub/issues/1950",
    fixable=Fixable.UNSAFE,
)
def yaml_unsafe_tag(subject: CardSubject) -> Iterator[Problem]:
    """The first tag that one of the readers does not know, or that does not fit its value."""
    for problem in _block_problem(subject, "tag"):
        yield _unreadable(subject, problem, _without_tag(subject, problem.offset))


@card_rules.rule(
    "META010",
    "yaml-tab",
    Severity.ERROR,
    summary="The metadata has a tab where YAML wants blanks.",
    why="PyYAML, which the Python client reads cards with, refuses a tab behind a colon that the Hub takes, so the "
    "page looks right and `ModelCard.load` fails. A tab as indentation neither reads.",
    bad="---\nlicense:\tmit\n---",
    good="---\nlicense: mit\n---",
    hint="write blanks",
    source="https://yaml.org/spec/1.2.2/#61-indentation-spaces",
    fixable=Fixable.SAFE,
)
def yaml_tab(subject: CardSubject) -> Iterator[Problem]:
    """The first tab that one of the readers refuses."""
    for problem in _block_problem(subject, "tab"):
        edits = without_tabs(subject.card.text, subject.card.front_matter)
        # what the Hub could not read has no meaning yet that could be kept
        fix = fix_of(subject, "write blanks for tabs", edits, safe=subject.card.front_matter.hub_data is not None)
        yield _unreadable(subject, problem, fix)


def _block_problem(subject: CardSubject, *kinds: str) -> Iterator[FrontMatterProblem]:
    problem = subject.card.front_matter.problem
    if problem is not None and problem.kind in kinds:
        yield problem


def _unreadable(subject: CardSubject, problem: FrontMatterProblem, fix: Fix | None = None) -> Problem:
    who = "" if problem.fatal else " by the Python client"
    message = f"the metadata block cannot be read{who}: {problem.message}"
    return Problem(message, subject.path, problem.line, problem.column, fix=fix)


def _without_tag(subject: CardSubject, offset: int) -> Fix | None:
    text = subject.card.text
    tag = re.compile(r"(?:&\S+\s+)?(!\S*[ \t]*)").match(text, offset)
    if tag is None:
        return None
    edits = ((tag.start(1), tag.end(1), ""),)
    after = read_front_matter(apply_edits(text, edits)).problem
    is_mended = after is None or (after.kind == "tag" and after.offset != offset)
    return fix_of(subject, "remove the tag", edits if is_mended else None, safe=False)


def _made_visible(subject: CardSubject, problem: FrontMatterProblem) -> Fix | None:
    """The fences as the Hub wants them, when the block behind them can then be read."""
    text, newline = subject.card.text, newline_of(subject.card.text)
    opening = re.compile(r"\ufeff?([ \t]*-{3,}[ \t]*)").match(text, problem.offset)
    if opening is None:
        return None
    fence = (*opening.span(1), "---")
    closing = re.compile(r"^([ \t]*-{3,}[ \t]*|\.{3}[ \t]*)(?=[\r\n]|\Z)", re.MULTILINE).search(text, opening.end() + 1)
    loose = re.compile(r"^---(?=[^\s-])", re.MULTILINE).search(text, opening.end() + 1)
    behind = re.compile(r"^(?=[ \t]*(?:[\r\n]|\Z)|#)", re.MULTILINE).search(text, opening.end() + 1)
    candidates: list[tuple[str, TextEdits, bool]] = []
    if closing:
        both = (fence, (*closing.span(1), "---"))
        candidates.append(("write the fences as ---", both, closing[1].strip() != "..."))
        if text[: problem.offset].strip("\ufeff \t\r\n"):
            end = re.compile(r"[ \t]*(?:\r\n|\r|\n)?").match(text, closing.end())
            rest = end.end() if end else closing.end()
            block = f"---{text[opening.end() : closing.start()]}---{newline}"
            at = 1 if text.startswith("\ufeff") else 0
            candidates.append(("move the block to the top", ((at, at, block), (problem.offset, rest, "")), False))
    if loose:
        candidates.append(
            ("put the closing fence on a line of its own", (fence, (loose.end(), loose.end(), newline)), False)
        )
    if behind:
        at = behind.start()
        candidates.append(("close the block", (fence, (at, at, f"---{newline}")), False))
    for description, edits, safe in candidates:
        changed = tuple(edit for edit in edits if text[edit[0] : edit[1]] != edit[2])
        after = read_front_matter(apply_edits(text, changed))
        if after.found and after.problem is None:
            return fix_of(subject, description, changed, safe=safe)
    return None
