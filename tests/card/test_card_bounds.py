"""Cards that nobody should write: each is a clear finding in bounded time, and none a crash."""

from __future__ import annotations

import os
import time

import pytest

from hubpub.card.document import MOST_LINES, Card
from hubpub.core.report import Report
from hubpub.rules.run import lint_card

FRONT = b"---\nlicense: mit\n---\n# x\n"


def lint(content: bytes) -> Report:
    return lint_card(content, path="README.md", target="card")


def errors(content: bytes) -> list[str]:
    return [finding.message for finding in lint(content).findings if finding.severity.value == "error"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("---\nlicense: mit\n---\n# é\n".encode("utf-16"), "the card is not UTF-8: byte 0 begins no character"),
        ("---\nlicense: mit\n---\n# é\n".encode("latin-1"), "the card is not UTF-8: byte 23 begins no character"),
        ("---\nlicense: mit\n---\n# é\n".encode("utf-32"), "the card is not UTF-8: byte 0 begins no character"),
        (b"---\nlicense: mit\n---\n# \0\n", "the card is not text: it holds a NUL byte"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 100, "the card is not UTF-8: byte 0 begins no character"),
    ],
    ids=["UTF-16", "Latin-1", "UTF-32", "NUL", "PNG"],
)
def test_what_is_not_utf8_text_is_one_error(content: bytes, message: str) -> None:
    assert errors(content) == [message]


def test_utf16_is_read_as_what_it_is() -> None:
    found = {finding.rule for finding in lint("---\nlicense: MIT\n---\n# é\n".encode("utf-16")).findings}
    assert {"META012", "TEXT026"} <= found


@pytest.mark.timeout(60)
def test_ten_megabytes_are_read_in_part_and_it_is_said() -> None:
    report = lint(FRONT + b"Some words of a long card.\n\n" * 350_000)
    (skip,) = report.skipped
    assert skip.what == f"the text of README.md behind line {MOST_LINES + 4:,}"


@pytest.mark.timeout(60)
def test_a_million_lines_are_read_in_part() -> None:
    card = Card.parse("\n" * 1_000_000)
    assert card.read_to == MOST_LINES
    assert len(card.lines.starts) == 1_000_001


def test_a_usual_card_is_read_whole() -> None:
    assert lint(FRONT + b"Text.\n" * 5000).skipped == ()


@pytest.mark.timeout(60)
def test_random_bytes_are_no_crash() -> None:
    assert lint(os.urandom(200_000)).findings


NASTY = {
    "bullets": "- a\n",
    "numbers": "1. a\n",
    "quotes": "> a\n",
    "nested": "> - ",
    "tables": "|a|b|\n|-|-|\n",
    "html": "<div>\n",
    "comments": "<!-- a -->\n",
    "headings": "# a\n",
    "references": "[a]: b\n",
    "fences": "```\n",
    "todo": "[TODO ",
    "brackets": "[",
}


@pytest.mark.parametrize("unit", NASTY.values(), ids=NASTY.keys())
@pytest.mark.timeout(120)
def test_time_grows_with_size(unit: str) -> None:
    def seconds(size: int) -> float:
        content = FRONT + (unit * (size // len(unit))).encode()
        started = time.process_time()
        lint(content)
        return time.process_time() - started

    seconds(1000)
    small, large = min(seconds(10_000), seconds(10_000)), seconds(100_000)
    assert large < 40 * small + 0.5


YAML = {
    "keys": "".join(f"k{i}: v\n" for i in range(10_000)),
    "list": "a:\n" + "- b\n" * 25_000,
    "booleans": "".join(f"k{i}: no\n" for i in range(10_000)),
    "numbers": "tags: [" + "1, " * 20_000 + "1]\n",
    "tabs": "".join(f"k{i}:\tv\n" for i in range(10_000)),
    "duplicates": "k: v\n" * 20_000,
    "comments": "# c\n" * 25_000 + "a: b\n",
    "aliases": "a: &a b\nc: [" + "*a, " * 20_000 + "*a]\n",
}


@pytest.mark.parametrize("yaml", YAML.values(), ids=YAML.keys())
@pytest.mark.timeout(60)
def test_a_hundred_kilobytes_of_yaml_are_bounded(yaml: str) -> None:
    started = time.process_time()
    lint(f"---\n{yaml}---\n# x\n".encode())
    assert time.process_time() - started < 10  # 1 s on an idle machine
