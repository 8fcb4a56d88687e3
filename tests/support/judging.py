"""Running every model rule on a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hubpub.core.findings import Finding
from hubpub.core.report import Skip
from hubpub.model.folder import ModelFolder
from hubpub.rules import code, conf, file, secret, token, weight
from hubpub.rules.registry import model_rules

FAMILIES = (file, conf, weight, token, code, secret)

Judge = Callable[[Path], list[Finding | Skip]]


def judge_folder(folder: Path) -> list[Finding | Skip]:
    """What every model rule says of the folder: findings and skips, in the order of the codes."""
    subject = ModelFolder.open(folder)
    return [found for rule in model_rules for found in rule.run(subject)]
