"""TRAIN: what a card tells of the training, and whether somebody could repeat it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.card.document import Card
from hubpub.card.hyperparameters import (
    describes_training,
    names_energy,
    names_hardware,
    names_settings,
    names_versions,
)
from hubpub.card.parts import part
from hubpub.card.placeholders import prose
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable
from hubpub.rules.registry import CardSubject, card_rules
from hubpub.rules.run_facts import training_run

_TEMPLATE = "https://github.com/huggingface/hub-docs/blob/main/docs/hub/model-card-annotated.md"
_TRAINER = "https://github.com/huggingface/transformers/blob/main/src/transformers/modelcard.py"
_COURSE = "https://huggingface.co/learn/llm-course/chapter4/4"

_HEAD = "---\nlicense: mit\n---\n\n# sst2-bert\n\n"
_SETTINGS = "- learning_rate: 2e-05\n- train_batch_size: 32\n- num_epochs: 3\n"
_PROCEDURE = _HEAD + "## Training procedure\n\n" + _SETTINGS

_OPTIMIZER = Pattern(
    r"^[ \t]*[-*+][ \t]+optimizer: Use [^\r\n]{1,200} and the args are:(?P<break>[ \t]*(?:\r\n|\r|\n)[ \t]*)"
    r"(?![-*+#>|`\r\n \t]|\Z)",
    re.MULTILINE,
    clues=("optimizer: Use",),
)
_UNKNOWN_DATA = Pattern(
    r"\bon (?:an[ \t\r\n]unknown|the[ \t\r\n](?:None|unknown))[ \t\r\n]+dataset\b", clues=("on an", "on the")
)
_QUANTITY = Pattern(r"(?<![\w.-])(?!(?:19|20)\d\d\b(?!,\d))\d{1,12}(?:[.,]\d{1,9})*[ \t]?(?:%|[kKmMbBgGtT]\w{0,9})?")
_AMOUNT_WORDS = Pattern(
    r"\b(?:million|billion|thousand|hundred|trillion|dozen|train(?:ing)?[ -](?:split|set) of)\w*\b"
    r"|\b\d+[KMGT]B?\b|[万亿]",
    re.IGNORECASE,
)
_LINK = Pattern(r"\]\(|https?://|arxiv|<a\s", re.IGNORECASE)
_TARGET = Pattern(r"\]\([^()\n]{0,300}\)|https?://\S+|\[\d{1,3}\]")
_WORD = Pattern(r"\w{2,}")
_PREPARED = Pattern(
    r"\b(?:pre-?process\w*|token\w*|lower-?cas\w*|uncased|cased|normali[sz]\w*|clean\w*|filter\w*|de-?duplicat\w*|resampl\w*|resiz\w*"
    r"|crop\w*|augment\w*|truncat\w*|max(?:imum)?[ _-](?:seq\w*[ _-])?length|stripp?\w*|segment\w*|stemm?\w*"
    r"|chunk\w*|pack\w*|split into"
    r"|sentence-?piece|word-?piece|bpe|mel|spectrogram\w*|removed?|converted)\b|分词|预处理|前処理",
    re.IGNORECASE,
)
_REVISION = Pattern(r"\b[0-9a-f]{40}\b|\brevision\b", re.IGNORECASE)
_CODE_HOST = Pattern(
    r"github\.com/|gitlab\.|bitbucket\.org/|colab\.research\.google|kaggle\.com/|codeberg\.org/|huggingface\.co/\S+/(?:blob|tree)/"
    r"|\]\([^)\s]{1,200}\.(?:py|ipynb|sh|ya?ml)\)|wandb\.ai/",
    re.IGNORECASE,
)


@card_rules.rule(
    "TRAIN002",
    "seed-missing",
    Severity.INFO,
    summary="Hyper-parameters are given, but no seed.",
    why="Without the seed nobody gets the same model again, not even its author. Of 949 real cards 920 name none.",
    bad=_PROCEDURE,
    good=_PROCEDURE + "- seed: 42\n",
    hint="add the seed that the training was started with",
    source=_TRAINER,
)
def seed_missing(subject: CardSubject) -> Iterator[Problem]:
    """A card that says learning rate or batch size, and no seed; one that says nothing is TRAIN001's."""
    said = names_settings(subject.card)
    if "seed" in said or len(said & {"learning rate", "batch size", "epochs"}) < 2:
        return
    run = training_run(subject)
    known = next((found for found in run.arguments if found.name == "seed"), None) if run else None
    there = f"; {known.path} says {known.value}" if known else ""
    yield _at_procedure(subject, f"hyper-parameters are given, but no seed{there}")


