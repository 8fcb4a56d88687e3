"""The body of a card as HTML, with findings placed before the blocks that they are about.

Everything that the card says goes through the one allow-list of `hubpub.card.html`. What the preview adds (notes,
coloured code, check boxes, words in place of pictures) is put in afterwards, in place of marks that no card can know.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from hubpub.card.document import Card
from hubpub.card.html import cleaned, markdown, web_address
from hubpub.core.findings import Finding
from hubpub.preview.code import code_html

LARGEST_SHOWN = 1 << 18

_GAP = re.compile(r"\s*<!-- hubpub:todo ([a-z0-9-]+) -->\s*")
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?:\n|\Z)", re.IGNORECASE)
_IMAGE = re.compile(r'<img((?: [\w-]+="[^"]*")*)>')
_SOURCE = re.compile(r' src="([^"]*)"')
_ALTERNATIVE = re.compile(r' alt="([^"]*)"')
_PLACES = frozenset({"paragraph_open", "heading_open", "fence", "code_block", "html_block", "table_open"})

Note = Callable[[Sequence[Finding]], str]


class Pictures(NamedTuple):
    """Where pictures come from.

    Attributes:
        base: what the addresses of files of the folder begin with.
        local: the address of a picture of the folder; None when there is none to be shown.
        remote: whether pictures from elsewhere are loaded.
    """

    base: str
    local: Callable[[str], str | None]
    remote: bool = False


@dataclass(frozen=True)
class Body:
    """A body that is ready to be shown.

    Attributes:
        html: harmless.
        slugs: the ids of headings by 1-based line of the card.
        files: the files of the folder that it shows or leads to, as it names them.
        homeless: findings whose place is not shown.
        is_cut: whether the card goes on.
    """

    html: str
    slugs: Mapping[int, str]
    files: frozenset[str]
    homeless: tuple[Finding, ...]
    is_cut: bool


def body_html(card: Card, findings: Sequence[Finding], note: Note, pictures: Pictures) -> Body:
    """The card's body; `note` writes the findings of one place, each of which has a line of the body."""
    start = card.front_matter.body_start
    end = min(card.read_to, start + LARGEST_SHOWN)
    env: dict[str, Any] = {}
    tokens = _markdown().parse(card.text[start:end], env)
    first_line = card.lines.place(start)[0]
    writer = _Writer(findings, note, pictures, first_line)
    rendered = _markdown().renderer.render(list(writer.marked(tokens)), _markdown().options, env)
    shown, homeless = writer.finished(rendered)
    slugs = {first_line + line: slug for line, slug in env.get("slugs", {}).items() if line >= 0}
    return Body(shown, slugs, frozenset(writer.files), homeless, end < len(card.text))


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return markdown()


