"""SECT: the sections and fields that a profile asks for, and whether anything stands in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from hubpub.card.content import count_words, filling, is_not_applicable
from hubpub.card.document import LARGEST_BODY, Block, Card, Section
from hubpub.card.fields import missing_fields
from hubpub.card.headings import read_heading
from hubpub.card.outline import meant_sections
from hubpub.card.placeholders import find_placeholders
from hubpub.card.profiles import ENOUGH_WORDS, RequiredSection
from hubpub.card.sections import SectionState, card_meanings, course_sections, required_sections
from hubpub.core.findings import Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.wording import counted
from hubpub.rules.registry import CardSubject, card_rules

_COURSE = "https://huggingface.co/learn/llm-course/chapter4/4"
_ANNOTATED = "https://huggingface.co/docs/hub/model-card-annotated"
_WRITE = "`hubpub card PATH --write` proposes what the files tell"
# fewer words than these are "To follow."
_A_FEW_WORDS = 4
_SUMMARY_WORDS = 6
# of more, the message says enough
_A_FEW_SECTIONS = 3
# a heading of so many words is a sentence, and says all that there is
_A_SENTENCE = 6
# "RoBERTa-like language model trained on part of the TAIGA corpus" is a summary, "Model card for the OPT models" is not
_SAYS_WHAT_IT_IS = Pattern(
    r"\b(?:(?:pre)?trained|(?:fine-?)?tuned|distilled|merged|quanti[sz]ed|converted)\b", re.IGNORECASE
)
_SHOWN = Pattern(r"<(?:img|video|audio|iframe|gallery|svg|picture|embed|object|input|source|script)\b", re.IGNORECASE)
_HEADING_WITH_LINK = Pattern(r"\]\(|<a\b[^<>]{0,500}href|<img|https?://", re.IGNORECASE)
_COMMENT = Pattern(r"<!--[\s\S]*?(?:-->|\Z)")
_TAG = Pattern(r"</?[A-Za-z][^<>]{0,2000}>")


@card_rules.rule(
    "SECT003",
    "required-section-missing",
    Severity.WARNING,
    summary="A section that the profile asks for is missing; by default one of the seven of the Hugging Face course.",
    why="People who find the model cannot judge whether it fits: of 125 cards written since 2021, 38 have all seven. "
    "In 32,111 cards of the Hub, limitations and evaluation were among the least filled (Liang et al. 2024). "
    "Headings are recognised by meaning, in several languages, nested or flat; code that loads the model counts as "
    "How to use. One finding names all that are missing. The settings choose the profile, and add sections and "
    "headings of a project's own.",
    bad="# My model\n\n## Usage\n\nCall it.",
    good="# My model\n\n## Model description\n\n## Intended uses & limitations\n\n## How to use\n\n"
    "## Limitations and bias\n\n## Training data\n\n## Training procedure\n\n## Evaluation results",
    hint=f"add the section; {_WRITE}",
    source=_COURSE,
)
def required_section_missing(subject: CardSubject) -> Iterator[Problem]:
    """One problem that names the sections which no heading means, and one about those that are optional."""
    card, profile = subject.card, subject.profile
    if card.is_blank:
        return
    states = required_sections(card, profile)
    missing = [
        required
        for required, state in states.items()
        if not state.present and not required.told_by and required.id not in meant_sections(card, profile)
    ]
    for optional in (False, True):
        these = [required for required in missing if required.optional is optional]
        if not these:
            continue
        message = _what_is_missing(these, sum(required.optional is optional for required in states))
        hint = _headings_that_count(these, _language(subject))
        yield Problem(message, subject.path, hint=hint, severity=Severity.INFO if optional else None)


def _what_is_missing(missing: Sequence[RequiredSection], of: int) -> str:
    if len(missing) == 1:
        return f"the card has no section {missing[0].title}"
    kind = "optional sections" if missing[0].optional else "sections"
    titles = ", ".join(required.title for required in missing)
    if len(missing) == of:
        return f"the card has none of the {of} {kind}: {titles}"
    return f"{len(missing)} of {of} {kind} are missing: {titles}"


def _headings_that_count(missing: Sequence[RequiredSection], language: str) -> str:
    """Several ways to name a section that is missing alone, one for each of several, none where it adds nothing."""
    proposal = f"; {_WRITE}" if any(required in course_sections() for required in missing) else ""
    if len(missing) > _A_FEW_SECTIONS and language == "en":
        return f"add a heading for each, and what belongs there{proposal}"
    if len(missing) > 1:
        firsts = [next(iter(required.synonyms.examples(language)), required.title) for required in missing]
        named = f"{', '.join(firsts[:-1])} and {firsts[-1]}"
        return f"add a heading for each, such as {named}, and what belongs there{proposal}"
    examples = missing[0].synonyms.examples(language)
    if not examples:
        return f"add the section{proposal}"
    named = " or ".join(filter(None, (", ".join(examples[:-1]), examples[-1])))
    return f"add a heading that means it, such as {named}, and what belongs there{proposal}"


def _language(subject: CardSubject) -> str:
    """The language that most of the recognised headings are in."""
    languages: Counter[str] = Counter()
    meanings = card_meanings(subject.card, subject.profile)
    by_id = {required.id: required.synonyms for required in subject.profile.sections}
    for section in subject.card.sections:
        for meant in meanings[section.heading_start]:
            languages[by_id[meant].language_of(read_heading(section.heading).plain) or "en"] += 1
    best = languages.most_common(1)
    return best[0][0] if best and best[0][1] > languages["en"] else "en"


@card_rules.rule(
    "SECT010",
    "empty-section",
    Severity.WARNING,
    summary="A heading has nothing below it.",
    why="A heading is not content: of the 38 modern cards that have all seven headings, 11 fill them, and a quarter of "
    "the modern cards have an empty section. Comments, gaps and boilerplate of templates are nothing, and so is a "
    "picture alone in a section that the profile asks for: no search finds it.",
    bad="## Citation\n\n## Contact\n\nOpen an issue in the Community tab.",
    good="## Citation\n\nThere is no paper yet.\n\n## Contact\n\nOpen an issue in the Community tab.",
    hint="write the section, or remove its heading",
    source=_COURSE,
)
def empty_section(subject: CardSubject) -> Iterator[Problem]:
    """Required sections with nothing to read, then the other headings with nothing at all below them."""
    card = subject.card
    told = set()
    for required, state in required_sections(card, subject.profile).items():
        if state.gap:
            line, column = card.lines.place(state.gap.start)
            message = f"{required.title} is still to be written"
            yield Problem(message, subject.path, line, column, hint=f"write {state.gap.prompt}")
        elif _says_nothing(state) and state.line not in told:
            yield Problem(_what_stands(subject, required, state), subject.path, state.line, 1)
        told.add(state.line)
    for section in _empty(card):
        if section.line not in told:
            yield Problem(f"nothing stands under the heading {section.heading!r}", subject.path, section.line, 1)


def _says_nothing(state: SectionState) -> bool:
    """Whether a required section is there without content; a placeholder in it is TEXT001's, "N/A" is SECT019's."""
    said = state.filling
    return said is not None and said.is_nothing and not (state.filled or state.placeholder or said.not_applicable)


def _what_stands(subject: CardSubject, required: RequiredSection, state: SectionState) -> str:
    section = next(section for section in subject.card.sections if section.line == state.line)
    title = "" if section.heading.casefold() == required.title.casefold() else f", which means {required.title}"
    if state.filling and state.filling.picture:
        return f"nothing but a picture stands under {section.heading!r}{title}"
    if subject.card.children(section):
        return f"nothing stands under {section.heading!r} but other sections{title}"
    return f"nothing stands under {section.heading!r}{title}"


def _empty(card: Card) -> Iterator[Section]:
    for index, section in enumerate(card.sections):
        following = card.sections[index + 1] if index + 1 < len(card.sections) else None
        if following and (following.level > section.level or not following.heading):
            continue
        if not following and len(card.text) > LARGEST_BODY:
            continue  # what is behind was not read
        if (not index and section.level == 1) or len(section.heading.split()) >= _A_SENTENCE:
            continue
        source = card.text[section.heading_start : section.start]
        if not _HEADING_WITH_LINK.search(source) and not any(_is_seen(block) for block in section.blocks):
            yield section


def _is_seen(block: Block) -> bool:
    visible = _COMMENT.sub("", block.text)
    return bool(_SHOWN.search(visible) or _TAG.sub("", visible).strip())


@card_rules.rule(
    "SECT011",
    "required-section-thin",
    Severity.INFO,
    summary=f"A section that the profile asks for has fewer than {ENOUGH_WORDS} words, and no table or code.",
    why="A sentence seldom tells what a reader has to know; in the 1,000 most loaded models the limitations take 161 "
    "words on average (Liang et al. 2024). It is advice, and a warning only below four words: a short sentence may be "
    "all that there is to say; the score counts the section as not filled. A link to data, scripts or results is "
    "enough, and so is a measured number.",
    bad="## Limitations\n\nThe model knows English only.",
    good="## Limitations\n\nThe model knows English only. It was trained on film reviews, and mistakes irony for "
    "praise in one of nine cases that we looked at.",
    hint="say more, link to where it is described, or give a table",
    source=_COURSE,
)
def required_section_thin(subject: CardSubject) -> Iterator[Problem]:
    """Sections with a few words; what has none is SECT010's."""
    for required, state in required_sections(subject.card, subject.profile).items():
        said = state.filling
        if (
            said is None
            or state.filled
            or state.gap
            or state.placeholder
            or said.not_applicable
            or _says_nothing(state)
        ):
            continue
        words = counted(said.words, "word")
        severity = Severity.WARNING if said.words < _A_FEW_WORDS and not said.link else None
        message = f"{required.title} has {words}, fewer than {required.enough_words}"
        yield Problem(message, subject.path, state.line, 1, severity=severity)


