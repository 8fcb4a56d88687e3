"""LINK: where links and images lead, as far as that can be told without the network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from hubpub.card.addresses import host_of, hosts, is_loopback, is_private
from hubpub.card.document import Card
from hubpub.card.links import Link, find_links
from hubpub.card.metadata.edits import TextEdit
from hubpub.core.findings import Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.rules.placing import excerpt, fix_of, problem_at
from hubpub.rules.registry import CardSubject, card_rules

_GITHUB_BLOB = Pattern(r"https?://(?:www\.)?github\.com/[^/?#]+/[^/?#]+/blob/", re.IGNORECASE)
_HUB_BLOB = Pattern(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/[^?#]+?/blob/", re.IGNORECASE)
_FILE = Pattern(r"file:", re.IGNORECASE)

_ID = r"[\w.-]+"
# old address -> the same today; None where there is no such page any more
_LEGACY: tuple[tuple[Pattern, str | None], ...] = (
    (
        Pattern(rf"https?://cdn\.huggingface\.co/({_ID}/{_ID})/([\w./-]+)", clues=("cdn.",)),
        r"https://huggingface.co/\1/resolve/main/\2",
    ),
    (
        Pattern(
            rf"https?://(?:s3\.amazonaws\.com/models\.huggingface\.co|models\.huggingface\.co|cdn\.huggingface\.co)"
            rf"/bert/({_ID}/{_ID})/([\w./-]+)",
            clues=("/bert/",),
        ),
        r"https://huggingface.co/\1/resolve/main/\2",
    ),
    (
        Pattern(
            r"https?://(?:s3\.amazonaws\.com/models|cdn|models|s3)\.huggingface\.co(?:[/?#].*)?",
            clues=(".huggingface.co",),
        ),
        None,
    ),
    (
        Pattern(
            r"https?://huggingface\.co/transformers/((?:model_doc|main_classes)/[\w-]+)(?:\.html)?(#.*)?",
            clues=("/model_doc/", "/main_classes/"),
        ),
        r"https://huggingface.co/docs/transformers/\1\2",
    ),
    (
        Pattern(r"https?://huggingface\.co/transformers/?(?:index\.html)?", clues=("huggingface.co/transformers",)),
        "https://huggingface.co/docs/transformers/",
    ),
    (
        Pattern(
            r"https?://huggingface\.co/(?:transformers|nlp|datasets/master|accelerate/v\S+?)/\S+\.html.*",
            clues=(".html",),
        ),
        None,
    ),
    (Pattern(r"https?://huggingface\.co/nlp/?(?:[?#].*)?", clues=("/nlp",)), None),
    (
        Pattern(
            r"https?://github\.com/huggingface/transformers/(?:tree|blob|raw)/[\w.-]+/model_cards(?:/.*)?",
            clues=("/model_cards",),
        ),
        None,
    ),
)
_TOP_LEVEL = "com|org|net|edu|gov|io|ai|co|dev|app"
_NO_SCHEME = Pattern(
    rf"(?:www\.[\w-]+(?:\.[\w-]+)+|[\w-]+(?:\.[\w-]+)*\.(?:{_TOP_LEVEL}))(?:[/?#:]\S*)?", re.IGNORECASE
)
_MISSPELT_SCHEME = Pattern(
    r"(?:https?:/(?=[\w])|https?//|h?ttps?:/{2,}|https?:{2,}/*|https?;/{1,2})(?=\w)", re.IGNORECASE
)
_IN_BRACKETS = Pattern(r"\((https?://[^\s()]+)\)|\[(https?://[^\s\[\]]+)\]")


@card_rules.rule(
    "LINK006",
    "insecure-url",
    Severity.INFO,
    summary="A link begins with http://.",
    why="What is loaded over http can be read and changed on the way, and browsers warn of it. One card in nine has "
    "such a link; most hosts have answered https for years.",
    bad="See [the paper](http://arxiv.org/abs/1810.04805).",
    good="See [the paper](https://arxiv.org/abs/1810.04805).",
    hint="write https:// if the host answers it",
    source="https://developer.mozilla.org/en-US/docs/Web/Security/Mixed_content",
    fixable=Fixable.SAFE,
)
def insecure_url(subject: CardSubject) -> Iterator[Problem]:
    """Each http address once; with a fix where the host is known to answer https."""
    for link in _addresses(subject):
        host = host_of(link.target)
        if link.target[:7].lower() != "http://" or not host or "." not in host:
            continue
        if is_loopback(host) or is_private(host) or _modern(link.target) or host in hosts("shorteners"):
            continue
        edit = _scheme_edit(subject, link) if host in hosts("https") else None
        fix = fix_of(subject, "write https", [edit], safe=True) if edit else None
        yield problem_at(subject, f"the address {excerpt(link.target)} is not https", link.start, fix=fix)


@card_rules.rule(
    "LINK009",
    "github-blob-image",
    Severity.WARNING,
    summary="An image's address is GitHub's page about the image, not the image.",
    why="The address with /blob/ gives a web page, so readers see a broken image.",
    bad="![Loss](https://github.com/acme/sentiment/blob/main/loss.png)",
    good="![Loss](https://github.com/acme/sentiment/raw/main/loss.png)",
    hint="write /raw/ instead of /blob/, or put the image into the repo of the model",
    source="https://docs.github.com/en/repositories/working-with-files/using-files/viewing-and-understanding-files",
    fixable=Fixable.SAFE,
)
def github_blob_image(subject: CardSubject) -> Iterator[Problem]:
    """Images and other media from github.com/.../blob/, without ?raw=true."""
    for link in find_links(subject.card):
        if link.is_shown and _GITHUB_BLOB.match(link.target) and "raw=" not in link.target:
            fix = _replaced(subject, link, "/blob/", "/raw/")
            yield problem_at(subject, f"the image {excerpt(link.target)} is a web page of GitHub", link.start, fix=fix)


@card_rules.rule(
    "LINK010",
    "hub-blob-media",
    Severity.WARNING,
    summary="An image's or video's address is the Hub's page about the file, not the file.",
    why="The address with /blob/ gives a web page, so readers see a broken image.",
    bad="![Loss](https://huggingface.co/acme/sentiment/blob/main/loss.png)",
    good="![Loss](https://huggingface.co/acme/sentiment/resolve/main/loss.png)",
    hint="write /resolve/ instead of /blob/",
    source="https://huggingface.co/docs/hub/model-cards",
    fixable=Fixable.SAFE,
)
def hub_blob_media(subject: CardSubject) -> Iterator[Problem]:
    """Images and other media from huggingface.co/.../blob/."""
    for link in find_links(subject.card):
        if link.is_shown and _HUB_BLOB.match(link.target):
            fix = _replaced(subject, link, "/blob/", "/resolve/")
            yield problem_at(
                subject, f"the {link.kind} {excerpt(link.target)} is a web page of the Hub", link.start, fix=fix
            )


@card_rules.rule(
    "LINK011",
    "dead-legacy-url",
    Severity.INFO,
    summary="A link leads to where the Hub or its documentation was years ago.",
    why="Files were at cdn.huggingface.co and in a bucket of S3, cards in the repository of transformers, "
    "documentation at huggingface.co/transformers: a tenth of 949 real cards still send readers there.",
    bad="The [configuration](https://cdn.huggingface.co/acme/sentiment/config.json).",
    good="The [configuration](https://huggingface.co/acme/sentiment/resolve/main/config.json).",
    hint="link to the repo on the Hub, or to huggingface.co/docs",
    source="https://huggingface.co/docs/hub/models-downloading",
    fixable=Fixable.SAFE,
)
def dead_legacy_url(subject: CardSubject) -> Iterator[Problem]:
    """Addresses of these old hosts and pages, with the new one where it follows from the old one."""
    for link in _addresses(subject):
        found = _modern(link.target)
        if found:
            fix = None
            if found.new and _as_written(subject, link):
                edit = (link.target_start, link.target_end, found.new)
                fix = fix_of(subject, f"write {excerpt(found.new)}", [edit], safe=True)
            yield problem_at(subject, f"the address {excerpt(link.target)} is out of use", link.start, fix=fix)


@card_rules.rule(
    "LINK014",
    "private-url",
    Severity.ERROR,
    summary="A link leads to a machine that readers cannot reach.",
    why="localhost, numbers such as 10.0.0.7 and file:// are on your machine or in your network: nobody else can open "
    "them, and they tell strangers how your network is built.",
    bad="The [dashboard](http://192.168.0.12:6006/) shows the training.",
    good="The [dashboard](https://huggingface.co/acme/sentiment/tensorboard) shows the training.",
    hint="link to a place on the web, or remove the link",
    source="https://www.rfc-editor.org/rfc/rfc1918",
)
def private_url(subject: CardSubject) -> Iterator[Problem]:
    """Links to private networks and files; to the reader's own machine unless a server of theirs is meant."""
    for link in _addresses(subject):
        if _FILE.match(link.target) and len(link.target) > len("file://"):
            yield problem_at(subject, "the link leads to a file on somebody's machine", link.start)
            continue
        host = host_of(link.target)
        if not host:
            continue
        if is_private(host) or (is_loopback(host) and not _is_instruction(subject, link)):
            yield problem_at(subject, f"nobody else can reach {excerpt(link.target)}", link.start)


