from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.run_files import files_of

from hubpub.model.citation_file import Citation, parse_citation, read_citation
from hubpub.model.yamlfile import parse_yaml

SOFTWARE = """
cff-version: 1.2.0
message: "Please cite"
title: My training code & more
authors:
  - family-names: Doe
    given-names: Jane Q.
    name-particle: van der
    name-suffix: Jr.
    orcid: https://orcid.org/0000-0000-0000-0000
  - name: The Research Group
  - alias: coder
version: 1.10
date-released: 2024-05-01
license: Apache-2.0
doi: https://doi.org/10.5281/zenodo.1234
repository-code: https://github.com/me/train
"""
ARTICLE = """
title: Code
authors: [{family-names: A, given-names: B}]
preferred-citation:
  type: conference-paper
  title: A paper
  authors: [{family-names: Müller, given-names: Zoë}, {family-names: B, given-names: C}]
  year: 2023
  month: 7
  collection-title: Proceedings of X
  start: 1
  end: 12
  publisher: {name: ACM}
  identifiers: [{type: other, value: x}, {type: doi, value: 10.1145/12.34}]
  url: javascript:alert(1)
"""


def parsed(text: str) -> Citation:
    citation = parse_citation(parse_yaml(text.encode()).value, "CITATION.cff")
    assert citation is not None
    return citation


def test_software() -> None:
    citation = parsed(SOFTWARE)
    assert (citation.type, citation.part, citation.license) == ("software", "", "Apache-2.0")
    assert dict(citation.fields) == {
        "title": "My training code & more",
        "author": "van der Doe, Jr., Jane Q. and {The Research Group} and {coder}",
        "year": "2024",
        "month": "5",
        "version": "1.1",  # YAML takes it for a number, as every reader of the file does
        "doi": "10.5281/zenodo.1234",
        "url": "https://github.com/me/train",
    }
    assert citation.key == "doe2024training"


def test_the_preferred_citation() -> None:
    citation = parsed(ARTICLE)
    assert (citation.type, citation.part, citation.key) == ("inproceedings", "preferred-citation", "muller2023paper")
    assert dict(citation.fields) == {
        "title": "A paper",
        "author": "Müller, Zoë and B, C",
        "year": "2023",
        "month": "7",
        "pages": "1--12",
        "booktitle": "Proceedings of X",
        "publisher": "ACM",
        "doi": "10.1145/12.34",
    }


def test_a_preferred_citation_without_authors_gives_way() -> None:
    assert parsed("title: a\nauthors: [{name: b}]\npreferred-citation: {title: c}\n").field("title") == "a"


@pytest.mark.parametrize(
    "text", ["", "[]", "title: x", "title: [x]\nauthors: [{name: y}]", "title: x\nauthors: [1, {}]"]
)
def test_files_without_title_and_authors(text: str) -> None:
    citation, unread = read_citation(files_of({"CITATION.cff": text}))
    assert citation is None
    assert unread[0].reason == "has no title and authors"


def test_the_nearest_file_counts() -> None:
    other = SOFTWARE.replace("My training", "Other")
    citation, _ = read_citation(
        files_of({"a/CITATION.cff": other, "z/b/CITATION.cff": other, "citation.cff": SOFTWARE})
    )
    assert citation is not None
    assert citation.path == "citation.cff"


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "family-names", "given-names", "type", "value", "doi"]), inner)
    ),
    max_leaves=8,
)
KEYS = [
    "title",
    "authors",
    "year",
    "month",
    "start",
    "doi",
    "identifiers",
    "publisher",
    "date-released",
    "version",
    "type",
]


@given(st.dictionaries(st.sampled_from([*KEYS, "preferred-citation", "license", "url"]), VALUE))
def test_any_document_is_answered(document: dict[str, object]) -> None:
    parse_citation({"title": "x", "authors": [{"name": "y"}], **document}, "CITATION.cff")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 30))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOMB, "holds more than"),
        (MERGES, "holds more than"),
        ("[" * 5000, "nest"),
        ("- " * 5000 + "x", "nest"),
        ("a: &a [*a]", "part of"),
        ("a: *b", "is not YAML|nothing"),
        ("a: !!python/object/apply:os.system [x]", "is not YAML"),
        ("a: !!timestamp x", "is not YAML"),
        ("a: !!int ''", "is not YAML"),
        ("a: [", "is not YAML"),
        ("\0", "is not YAML"),
        ("? {a: 1}\n: b", "is not YAML"),
        ("a: " + "1" * 5000, "is not YAML"),
        ("x" * ((1 << 20) + 1), "larger"),
    ],
)
def test_yaml_within_bounds(text: str, problem: str) -> None:
    started = time.process_time()
    file = parse_yaml(text.encode())
    assert file.value is None
    assert any(part in (file.problem or "") for part in problem.split("|"))
    assert time.process_time() - started < 2


def test_yaml_that_is_sound() -> None:
    assert parse_yaml(b"\xef\xbb\xbfa: &x {b: 1}\nc: {<<: *x, d: 2}\n---\nsecond: [").value == {
        "a": {"b": 1},
        "c": {"b": 1, "d": 2},
    }
    assert parse_yaml(b"").problem is None


@given(st.text(max_size=60) | st.text("ab:-[]{}&*!|>\n ", max_size=60))
def test_any_yaml_is_answered(text: str) -> None:
    parse_yaml(text.encode("utf-8", "replace"))
