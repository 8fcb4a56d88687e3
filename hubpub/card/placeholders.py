"""What templates leave in a card for somebody to replace, and sentences that say nothing of the model at hand.

Code is left alone, but for the repo id that it loads: a `TODO` in a snippet is a comment, `path/to/data` an
argument, while `from_pretrained("your-username/your-model")` cannot run for any reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from hubpub.card.document import Block, Card
from hubpub.core.pattern import Pattern

PlaceholderKind: TypeAlias = Literal["more-information-needed", "todo", "identifier", "unrendered"]

GENERATED_IDS = frozenset(
    {"sentence_transformers_model_id", "cross_encoder_model_id", "sparse_encoder_model_id", "setfit_model_id", "None"}
)
"""What the cards of sentence-transformers, SetFit and TRL load where they do not know the repo yet."""

# Written by the Hub's model card template, transformers' Trainer, PEFT and skops.
_MORE_INFORMATION = Pattern(
    r"\[\s*[Mm]ore [Ii]nformation [Nn]eeded\b[^\]\n]{0,80}\]"
    r"|(?:(?<=[.:|*>\n] )|(?<=[.:|*>\n])|^)More [Ii]nformation [Nn]eeded\b",
    re.MULTILINE,
    clues=("eeded",),
)
_TODO = Pattern(
    r"\[\s*(?:TODO|TBD|FIXME)\b[^\]\n]{0,200}\](?!\()"
    r"|(?<![\w/#.-])(?:TODO|TBD|FIXME)\b(?![-/]\w|[^\[\]\n]{0,100}\]\()"
    r"|\[(?:[Ii]nsert|[Yy]our|YOUR|INSERT) [^\]\n]{1,80}\](?![(\[])"
    # "Coming soon: a demo" says what will come
    r"|\b[Cc]oming [Ss]oon\b(?![ \t*_]{0,9}:[ \t*_]{0,9}[^\s*_])"
    r"|\b[Ll]orem ipsum\b",
    clues=("TODO", "TBD", "FIXME", "nsert ", "[Your ", "[your ", "[YOUR ", "[INSERT ", "oming ", "orem ipsum"),
)
_OWN = r"(?:your|my)[-_ ]?(?:hf[-_]|huggingface[-_])?(?:user[-_]?name|user|name|org|organi[sz]ation|namespace)"
_IDENTIFIER = Pattern(
    rf"(?<![\w@.-])(?:<?{_OWN}>?|username|user_name|<[^<>\n]{{1,30}}>)/[\w<][\w.<>-]*",
    re.IGNORECASE,
    clues=("your", "my", "username", "user_name", ">/"),
)
_LOADED = Pattern(
    r"(?:from_pretrained|SentenceTransformer|CrossEncoder|SparseEncoder|snapshot_download|hf_hub_download|pipeline|LLM)\(\s*"
    r"(?:[\w\"' -]+,\s*)?(?:(?:model|repo_id|model_name_or_path|pretrained_model_name_or_path)\s*=\s*)?"
    r"[\"'](?P<id>[^\"'\n]{1,200})[\"']"
)
_LOADED_PLACEHOLDER = Pattern(
    rf"<[^<>]+>|\b{_OWN}\b.*|.*\byour[-_].*|(?:\.?/)?path[/_]to\b.*|username/.*|\[[^\]]+\]|.*\.\.\."
    rf"|{'|'.join(sorted(GENERATED_IDS))}",
    re.IGNORECASE,
)

# Default sentences of the Trainer and of the Hub's template: they stand there whatever the model is.
_BOILERPLATE = Pattern(
    r"This model was trained from scratch on (?:an unknown|the None) dataset\.?"
    r"|This model is a fine-tuned version of \S+ on (?:an unknown|the None) dataset\.?"
    r"|This model is a fine-tuned version of \[None\]\(https://huggingface\.co/None\)\.?"
    r"|This is the model ?card of a .{0,40} model that has been pushed on the Hub\."
    r"|This model ?card aims to be a base template[^.\n]{0,300}\."
    r"|This model card has been (?:automatically generated|generated automatically)[^.\n]{0,300}\."
    r"|Users \(both direct and downstream\) should be made aware of the risks, biases and limitations of the model\.?"
    r"|(?:More information needed|\[More Information Needed\]) for further recommendations\.?"
    r"|Use the code below to get started with the model\.?"
    r"|Carbon emissions can be estimated using the [^\n]{0,300}?\(2019\)[^\n]*",
    re.IGNORECASE,
    clues=(
        "unknown dataset",
        "none dataset",
        "[none](",
        "pushed on the hub",
        "base template",
        "automatically",
        "aware of the risks",
        "further recommendations",
        "use the code below",
        "carbon emissions",
    ),
)
# "- **Developed by:** [More Information Needed]" says nothing, its label included.
_NOTHING = (
    r"(?:\[?more information needed\]?|\[?(?:todo|tbd|fixme)\b[^\n]*|n/?a|none|unknown|coming soon\.*|-+|\.{3}|…)"
)
_EMPTY_LINE = Pattern(
    rf"^[ \t>*+-]*(?:\*\*[^*\n]{{1,60}}\*\*:?|[^:\n]{{1,40}}:)?[ \t*_]*{_NOTHING}[ \t\r.*_]*$",
    re.IGNORECASE | re.MULTILINE,
)

_UNRENDERED = Pattern(
    r"(?<![\w}=$^])\{\{-?\s*[A-Za-z_][\w.]*(?:\s*\|[^{}\n]{1,80})?\s*-?\}\}"
    r"|\{%-?\s*[a-z][^{}\n]{0,120}%\}"
    r"|\$\{[A-Za-z_]\w{2,}\}(?![^\n$]*\$)",
    clues=("{{", "{%", "${"),
)
# {{BERT}} keeps its capitals in BibTeX
_BIBTEX_LINE = Pattern(r"^[ \t]*(?:@\w+\{|\w+[ \t]*=)[^\n]*", re.MULTILINE)
# Prompts in a widget's examples may hold anything.
_FREE_TEXT = (("widget",), ("extra_gated_prompt",), ("extra_gated_fields",), ("inference",))

_COMMENT = Pattern(r"<!--[\s\S]*?(?:-->|\Z)")
_CODE_SPAN = Pattern(r"(?<!`)(`{1,3})(?!`)[^`\n]+\1(?!`)")


class Placeholder(NamedTuple):
    """Something left for somebody to replace.

    Attributes:
        kind: what sort of placeholder.
        text: as it stands in the card.
        start: its offset in the card.
    """

    kind: PlaceholderKind
    text: str
    start: int


def find_placeholders(card: Card, blocks: tuple[Block, ...] | None = None) -> Iterator[Placeholder]:
    """The placeholders in the visible text and code of `blocks`, or of the whole card, in order."""
    if blocks is None:
        yield from _in_metadata(card, _IDENTIFIER, "identifier")
    for block in card.blocks if blocks is None else blocks:
        source = card.text[block.start : block.end]
        if block.kind == "code":
            for loaded in _LOADED.finditer(source):
                if _LOADED_PLACEHOLDER.fullmatch(loaded["id"]):
                    yield Placeholder("identifier", loaded["id"], block.start + loaded.start("id"))
            continue
        shown = prose(source)
        found = [
            Placeholder(kind, match[0].strip(), block.start + match.start())
            for kind, pattern in _IN_PROSE
            for match in pattern.finditer(shown)
        ]
        yield from sorted(found, key=lambda placeholder: placeholder.start)


@lru_cache(maxsize=8)
def card_placeholders(card: Card) -> tuple[Placeholder, ...]:
    """The placeholders of the whole card, in order."""
    return tuple(find_placeholders(card))


def find_unrendered(card: Card) -> Iterator[Placeholder]:
    """Template variables that were never filled in, in metadata and visible text."""
    yield from _in_metadata(card, _UNRENDERED, "unrendered")
    for block in card.blocks:
        if block.kind != "code":
            text = _BIBTEX_LINE.sub(_blank, prose(card.text[block.start : block.end]))
            for match in _UNRENDERED.finditer(text):
                yield Placeholder("unrendered", match[0], block.start + match.start())


def is_unrendered(value: str) -> bool:
    """Whether a value holds a template variable."""
    return bool(_UNRENDERED.search(value))


def is_identifier_placeholder(value: str) -> bool:
    """Whether a value is a repo id with a template's namespace."""
    return bool(_IDENTIFIER.search(value))


