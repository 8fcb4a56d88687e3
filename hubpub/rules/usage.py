"""USAGE: the snippets of a card, which readers copy: that there are some, that they parse, in which language."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice

from hubpub.card.code.code_blocks import INFO_STRINGS, CodeBlock, code_blocks, declared_language, recognised_language
from hubpub.card.code.python_snippets import Snippet, python_of
from hubpub.card.document import Card
from hubpub.card.sections import required_sections
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.rules.registry import CardSubject, card_rules

_COURSE = "https://huggingface.co/learn/llm-course/chapter4/4"
_ANNOTATED = "https://huggingface.co/docs/hub/model-card-annotated"

_INLINE_CALL = Pattern(
    r"`[^`\n]{0,300}(?:\w\(|--\w|\b(?:pip|python3?|curl|ollama|vllm|llama-cli|docker|hf)\s)[^`\n]{0,300}`"
)
_LINKED = Pattern(r"\]\([^)\s]{4,}|https?://")
_NOT_USAGE = ("bibtex", "json", "text", "txt", "latex", "tex", "citation", "yaml", "diff", "csv")
# A line of a program, not of what it prints.
_STATEMENT = Pattern(
    r"^[ \t]*(?:>>> )?(?:import\b|from\b|def\b|class\b|with\b|for\b|if\b|[\w.]+\(|\w[\w., \[\]\"']{0,80}=(?!>))",
    re.MULTILINE,
)
_LOOKED_AT = 3  # blocks behind a snippet
_OUTPUT_COMMENT = Pattern(r"#\s*(?:[\[{(\"'>=]|->|→|output|prints?\b|tensor\(|\d)", re.IGNORECASE)


@card_rules.rule(
    "USAGE001",
    "no-usage-snippet",
    Severity.WARNING,
    summary="The card tells how to use the model in words only.",
    why="A snippet that can be copied is what people come for: of 125 cards written since 2021, 56 have no code at "
    "all. A card without the section is named by SECT003.",
    bad="## How to use\n\nLoad the checkpoint with a suitable library, split your text into sentences, feed them to "
    "the model one by one and read the label with the highest score.",
    good='## How to use\n\n```python\nfrom transformers import pipeline\n\nclassify = pipeline("text-classification", '
    'model="acme/film-reviews")\n```',
    hint="add a snippet that loads the model and runs it once; `hubpub card PATH --write` writes one",
    source=_COURSE,
)
def no_usage_snippet(subject: CardSubject) -> Iterator[Problem]:
    """The section on usage is there, and neither it nor the rest of the card has code that does something."""
    card = subject.card
    if _has_code(card):
        return
    state = next((state for required, state in required_sections(card).items() if required.id == "how-to-use"), None)
    section = next((section for section in card.sections if state and section.line == state.line), None)
    if state is None or section is None or not state.filled:
        return
    linked = any(_LINKED.search(part.body) for part in (section, *card.children(section)))
    message = "the card has no snippet that shows how to use the model"
    yield Problem(message, subject.path, section.line, 1, severity=Severity.INFO if linked else None)


def _has_code(card: Card) -> bool:
    if any(code.language not in _NOT_USAGE and code.text.strip() for code in code_blocks(card)):
        return True
    html = (block.text for block in card.blocks if block.kind == "html")
    return bool(_INLINE_CALL.search(card.text)) or any("<pre" in text or "<code" in text for text in html)


@card_rules.rule(
    "USAGE002",
    "snippet-syntax-error",
    Severity.ERROR,
    summary="A Python snippet is not Python.",
    why="Whoever copies it gets a SyntaxError: a missing bracket, typographic quotes, a lost indentation. 4 % of 949 "
    "real cards have such a snippet. Prompts, notebook commands and ... are read as they are meant; a snippet "
    "followed by its output without # is a warning.",
    bad="```python\nfrom transformers import pipeline,\n```",
    good="```python\nfrom transformers import pipeline\n```",
    hint="run the snippet once, from the card",
    source="https://docs.python.org/3/library/ast.html#ast.parse",
)
def snippet_syntax_error(subject: CardSubject) -> Iterator[Problem]:
    """The first place in each block marked as Python at which the parser gives up."""
    for snippet in python_of(subject.card).snippets:
        broken = snippet.parsed.broken
        if broken is None or snippet.code.declared != "python" or _other_language(snippet.code):
            continue
        line, column = subject.card.lines.place(snippet.code.offset(broken.line, broken.column))
        message = f"the snippet is not Python: {broken.message}"
        if _breaks_a_program(snippet):
            yield Problem(message, subject.path, line, column)
        else:
            hint = "put output and sketches into comments, or into a block of their own that is marked as text"
            yield Problem(message, subject.path, line, column, hint=hint, severity=Severity.WARNING)


def _breaks_a_program(snippet: Snippet) -> bool:
    """Whether what does not parse is part of the program, and not what it prints or a sketch of something."""
    broken = snippet.parsed.broken
    if broken is None:
        return False
    lines = snippet.code.text.split("\n")
    before, after = "\n".join(lines[: broken.line - 1]), "\n".join(lines[broken.line - 1 :])
    program = re.search(r"^[ \t]*(?:>>> )?(?:import|from)\b|\w\(", snippet.code.text, re.MULTILINE) is not None
    if not program:
        return False
    try:
        ast.parse(before)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return _STATEMENT.search(after) is not None


@card_rules.rule(
    "USAGE003",
    "fence-no-language",
    Severity.INFO,
    summary="A code block does not say its language, or says the wrong one.",
    why="Readers see it without colours, screen readers and copy buttons know less of it, and programs that look for "
    "the usage snippet pass it by; 229 of 949 real cards have such blocks. Only blocks whose language is beyond doubt "
    "are named: Python that parses, commands, BibTeX, JSON.",
    bad="```\nfrom transformers import pipeline\n```",
    good="```python\nfrom transformers import pipeline\n```",
    hint="write the language behind the fence",
    source="https://github.com/DavidAnson/markdownlint/blob/main/doc/md040.md",
    fixable=Fixable.SAFE,
)
def fence_no_language(subject: CardSubject) -> Iterator[Problem]:
    """Fences without an info string, and commands marked as Python."""
    for code in code_blocks(subject.card):
        if not code.fenced:
            continue
        other = _other_language(code) if code.info else code.language
        name = INFO_STRINGS.get(other)
        if name is None:
            continue
        line, column = subject.card.lines.place(code.info_start)
        message = (
            f"the code block is {name} and says {code.info}"
            if code.info
            else f"the code block is {name} and does not say so"
        )
        end = code.info_start
        if code.info:
            end = subject.card.text.index(code.info, code.info_start) + len(code.info)
        fix = Fix(f"mark it as {name}", True, (Edit(subject.path, code.info_start, end, name),))
        yield Problem(message, subject.path, line, column, fix=fix)


def _other_language(code: CodeBlock) -> str:
    """What a block is that is marked as Python alone and does not parse; empty when it is Python, or nobody knows."""
    if code.declared != "python" or len(code.info.split()) != 1:
        return ""
    recognised = recognised_language(code.text)
    return recognised if recognised in ("shell", "bibtex") else ""


@card_rules.rule(
    "USAGE012",
    "no-expected-output",
    Severity.INFO,
    summary="No snippet shows what the model answers.",
    why="An example of the output tells its form (labels, scores, shapes) to people who do not want to run the model "
    "to find out, and shows whoever runs it that it works.",
    bad='```python\nfrom transformers import pipeline\n\nclassify = pipeline("text-classification", '
    'model="acme/films")\nprint(classify("A fine film."))\n```',
    good='```python\nfrom transformers import pipeline\n\nclassify = pipeline("text-classification", '
    "model=\"acme/films\")\nprint(classify(\"A fine film.\"))\n# [{'label': 'POSITIVE', 'score': 0.998}]\n```",
    hint="add what the snippet prints, as a comment",
    source=_ANNOTATED,
    default=False,
)
def no_expected_output(subject: CardSubject) -> Iterator[Problem]:
    """Snippets that call something, none of which has output beside or behind it."""
    card = subject.card
    snippets = [snippet for snippet in python_of(card).snippets if snippet.parsed.tree is not None]
    running = [snippet for snippet in snippets if "(" in snippet.code.text]
    if not running or any(_shows_output(card, snippet) for snippet in snippets):
        return
    line, column = card.lines.place(running[-1].code.block.start)
    yield Problem("no snippet shows its output", subject.path, line, column)


def _shows_output(card: Card, snippet: Snippet) -> bool:
    if snippet.parsed.removed or _OUTPUT_COMMENT.search(snippet.code.text):
        return True
    behind = bisect_left(card.blocks, snippet.code.block.end, key=lambda block: block.start)
    for block in islice(card.blocks, behind, behind + _LOOKED_AT):
        if block.kind == "heading":
            return False
        if block.kind == "table":
            return True
        if block.kind == "code":
            return (declared_language(block.language) or recognised_language(block.text)) not in ("python", "shell")
    return False