@card_rules.rule(
    "LINK015",
    "shortener-or-drive",
    Severity.INFO,
    summary="A link leads to a shortener or a drive for sharing files.",
    why="Short links hide where they lead and die with their service; files on a private drive need a sign-in, run "
    "into quotas and have no versions. The Hub keeps files beside the model.",
    bad="The [checkpoint](https://drive.google.com/file/d/1aBcD/view).",
    good="The [checkpoint](https://huggingface.co/acme/sentiment/blob/main/model.safetensors).",
    hint="put the file on the Hub; write out the address behind a short link",
    source="https://huggingface.co/docs/hub/models-uploading",
)
def shortener_or_drive(subject: CardSubject) -> Iterator[Problem]:
    """Addresses on hosts of these two kinds."""
    for link in _addresses(subject):
        host = host_of(link.target)
        kind = next((kind for kind in ("shorteners", "drives") if host in hosts(kind)), None)
        if kind:
            what = "a short link" if kind == "shorteners" else "a shared drive"
            yield problem_at(subject, f"{excerpt(link.target)} is {what}", link.start)


@card_rules.rule(
    "LINK019",
    "malformed-link-target",
    Severity.ERROR,
    summary="A link's address is not one: no https:// before it, or it is misspelt.",
    why="Without https:// the address is that of a file in the repo, so the Hub answers 404.",
    bad="Trained on [Common Voice](commonvoice.mozilla.org/datasets).",
    good="Trained on [Common Voice](https://commonvoice.mozilla.org/datasets).",
    hint="write the whole address, from https:// on",
    source="https://spec.commonmark.org/0.31.2/#link-destination",
    fixable=Fixable.UNSAFE,
)
def malformed_link_target(subject: CardSubject) -> Iterator[Problem]:
    """Targets that begin with a host, with a scheme that is misspelt, or with one bracket too many."""
    for link in find_links(subject.card):
        if link.kind not in ("link", "definition", "image"):
            continue
        target = link.target
        new = None
        if bracketed := _IN_BRACKETS.fullmatch(target):
            new = bracketed[1] or bracketed[2]
        elif misspelt := _MISSPELT_SCHEME.match(target):
            if not re.match(r"https?://\w", target, re.IGNORECASE):
                new = "https://" + target[misspelt.end() :]
        elif _NO_SCHEME.fullmatch(target) and not _in_folder(subject, target):
            new = f"https://{target}"
        if new is None:
            continue
        fix = None
        if _as_written(subject, link):
            edits = [(link.target_start, link.target_end, new)]
            fix = fix_of(subject, f"write {excerpt(new)}", edits, safe=bool(bracketed))
        yield problem_at(
            subject, f"{excerpt(target)!r} is no web address", link.start, fix=fix, hint=f"write {excerpt(new)}"
        )


