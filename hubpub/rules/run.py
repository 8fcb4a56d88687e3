"""Running rules: facts in, a report out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from hubpub.core.findings import Finding, Severity
from hubpub.core.report import Report, Skip, sorted_findings
from hubpub.core.rule import Depth, Rule
from hubpub.rules.registry import CardSubject, card_rules, model_rules

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

Subject = TypeVar("Subject")

_DEEPER = (
    (Depth.DEEP, Skip("tensor values, architecture, tokenizer round trips", "only with --deep")),
    (Depth.LOAD, Skip("loading and running the model", "only with --load")),
)


def check_folder(
    folder: ModelFolder,
    *,
    target: str,
    depth: Depth = Depth.QUICK,
    ignore: Sequence[str] = (),
    fail_on: Severity = Severity.ERROR,
) -> Report:
    """What the model rules say of a folder; what the depth leaves out is among what was skipped.

    Raises:
        UsageError: `ignore` names no rule.
    """
    from hubpub.rules import model_families  # noqa: F401 -- declares the rules; those about cards would need YAML

    started = time.perf_counter()
    rules = [rule for rule in model_rules if rule.default and depth.includes(rule.depth)]
    findings, skipped = _run(rules, folder, ignore)
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
) -> Report:
    """What the card rules say of a card.

    Args:
        content: the bytes of the card.
        path: what the findings call it.
        target: what the report calls it.
        folder: the model folder it belongs to, if there is one.
        ignore: rules not to run, by code, prefix or name.
        fail_on: lowest severity that makes the report not ok.

    Raises:
        UsageError: `ignore` names no rule.
    """
    from hubpub.card.document import Card
    from hubpub.card.sections import score
    from hubpub.card.source import decode_card
    from hubpub.rules import card_families  # noqa: F401 -- declares the rules

    started = time.perf_counter()
    text, undecodable = decode_card(content)
    subject = CardSubject(Card.parse(text), path, folder, undecodable)
    findings, skipped = _run([rule for rule in card_rules if rule.default], subject, ignore)
    if subject.card.read_to < len(text):
        line = subject.card.lines.place(subject.card.read_to)[0]
        skipped.append(Skip(f"the text of {path} behind line {line:,}", "a card is read up to 0.5 MB and 32,768 lines"))
    filled, total = score(subject.card)
    return Report(
        target=target,
        findings=sorted_findings(findings),
        skipped=tuple(skipped),
        facts={"sections_filled": filled, "sections_required": total},
        seconds=time.perf_counter() - started,
        fail_on=fail_on,
    )


def _run(rules: Iterable[Rule[Subject]], subject: Subject, ignore: Sequence[str]) -> tuple[list[Finding], list[Skip]]:
    if ignore:
        from hubpub.rules.catalogue import check_ignored

        check_ignored(tuple(ignore))
    findings: list[Finding] = []
    skipped: dict[Skip, None] = {}
    for rule in rules:
        if any(rule.is_called(word) for word in ignore):
            continue
        for result in rule.run(subject):
            if isinstance(result, Skip):
                skipped[result] = None  # two rules may be stopped by the same obstacle; it is told once
            else:
                findings.append(result)
    return findings, list(skipped)