@dataclass
class _Writer:
    findings: Sequence[Finding]
    note: Note
    pictures: Pictures
    first_line: int
    files: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._secret = secrets.token_hex(12)
        self._put: list[str] = []
        self._placed: dict[int, Sequence[Finding]] = {}

    def marked(self, tokens: Sequence[Token]) -> Iterator[Token]:
        """The tokens with marks in them for all that is put in later."""
        places = self._places(tokens)
        for index, token in enumerate(tokens):
            here = places.get(index, ())
            if here:
                mark = self._mark(self.note(here))
                self._placed[len(self._put) - 1] = here
                yield Token("html_block", "", 0, content=mark + "\n")
            if token.type in ("fence", "code_block"):
                yield Token("html_block", "", 0, content=self._mark(self._code(token, here)) + "\n")
            elif token.type == "html_block" and (gap := _GAP.fullmatch(token.content)):
                label = f'<div class="gap"><span>Gap</span> <code>{gap[1]}</code></div>'
                yield Token("html_block", "", 0, content=self._mark(label) + "\n")
            else:
                if token.type == "inline" and token.children:
                    self._first_words(tokens[max(index - 2, 0) : index], token.children)
                yield token

    def finished(self, rendered: str) -> tuple[str, tuple[Finding, ...]]:
        """The HTML with everything in place, and the findings whose place did not survive."""
        clean = cleaned(
            rendered,
            link=self._link,
            image=self._image_source,
            keeps=lambda value: self._secret not in value,
        )
        clean = _IMAGE.sub(self._picture, clean)
        seen: set[int] = set()

        def put(found: re.Match[str]) -> str:
            seen.add(int(found[1]))
            return self._put[int(found[1])]

        shown = re.sub(rf"{self._secret}:(\d+);", put, clean)
        shown_ones = {id(finding) for number in seen for finding in self._placed.get(number, ())}
        return shown, tuple(finding for finding in self.findings if id(finding) not in shown_ones)

    def _mark(self, trusted: str) -> str:
        self._put.append(trusted)
        return f"{self._secret}:{len(self._put) - 1};"

    def _places(self, tokens: Sequence[Token]) -> dict[int, list[Finding]]:
        """The findings by the index of the token that they go before: of the smallest block on whose lines they are."""
        blocks = [
            (token.map[0] + self.first_line, token.map[1] + self.first_line, index)
            for index, token in enumerate(tokens)
            if token.type in _PLACES and token.map
        ]
        found: dict[int, list[Finding]] = {}
        for finding in self.findings:
            line = finding.line or 0
            inside = [block for block in blocks if block[0] <= line < block[1]]
            after = [block for block in blocks if block[0] > line]
            block = max(inside) if inside else after[0] if after else blocks[-1] if blocks else None
            if block is not None:
                index = block[2]
                if index and tokens[index - 1].type == "html_block" and _GAP.fullmatch(tokens[index - 1].content):
                    index -= 1
                found.setdefault(index, []).append(finding)
        return found

    def _code(self, token: Token, findings: Sequence[Finding]) -> str:
        assert token.map is not None  # noqa: S101 -- every block of code has its lines
        first = self.first_line + token.map[0] + (token.type == "fence")
        marks: dict[int, str] = {}
        for finding in findings:
            marks.setdefault((finding.line or 0) - first, finding.severity.value)
        language = (token.info.split() or [""])[0].lower()
        return code_html(token.content, language, marks)

    def _first_words(self, before: Sequence[Token], children: list[Token]) -> None:
        """A check box in place of `[x]` at the beginning of an item, a title in place of `[!NOTE]` in a quote."""
        opening = [token.type for token in before]
        first = children[0]
        if opening == ["list_item_open", "paragraph_open"] and (task := _TASK.match(first.content)):
            checked = " checked" if task[1] != " " else ""
            words = "done" if checked else "to do"
            box = self._mark(f'<input type="checkbox" disabled{checked} aria-label="{words}"> ')
            first.content = first.content[task.end() :]
            children.insert(0, Token("text", "", 0, content=box))
        elif opening == ["blockquote_open", "paragraph_open"] and (alert := _ALERT.match(first.content + "\n")):
            kind = alert[1].lower()
            first.content = self._mark(f'<strong class="alert {kind}">{kind.capitalize()}</strong>')

    def _link(self, value: str) -> str | None:
        address = web_address(value, self.pictures.base)
        if address is not None and not re.match(r"[a-z]+:", address, re.IGNORECASE):
            self.files.add(_path(address.removeprefix(self.pictures.base)))
        return address

    def _image_source(self, value: str) -> str | None:
        """The address of a picture, and for all but files of the folder one that says so to `_picture`."""
        compact = re.sub(r"[\x00-\x20\x7f-\xa0]+", "", value)
        if compact.lower().startswith(("http:", "https:", "//")):
            return f"/{self._secret}/{quote(compact, safe='')}"
        address = web_address(value, self.pictures.base)
        if (
            address is None
            or not address.startswith(self.pictures.base)
            or re.match(r"[a-z]+:", address, re.IGNORECASE)
        ):
            return None
        self.files.add(_path(address.removeprefix(self.pictures.base)))
        return address

    def _picture(self, found: re.Match[str]) -> str:
        source, alternative = _SOURCE.search(found[1]), _ALTERNATIVE.search(found[1])
        text = html.unescape(alternative[1]) if alternative else ""
        if source is None:
            return _missing(text, "picture that the Hub would not show", "")
        address = html.unescape(source[1])
        elsewhere = f"/{self._secret}/"
        if address.startswith(elsewhere):
            url = unquote(address.removeprefix(elsewhere))
            if not self.pictures.remote:
                return _missing(text, "remote image, not loaded", url)
            attributes = _SOURCE.sub("", found[1])
            return f'<img src="{html.escape(url)}"{attributes} referrerpolicy="no-referrer" loading="lazy">'
        path = _path(address.removeprefix(self.pictures.base))
        local = self.pictures.local(path)
        if local is None:
            return _missing(text, "image that is not in the folder", path)
        return f'<img src="{html.escape(local)}"{_SOURCE.sub("", found[1])}>'


def _path(address: str) -> str:
    return unquote(address.partition("#")[0])


def _missing(alternative: str, what: str, url: str) -> str:
    words = f"<b>{html.escape(alternative)}</b> " if alternative else ""
    where = f": <code>{html.escape(url)}</code>" if url else ""
    return f'<span class="missing-image">{words}<span>{html.escape(what)}{where}</span></span>'
