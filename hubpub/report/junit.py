"""JUnit's XML, which every CI system shows: a test case per finding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from hubpub.core.findings import Finding
from hubpub.report.judged import Judged

# What XML 1.0 cannot hold, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(all_judged: Sequence[Judged]) -> str:
    """A suite per report. What reaches the threshold is a failure; the rest, and what was not checked, is skipped."""
    suites = [_suite(judged) for judged in all_judged]
    return '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="hubpub">\n' + "".join(suites) + "</testsuites>\n"


def _suite(judged: Judged) -> str:
    report = judged.report
    failures = sum(finding.severity.reaches(report.fail_on) for finding in report.findings)
    skipped = len(report.findings) - failures + len(report.skipped)
    cases = [_case(judged, finding) for finding in report.findings]
    cases += [
        f"    <testcase classname={_attribute(report.target)} name={_attribute(skip.what)}>\n"
        f"      <skipped message={_attribute(skip.reason)}/>\n    </testcase>\n"
        for skip in report.skipped
    ]
    if not cases:
        cases = [f'    <testcase classname={_attribute(report.target)} name="no findings"/>\n']
    head = (
        f'  <testsuite name={_attribute(report.target)} tests="{len(cases)}" failures="{failures}" errors="0" '
        f'skipped="{skipped}" time="{report.seconds:.3f}">\n'
    )
    return head + "".join(cases) + "  </testsuite>\n"


def _case(judged: Judged, finding: Finding) -> str:
    place = ":".join(str(part) for part in (judged.place(finding), finding.line, finding.column) if part is not None)
    name = f"{finding.rule} {finding.name} {place}"
    tensor = f" [{finding.tensor}]" if finding.tensor else ""
    message = finding.message + tensor
    text = f"{place}: {finding.severity.value} {message}" + (f"\n→ {finding.hint}" if finding.hint else "")
    failed = finding.severity.reaches(judged.report.fail_on)
    inner = (
        f"<failure type={_attribute(finding.rule)} message={_attribute(message)}>{_text(text)}</failure>"
        if failed
        else f"<skipped message={_attribute(text)}/>"
    )
    head = f"    <testcase classname={_attribute(judged.place(finding))} name={_attribute(name)}>\n"
    return head + f"      {inner}\n    </testcase>\n"


def _clean(text: str) -> str:
    return _ILLEGAL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def _text(text: str) -> str:
    return escape(_clean(text))


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))
