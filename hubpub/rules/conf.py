"""CONF: the configuration files."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.model.folder import ModelFolder
from hubpub.model.jsonfile import JsonFile
from hubpub.model.kind import ModelKind, looks_like_transformers
from hubpub.rules.registry import model_rules

_CONFIG_DOCS = "https://huggingface.co/docs/transformers/main_classes/configuration"

# Read by transformers, peft, sentence-transformers or diffusers when they load a folder; tokenizer files are TOKEN's.
_OBJECTS = (
    "config.json",
    "generation_config.json",
    "adapter_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "image_processor_config.json",
    "feature_extractor_config.json",
    "scheduler_config.json",
    "model_index.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
)
_LISTS = ("modules.json",)


@model_rules.rule(
    "CONF001",
    "config-missing",
    Severity.ERROR,
    summary="The configuration that the model is built from is not there.",
    why="from_pretrained builds the model from config.json (an adapter from adapter_config.json) before it looks at "
    "any weight; without it nothing loads.",
    bad="model.safetensors and tokenizer.json without config.json",
    good="config.json beside them",
    hint="save the model with save_pretrained, which writes it",
    source=_CONFIG_DOCS,
)
def config_missing(folder: ModelFolder) -> Iterator[Problem]:
    """The one configuration that the kind of folder cannot do without."""
    wanted = "adapter_config.json" if folder.kind is ModelKind.ADAPTER else "config.json"
    if wanted in folder.root_names or folder.entry(wanted) is not None:
        return
    if folder.kind is ModelKind.ADAPTER:
        yield Problem("adapter_config.json is missing, and with it the name of the base model", path=wanted)
    elif folder.kind is ModelKind.TRANSFORMERS:
        # model.safetensors alone is also how PyTorchModelHubMixin saves a model without settings.
        sure = looks_like_transformers(folder.root_names) or bool(folder.weights.indexes)
        yield Problem("config.json is missing", path=wanted, severity=None if sure else Severity.WARNING)


@model_rules.rule(
    "CONF002",
    "config-unreadable",
    Severity.ERROR,
    summary="A configuration file is not the JSON that it should be.",
    why="Nothing loads with a broken config.json, and a broken generation_config.json is worse: transformers 5.23 "
    "falls back to defaults without a word.",
    bad='{"hidden_size": 32,}',
    good='{"hidden_size": 32}',
    hint="mend the JSON at that place, or save the model anew",
    source="https://www.rfc-editor.org/rfc/rfc8259",
)
def config_unreadable(folder: ModelFolder) -> Iterator[Problem]:
    """Each known file, in any directory; what only loses something (duplicate keys, NaN) is a warning."""
    for entry in folder.release_files:
        if reads_as_config(folder, entry.path):
            top = list if entry.name in _LISTS else dict
            yield from json_problem(folder, entry.path, folder.json(entry.path, top=top))


def reads_as_config(folder: ModelFolder, path: str) -> bool:
    """Whether the JSON of the file is this rule's; a name such as config.json in an odd place may be anything."""
    directory, _, name = path.rpartition("/")
    if name in _LISTS:
        return not directory
    if name == "meta.json":
        return not directory and folder.kind is ModelKind.SPACY
    return name in _OBJECTS


def json_problem(folder: ModelFolder, path: str, document: JsonFile | None) -> Iterator[Problem]:
    """What is wrong with the JSON of one file; a git-LFS pointer is FILE005's, a merge conflict FILE016's."""
    if document is None or document.problem is None or path in folder.lfs_pointers:
        return
    if (seen := folder.text_files.get(path)) is not None and seen.conflict is not None:
        return
    problem = document.problem
    severity = None if problem.fatal else Severity.WARNING
    yield Problem(f"{path} {problem.message}", path, problem.line, problem.column, severity=severity)


@model_rules.rule(
    "CONF003",
    "model-type-missing",
    Severity.ERROR,
    summary="config.json does not say which model type it is for.",
    why="AutoConfig, and with it every Auto class and pipeline, finds the classes by model_type; without it they "
    "raise ValueError. Two published models of one PyPI package are broken like this.",
    bad='{"architectures": ["BertModel"], "hidden_size": 32}',
    good='{"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 32}',
    hint="save the model with save_pretrained of its transformers class, or add model_type",
    source=_CONFIG_DOCS,
)
def model_type_missing(folder: ModelFolder) -> Iterator[Problem]:
    """A readable config.json of transformers without a model_type, and without code of its own."""
    if folder.kind not in (ModelKind.TRANSFORMERS, ModelKind.SENTENCE_TRANSFORMERS):
        return
    config = folder.config
    if config is None or config.value is None or folder.model_type is not None:
        return
    if not _own_class(config, "AutoConfig"):
        yield Problem("config.json has no model_type", path="config.json")


@model_rules.rule(
    "CONF004",
    "architectures-missing",
    Severity.WARNING,
    summary="config.json does not name the class that was saved.",
    why="Pipelines, inference servers and the Hub's task detection choose the class by architectures; without it a "
    "classifier is loaded as a bare encoder, in silence.",
    bad='{"model_type": "bert"}',
    good='{"model_type": "bert", "architectures": ["BertForSequenceClassification"]}',
    hint="save the model (not only its configuration) with save_pretrained, or add architectures",
    source=_CONFIG_DOCS,
)
def architectures_missing(folder: ModelFolder) -> Iterator[Problem]:
    """A readable config.json of transformers without architectures, and without code of its own."""
    config = folder.config
    if folder.kind is not ModelKind.TRANSFORMERS or config is None or config.value is None or folder.architectures:
        return
    if config.get("architectures") not in (None, []):  # there, but malformed: CONF013
        return
    if not _own_class(config, "AutoModel"):
        yield Problem("config.json names no architectures", path="config.json")


def _own_class(config: JsonFile, prefix: str) -> bool:
    """Whether `auto_map` names a class for an Auto class that begins with `prefix`."""
    auto_map = config.get("auto_map")
    return isinstance(auto_map, dict) and any(str(key).startswith(prefix) for key in auto_map)
