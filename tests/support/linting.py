"""Linting the text of a card in a test, with or without a model folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hubpub.card.document import Card
from hubpub.core.findings import Finding
from hubpub.model.folder import ModelFolder
from hubpub.rules import card_families
from hubpub.rules.registry import CardSubject, card_rules

FAMILIES = card_families.CARD_FAMILIES


def subject(text: str, files: Mapping[str, str] | None = None, root: Path | None = None, **more: object) -> CardSubject:
    """The card as a rule gets it; with `files` it lies in a model folder that has them, below `root`."""
    folder = None
    if files:
        assert root is not None
        write_files(root, {**files, "README.md": text})
        folder = ModelFolder.open(root)
    return CardSubject(Card.parse(text), folder=folder, **more)  # type: ignore[arg-type]


def write_files(root: Path, files: Mapping[str, str]) -> None:
    """Write the texts below `root`."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content.encode("utf-8"))


def findings_of(judged: CardSubject, codes: str = "") -> list[Finding]:
    """What the card rules say, opt-in ones included; `codes` are beginnings of codes, separated by blanks."""
    wanted = tuple(codes.split()) or ("",)
    return [
        found
        for rule in card_rules
        if rule.code.startswith(wanted)
        for found in rule.run(judged)
        if isinstance(found, Finding)
    ]


def codes_of(judged: CardSubject, codes: str = "") -> list[str]:
    """The codes of those findings, each once, in order."""
    return list(dict.fromkeys(finding.rule for finding in findings_of(judged, codes)))


def fixed(text: str, finding: Finding) -> str:
    """The card with the fix of the finding."""
    assert finding.fix is not None
    for edit in sorted(finding.fix.edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