@card_rules.rule(
    "TRAIN003",
    "framework-versions-missing",
    Severity.INFO,
    summary="The training is described, but no version of a framework is given.",
    why="Results and file formats change with the version of the framework, and the EU's AI Act asks for the software "
    "that the model needs (Annex XII, 1). Of 949 real cards 860 name no version.",
    bad=_PROCEDURE,
    good=_PROCEDURE + "\nMade with Transformers 5.23.0 and PyTorch 2.9.1.\n",
    hint="add the versions, as Trainer does under Framework versions",
    source="https://artificialintelligenceact.eu/annex/12/",
)
def framework_versions_missing(subject: CardSubject) -> Iterator[Problem]:
    """A training that is described without any version; what config.json says is offered."""
    if not describes_training(subject.card) or names_versions(subject.card):
        return
    config = subject.folder.config if subject.folder else None
    version = config.get("transformers_version") if config else None
    there = f"; config.json says transformers {version[:30]}" if isinstance(version, str) else ""
    yield _at_procedure(subject, f"the training is described, but no version of a framework{there}")


@card_rules.rule(
    "TRAIN004",
    "hardware-missing",
    Severity.INFO,
    summary="The training is described, but not the hardware.",
    why="Who wants to train it again or further has to know what it takes; the Hub's template asks for hardware under "
    "Technical specifications. Of 949 real cards 654 name none.",
    bad=_PROCEDURE,
    good=_PROCEDURE + "\nTrained on one A100 with 40 GB.\n",
    hint="say on which and how many GPUs, TPUs or CPUs",
    source=_TEMPLATE,
)
def hardware_missing(subject: CardSubject) -> Iterator[Problem]:
    """A training that is described without any machine."""
    if describes_training(subject.card) and not names_hardware(subject.card):
        yield _at_procedure(subject, "the training is described, but not the hardware")


@card_rules.rule(
    "TRAIN006",
    "emissions-missing",
    Severity.INFO,
    summary="The training is described, but neither its energy nor its emissions.",
    why="It is the section that is filled least: of 32,111 cards (Liang et al. 2024) few tell of the environment. The "
    "Hub reads co2_eq_emissions from the metadata and shows and filters by it.",
    bad=_PROCEDURE,
    good=_PROCEDURE.replace("license: mit", "license: mit\nco2_eq_emissions:\n  emissions: 120"),
    hint="add co2_eq_emissions with emissions in grams; codecarbon measures them",
    source="https://huggingface.co/docs/hub/model-cards-co2",
    default=False,
)
def emissions_missing(subject: CardSubject) -> Iterator[Problem]:
    """A training that is described without any word of energy."""
    if describes_training(subject.card) and not names_energy(subject.card):
        yield _at_procedure(subject, "the training is described, but neither energy nor emissions")


@card_rules.rule(
    "TRAIN007",
    "training-data-unquantified",
    Severity.INFO,
    summary="The training data is described without any amount.",
    why="How much data it was tells how far the model can be trusted outside of it; the EU's AI Act asks for the "
    "number of data points (Annex XI, 1, 2c).",
    bad=_HEAD
    + "## Training data\n\nA large corpus of sentences from film reviews that people wrote in English on a web "
    "site, both good and bad ones, collected by us.\n",
    good=_HEAD
    + "## Training data\n\nA corpus of 67,349 sentences from film reviews that people wrote in English on a web "
    "site, both good and bad ones, collected by us.\n",
    hint="give the number of examples, tokens, hours or bytes, or link the data set",
    source="https://artificialintelligenceact.eu/annex/11/",
)
def training_data_unquantified(subject: CardSubject) -> Iterator[Problem]:
    """A section on the data with words but no number, link, table or code, in a card that names no data set."""
    found = part(subject.card, "training-data")
    if found is None or (subject.card.front_matter.hub_data or {}).get("datasets") or _LINK.search(found.text):
        return
    if any(block.kind in ("table", "code", "html") for block in found.blocks):
        return
    text = _TARGET.sub(" ", found.text)
    if len(_WORD.findall(text)) >= 15 and not _QUANTITY.search(text) and not _AMOUNT_WORDS.search(text):
        yield Problem("the training data is described without any amount", subject.path, found.line, 1)


@card_rules.rule(
    "TRAIN008",
    "preprocessing-missing",
    Severity.INFO,
    summary="The training is described, but not how the data was prepared.",
    why="A model works on data that is prepared as in training, and fails quietly on other: case, length, sampling "
    "rate, what was filtered out. The Hub's template has a heading for it.",
    bad=_PROCEDURE,
    good=_PROCEDURE + "\nTexts were lower-cased and cut off at 128 tokens.\n",
    hint="say what was done to the data before training",
    source=_TEMPLATE,
    default=False,
)
def preprocessing_missing(subject: CardSubject) -> Iterator[Problem]:
    """A training that is described, in a card without a word of preparation."""
    if describes_training(subject.card) and not _PREPARED.search(_prose(subject.card)):
        yield _at_procedure(subject, "the training is described, but not how the data was prepared")


