"""META: the task and the library, as the metadata and the model's files name them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubpub.card.facts.model_identity import library_of, task_of
from hubpub.card.facts.tasks import contradicts
from hubpub.card.hub_lists import (
    libraries,
    library_alias,
    nearest_library,
    pipeline_tag_alias,
    pipeline_tags,
)
from hubpub.card.metadata.edits import set_text, set_value
from hubpub.core.findings import Fix, Problem, Severity
from hubpub.core.rule import Fixable, Needs
from hubpub.model.jsonfile import json_object
from hubpub.model.kind import ModelKind
from hubpub.rules.meta_values import (
    MODEL_CARDS,
    fix,
    is_given,
    is_left,
    issues,
    meant_task,
    metadata,
    missing,
    put,
    quoted,
    texts,
)
from hubpub.rules.placing import at_path
from hubpub.rules.registry import CardSubject, card_rules

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

_TASKS = "https://github.com/huggingface/huggingface.js/blob/main/packages/tasks/src/pipelines.ts"
_LIBRARIES = "https://github.com/huggingface/huggingface.js/blob/main/packages/tasks/src/model-libraries.ts"
_WIDGETS = "https://github.com/huggingface/hub-docs/blob/main/docs/hub/models-widgets.md"
_CLASSIFIER = '{"model_type": "bert", "architectures": ["BertForSequenceClassification"]}'
_NO_MODEL = {ModelKind.TOKENIZER, ModelKind.OTHER}
# Libraries of which each loads another layout of files; those that are not here may load anything.
_LOADERS = {"transformers", "peft", "sentence-transformers", "diffusers", "spacy"}


@card_rules.rule(
    "META023",
    "pipeline-tag-missing",
    Severity.WARNING,
    summary="The metadata names no task.",
    why="Widget, snippets and the search by task depend on pipeline_tag; 59 of 125 cards since 2021 have none. The Hub "
    "guesses it for some models of transformers, and for no others.",
    bad="---\nlicense: mit\nlanguage: en\n---",
    good="---\nlicense: mit\nlanguage: en\npipeline_tag: text-classification\n---",
    hint="add pipeline_tag: with one of the Hub's tasks, see https://huggingface.co/tasks",
    source=_WIDGETS,
    fixable=Fixable.SAFE,
    needs=Needs.FOLDER,
    files={"config.json": _CLASSIFIER},
)
def pipeline_tag_missing(subject: CardSubject) -> Iterator[Problem]:
    """A folder with a model, and metadata without a task; the fix takes the one that the class tells."""
    data, folder = metadata(subject), subject.folder
    if data is None or folder is None or folder.kind in _NO_MODEL or is_given(subject, "pipeline_tag"):
        return
    if any(tag in pipeline_tags() for tag in texts(data.get("tags"))):
        return  # the Hub takes the task from the tags
    task = task_of(folder)
    if task is None:
        yield missing(subject, "the metadata names no task")
        return
    mend = put(subject, {"pipeline_tag": task}, safe=True)
    yield missing(subject, f"the metadata names no task; {_teller(folder)} is for {task}", fix=mend)


@card_rules.rule(
    "META024",
    "pipeline-tag-unknown",
    Severity.WARNING,
    summary="pipeline_tag is not one of the Hub's tasks.",
    why="The Hub takes the card with a warning, but gives the model no task, no widget and no place in the search by "
    "task. text2text-generation and conversational were tasks once, and are none any more.",
    bad="---\nlicense: mit\nlanguage: en\npipeline_tag: ner\n---",
    good="---\nlicense: mit\nlanguage: en\npipeline_tag: token-classification\n---",
    hint="take one of the Hub's tasks, see https://huggingface.co/tasks",
    source=_TASKS,
    fixable=Fixable.SAFE,
)
def pipeline_tag_unknown(subject: CardSubject) -> Iterator[Problem]:
    """What the Hub's validation warns of, with the task that was meant."""
    for issue in issues(subject.card):
        if issue.path != ("pipeline_tag",):
            continue
        names = texts(issue.value)
        if len(names) != 1:
            hint = "name one task, the others as tags" if names else None
            yield at_path(subject, issue.path, f"pipeline_tag is {quoted(issue.value)}, not one task", hint)
            continue
        name, meant = names[0], meant_task(subject, metadata(subject) or {})
        safe = meant is not None and meant == pipeline_tag_alias(name)
        edits = None
        if meant and isinstance(issue.value, str):
            edits = set_text(subject.card.text, subject.card.front_matter, issue.path, meant)
        elif meant:
            edits = set_value(subject.card.text, subject.card.front_matter, issue.path, meant)
        message = f"the Hub knows no task {quoted(name)}"
        if isinstance(issue.value, list):
            message = f"pipeline_tag is a list: {quoted(name)}"
        mend = fix(subject, f"replace {quoted(name)} by {meant}", edits, safe=safe)
        yield at_path(subject, issue.path, message, f"did you mean {meant}?" if meant else None, mend)


