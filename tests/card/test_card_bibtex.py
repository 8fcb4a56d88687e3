from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.card.bibtex import read_bibtex


@pytest.mark.parametrize(
    "text",
    [
        "@misc{x}",
        "@misc{x,}",
        "@misc{x, title={A}}",
        "@misc{x, title={A},\n}",
        '@misc{x, title="A {"}quoted{"} word", year=2020}',
        "@misc{x, title={{A} and {B}}, month = jan # {~3}, year = 2020,}",
        '@inproceedings {x:y/2020-1_a,\n\ttitle = {A \\} brace \\" quote},\n}',
        "@article(x, title={A})",
        "@ARTICLE{x, title = {50\\% more}, % a remark\n year=2020}",
        '@string{a = {b}}\n@comment{anything, at (all}\n@preamble{"x"}',
        "@software{x, author={Jürgen Müller and 李雷}}",
        "no entry @ all, mail me@x.org {",
        "",
    ],
)
def test_what_is_sound(text: str) -> None:
    assert [entry.fault for entry in read_bibtex(text) if entry.fault] == []


@pytest.mark.parametrize(
    ("text", "fault", "at", "field"),
    [
        ("@misc{x, title={A}", "unclosed", "@misc", "title"),
        ("@misc{x, title={A, year={2020}\n}", "unclosed", "title", "title"),
        ("@misc{title={A}}", "no-key", "title", ""),
        ("@misc{, title={A}}", "no-key", ", title", ""),
        ("@misc{x, title={A}\n  year={2020}}", "no-comma", "\n  year", "title"),
        ("@misc{x title={A}}", "no-comma", " title", ""),
        ("@misc{x, title=}", "no-value", "title", "title"),
        ("@misc{x, year=2020, title}", "no-value", "title", "year"),
        ("@misc{x, title=Two words}", "no-comma", " words", "title"),
        ("@msic{x, title={A}}", "unknown-type", "@msic", ""),
        ('@misc{x, title="A}', "unclosed", "title", "title"),
    ],
)
def test_the_first_fault_of_an_entry(text: str, fault: str, at: str, field: str) -> None:
    entry = next(iter(read_bibtex(text)))
    assert (entry.fault, entry.field) == (fault, field)
    assert text[entry.at :].startswith(at)


def test_entries_follow_each_other() -> None:
    text = "A note.\n@misc{a, title={A}}\n\n@book{b,\n title={B}\n}\n"
    assert [(entry.type, entry.key, text[entry.start]) for entry in read_bibtex(text)] == [
        ("misc", "a", "@"),
        ("book", "b", "@"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "@misc{x," * 100_000,
        "@misc{x,\n" * 100_000,
        "@misc{" + "{" * 1_000_000,
        "@misc{x, a={" + "}{" * 400_000,
        '@misc{x, a="' + "\\" * 1_000_000,
        "@misc{x, " + "a={b} " * 150_000,
        "@misc{x, " + "," * 1_000_000,
        "@misc{x, a=" + "b # " * 250_000,
        "@misc{x," + " " * 1_000_000,
        "@misc{x, a=1" + "%\n" * 500_000,
        ("@misc{x, a=b}" + " " * 1000 + "\n") * 1000,
    ],
)
def test_a_megabyte_takes_no_time(text: str) -> None:
    started = time.perf_counter()
    assert list(read_bibtex(text))
    assert time.perf_counter() - started < 5


@given(st.text(alphabet=st.sampled_from(list('@misc{}(),="#% \n\\ab1é'))))
def test_any_text_is_read(text: str) -> None:
    for entry in read_bibtex("@misc{" + text):
        assert 0 <= entry.start < entry.end <= len(text) + 6
        assert 0 <= entry.at <= len(text) + 6
