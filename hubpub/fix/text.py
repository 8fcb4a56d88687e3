"""Applying fixes to one text, and judging it again after each round, until nothing is left to mend.

Fixes are tried together. When that brings a finding that was not there before, or makes the text unreadable, halves are
tried, down to the single fix that is to blame, and that one is dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hubpub.core.findings import Edit, Finding
from hubpub.fix.apply import edited, fits

ROUNDS = 10
_FOLLOW_UPS = 3

Judge = Callable[[str], Sequence[Finding]]
Keeps = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class FixedText:
    """What fixes make of a text.

    Attributes:
        text: with the fixes.
        findings: whose fixes are in it, in the order in which they were applied.
    """

    text: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Fixer:
    path: str
    judge: Judge
    keeps: Keeps
    unsafe: bool

    def applicable(self, findings: Iterable[Finding], text: str) -> list[Finding]:
        """The findings whose fixes may be tried together: they do not meet, and are about this file alone."""
        taken: list[Edit] = []
        chosen = []
        for finding in findings:
            fix = finding.fix
            if fix is None or not fix.edits or not (fix.safe or self.unsafe):
                continue
            if all(edit.path == self.path and fits(edit, text, taken) for edit in fix.edits):
                taken += [edit for edit in fix.edits if edit not in taken]
                chosen.append(finding)
        return chosen

    def apply(self, text: str, findings: Sequence[Finding]) -> tuple[str, list[Finding]] | None:
        """The text with these fixes and with those that they call for; None when the findings grow in any rule.

        A key that is misspelt is found missing; once it is spelt well, its value may be found wrong, and is mended too.
        """
        before = Counter(finding.rule for finding in self.judge(text))
        result, done = _with(text, findings), list(findings)
        for _ in range(_FOLLOW_UPS):
            if not self.keeps(text, result):
                return None
            found = self.judge(result)
            after = Counter(finding.rule for finding in found)
            grown = {rule for rule, number in after.items() if number > before[rule]}
            if not grown:
                fewer = any(after[finding.rule] < before[finding.rule] for finding in findings)
                return (result, done) if fewer else None
            following = self.applicable([finding for finding in found if finding.rule in grown], result)
            if not following:
                return None
            result, done = _with(result, following), done + following
        return None

    def best(self, text: str, findings: Sequence[Finding]) -> tuple[str, list[Finding], list[Finding]]:
        """(the text with as many of these fixes as do no harm, these, those that were dropped)."""
        if not findings:
            return text, [], []
        applied = self.apply(text, findings)
        if applied:
            return applied[0], applied[1], []
        if len(findings) == 1:
            return text, [], list(findings)
        half = len(findings) // 2
        result, done, dropped = self.best(text, findings[:half])
        if done:
            return result, done, dropped  # the others stand elsewhere now, and are found again in the next round
        result, done, more = self.best(text, findings[half:])
        return result, done, dropped + more


def fix_text(text: str, path: str, judge: Judge, *, keeps: Keeps, unsafe: bool = False) -> FixedText:
    """The text with every fix that does no harm; the same text when there is none.

    Args:
        text: of the file.
        path: what the findings call it; edits of other files are not made.
        judge: the findings on a text.
        keeps: whether the second text can still be read where the first one could.
        unsafe: whether fixes that are not safe are applied too.
    """
    fixer = _Fixer(path, judge, keeps, unsafe)
    done: list[Finding] = []
    harmful: set[tuple[str, str, str]] = set()
    for _ in range(ROUNDS):
        wanted = [finding for finding in fixer.applicable(judge(text), text) if _identity(finding) not in harmful]
        text, applied, dropped = fixer.best(text, wanted)
        harmful.update(map(_identity, dropped))
        done += applied
        if not applied and not dropped:
            break
    return FixedText(text, tuple(done))


def _with(text: str, findings: Iterable[Finding]) -> str:
    edits = dict.fromkeys(edit for finding in findings if finding.fix for edit in finding.fix.edits)
    return edited(text, edits)


def _identity(finding: Finding) -> tuple[str, str, str]:
    """Enough to know a finding again whose line has moved."""
    return finding.rule, finding.message, finding.fix.description if finding.fix else ""
