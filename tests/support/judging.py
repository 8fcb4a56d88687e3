"""Running every model rule on a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hubpub.core.findings import Finding
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.model.folder import ModelFolder
from hubpub.rules import model_families
from hubpub.rules.registry import model_rules

FAMILIES = model_families.MODEL_FAMILIES

Judge = Callable[[Path], list[Finding | Skip]]


def judge_folder(folder: Path, depth: Depth = Depth.QUICK) -> list[Finding | Skip]:
    """What every model rule of that depth says of the folder: findings and skips, in the order of the codes."""
    return judge_opened(ModelFolder.open(folder), depth)


def judge_opened(folder: ModelFolder, depth: Depth, family: str = "") -> list[Finding | Skip]:
    """The same of a folder that is open already; `family` limits it to codes with one of these beginnings."""
    rules = [
        rule for rule in model_rules if depth.includes(rule.depth) and rule.code.startswith(tuple(family.split()) or "")
    ]
    return [found for rule in rules for found in rule.run(folder)]