@card_rules.rule(
    "SECT017",
    "missing-summary",
    Severity.WARNING,
    summary="No sentence below the title says what the model is.",
    why="Search results and link previews show the first sentences, and the annotated model card asks for one or two "
    "of them; a quarter of the modern cards go from the title to a heading. A section that describes the model is as "
    "good, when it is the first one, and so is a title that is a sentence: what was trained on what.",
    bad="# my-model\n\n## Usage\n\nCall it with a text, and it answers with a label.",
    good="# my-model\n\nTells whether a film review is positive or negative.\n\n## Usage\n\nCall it with a text.",
    hint="write one or two sentences below the title: what the model does, from what it was made",
    source=_ANNOTATED,
)
def missing_summary(subject: CardSubject) -> Iterator[Problem]:
    """Fewer than six words from the start of the card to the first heading behind the title."""
    card = subject.card
    first = next((index for index, section in enumerate(card.sections) if section.level == 1), None)
    if first is None:
        return
    while first + 1 < len(card.sections) and card.sections[first + 1].level == 1 and not card.sections[first].blocks:
        first += 1  # a banner above the title, or a title in two languages
    if first + 1 == len(card.sections):
        return
    title, following = card.sections[first], card.sections[first + 1]
    if len(title.heading.split()) >= _SUMMARY_WORDS and _SAYS_WHAT_IT_IS.search(title.heading):
        return
    if not summary_words(card, following) and not describes(subject, following):
        message = f"fewer than {_SUMMARY_WORDS} words stand between the title and the heading {following.heading!r}"
        yield Problem(message, subject.path, title.line, 1)


