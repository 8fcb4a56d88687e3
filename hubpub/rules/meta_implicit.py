"""META008 and META009: values that are no text where text is due, or that PyYAML and the Hub read differently."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from hubpub.card.metadata.dialects import Cause, Difference, differences, value_at
from hubpub.card.metadata.frontmatter import FrontMatter
from hubpub.card.metadata.yaml_block import Path
from hubpub.card.metadata.yaml_text import flow
from hubpub.core.findings import Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.rules.placing import fix_of, problem_at
from hubpub.rules.registry import CardSubject, card_rules

_JS_YAML = "https://github.com/nodeca/js-yaml/tree/4.1.0/lib/type"
_PYYAML = "https://github.com/yaml/pyyaml/blob/main/lib/yaml/resolver.py"

# Where the Hub, or everybody who reads the field, wants text. What META012, 020, 030 and 035 judge is left to them.
_TEXTS = frozenset(("model_name", "license_name", "license_link", "tags", "language_bcp47", "pretty_name"))
_RESULT_TEXTS = frozenset(("name", "type", "config", "split", "revision"))
_WIDGET_TEXTS = frozenset(("text", "example_title", "question", "context", "source_sentence", "src"))
_PLAIN = Pattern(r"[\w.+-](?:[^\r\n]*\S)?")
_ALIAS = Pattern(r"(?:^|[\s\[{,])\*\w")
# Each is written anew for its fix; a list of a hundred kilobytes may hold ten thousand.
_MOST = 500
_FLAGS = frozenset(("inference", "verified"))


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
        if difference.path[0] == "language":
            fix, severity = _as_norwegian(subject, difference), None
        elif _wants_text(difference.path):
            fix = _quoted(subject, difference, safe=True)
            severity = None if difference.path[0] == "model-index" else Severity.WARNING
        else:
            value = difference.python if flag else None
            fix = None if value is None else _written_as(subject, difference, value, safe=False)
            severity = Severity.WARNING if flag else Severity.INFO
        message = f"{_name(difference.path)}: {written} is {_shown(difference.python)} to the Python client"
        hint = "write true or false" if flag else None
        yield _at(subject, difference, message, fix, severity, hint)


@card_rules.rule(
    "META009",
    "yaml-implicit-number-or-date",
    Severity.WARNING,
    summary="An unquoted value is a number or a date where text is due, or only to one of the readers.",
    why="A name or tag of digits is a number to YAML, and clients that expect text stop or show another one. 1e3, "
    "012, 0o12 and 12:30:45 are different values to PyYAML and to the Hub.",
    bad="---\nlicense: mit\nmodel-index:\n- name: x\n  results:\n  - task: {type: fill-mask}\n"
    "    dataset: {name: 2024, type: a/x}\n    metrics: [{type: accuracy, value: 0.5}]\n---",
    good="---\nlicense: mit\nmodel-index:\n- name: x\n  results:\n  - task: {type: fill-mask}\n"
    "    dataset: {name: '2024', type: a/x}\n    metrics: [{type: accuracy, value: 0.5}]\n---",
    hint="put it in quotes",
    source=_JS_YAML,
    fixable=Fixable.SAFE,
)
def yaml_implicit_number_or_date(subject: CardSubject) -> Iterator[Problem]:
    """A number or date where text is due, and every value that is another number to the other reader."""
    for difference in islice(_implicit(subject, "number", "time", "date"), _MOST):
        if difference.path[0] == "language":
            continue  # META021
        written, name = _written(subject, difference), _name(difference.path)
        if _wants_text(difference.path):
            noun = "a date" if difference.cause == "date" else "a number"
            message = f"{name}: {written} is {noun}, and text is due"
            yield _at(subject, difference, message, _quoted(subject, difference, safe=True), None)
        elif difference.cause != "date":
            readings = f"{_shown(difference.python)} to the Python client and {_shown(difference.hub)} to the Hub"
            severity = Severity.WARNING if difference.path[-1] == "value" else Severity.INFO
            fix, hint = _as_the_hub(subject, difference), "write it so that both read the same"
            yield _at(subject, difference, f"{name}: {written} is {readings}", fix, severity, hint)


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
    if path[0] == "model-index" and path[-1] in ("config", "revision", "split"):
        return True  # EVAL005
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
    return problem_at(subject, message, difference.span[0], hint=hint, fix=fix, severity=severity)


def _as_norwegian(subject: CardSubject, difference: Difference) -> Fix | None:
    """`no` in quotes; `false` is most likely what a client made of it; true and the like mean no language."""
    written = subject.card.text[slice(*difference.span)]
    if written.lower() == "no":
        return _written_as(subject, difference, "no", safe=True)
    return _written_as(subject, difference, "no", safe=False) if difference.python is False else None


def _quoted(subject: CardSubject, difference: Difference, *, safe: bool) -> Fix | None:
    written = subject.card.text[slice(*difference.span)]
    return _written_as(subject, difference, written, safe=safe)


def _as_the_hub(subject: CardSubject, difference: Difference) -> Fix | None:
    """Write what the Hub reads so that PyYAML reads it too, where one of them reads text; else neither is known."""
    if isinstance(difference.hub, str):
        return _quoted(subject, difference, safe=False)
    if not isinstance(difference.python, str):
        return None
    return _written_as(subject, difference, difference.hub, safe=False)


@lru_cache(maxsize=8)
def _has_aliases(front_matter: FrontMatter) -> bool:
    return bool(_ALIAS.search(front_matter.raw))


def _written_as(subject: CardSubject, difference: Difference, value: object, *, safe: bool) -> Fix | None:
    """Put the value in place of an unquoted scalar; that is sound wherever one stands, and need not be read again.

    Where there are aliases a scalar may stand for several values, so nothing is proposed.
    """
    text, written = subject.card.text, subject.card.text[slice(*difference.span)]
    new = flow(value)
    if not _PLAIN.fullmatch(written) or _has_aliases(subject.card.front_matter) or new == written:
        return None
    if not text[difference.span[0] - 1].isspace() and text[difference.span[0] - 1] not in "[{,:":
        return None
    return fix_of(subject, f"write {new[:60]}", ((*difference.span, new),), safe=safe)
