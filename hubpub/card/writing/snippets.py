"""Which usage snippet fits a model, in the current APIs: by its kind of folder, else by the auto class that loads it.

transformers 5 has no pipelines for summarization, translation and question answering any more
(https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md), so those load model and tokenizer. A
model that lacks what a snippet needs, such as its tokenizer, is only loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hubpub.card.hub_lists import read_data

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts


class _Snippet(NamedTuple):
    """A partial in `templates/snippets/`, what the repo must have for it, and the task of its pipeline."""

    name: str
    needs: tuple[str, ...] = ("tokenizer",)
    task: str = ""


_PICTURE, _SOUND = ("preprocessor",), ("preprocessor", "tokenizer")
_BY_AUTO_CLASS = {
    "AutoModel": _Snippet("feature-extraction"),
    "AutoModelForTextEncoding": _Snippet("feature-extraction"),
    "AutoModelForCausalLM": _Snippet("text-generation"),
    "AutoModelForSeq2SeqLM": _Snippet("seq2seq"),
    "AutoModelForMaskedLM": _Snippet("fill-mask"),
    "AutoModelForSequenceClassification": _Snippet("text-classification"),
    "AutoModelForTokenClassification": _Snippet("token-classification"),
    "AutoModelForQuestionAnswering": _Snippet("question-answering"),
    "AutoModelForMultipleChoice": _Snippet("multiple-choice"),
    "AutoModelForImageClassification": _Snippet("picture", _PICTURE, "image-classification"),
    "AutoModelForObjectDetection": _Snippet("picture", _PICTURE, "object-detection"),
    "AutoModelForSemanticSegmentation": _Snippet("picture", _PICTURE, "image-segmentation"),
    "AutoModelForImageSegmentation": _Snippet("picture", _PICTURE, "image-segmentation"),
    "AutoModelForInstanceSegmentation": _Snippet("picture", _PICTURE, "image-segmentation"),
    "AutoModelForUniversalSegmentation": _Snippet("picture", _PICTURE, "image-segmentation"),
    "AutoModelForDepthEstimation": _Snippet("picture", _PICTURE, "depth-estimation"),
    "AutoModelForZeroShotImageClassification": _Snippet("picture", _SOUND, "zero-shot-image-classification"),
    "AutoModelForZeroShotObjectDetection": _Snippet("picture", _SOUND, "zero-shot-object-detection"),
    "AutoModelForVideoClassification": _Snippet("film", _PICTURE),
    "AutoModelForImageTextToText": _Snippet("image-text-to-text", _SOUND),
    "AutoModelForAudioClassification": _Snippet("sound", _PICTURE, "audio-classification"),
    "AutoModelForCTC": _Snippet("sound", _SOUND, "automatic-speech-recognition"),
    "AutoModelForSpeechSeq2Seq": _Snippet("sound", _SOUND, "automatic-speech-recognition"),
    "AutoModelForTextToWaveform": _Snippet("speech"),
}
_BY_KIND = {"adapter": "adapter", "diffusers": "diffusers", "gguf": "gguf", "onnx": "onnx", "timm": "timm"}
_SENTENCE_SNIPPETS = {
    "SentenceTransformer": "sentence-transformers",
    "CrossEncoder": "cross-encoder",
    "SparseEncoder": "sparse-encoder",
}
_PEFT_CLASSES = {
    "CAUSAL_LM": "AutoPeftModelForCausalLM",
    "SEQ_2_SEQ_LM": "AutoPeftModelForSeq2SeqLM",
    "SEQ_CLS": "AutoPeftModelForSequenceClassification",
    "TOKEN_CLS": "AutoPeftModelForTokenClassification",
    "QUESTION_ANS": "AutoPeftModelForQuestionAnswering",
    "FEATURE_EXTRACTION": "AutoPeftModelForFeatureExtraction",
}
# What loads weights of a quantised kind, beside transformers itself:
# https://huggingface.co/docs/transformers/quantization/overview
_QUANTISERS = {
    "bitsandbytes": ("accelerate", "bitsandbytes"),
    "gptq": ("accelerate", "optimum", "gptqmodel"),
    "awq": ("accelerate", "gptqmodel"),
    "compressed-tensors": ("accelerate", "compressed-tensors"),
    "hqq": ("accelerate", "hqq"),
    "quanto": ("accelerate", "optimum-quanto"),
    "torchao": ("accelerate", "torchao"),
    "aqlm": ("accelerate", "aqlm"),
    "eetq": ("accelerate", "eetq"),
    "mxfp4": ("accelerate", "kernels"),
    "fp8": ("accelerate", "kernels"),
    "bitnet": ("accelerate",),
    "vptq": ("accelerate", "vptq"),
    "auto-round": ("accelerate", "auto-round"),
}
# The languages of the tokenizers that are told them: the code of the source, and that of the target.
_LANGUAGE_CODES = {
    "NllbTokenizer": ("eng_Latn", "fra_Latn"),
    "M2M100Tokenizer": ("en", "__fr__"),
    "MBart50Tokenizer": ("en_XX", "fr_XX"),
}
# Of several quantisations, the one that people begin with.
_GGUF_FIRST = {"Q4_K_M", "UD-Q4_K_XL"}
# Families that describe a picture without being asked, and those that the pipeline for speech knows how to run.
_DESCRIBING = {"blip", "blip-2", "git", "vision-encoder-decoder"}
_SPEAKING = {"vits", "bark", "musicgen"}
# Families that get more than text: where the words stand on a page, tables.
WITH_MORE_THAN_TEXT = {"layoutlm", "layoutlmv2", "layoutlmv3", "lilt", "bros", "markuplm", "tapas"}
_OF_TEXT_ALONE = (
    "text-classification",
    "token-classification",
    "question-answering",
    "fill-mask",
    "feature-extraction",
)
# Families that make sound of what they are given, though their auto class is that of speech recognition.
_MAKING_SOUND = {"dia", "pop2piano"}


def choose_snippet(facts: CardFacts) -> str:
    """The name of the partial in `templates/snippets/`."""
    usage = facts.usage
    if usage.setfit:
        return "setfit"
    if usage.adapters:
        return "named-adapters" if facts.base_model else "download"
    if usage.sentence_class:
        return _SENTENCE_SNIPPETS[usage.sentence_class]
    if (facts.kind == "adapter" and facts.library_name != "peft") or (facts.kind == "onnx" and usage.onnx is None):
        return "download"
    if facts.library_name == "mlx" and facts.pipeline_tag == "text-generation":
        return "mlx"
    if facts.quantization == "mlx":
        return "download"  # transformers cannot read it
    if facts.kind != "transformers" or usage.auto_class is None:
        return _BY_KIND.get(facts.kind, "download")
    if usage.auto_class == "AutoModel" and usage.image and not usage.sound:
        return "image-features" if usage.preprocessor and not usage.tokenizer else "transformers"
    snippet = _BY_AUTO_CLASS.get(usage.auto_class)
    if snippet is None or not all(getattr(usage, need) for need in snippet.needs):
        return "transformers"
    return _in_particular(facts, snippet.name)


def _in_particular(facts: CardFacts, name: str) -> str:
    """The snippet of a model that is more special than its auto class."""
    usage = facts.usage
    if name == "text-generation" and usage.chat:
        return "chat"
    if facts.model_type in WITH_MORE_THAN_TEXT and name in _OF_TEXT_ALONE:
        return "transformers"
    if name == "text-classification" and usage.classes == 1:
        return "reward"
    if name == "image-text-to-text" and not usage.chat and facts.model_type in _DESCRIBING:
        return "image-to-text"
    unfit = {
        "sound": facts.model_type in _MAKING_SOUND,
        "fill-mask": not facts.mask_token,
        "seq2seq": usage.sound or usage.image,
        "question-answering": usage.preprocessor,
        "feature-extraction": usage.sound or (usage.two_parts and usage.auto_class == "AutoModel"),
        "image-text-to-text": not usage.chat,
        "speech": facts.model_type not in _SPEAKING,
    }
    return "transformers" if unfit.get(name) else name


def peft_class(facts: CardFacts) -> str:
    """The class of PEFT that loads an adapter."""
    return _PEFT_CLASSES.get(facts.peft_task or "", "AutoPeftModel")


def snippet_names(facts: CardFacts) -> dict[str, Any]:
    """What the partials may use beside `facts`."""
    usage = facts.usage
    snippet = _BY_AUTO_CLASS.get(usage.auto_class or "")
    packages = (*(["timm"] if usage.timm_backbone else []), *_QUANTISERS.get(facts.quantization or "", ()))
    codes = _LANGUAGE_CODES.get((usage.tokenizer_class or "").removesuffix("Fast"), ())
    return {
        "snippet": choose_snippet(facts),
        "usage": usage,
        "task_of_pipeline": snippet.task if snippet else "",
        "example": _example_texts(("en",) if codes else facts.language),
        "packages": "".join(f" {package}" for package in packages),
        "remote_code": ", trust_remote_code=True" if usage.own_code else "",
        "device_map": ', device_map="auto"' if facts.quantization in _QUANTISERS else "",
        "peft_class": peft_class(facts),
        "base_class": peft_class(facts).replace("AutoPeftModel", "AutoModel").replace("ForFeatureExtraction", ""),
        "language_codes": codes,
        "pairs": bool(set(map(str.casefold, facts.labels)) & {"entailment", "contradiction"}),
        "gguf_file": min(usage.gguf, key=lambda file: (file[1] not in _GGUF_FIRST, *file), default=None),
        "vllm": facts.architecture in read_data("vllm-architectures.json")["names"],
        "text_to_image": usage.pipeline_class in read_data("text-to-image.json")["names"],
    }


def _example_texts(languages: tuple[str, ...]) -> Mapping[str, Any]:
    """Sentences in the first of the languages that there are some in; else in English."""
    texts: Mapping[str, Mapping[str, Any]] = read_data("example-texts.json")["texts"]
    return next((texts[code] for language in languages if (code := language.partition("-")[0]) in texts), texts["en"])
