from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.card.anchors import anchors, heading_slugs
from hubpub.card.document import Card
from hubpub.card.links import find_links, html_comments, html_tags


def links(text: str) -> list[tuple[str, str, str]]:
    return [(link.kind, link.target, link.text) for link in find_links(Card.parse(text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](b)", [("link", "b", "a")]),
        ('[a](<b c> "t")', [("link", "b c", "a")]),
        ("[a](b(c)d)", [("link", "b(c)d", "a")]),
        ("![a](b)", [("image", "b", "a")]),
        ("[![a](b)](c)", [("link", "c", "![a](b)"), ("image", "b", "a")]),
        ("[[a](b)](c)", [("link", "b", "a")]),
        ("[a\nb](c)", [("link", "c", "a\nb")]),
        ("[a]\n(b)", []),
        ("\\[a](b)", []),
        ("`[a](b)` and ``[a](`b)``", []),
        ("`a [b](c)", [("link", "c", "b")]),
        ("```\n[a](b)\n```", []),
        ("    [a](b)", []),
        ("<!-- [a](b) -->", []),
        ("x <!-- [a](b) --> [c](d)", [("link", "d", "c")]),
        ("<https://x.test>", [("autolink", "https://x.test", "https://x.test")]),
        ("see https://x.test/a_(b), or", [("bare", "https://x.test/a_(b)", "https://x.test/a_(b)")]),
        ("(https://x.test).", [("bare", "https://x.test", "https://x.test")]),
        ("[https://x.test](https://x.test)", [("link", "https://x.test", "https://x.test")]),
        ('<a href="https://x.test">https://x.test</a>', [("link", "https://x.test", "https://x.test")]),
        ("<a href=x><b>t</b></a>", [("link", "x", "t")]),
        ('<img alt="t" src="a&amp;b">', [("image", "a&b", "t")]),
        ("<div>\n[a](b)\n</div>", []),
        ("| a |\n|---|\n| [a](b) |", [("link", "b", "a")]),
        ("[a][l]\n\n[L]: x", [("reference", "x", "a"), ("definition", "x", "L")]),
        ("[l]\n\n[l]: <x y>", [("reference", "x y", "l"), ("definition", "x y", "l")]),
        ("[a][l]\n\n```\n[l]: x\n```", []),
        ("a[^1]\n\n[^1]: https://x.test", [("bare", "https://x.test", "https://x.test")]),
        ("> [a](b)\n- [c](d)", [("link", "b", "a"), ("link", "d", "c")]),
        ("[a](b\\_c)", [("link", "b_c", "a")]),
        ("[a]()", [("link", "", "a")]),
    ],
)
def test_what_is_a_link(text: str, found: list[tuple[str, str, str]]) -> None:
    assert links(text) == found


def test_places_are_those_of_the_card() -> None:
    text = "---\nlicense: mit\n---\r\n\r\nA [b](c \"d\") é <img src='e'>\r\n"
    first, second = find_links(Card.parse(text))
    assert text[first.start : first.end] == '[b](c "d")'
    assert text[first.target_start : first.target_end] == "c"
    assert text[second.start : second.end] == "<img src='e'>"
    assert text[second.target_start : second.target_end] == "e"


def test_tags_and_comments_are_found_outside_code() -> None:
    card = Card.parse("<!-- a -->\n\n`<b>` <c d='>'> x <!--> <e/>\n\n```\n<f>\n```\n")
    assert [tag.name for tag in html_tags(card)] == ["c", "e"]
    assert [card.text[start:end] for start, end in html_comments(card)] == ["<!-- a -->", "<!-->"]


def test_headings_have_the_anchors_of_github() -> None:
    text = (
        "# Uses & *limits*\n\n## `code` and [link](x)\n\n## Uses & limits\n\n<h3 id='Own'>T</h3>\n\n## 🤗 Hi_there!\n"
    )
    card = Card.parse(text)
    assert heading_slugs(card)[:3] == ("uses--limits", "code-and-link", "uses--limits-1")
    assert anchors(card) >= {"uses--limits", "uses-limits", "own", "hi_there", "🤗-hi_there"}


@given(st.text(alphabet="[]()!<>`\\ab \n\"'=/#:-htps.&;", max_size=60))
def test_any_text_is_read_and_places_hold(text: str) -> None:
    card = Card.parse(text)
    for link in find_links(card):
        assert 0 <= link.start < link.end <= len(text)
        assert link.kind == "reference" or link.start <= link.target_start <= link.target_end <= len(text)
        if link.kind in ("link", "image", "autolink", "bare") and not set("\\&") & set(link.target):
            written = text[link.target_start : link.target_end]
            assert link.target == written.strip() or set("\\&") & set(written)
    anchors(card)


NASTY = [
    *(
        "[",
        "![",
        "](",
        "[a](",
        "[a][",
        "`",
        "``` `",
        '<a b="',
        "<a b='\"",
        "<a x ",
        '[a](b "',
        "[[a](b)",
        "![[a](b)](c",
    ),
    *(
        "http://",
        "http://a))))",
        "<a href=x>",
        "<!--",
        "[x]: y\n\n",
        "![![a](b)](",
        "\\[",
        "([a](b)",
        "[a](b",
        "<img src=x ",
    ),
]


@pytest.mark.parametrize("piece", NASTY)
def test_time_grows_with_the_text_and_not_faster(piece: str) -> None:
    card = Card.parse(piece * (200_000 // len(piece)))
    started = time.perf_counter()
    find_links(card)
    assert time.perf_counter() - started < 8  # 1 s on a busy machine
