"""The body: harmless, complete, and with each finding before the block that it is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest
from support.hostile_cards import HOSTILE

from hubpub.card.document import Card
from hubpub.core.findings import Finding, Severity
from hubpub.preview.body import Body, Pictures, body_html
from hubpub.preview.code import code_html

FRONT = "---\nlicense: mit\n---\n"


KNOWN = {
    "class",
    "tabindex",
    "data-language",
    "type",
    "disabled",
    "checked",
    "aria-label",
    "id",
    "href",
    "rel",
    "7",
    "11",
}


class Attributes(HTMLParser):
    """The attributes of a page as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += attrs


def finding(line: int, severity: Severity = Severity.WARNING) -> Finding:
    return Finding("TEXT001", "name", severity, f"about {line}", path="README.md", line=line)


def shown(text: str, *lines: int, remote: bool = False) -> Body:
    def note(findings: Sequence[Finding]) -> str:
        return "<note " + " ".join(str(finding.line) for finding in findings) + ">"

    pictures = Pictures("/files/", lambda path: f"/files/{path}?1" if path.startswith("assets/") else None, remote)
    return body_html(Card.parse(text), [finding(line) for line in lines], note, pictures)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("remote", [False, True], ids=["", "remote"])
def test_hostile_html_is_removed(text: str, remote: bool) -> None:
    html = shown(FRONT + text, 4, remote=remote).html.replace("<note 4>", "")
    for tag in re.findall(r"<[a-zA-Z/!?][^>]*>?", html):
        assert not re.match(
            r"</?(script|style|iframe|object|embed|form|button|svg|math|meta|base|link|main|body)", tag
        ), tag
        assert not re.search(r"\son\w+=|\s(style|target|name)=", tag), tag
        for name, value in re.findall(r'\s(href|src)="([^"]*)"', tag):
            remote_ones = ("https://", "http://", "//") if remote or name == "href" else ()
            assert value.startswith(("/files/", "#", "mailto:", *remote_ones)), tag
            assert ".." not in value


@pytest.mark.parametrize(
    "opening", ['<p align="', '<td align="', '<h2 id="', '<a title="', '<img alt="', '<img src="', '<ol start="']
)
def test_what_is_put_in_never_lands_in_an_attribute(opening: str) -> None:
    """A card may leave a quote open, so that what follows, and what the preview adds to it, is a value."""
    code = "\n\n```py\n onload=alert(1) x='\n```\n\n- [x] task\n\n\">\n\nend"
    html = shown(FRONT + opening + code, 7, 11).html
    attributes = Attributes()
    attributes.feed(html)
    assert {name for name, _ in attributes.found} <= KNOWN
    assert not any("<" in (value or "") for _, value in attributes.found)


def test_a_card_cannot_name_the_marks() -> None:
    before = shown(FRONT + "```\ncode\n```\n").html
    assert re.fullmatch(r'\s*<pre class="code" tabindex="0"><code>code\n</code></pre>\s*', before)
    assert shown(FRONT + "0:0; 000000000000000000000000:0;").html.strip() == "<p>0:0; 000000000000000000000000:0;</p>"


@pytest.mark.parametrize(
    ("line", "follows"),
    [
        (4, "<h1"),
        (6, "<p>Some"),
        (7, "<p>Some"),
        (8, "<h2"),
        (9, "\nfirst"),
        (10, "\nsecond"),
        (12, "<pre"),
        (13, "<pre"),
        (16, "<table"),
        (18, "<table"),
        (20, "<p>quoted"),
        (99, "<p>last"),
    ],
)
def test_a_finding_stands_before_its_block(line: int, follows: str) -> None:
    text = (
        "# Title\n\nSome text\nin two lines.\n## Sub\n- first\n- second\n\n```py\ncode()\n```\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n\nlast\n"
    )
    html = shown(FRONT + text, line).html
    after = html.partition(f"<note {line}>")[2]
    assert after.strip(" ").replace("\n", "", 1).startswith(follows.lstrip("\n")), after[:60]


