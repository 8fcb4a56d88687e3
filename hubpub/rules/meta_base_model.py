"""META: what the model was made from, how, and what replaces it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hubpub.card.document import Card
from hubpub.card.facts.model_identity import Parents, parents_of, relation_of
from hubpub.card.hub_lists import relation_alias
from hubpub.card.metadata.edits import set_text
from hubpub.card.metadata.schema import RELATIONS, is_repo_id
from hubpub.card.placeholders import prose
from hubpub.core.findings import Fix, Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.rule import Fixable, Needs
from hubpub.model.kind import ModelKind
from hubpub.rules.meta_values import (
    MODEL_CARDS,
    SPEC,
    fix,
    is_given,
    is_left,
    metadata,
    missing,
    most,
    put,
    quoted,
    rejected,
    texts,
)
from hubpub.rules.placing import at_path
from hubpub.rules.registry import CardSubject, card_rules

_ADAPTER = '{"peft_type": "LORA", "base_model_name_or_path": "openai-community/gpt2"}'
_PATH = Pattern(r"[./~\\]|[A-Za-z]:[\\/]|file:|.*/.*/|.*\\")
_ADDRESS = Pattern(
    r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?!datasets/|spaces/|collections/|docs/)"
    r"(?P<id>[\w.-]+/[\w.-]+?)/?(?:/(?:tree|blob|resolve)/.*|[?#].*)?"
)
# Where huggingface_hub keeps what it has downloaded: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
_CACHED = Pattern(r".*[/\\]models--(?P<id>[\w.-]+?--[\w.-]+?)(?:[/\\].*)?")
# What transformers' Trainer writes.
_FINE_TUNED = Pattern(
    r"\bThis (?:model|checkpoint) is a fine-?tuned version of \[[^\[\]\n]{1,200}\]"
    r"\(https://(?:huggingface\.co|hf\.co)/(?P<id>[\w.-]{1,96}/[\w.-]{1,96})/?\)"
)


@card_rules.rule(
    "META029",
    "base-model-missing",
    Severity.WARNING,
    summary="The model was made from another one, and the metadata does not say so.",
    why="The Hub draws the tree of models from base_model, and people look there for what they need: an adapter alone "
    "runs nowhere. The files, or the sentence that transformers' Trainer writes, name it already.",
    bad="---\nlicense: mit\nlibrary_name: peft\n---",
    good="---\nlicense: mit\nlibrary_name: peft\nbase_model: openai-community/gpt2\nbase_model_relation: adapter\n---",
    hint="add base_model: with the id of its repo",
    source=MODEL_CARDS,
    fixable=Fixable.SAFE,
    files={"adapter_config.json": _ADAPTER},
)
def base_model_missing(subject: CardSubject) -> Iterator[Problem]:
    """No base_model, and a file or the card's text that names one."""
    data = metadata(subject)
    if data is None or is_given(subject, "base_model"):
        return
    parents = _told(subject)
    if parents is None:
        return
    value: Any = parents.names[0] if len(parents.names) == 1 else list(parents.names)
    values = {"base_model": value}
    relation = relation_of(subject.folder, parents.names) if subject.folder is not None else None
    if relation and data.get("base_model_relation") is None:
        values["base_model_relation"] = relation
    mend = put(subject, values, safe=parents.sure)
    named = ", ".join(parents.names[:3])
    yield missing(subject, f"the metadata names no base_model; {parents.path} names {named}", fix=mend)


@card_rules.rule(
    "META030",
    "base-model-invalid",
    Severity.ERROR,
    summary="base_model is not the id of a repo on the Hub.",
    why="The Hub rejects the push, and a path tells strangers about your machine. PEFT writes whatever name the base "
    "model was loaded by (https://github.com/huggingface/peft/issues/2124).",
    bad="---\nlicense: llama3.1\nbase_model: https://huggingface.co/meta-llama/Llama-3.1-8B\n---",
    good="---\nlicense: llama3.1\nbase_model: meta-llama/Llama-3.1-8B\n---",
    hint="write the id of the base model's repo on the Hub",
    source="https://github.com/huggingface/transformers/issues/33922",
    fixable=Fixable.SAFE,
)
def base_model_invalid(subject: CardSubject) -> Iterator[Problem]:
    """A path, an address, or any other thing that is no repo id."""
    for issue in rejected(subject, "base_model"):
        value = issue.value
        if not isinstance(value, str):
            yield at_path(subject, issue.path, f"base_model is {quoted(value)}, not the id of a repo")
            continue
        meant = _id_in(value, subject.repo_id)
        is_path = "://" not in value and _PATH.match(value)
        message = f"base_model is {'a path' if is_path else 'not the id of a repo'}: {quoted(value)}"
        hint = f"did you mean {meant}?" if meant else None
        yield at_path(subject, issue.path, message, hint, _replaced(subject, issue.path, value, meant, safe=True))


