"""docs/rules is what the declarations say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hubpub.rules.catalogue import all_rules

REPO = Path(__file__).parents[2]
SCRIPT = REPO / "scripts" / "write_rule_docs.py"


def test_the_pages_are_in_step_with_the_rules() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False, cwd=REPO)
    assert (done.returncode, done.stdout) == (0, ""), f"run {SCRIPT.relative_to(REPO)}"


def test_every_page_says_what_a_reader_needs() -> None:
    for rule in all_rules():
        page = (REPO / "docs" / "rules" / f"{rule.code}.md").read_text("utf-8")
        for part in ("## Why", "## Bad", "## Good", "## What to do", "## Fix", "## How to silence it", "## Source"):
            assert part in page, rule.code
        assert page.count("```") % 2 == 0
