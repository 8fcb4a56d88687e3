"""Links and images of a card, each with its place; what stands in code or comments is none.

Markdown's inline level is read here and not by markdown-it-py, which keeps no offsets of it: code spans, raw HTML and
brackets by CommonMark's precedence, in one pass over the blocks that have a bracket, a tag or an address in them.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from hubpub.card.document import LARGEST_BODY, Block, BlockKind, Card
from hubpub.core.pattern import Pattern

LinkKind: TypeAlias = Literal["link", "reference", "definition", "image", "media", "autolink", "bare"]

_LONGEST_TEXT = 300
_MOST_INSIDE = 50

_TOKEN = Pattern(r"\\[!-/:-@\[-`{-~]|`+|<|!?\[|\]|https?://", re.IGNORECASE)
_TAG_OR_ADDRESS = Pattern(r"<")
_BACKTICKS = Pattern(r"`+")
_TAG = Pattern(
    r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*+)"
    r"(?P<attributes>(?:\s++[^\s\"'<>/=]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'=<>`]++))?+)*+)\s*+/?>"
)
_ATTRIBUTE = Pattern(r"([^\s\"'<>/=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+)))?")
_AUTOLINK = Pattern(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*+)>")
_DESTINATION = Pattern(
    r"\(\s*+(?:<(?P<angled>[^<>\n]*+)>|(?P<plain>(?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.|\([^\s()]*+\))*+\))*+))"
    r"(?:\s++(?:\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|\([^()]*+\)))?+\s*+\)",
    re.DOTALL,
)
_LABEL = Pattern(r"\[((?:[^\[\]\\]|\\.){0,300}+)\]")
_DEFINITION = Pattern(
    r"^[ \t>*+-]{0,20}+\[(?P<label>(?:[^\[\]\\\n]|\\.){1,300}+)\]:[ \t]*+(?:\r?\n)?+[ \t]*+"
    r"(?:<(?P<angled>[^<>\n]*+)>|(?P<plain>[^\s<]\S*+))",
    re.MULTILINE,
)
_BARE = Pattern(r"https?://[^\s<>\"`^{}|\\\[\]]+", re.IGNORECASE)
_ESCAPE = Pattern(r"\\([!-/:-@\[-`{-~])")
_INNER_TAG = Pattern(r"<[^<>]*>")
_MEDIA = ("img", "video", "audio", "source")


class Link(NamedTuple):
    """Something in a card that leads elsewhere, or shows what lies elsewhere.

    Attributes:
        kind: "link" (inline or HTML), "reference" (`[text][label]`), "definition" (`[label]: target`), "image",
            "media" (HTML video and audio), "autolink" (`<https://...>`) or "bare" (an address as text).
        target: where it leads, without escapes and entities.
        text: what readers see of it, the alternative text of an image; the first 300 characters of the source.
        start: offset of the whole in the card.
        end: offset behind it.
        target_start: offset of the target as it is written; for a reference, that of its definition.
        target_end: offset behind that.
        is_decorative: an image that HTML marks as one without meaning, `alt=""` or `aria-hidden`.
    """

    kind: LinkKind
    target: str
    text: str
    start: int
    end: int
    target_start: int
    target_end: int
    is_decorative: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether the page shows what the target holds."""
        return self.kind in ("image", "media")


class HtmlTag(NamedTuple):
    """An opening tag of raw HTML.

    Attributes:
        name: in lower case.
        start: its offset in the card.
    """

    name: str
    start: int


class _Inlines(NamedTuple):
    links: tuple[Link, ...]
    tags: tuple[HtmlTag, ...]
    ids: frozenset[str]
    comments: tuple[tuple[int, int], ...]


def find_links(card: Card) -> tuple[Link, ...]:
    """Everything in the body that leads or shows, in order."""
    return _read(card).links


def html_tags(card: Card) -> tuple[HtmlTag, ...]:
    """The opening tags of raw HTML in the body, in order."""
    return _read(card).tags


def html_comments(card: Card) -> tuple[tuple[int, int], ...]:
    """The comments in the body, as offsets in the card, in order."""
    return _read(card).comments


def html_ids(card: Card) -> frozenset[str]:
    """What raw HTML in the body names: `id`, and `name` of `<a>`."""
    return _read(card).ids


