"""The page: a card as the Hub shows it, with its findings, as one HTML document."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from hubpub import __version__
from hubpub.card.html import web_address
from hubpub.card.sections import required_sections
from hubpub.core.findings import Finding
from hubpub.core.rule import Rule
from hubpub.preview.body import Body, Pictures, body_html
from hubpub.preview.code import code_html
from hubpub.preview.files import data_uri, versioned
from hubpub.preview.metadata import Example, ancestry, chips, examples, filed_results, results
from hubpub.preview.subject import Subject
from hubpub.rules.registry import card_rules

FILES = "/files/"
STYLE = "preview.css"
SCRIPT = "preview.js"
_LONGEST_METADATA = 60_000
_MOST_NOTES = 400
_CODE = re.compile(r"`([^`]+)`")


class Page(NamedTuple):
    """A page.

    Attributes:
        html: the document.
        files: the files of the folder that the card shows or leads to, as it names them.
    """

    html: str
    files: frozenset[str]


def live_page(
    subject: Subject | None, version: str, *, remote_images: bool, problem: tuple[str, str] | None = None
) -> Page:
    """The page that a server shows and renews.

    Args:
        subject: what to show; None when nothing could be read yet.
        version: which state of the files this is.
        remote_images: whether pictures from elsewhere are loaded.
        problem: what is wrong and what to do about it, when the subject is that of an earlier state.
    """
    values: dict[str, Any] = {}
    files: frozenset[str] = frozenset()
    if subject:
        values, files = _shown(subject, Pictures(FILES, partial(_address, subject.root), remote_images))
    html = _render(subject, values, version=version, problem=problem, inline=None)
    return Page(html, files)


def whole_page(subject: Subject, *, remote_images: bool) -> str:
    """The page as a file that needs no other: style, script and pictures of the folder are in it."""
    pictures = Pictures("", partial(data_uri, subject.root), remote_images)
    values, _ = _shown(subject, pictures)
    style, script = asset(STYLE), asset(SCRIPT)
    images = "data: https: http:" if remote_images else "data:"
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src {images}; "
        "base-uri 'none'; form-action 'none'"
    )
    inline = {"policy": policy, "style": Markup(style), "script": Markup(script)}  # noqa: S704 -- the package's own
    return _render(subject, values, version=None, problem=None, inline=inline)


@lru_cache(maxsize=2)
def asset(name: str) -> str:
    """The text of one of the package's own files for the page."""
    environment = _environment()
    assert environment.loader is not None  # noqa: S101 -- it was given one
    return environment.loader.get_source(environment, name)[0].strip()


def _address(root: Path, path: str) -> str | None:
    """Where the server has a picture; another address for each state of it, as a browser keeps what it has seen."""
    name = versioned(root, path)
    return FILES + name if name else None


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _render(subject: Subject | None, values: Mapping[str, Any], **more: Any) -> str:
    template = _environment().get_template("page.html")
    text = template.render(subject=subject, hubpub=__version__, **values, **more)
    # A card in another encoding may hold what is no valid Unicode.
    return text.encode("utf-8", "replace").decode()


def _shown(subject: Subject, pictures: Pictures) -> tuple[dict[str, Any], frozenset[str]]:
    card, findings = subject.card, subject.report.findings[:_MOST_NOTES]  # the worst come first
    body_line = card.lines.place(card.front_matter.body_start)[0] if card.front_matter.found else 1
    placed: list[Finding] = []
    in_metadata: list[Finding] = []
    general: list[Finding] = []
    for finding in sorted(findings, key=lambda finding: (finding.line or 0, -finding.severity.rank)):
        if finding.path not in (None, subject.path.name) or finding.line is None:
            general.append(finding)
        elif finding.line < body_line:
            in_metadata.append(finding)
        else:
            placed.append(finding)
    rules: dict[str, Rule[Any]] = {rule.code: rule for rule in card_rules}
    note = partial(_notes, file=subject.path.name, rules=rules)
    body = body_html(card, placed, note, pictures)
    states = required_sections(card, subject.profile)
    values = {
        "chips": chips(card),
        "ancestry": ancestry(card),
        "examples": [_with_source(example, pictures) for example in examples(card)],
        "results": [*results(card), *filed_results(subject.root)],
        "metadata": _metadata(subject, in_metadata),
        "metadata_lines": card.front_matter.raw.count("\n") + 1 if card.front_matter.found else 0,
        "metadata_notes": Markup(note(in_metadata)) if in_metadata else "",  # noqa: S704 -- from a template
        "general_notes": Markup(note(general)) if general else "",  # noqa: S704
        "body": Markup(body.html),  # noqa: S704 -- cleaned
        "homeless_notes": Markup(note(body.homeless)) if body.homeless else "",  # noqa: S704
        "is_cut": body.is_cut,
        "counts": subject.report.counts,
        "untold": len(subject.report.findings) - len(findings),
        "skipped": subject.report.skipped,
        "sections": [
            {"title": section.title, "state": _state_word(state), "slug": _slug(state.line, body), "line": state.line}
            for section, state in states.items()
            if not section.optional
        ],
        "filled": subject.report.facts["sections_filled"],
        "asked": subject.report.facts["sections_required"],
    }
    return values, body.files


def _slug(line: int | None, body: Body) -> str:
    return body.slugs.get(line, "") if line else ""


def _state_word(state: Any) -> str:
    if state.filled:
        return "filled"
    return "to be filled" if state.present else "missing"


def _metadata(subject: Subject, findings: Sequence[Finding]) -> Markup | None:
    """The metadata block with its fences, as it stands in the file; None when the Hub sees none."""
    front_matter = subject.card.front_matter
    if not front_matter.found:
        return None
    marks: dict[int, str] = {}
    for finding in findings:
        marks.setdefault((finding.line or 1) - front_matter.first_line, finding.severity.value)
    text = front_matter.raw[:_LONGEST_METADATA]
    return Markup(code_html(text, "yaml", marks, numbered=front_matter.first_line))  # noqa: S704 -- escaped there


def _notes(findings: Sequence[Finding], *, file: str, rules: Mapping[str, Rule[Any]]) -> str:
    worst = max(findings, key=lambda finding: finding.severity.rank).severity.value
    return _environment().get_template("notes.html").render(findings=findings, worst=worst, file=file, rules=rules)


def _with_source(example: Example, pictures: Pictures) -> dict[str, Any]:
    """An example, and how its picture is shown: loaded from an address, or as the address itself."""
    address = web_address(example.source, pictures.base) if example.source else None
    is_remote = address is not None and address.startswith(("http:", "https:"))
    is_picture = example.source.lower().split("?")[0].endswith((".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"))
    shown = address if is_picture and pictures.remote and is_remote else None
    if is_picture and address and not is_remote:
        shown = pictures.local(unquote(address.removeprefix(pictures.base).partition("#")[0]))
    return {
        "title": example.title,
        "parts": example.parts,
        "output": example.output,
        "source": example.source,
        "picture": shown,
    }


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = PackageLoader("hubpub.preview", "html")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["code"] = _with_code
    return environment


def _with_code(text: str) -> Markup:
    """Text whose parts between backticks are code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 -- escaped before