@card_rules.rule(
    "TRAIN010",
    "optimizer-line-broken",
    Severity.INFO,
    summary="The bullet on the optimizer is broken in two lines.",
    why="transformers' Trainer puts a line end before the arguments of an optimizer that is not Adam. Markdown takes "
    "the second line for a part of the bullet by mere luck; what reads the list line by line loses it.",
    bad=_PROCEDURE.replace(
        "- num", "- optimizer: Use adafactor and the args are:\nNo additional optimizer arguments\n- num"
    ),
    good=_PROCEDURE.replace(
        "- num", "- optimizer: Use adafactor and the args are: No additional optimizer arguments\n- num"
    ),
    hint="join the two lines",
    source=_TRAINER,
    fixable=Fixable.SAFE,
)
def optimizer_line_broken(subject: CardSubject) -> Iterator[Problem]:
    """Trainer's sentence with a line end where a blank belongs."""
    for block in subject.card.blocks:
        if block.kind != "text":
            continue
        for found in _OPTIMIZER.finditer(subject.card.text, block.start, block.end):
            line, column = subject.card.lines.place(found.start("break"))
            edit = Edit(subject.path, *found.span("break"), " ")
            fix = Fix("join the lines", True, (edit,))
            yield Problem("the bullet on the optimizer goes on in the next line", subject.path, line, column, fix=fix)


@card_rules.rule(
    "TRAIN011",
    "unknown-dataset-sentence",
    Severity.WARNING,
    summary="Trainer's sentence says that the data is unknown.",
    why='"fine-tuned on an unknown dataset" is what transformers\' Trainer writes when nobody told it the data; the '
    "author knows it. Readers take the model for one of doubtful origin.",
    bad=_HEAD + "This model is a fine-tuned version of google-bert/bert-base-uncased on an unknown dataset.\n",
    good=_HEAD + "This model is a fine-tuned version of google-bert/bert-base-uncased on stanfordnlp/sst2.\n",
    hint="name the data set, or pass dataset= to create_model_card and push_to_hub",
    source=_TRAINER,
)
def unknown_dataset_sentence(subject: CardSubject) -> Iterator[Problem]:
    """The sentence in text, not in code or quotes of code."""
    for block in subject.card.blocks:
        if block.kind != "text":
            continue
        source = subject.card.text[block.start : block.end]
        found = _UNKNOWN_DATA.search(source) and _UNKNOWN_DATA.search(prose(source))
        if found:
            line, column = subject.card.lines.place(block.start + found.start())
            yield Problem(f"the text says {' '.join(found[0].split())!r}", subject.path, line, column)


@card_rules.rule(
    "TRAIN012",
    "base-revision-unpinned",
    Severity.INFO,
    summary="The base model is named without its revision.",
    why="Repos change: the base model of today may not be the one that was fine-tuned. sentence-transformers writes "
    "the commit beside the name.",
    bad=_HEAD.replace("mit\n", "mit\nbase_model: google-bert/bert-base-uncased\n") + "Fine-tuned.\n",
    good=_HEAD.replace("mit\n", "mit\nbase_model: google-bert/bert-base-uncased\n")
    + "Fine-tuned from revision 86b5e0934494bd15c9632b12f734a8a67f723594.\n",
    hint="add the commit of the base model to the text",
    source="https://github.com/huggingface/sentence-transformers",
    default=False,
)
def base_revision_unpinned(subject: CardSubject) -> Iterator[Problem]:
    """A base model in the metadata, and no commit in the card or the adapter's configuration."""
    front_matter = subject.card.front_matter
    if not (front_matter.hub_data or {}).get("base_model") or _REVISION.search(subject.card.text):
        return
    adapter = subject.folder.adapter_config if subject.folder else None
    if not (adapter and isinstance(adapter.get("revision"), str)):
        line, column = subject.card.lines.place(front_matter.offset_of(("base_model",)))
        yield Problem("the base model is named without its revision", subject.path, line, column)


@card_rules.rule(
    "TRAIN013",
    "no-training-code-link",
    Severity.INFO,
    summary="The training is described, but its code is not linked.",
    why="A script says what no description does: the order of steps, defaults, what was filtered. A link to it at a "
    "commit makes the training repeatable.",
    bad=_PROCEDURE,
    good=_PROCEDURE + "\nThe script is [train.py](https://github.com/acme/sst2/blob/4f0c1d2/train.py).\n",
    hint="link the script at the commit that was used",
    source="https://arxiv.org/abs/2003.12206",
    default=False,
)
def no_training_code_link(subject: CardSubject) -> Iterator[Problem]:
    """A training that is described, in a card without a link to any code and without a command."""
    card = subject.card
    procedure = part(card, "training-procedure")
    shown = procedure is not None and any(block.kind == "code" for block in procedure.blocks)
    if describes_training(card) and not shown and not _CODE_HOST.search(card.text):
        yield _at_procedure(subject, "the training is described, but its code is not linked")


def _prose(card: Card) -> str:
    return "\n".join(card.text[block.start : block.end] for block in card.blocks)


def _at_procedure(subject: CardSubject, message: str) -> Problem:
    procedure = part(subject.card, "training-procedure")
    return Problem(message, subject.path, procedure.line if procedure else None, 1 if procedure else None)
