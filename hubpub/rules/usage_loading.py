"""USAGE: what the snippets load: this repo, by a class that fits it, and what it needs to be loaded."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubpub.card.code.code_blocks import code_blocks
from hubpub.card.code.loading import Loaded, loaded_by, models_loaded_by
from hubpub.card.code.python_snippets import python_of
from hubpub.card.code.removed_api import auto_classes_that_make, model_types_of, pins_an_earlier_version
from hubpub.card.document import Card
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable, Needs
from hubpub.model.kind import ModelKind
from hubpub.rules.placing import problem_at
from hubpub.rules.registry import CardSubject, card_rules

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

_LOCAL = Pattern(r"\.{1,2}[/\\].+|[/~].+|[A-Za-z]:[\\/].+|(?:.*/)?checkpoint-\d+/?")
_TEMPLATE = Pattern(r".*(?:path[/_-]to|your|<|\{|\[|\.\.\.|example)", re.IGNORECASE)
_TRAINS = Pattern(r"fine-?tun|\bTrainer\b|optimi[sz]er|\.train\(|\bnum_labels\b|\bid2label\b|\bloss\b", re.IGNORECASE)
_TRUST = Pattern(
    r"trust[_ ]remote[_ ]code|custom (?:model(?:l?ing)? )?code|remote code|own code|modeling_\w+\.py", re.IGNORECASE
)
# Heads that a checkpoint either has or gets with random numbers.
_TASK_HEADS = (
    *("SequenceClassification", "TokenClassification", "QuestionAnswering", "MultipleChoice", "ImageClassification"),
    *("AudioClassification", "VideoClassification", "ObjectDetection", "SemanticSegmentation", "CTC", "MaskedLM"),
)
# Where the early models went, which the Hub finds without a namespace too.
_EARLY = (
    *("albert", "almanach", "dbmdz", "distilbert", "facebookai", "google-bert", "google-t5", "openai-community"),
    *("transfo-xl", "xlnet"),
)
_SAFE_AUTO = ("AutoModel", "AutoModelForPreTraining")
_CHAT = Pattern(r"apply_chat_template|[\"']role[\"']|messages|chat\.completions|--chat-template|llama-cli|ollama run")


@card_rules.rule(
    "USAGE004",
    "snippet-wrong-id",
    Severity.WARNING,
    summary="The snippets load something else than this repo.",
    why="Trainers leave the path of their last checkpoint, and copied cards the id of the model that they were copied "
    "from: the reader gets an error, or other weights. Base models, tokenizers and data sets may be others; the id "
    "itself is compared when the repo is known.",
    bad='```python\nfrom transformers import AutoModel\n\nmodel = AutoModel.from_pretrained("./checkpoint-500")\n```',
    good='```python\nfrom transformers import AutoModel\n\nmodel = AutoModel.from_pretrained("acme/x")\n```',
    hint="write the id of this repo",
    source="https://huggingface.co/docs/hub/model-cards",
)
def snippet_wrong_id(subject: CardSubject) -> Iterator[Problem]:
    """Local paths that nothing in the card makes; and the first other model, when no snippet loads this one."""
    card, seen = subject.card, set()
    for loaded in loaded_by(card):
        if loaded.id not in seen and _LOCAL.fullmatch(loaded.id) and not _TEMPLATE.match(loaded.id):
            seen.add(loaded.id)
            if card.text.count(_stem(loaded.id)) <= _times(card, loaded.id) and not _is_made(card):
                yield _problem(
                    subject, loaded, f"the snippet loads {loaded.id[:80]!r}, a path that readers do not have"
                )
    if subject.repo_id is None or seen:
        return
    own = subject.repo_id.casefold()
    bare = [loaded for loaded in models_loaded_by(card) if loaded.id.casefold() == own.rpartition("/")[2]]
    is_loaded = any(loaded.id.casefold() == own for loaded in loaded_by(card))
    if bare and not is_loaded and own.partition("/")[0] not in _EARLY:
        yield _problem(subject, bare[0], f"the snippet loads {bare[0].id}, not {subject.repo_id}")
        return
    models = [loaded for loaded in models_loaded_by(card) if loaded.is_repo_id and "/" in loaded.id]
    others = [loaded for loaded in models if not _is_related(subject, loaded.id)]
    downloads = [loaded for loaded in loaded_by(card) if loaded.role == "files"]
    named = [loaded for loaded in (*models_loaded_by(card), *downloads) if _same(loaded.id, subject.repo_id)]
    if others and len(others) == len(models) and not named:
        yield _problem(subject, others[0], f"the snippet loads {others[0].id}, not {subject.repo_id}")


def _stem(path: str) -> str:
    return path.rstrip("/\\").removeprefix("./")


def _times(card: Card, path: str) -> int:
    """How often snippets load the path: a card that speaks of it elsewhere tells how to make it."""
    return sum(loaded.id == path for loaded in loaded_by(card))


def _is_made(card: Card) -> bool:
    return bool(
        re.search(
            r"save_pretrained\(|local_dir|git clone|git lfs|\bwget\b|hf download|huggingface-cli download", card.text
        )
    )


def _is_related(subject: CardSubject, repo: str) -> bool:
    """Whether a repo is this one, or one that it was made of."""
    data = subject.card.front_matter.data or {}
    base = data.get("base_model")
    bases = [name for name in (base if isinstance(base, list) else [base]) if isinstance(name, str)]
    return any(_same(repo, known) for known in (subject.repo_id or "", *bases))


def _same(repo: str, known: str) -> bool:
    """Whether two ids name one repo; one without a namespace is that of an early model, which has moved since."""
    if "/" not in repo or "/" not in known:
        return repo.rpartition("/")[2].casefold() == known.rpartition("/")[2].casefold()
    return repo.casefold() == known.casefold()


@card_rules.rule(
    "USAGE005",
    "snippet-wrong-class",
    Severity.ERROR,
    summary="The class in the snippet does not fit the model in the folder.",
    why="An auto class that does not know the model type raises a ValueError; one for another task loads the body and "
    "fills the head with random numbers, and the reader gets confident nonsense with a warning in the log.",
    bad="```python\nfrom transformers import AutoModelForMaskedLM\n\nmodel = "
    'AutoModelForMaskedLM.from_pretrained("acme/x")\n```',
    good="```python\nfrom transformers import AutoModelForCausalLM\n\nmodel = "
    'AutoModelForCausalLM.from_pretrained("acme/x")\n```',
    hint="load it with the class that its architecture belongs to",
    source="https://huggingface.co/docs/transformers/model_doc/auto",
    fixable=Fixable.SAFE,
    needs=Needs.FOLDER,
    files={"config.json": '{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}'},
)
def snippet_wrong_class(subject: CardSubject) -> Iterator[Problem]:
    """Auto classes that load this repo's model, against its architecture."""
    folder = subject.folder
    if folder is None or folder.kind is not ModelKind.TRANSFORMERS or not folder.architectures:
        return
    model_type, architecture = folder.model_type, folder.architectures[0]
    made_by = auto_classes_that_make().get(architecture)
    if made_by is None or model_type is None or (folder.config and folder.config.get("auto_map")):
        return
    for loaded in _own_models(subject):
        types = model_types_of(loaded.by)
        if loaded.call.root != "transformers" or types is None or loaded.by in made_by or loaded.by in _SAFE_AUTO:
            continue
        if model_type not in types:
            message = f"{loaded.by} cannot load a {model_type}: the model is a {architecture}"
            yield _problem(subject, loaded, message, fix=_other_class(subject, loaded, made_by))
        elif _has_other_head(loaded.by, architecture) and not _is_fine_tuned(loaded):
            has_head = architecture.endswith(_TASK_HEADS) and not architecture.endswith("MaskedLM")
            message = f"{loaded.by} gives a {architecture} a head of random numbers"
            yield _problem(
                subject,
                loaded,
                message,
                severity=None if has_head else Severity.WARNING,
                fix=_other_class(subject, loaded, made_by) if has_head else None,
            )