def test_findings_of_one_block_stand_together() -> None:
    assert "<note 4 5>" in shown(FRONT + "one\ntwo\n", 4, 5).html


def test_a_finding_whose_place_is_swallowed_is_not_lost() -> None:
    body = shown(FRONT + "text\n\n<p align='\n\nhidden\n\n'>\n", 8)
    assert ("<note 8>" in body.html) != bool(body.homeless)
    body = shown(FRONT, 3)
    assert [lost.line for lost in body.homeless] == [3]


def test_reads_as_the_hub_does() -> None:
    body = shown(
        FRONT + "# A *b* `c`!\n\n## Twice\n\n## Twice\n\n- [x] done\n- [ ] open\n- plain\n\n> [!NOTE]\n> heed\n\n"
        "See https://example.org/a_b). <a href='x'>https://no.example</a>\n\n~~gone~~\n"
    )
    assert body.slugs == {4: "a-b-c", 6: "twice", 8: "twice-1"}
    assert '<h2 id="twice-1">' in body.html
    assert '<input type="checkbox" disabled checked aria-label="done"> done' in body.html
    assert '<input type="checkbox" disabled aria-label="to do"> open' in body.html
    assert '<strong class="alert note">Note</strong>' in body.html
    assert (
        '<a href="https://example.org/a_b" rel="noopener noreferrer nofollow">https://example.org/a_b</a>).'
        in body.html
    )
    assert body.html.count("<a ") == 2
    assert "<s>gone</s>" in body.html


def test_gaps_are_seen() -> None:
    text = FRONT + "## Data\n\n<!-- hubpub:todo training-data -->\n*To be written: which data.*\n"
    html = shown(text, 7).html
    assert re.search(
        r'<note 7>\s*<div class="gap"><span>Gap</span> <code>training-data</code></div>\s*<p><em>To be', html
    )


def test_pictures() -> None:
    text = (
        '![a "b" <c>](assets/a.png) ![gone](plots/b.png) <img src="./assets/c.svg" width=3 alt=d>\n\n'
        '![far](https://x.example/e.png?a=1&b=2) <img src="//y.example/f.gif" onerror=x> '
        "![d](data:image/png;base64,AA)\n"
    )
    body = shown(FRONT + text)
    assert '<img src="/files/assets/a.png?1" alt="a &quot;b&quot; ' in body.html
    assert 'width="3"' in body.html
    assert "image that is not in the folder: <code>plots/b.png</code>" in body.html
    assert "remote image, not loaded: <code>https://x.example/e.png?a=1&amp;b=2</code>" in body.html
    assert "remote image, not loaded: <code>//y.example/f.gif</code>" in body.html
    assert body.html.count("<img") == 2
    assert body.files == {"assets/a.png", "plots/b.png", "assets/c.svg"}
    far = shown(FRONT + text, remote=True).html
    assert (
        '<img src="https://x.example/e.png?a=1&amp;b=2" alt="far" referrerpolicy="no-referrer" loading="lazy">' in far
    )


def test_links_to_files_are_known() -> None:
    assert shown(FRONT + "[a](sub/x%20y.txt#l) [b](../out) [c](#d) [e](https://f.example)").files == {"sub/x y.txt"}


@pytest.mark.parametrize("language", ["python", "py", "yaml", "console", "brainfudge", "", 'x" onclick="y'])
def test_code_is_text(language: str) -> None:
    code = "print('<b>', \"</pre>\")  # é\n\n\tx = {1: None}\n"
    html = code_html(code, language, {2: "error"}, numbered=7)
    tags = set(re.findall(r"</?[a-z]+", html))
    assert tags <= {"<pre", "</pre", "<code", "</code", "<span", "</span"}
    assert re.search(r'<span class="line marked error"><span class="number">9</span>', html)
    text = re.sub(r'<span class="number">\d+</span>', "", html)
    text = re.sub(r"<[^>]*>", "", text.partition("<code>")[2])
    assert text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&#x27;", "'") == code


def test_a_very_long_card_is_cut() -> None:
    body = shown(FRONT + "word " * 60_000, 4)
    assert body.is_cut
    assert len(body.html) < 300_000
