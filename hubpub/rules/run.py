"""Running rules: facts in, a report out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from hubpub.core.findings import Finding, Severity
from hubpub.core.report import Report, Skip, sorted_findings
from hubpub.core.rule import Depth, Rule
from hubpub.rules.registry import CardSubject, card_rules, model_rules
from hubpub.rules.selection import Selection

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

Subject = TypeVar("Subject")

NOT_LOADED = Skip("loading and running the model", "only at depth load")
"""What a report says that was made without."""

_DEEPER = (
    (Depth.DEEP, Skip("tensor values, architecture, tokenizer round trips", "only at depth deep")),
    (Depth.LOAD, NOT_LOADED),
)


def check_folder(
    folder: ModelFolder,
    *,
    target: str,
    depth: Depth = Depth.QUICK,
    ignore: Sequence[str] = (),
    fail_on: Severity = Severity.ERROR,
    selection: Selection | None = None,
) -> Report:
    """What the model rules say of a folder; what the depth leaves out is among what was skipped.

    Args:
        folder: the model.
        target: what the report calls it.
        depth: how far to go.
        ignore: rules not to run, by code, prefix or name.
        fail_on: lowest severity that makes the report not ok.
        selection: which rules run, in place of `ignore`.

    Raises:
        UsageError: `ignore` or `selection` names no rule.
    """
    from hubpub.rules import model_families  # noqa: F401 -- declares the rules; those about cards would need YAML

    started = time.perf_counter()
    selection = selection or Selection.without(ignore)
    selection.check(model_rules)
    rules = [rule for rule in selection.rules(model_rules) if depth.includes(rule.depth)]
    findings, skipped = _run(rules, folder, selection)
    skipped += [skip for deeper, skip in _DEEPER if not depth.includes(deeper)]
    return Report(
        target=target,
        findings=sorted_findings(findings),
        skipped=tuple(skipped),
        facts=folder.facts(),
        seconds=time.perf_counter() - started,
        fail_on=fail_on,
    )


def lint_card(
    content: bytes,
    *,
    path: str,
    target: str,
    folder: ModelFolder | None = None,
    ignore: Sequence[str] = (),
    fail_on: Severity = Severity.ERROR,
    selection: Selection | None = None,
    inline_ignores: bool = True,
    given: Mapping[str, Any] | None = None,
) -> Report:
    """What the card rules say of a card.

    Args:
        content: the bytes of the card.
        path: what the findings call it.
        target: what the report calls it.
        folder: the model folder it belongs to, if there is one.
        ignore: rules not to run, by code, prefix or name.
        fail_on: lowest severity that makes the report not ok.
        selection: which rules run, in place of `ignore`.
        inline_ignores: whether comments in the card may silence rules.
        given: what else is known: further attributes of the `CardSubject`, such as `repo_id`.

    Raises:
        UsageError: `ignore` or `selection` names no rule.
    """
    from hubpub.card.document import MOST_LINES, Card
    from hubpub.card.ignores import is_silenced
    from hubpub.card.sections import score
    from hubpub.card.source import decode_card
    from hubpub.rules import card_families  # noqa: F401 -- declares the rules

    started = time.perf_counter()
    text, undecodable = decode_card(content)
    subject = CardSubject(Card.parse(text), path, folder, undecodable, **(given or {}))
    selection = selection or Selection.without(ignore)
    selection.check(card_rules)
    findings, skipped = _run(selection.rules(card_rules, path), subject, selection)
    skipped += [Skip(f"{rule.code} {rule.name}", "only with --online") for rule in selection.waiting(card_rules)]
    if subject.card.read_to < len(text):
        line = subject.card.lines.place(subject.card.read_to)[0]
        skipped.append(
            Skip(f"the text of {path} behind line {line:,}", f"a card is read up to 0.5 MB and {MOST_LINES:,} lines")
        )
    if undecodable is not None:
        findings = [replace(finding, fix=None) for finding in findings]  # a file that is not text is not edited
    if inline_ignores:
        findings = [finding for finding in findings if not is_silenced(subject.card, finding)]
    filled, total = score(subject.card, subject.profile)
    return Report(
        target=target,
        findings=sorted_findings(findings),
        skipped=tuple(skipped),
        facts={"sections_filled": filled, "sections_required": total},
        seconds=time.perf_counter() - started,
        fail_on=fail_on,
    )


def _run(rules: Sequence[Rule[Subject]], subject: Subject, selection: Selection) -> tuple[list[Finding], list[Skip]]:
    findings: list[Finding] = []
    skipped: dict[Skip, None] = {}
    for rule in rules:
        for result in rule.run(subject):
            if isinstance(result, Skip):
                skipped[result] = None  # two rules may be stopped by the same obstacle; it is told once
            else:
                findings.append(replace(result, severity=selection.judged(rule, result)))
    return findings, list(skipped)