@card_rules.rule(
    "META025",
    "pipeline-tag-mismatch",
    Severity.WARNING,
    summary="pipeline_tag contradicts what the model's class does.",
    why="The Hub's widget and snippet call the model for the task that the card names: pipeline() then fails, or runs "
    "with a head that was never trained.",
    bad="---\nlicense: mit\nlanguage: en\npipeline_tag: fill-mask\n---",
    good="---\nlicense: mit\nlanguage: en\npipeline_tag: text-classification\n---",
    hint="name the task that the model was trained for",
    source=_WIDGETS,
    fixable=Fixable.UNSAFE,
    needs=Needs.FOLDER,
    files={"config.json": _CLASSIFIER},
)
def pipeline_tag_mismatch(subject: CardSubject) -> Iterator[Problem]:
    """A known task that the class in config.json, or an adapter's task_type, cannot do."""
    data, folder = metadata(subject), subject.folder
    tag = data.get("pipeline_tag") if data else None
    if folder is None or not isinstance(tag, str) or tag not in pipeline_tags():
        return
    told = task_of(folder)
    if told is None or "auto_map" in json_object(folder.config) or not contradicts(tag, told):
        return
    edits = set_text(subject.card.text, subject.card.front_matter, ("pipeline_tag",), told)
    message = f"pipeline_tag is {tag}, but {_teller(folder)} is for {told}"
    mend = fix(subject, f"replace {tag} by {told}", edits, safe=False)
    yield at_path(subject, ("pipeline_tag",), message, f"did you mean {told}?", mend)


@card_rules.rule(
    "META026",
    "library-name-missing",
    Severity.WARNING,
    summary="The metadata does not name the library that loads the model.",
    why="Since August 2024 the Hub does not guess it: without library_name the page offers no snippet, and downloads "
    "may not be counted. 43 of 125 cards since 2021 have none.",
    bad="---\nlicense: mit\nlanguage: en\npipeline_tag: text-classification\n---",
    good="---\nlicense: mit\nlanguage: en\npipeline_tag: text-classification\nlibrary_name: transformers\n---",
    hint="add library_name: with one of the Hub's libraries",
    source=MODEL_CARDS,
    fixable=Fixable.SAFE,
    needs=Needs.FOLDER,
    files={"config.json": _CLASSIFIER},
)
def library_name_missing(subject: CardSubject) -> Iterator[Problem]:
    """A folder that one library writes, and metadata that does not say which."""
    data, folder = metadata(subject), subject.folder
    library = library_of(folder) if folder is not None else None
    if data is None or library is None or is_given(subject, "library_name"):
        return
    mend = put(subject, {"library_name": library}, safe=True)
    yield missing(subject, f"the metadata does not name the library, which is {library}", fix=mend)


