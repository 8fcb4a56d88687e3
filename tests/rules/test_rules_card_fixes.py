"""Fixes that can be trusted, over the rules of all families and real cards.

Fixing twice changes nothing, a fixed card has no new finding, safe fixes change nothing but what they are about, and
every change lies on a line that a fix covers.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.card_meaning import differences
from support.linting import write_files

from hubpub.card.metadata.frontmatter import read_front_matter, stays_readable
from hubpub.core.findings import Finding
from hubpub.core.rule import Needs
from hubpub.fix.apply import edited
from hubpub.fix.text import fix_text
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import card_rules
from hubpub.rules.run import lint_card
from hubpub.rules.selection import Layer, Selection

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "cards"
CARDS = sorted(CORPUS.glob("*.md"))
SAMPLE = random.Random(20).sample(CARDS, min(len(CARDS), 12))
RULES = [rule for rule in card_rules if rule.needs is not Needs.NETWORK]
EVERY_RULE = Selection((Layer(extend=("ALL",)),))
FOR_A_REPO = {"repo_id": "acme/model"}

Judge = Callable[[str], Sequence[Finding]]


def linter(folder: ModelFolder | None = None, given: Mapping[str, Any] | None = None, *, every: bool = False) -> Judge:
    selection = EVERY_RULE if every else Selection()

    def judge(text: str) -> Sequence[Finding]:
        report = lint_card(
            text.encode(), path="README.md", target="card", folder=folder, selection=selection, given=given
        )
        return report.findings

    return judge


def folder_with(files: Mapping[str, str], root: Path) -> ModelFolder | None:
    if not files:
        return None
    write_files(root, {"README.md": "", **files})
    return ModelFolder.open(root)


def line_ends(text: str) -> set[str]:
    return set(re.findall(r"\r\n|\r|\n", text))


def hold(text: str, judge: Judge) -> None:
    """All that is promised of fixes, on one card."""
    before = Counter(finding.rule for finding in judge(text))
    for unsafe in (False, True):
        done = fix_text(text, "README.md", judge, keeps=stays_readable, unsafe=unsafe)
        rules = {finding.rule for finding in done.findings}
        assert Counter(finding.rule for finding in judge(done.text)) <= before, "a new finding"
        assert fix_text(done.text, "README.md", judge, keeps=stays_readable, unsafe=unsafe).text == done.text
        assert line_ends(done.text) <= line_ends(text)
        if not unsafe:
            assert differences(text, done.text, rules) == [], rules
        assert (done.text == text) == (not done.findings)


def hold_each(text: str, judge: Judge) -> None:
    """What is promised of every single fix: lines that it does not cover stay as they are."""
    for finding in judge(text):
        if finding.fix is None or any(edit.path != "README.md" for edit in finding.fix.edits):
            continue
        after = edited(text, finding.fix.edits)
        covered = set()
        for edit in finding.fix.edits:
            first, last = (text.count("\n", 0, at) for at in (edit.start, edit.end))
            covered.update(range(first, last + 1))
        lines, changed = text.split("\n"), after.split("\n")
        for kind, start, end, _, _ in SequenceMatcher(None, lines, changed, autojunk=False).get_opcodes():
            assert kind in ("equal", "insert") or covered & set(range(start, end)), finding.rule
        kept = [line for number, line in enumerate(lines) if number not in covered]
        rest = iter(changed)
        assert all(line in rest for line in kept), finding.rule
        if finding.fix.safe:
            assert differences(text, after, {finding.rule}) == [], finding.rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_examples(rule: Any, tmp_path: Path) -> None:
    folder = folder_with(rule.files, tmp_path)
    hold_each(rule.bad, linter(folder, FOR_A_REPO, every=True))
    hold(rule.bad, linter(folder, every=True))
    if rule.fixable:
        hold("\ufeff" + rule.bad.replace("\n", "\r\n"), linter(folder))
        hold(rule.bad.rstrip("\n"), linter(folder, FOR_A_REPO))


@pytest.mark.skipif(not CARDS, reason="the corpus of real cards is not beside the checkout")
@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.stem[:40])
def test_real_cards(path: Path) -> None:
    text = path.read_bytes().decode("utf-8")
    hold_each(text, linter())
    hold(text, linter(every=path.stem[3] in "02468"))


def _split(text: str) -> tuple[str, str]:
    front_matter = read_front_matter(text)
    return front_matter.raw, text[front_matter.body_start :]


@st.composite
def joined_cards(draw: st.DrawFn) -> str:
    """A card made of the examples of several rules, in one of the forms that editors write."""
    rules = draw(st.lists(st.sampled_from(RULES), min_size=2, max_size=4))
    blocks: list[str] = []
    bodies: list[str] = []
    keys: set[str] = set()
    for rule in rules:
        text = draw(st.sampled_from([rule.bad, rule.good]))
        raw, body = _split(text)
        data = read_front_matter(text).data
        if data is not None and not keys & set(data):
            keys |= set(data)
            blocks.append(raw)
        bodies.append(body.strip("\n"))
    lines = "\n\n".join(bodies).split("\n")
    for suffix in draw(st.lists(st.sampled_from(["  ", "\t", "  <!-- note -->", "\u200b"]), max_size=2)):
        lines[draw(st.integers(0, len(lines) - 1))] += suffix
    if draw(st.booleans()):
        at = draw(st.integers(0, len(lines) - 1))
        lines[at] = draw(st.sampled_from(["> ", "- ", "    ", "1. ", "# "])) + lines[at]
    metadata = "\n".join(blocks)
    if draw(st.booleans()):
        metadata = "# ours\n" + metadata.replace(": mit", ": 'mit'  # agreed", 1)
    text = (f"---\n{metadata}\n---\n\n" if blocks else "") + "\n".join(lines) + draw(st.sampled_from(["", "\n"]))
    newline, mark = draw(st.sampled_from(["\n", "\r\n"])), draw(st.sampled_from(["", "", "\ufeff"]))
    return mark + text.replace("\n", newline)


@settings(max_examples=20, derandomize=True, suppress_health_check=list(HealthCheck))
@given(joined_cards(), st.booleans(), st.sampled_from([None, FOR_A_REPO]))
def test_cards_made_of_the_examples_of_several_rules(text: str, every: bool, given: Mapping[str, str] | None) -> None:
    hold(text, linter(given=given, every=every))


@pytest.mark.parametrize(
    ("text", "rule", "safe"),
    [
        # a hidden character may be all that keeps a line from being a fence, a heading or an end of metadata
        ("---\u200b\nlicense: mit\n---\n\nText of it.\n", "TEXT020", False),
        ("Text.\n\n\u200b# not a title\n", "TEXT020", False),
        ("Text.\n\n\u200b---\n", "TEXT020", False),
        ("Some te\u200bxt.\n", "TEXT020", True),
        ("Text:\n\n1. \u200b\nmore\n", "TEXT020", False),
        # a lone CR ends no closing fence
        ("---\r\nlicense: mit\r\n---\r  x\r\n", "META047", False),
        ("---\r\nlicense: mit\r\n---\r\nx\ny\r\n", "META047", True),
    ],
)
def test_a_fix_is_not_safe_where_it_changes_what_is_read(text: str, rule: str, safe: bool) -> None:
    (found,) = (finding for finding in linter()(text) if finding.rule == rule)
    assert found.fix
    assert found.fix.safe is safe