@card_rules.rule(
    "META031",
    "base-model-self",
    Severity.ERROR,
    summary="base_model names the model itself.",
    why="A model is not made from itself: the Hub's tree of models ends there. Unsloth writes the model's own repo "
    "when the base model was loaded from a folder.",
    bad="---\nlicense: mit\nbase_model: acme/model\n---",
    good="---\nlicense: mit\nbase_model: openai-community/gpt2\n---",
    hint="name the model that it was made from, or remove the line",
    source="https://github.com/unslothai/unsloth/blob/main/unsloth/save.py",
    fixable=Fixable.UNSAFE,
    files={"adapter_config.json": _ADAPTER},
)
def base_model_self(subject: CardSubject) -> Iterator[Problem]:
    """The repo that the card is for among the base models."""
    data = metadata(subject)
    if data is None or subject.repo_id is None:
        return
    told = parents_of(subject.folder, subject.repo_id) if subject.folder is not None else None
    meant = told.names[0] if told and len(told.names) == 1 else None
    for path, name in _items(data.get("base_model"), "base_model")[: most(subject.card)]:
        if isinstance(name, str) and name.casefold() == subject.repo_id.casefold():
            hint = f"did you mean {meant}?" if meant else None
            mend = _replaced(subject, path, name, meant, safe=False)
            yield at_path(subject, path, f"base_model names the model itself: {name}", hint, mend)


@card_rules.rule(
    "META032",
    "base-model-relation-invalid",
    Severity.ERROR,
    summary="base_model_relation is not one of the Hub's four.",
    why="The Hub rejects the push: the relation is adapter, merge, quantized or finetune.",
    bad="---\nlicense: mit\nbase_model: openai-community/gpt2\nbase_model_relation: fine-tuned\n---",
    good="---\nlicense: mit\nbase_model: openai-community/gpt2\nbase_model_relation: finetune\n---",
    hint=f"write {', '.join(RELATIONS[:-1])} or {RELATIONS[-1]}",
    source=MODEL_CARDS,
    fixable=Fixable.SAFE,
)
def base_model_relation_invalid(subject: CardSubject) -> Iterator[Problem]:
    """A relation that the Hub does not know, with the one that was meant."""
    for issue in rejected(subject, "base_model_relation"):
        meant = relation_alias(issue.value) if isinstance(issue.value, str) else None
        message = f"the Hub knows no base_model_relation {quoted(issue.value)}"
        hint = f"did you mean {meant}?" if meant else None
        yield at_path(subject, issue.path, message, hint, _replaced(subject, issue.path, issue.value, meant, safe=True))


