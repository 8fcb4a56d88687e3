"""What the files of a model say of how it is loaded and called: the facts that its usage snippets depend on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubpub.card.code.removed_api import auto_classes_that_make, model_types_of
from hubpub.card.facts.named_adapters import named_adapters
from hubpub.card.facts.other_libraries import PIPELINE_INDEX, is_setfit
from hubpub.core.pattern import Pattern
from hubpub.model.chat import DEFAULT, ChatTemplate, Reader
from hubpub.model.configs import wants_preprocessor
from hubpub.model.jsonfile import json_object
from hubpub.model.kind import ModelKind
from hubpub.model.sentence_class import sentence_class

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

# A class can be made by several auto classes; the first of these says most of what it is for.
_TELLING = (
    *("AutoModelForCausalLM", "AutoModelForImageTextToText", "AutoModelForSpeechSeq2Seq", "AutoModelForSeq2SeqLM"),
    *("AutoModelForMaskedLM", "AutoModelForZeroShotImageClassification", "AutoModelForTextToWaveform"),
)
_TELLING_LITTLE = ("AutoModelForMultimodalLM", "AutoModel", "AutoModelForTextEncoding", "AutoModelForPreTraining")
_PREPROCESSORS = ("preprocessor_config.json", "processor_config.json")
_VIDEO_TOKENS = {"video_token_id", "video_token_index"}
_POOLING = (1, 2, 3)  # mean, CLS, last: https://github.com/ggml-org/llama.cpp/blob/master/include/llama.h
_FROM_TOKENIZER = {"input_ids", "attention_mask", "token_type_ids"}
_CLASSIFIER = Pattern(r"(?:^|\.)(?:classifier|score|out_proj)\.(?:modules_to_save\.[\w-]+\.)?(?:base_layer\.)?weight$")
# Shards after the first, and what is not a language model: projectors for images, importance matrices.
_GGUF_MODEL = Pattern(r"(?!.*(?:mmproj|imatrix))(?:.*-00001-of-\d{5}|(?!.*-\d{5}-of-\d{5}).*)\.gguf", re.IGNORECASE)
_GGUF_QUANT = Pattern(
    r"(?:^|[-_.])((?:UD-)?(?:I?Q\d(?:_[0-9A-Z]+)*|TQ\d_\d|MXFP4(?:_MOE)?|BF16|F16|F32))"
    r"(?:-00001-of-\d{5})?\.gguf$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Usage:
    """How a model is loaded and called; empty where the files do not say.

    Attributes:
        auto_class: the auto class of transformers that loads its architecture.
        own_code: the Python files of the repo that define it, which run only with trust_remote_code.
        tokenizer: whether the repo has a tokenizer.
        preprocessor: whether the repo has what turns pictures or sound into tensors.
        chat: whether a chat template formats conversations for it.
        thinking: whether that template reads `enable_thinking`.
        classes: how many labels it tells apart, if it is a classifier.
        several_labels: whether several labels can be true at once.
        regression: whether each label stands for a number and not for a class.
        sampling_rate: of the sound that it hears, in Hz.
        frames: of a film that it looks at.
        image: whether its configuration has a part for pictures.
        sound: whether it hears sound.
        decoder_only: whether it reads from left to right.
        two_parts: whether it has an encoder and a decoder.
        prefix: what the text begins with that a sequence-to-sequence model gets.
        tokenizer_class: what reads its vocabulary.
        sentence_class: the class of sentence-transformers that loads it.
        prompts: names of the prompts that are not empty.
        gguf: the files that llama.cpp loads, each with the quantisation that its name says.
        gguf_embeds: whether they make vectors of texts.
        onnx: the ONNX model to load.
        onnx_reads_text: whether what a tokenizer makes is all that it takes.
        pipeline_class: of diffusers.
        setfit: whether it is a SetFit model.
        adapters: names of the adapters, where there are several.
        auto_mapping: whether an adapter names the class of its base model.
        timm_backbone: whether transformers needs timm for it.
        video: whether its text may hold films, which its processor reads with torchvision.
    """

    auto_class: str | None = None
    own_code: tuple[str, ...] = ()
    tokenizer: bool = False
    preprocessor: bool = False
    chat: bool = False
    thinking: bool = False
    classes: int | None = None
    several_labels: bool = False
    regression: bool = False
    sampling_rate: int = 16_000
    frames: int = 16
    image: bool = False
    sound: bool = False
    decoder_only: bool = False
    two_parts: bool = False
    prefix: str = ""
    tokenizer_class: str | None = None
    sentence_class: str | None = None
    prompts: tuple[str, ...] = ()
    gguf: tuple[tuple[str, str], ...] = ()
    gguf_embeds: bool = False
    onnx: str | None = None
    onnx_reads_text: bool = False
    pipeline_class: str | None = None
    setfit: bool = False
    adapters: tuple[str, ...] = ()
    auto_mapping: bool = False
    timm_backbone: bool = False
    video: bool = False


def usage_of(folder: ModelFolder) -> Usage:
    """What the files of `folder` say of how the model is used."""
    config = json_object(folder.config)
    template = _template(folder)
    image = isinstance(config.get("vision_config"), dict) or "image_size" in config or "patch_size" in config
    reading = _onnx_that_read(folder)
    onnx = _onnx(folder, reading)
    return Usage(
        auto_class=_auto_class(folder, config, sees=image),
        own_code=_own_code(folder, config),
        tokenizer=folder.tokenizer.usable,
        preprocessor=not folder.root_names.isdisjoint(_PREPROCESSORS),
        chat=template is not None,
        thinking=template is not None and "enable_thinking" in (template.text or ""),
        classes=_classes(folder, config),
        several_labels=config.get("problem_type") == "multi_label_classification",
        regression=config.get("problem_type") == "regression",
        sampling_rate=_sampling_rate(folder) or 16_000,
        frames=_small(config.get("num_frames")) or 16,
        image=image,
        sound=_hears(folder, config),
        decoder_only=_is_decoder(folder),
        two_parts=config.get("is_encoder_decoder") is True,
        prefix=_prefix(config),
        tokenizer_class=folder.tokenizer.tokenizer_class,
        sentence_class=sentence_class(folder),
        prompts=_prompts(folder),
        gguf=tuple(_gguf(folder)),
        gguf_embeds=gguf_embeds(folder),
        onnx=onnx,
        onnx_reads_text=onnx in reading,
        pipeline_class=_word(json_object(folder.json(PIPELINE_INDEX)).get("_class_name")),
        setfit=is_setfit(folder),
        adapters=tuple(adapter.name for adapter in named_adapters(folder)),
        auto_mapping=isinstance(json_object(folder.adapter_config).get("auto_mapping"), dict),
        timm_backbone=config.get("use_timm_backbone") is True,
        video=not _VIDEO_TOKENS.isdisjoint(config) or "video_preprocessor_config.json" in folder.root_names,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z]\w{0,99}", value, re.ASCII) else None


def _small(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1_000_000 else None


def _auto_class(folder: ModelFolder, config: Mapping[str, Any], *, sees: bool) -> str | None:
    """The auto class that loads the model; None when transformers has none and the repo brings none."""
    if folder.kind not in (ModelKind.TRANSFORMERS, ModelKind.ONNX):
        return None
    architecture = folder.architectures[0] if folder.architectures else None
    made_by = auto_classes_that_make().get(architecture or "", frozenset())
    if not made_by:
        own = _mapping(config.get("auto_map"))
        made_by = frozenset(
            key for key, made in own.items() if _is_class(made, architecture) and model_types_of(key) is not None
        )
    if not made_by:
        known = folder.model_type in (model_types_of("AutoModel") or ())
        return "AutoModel" if known and architecture is None else None
    telling = list(_TELLING)
    if "AutoModelForMaskedLM" in made_by and config.get("causal") is not True:
        telling.remove("AutoModelForCausalLM")  # XLM and FlauBERT have one class for both
    if sees and "AutoModelForImageTextToText" in made_by:
        telling.insert(0, "AutoModelForImageTextToText")
    specific = [name for name in sorted(made_by) if name not in (*_TELLING, *_TELLING_LITTLE)]
    return next(name for name in (*telling, *specific, *_TELLING_LITTLE) if name in made_by)


def _is_class(reference: Any, architecture: str | None) -> bool:
    """Whether "modeling_x.XForCausalLM", an entry of `auto_map`, is the architecture."""
    return isinstance(reference, str) and reference.rpartition(".")[2] == architecture


def _own_code(folder: ModelFolder, config: Mapping[str, Any]) -> tuple[str, ...]:
    """The files that run only when they are trusted; transformers prefers its own code for types that it knows."""
    named = list(_modules(folder))
    if folder.model_type not in (model_types_of("AutoModel") or ()):
        named += [str(value).rpartition("--")[2] for value in _mapping(config.get("auto_map")).values()]
    modules = {name.partition(".")[0] + ".py" for name in named}
    return tuple(sorted(modules & folder.root_names))


def _template(folder: ModelFolder) -> ChatTemplate | None:
    """The template that apply_chat_template, or llama.cpp, uses when none is named."""
    return next(
        (
            template
            for template in folder.chat_templates
            if template.used
            and template.text
            and template.name == DEFAULT
            and not template.directory
            and template.reader is not Reader.PERSON
        ),
        None,
    )


def _classes(folder: ModelFolder, config: Mapping[str, Any]) -> int | None:
    """The labels of a classifier: by config.json, or of an adapter by the weights of its head."""
    if folder.kind is ModelKind.ADAPTER:
        for header in folder.weights.headers.values():
            for name, tensor in header.tensors.items():
                if _CLASSIFIER.search(name) and len(tensor.shape) == 2:
                    return _small(tensor.shape[0])
        return None
    labels = config.get("id2label")
    return len(labels) if isinstance(labels, dict) and labels else _small(config.get("num_labels"))


def _sampling_rate(folder: ModelFolder) -> int | None:
    for name in _PREPROCESSORS:
        settings = json_object(folder.json(name))
        for part in (settings, _mapping(settings.get("feature_extractor"))):
            if rate := _small(part.get("sampling_rate")):
                return rate
    return None


def _hears(folder: ModelFolder, config: Mapping[str, Any]) -> bool:
    by_class = any(wants_preprocessor(name) == "sound" for name in folder.architectures[:1])
    return by_class or isinstance(config.get("audio_config"), dict) or _sampling_rate(folder) is not None


def _is_decoder(folder: ModelFolder) -> bool:
    causal = model_types_of("AutoModelForCausalLM") or frozenset()
    masked = model_types_of("AutoModelForMaskedLM") or frozenset()
    return folder.model_type in causal - masked


def _prefix(config: Mapping[str, Any]) -> str:
    """What a T5 was trained to see before the text, where it was trained for one task only."""
    tasks = config.get("task_specific_params")
    if not isinstance(tasks, dict) or len(tasks) != 1:
        return ""
    settings = next(iter(tasks.values()))
    prefix = settings.get("prefix") if isinstance(settings, dict) else None
    return prefix if isinstance(prefix, str) and len(prefix) <= 100 else ""


def _modules(folder: ModelFolder) -> Iterator[str]:
    """The classes that a sentence-transformers model consists of."""
    listed = folder.modules
    for module in listed.value if listed is not None and isinstance(listed.value, list) else ():
        if isinstance(module, dict):
            yield str(module.get("type"))


def _prompts(folder: ModelFolder) -> tuple[str, ...]:
    prompts = _mapping(json_object(folder.json("config_sentence_transformers.json")).get("prompts"))
    return tuple(name for name, text in prompts.items() if isinstance(text, str) and text)


def _gguf(folder: ModelFolder) -> Iterator[tuple[str, str]]:
    for entry in folder.release_files:
        header = folder.gguf.get(entry.path)
        if _GGUF_MODEL.fullmatch(entry.path) and (header is None or header.is_model):
            quant = _GGUF_QUANT.search(entry.name)
            yield entry.path, quant[1].upper() if quant else ""


def gguf_embeds(folder: ModelFolder) -> bool:
    """Whether a GGUF file says how vectors of tokens become one; a ranking (4) is no vector."""
    return any(file.pooling in _POOLING for file in folder.gguf.values() if file.is_model)


def _onnx(folder: ModelFolder, reading: frozenset[str]) -> str | None:
    """The plainest ONNX file: what reads text before what gets it from another, model.onnx before its variants."""
    paths = [entry.path for entry in folder.release_files if entry.name.endswith(".onnx")]
    return min(
        paths,
        key=lambda path: (path not in reading, not path.endswith("model.onnx"), len(path), path),
        default=None,
    )


def _onnx_that_read(folder: ModelFolder) -> frozenset[str]:
    """The ONNX files that take what a tokenizer makes, and nothing else: no pictures, no states of an encoder."""
    if folder.kind is not ModelKind.ONNX:
        return frozenset()
    return frozenset(
        path
        for path, file in folder.onnx.items()
        if "input_ids" in file.inputs and _FROM_TOKENIZER.issuperset(file.inputs)
    )