def is_malformed(target: str) -> bool:
    """Whether `malformed_link_target` may name the target: then it names no file."""
    return bool(_IN_BRACKETS.fullmatch(target) or _MISSPELT_SCHEME.match(target) or _NO_SCHEME.fullmatch(target))


class _Modern:
    def __init__(self, new: str | None) -> None:
        self.new = new


def _modern(address: str) -> _Modern | None:
    """Today's address for one that is out of use; None when it is not one of those."""
    if "huggingface" not in address.lower():
        return None
    for pattern, new in _LEGACY:
        found = pattern.fullmatch(address)
        if found:
            return _Modern(found.expand(new) if new else None)
    return None


def _addresses(subject: CardSubject) -> Iterator[Link]:
    """Each written address; a reference is its definition."""
    return (link for link in find_links(subject.card) if link.kind != "reference")


def _as_written(subject: CardSubject, link: Link) -> bool:
    return subject.card.text[link.target_start : link.target_end] == link.target


def _scheme_edit(subject: CardSubject, link: Link) -> TextEdit | None:
    written = subject.card.text[link.target_start : link.target_start + 5]
    return (link.target_start + 4, link.target_start + 4, "s") if written.lower() == "http:" else None


def _replaced(subject: CardSubject, link: Link, old: str, new: str) -> Fix | None:
    written = subject.card.text[link.target_start : link.target_end]
    at = written.find(old)
    if at < 0:
        return None
    start = link.target_start + at
    return fix_of(subject, f"write {new} instead of {old}", [(start, start + len(old), new)], safe=True)


def _in_folder(subject: CardSubject, target: str) -> bool:
    return subject.folder is not None and subject.folder.entry(target.partition("#")[0]) is not None


def _is_instruction(subject: CardSubject, link: Link) -> bool:
    """Whether the reader is told to open what runs on their own machine: an address as text, or a server in code."""
    if link.kind in ("bare", "autolink") or link.text.strip() in (link.target, link.target.partition("://")[2]):
        return True
    return not link.is_shown and _has_code(subject.card)


@lru_cache(maxsize=8)
def _has_code(card: Card) -> bool:
    return any(block.kind == "code" for block in card.blocks)
