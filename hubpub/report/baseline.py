"""A baseline: findings that are known and not to be shown again, so that a project can begin with what is new."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hubpub.core.errors import UsageError
from hubpub.core.files import replace_file
from hubpub.core.findings import Finding
from hubpub.core.fingerprint import fingerprints
from hubpub.report.judged import Judged

SCHEMA = "hubpub.baseline/1"
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a baseline holds.

    Attributes:
        path: the file.
        known: the entries by fingerprint.
    """

    path: Path
    known: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Compared:
    """What is left when known findings are taken away.

    Attributes:
        judged: the reports without them.
        known: how many were taken away.
        stale: entries about the judged files that nothing was found for: they can go.
    """

    judged: tuple[Judged, ...]
    known: int
    stale: tuple[dict[str, Any], ...]


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        UsageError: it cannot be read, or is no baseline.
    """
    wrong = UsageError(f"{path} is no baseline of hubpub", "write one with --write-baseline FILE")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "write it with --write-baseline FILE") from error
    try:
        document = json.loads(content) if len(content) <= _LARGEST else None
    except (ValueError, RecursionError) as error:
        raise wrong from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise wrong
    entries = document.get("findings")
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in ("fingerprint", "rule", "path"))
        for entry in entries
    ):
        raise wrong
    return Baseline(path, {entry["fingerprint"]: entry for entry in entries})


def write_baseline(path: Path, all_judged: Sequence[Judged]) -> int:
    """Write all findings to a file; returns how many they are.

    Raises:
        UsageError: the file cannot be written.
    """
    entries = [
        {"rule": finding.rule, "path": finding.path or "", "message": finding.message, "fingerprint": fingerprint}
        for judged in all_judged
        for finding, fingerprint in _fingerprinted(judged, path)
    ]
    entries.sort(key=lambda entry: (entry["path"], entry["rule"], entry["message"], entry["fingerprint"]))
    document = {"schema": SCHEMA, "findings": entries}
    replace_file(path, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
    return len(entries)


def without_known(all_judged: Sequence[Judged], baseline: Baseline) -> Compared:
    """The reports without what the baseline knows."""
    used: set[str] = set()
    places: set[str] = set()
    kept = []
    for judged in all_judged:
        places.add(_from_baseline(judged.base or judged.report.target, baseline.path))
        findings = []
        for located, (finding, fingerprint) in zip(
            judged.report.findings, _fingerprinted(judged, baseline.path), strict=True
        ):
            places.add(finding.path or "")
            if fingerprint in baseline.known:
                used.add(fingerprint)
            else:
                findings.append(located)
        kept.append(replace(judged, report=replace(judged.report, findings=tuple(findings))))
    stale = [
        entry
        for fingerprint, entry in baseline.known.items()
        if fingerprint not in used and any(_is_at(entry["path"], place) for place in places)
    ]
    return Compared(tuple(kept), len(used), tuple(stale))


def _fingerprinted(judged: Judged, baseline: Path) -> list[tuple[Finding, str]]:
    """The findings with paths as seen from the baseline, and their fingerprints: the same from any directory."""
    findings = judged.report.findings
    moved = [replace(finding, path=_from_baseline(judged.place(finding), baseline)) for finding in findings]
    originals = iter(findings)
    prints = fingerprints(moved, lambda _finding: judged.line_of(next(originals)))
    return list(zip(moved, prints, strict=True))


def _from_baseline(place: str, baseline: Path) -> str:
    if "://" in place:
        return place
    path = Path(os.path.relpath(Path.cwd() / place, (Path.cwd() / baseline).parent))
    return path.as_posix()


def _is_at(path: str, place: str) -> bool:
    return path == place or path.startswith(place.rstrip("/") + "/")
