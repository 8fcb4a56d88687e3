"""LEGAL: what a card says of uses that the model is not for, of its biases, and of readers who should not see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from hubpub.card.document import Block, Card, Section
from hubpub.card.metadata.edits import add_keys, set_value
from hubpub.card.placeholders import find_placeholders, prose, without_placeholders
from hubpub.card.sections import required_sections, section_meanings
from hubpub.core.findings import Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.rules.placing import fix_of
from hubpub.rules.registry import CardSubject, card_rules

_TEMPLATE = (
    "https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/templates/modelcard_template.md"
)
_OUT_OF_SCOPE = Pattern(
    r"out[- ]of[- ]scope|\bmis-?us(?:e|ed|ing)\b|\babus(?:e|ed|ing)\b|\bmalicious|\bharmful\b|\bunethical|\billegal"
    r"|\bprohibit|\bnon-commercial\b|\bunsuitable|\bunintended|\bdisclaimer\b|\bat your own risk\b"
    r"|\bn(?:ot|[o’']t)(?: be)? (?:\w+ ){0,2}?(?:intended|designed|meant|suitable|suited|recommended|appropriate"
    r"|used?|rely)\b"
    r"|\bhuman (?:review|oversight|supervision)\b"
    r"|不适用|不应|禁止|不得|意図しない|使用しないで|対象外",
    re.IGNORECASE,
)
# In the sections on uses and limits, whoever says what the model is not draws a line.
_DRAWS_A_LINE = Pattern(
    r"\b(?:not|never|cannot|only|avoid|caution|limited)\b|\w[n’']t\b|\bn(?:e|’|') ?\w{1,20} pas\b|\bpas (?:destiné"
    r"|conçu)"
    r"|\bnicht\b|\bnur\b|\bno (?:debe|está|se)\b|\bnão\b|[不仅未]|ない",
    re.IGNORECASE,
)
# Sentences that are true of every model, and tell of none.
_GENERIC = Pattern(
    r"(?:users|people)[^.\n]{0,40} should be (?:made )?aware of the (?:risks|biases|limitations)[^.\n]{0,80}\."
    r"|(?:like|as with) (?:all|any|most|other) (?:large )?(?:language |machine learning |ml "
    r"|ai )*models?,[^.\n]{0,160}\b(?:bias|limit|inaccura|error"
    r"|hallucinat)[^.\n]{0,120}\."
    r"|(?:this|the) model (?:may|might|can|could) (?:have|contain|exhibit|reflect|inherit|produce|generate"
    r"|show)(?: \w+){0,3} bias(?:es|ed"
    r"(?: \w+)?)?(?:[^.\n,;:]{0,80})?\.",
    re.IGNORECASE,
    clues=("aware of the", "model,", "models,", "model may", "model might", "model can", "model could"),
)
_FEW_WORDS = 5
_ON_USE = frozenset({"intended-uses", "limitations-and-bias"})

_ADULT = Pattern(
    r"\b(?:nsfw|erotic\w*|porn\w*|hentai|smut|sexually explicit|explicit sexual|adult (?:content|role-?play)|lewd)\b",
    re.IGNORECASE,
)
_NOT_ADULT = Pattern(
    r"\b(?:not?|non|never|without|safe|safety|detect\w*|classif\w*|filter\w*|moderat\w*|remov\w*|exclud\w*|block\w*|avoid\w*|refus\w*|prevent\w*"
    r"|flag\w*|harmful|toxic\w*|dataset|benchmark|sfw|checker|prohibit\w*|must|should)\b",
    re.IGNORECASE,
)
_MAKES_CONTENT = (
    "text-generation",
    "text-to-image",
    "image-to-image",
    "text-to-video",
    "image-text-to-text",
    "text-to-speech",
)
_ADULT_TAG = "not-for-all-audiences"

_HIGH_RISK = (
    ("medicine", r"diagnos\w+|patients?|clinical|cancer|tumou?rs?|radiolog\w+|x-?rays?|mri|disease|medical"),
    (
        "law",
        r"legal advice|court (?:rulings?|decisions?)|sentencing|recidivism|criminal risk|law enforcement"
        r"|predictive policing",
    ),
    ("credit", r"credit (?:scor\w+|risk|worthiness)|loan (?:approval|default)s?|insurance (?:pricing|claims?)"),
    (
        "employment",
        r"hiring|recruit(?:ment|ing)|r[ée]sum[ée] screening|cv screening|job applicants?|candidate screening",
    ),
    ("identification of people", r"face recognition|facial recognition|biometric\w*|emotion recognition"),
)
_HIGH_RISK_WORDS = tuple((domain, Pattern(rf"\b(?:{words})\b", re.IGNORECASE)) for domain, words in _HIGH_RISK)
_DISCLAIMED = Pattern(
    r"not (?:a |an )?(?:substitute|replacement|medical device|intended|legal advice|approved|validated"
    r"|for clinical)|\bprofessional\b|\bdisclaimer\b"
    r"|\bhuman (?:review|oversight|in the loop)|research (?:use |purposes? )?only|should not be used"
    r"|must not be used|out[- ]of[- ]scope|\bnot be used\b",
    re.IGNORECASE,
)
_ENOUGH = 2


@card_rules.rule(
    "LEGAL003",
    "no-out-of-scope-statement",
    Severity.WARNING,
    summary="The card says what the model is for, and not what it is not for.",
    why="The Hub's template asks for out-of-scope use, and the AI Act (Annex XI) for an acceptable-use policy: the "
    "author knows best where the model fails. Said in whatever words, anywhere in the card. 849 of 949 real cards "
    "have no such wording; cards without sections on use and limits are named by SECT003.",
    bad="## Intended uses & limitations\n\nThe model sorts film reviews by mood, for dashboards of cinemas and for "
    "studies of public opinion on films of all kinds and years.",
    good="## Intended uses & limitations\n\nThe model sorts film reviews by mood, for dashboards of cinemas and for "
    "studies of public opinion. It is not suitable for judging the people who wrote them.",
    hint="add a sentence on what the model should not be used for",
    source=_TEMPLATE,
)
def no_out_of_scope_statement(subject: CardSubject) -> Iterator[Problem]:
    """The section on uses is there and filled, and nothing in the card draws a line."""
    card = subject.card
    about_use = [section for section in card.sections if _meanings(section.heading) & _ON_USE]
    if not any("intended-uses" in _meanings(section.heading) for section in about_use):
        return
    if any(_OUT_OF_SCOPE.search(prose(block.text)) for block in card.blocks if block.kind != "code"):
        return
    parts = (part for section in about_use for part in (section, *card.children(section)))
    if any(_DRAWS_A_LINE.search(_text(part)) for part in parts):
        return
    state = next((state for required, state in required_sections(card).items() if required.id == "intended-uses"), None)
    if state is not None and state.filled and state.line is not None:
        yield Problem("the card does not say what the model is not for", subject.path, state.line, 1)


@card_rules.rule(
    "LEGAL004",
    "bias-boilerplate-only",
    Severity.WARNING,
    summary="The section on limitations holds only a sentence that fits every model.",
    why="Users should be made aware of the risks of a model by being told them: the template's own sentence tells "
    "none. Where a study measured it, cards whose limitations were written out were downloaded more.",
    bad="## Limitations and bias\n\nUsers (both direct and downstream) should be made aware of the risks, biases and "
    "limitations of the model.",
    good="## Limitations and bias\n\nReviews with irony are read literally: 38 % of them get the wrong label.",
    hint="name cases in which the model fails, with numbers where you have them",
    source="https://arxiv.org/abs/2402.05160",
)
def bias_boilerplate_only(subject: CardSubject) -> Iterator[Problem]:
    """The first section that means limitations and whose words are gone when the default sentences are."""
    card = subject.card
    for section in card.sections:
        if "limitations-and-bias" not in _meanings(section.heading):
            continue
        parts = (section, *card.children(section))
        text = "\n".join(_text(part) for part in parts)
        if not text.strip() or any(block.kind in ("code", "table") for part in parts for block in part.blocks):
            continue
        if next(find_placeholders(card, tuple(block for part in parts for block in part.blocks)), None):
            continue
        rest = _GENERIC.sub(" ", without_placeholders(text))
        if _words(rest) < _FEW_WORDS <= _words(text):
            message = f"{section.heading[:80]} says only what is true of every model"
            yield Problem(message, subject.path, section.line, 1)
            return


@lru_cache(maxsize=1024)
def _meanings(heading: str) -> frozenset[str]:
    return section_meanings(heading)


def _words(text: str) -> int:
    return len(re.findall(r"\w{2,}", text))


def _text(section: Section) -> str:
    return "\n".join(prose(block.text) for block in section.blocks if block.kind in ("text", "html"))


@card_rules.rule(
    "LEGAL007",
    "nfaa-tag-missing",
    Severity.INFO,
    summary="The card speaks of content for adults, and has no tag that says so.",
    why="The Hub shows models with the tag not-for-all-audiences only to people who asked for them; without it, a "
    "reported repo is taken down.",
    bad="---\nlicense: mit\npipeline_tag: text-generation\n---\n\n# Storyteller\n\nAn NSFW role-play model.",
    good="---\nlicense: mit\npipeline_tag: text-generation\ntags:\n- not-for-all-audiences\n---\n\n# Storyteller\n\n"
    "An NSFW role-play model.",
    hint="add not-for-all-audiences to tags",
    source="https://huggingface.co/docs/hub/model-cards#how-can-i-indicate-that-my-model-is-not-suitable-for-all-audiences",
    default=False,
    fixable=Fixable.UNSAFE,
)
def nfaa_tag_missing(subject: CardSubject) -> Iterator[Problem]:
    """Models that make content, in whose text such a word stands without one that turns it round."""
    card = subject.card
    data = card.front_matter.data or {}
    tags = data.get("tags")
    tagged = tags if isinstance(tags, list) else [tags]
    if data.get("pipeline_tag") not in _MAKES_CONTENT or _ADULT_TAG in tagged:
        return
    for block in card.blocks:
        if block.kind not in ("text", "heading"):
            continue
        text = prose(card.text[block.start : block.end])
        for found in _ADULT.finditer(text):
            around = text[max(found.start() - 80, 0) : found.end() + 80]
            if not _NOT_ADULT.search(around.replace(found[0], " ")):
                line, column = card.lines.place(block.start + found.start())
                fix = _tag_it(subject)
                yield Problem(
                    f"the card speaks of {found[0]} and has no tag {_ADULT_TAG}", subject.path, line, column, fix=fix
                )
                return


def _tag_it(subject: CardSubject) -> Fix | None:
    card, front_matter = subject.card, subject.card.front_matter
    if front_matter.data is None or front_matter.problem:
        return None
    tags = front_matter.data.get("tags")
    if tags is None and "tags" not in front_matter.data:
        edits = add_keys(card.text, front_matter, {"tags": [_ADULT_TAG]})
    elif isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        edits = set_value(card.text, front_matter, ("tags",), [*tags, _ADULT_TAG])
    else:
        return None
    return fix_of(subject, f"add the tag {_ADULT_TAG}", edits, safe=False)


@card_rules.rule(
    "LEGAL008",
    "high-risk-domain-no-disclaimer",
    Severity.INFO,
    summary="The model is for a field in which errors harm people, and the card does not say how far to trust it.",
    why="Medicine, courts, credit, hiring and the identification of people are where the AI Act calls systems "
    "high-risk; a sentence on who has to look at the answers is the least.",
    bad="# Tumour finder\n\nFinds tumours in chest X-rays of patients.",
    good="# Tumour finder\n\nFinds tumours in chest X-rays of patients. It is not a medical device.",
    hint="say what it has not been validated for, and who has to review its answers",
    source="https://artificialintelligenceact.eu/annex/3/",
    default=False,
)
def high_risk_domain(subject: CardSubject) -> Iterator[Problem]:
    """Two words of one field in the title or the sections on the model and its uses, and no caveat in the card."""
    card = subject.card
    if any(_DISCLAIMED.search(block.text) for block in card.blocks if block.kind != "code"):
        return
    blocks = list(_on_the_model(card))
    for domain, words in _HIGH_RISK_WORDS:
        hits = [(block, found) for block in blocks for found in words.finditer(card.text[block.start : block.end])]
        if len({found[0].casefold() for _, found in hits}) >= _ENOUGH:
            block, found = hits[0]
            line, column = card.lines.place(block.start + found.start())
            yield Problem(f"the model is for {domain}, and the card has no caveat", subject.path, line, column)


def _on_the_model(card: Card) -> Iterator[Block]:
    """The blocks that say what the model is and is for: what stands first, and the sections of that meaning."""
    first = [section.start for section in card.sections][1:2]
    meaning = [
        section for section in card.sections if _meanings(section.heading) & {"model-description", "intended-uses"}
    ]
    for block in card.blocks:
        if block.kind not in ("text", "heading"):
            continue
        at_top = not first or block.start < first[0]
        if at_top or any(section.heading_start <= block.start < section.end for section in meaning):
            yield block
