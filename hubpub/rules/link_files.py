"""LINK: links and images that lead to files of the model folder, and papers that are named without a link."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from hubpub.card.document import Card
from hubpub.card.links import Link, find_links
from hubpub.card.placeholders import prose
from hubpub.core.findings import Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable, Needs
from hubpub.rules.link_targets import is_malformed
from hubpub.rules.placing import excerpt, fix_of, problem_at
from hubpub.rules.registry import CardSubject, card_rules

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

_LINKS = "https://huggingface.co/docs/hub/model-cards"
_MOST_HINTS = 20
_SCHEME = Pattern(r"[A-Za-z][A-Za-z0-9+.-]*:")
# pages of the repo on the Hub, and what stands for something that is to be filled in
_NO_FILE = Pattern(r"(?:blob|resolve|tree|raw|commit|commits|discussions)(?:/.*)?|[^/]*[{}<>$|*].*")
_ARXIV_TEXT = Pattern(
    r"\b(?:arXiv|ArXiv|arxiv|ARXIV)(?::\s?|\s)(?:(?:abs|pdf)/)?(?P<id>\d{4}\.\d{4,5})(?:v\d+)?(?![\d.]*\d)"
)
_ARXIV_LINK = Pattern(
    r"(?:arxiv\.org/(?:abs|pdf|html)|huggingface\.co/papers|hf\.co/papers)/(\d{4}\.\d{4,5})", re.IGNORECASE
)


@card_rules.rule(
    "LINK001",
    "broken-relative-link",
    Severity.ERROR,
    summary="A link leads to a file that the folder does not have.",
    why="On the Hub the link gives 404. Such links come from a repository of code, whose README was taken for the "
    "card.",
    bad="See [the configuration](configs/base.yaml).",
    good="See [the configuration](config.json).",
    hint="link to a file of the folder, or write the whole address",
    source=_LINKS,
    needs=Needs.FOLDER,
    files={"config.json": "{}"},
)
def broken_relative_link(subject: CardSubject) -> Iterator[Problem]:
    """Links without a host whose file is neither in the folder nor a directory of it."""
    yield from _broken(subject, ("link", "definition"), "link")


@card_rules.rule(
    "LINK002",
    "broken-relative-image",
    Severity.ERROR,
    summary="An image is a file that the folder does not have.",
    why="Readers see a broken image: the file stayed on the machine where the card was written, or lies outside of the "
    "folder that is published.",
    bad="![Loss by step](assets/loss.png)",
    good="![Loss by step](loss.png)",
    hint="put the image into the folder, and name it by its path from the card",
    source=_LINKS,
    needs=Needs.FOLDER,
    files={"loss.png": "an image"},
)
def broken_relative_image(subject: CardSubject) -> Iterator[Problem]:
    """Images and other media without a host whose file is not in the folder."""
    yield from _broken(subject, ("image", "media"), "image")


@card_rules.rule(
    "LINK013",
    "paper-not-linked",
    Severity.INFO,
    summary="A paper on arXiv is named by its number, but not linked.",
    why="The Hub gives a model the tag arxiv:<number>, and lists it on the page of the paper, only when the card links "
    "to the paper at arxiv.org or huggingface.co/papers.",
    bad="Described in arXiv:1810.04805.",
    good="Described in [arXiv:1810.04805](https://arxiv.org/abs/1810.04805).",
    hint="link to https://arxiv.org/abs/ with the number",
    source="https://huggingface.co/docs/hub/model-cards#linking-a-paper",
    fixable=Fixable.SAFE,
)
def paper_not_linked(subject: CardSubject) -> Iterator[Problem]:
    """The first mention of each paper that no address in the card leads to; with a fix where it stands in text."""
    card = subject.card
    if "rxiv" not in card.text.lower():
        return
    linked = {found[1] for found in _ARXIV_LINK.finditer(card.text)}
    links = find_links(card)
    for start, end, paper, is_text in sorted(_papers(card), key=lambda paper: (not paper[3], paper[0])):
        if paper in linked:
            continue
        linked.add(paper)
        before = bisect_right(links, start, key=lambda link: link.start)
        in_link = any(start < link.end for link in links[max(0, before - 3) : before])
        fix = None
        if is_text and not in_link:
            written = card.text[start:end]
            edit = (start, end, f"[{written}](https://arxiv.org/abs/{paper})")
            fix = fix_of(subject, "link to the paper", [edit], safe=True)
        yield problem_at(subject, f"arXiv:{paper} is named, but not linked", start, fix=fix)


def _papers(card: Card) -> Iterator[tuple[int, int, str, bool]]:
    """Mentions of papers: where, their number, and whether they stand in text that may hold a link."""
    for block in card.blocks:
        source = card.text[block.start : block.end]
        if "rxiv" not in source.lower():
            continue
        shown = source if block.kind == "code" else prose(source)
        for found in _ARXIV_TEXT.finditer(shown):
            before = shown[max(0, found.start() - 200) : found.start()].rpartition("\n")[2]
            in_field = re.search(r"=\s*[{\"][^{}\"]*$", before) is not None
            is_text = block.kind in ("text", "table") and not in_field and not before.endswith("[")
            yield block.start + found.start(), block.start + found.end(), found["id"], is_text


def _broken(subject: CardSubject, kinds: tuple[str, ...], what: str) -> Iterator[Problem]:
    folder = subject.folder
    if folder is None:
        return
    directories = _directories(folder)
    count = 0
    for link in find_links(subject.card):
        if link.kind in kinds:
            said = _missing(folder, directories, link)
            if said:
                count += 1
                hint = _near(folder, link) if count <= _MOST_HINTS else None
                yield problem_at(subject, f"the {what} {excerpt(link.target)} {said}", link.start, hint=hint)


def _missing(folder: ModelFolder, directories: frozenset[str], link: Link) -> str | None:
    """What is wrong with a link to a file; None when there is such a file, or no file is meant."""
    path = _path(link)
    if path is None:
        return None
    steps: list[str] = []
    for step in path.split("/"):
        if step == "..":
            if not steps:
                return "leads out of the folder"
            steps.pop()
        elif step not in ("", "."):
            steps.append(step)
    path = "/".join(steps)
    if not path or folder.entry(path) or path in directories:
        return None
    if any(path == name.rstrip("/") or path.startswith(name) for name in (*folder.pruned, *folder.excluded)):
        return None
    return "is not in the folder"


def _path(link: Link) -> str | None:
    target = link.target.strip()
    if not target or target[0] in "#?/\\" or _SCHEME.match(target) or is_malformed(target):
        return None
    path = unquote(re.split(r"[?#]", target, maxsplit=1)[0])
    if not path or "\x00" in path or _NO_FILE.fullmatch(path.removeprefix("./")):
        return None
    return path


def _directories(folder: ModelFolder) -> frozenset[str]:
    found = set()
    for entry in (*folder.files, *folder.others):
        path = entry.path
        while (path := path.rpartition("/")[0]) and path not in found:
            found.add(path)
    return frozenset(found)


def _near(folder: ModelFolder, link: Link) -> str | None:
    wanted = (_path(link) or "").removeprefix("./")
    names = [entry.path for entry in folder.files[:2000]]
    name = wanted.rpartition("/")[2].casefold()
    same = [path for path in names if path.rpartition("/")[2].casefold() == name]
    near = same or difflib.get_close_matches(wanted[:200], names, n=1, cutoff=0.75)
    return f"did you mean {near[0]}?" if near else None
