"""LEGAL: whether what a card says of its licence and terms agrees with its metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.card.document import Card
from hubpub.card.hub_lists import licence_alias
from hubpub.card.placeholders import prose
from hubpub.core.findings import Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.rules.registry import CardSubject, card_rules

_LICENCES = "https://github.com/huggingface/hub-docs/blob/main/docs/hub/repositories-licenses.md"
_GATED = "https://huggingface.co/docs/hub/models-gated"
_LLAMA = "https://github.com/meta-llama/llama-models/blob/main/models/llama3_1/LICENSE"

# Licences that allow every use.
_PERMISSIVE = Pattern(
    r"mit|apache-2\.0|bsd(?:-.*)?|isc|unlicense|cc0-1\.0|cc-by-(?:2|3|4)\.\d|cc-by-sa-.*|zlib|wtfpl|ms-pl|pddl|0bsd|afl-3\.0"
)
_RESTRICTED = Pattern(
    r"\bnon[- ]?commercial(?:ly)?\b|\b(?:research|academic)(?: (?:use|purposes?))? only\b|\bonly for (?:academic "
    r"|scientific )?research\b"
    r"|\bnot (?:be used )?for (?:any )?commercial (?:use|purposes?)\b|\bcommercial use is (?:not|prohibited|forbidden)",
    re.IGNORECASE,
    clues=("commercial", " only", "only for"),
)
_ABOUT_MODEL = Pattern(
    r"\b(?:this|the|our|these)\s+(?:[\w-]+\s+){0,3}?(?:models?|weights|checkpoints?|repository|release|adapter)\b",
    re.IGNORECASE,
)
_ABOUT_OTHERS = Pattern(
    r"\bdata(?:set|sets|base)?\b|\bcorp(?:us|ora)\b|\bbase model\b|\boriginal\b|\bupstream\b|\bcode\b"
    r"|\btrained on\b|\bderiv"
    r"|\bimages?\b|\bvoices?\b|\brecordings?\b|\bpapers?\b|\bcc[- ]by|\bwas|\bwere\b",
    re.IGNORECASE,
)
_SENTENCE = Pattern(r"[^.!?\n]{1,1000}(?:[.!?](?=\s|$))?")
_LINE = Pattern(
    r"^[ \t>|*+-]{0,8}(?:\*\*|__|<b>)?(?:model )?licen[sc]e[ds]?(?: \(model\))?(?:\*\*|__|</b>)?[ \t]*"
    r"(?::|\|)(?:\*\*|__|</b>)?[ \t]*"
    r"(?P<value>[^\r\n|]{1,200})",
    re.IGNORECASE | re.MULTILINE,
)
_LINK = Pattern(r"\[([^\[\]\n]{0,100})\]\([^()\n]{0,500}\)")
_UNSURE = Pattern(
    r"\b(?:and|or|see|but|except|code|data|dataset|weights|same|inherit\w*|based|dual|various|base)\b|[/,;&+]",
    re.IGNORECASE,
)
_TERMS = Pattern(
    r"\blicen[sc]e|\bterms\b|\bacceptable use|\buse policy|\bagreement\b|\bconditions\b|\busage polic"
    r"|\bprohibited\b|\bAUP\b",
    re.IGNORECASE,
)
_LLAMA_LICENCE = Pattern(r"llama(?:3(?:\.[123])?|4)")
_LLAMA_BASE = Pattern(r"meta-llama/(?:Meta-)?Llama-(?:[34])\b.*", re.IGNORECASE)


@card_rules.rule(
    "LEGAL005",
    "nc-claim-vs-permissive-tag",
    Severity.WARNING,
    summary="The text restricts the use of the model, and the metadata's licence allows every use.",
    why="The tag is what companies filter by and programs read: with license: mit they may sell the model, whatever a "
    "sentence further down says. One of the two is wrong, and a court will ask which.",
    bad="---\nlicense: mit\n---\n\nThis model is for non-commercial use only.",
    good="---\nlicense: cc-by-nc-4.0\n---\n\nThis model is for non-commercial use only.",
    hint="name a licence that says so, such as cc-by-nc-4.0, or take the sentence out",
    source=_LICENCES,
)
def nc_claim_vs_permissive_tag(subject: CardSubject) -> Iterator[Problem]:
    """The first sentence that restricts this model itself; what it says of data and others does not count."""
    card = subject.card
    tag = _tag(card)
    if tag is None or not _PERMISSIVE.fullmatch(tag):
        return
    for block in card.blocks:
        if block.kind != "text":
            continue
        text = prose(card.text[block.start : block.end])
        if not _RESTRICTED.search(text):
            continue
        for sentence in _SENTENCE.finditer(text):
            claim = _RESTRICTED.search(sentence[0])
            if claim and _ABOUT_MODEL.search(sentence[0]) and not _ABOUT_OTHERS.search(sentence[0]):
                line, column = card.lines.place(block.start + sentence.start() + claim.start())
                yield Problem(f"the text says {claim[0]!r}, and the licence is {tag}", subject.path, line, column)
                return


@card_rules.rule(
    "LEGAL006",
    "license-prose-vs-tag",
    Severity.WARNING,
    summary="The licence in the text is not the one in the metadata.",
    why="Readers rely on the text, programs on the tag; a user of the Hub asked in its study most of all for the "
    "licence. Only lines such as `License: MIT` are compared, and only when the Hub knows both.",
    bad="---\nlicense: mit\n---\n\n- **License:** Apache 2.0",
    good="---\nlicense: apache-2.0\n---\n\n- **License:** Apache 2.0",
    hint="write the same licence in both",
    source=_LICENCES,
)
def licence_prose_vs_tag(subject: CardSubject) -> Iterator[Problem]:
    """Every line `License: X` whose X is another id of the Hub than the tag."""
    card = subject.card
    tag = _tag(card)
    known = licence_alias(tag) if tag else None
    if known is None or known in ("other", "unknown"):
        return
    for block in card.blocks:
        if block.kind not in ("text", "table"):
            continue
        for found in _LINE.finditer(prose(card.text[block.start : block.end])):
            value = _LINK.sub(r"\1", found["value"]).strip(" \t*_.`<>\"'")
            said = licence_alias(value.removesuffix("License").strip()) or licence_alias(value)
            if said and not _UNSURE.search(value) and said not in ("other", "unknown") and not _agree(said, known):
                line, column = card.lines.place(block.start + found.start("value"))
                yield Problem(f"the text says {said}, and the metadata {known}", subject.path, line, column)


def _tag(card: Card) -> str | None:
    """The licence of the metadata, when it names one."""
    value = (card.front_matter.data or {}).get("license")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else None


def _agree(first: str, second: str) -> bool:
    """Whether two ids are one, or one is the family of the other: `bsd` and `bsd-3-clause`."""
    return first == second or first.startswith(second) or second.startswith(first)


@card_rules.rule(
    "LEGAL009",
    "gated-without-terms",
    Severity.INFO,
    summary="The repo asks people to agree, and the card does not say to what.",
    why="extra_gated_* fields collect names and addresses of people who want the model. They cannot know what they "
    "accept when neither a prompt nor a licence nor a policy is there to read.",
    bad="---\npipeline_tag: fill-mask\nextra_gated_fields:\n  Company: text\n---\n\n# My model",
    good="---\npipeline_tag: fill-mask\nextra_gated_prompt: You agree not to use the model to harm people.\n"
    "extra_gated_fields:\n  Company: text\n---\n\n# My model",
    hint="add extra_gated_prompt with the terms, or link to the licence",
    source=_GATED,
)
def gated_without_terms(subject: CardSubject) -> Iterator[Problem]:
    """Gated fields without a prompt, a licence of their own, or terms in the text."""
    card = subject.card
    data = card.front_matter.data or {}
    gated = [key for key in data if isinstance(key, str) and key.startswith("extra_gated_")]
    if not gated or data.get("extra_gated_prompt") or data.get("license") or data.get("license_link"):
        return
    if not _TERMS.search(card.text, card.front_matter.body_start):
        line, column = card.lines.place(card.front_matter.offset_of((gated[0],)))
        yield Problem("access is asked for, and no terms are given", subject.path, line, column)


@card_rules.rule(
    "LEGAL011",
    "llama-attribution",
    Severity.WARNING,
    summary="A derivative of Llama lacks what its licence asks for: the name and the line.",
    why="The licences of Llama 3 to 4 (§1.b.i) let derivatives be published when their names begin with Llama and the "
    'page shows "Built with Llama"; who does neither has no licence to publish.',
    bad="---\nlicense: llama3.1\nbase_model: meta-llama/Llama-3.1-8B\n---\n\n# medical-8b\n\nA model for doctors.",
    good="---\nlicense: llama3.1\nbase_model: meta-llama/Llama-3.1-8B\n---\n\n# Llama-medical-8b\n\nBuilt with Llama.",
    hint='begin the name of the repo with Llama, and write "Built with Llama" into the card',
    source=_LLAMA,
    default=False,
)
def llama_attribution(subject: CardSubject) -> Iterator[Problem]:
    """The name when the repo is known, and the line."""
    card = subject.card
    data = card.front_matter.data or {}
    base = data.get("base_model")
    bases = [name for name in (base if isinstance(base, list) else [base]) if isinstance(name, str)]
    tag = _tag(card) or ""
    if not _LLAMA_LICENCE.fullmatch(tag) and not any(_LLAMA_BASE.fullmatch(name) for name in bases):
        return
    if not bases or (subject.repo_id or "").startswith("meta-llama/"):
        return  # the original itself
    line, column = card.lines.place(card.front_matter.offset_of(("base_model",)))
    name = (subject.repo_id or "").rpartition("/")[2]
    if name and not name.casefold().startswith("llama"):
        yield Problem(f"the name of the repo, {name[:96]}, does not begin with Llama", subject.path, line, column)
    if not re.search(r"\bbuilt with\b[^\n]{0,40}\bllama\b", card.text, re.IGNORECASE):
        yield Problem('the card does not say "Built with Llama"', subject.path, line, column)
