"""A card as HTML that can do nothing: Markdown is rendered, and of all HTML only harmless elements are left.

Cards come from whoever may push, so nothing in them is trusted. Scripts, styles, frames, forms and event handlers
are removed by nh3 (https://nh3.readthedocs.io); images are those of the repo, since one from elsewhere would tell its
host who looks at the page. The page's Content-Security-Policy forbids the same things once more.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

LARGEST_CARD = 96 << 10
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
_CELL_ALIGN = re.compile(r"text-align:(left|right|center)")


@lru_cache(maxsize=64)
def card_html(body: str, base: str) -> str:
    """The HTML of a card's body, of which at most `LARGEST_CARD` characters are shown.

    `base` is the address that relative links and images begin with.
    """
    rendered = _markdown().render(body[:LARGEST_CARD])

    def attribute(element: str, name: str, value: str) -> str | None:
        if name == "href":
            return value if value.startswith("#") else _address(value, base)
        if name == "src":
            address = _address(value, base)
            return address if address and address.startswith(base) else None
        if name == "id":
            return value if re.fullmatch(r"[\w-]+", value) else None
        return value

    return nh3.clean(
        rendered,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        attribute_filter=attribute,
        link_rel="noopener noreferrer nofollow",
    )


def _address(value: str, base: str) -> str | None:
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


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    # Addresses are judged in one place, after HTML and Markdown have become the same.
    markdown.validateLink = lambda url: True  # type: ignore[method-assign]
    markdown.add_render_rule("image", _image)
    markdown.add_render_rule("heading_open", _heading)
    for cell in ("td_open", "th_open"):
        markdown.add_render_rule(cell, _cell)
    return markdown


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


def _heading(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    """A heading with an id made of its words, so that links within the card find it."""
    words = re.sub(r"[^\w\s-]", "", tokens[index + 1].content.lower()).split()
    tokens[index].attrSet("id", "-".join(words)[:80])
    return renderer.renderToken(tokens, index, options, env)


def _cell(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    """A cell of a table, aligned by an attribute: the page allows no inline styles."""
    style = _CELL_ALIGN.fullmatch(str(tokens[index].attrs.pop("style", "")))
    if style:
        tokens[index].attrSet("align", style[1])
    return renderer.renderToken(tokens, index, options, env)
