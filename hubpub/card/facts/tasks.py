"""The Hub's task for a model class: `pipeline_tag` from `architectures`, `task_type` or the kind of folder."""

from __future__ import annotations

import re

from hubpub.model.configs import wants_preprocessor

# Classes that do something else than their head says.
_BY_CLASS = (
    (
        r"(?:MM)?GroundingDinoForObjectDetection|OwlViTForObjectDetection|Owlv2ForObjectDetection"
        r"|OmDetTurboForObjectDetection",
        "zero-shot-object-detection",
    ),
    (r"(?:Blip|Vilt)ForQuestionAnswering", "visual-question-answering"),
    (r"LayoutLM(?:v2|v3)?ForQuestionAnswering", "document-question-answering"),
    (r"TapasForQuestionAnswering", "table-question-answering"),
    (r"(?:Vits|Bark|FastSpeech2Conformer)Model", "text-to-speech"),
    (r"Sam(?:2|HQ|3Tracker)?Model|EdgeTamModel", "mask-generation"),
    (r"VisionEncoderDecoderModel|GitForCausalLM", "image-to-text"),
    (r"FuyuForCausalLM", "image-text-to-text"),
    (r"SpeechEncoderDecoderModel|(?:SpeechT5|SeamlessM4T(?:v2)?)ForSpeechToText", "automatic-speech-recognition"),
    (r"(?:SpeechT5|SeamlessM4T(?:v2)?)ForTextToSpeech", "text-to-speech"),
)
# The heads of transformers' model classes, as in its auto mappings
# (https://github.com/huggingface/transformers/blob/main/src/transformers/models/auto/modeling_auto.py).
_BY_HEAD = (
    (r"ForSequenceClassification", "text-classification"),
    (r"ForTokenClassification", "token-classification"),
    (r"ForQuestionAnswering(?:Simple)?", "question-answering"),
    (r"ForMultipleChoice", "multiple-choice"),
    (r"ForMaskedLM|(?:XLM|Flaubert)WithLMHeadModel", "fill-mask"),
    (r"ForCausalLM|(?<!With)LMHeadModel", "text-generation"),
    (r"For(?:Image|Video)Classification(?:WithTeacher)?", "image-classification"),
    (r"ForObjectDetection", "object-detection"),
    (r"For(?:Semantic|Instance|Universal|Image)Segmentation", "image-segmentation"),
    (r"ForDepthEstimation", "depth-estimation"),
    (r"ForMaskGeneration", "mask-generation"),
    (r"ForZeroShotImageClassification", "zero-shot-image-classification"),
    (r"ForZeroShotObjectDetection", "zero-shot-object-detection"),
    (r"ForAudioClassification", "audio-classification"),
    (r"ForCTC|ForSpeechSeq2Seq", "automatic-speech-recognition"),
    (r"ForVisualQuestionAnswering", "visual-question-answering"),
    (r"ForTableQuestionAnswering", "table-question-answering"),
)
# What "ForConditionalGeneration" and bare models do depends on the family.
_BY_MODEL_TYPE = {
    ("conditional", "marian"): "translation",
    ("conditional", "m2m_100"): "translation",
    ("conditional", "pegasus"): "summarization",
    ("conditional", "whisper"): "automatic-speech-recognition",
    ("conditional", "speech_to_text"): "automatic-speech-recognition",
    ("conditional", "moonshine"): "automatic-speech-recognition",
    ("conditional", "fsmt"): "translation",
    ("conditional", "nllb-moe"): "translation",
    ("conditional", "musicgen"): "text-to-audio",
    ("conditional", "dia"): "text-to-speech",
    ("bare", "clip"): "zero-shot-image-classification",
    ("bare", "siglip"): "zero-shot-image-classification",
    ("bare", "siglip2"): "zero-shot-image-classification",
    ("bare", "align"): "zero-shot-image-classification",
    ("bare", "chinese_clip"): "zero-shot-image-classification",
    ("bare", "metaclip_2"): "zero-shot-image-classification",
    ("bare", "marian"): "translation",
}
_BY_PEFT_TASK = {
    "SEQ_CLS": "text-classification",
    "TOKEN_CLS": "token-classification",
    "CAUSAL_LM": "text-generation",
    "QUESTION_ANS": "question-answering",
    "FEATURE_EXTRACTION": "feature-extraction",
}
# Tasks that a model made for another one is published for as well, with good reason: embeddings and rerankers keep the
# head that they were trained from, a classifier of pairs ranks, and a language model is asked for anything.
_ALSO = {
    "text-classification": {"zero-shot-classification", "text-ranking", "sentence-similarity", "feature-extraction"},
    "fill-mask": {
        "feature-extraction",
        "sentence-similarity",
        "text-retrieval",
        "text-ranking",
        "zero-shot-classification",
        "text-generation",
    },
    "token-classification": {"text-classification", "summarization"},
    "question-answering": {"document-question-answering", "visual-question-answering", "table-question-answering"},
    "image-classification": {"image-feature-extraction", "feature-extraction", "zero-shot-image-classification"},
    "object-detection": {"zero-shot-object-detection", "image-segmentation"},
    "image-segmentation": {"depth-estimation", "mask-generation", "object-detection", "zero-shot-object-detection"},
    "audio-classification": {"automatic-speech-recognition", "feature-extraction", "audio-to-audio"},
}
# A language model is published for almost anything; for these it has no output.
_NOT_OF_A_LANGUAGE_MODEL = {
    "fill-mask",
    "image-classification",
    "object-detection",
    "image-segmentation",
    "depth-estimation",
    "mask-generation",
    "video-classification",
    "zero-shot-object-detection",
    "unconditional-image-generation",
}


def contradicts(tag: str, expected: str) -> bool:
    """Whether a model whose class tells the task `expected` cannot be meant for `tag`; False when unsure."""
    if tag in (expected, "other", "any-to-any", "robotics", "reinforcement-learning"):
        return False
    if expected == "text-generation":
        return tag in _NOT_OF_A_LANGUAGE_MODEL
    return expected in _ALSO and tag not in _ALSO[expected]


def pipeline_tag_of(architecture: str, model_type: str | None, *, sees: bool, reads: bool) -> str | None:
    """The pipeline tag of a transformers class; None when the class does not tell.

    Args:
        architecture: the class.
        model_type: its family in config.json.
        sees: whether the configuration has a part for images.
        reads: whether the configuration has a part for text.
    """
    for classes, tag in _BY_CLASS:
        if re.fullmatch(classes, architecture):
            return tag
    if architecture.endswith("ForSequenceClassification") and wants_preprocessor(architecture) == "sound":
        return "audio-classification"
    for head, tag in _BY_HEAD:
        if re.search(rf"(?:{head})$", architecture):
            return "video-classification" if architecture.endswith("ForVideoClassification") else tag
    if architecture.endswith("ForConditionalGeneration"):
        known = _BY_MODEL_TYPE.get(("conditional", model_type or ""))
        return known or ("image-text-to-text" if sees and reads else None)
    if architecture.endswith("Model"):
        known = _BY_MODEL_TYPE.get(("bare", model_type or ""))
        if known:
            return known
        if not sees and not architecture.endswith(("DecoderModel", "DoubleHeadsModel", "LMHeadModel")):
            return "feature-extraction"
    return None


def pipeline_tag_of_adapter(task_type: object) -> str | None:
    """The pipeline tag of a PEFT adapter's `task_type`."""
    return _BY_PEFT_TASK.get(task_type) if isinstance(task_type, str) else None