@card_rules.rule(
    "META027",
    "library-name-unknown",
    Severity.INFO,
    summary="library_name is not one of the Hub's libraries.",
    why="The Hub takes any name, but knows a snippet and counts downloads only for those of its list.",
    bad="---\nlicense: mit\nlibrary_name: Sentence_Transformers\n---",
    good="---\nlicense: mit\nlibrary_name: sentence-transformers\n---",
    hint="take one of the Hub's libraries, unless yours is none of them",
    source=_LIBRARIES,
    fixable=Fixable.SAFE,
)
def library_name_unknown(subject: CardSubject) -> Iterator[Problem]:
    """A library that the Hub does not know, with the one that was meant."""
    data = metadata(subject)
    name = data.get("library_name") if data else None
    if not isinstance(name, str) or not name.strip() or name in libraries() or is_left(("library_name",), name):
        return
    told = library_of(subject.folder) if subject.folder is not None else None
    meant = told or nearest_library(name)
    safe = meant is not None and meant in (told, library_alias(name))
    yield at_path(
        subject,
        ("library_name",),
        f"the Hub knows no library {quoted(name)}",
        f"did you mean {meant}?" if meant else None,
        _renamed(subject, name, meant, safe=safe) if meant else None,
    )


@card_rules.rule(
    "META028",
    "library-name-mismatch",
    Severity.WARNING,
    summary="library_name is another library than the one that wrote the folder.",
    why="The snippet on the model's page is that of library_name, and fails. Trainers write transformers for adapters "
    "of peft, and peft stays in the card of a model that the adapter was merged into.",
    bad="---\nlicense: mit\nlanguage: en\npipeline_tag: text-generation\nlibrary_name: transformers\n"
    "base_model: openai-community/gpt2\nbase_model_relation: adapter\n---",
    good="---\nlicense: mit\nlanguage: en\npipeline_tag: text-generation\nlibrary_name: peft\n"
    "base_model: openai-community/gpt2\nbase_model_relation: adapter\n---",
    hint="name the library that loads these files",
    source=_LIBRARIES,
    fixable=Fixable.SAFE,
    needs=Needs.FOLDER,
    files={
        "adapter_config.json": '{"peft_type": "LORA", "task_type": "CAUSAL_LM", '
        '"base_model_name_or_path": "openai-community/gpt2"}'
    },
)
def library_name_mismatch(subject: CardSubject) -> Iterator[Problem]:
    """One of the libraries that load a layout of their own, and the layout of another one."""
    data, folder = metadata(subject), subject.folder
    name = data.get("library_name") if data else None
    if folder is None or not isinstance(name, str) or name not in _LOADERS:
        return
    told = library_of(folder)
    if told is None or told == name or _loads_too(name, folder):
        return
    message = f"library_name is {name}, but the files are those of {told}"
    mend = _renamed(subject, name, told, safe=True)
    yield at_path(subject, ("library_name",), message, f"did you mean {told}?", mend)


def _loads_too(library: str, folder: ModelFolder) -> bool:
    """Whether a library loads what another one has written."""
    if library == "transformers":
        return folder.kind in (ModelKind.TIMM, ModelKind.SENTENCE_TRANSFORMERS)
    if library == "sentence-transformers":
        return folder.kind in (ModelKind.TRANSFORMERS, ModelKind.SENTENCE_TRANSFORMERS)  # of SetFit, the body
    if library == "peft":
        return "adapter_config.json" in folder.root_names
    return library == "diffusers" and folder.kind is ModelKind.ADAPTER


def _renamed(subject: CardSubject, old: str, new: str, *, safe: bool) -> Fix | None:
    edits = set_text(subject.card.text, subject.card.front_matter, ("library_name",), new)
    return fix(subject, f"replace {quoted(old)} by {new}", edits, safe=safe)


def _teller(folder: ModelFolder) -> str:
    """What in the folder tells the task."""
    if folder.kind is ModelKind.ADAPTER:
        return f"task_type {json_object(folder.adapter_config).get('task_type')} in adapter_config.json"
    if folder.kind is ModelKind.SENTENCE_TRANSFORMERS:
        return "a model of sentence-transformers"
    return quoted(folder.architectures[0]).strip("'\"") if folder.architectures else "the model"
