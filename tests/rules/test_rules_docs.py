"""docs/rules is what the declarations say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from hubpub.rules.catalogue import all_rules
from hubpub.rules.registry import card_rules

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


def test_every_card_rule_is_in_the_table_of_old_codes() -> None:
    rows = [line.split("|") for line in (REPO / "docs" / "lint-codes.md").read_text("utf-8").splitlines()]
    old = [row[1].strip() for row in rows if len(row) == 7 and re.fullmatch(r" [MSCLETUP]\d{3} ", row[1])]
    assert len(old) == len(set(old)) == 170
    linked = {code for row in rows for code in re.findall(r"\(rules/([A-Z]+\d{3})\.md\)", "|".join(row))}
    assert linked == {rule.code for rule in card_rules}
    names = {rule.code: rule.name for rule in card_rules}
    for row in (row for row in rows if len(row) == 7 and row[1].strip() in old):
        code = re.findall(r"\[([A-Z]+\d{3})\]", row[3])[0]
        assert names[code] == (row[4].strip() or row[2].strip())
