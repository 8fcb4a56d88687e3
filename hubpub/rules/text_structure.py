"""TEXT: the card as a text: too short, too long, damaged, or not what the Hub will show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hubpub.card.content import count_words
from hubpub.card.defects import (
    find_conflict,
    find_invisible,
    find_open_fence,
    find_second_front_matter,
    without_invisible,
)
from hubpub.card.document import Card
from hubpub.card.gaps import without_gaps
from hubpub.card.links import find_links, html_tags
from hubpub.card.metadata.edits import TextEdit, apply_edits, newline_of
from hubpub.card.placeholders import prose, without_placeholders
from hubpub.core.findings import Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.rules.placing import excerpt, fix_of, problem_at
from hubpub.rules.registry import CardSubject, card_rules

SHORTEST_CARD = 50
LARGEST_CARD = 200_000
_STRIPPED = frozenset(
    [
        "script",
        "iframe",
        "object",
        "embed",
        "applet",
        "form",
        "input",
        "textarea",
        "select",
        "button",
        "frame",
        "frameset",
        "base",
        "link",
        "meta",
    ]
)
_COUNT = Pattern(
    r"\b\d[\d,.]*\s?(?:[kKmM]|million|thousand)?\+?\s+(?:monthly\s+)?(?:downloads|installs|stars|likes|followers)\b",
    re.IGNORECASE,
)
_BADGE = Pattern(r"https?://img\.shields\.io/badge/(?:downloads|stars|likes|installs)-\d", re.IGNORECASE)
_WORDS = (
    "The model tells praise from criticism in reviews of films. It was trained on sentences from newspapers, each "
    "of which "
    "three people had read, and knows English only. Use it to sort reviews, not to judge people: irony and mixed "
    "opinions "
    "it often gets wrong, and so it does with reviews of anything but films."
)


@card_rules.rule(
    "TEXT011",
    "card-too-short",
    Severity.WARNING,
    summary=f"The card has fewer than {SHORTEST_CARD} words of text.",
    why="Nobody can tell from it what the model is for. Empty cards were among the first things that users of the Hub "
    "named when they were asked what annoys them; a tenth of 949 real cards are that short.",
    bad="# sentiment\n\nA fine-tuned BERT.",
    good=f"# sentiment\n\n{_WORDS}",
    hint="say what the model does, for whom, what it was trained on and how good it is",
    source="https://huggingface.co/docs/hub/model-cards-user-studies",
)
def card_too_short(subject: CardSubject) -> Iterator[Problem]:
    """Words of text, tables and HTML; placeholders, comments and code do not count."""
    if subject.card.is_blank:
        return
    count = _prose_words(subject.card)
    if count < SHORTEST_CARD:
        words = "1 word" if count == 1 else f"{count} words"
        message = f"the card has {words} of text besides headings and code, fewer than {SHORTEST_CARD}"
        yield Problem(message, subject.path)


@card_rules.rule(
    "TEXT017",
    "raw-html-stripped",
    Severity.WARNING,
    summary="An element of HTML that the Hub removes.",
    why="The Hub cleans the HTML in cards: scripts, frames and forms are taken out, so readers see nothing, or a "
    "fragment. That is also what becomes of a special token such as <input> in plain text.",
    bad='See how it does.\n\n<iframe src="https://acme-sentiment.hf.space"></iframe>',
    good="See [how it does](https://huggingface.co/spaces/acme/sentiment).",
    hint="write Markdown, or link to a Space; put a token into backticks",
    source="https://huggingface.co/docs/hub/model-cards",
)
def raw_html_stripped(subject: CardSubject) -> Iterator[Problem]:
    """Each such element once, where it first stands."""
    seen = set()
    for tag in html_tags(subject.card):
        if tag.name in _STRIPPED and tag.name not in seen:
            seen.add(tag.name)
            yield problem_at(subject, f"the Hub removes <{tag.name}>", tag.start)


@card_rules.rule(
    "TEXT019",
    "merge-conflict-marker",
    Severity.ERROR,
    summary="A merge left its conflict in the card.",
    why="Readers see both versions and the marks between them.",
    bad="# sentiment\n\n<<<<<<< HEAD\nTrained on SST-2.\n=======\nTrained on IMDB.\n>>>>>>> main",
    good="# sentiment\n\nTrained on SST-2.",
    hint="keep one version, and remove the lines of <<<<<<<, ======= and >>>>>>>",
    source="https://git-scm.com/docs/git-merge#_how_conflicts_are_presented",
)
def merge_conflict_marker(subject: CardSubject) -> Iterator[Problem]:
    """All three marks in their order, unless one block of code shows them."""
    start = find_conflict(subject.card)
    if start is not None:
        yield problem_at(subject, "a merge left its conflict here", start)


@card_rules.rule(
    "TEXT020",
    "invisible-characters",
    Severity.WARNING,
    summary="The card has characters that cannot be seen.",
    why="Copied from web pages, they break what readers copy in turn: a snippet with a zero width space is a syntax "
    "error. Those that change the direction of writing can show code as something that it is not (CVE-2021-42574).",
    bad="The model\u200b reads reviews.",
    good="The model reads reviews.",
    hint="remove them",
    source="https://trojansource.codes/",
    fixable=Fixable.SAFE,
)
def invisible_characters(subject: CardSubject) -> Iterator[Problem]:
    """One problem for all of a kind, where the first stands; not those that a script or an emoji needs."""
    found = list(find_invisible(subject.card))
    for name in dict.fromkeys(character.name for character in found):
        same = [character for character in found if character.name == name]
        safe = not any(
            character.in_code or character.overrides or character.start < subject.card.front_matter.body_start
            for character in same
        )
        edits = [(character.start, character.start + len(character.text), "") for character in same]
        fix = fix_of(subject, "remove them", edits, safe=safe and _keeps_blocks(subject.card, edits))
        count = "1 place" if len(same) == 1 else f"{len(same)} places"
        yield problem_at(subject, f"a {name} (U+{ord(same[0].text[0]):04X}) in {count}", same[0].start, fix=fix)


def _keeps_blocks(card: Card, edits: Sequence[TextEdit]) -> bool:
    """Whether no line becomes a heading, a fence or another kind of block when its hidden characters go."""
    lines = (card.lines.place(start)[0] for start, _, _ in edits)
    for line in (card.text[card.lines.start(number) : card.lines.start(number + 1)] for number in set(lines)):
        left = without_invisible(line).strip()
        if left and not re.search(r"\w", re.sub(r"^[>\s]*\d{1,9}[.)]", "", left)):
            return False  # marks such as --- or ```, or an item of a list with nothing else in it
    after = Card.parse(apply_edits(card.text, edits))
    kinds = [(block.kind, block.level) for block in card.blocks if without_invisible(block.text).strip()]
    return after.front_matter.found == card.front_matter.found and kinds == [(b.kind, b.level) for b in after.blocks]


@card_rules.rule(
    "TEXT021",
    "unbalanced-code-fence",
    Severity.ERROR,
    summary="A block of code is never closed.",
    why="Everything behind it is shown as code, headings and tables too.",
    bad='```python\nprint(classify("Great!"))\n\n## Licence\n\nMIT.',
    good='```python\nprint(classify("Great!"))\n```\n\n## Licence\n\nMIT.',
    hint="close the block with a line of ```",
    source="https://spec.commonmark.org/0.31.2/#fenced-code-blocks",
    fixable=Fixable.UNSAFE,
)
def unbalanced_code_fence(subject: CardSubject) -> Iterator[Problem]:
    """A fence that the end of the card closes: an error when it swallowed text, else only untidy."""
    fence = find_open_fence(subject.card)
    if fence is None:
        return
    newline = newline_of(subject.card.text)
    if fence.swallowed is None:
        end = len(subject.card.text)
        gap = "" if subject.card.text.endswith(("\n", "\r")) else newline
        fix = fix_of(subject, "close the block", [(end, end, f"{gap}{fence.indent}{fence.fence}{newline}")], safe=False)
        message = "the last block of code is not closed"
        yield problem_at(subject, message, fence.block.start, fix=fix, severity=Severity.INFO)
        return
    before = subject.card.text[: fence.swallowed]
    at = len(before.rstrip())
    gap = "" if "\n\n" in before[at:].replace("\r", "") else newline
    fix = fix_of(subject, "close the block", [(at, at, f"{newline}{fence.indent}{fence.fence}{gap}")], safe=False)
    line = subject.card.lines.place(fence.swallowed)[0]
    message = f"this block of code is never closed: line {line} and what follows are shown as code"
    yield problem_at(subject, message, fence.block.start, fix=fix)


@card_rules.rule(
    "TEXT022",
    "second-front-matter",
    Severity.ERROR,
    summary="A block of metadata stands once more in the text.",
    why="The Hub reads the block at the top only. The other one, usually from a template that was put behind an "
    "existing card, is shown as a line and a large heading.",
    bad="---\nlicense: mit\n---\n\n# sentiment\n\n---\nlicense: mit\n---\n\nReads reviews.",
    good="---\nlicense: mit\n---\n\n# sentiment\n\nReads reviews.",
    hint="move what it says to the block at the top, and remove it",
    source="https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/repocard.py",
    fixable=Fixable.UNSAFE,
)
def second_front_matter(subject: CardSubject) -> Iterator[Problem]:
    """Lines of --- around keys of the Hub; with a fix where the block at the top says the same."""
    found = find_second_front_matter(subject.card)
    if not found:
        return
    start, end, data = found
    first = subject.card.front_matter.data or {}
    fix = None
    if all(key in first and first[key] == value for key, value in data.items()):
        text = subject.card.text
        rest = "" if text[start - 1] in "\r\n" else newline_of(text)  # it may begin behind other text
        fix = fix_of(subject, "remove the second block", [(start, end, rest)], safe=False)
    yield problem_at(subject, "a second block of metadata, which the Hub does not read", start, fix=fix)


@card_rules.rule(
    "TEXT023",
    "oversized-card",
    Severity.INFO,
    summary="The card is large, or holds an image itself.",
    why="The whole card is loaded whenever somebody opens the page or reads its metadata. Notebooks and card toolkits "
    "write images into the text as base64.",
    bad="![Loss by "
    "step](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAAA=)",
    good="![Loss by step](https://huggingface.co/acme/sentiment/resolve/main/loss.png)",
    hint="put images and long tables into files of the repo",
    source="https://huggingface.co/docs/hub/model-cards",
)
def oversized_card(subject: CardSubject) -> Iterator[Problem]:
    """More than 200 kB, or an image in the text; of several images the first is named."""
    embedded = [link for link in find_links(subject.card) if link.is_shown and link.target[:5].lower() == "data:"]
    size = len(subject.card.text.encode("utf-8", "surrogatepass"))
    if embedded:
        total = sum(link.target_end - link.target_start for link in embedded)
        count = "an image is" if len(embedded) == 1 else f"{len(embedded)} images are"
        yield problem_at(subject, f"{count} in the text itself, {total:,} characters", embedded[0].start)
    elif size > LARGEST_CARD:
        yield Problem(f"the card has {size:,} bytes", subject.path, 1, 1)


@card_rules.rule(
    "TEXT024",
    "stale-static-count",
    Severity.INFO,
    summary="A number of downloads or likes stands in the text.",
    why="It is wrong the day after. The Hub shows such numbers itself.",
    bad="Used by many: 800+ downloads.",
    good="Used by many.",
    hint="leave it to the Hub, or take a badge that counts",
    source="https://huggingface.co/docs/hub/models-download-stats",
    default=False,
)
def stale_static_count(subject: CardSubject) -> Iterator[Problem]:
    """Numbers in words, and badges with a fixed number."""
    for block in subject.card.blocks:
        if block.kind in ("text", "table"):
            for found in _COUNT.finditer(prose(subject.card.text[block.start : block.end])):
                yield problem_at(subject, f"{excerpt(found[0])!r} will be wrong tomorrow", block.start + found.start())
    for link in find_links(subject.card):
        if _BADGE.match(link.target):
            yield problem_at(subject, "the badge shows a fixed number", link.start)


def _prose_words(card: Card) -> int:
    text = "\n".join(
        card.text[block.start : block.end] for block in card.blocks if block.kind in ("text", "html", "table")
    )
    return count_words(without_placeholders(without_gaps(text)))