def _in_metadata(card: Card, pattern: Pattern, kind: PlaceholderKind) -> Iterator[Placeholder]:
    """The scalars of readable metadata that hold what `pattern` finds."""
    front_matter = card.front_matter
    if front_matter.data is None or not pattern.search(card.text, front_matter.start, front_matter.end):
        return
    found = set()
    for path, (start, end) in card.front_matter.values.items():
        if path[:1] in _FREE_TEXT or "\n" in card.text[start:end]:
            continue  # a collection: its scalars come by themselves
        for match in pattern.finditer(card.text, start, end):
            found.add((match.start(), match[0]))
    for start, text in sorted(found):
        yield Placeholder(kind, text, start)


_IN_PROSE: tuple[tuple[PlaceholderKind, Pattern], ...] = (
    ("more-information-needed", _MORE_INFORMATION),
    ("todo", _TODO),
    ("identifier", _IDENTIFIER),
)


def prose(source: str) -> str:
    """Markdown with comments and code spans blanked out; every other character stays at its offset."""
    if "`" not in source and "<!--" not in source:
        return source
    return _CODE_SPAN.sub(_blank, _COMMENT.sub(_blank, source))


def without_placeholders(source: str) -> str:
    """Markdown without comments, placeholders and boilerplate."""
    bare = _EMPTY_LINE.sub("", _BOILERPLATE.sub("", _COMMENT.sub(" ", source)))
    return _TODO.sub(" ", _MORE_INFORMATION.sub(" ", bare))


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\r\n]", " ", match[0])
