"""What makes a finding the same finding after lines have moved: its rule, its file and what its line says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from hubpub.core.findings import Finding

_NUMBER = re.compile(r"\d[\d.,]*")


def fingerprints(findings: Iterable[Finding], line_of: Callable[[Finding], str | None]) -> list[str]:
    """One fingerprint per finding, in their order; of two that are alike, the second one differs by its number.

    Args:
        findings: of one report.
        line_of: the source line of a finding; None when it has none, so that its message stands for it.
    """
    import hashlib  # most reports are shown without fingerprints

    seen: Counter[str] = Counter()
    prints = []
    for finding in findings:
        line = line_of(finding)
        # how many words a card has, or how many files there are, changes from one run to the next
        text = _NUMBER.sub("0", finding.message) if line is None else " ".join(line.split())
        key = "\0".join((finding.rule, finding.path or "", finding.tensor or "", text))
        seen[key] += 1
        digest = hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "surrogatepass"))
        prints.append(digest.hexdigest()[:32])
    return prints
