"""A card as HTML that can do nothing: Markdown is rendered, and of all HTML only harmless elements are left.

Cards come from whoever may push, so nothing in them is trusted. Scripts, styles, frames, forms and event handlers
are removed by nh3 (https://nh3.readthedocs.io). The pages of the embedded hub and `hubpub preview` show cards by this
one allow-list, and their Content-Security-Policies forbid the same things once more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

LARGEST_CARD = 96 << 10
_LONGEST_PARAGRAPH = 20_000
_SCHEMES = {"http", "https", "mailto"}
_HEADINGS = {f"h{level}" for level in range(1, 7)}
_ELEMENTS = """
a abbr b blockquote br caption center cite code dd del details div dl dt em figcaption figure hr i img ins kbd li mark
ol p pre q s samp small span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var
"""
_TAGS = _HEADINGS | set(_ELEMENTS.split())
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"},
    "details": {"open"},
    **{name: {"align"} for name in ("p", "div")},
    **{name: {"align", "id"} for name in _HEADINGS},
}
_SPACE_OR_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0]+")
_BARE_ADDRESS = re.compile(r"(?<![\w/])https?://[^\s<>]+", re.IGNORECASE)
_ANCHOR_OPENS = re.compile(r"<a[\s>]", re.IGNORECASE)
_ANCHOR_CLOSES = re.compile(r"</a\s*>", re.IGNORECASE)
_CELL_ALIGN = re.compile(r"text-align:(left|right|center)")


@lru_cache(maxsize=64)
def card_html(body: str, base: str) -> str:
    """The HTML of a card's body for a page of the hub, of which at most `LARGEST_CARD` characters are shown.

    `base` is the address that relative links and images begin with. Images are those of the repo, since one from
    elsewhere would tell its host who looks at the page: it becomes a link.
    """

    def source(value: str) -> str | None:
        address = web_address(value, base)
        return address if address and address.startswith(base) else None

    return cleaned(
        _hub_markdown().render(body[:LARGEST_CARD]), link=lambda value: web_address(value, base), image=source
    )


def cleaned(
    html: str,
    *,
    link: Callable[[str], str | None],
    image: Callable[[str], str | None],
    keeps: Callable[[str], bool] = lambda value: True,
) -> str:
    """HTML of which only harmless elements and attributes are left.

    Args:
        html: anything.
        link: the address that a link leads to instead of the one that is written; None for none.
        image: the same for images.
        keeps: whether a value of an attribute may stay.
    """

    def attribute(element: str, name: str, value: str) -> str | None:
        if not keeps(value):
            return None
        if name == "href":
            return value if value.startswith("#") else link(value)
        if name == "src":
            return image(value)
        if name == "id":
            return value if re.fullmatch(r"[\w-]+", value) else None
        return value

    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        attribute_filter=attribute,
        link_rel="noopener noreferrer nofollow",
    )


def web_address(value: str, base: str) -> str | None:
    """An address in a card: as it is if it is one of the web, below `base` if it is relative, None if it is neither."""
    text = _SPACE_OR_CONTROL.sub("", value)
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme:
        return text if parts.scheme.lower() in _SCHEMES else None
    if parts.netloc or text.startswith(("/", "\\")) or ".." in unquote(parts.path).split("/"):
        return None
    path = quote(unquote(parts.path).removeprefix("./"))
    return f"{base}{path}" + (f"#{parts.fragment}" if parts.fragment else "")


def markdown() -> MarkdownIt:
    """A new reader of Markdown as the Hub shows it: tables, strikethrough, bare addresses as links, ids of headings.

    It lets every address and all HTML through: both are judged in one place, `cleaned`, after HTML and Markdown have
    become the same. Parsing leaves the id of each heading in the environment, in `slugs` by the line in the text.
    """
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.validateLink = lambda url: True  # type: ignore[method-assign]
    reader.core.ruler.before("inline", "long_paragraphs", _long_paragraphs)
    reader.core.ruler.push("heading_ids", _heading_ids)
    reader.core.ruler.push("bare_addresses", _bare_addresses)
    for cell in ("td_open", "th_open"):
        reader.add_render_rule(cell, _cell)
    return reader


@lru_cache(maxsize=1)
def _hub_markdown() -> MarkdownIt:
    reader = markdown()
    reader.add_render_rule("image", _image)
    return reader


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    """An image of the repo; a link in place of one from elsewhere."""
    token = tokens[index]
    token.attrs["alt"] = renderer.renderInlineAsText(token.children, options, env)
    if not _scheme(str(token.attrs.get("src", ""))):
        return renderer.renderToken(tokens, index, options, env)
    text = str(token.attrs["alt"]) or "image"
    link = Token("link_open", "a", 1, attrs={"href": token.attrs["src"]})
    label = Token("text", "", 0, content=text)
    return renderer.renderInline([link, label, Token("link_close", "a", -1)], options, env)


def _scheme(address: str) -> str:
    """The scheme of an address; empty if it has none, or is no address."""
    try:
        return urlsplit(_SPACE_OR_CONTROL.sub("", address)).scheme
    except ValueError:
        return ""


def _long_paragraphs(state: StateCore) -> None:
    """A paragraph longer than anybody writes is text: of brackets alone, reading it takes time by its square."""
    for token in state.tokens:
        if token.type == "inline" and len(token.content) > _LONGEST_PARAGRAPH:
            token.children = [Token("text", "", 0, content=token.content)]
            token.content = ""


def _heading_ids(state: StateCore) -> None:
    """Headings get an id made of their words, as GitHub and the Hub make it, so that links within the card find it."""
    seen: dict[str, int] = {}
    slugs = state.env.setdefault("slugs", {})
    for index, token in enumerate(state.tokens):
        if token.type != "heading_open":
            continue
        children = state.tokens[index + 1].children or []
        words = "".join(child.content for child in children if child.type in ("text", "code_inline"))
        slug = re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", words.strip().lower()))[:80]
        count = seen[slug] = seen.get(slug, -1) + 1
        slug = f"{slug}-{count}" if count else slug
        if slug:
            token.attrSet("id", slug)
            slugs[token.map[0] if token.map else -1] = slug


def _bare_addresses(state: StateCore) -> None:
    """Addresses of the web that stand in the text are links."""
    for token in state.tokens:
        if token.type == "inline" and token.children and "://" in token.content:
            token.children = list(_with_links(token.children))


def _with_links(children: Sequence[Token]) -> Iterator[Token]:
    inside = 0
    for child in children:
        inside += (child.type == "link_open") - (child.type == "link_close")
        if child.type == "html_inline":
            inside += _ANCHOR_OPENS.match(child.content) is not None
            inside -= _ANCHOR_CLOSES.match(child.content) is not None
        if child.type != "text" or inside or "://" not in child.content:
            yield child
            continue
        at = 0
        for found in _BARE_ADDRESS.finditer(child.content):
            address = found[0].rstrip("?!.,:*_~'\"")
            if address.endswith(")") and address.count(")") > address.count("("):
                address = address[:-1]
            yield Token("text", "", 0, content=child.content[at : found.start()])
            yield Token("link_open", "a", 1, attrs={"href": address})
            yield Token("text", "", 0, content=address)
            yield Token("link_close", "a", -1)
            at = found.start() + len(address)
        yield Token("text", "", 0, content=child.content[at:])


def _cell(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    """A cell of a table, aligned by an attribute: the page allows no inline styles."""
    style = _CELL_ALIGN.fullmatch(str(tokens[index].attrs.pop("style", "")))
    if style:
        tokens[index].attrSet("align", style[1])
    return renderer.renderToken(tokens, index, options, env)
