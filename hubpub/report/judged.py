"""A report together with what a reader needs beside it: where its files are, and what stands on their lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from hubpub.core.findings import Finding
from hubpub.core.fingerprint import fingerprints
from hubpub.core.report import Report

# As in Markdown, and in the positions of findings.
_LINE_END = re.compile(r"\r\n|\r|\n")


def _nothing_at_hand(_path: str) -> str | None:
    return None


@dataclass(frozen=True, eq=False)
class Judged:
    """One report, ready to be shown.

    Attributes:
        report: the findings.
        base: the folder, or the address, that the paths of the findings are relative to; "" for the working directory.
        text_of: the text of a file that a finding names; None when it is no text or not at hand.
    """

    report: Report
    base: str = ""
    text_of: Callable[[str], str | None] = _nothing_at_hand

    def place(self, finding: Finding) -> str:
        """The file of a finding as it is found from the working directory; the target when it names none."""
        if finding.path is None:
            return self.base or self.report.target
        return f"{self.base.rstrip('/')}/{finding.path}" if self.base else finding.path

    def line_of(self, finding: Finding) -> str | None:
        """What stands on the line of a finding, without its end."""
        if finding.path is None or finding.line is None:
            return None
        text = self.text_of(finding.path)
        if text is None:
            return None
        lines = _lines(text)
        return lines[finding.line - 1] if 0 < finding.line <= len(lines) else None

    def fingerprints(self) -> list[str]:
        """One per finding, see `core.fingerprint`."""
        return fingerprints(self.report.findings, self.line_of)


@lru_cache(maxsize=4)
def _lines(text: str) -> tuple[str, ...]:
    return tuple(_LINE_END.split(text))
