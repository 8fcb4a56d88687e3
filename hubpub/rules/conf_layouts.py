"""CONF: the layouts of sentence-transformers, diffusers, timm and CTranslate2, each with its own list of parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.rules.registry import model_rules

_MODULES = "modules.json"
_ST_DOCS = "https://sbert.net/docs/package_reference/sentence_transformer/modules.html"
_PIPELINES = "https://huggingface.co/docs/diffusers/using-diffusers/other-formats#diffusers-multifolder"

# Modules of sentence-transformers 6 that have neither settings nor weights: no directory, or an empty one.
_WEIGHTLESS = frozenset({"Normalize"})
_MODULE_TYPES = re.compile(
    r"Asym|BoW|CLIPModel|CNN|Dense|Dropout|InputModule|LSTM|LayerNorm|MLMTransformer|Module|MultiVectorMask|Normalize"
    r"|Pooling|Router|SparseAutoEncoder|SparseStaticEmbedding|SpladePooling|StaticEmbedding|Transformer"
    r"|WeightedLayerPooling|WordEmbeddings|WordWeights"
)


@dataclass(frozen=True, slots=True)
class _Module:
    """One entry of modules.json; `directory` is "" or "dir/"."""

    type: str
    directory: str

    @property
    def name(self) -> str:
        return self.type.rpartition(".")[2]

    @property
    def known(self) -> bool:
        return self.type.startswith("sentence_transformers.") and _MODULE_TYPES.fullmatch(self.name) is not None


def _modules(folder: ModelFolder) -> list[_Module]:
    """The well-formed entries of modules.json."""
    if folder.kind is not ModelKind.SENTENCE_TRANSFORMERS or folder.modules is None:
        return []
    return [
        _Module(entry["type"], f"{entry['path'].strip('/')}/" if entry["path"].strip("/.") else "")
        for entry in folder.modules.value or ()
        if isinstance(entry, dict) and isinstance(entry.get("type"), str) and isinstance(entry.get("path"), str)
    ]


@model_rules.rule(
    "CONF023",
    "module-missing",
    Severity.ERROR,
    summary="modules.json of sentence-transformers names a module that is not in the folder, or is malformed.",
    why="SentenceTransformer loads the modules one after the other, and raises at the first that is missing. Modules "
    "without settings (2_Normalize/) have no directory in a repo, as git keeps no empty ones: that is normal.",
    bad="modules.json with 1_Pooling, and no 1_Pooling/config.json",
    good="1_Pooling/config.json as model.save_pretrained wrote it",
    hint="save the model again: SentenceTransformer(...).save_pretrained(FOLDER)",
    source=_ST_DOCS,
)
def module_missing(folder: ModelFolder) -> Iterator[Problem]:
    """Entries without type or path; and directories of known modules of which nothing is there."""
    if folder.kind is not ModelKind.SENTENCE_TRANSFORMERS or folder.modules is None or folder.modules.value is None:
        return
    modules = _modules(folder)
    if not folder.modules.value:
        yield Problem(f"{_MODULES} names no modules", path=_MODULES)
    elif len(modules) < len(folder.modules.value):
        number = len(folder.modules.value) - len(modules)
        yield Problem(f"{_MODULES} has {counted(number, 'module')} without a type or a path", path=_MODULES)
    there = [entry.path for entry in (*folder.files, *folder.others)]
    for module in modules:
        if not module.directory or not module.known or module.name in _WEIGHTLESS:
            continue
        if not any(path.startswith(module.directory) for path in there):
            path = module.directory + "config.json"
            yield Problem(f"{path} is missing: {_MODULES} names the module {module.name} there", path=path)


@model_rules.rule(
    "CONF024",
    "pooling-dimension",
    Severity.ERROR,
    summary="The pooling of a sentence-transformers model expects another width than the model has.",
    why="Pooling tells all later modules and the vector database how long an embedding is; with another number "
    "encode() fails, or indexes are created with a dimension that no embedding has.",
    bad='1_Pooling/config.json: {"word_embedding_dimension": 768} for a model with hidden_size 384',
    good='{"word_embedding_dimension": 384}',
    hint="write hidden_size of config.json there, or save the model again",
    source=_ST_DOCS,
)
def pooling_dimension(folder: ModelFolder) -> Iterator[Problem]:
    """Only for a Pooling right after a Transformer whose config.json says hidden_size itself."""
    modules = _modules(folder)
    for before, module in pairwise(modules):
        if (before.name, module.name) != ("Transformer", "Pooling"):
            continue
        model = folder.json(before.directory + "config.json")
        pooling = folder.json(module.directory + "config.json")
        if model is None or pooling is None or model.get("auto_map"):
            continue
        width = model.get("hidden_size", model.get("dim") if model.get("model_type") == "distilbert" else None)
        key = "embedding_dimension" if pooling.get("embedding_dimension") is not None else "word_embedding_dimension"
        dimension = pooling.get(key)
        if type(width) is int and type(dimension) is int and width != dimension:
            path = module.directory + "config.json"
            yield Problem(f"{path}: {key} is {dimension:,}, and the model's hidden_size {width:,}", path=path)


@model_rules.rule(
    "CONF025",
    "module-of-other-code",
    Severity.INFO,
    summary="modules.json names a module that sentence-transformers does not have.",
    why="It is imported from code in the repo or from another package: the model loads only with trust_remote_code, "
    "or where that package is installed.",
    bad='{"type": "my_package.MyPooling"}',
    good='{"type": "sentence_transformers.models.Pooling"}',
    hint="say in the card what has to be installed, or that trust_remote_code=True is needed",
    source=_ST_DOCS,
)
def module_of_other_code(folder: ModelFolder) -> Iterator[Problem]:
    """All of them in one finding."""
    types = [module.type[:100] for module in _modules(folder) if not module.type.startswith("sentence_transformers.")]
    if types:
        yield Problem(f"{_MODULES} names modules of other code: {listed(types)}", path=_MODULES)


_SIMILARITIES = ("cosine", "dot", "dot_product", "euclidean", "manhattan", "maxsim", "meanmaxsim")


@model_rules.rule(
    "CONF026",
    "similarity-unknown",
    Severity.ERROR,
    summary="config_sentence_transformers.json names a similarity that does not exist, or prompts that are none.",
    why="model.similarity() raises ValueError on the name; a default prompt that is not defined stops the model from "
    "loading.",
    bad='{"similarity_fn_name": "cos"}',
    good='{"similarity_fn_name": "cosine"}',
    hint="name one of: cosine, dot, euclidean, manhattan (maxsim for late interaction)",
    source="https://sbert.net/docs/package_reference/sentence_transformer/SentenceTransformer.html",
)
def similarity_unknown(folder: ModelFolder) -> Iterator[Problem]:
    """similarity_fn_name, prompts and default_prompt_name; null leaves each to the default."""
    path = "config_sentence_transformers.json"
    document = folder.json(path) if folder.kind is ModelKind.SENTENCE_TRANSFORMERS else None
    if document is None or not isinstance(document.value, dict):
        return
    name = document.get("similarity_fn_name")
    if name is not None and name not in _SIMILARITIES:
        yield Problem(f"{path}: similarity_fn_name is {str(name)[:60]!r}, which does not exist", path=path)
    prompts = document.get("prompts")
    if prompts is not None and not isinstance(prompts, dict):
        yield Problem(f"{path}: prompts is not an object of names and texts", path=path, hint="write name: text pairs")
        return
    default = document.get("default_prompt_name")
    if default is not None and default not in (prompts or {}):
        yield Problem(
            f"{path}: default_prompt_name is {str(default)[:60]!r}, and prompts has no such name",
            path=path,
            hint="add the prompt, or set default_prompt_name to null",
        )


_INDEX = "model_index.json"
_HAS_CONFIG = re.compile(r".*(?:Model|WithProjection|SafetyChecker|ForConditionalGeneration)|Autoencoder\w+|VQModel")
_DIFFUSERS_LIBRARIES = ("diffusers", "transformers", "onnxruntime", "stable_diffusion", "optimum")


@model_rules.rule(
    "CONF027",
    "component-missing",
    Severity.ERROR,
    summary="model_index.json of a diffusers pipeline names a component that is not in the folder, or is malformed.",
    why="DiffusionPipeline.from_pretrained loads every component that is not null from the folder of its name.",
    bad='{"unet": ["diffusers", "UNet2DConditionModel"]} without unet/config.json',
    good="unet/config.json and its weights; [null, null] for a component that is left out",
    hint="save the pipeline again: pipeline.save_pretrained(FOLDER)",
    source=_PIPELINES,
)
def component_missing(folder: ModelFolder) -> Iterator[Problem]:
    """Components without a folder, models without their config.json, and entries that are no pair."""
    there = [entry.path for entry in (*folder.files, *folder.others)]
    for name, value in _components(folder):
        if not (isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) or v is None for v in value)):
            yield Problem(f"{_INDEX}: {name[:60]} is not a library and a class", path=_INDEX)
            continue
        library, cls = value
        if library is None or cls is None:
            continue
        if not any(path.startswith(f"{name}/") for path in there):
            yield Problem(f"{name}/ is missing: {_INDEX} names {cls} there", path=f"{name}/")
        elif library in ("diffusers", "transformers") and _HAS_CONFIG.fullmatch(cls):
            path = f"{name}/config.json"
            if folder.entry(path) is None:
                yield Problem(f"{path} is missing: {_INDEX} names {cls} there", path=path)


def _components(folder: ModelFolder) -> Iterator[tuple[str, Any]]:
    """The entries of model_index.json that name a component: those that are a list, and pairs gone wrong."""
    document = folder.json(_INDEX) if folder.kind is ModelKind.DIFFUSERS else None
    for key, value in (document.value or {}).items() if document is not None else ():
        if not key.startswith("_") and isinstance(value, list) and not all(isinstance(v, int | float) for v in value):
            yield key, value


@model_rules.rule(
    "CONF028",
    "component-of-other-code",
    Severity.INFO,
    summary="model_index.json names a component of a library that diffusers does not know.",
    why="It comes from code in the repo or from another package: the pipeline loads only with trust_remote_code, or "
    "where that package is installed.",
    bad='{"unet": ["my_pipeline", "MyUNet"]}',
    good='{"unet": ["diffusers", "UNet2DConditionModel"]}',
    hint="say in the card what has to be installed, or that trust_remote_code=True is needed",
    source="https://huggingface.co/docs/diffusers/using-diffusers/custom_pipeline_overview",
)
def component_of_other_code(folder: ModelFolder) -> Iterator[Problem]:
    """All of them in one finding."""
    names = [
        f"{name} ({value[0]}.{value[1]})"
        for name, value in _components(folder)
        if len(value) == 2 and isinstance(value[0], str) and value[0] not in _DIFFUSERS_LIBRARIES
    ]
    if names:
        yield Problem(f"{_INDEX} names components of other code: {listed(names)}", path=_INDEX)


@model_rules.rule(
    "CONF029",
    "classes-and-head-differ",
    Severity.ERROR,
    summary="config.json of a timm model names another number of classes than its head has.",
    why="timm.create_model builds the head by num_classes and refuses weights of another shape.",
    bad='{"architecture": "resnet18", "num_classes": 10} with fc.weight of shape [1000, 512]',
    good='{"architecture": "resnet18", "num_classes": 1000}',
    hint="write the number of rows of the head's weight as num_classes",
    source="https://huggingface.co/docs/timm/hf_hub",
)
def classes_and_head_differ(folder: ModelFolder) -> Iterator[Problem]:
    """Where pretrained_cfg names the head and it is in a safetensors file; num_classes 0 has no head."""
    config = folder.config
    if folder.kind is not ModelKind.TIMM or config is None:
        return
    pretrained = config.get("pretrained_cfg")
    pretrained = pretrained if isinstance(pretrained, dict) else {}
    classes = config.get("num_classes", pretrained.get("num_classes"))
    head = pretrained.get("classifier")
    if type(classes) is not int or classes < 1 or not isinstance(head, str):
        return
    for path in folder.weights.primary:
        tensor = folder.weights.headers[path].tensors.get(f"{head}.weight")
        if tensor is not None and tensor.shape and tensor.shape[0] != classes:
            yield Problem(
                f"config.json: num_classes is {classes:,}, and {head}.weight in {path} has {tensor.shape[0]:,} rows",
                path="config.json",
                tensor=f"{head}.weight",
            )


@model_rules.rule(
    "CONF031",
    "vocabulary-missing",
    Severity.ERROR,
    summary="A CTranslate2 model has no vocabulary.",
    why="CTranslate2 reads vocabulary.json or shared_vocabulary.json (for translation also source and target apart) "
    "together with model.bin, and raises RuntimeError without.",
    bad="model.bin and config.json alone",
    good="vocabulary.json, or vocabulary.txt of older converters, beside them",
    hint="convert the model again with ct2-transformers-converter, and copy the whole folder",
    source="https://opennmt.net/CTranslate2/model_spec.html",
)
def vocabulary_missing(folder: ModelFolder) -> Iterator[Problem]:
    """Any vocabulary file beside model.bin counts."""
    if folder.kind is not ModelKind.CTRANSLATE2 or "model.bin" not in folder.root_names:
        return
    names = [entry.name for entry in (*folder.files, *folder.others) if "/" not in entry.path]
    if not any(re.fullmatch(r"(?:\w+_)?vocabulary(?:_\d+)?\.(?:json|txt)", name) for name in names):
        yield Problem(
            "vocabulary.json is missing: CTranslate2 loads it together with model.bin", path="vocabulary.json"
        )
