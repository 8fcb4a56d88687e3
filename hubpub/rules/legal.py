"""LEGAL: what a card must not give away, and what it owes the people named in it, or reached by it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from itertools import islice

from hubpub.card.bibtex import BibtexEntry, read_bibtex
from hubpub.card.code.code_blocks import CodeBlock, code_blocks
from hubpub.card.document import Card
from hubpub.card.metadata.edits import newline_of
from hubpub.card.placeholders import prose
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.model.secrets import find_secrets
from hubpub.rules.registry import CardSubject, card_rules

_TEMPLATE = (
    "https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/templates/modelcard_template.md"
)
_MOST_SECRETS = 5
_MOST_FAULTS = 20

_EMAIL = Pattern(r"(?<![\w.+/-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,12}(?![\w@-])")
_NOBODY = Pattern(r"no-?reply|example\.|@users\.|git@|@(?:test|domain|email|host|company)\.", re.IGNORECASE)
_PHONE = Pattern(r"(?<![\w+./-])(?:\+\d{1,3}[ -](?:\(?\d{1,4}\)?[ -]?){2,4}\d{2,4}|\(\d{3}\) \d{3}-\d{4})(?![\w.-])")
_SOCIAL_SECURITY = Pattern(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")
_ADDRESS = Pattern(r"(?:\bIP\b[^\n\d]{0,20}|https?://)(\d{1,3}(?:\.\d{1,3}){3})(?![\w.])")
# In lower case; a search for words is faster than an expression that tries them at every letter.
_CONTACT = (
    *("contact", "reach out", "reach us", "reach me", "/issues", "/discussions", "community tab", "discord", "slack"),
    *("twitter.com/", "//x.com/", "linkedin.com/", "open an issue", "feedback", "maintainer", "maintained by"),
    *("联系", "問い合わせ", "kontakt", "contato"),
)
_CITED = ("cite", "citation", "citing", "bibtex", "arxiv", "doi.org", "aclweb", "aclanthology")
_CITED_ELSEWHERE = ("引用", "zitier", "zitat", "citar", "citação", "@misc", "@article", "@inproceedings")
_NEEDS_FENCE = Pattern(
    r"^[ \t]*@(?:article|book|in\w{4,13}|misc|techreport|phdthesis|software|online)[ \t]*\{", re.IGNORECASE
)


@card_rules.rule(
    "LEGAL001",
    "secret-leak",
    Severity.ERROR,
    summary="The card holds a token, key or password.",
    why="Snippets are pasted from notebooks that work, token and all. A published key is found and used within "
    "minutes, and stays in the history of the repo when the card is mended. The message shows the beginning of it "
    "only.",
    bad="```bash\ngit clone https://anna:Vq7-mPz2xKfw@huggingface.co/acme/x\n```",
    good="```bash\ngit clone https://huggingface.co/acme/x\n```",
    hint="remove it, and revoke it at the service that issued it, as it may have been shared already",
    source="https://huggingface.co/docs/hub/security-secrets",
)
def secret_leak(subject: CardSubject) -> Iterator[Problem]:
    """The same patterns as in the files of a model, the first few."""
    if subject.checked:
        return  # SECRET001
    for number, secret in enumerate(find_secrets(subject.card.text)):
        if number == _MOST_SECRETS:
            return
        line, column = subject.card.lines.place(secret.start)
        yield Problem(f"the card holds {secret.kind}: {secret.redacted}", subject.path, line, column)


@card_rules.rule(
    "LEGAL010",
    "pii-email-phone",
    Severity.INFO,
    summary="The card names an e-mail address, a telephone number or the like.",
    why="A public card is copied into data sets and search engines, and stays there when a person leaves. 79 of 949 "
    "real cards name an address; who wants to be written to may leave it.",
    bad="Write to jane.doe@acme.io.",
    good="Open a discussion in the [community tab](https://huggingface.co/acme/x/discussions).",
    hint="link to the community tab or an issue tracker instead",
    source="https://gdpr-info.eu/art-4-gdpr/",
    default=False,
)
def pii_email_phone(subject: CardSubject) -> Iterator[Problem]:
    """Each address or number in the visible text; code and citations are left alone."""
    seen = set()
    for block in subject.card.blocks:
        if block.kind == "code":
            continue
        text = prose(subject.card.text[block.start : block.end])
        for what, at, value in sorted(_personal(text), key=lambda found: found[1]):
            if value not in seen:
                seen.add(value)
                line, column = subject.card.lines.place(block.start + at)
                yield Problem(f"the card names {what}", subject.path, line, column)


def _personal(text: str) -> Iterator[tuple[str, int, str]]:
    for found in _EMAIL.finditer(text) if "@" in text else ():
        if not _NOBODY.search(found[0]):
            yield "an e-mail address", found.start(), found[0]
    for found in _PHONE.finditer(text):
        yield "a telephone number", found.start(), found[0]
    for found in _SOCIAL_SECURITY.finditer(text):
        yield "what looks like a social security number", found.start(), found[0]
    for found in _ADDRESS.finditer(text):
        try:
            public = ipaddress.ip_address(found[1]).is_global
        except ValueError:
            continue
        if public:
            yield "the address of a computer", found.start(1), found[1]


@card_rules.rule(
    "LEGAL013",
    "no-contact",
    Severity.INFO,
    summary="The card does not say whom to ask.",
    why="Whoever finds that the model harms somebody needs a place to say so; the Hub's template has a line for it.",
    bad="# My model\n\nA model.",
    good="# My model\n\nA model. Questions: [discussions](https://huggingface.co/acme/x/discussions).",
    hint="link to the community tab, an issue tracker or a contact page",
    source=_TEMPLATE,
    default=False,
)
def no_contact(subject: CardSubject) -> Iterator[Problem]:
    """No address, tracker, network or word for it anywhere in the card."""
    card = subject.card
    if (
        card.blocks
        and not _says(card, _CONTACT)
        and not any("@" in block.text and _EMAIL.search(block.text) for block in card.blocks)
    ):
        yield Problem("the card does not say whom to ask", subject.path)


@card_rules.rule(
    "LEGAL015",
    "no-citation",
    Severity.INFO,
    summary="The card does not say how to cite the model.",
    why="Researchers cite what tells them how; 520 of 949 real cards do not, and the Hub's template has a section "
    "for it.",
    bad="# My model\n\nA model.",
    good="# My model\n\nA model.\n\n## Citation\n\n```bibtex\n@misc{x, title={My model}, year={2026}}\n```",
    hint="add a section Citation with an entry",
    source=_TEMPLATE,
    default=False,
)
def no_citation(subject: CardSubject) -> Iterator[Problem]:
    """Neither an entry, nor a paper, nor a word of citing."""
    card = subject.card
    if card.blocks and not _says(card, _CITED + _CITED_ELSEWHERE):
        yield Problem("the card does not say how to cite the model", subject.path)


def _says(card: Card, words: tuple[str, ...]) -> bool:
    """Whether one of the words is in the card's body."""
    body = card.text[card.front_matter.body_start :].casefold()
    return any(word in body for word in words)


