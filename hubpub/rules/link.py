"""LINK: links and images as such, whatever they lead to."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from urllib.parse import unquote

from hubpub.card.anchors import anchors, heading_slugs
from hubpub.card.links import Link, find_links
from hubpub.card.placeholders import prose
from hubpub.core.findings import Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.rules.placing import excerpt, fix_of, problem_at
from hubpub.rules.registry import CardSubject, card_rules

_MARKDOWNLINT = "https://github.com/DavidAnson/markdownlint/blob/main/doc"
_NOWHERE = Pattern(r"(?:#|https?:/{0,2}|mailto:)?", re.IGNORECASE)
_REVERSED = Pattern(
    r"(?<![\w\])\\])\((?P<text>[^()\[\]\r\n]{1,200})\)\[(?P<target>(?:https?://|www\.|\./|\.\./|#)[^\s\[\]()]{1,500})\]"
    r"(?![(\[:])"
)
_VAGUE = frozenset(
    (
        *(
            "here",
            "this",
            "link",
            "this link",
            "click here",
            "click",
            "more",
            "read more",
            "read more here",
            "see here",
        ),
        *(
            "this one",
            "learn more",
            "hier",
            "dieser link",
            "ici",
            "ce lien",
            "cliquez ici",
            "aquí",
            "aqui",
            "este enlace",
        ),
        *("clique aqui", "这里", "此处", "链接", "点击这里", "こちら", "リンク", "여기", "링크"),
    )
)
_MOST_HINTS = 20
_NO_ANCHOR = frozenset({"", "top"})


@card_rules.rule(
    "LINK003",
    "image-no-alt",
    Severity.WARNING,
    summary="An image has no alternative text.",
    why="Screen readers skip it, and where the image cannot be loaded nothing stands in its place. One card in fifteen "
    "has such an image.",
    bad="![](https://example.org/loss.png)",
    good="![Loss by step](https://example.org/loss.png)",
    hint="describe in a few words what the image shows",
    source=f"{_MARKDOWNLINT}/md045.md",
)
def image_no_alt(subject: CardSubject) -> Iterator[Problem]:
    """Images without a text; HTML may say by alt="" that there is none to give."""
    for link in find_links(subject.card):
        if link.kind == "image" and link.target and not link.text.strip() and not link.is_decorative:
            yield problem_at(subject, f"the image {_name(link)} has no alternative text", link.start)


@card_rules.rule(
    "LINK004",
    "empty-link",
    Severity.ERROR,
    summary="A link leads nowhere, or has nothing to click on.",
    why="[paper]() leads back to the card itself, ![]() shows a broken image, and [](https://...) cannot be seen: what "
    "was to be filled in never was.",
    bad="As in [the paper]().",
    good="As in [the paper](https://arxiv.org/abs/1810.04805).",
    hint="write the address and the words to click on, or remove the link",
    source=f"{_MARKDOWNLINT}/md042.md",
)
def empty_link(subject: CardSubject) -> Iterator[Problem]:
    """Links and images without a target, links without a text."""
    for link in find_links(subject.card):
        if link.kind in ("link", "image") and _NOWHERE.fullmatch(link.target):
            name = f" {excerpt(link.text, 40)!r}" if link.text.strip() else ""
            yield problem_at(subject, f"the {link.kind}{name} leads nowhere", link.start)
        elif link.kind in ("link", "reference") and not link.text.strip():
            yield problem_at(subject, f"the link to {excerpt(link.target)} has no text", link.start)


@card_rules.rule(
    "LINK005",
    "broken-anchor",
    Severity.WARNING,
    summary="A link within the card names a heading that is not there.",
    why="Nothing happens when a reader clicks on it. Tables of contents break like that when a heading is renamed.",
    bad="See [the uses](#intended-use).\n\n## Intended uses",
    good="See [the uses](#intended-uses).\n\n## Intended uses",
    hint="name the heading in lower case, - for each blank, without punctuation",
    source=f"{_MARKDOWNLINT}/md051.md",
)
def broken_anchor(subject: CardSubject) -> Iterator[Problem]:
    """Links to #x when no heading and no id of HTML is called x."""
    count = 0
    for link in find_links(subject.card):
        if link.kind in ("link", "definition") and link.target.startswith("#"):
            wanted = unquote(link.target[1:])
            name = wanted.casefold().removeprefix("user-content-")
            if name in _NO_ANCHOR or name in anchors(subject.card):
                continue
            count += 1
            slugs = heading_slugs(subject.card)[:500] if count <= _MOST_HINTS else ()
            near = difflib.get_close_matches(name[:100], slugs, n=1)
            hint = f"did you mean #{near[0]}?" if near else None
            yield problem_at(subject, f"no heading of the card is called #{excerpt(wanted)}", link.start, hint=hint)