def _own_models(subject: CardSubject) -> Iterator[Loaded]:
    """The models that snippets load and that are this repo's: by its id, or as the only one that is not a base."""
    models = [loaded for loaded in models_loaded_by(subject.card) if not _is_base(subject, loaded.id)]
    if subject.repo_id is not None:
        yield from (loaded for loaded in models if _same(loaded.id, subject.repo_id))
    elif len({loaded.id for loaded in models}) == 1:
        yield from models


def _is_base(subject: CardSubject, repo: str) -> bool:
    return _is_related(subject, repo) and not (subject.repo_id and _same(repo, subject.repo_id))


def _has_other_head(auto_class: str, architecture: str) -> bool:
    wanted = auto_class.removeprefix("AutoModelFor")
    return wanted in _TASK_HEADS and wanted != "MaskedLM" and not architecture.endswith(wanted)


def _is_fine_tuned(loaded: Loaded) -> bool:
    return bool(_TRAINS.search(loaded.call.snippet.code.text))


def _other_class(subject: CardSubject, loaded: Loaded, made_by: frozenset[str]) -> Fix | None:
    """The class under its right name, where only one is right and nothing else is loaded by the wrong one."""
    right = [name for name in made_by if name not in _SAFE_AUTO]
    alike = [other for other in loaded_by(subject.card) if other.by == loaded.by]
    if len(right) != 1 or any(other.id != loaded.id for other in alike):
        return None
    edits = []
    for snippet in python_of(subject.card).snippets:
        for node in snippet.parsed.nodes:
            written = node.id if isinstance(node, ast.Name) else node.name if isinstance(node, ast.alias) else ""
            if written == loaded.by and isinstance(node, ast.Name | ast.alias):
                start, end = snippet.span(node)[0], snippet.span(node)[0] + len(written)
                if subject.card.text[start:end] != written:
                    return None
                edits.append(Edit(subject.path, start, end, right[0]))
    return Fix(f"use {right[0]}", True, tuple(edits)) if edits else None


