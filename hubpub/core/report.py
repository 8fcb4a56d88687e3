"""Report: the findings on one target, what was skipped and why, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hubpub.core.findings import Finding, Severity

REPORT_SCHEMA = "hubpub.report/1"
REPORTS_SCHEMA = "hubpub.reports/1"


@dataclass(frozen=True, slots=True)
class Skip:
    """A check that could not run. It is neither a pass nor a failure, and it is always shown."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was found on one target.

    Attributes:
        target: what was judged, as the user named it.
        findings: worst first.
        skipped: the checks that could not run, with the reason.
        facts: what was learnt about the target; JSON-ready.
        seconds: wall time.
        fail_on: the lowest severity that makes `ok` false.
    """

    target: str
    findings: tuple[Finding, ...]
    skipped: tuple[Skip, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    fail_on: Severity = Severity.ERROR

    @property
    def ok(self) -> bool:
        """Whether no finding reaches `fail_on`."""
        return not any(finding.severity.reaches(self.fail_on) for finding in self.findings)

    @property
    def summary(self) -> str:
        """Counts in words: "2 errors, 1 warning", or "no findings"."""
        words = [
            f"{number} {name if number == 1 or name == 'info' else name + 's'}"
            for name, number in self.counts.items()
            if number
        ]
        return ", ".join(words) or "no findings"

    @property
    def counts(self) -> dict[str, int]:
        """Findings by severity: {"error": n, "warning": n, "info": n}."""
        counts = {severity.value: 0 for severity in Severity}
        for finding in self.findings:
            counts[finding.severity.value] += 1
        return counts

    def to_json(self) -> dict[str, Any]:
        """The report in the schema `hubpub.report/1`."""
        return {
            "schema": REPORT_SCHEMA,
            "target": self.target,
            "ok": self.ok,
            "counts": self.counts,
            "findings": [finding.to_json() for finding in self.findings],
            "skipped": [{"what": skip.what, "reason": skip.reason} for skip in self.skipped],
            "facts": dict(self.facts),
            "seconds": round(self.seconds, 3),
        }


def reports_to_json(reports: Sequence[Report]) -> dict[str, Any]:
    """Several reports in the schema `hubpub.reports/1`."""
    return {
        "schema": REPORTS_SCHEMA,
        "ok": all(report.ok for report in reports),
        "reports": [report.to_json() for report in reports],
    }


def joined(first: Report, second: Report) -> Report:
    """Both reports as one, about the first one's target."""
    return replace(
        first,
        findings=sorted_findings([*first.findings, *second.findings]),
        skipped=first.skipped + second.skipped,
        facts={**first.facts, **second.facts},
        seconds=first.seconds + second.seconds,
    )


def sorted_findings(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings in the order in which reports show them: worst first, then by place."""
    return tuple(sorted(findings, key=lambda finding: finding.sort_key))