@card_rules.rule(
    "LINK007",
    "reversed-link",
    Severity.ERROR,
    summary="A link has its brackets the wrong way round.",
    why="(text)[address] is no link in Markdown: readers see the brackets and cannot click.",
    bad="See (the paper)[https://arxiv.org/abs/1810.04805].",
    good="See [the paper](https://arxiv.org/abs/1810.04805).",
    hint="write [text](address)",
    source=f"{_MARKDOWNLINT}/md011.md",
    fixable=Fixable.SAFE,
)
def reversed_link(subject: CardSubject) -> Iterator[Problem]:
    """Round brackets with words before square brackets with an address, in text."""
    for block in subject.card.blocks:
        if block.kind in ("code", "html"):
            continue
        source = subject.card.text[block.start : block.end]
        if ")[" not in source:
            continue
        for found in _REVERSED.finditer(prose(source)):
            start, end = block.start + found.start(), block.start + found.end()
            fix = fix_of(
                subject, "exchange the brackets", [(start, end, f"[{found['text']}]({found['target']})")], safe=True
            )
            yield problem_at(subject, f"the brackets of a link are reversed: {excerpt(found[0])}", start, fix=fix)


@card_rules.rule(
    "LINK008",
    "bare-url",
    Severity.INFO,
    summary="An address stands in the text without brackets.",
    why="Not every reader of Markdown makes a link of it, and punctuation behind it may become part of it.",
    bad="See https://example.org/paper for more.",
    good="See <https://example.org/paper> for more.",
    hint="write <address>, or [text](address)",
    source=f"{_MARKDOWNLINT}/md034.md",
    default=False,
    fixable=Fixable.SAFE,
)
def bare_url(subject: CardSubject) -> Iterator[Problem]:
    """Addresses as text; those of a BibTeX entry are fields of it."""
    for link in find_links(subject.card):
        before = subject.card.text[max(0, link.start - 2) : link.start]
        if link.kind == "bare" and not before.endswith(("{", '"', "={")):
            edits = [(link.start, link.start, "<"), (link.end, link.end, ">")]
            fix = fix_of(subject, "put the address into < >", edits, safe=True)
            yield problem_at(
                subject, f"the address {excerpt(link.target)} stands without brackets", link.start, fix=fix
            )


@card_rules.rule(
    "LINK017",
    "vague-link-text",
    Severity.INFO,
    summary='The text of a link does not say where it leads ("here", "this", "link").',
    why="Who reads the links of a page one after the other, as screen readers list them, learns nothing from it.",
    bad="The training script is [here](https://example.org/train.py).",
    good="See the [training script](https://example.org/train.py).",
    hint="say in the link's text what it leads to",
    source=f"{_MARKDOWNLINT}/md059.md",
    default=False,
)
def vague_link_text(subject: CardSubject) -> Iterator[Problem]:
    """Links whose text is a word that fits any link."""
    for link in find_links(subject.card):
        if link.kind in ("link", "reference"):
            text = " ".join(re.sub(r"[*_`!.:,]", " ", link.text).split()).casefold()
            if text in _VAGUE:
                yield problem_at(subject, f"the link text {text!r} does not say where it leads", link.start)


def _name(link: Link) -> str:
    if link.target.startswith("data:"):
        return "in the card itself"
    return excerpt(link.target.rstrip("/").rpartition("/")[2].partition("?")[0] or link.target, 60)