def summary_words(card: Card, before: Section) -> bool:
    """Whether there is a sentence before that heading, or a placeholder of one."""
    blocks = tuple(
        block for block in card.blocks if block.start < before.heading_start and block.kind in ("text", "html")
    )
    return filling(card, blocks).words >= _SUMMARY_WORDS or next(find_placeholders(card, blocks), None) is not None


def describes(subject: CardSubject, section: Section) -> bool:
    """Whether that section says what the model is: it means the first of the course's sections, and is not empty."""
    meant = card_meanings(subject.card, subject.profile)[section.heading_start]
    first = {required.id for required in subject.profile.sections if required.synonyms.name("model description")}
    return bool(meant & (first | {"model-description"})) or count_words(section.body) >= 4 * ENOUGH_WORDS


@card_rules.rule(
    "SECT019",
    "na-without-reason",
    Severity.INFO,
    summary='All that a section says is "N/A" or "None".',
    why="Nobody can tell whether there is nothing to say or nobody looked: NVIDIA's subcards answer None to most "
    "questions. A reason of a few words settles it, and then the section counts as filled.",
    bad="## Limitations\n\nN/A",
    good="## Limitations\n\nN/A: no fine-tuning was done, those of the base model apply.",
    hint="say why: `N/A: no fine-tuning was done`",
    source="https://github.com/NVIDIA/Trustworthy-AI",
)
def na_without_reason(subject: CardSubject) -> Iterator[Problem]:
    """Warnings for the sections that the profile asks for."""
    required = {state.line for state in required_sections(subject.card, subject.profile).values()}
    for section in subject.card.sections:
        text = _COMMENT.sub("", section.body)
        if len(text) < 200 and text.strip() and is_not_applicable(text):
            severity = Severity.WARNING if section.line in required else None
            message = f"all that {section.heading!r} says is {text.strip()!r}"
            yield Problem(message, subject.path, section.line, 1, severity=severity)