@card_rules.rule(
    "USAGE009",
    "trust-remote-code",
    Severity.WARNING,
    summary="The card has readers run code of a repo and says nothing about it, or does not say that they have to.",
    why="trust_remote_code=True runs whatever Python the repo holds on the day, with the rights of the reader. A card "
    "that asks for it owes them a sentence on what that code is, or a revision that they can read before. A model "
    "whose config.json names own code does not load without it.",
    bad='```python\nfrom transformers import AutoModel\n\nmodel = AutoModel.from_pretrained("acme/x", '
    "trust_remote_code=True)\n```",
    good="The architecture is defined in `modeling_x.py`, which trust_remote_code=True runs.\n\n```python\n"
    'from transformers import AutoModel\n\nmodel = AutoModel.from_pretrained("acme/x", trust_remote_code=True)\n```',
    hint="say which code it runs and why, or pin revision= to a commit",
    source="https://huggingface.co/docs/transformers/models#custom-models",
)
def trust_remote_code(subject: CardSubject) -> Iterator[Problem]:
    """The first call that trusts without a word; or the first that would have to, by the folder."""
    python = python_of(subject.card)
    trusting = [call for call in python.calls if _is_true(call.keywords.get("trust_remote_code"))]
    unpinned = [call for call in trusting if not {"revision", "code_revision"} & call.keywords.keys()]
    if unpinned and not _explains_trust(subject.card):
        call = unpinned[0]
        line, column = subject.card.lines.place(call.snippet.span(call.keywords["trust_remote_code"])[0])
        yield Problem("the snippet trusts remote code, and the card does not say which", subject.path, line, column)
    if trusting or subject.folder is None or not _needs_trust(subject.folder):
        return
    for loaded in _own_models(subject):
        if loaded.call.root == "transformers" and "trust_remote_code" not in loaded.call.keywords:
            message = "the model has code of its own, and the snippet loads it without trust_remote_code=True"
            yield _problem(subject, loaded, message, hint="pass trust_remote_code=True, and say which code that runs")
            return


def _is_true(keyword: ast.keyword | None) -> bool:
    return keyword is not None and isinstance(keyword.value, ast.Constant) and keyword.value.value is True


def _explains_trust(card: Card) -> bool:
    return any(
        _TRUST.search(card.text[block.start : block.end])
        for block in card.blocks
        if block.kind in ("text", "table", "heading", "html")
    ) or bool(
        _TRUST.search("\n".join(re.findall(r"#[^\n]{0,300}", "\n".join(code.text for code in code_blocks(card)))))
    )


def _needs_trust(folder: ModelFolder) -> bool:
    """Whether the model type is not one of transformers, and config.json names code for it."""
    auto_map = folder.config.get("auto_map") if folder.config else None
    types = model_types_of("AutoModel") or frozenset()
    own = isinstance(auto_map, dict) and any(str(key).startswith("AutoModel") for key in auto_map)
    return own and folder.model_type not in types


