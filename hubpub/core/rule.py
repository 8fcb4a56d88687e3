"""Rule and Registry: a rule is declared once, beside the function that implements it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from hubpub.core.findings import Finding, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.report import Skip

Subject = TypeVar("Subject")
Check = Callable[[Subject], Iterable[Problem | Skip]]

_CODE = Pattern(r"[A-Z]{2,8}[0-9]{3}")
_NAME = Pattern(r"[a-z0-9]+(-[a-z0-9]+)*")


class Needs(StrEnum):
    """What a rule has to be given besides its subject."""

    NOTHING = ""
    FOLDER = "folder"
    """The model folder that a card belongs to; without it the rule says nothing."""

    NETWORK = "network"
    """The network, which is asked only with --online."""


class Fixable(StrEnum):
    """What a rule's fixes are at best; a finding may have none."""

    NO = ""
    SAFE = "safe"
    """They keep the meaning, or follow from files in the folder."""

    UNSAFE = "unsafe"
    """They guess, or may change what is meant; only with --unsafe-fixes."""


class Depth(StrEnum):
    """How far a check goes; each depth includes those before it."""

    QUICK = "quick"
    """Names, headers and small files."""

    DEEP = "deep"
    """Every byte once, and the architecture of the installed transformers."""

    LOAD = "load"
    """The model is loaded and run, in a process of its own."""

    @property
    def rank(self) -> int:
        """0 for QUICK, 1 for DEEP, 2 for LOAD."""
        return ("quick", "deep", "load").index(self.value)

    def includes(self, other: Depth) -> bool:
        """Whether a check of this depth does what `other` asks for."""
        return self.rank >= other.rank


@dataclass(frozen=True, slots=True)
class Rule(Generic[Subject]):
    """One opinion about a subject (a model folder or a card).

    Attributes:
        code: words plus three digits; a published code never changes its meaning.
        name: the same in words, kebab-case.
        severity: of its findings, unless a finding says otherwise.
        summary: one line, what the rule reports.
        why: what goes wrong for users when it is ignored, with the evidence.
        bad: an example that the rule reports.
        good: the same, mended.
        hint: what to do about it.
        source: where the rule comes from (a link, or the name of a specification).
        depth: how deep a check has to go for the rule to be run.
        default: whether it runs when nobody selects it.
        fixable: whether its findings may carry a fix, and how safe that is.
        needs: what it has to be given besides its subject.
        files: the model folder of both examples, text by path; for card rules that need one.
        check: yields a Problem per hit, and a Skip for each thing that it could not look at.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    why: str
    bad: str
    good: str
    hint: str
    source: str
    depth: Depth
    default: bool
    fixable: Fixable
    needs: Needs
    files: Mapping[str, str]
    check: Check[Subject]

    def run(self, subject: Subject) -> Iterator[Finding | Skip]:
        """The findings of this rule on `subject`, and what it could not look at."""
        for problem in self.check(subject):
            if isinstance(problem, Skip):
                yield problem
                continue
            yield Finding(
                rule=self.code,
                name=self.name,
                severity=problem.severity or self.severity,
                message=problem.message,
                path=problem.path,
                line=problem.line,
                column=problem.column,
                tensor=problem.tensor,
                hint=problem.hint or self.hint,
                fix=problem.fix,
            )

    def to_json(self) -> dict[str, Any]:
        """The declaration as plain data, for `hubpub rule CODE --json`."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity.value,
            "summary": self.summary,
            "why": self.why,
            "bad": self.bad,
            "good": self.good,
            "hint": self.hint,
            "source": self.source,
            "depth": self.depth.value,
            "default": self.default,
            "fixable": self.fixable.value or None,
            "needs": self.needs.value or None,
            "files": dict(self.files),
        }


class Registry(Generic[Subject]):
    """The rules for one kind of subject, in the order of their codes."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule[Subject]] = {}
        self._names: set[str] = set()

    def rule(
        self,
        code: str,
        name: str,
        severity: Severity,
        *,
        summary: str,
        why: str,
        bad: str,
        good: str,
        hint: str,
        source: str,
        depth: Depth = Depth.QUICK,
        default: bool = True,
        fixable: Fixable = Fixable.NO,
        needs: Needs = Needs.NOTHING,
        files: Mapping[str, str] | None = None,
    ) -> Callable[[Check[Subject]], Check[Subject]]:
        """Declare the decorated function as a rule.

        Raises:
            ValueError: the code or name is malformed, or taken.
        """
        if not _CODE.fullmatch(code) or not _NAME.fullmatch(name):
            raise ValueError(f"malformed rule code or name: {code} {name}")
        if code in self._rules or name in self._names:
            raise ValueError(f"rule {code} {name} is declared twice")

        def declare(check: Check[Subject]) -> Check[Subject]:
            self._names.add(name)
            self._rules[code] = Rule(
                code=code,
                name=name,
                severity=severity,
                summary=summary,
                why=why,
                bad=bad,
                good=good,
                hint=hint,
                source=source,
                depth=depth,
                default=default,
                fixable=fixable,
                needs=needs,
                files=files or {},
                check=check,
            )
            return check

        return declare

    def __iter__(self) -> Iterator[Rule[Subject]]:
        return iter(sorted(self._rules.values(), key=lambda rule: rule.code))

    def __len__(self) -> int:
        return len(self._rules)
