"""META: the languages that the metadata names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.card.hub_lists import nearest_language
from hubpub.card.metadata.edits import TextEdits, add_keys, remove_item, set_text, set_value
from hubpub.card.metadata.frontmatter import FrontMatter
from hubpub.card.metadata.schema import Issue, validate_front_matter
from hubpub.core.findings import Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.rules.meta_values import (
    MODEL_CARDS,
    fix,
    is_given,
    meant_task,
    metadata,
    missing,
    quoted,
    rejected,
    texts,
)
from hubpub.rules.placing import at_path
from hubpub.rules.registry import CardSubject, card_rules

_OF_LANGUAGE = {
    "text-classification",
    "token-classification",
    "question-answering",
    "table-question-answering",
    "zero-shot-classification",
    "translation",
    "summarization",
    "text-generation",
    "fill-mask",
    "sentence-similarity",
    "text-ranking",
    "multiple-choice",
    "text-to-speech",
    "automatic-speech-recognition",
}
_LOCALE = Pattern(r"([A-Za-z]{2,3})[-_]([A-Za-z]{2}|[0-9]{3}|[A-Za-z]{4})")
# Two codes of two letters are a language and where it is spoken, or two languages: `en-de` is a pair for translation.
_SPOKEN = {
    *("ar-ae", "ar-eg", "ar-sa", "de-at", "de-ch", "en-au", "en-ca", "en-gb", "en-in", "en-us", "es-ar", "es-mx"),
    *("fr-be", "fr-ca", "fr-ch", "hi-in", "ja-jp", "ko-kr", "nl-be", "pt-br", "sv-se", "uk-ua", "ur-pk", "vi-vn"),
    *("zh-cn", "zh-hk", "zh-sg", "zh-tw"),
}
_SEVERAL = Pattern(r"\s*[,;/]\s*|\s+(?:and\s+)?")
_MOST = 20


@card_rules.rule(
    "META019",
    "language-missing",
    Severity.INFO,
    summary="A model of text or speech names no language.",
    why="People search the Hub by language, and a model that is good in one says nothing of another; half of 125 cards "
    "since 2021 name none.",
    bad="---\nlicense: mit\npipeline_tag: fill-mask\n---",
    good="---\nlicense: mit\npipeline_tag: fill-mask\nlanguage: en\n---",
    hint="add language: with codes such as en, or multilingual, or code for programming languages",
    source="https://github.com/huggingface/hub-docs/blob/main/docs/hub/model-card-annotated.md",
)
def language_missing(subject: CardSubject) -> Iterator[Problem]:
    """A task of text or speech without a language."""
    data = metadata(subject)
    if data is None or is_given(subject, "language") or is_given(subject, "language_bcp47"):
        return
    task = meant_task(subject, data)
    if task in _OF_LANGUAGE:
        yield missing(subject, f"the metadata names no language, and {task} is about text or speech")


@card_rules.rule(
    "META020",
    "language-invalid",
    Severity.ERROR,
    summary="A language is not a code that the Hub takes.",
    why="The Hub rejects the push: languages are codes of ISO 639 (two or three letters), multilingual, or code for "
    "programming languages. A locale such as pt-PT belongs into language_bcp47.",
    bad="---\nlicense: mit\nlanguage: english\n---",
    good="---\nlicense: mit\nlanguage: en\n---",
    hint="take a code of ISO 639 such as en, or multilingual, or code for programming languages",
    source=MODEL_CARDS,
    fixable=Fixable.SAFE,
)
def language_invalid(subject: CardSubject) -> Iterator[Problem]:
    """Every word in place of a code, with the code that was meant."""
    wrong = [issue for issue in rejected(subject, "language") if isinstance(issue.value, str)]
    for issue in wrong:
        several = _several(issue)
        meant = None if several else nearest_language(issue.value)
        shown = f"[{', '.join(several)}]" if several else meant
        message = f"the Hub knows no language {quoted(issue.value)}"
        hint = f"did you mean {shown}?" if shown else None
        yield at_path(subject, issue.path, message, hint, _mended(subject, issue, meant, several, len(wrong)))


@card_rules.rule(
    "META021",
    "language-type",
    Severity.ERROR,
    summary="The language is neither a code nor a list of codes.",
    why="The Hub rejects the push: it wants a code of two or three letters, or a list of such codes.",
    bad="---\nlicense: mit\nlanguage: {en: 1}\n---",
    good="---\nlicense: mit\nlanguage: [en]\n---",
    hint="write one code, or a list of codes",
    source=MODEL_CARDS,
    fixable=Fixable.SAFE,
)
def language_type(subject: CardSubject) -> Iterator[Problem]:
    """Mappings, numbers and empty entries in place of a code."""
    text, front_matter = subject.card.text, subject.card.front_matter
    for issue in rejected(subject, "language"):
        value, mend = issue.value, None
        if isinstance(value, (str, bool)):
            continue  # META020 and META008 name these
        if value is None:
            mend = fix(subject, "remove the empty entry", remove_item(text, front_matter, issue.path), safe=True)
        elif isinstance(value, dict) and len(issue.path) == 1:
            codes = set_value(text, front_matter, issue.path, list(value))
            mend = fix(subject, "make a list of the codes", codes, safe=True)
        shown = "an empty entry" if value is None else quoted(value)
        yield at_path(subject, issue.path, f"the language is {shown}, which is no code", None, mend)


def _several(issue: Issue) -> list[str]:
    """The codes in `en, de` or `en-de`; empty when it is not that."""
    parts = _SEVERAL.split(str(issue.value).strip())
    pair = re.fullmatch(r"([a-z]{2})[-_]([a-z]{2})", str(issue.value))
    if pair and pair[1] != pair[2] and "-".join(pair.groups()) not in _SPOKEN and all(map(_is_code, pair.groups())):
        return list(pair.groups())
    return parts if 1 < len(parts) <= _MOST and len(issue.path) == 1 and all(map(_is_code, parts)) else []


def _is_code(word: str) -> bool:
    return word.islower() and not validate_front_matter(FrontMatter(True, data={}, hub_data={"language": word})).issues


def _mended(subject: CardSubject, issue: Issue, meant: str | None, several: list[str], wrong: int) -> Fix | None:
    text, front_matter = subject.card.text, subject.card.front_matter
    if several:
        edits = set_value(text, front_matter, issue.path, several) if len(issue.path) == 1 else None
        return fix(subject, "make a list of the codes", edits, safe=not re.search(r"\w[-_]\w", issue.value))
    data = front_matter.hub_data or {}
    if meant is None or meant in texts(data.get("language")):
        return None
    edits = set_text(text, front_matter, issue.path, meant)
    locale = _LOCALE.fullmatch(issue.value)
    description, safe = f"replace {quoted(issue.value)} by {meant}", locale is None
    if locale and edits and wrong == 1 and "language_bcp47" not in data:
        region = locale[2].title() if len(locale[2]) == 4 else locale[2].upper()
        kept: TextEdits | None = add_keys(text, front_matter, {"language_bcp47": [f"{locale[1].lower()}-{region}"]})
        if kept:
            edits, safe, description = edits + kept, True, f"{description}, and keep the locale in language_bcp47"
    return fix(subject, description, edits, safe=safe)