@lru_cache(maxsize=8)
def _read(card: Card) -> _Inlines:
    definitions: dict[str, Link] = {}
    links: list[Link] = []
    for label, link in _definitions(card):
        if link.kind == "bare":
            links.append(link)
        elif label not in definitions:
            definitions[label] = link
            links.append(link)
    tags: list[HtmlTag] = []
    ids: set[str] = set()
    comments: list[tuple[int, int]] = []
    for block in card.blocks:
        if block.kind == "code":
            continue
        source = card.text[block.start : block.end]
        if "[" in source or "<" in source or "://" in source:
            scan = _Scan(source, block, definitions)
            scan.run()
            links += scan.links
            tags += scan.tags
            ids |= scan.ids
            comments += scan.comments
    links.sort(key=lambda link: link.start)
    return _Inlines(tuple(links), tuple(tags), frozenset(ids), tuple(comments))


def _definitions(card: Card) -> Iterator[tuple[str, Link]]:
    """Link reference definitions are what the block level of Markdown leaves out."""
    at = card.front_matter.body_start
    limit = min(len(card.text), at + LARGEST_BODY)
    for start, end in [*((block.start, block.end) for block in card.blocks), (limit, limit)]:
        if start > at and "]:" in (gap := card.text[at:start]):
            for found in _DEFINITION.finditer(gap):
                name = "angled" if found["angled"] is not None else "plain"
                if found["label"].startswith("^"):  # a footnote that is an address and nothing else
                    start, end = at + found.start(name), at + found.end(name)
                    if _BARE.fullmatch(found[name]):
                        yield "", Link("bare", found[name], found[name], start, end, start, end)
                    continue
                if not found["label"].strip():
                    continue
                yield (
                    _label(found["label"]),
                    Link(
                        "definition",
                        _plain_target(found[name]),
                        found["label"],
                        at + found.start("label") - 1,
                        at + found.end(),
                        at + found.start(name),
                        at + found.end(name),
                    ),
                )
        at = max(at, end)


def _label(text: str) -> str:
    return " ".join(text.split()).casefold()


def _plain_target(written: str) -> str:
    target = _ESCAPE.sub(r"\1", written) if "\\" in written else written
    return html.unescape(target) if "&" in target else target


class _Opener(NamedTuple):
    start: int
    text_start: int
    is_image: bool


class _Anchor(NamedTuple):
    start: int
    text_start: int
    target: str
    target_start: int
    target_end: int


