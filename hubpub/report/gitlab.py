"""GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hubpub.core.findings import Severity
from hubpub.report.judged import Judged

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render_gitlab(all_judged: Sequence[Judged]) -> str:
    """One JSON list for all reports; GitLab wants a path without ./ in front and a line with each."""
    entries = [
        {
            "description": f"{finding.rule}: {finding.message}",
            "check_name": finding.rule,
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[finding.severity],
            "location": {
                "path": judged.place(finding).removeprefix("./"),
                "lines": {"begin": finding.line or 1},
            },
        }
        for judged in all_judged
        for finding, fingerprint in zip(judged.report.findings, judged.fingerprints(), strict=True)
    ]
    return json.dumps(entries, indent=2) + "\n"