@card_rules.rule(
    "LEGAL014",
    "bibtex-invalid",
    Severity.WARNING,
    summary="A BibTeX entry cannot be read, or is not in a code block.",
    why="It is copied into a bibliography and breaks it there, for everyone who cites the model. Outside of a code "
    "block Markdown runs its lines together and takes its underscores for emphasis.",
    bad="```bibtex\n@misc{x,\n  title={My model}\n  year={2026}\n}\n```",
    good="```bibtex\n@misc{x,\n  title={My model},\n  year={2026}\n}\n```",
    hint="run the entry through BibTeX once",
    source="https://tug.ctan.org/info/bibtex/tamethebeast/ttb_en.pdf",
    fixable=Fixable.SAFE,
)
def bibtex_invalid(subject: CardSubject) -> Iterator[Problem]:
    """The first fault of each entry in code; entries in the text."""
    card = subject.card
    for code in code_blocks(card):
        if code.language == "bibtex" or (not code.declared and "@" in code.text):
            for entry in islice((entry for entry in read_bibtex(code.text) if entry.fault), _MOST_FAULTS):
                line, column = card.lines.place(code.offset_of(entry.at))
                yield Problem(_fault(entry), subject.path, line, column, fix=_mend(subject, code, entry))
    yield from _in_text(subject)


def _fault(entry: BibtexEntry) -> str:
    name = f"the entry {entry.key[:80]}" if entry.key else f"the @{entry.type}"
    return {
        "unclosed": f"{name} is not closed"
        + (f": the value of {entry.field} goes on to the end" if entry.depth > 1 else ""),
        "no-key": f"{name} has no key to cite it by",
        "no-comma": f"{name} has no comma behind {entry.field or 'its key'}",
        "no-value": f"{name} has a field without a value"
        if not entry.field
        else f"{name}: {entry.field} has no value that can be read",
        "unknown-type": f"{name} is of a type that BibTeX does not know: @{entry.type}",
        None: "",
    }[entry.fault]


def _mend(subject: CardSubject, code: CodeBlock, entry: BibtexEntry) -> Fix | None:
    """A missing comma, or the one missing brace behind the last field."""
    if entry.fault == "no-comma" and entry.field:
        at = code.offset_of(entry.at)
        return Fix("add the comma", True, (Edit(subject.path, at, at, ","),))
    if entry.fault == "unclosed" and entry.depth == 1 and entry.key and code.fenced and not any(code.shifts):
        at = code.offset_of(len(code.text.rstrip()))
        return Fix("close the entry", True, (Edit(subject.path, at, at, newline_of(subject.card.text) + "}"),))
    return None


def _in_text(subject: CardSubject) -> Iterator[Problem]:
    """Paragraphs that are an entry and nothing else."""
    card, newline = subject.card, newline_of(subject.card.text)
    loose = (block for block in card.blocks if block.kind == "text" and _NEEDS_FENCE.match(block.text))
    for block in islice(loose, _MOST_FAULTS):
        entries = list(read_bibtex(block.text))
        line, column = card.lines.place(block.start)
        source = card.text[block.start : block.end]
        whole = len(entries) == 1 and not entries[0].fault and entries[0].end >= len(block.text.rstrip())
        fix = None
        if whole and source.startswith("@") and all(line[:1] not in (">", "-", "*") for line in source.splitlines()):
            end = block.start + len(source.rstrip("\r\n"))
            edits = (
                Edit(subject.path, block.start, block.start, f"```bibtex{newline}"),
                Edit(subject.path, end, end, f"{newline}```"),
            )
            fix = Fix("put it into a code block", True, edits)
        yield Problem("a BibTeX entry stands in the text, not in a code block", subject.path, line, column, fix=fix)
