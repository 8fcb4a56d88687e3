"""META001 to META010 and what else is about the metadata block as a block: is it seen, is it read, and as what."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from hubpub.card.dialects import Cause, Difference, differences, value_at
from hubpub.card.edits import TextEdits, apply_edits, newline_of, remove_earlier_entry, set_value, without_tabs
from hubpub.card.frontmatter import FrontMatterProblem, read_front_matter
from hubpub.card.schema import Issue
from hubpub.card.yaml_block import Path
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.rules.meta_file import LFS_POINTER
from hubpub.rules.registry import CardSubject, card_rules

_SPEC = "https://github.com/huggingface/hub-docs/blob/main/modelcard.md"
_REPOCARD = "https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/repocard.py"
_JS_YAML = "https://github.com/nodeca/js-yaml/tree/4.1.0/lib/type"
_PYYAML = "https://github.com/yaml/pyyaml/blob/main/lib/yaml/resolver.py"

# Where the Hub, or everybody who reads the field, wants text. What META012, 020, 030 and 035 judge is left to them.
_TEXTS = frozenset(("model_name", "license_name", "license_link", "tags", "language_bcp47", "pretty_name"))
_RESULT_TEXTS = frozenset(("name", "type", "config", "split", "revision"))
_WIDGET_TEXTS = frozenset(("text", "example_title", "question", "context", "source_sentence", "src"))
_FLAGS = frozenset(("inference", "verified"))


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
        fix = _fix(subject, "remove the first of the two", edits, safe=False)
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
    "META008",
    "yaml-implicit-boolean",
    Severity.ERROR,
    summary="An unquoted no, yes, on or off is false or true to the Python client.",
    why="`language: no` is Norwegian to the Hub and False to PyYAML: `ModelCard.load` gives False, and saving the card "
    "again writes `language: false`, which the Hub rejects.",
    bad="---\nlicense: mit\nlanguage: no\n---",
    good="---\nlicense: mit\nlanguage: 'no'\n---",
    hint="put it in quotes",
    source=_PYYAML,
    fixable=Fixable.SAFE,
)
def yaml_implicit_boolean(subject: CardSubject) -> Iterator[Problem]:
    """A boolean where text is due, and every value that is a boolean to one reader only."""
    for difference in _implicit(subject, "boolean"):
        written = _written(subject, difference)
        flag = difference.path[-1] in _FLAGS
        if _wants_text(difference.path):
            fix = _quoted(subject, difference, safe=True)
            severity = None if difference.path[0] in ("language", "model-index") else Severity.WARNING
        else:
            value = difference.python if flag else None
            edits = value is not None and set_value(
                subject.card.text, subject.card.front_matter, difference.path, value
            )
            fix = _fix(subject, f"write {str(value).lower()}", edits or None, safe=False)
            severity = Severity.WARNING if flag else Severity.INFO
        message = f"{_name(difference.path)}: {written} is {_shown(difference.python)} to the Python client"
        hint = "write true or false" if flag else None
        yield _at(subject, difference, message, fix, severity, hint)


@card_rules.rule(
    "META009",
    "yaml-implicit-number-or-date",
    Severity.ERROR,
    summary="An unquoted value is a number or a date where text is due, or only to one of the readers.",
    why="A revision of digits is a number to YAML, and the Hub rejects the push: dataset.revision must be a string. It "
    "reads 40 digits as 5.5e+39. Elsewhere 1e3, 012, 0o12 and 12:30:45 are different values to PyYAML and to the Hub.",
    bad="---\nlicense: mit\nmodel-index:\n- name: x\n  results:\n  - task: {type: fill-mask}\n"
    "    dataset: {name: x, type: a/x, revision: 5503434551203435}\n    metrics: [{type: accuracy, value: 0.5}]\n---",
    good="---\nlicense: mit\nmodel-index:\n- name: x\n  results:\n  - task: {type: fill-mask}\n"
    "    dataset: {name: x, type: a/x, revision: '5503434551203435'}\n    metrics: [{type: accuracy, value: 0.5}]\n---",
    hint="put it in quotes",
    source=_JS_YAML,
    fixable=Fixable.SAFE,
)
def yaml_implicit_number_or_date(subject: CardSubject) -> Iterator[Problem]:
    """A number or date where text is due, and every value that is another number to the other reader."""
    for difference in _implicit(subject, "number", "time", "date"):
        written, name = _written(subject, difference), _name(difference.path)
        if _wants_text(difference.path):
            noun = "a date" if difference.cause == "date" else "a number"
            severity = None if difference.path[-1] in ("config", "revision") else Severity.WARNING
            message = f"{name}: {written} is {noun}, and text is due"
            yield _at(subject, difference, message, _quoted(subject, difference, safe=True), severity)
        elif difference.cause != "date":
            readings = f"{_shown(difference.python)} to the Python client and {_shown(difference.hub)} to the Hub"
            severity = Severity.WARNING if difference.path[-1] == "value" else Severity.INFO
            fix, hint = _as_the_hub(subject, difference), "write it so that both read the same"
            yield _at(subject, difference, f"{name}: {written} is {readings}", fix, severity, hint)


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
        fix = _fix(subject, "write blanks for tabs", edits, safe=subject.card.front_matter.hub_data is not None)
        yield _unreadable(subject, problem, fix)


def is_named_here(issue: Issue) -> bool:
    """Whether META008 or META009 reports what the Hub says: a number, date or flag where text is due."""
    kinds = (bool, int, float, datetime.date)
    return issue.rejects and issue.path[:1] == ("model-index",) and isinstance(issue.value, kinds)


def _block_problem(subject: CardSubject, *kinds: str) -> Iterator[FrontMatterProblem]:
    problem = subject.card.front_matter.problem
    if problem is not None and problem.kind in kinds:
        yield problem


def _unreadable(subject: CardSubject, problem: FrontMatterProblem, fix: Fix | None = None) -> Problem:
    who = "" if problem.fatal else " by the Python client"
    message = f"the metadata block cannot be read{who}: {problem.message}"
    return Problem(message, subject.path, problem.line, problem.column, fix=fix)


def _implicit(subject: CardSubject, *causes: Cause) -> Iterator[Difference]:
    """Unquoted values of these kinds: where the readers differ, and where they agree but text is due."""
    front_matter = subject.card.front_matter
    told = set()
    for difference in differences(front_matter):
        told.add(difference.path)
        if difference.path and difference.cause in causes and not _is_left_to_others(difference.path):
            yield difference
    for path, span in front_matter.values.items() if front_matter.data is not None else ():
        if path not in told and _wants_text(path) and not _is_left_to_others(path):
            value = value_at(front_matter.data, path)
            cause: Cause = "boolean" if isinstance(value, bool) else "number"
            if isinstance(value, (bool, int, float)) and cause in causes:
                yield Difference(path, span, value, value, cause)


def _wants_text(path: Path) -> bool:
    names = [part for part in path if isinstance(part, str)]
    if not names:
        return False
    if names[0] == "model-index":
        return names[-1] in _RESULT_TEXTS and "args" not in names
    if names[0] == "widget":
        return names[-1] in _WIDGET_TEXTS
    return len(names) == 1 and (names[0] in _TEXTS or names[0] == "language")


def _is_left_to_others(path: Path) -> bool:
    return path[0] in ("license", "base_model", "datasets", "metrics", "pipeline_tag", "library_name")


def _name(path: Path) -> str:
    return ".".join(str(part) for part in path if isinstance(part, str))


def _written(subject: CardSubject, difference: Difference) -> str:
    return " ".join(subject.card.text[slice(*difference.span)].split())[:60]


def _shown(value: object) -> str:
    return f"{value!r}"[:60] if isinstance(value, str) else str(value)[:60]


def _at(
    subject: CardSubject,
    difference: Difference,
    message: str,
    fix: Fix | None,
    severity: Severity | None,
    hint: str | None = None,
) -> Problem:
    line, column = subject.card.lines.place(difference.span[0])
    return Problem(message, subject.path, line, column, hint=hint, fix=fix, severity=severity)


def _quoted(subject: CardSubject, difference: Difference, *, safe: bool) -> Fix | None:
    written = subject.card.text[slice(*difference.span)]
    edits = set_value(subject.card.text, subject.card.front_matter, difference.path, written)
    return _fix(subject, f"put {written[:60]} in quotes", edits, safe=safe)


def _as_the_hub(subject: CardSubject, difference: Difference) -> Fix | None:
    """Write what the Hub reads so that PyYAML reads it too, where one of them reads text; else neither is known."""
    if isinstance(difference.hub, str):
        return _quoted(subject, difference, safe=False)
    if not isinstance(difference.python, str):
        return None
    edits = set_value(subject.card.text, subject.card.front_matter, difference.path, difference.hub)
    return _fix(subject, f"write {difference.hub}", edits, safe=False)


def _without_tag(subject: CardSubject, offset: int) -> Fix | None:
    text = subject.card.text
    tag = re.compile(r"(?:&\S+\s+)?(!\S*[ \t]*)").match(text, offset)
    if tag is None:
        return None
    edits = ((tag.start(1), tag.end(1), ""),)
    after = read_front_matter(apply_edits(text, edits)).problem
    is_mended = after is None or (after.kind == "tag" and after.offset != offset)
    return _fix(subject, "remove the tag", edits if is_mended else None, safe=False)


def _made_visible(subject: CardSubject, problem: FrontMatterProblem) -> Fix | None:
    """The fences as the Hub wants them, when the block behind them can then be read."""
    text, newline = subject.card.text, newline_of(subject.card.text)
    opening = re.compile(r"\ufeff?([ \t]*-{3,}[ \t]*)").match(text, problem.offset)
    if opening is None:
        return None
    fence = (*opening.span(1), "---")
    closing = re.compile(r"^([ \t]*-{3,}[ \t]*|\.{3}[ \t]*)$", re.MULTILINE).search(text, opening.end() + 1)
    loose = re.compile(r"^---(?=[^\s-])", re.MULTILINE).search(text, opening.end() + 1)
    behind = re.compile(r"^(?=[ \t]*$|#)", re.MULTILINE).search(text, opening.end() + 1)
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
            return _fix(subject, description, changed, safe=safe)
    return None


def _fix(subject: CardSubject, description: str, edits: TextEdits | None, *, safe: bool) -> Fix | None:
    if not edits:
        return None
    return Fix(description, safe, tuple(Edit(subject.path, start, end, text) for start, end, text in edits))
