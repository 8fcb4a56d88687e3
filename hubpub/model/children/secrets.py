"""The rules of betterleaks on text, where its Python package is installed (`hubpub[secrets]`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def scan(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The findings in each of `texts` (path -> text), without the secrets: path, rule, what it is, line, column."""
    import pybetterleaks

    found = []
    for path, text in request["texts"].items():
        result = pybetterleaks.scan_text(text, validation=False, redact=True)
        found += [
            {
                "path": path,
                "rule": finding.rule_id,
                "line": (finding.line or 0) + 1,
                "column": finding.column or 1,
            }
            for finding in result.findings
        ]
    return found