@card_rules.rule(
    "USAGE013",
    "chat-template-unused",
    Severity.INFO,
    summary="The model has a chat template, and the snippets feed it raw text.",
    why="A chat model that gets a question without its turn marks goes on writing the question, or answers badly: the "
    "template was part of its training.",
    bad='```python\nfrom transformers import pipeline\n\nchat = pipeline("text-generation", '
    'model="acme/x")\nchat("Hello!")\n```',
    good='```python\nfrom transformers import pipeline\n\nchat = pipeline("text-generation", model="acme/x")\n'
    'chat([{"role": "user", "content": "Hello!"}])\n```',
    hint="pass messages with roles, or use tokenizer.apply_chat_template",
    source="https://huggingface.co/docs/transformers/chat_templating",
    needs=Needs.FOLDER,
    files={
        "config.json": '{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}',
        "tokenizer_config.json": '{"chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"}',
    },
)
def chat_template_unused(subject: CardSubject) -> Iterator[Problem]:
    """A call that generates, in a card that never speaks of roles."""
    card, folder = subject.card, subject.folder
    if folder is None or not folder.chat_templates or any(_CHAT.search(code.text) for code in code_blocks(card)):
        return
    for call in python_of(card).calls:
        made = call.name.rpartition(".")[0] if call.last == "generate" else call.name
        by_pipeline = made.startswith("transformers.pipeline()") and bool(call.node.args)
        by_model = call.last == "generate" and made.startswith("transformers.") and made.endswith(".from_pretrained()")
        if by_pipeline or by_model:
            line, column = card.lines.place(call.snippet.span(call.node)[0])
            yield Problem("the model has a chat template, and the snippet does not use it", subject.path, line, column)
            return


@card_rules.rule(
    "USAGE014",
    "adapter-snippet-incomplete",
    Severity.WARNING,
    summary="The folder holds an adapter, and the snippets load it as if it were a whole model.",
    why="transformers loads an adapter by its id only where PEFT is installed; without it, it looks for weights that "
    "are not there. A tokenizer that the adapter's folder does not have cannot be loaded from it at all.",
    bad="```python\nfrom transformers import AutoModelForCausalLM\n\nmodel = "
    'AutoModelForCausalLM.from_pretrained("acme/lora")\n```',
    good="```bash\npip install peft\n```\n\n```python\nfrom peft import AutoPeftModelForCausalLM\n\n"
    'model = AutoPeftModelForCausalLM.from_pretrained("acme/lora")\n```',
    hint="load it with PEFT, such as AutoPeftModelForCausalLM.from_pretrained, and say to install peft",
    source="https://huggingface.co/docs/transformers/peft",
    needs=Needs.FOLDER,
    files={
        "adapter_config.json": '{"peft_type": "LORA", "base_model_name_or_path": "acme/base", "task_type": "CAUSAL_LM"}'
    },
)
def adapter_snippet_incomplete(subject: CardSubject) -> Iterator[Problem]:
    """The adapter's id given to transformers in a card whose code never names PEFT; a tokenizer that is not there."""
    folder = subject.folder
    if folder is None or folder.kind is not ModelKind.ADAPTER or pins_an_earlier_version(subject.card):
        return
    base = folder.adapter_config.get("base_model_name_or_path") if folder.adapter_config else None
    own = [loaded for loaded in _own_models(subject) if not (isinstance(base, str) and _same(loaded.id, base))]
    named = any("peft" in code.text.casefold() for code in code_blocks(subject.card))
    if own and own[0].call.root == "transformers" and not named:
        yield _problem(subject, own[0], f"{own[0].by} gets an adapter, and the card does not load it with PEFT")
    if folder.tokenizer.files or subject.repo_id is None:
        return
    for loaded in loaded_by(subject.card):
        if loaded.role == "part" and "Tokenizer" in loaded.by and _same(loaded.id, subject.repo_id):
            message = f"{loaded.by} is to read {loaded.id}, which has no tokenizer"
            hint = f"load it from {base}" if isinstance(base, str) and len(base) < 100 else None
            yield _problem(subject, loaded, message, hint=hint, severity=Severity.ERROR)
            return


def _problem(
    subject: CardSubject,
    loaded: Loaded,
    message: str,
    *,
    hint: str | None = None,
    severity: Severity | None = None,
    fix: Fix | None = None,
) -> Problem:
    node = loaded.node if isinstance(loaded.node, ast.Constant) else loaded.call.node
    return problem_at(subject, message, loaded.call.snippet.span(node)[0], hint=hint, fix=fix, severity=severity)