@card_rules.rule(
    "META033",
    "base-model-relation-mismatch",
    Severity.INFO,
    summary="base_model_relation is unset, or not what the files show.",
    why="The Hub guesses the relation when it is not set, and lists the model among the adapters, merges, quantised "
    "versions or fine-tunes of its base. Nobody's tools write it: none of 73 cards with a base model has it.",
    bad="---\nlicense: mit\nlibrary_name: peft\nbase_model: openai-community/gpt2\n---",
    good="---\nlicense: mit\nlibrary_name: peft\nbase_model: openai-community/gpt2\nbase_model_relation: adapter\n---",
    hint="add base_model_relation",
    source=MODEL_CARDS,
    fixable=Fixable.SAFE,
    needs=Needs.FOLDER,
    files={"adapter_config.json": _ADAPTER},
)
def base_model_relation_mismatch(subject: CardSubject) -> Iterator[Problem]:
    """A relation that the files tell, unset or contradicted."""
    data, folder = metadata(subject), subject.folder
    if data is None or folder is None or not is_given(subject, "base_model"):
        return
    told, given = relation_of(folder, tuple(texts(data.get("base_model")))), data.get("base_model_relation")
    if given is None and told:
        mend = put(subject, {"base_model_relation": told}, safe=True)
        yield at_path(
            subject, ("base_model",), f"base_model_relation is not set; the files are those of {told}", fix=mend
        )
    elif given in RELATIONS and told == "adapter" != given:
        mend = _replaced(subject, ("base_model_relation",), given, told, safe=True)
        message = f"base_model_relation is {given}, but the folder holds an adapter"
        yield at_path(subject, ("base_model_relation",), message, f"did you mean {told}?", mend)
    elif given == "adapter" and folder.kind in (ModelKind.TRANSFORMERS, ModelKind.GGUF) and not _has_adapter(subject):
        message = "base_model_relation is adapter, but the folder holds a whole model"
        yield at_path(subject, ("base_model_relation",), message, "write finetune, merge or quantized")


@card_rules.rule(
    "META046",
    "new-version-invalid",
    Severity.ERROR,
    summary="new_version is not the id of another repo on the Hub.",
    why="The Hub shows a banner that leads people to the newer model; this one leads nowhere.",
    bad="---\nlicense: mit\nnew_version: https://huggingface.co/acme/model-v2\n---",
    good="---\nlicense: mit\nnew_version: acme/model-v2\n---",
    hint="write the id of the newer model's repo",
    source=SPEC,
    fixable=Fixable.SAFE,
)
def new_version_invalid(subject: CardSubject) -> Iterator[Problem]:
    """A path, an address, or the model itself in place of its successor."""
    data = metadata(subject)
    value = data.get("new_version") if data else None
    path = ("new_version",)
    if value is None or is_left(path, value):
        return
    if not isinstance(value, str) or not is_repo_id(value):
        meant = _id_in(value, subject.repo_id) if isinstance(value, str) else None
        hint = f"did you mean {meant}?" if meant else None
        mend = _replaced(subject, path, value, meant, safe=True)
        yield at_path(subject, path, f"new_version is not the id of a repo: {quoted(value)}", hint, mend)
    elif subject.repo_id and value.casefold() == subject.repo_id.casefold():
        yield at_path(subject, path, f"new_version names the model itself: {value}")


def _told(subject: CardSubject) -> Parents | None:
    told = parents_of(subject.folder, subject.repo_id) if subject.folder is not None else None
    found = _fine_tuned_from(subject.card)
    if told is None or (found and not told.sure):
        told = Parents((found,), "the card's text", sure=False) if found and found != subject.repo_id else told
    return told


def _fine_tuned_from(card: Card) -> str | None:
    for block in card.blocks:
        if block.kind == "text" and "version of [" in block.text:
            found = _FINE_TUNED.search(prose(block.text))
            if found and is_repo_id(found["id"]):
                return found["id"]
    return None


def _id_in(value: str, repo_id: str | None) -> str | None:
    """The id of a repo that an address or a path into the cache names, of another one than the card's own."""
    name = _address_or_cache(value)
    return name if name and name != repo_id else None


def _address_or_cache(value: str) -> str | None:
    value = value.strip()
    if is_repo_id(value):
        return value
    found = _ADDRESS.fullmatch(value)
    name = found["id"] if found else None
    if found is None:
        found = _CACHED.fullmatch(value)
        name = found["id"].replace("--", "/", 1) if found else None
    return name if name and is_repo_id(name) else None


def _items(value: Any, key: str) -> list[tuple[tuple[str | int, ...], Any]]:
    return [((key, index), item) for index, item in enumerate(value)] if isinstance(value, list) else [((key,), value)]


def _has_adapter(subject: CardSubject) -> bool:
    names = subject.folder.root_names if subject.folder is not None else ()
    return any(re.search(r"adapter|lora", name, re.IGNORECASE) for name in names)


def _replaced(subject: CardSubject, path: Any, old: object, new: str | None, *, safe: bool) -> Fix | None:
    if new is None:
        return None
    edits = set_text(subject.card.text, subject.card.front_matter, path, new)
    return fix(subject, f"replace {quoted(old)} by {new}", edits, safe=safe)