@card_rules.rule(
    "SECT020",
    "profile-missing-field",
    Severity.WARNING,
    summary="A field that the profile asks for has no value: the release date, the licence, the energy of the "
    "training.",
    why="The profiles annotated, mitchell, nvidia-plus-plus and eu-gpai are lists of fields rather than of sections. "
    "For a general-purpose AI model that is placed on the market in the European Union, Annexes XI and XII of the AI "
    "Act make them a duty. A field is a label with a value, a row of a table, a section, a key of the metadata, or "
    "what running text says without doubt.",
    bad="---\nlicense: mit\n---\n\n# My model\n\nA model with 7 billion parameters.",
    good="---\nlicense: mit\npipeline_tag: text-generation\ndatasets:\n- acme/web\n---\n\n# My model\n\nA model with 7 "
    "billion parameters, released with transformers 5.23.\n\n- **Acceptable use:** not for weapons\n- **Release "
    "date:** 2026-11-22\n- **Distribution:** this repo\n- **Architecture:** decoder-only transformer\n- **Context "
    "length:** 128k tokens\n- **Training method:** next-token prediction\n- **Data curation:** deduplicated\n- **Data "
    "bias:** a filter of names\n- **Compute:** 8e23 FLOPs\n- **Training time:** 20 days\n- **Energy:** 90 MWh",
    hint="write `- **LABEL:** value` with that label, or a row of a table",
    source="https://artificialintelligenceact.eu/annex/11/",
)
def profile_missing_field(subject: CardSubject) -> Iterator[Problem]:
    """One problem per field without a value; the default profile has none."""
    if subject.card.is_blank:
        return
    for field in missing_fields(subject.card, subject.profile):
        message = f"the card has no value for {field.title}, which the profile {subject.profile.name} asks for"
        label = field.title.rpartition(": ")[2]
        yield Problem(
            message, subject.path, hint=f"write `- **{label[:1].upper()}{label[1:]}:** ...`, or a row of a table"
        )