class _Scan:
    """One pass over a block; offsets of what it collects are those in the card."""

    def __init__(self, source: str, block: Block, definitions: Mapping[str, Link]) -> None:
        self.links: list[Link] = []
        self.tags: list[HtmlTag] = []
        self.ids: set[str] = set()
        self.comments: list[tuple[int, int]] = []
        self._source = source
        self._base = block.start
        self._block: BlockKind = block.kind
        self._definitions = definitions
        self._openers: list[_Opener] = []
        # "[" below this height of the stack can no longer open a link: there is one inside them
        self._closed = 0
        self._anchor: _Anchor | None = None
        self._runs: dict[int, list[int]] | None = None

    def run(self) -> None:
        source = self._source
        # what stands in a block of HTML is not read as Markdown
        is_html = self._block == "html" or (self._block == "heading" and source.lstrip().startswith("<"))
        token = _TAG_OR_ADDRESS if is_html else _TOKEN
        at = 0
        while found := token.search(source, at):
            mark, at = found[0], found.end()
            if mark[0] == "\\":
                continue
            if mark[0] == "`":
                at = self._behind_code_span(found.start(), at)
            elif mark == "<":
                at = self._tag(found.start())
            elif mark == "]":
                at = self._close(found.start())
            elif mark in ("[", "!["):
                self._openers.append(_Opener(found.start(), at, mark == "!["))
            else:
                at = self._bare(found.start())

    def _behind_code_span(self, start: int, end: int) -> int:
        if self._runs is None:
            self._runs = {}
            for run in _BACKTICKS.finditer(self._source):
                self._runs.setdefault(run.end() - run.start(), []).append(run.start())
        length = end - start
        same = self._runs.get(length, [])
        following = bisect_right(same, start)
        return same[following] + length if following < len(same) else end

    def _tag(self, start: int) -> int:
        source = self._source
        if source.startswith("<!--", start):
            # <!--> is a comment, too
            end = source.find("-->", start + 2)
            end = len(source) if end < 0 else end + 3
            self.comments.append((self._base + start, self._base + end))
            return end
        tag = _TAG.match(source, start)
        if not tag:
            address = _AUTOLINK.match(source, start)
            if not address:
                return start + 1
            self._add("autolink", address[1], address[1], *address.span(), *address.span(1))
            return address.end()
        name = tag["name"].lower()
        if tag["close"]:
            if name == "a" and self._anchor:
                self._end_anchor(tag.start(), tag.end())
            return tag.end()
        self.tags.append(HtmlTag(name, self._base + start))
        if tag["attributes"]:
            self._attributes(name, tag)
        return tag.end()

    def _attributes(self, name: str, tag: re.Match[str]) -> None:
        values: dict[str, tuple[str, int, int]] = {}
        for found in _ATTRIBUTE.finditer(self._source, *tag.span("attributes")):
            group = next((index for index in (2, 3, 4) if found[index] is not None), None)
            value = ("", found.end(), found.end()) if group is None else (found[group], *found.span(group))
            values.setdefault(found[1].lower(), value)
        for key in ("id", "name"):
            if key in values and (key == "id" or name == "a"):
                self.ids.add(values[key][0])
        if name == "a" and "href" in values:
            target, start, end = values["href"]
            self._anchor = _Anchor(tag.start(), tag.end(), html.unescape(target).strip(), start, end)
        elif name in _MEDIA and "src" in values:
            target, start, end = values["src"]
            text = values.get("alt", ("", 0, 0))[0]
            hidden = "alt" in values or "aria-hidden" in values or values.get("role", ("",))[0] == "presentation"
            self._add(
                "image" if name == "img" else "media",
                html.unescape(target).strip(),
                text,
                *tag.span(),
                start,
                end,
                is_decorative=name != "img" or (hidden and not text.strip()),
            )

    def _end_anchor(self, start: int, end: int) -> None:
        anchor, self._anchor = self._anchor, None
        if anchor:
            text = self._source[anchor.text_start : min(start, anchor.text_start + _LONGEST_TEXT)]
            if "<img" not in text.lower():
                text = _INNER_TAG.sub("", text)
            self._add("link", anchor.target, text, anchor.start, end, anchor.target_start, anchor.target_end)

    def _close(self, at: int) -> int:
        """What a closing bracket closes; the offset behind the link, or behind the bracket."""
        source, behind = self._source, at + 1
        if not self._openers:
            return behind
        opener = self._openers.pop()
        is_open = opener.is_image or len(self._openers) >= self._closed
        self._closed = min(self._closed, len(self._openers))
        if not is_open:
            return behind
        inline = _DESTINATION.match(source, behind) if source.startswith("(", behind) else None
        text = source[opener.text_start : min(at, opener.text_start + _LONGEST_TEXT)]
        if inline:
            name = "angled" if inline["angled"] is not None else "plain"
            self._drop_bare(opener.start)
            self._add(
                "image" if opener.is_image else "link",
                _plain_target(inline[name]),
                text,
                opener.start,
                inline.end(),
                *inline.span(name),
            )
            behind = inline.end()
        else:
            label = _LABEL.match(source, behind)
            name = (label[1] if label else "") or text
            definition = self._definitions.get(_label(name)) if self._definitions else None
            if definition is None:
                return behind
            self._drop_bare(opener.start)
            behind = label.end() if label else behind
            self.links.append(
                definition._replace(
                    kind="image" if opener.is_image else "reference",
                    text=text,
                    start=self._base + opener.start,
                    end=self._base + behind,
                )
            )
        if not opener.is_image:
            self._closed = len(self._openers)
        return behind

    def _bare(self, start: int) -> int:
        found = _BARE.match(self._source, start)
        if not found or (start and (self._source[start - 1].isalnum() or self._source[start - 1] in "/=")):
            return start + len("http://")
        end = found.end()
        address = found[0]
        while address:
            if address[-1] == ")" and address.count(")", 0, 4000) <= address.count("(", 0, 4000):
                break
            if address[-1] not in ".,;:!?'*_~)":
                break
            address = address[:-1]
            if end - start - len(address) > _MOST_INSIDE:
                break
        end = start + len(address)
        if self._anchor is None and len(address) > len("https://"):
            self._add("bare", address, address, start, end, start, end)
        return end

    def _drop_bare(self, start: int) -> None:
        """An address in the text of a link is its text."""
        tail = len(self.links)
        while tail and len(self.links) - tail < _MOST_INSIDE and self.links[tail - 1].start > self._base + start:
            tail -= 1
        self.links[tail:] = [link for link in self.links[tail:] if link.kind != "bare"]

    def _add(
        self,
        kind: LinkKind,
        target: str,
        text: str,
        start: int,
        end: int,
        target_start: int,
        target_end: int,
        *,
        is_decorative: bool = False,
    ) -> None:
        base = self._base
        self.links.append(
            Link(
                kind,
                target,
                text,
                base + start,
                base + end,
                base + target_start,
                base + target_end,
                is_decorative,
            )
        )
