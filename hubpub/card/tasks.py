"""The Hub's task for a model class: `pipeline_tag` from `architectures`, `task_type` or the kind of folder."""

from __future__ import annotations

import re

# The heads of transformers' model classes, as in its auto mappings
# (https://github.com/huggingface/transformers/blob/main/src/transformers/models/auto/modeling_auto.py).
_BY_HEAD = (
    (r"ForSequenceClassification", "text-classification"),
    (r"ForTokenClassification", "token-classification"),
    (r"ForQuestionAnswering", "question-answering"),
    (r"ForMultipleChoice", "multiple-choice"),
    (r"ForMaskedLM|WithLMHeadModel", "fill-mask"),
    (r"ForCausalLM|LMHeadModel", "text-generation"),
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
    ("bare", "clip"): "zero-shot-image-classification",
    ("bare", "siglip"): "zero-shot-image-classification",
    ("bare", "marian"): "translation",
}
_BY_PEFT_TASK = {
    "SEQ_CLS": "text-classification",
    "TOKEN_CLS": "token-classification",
    "CAUSAL_LM": "text-generation",
    "QUESTION_ANS": "question-answering",
    "FEATURE_EXTRACTION": "feature-extraction",
}


def pipeline_tag_of(architecture: str, model_type: str | None, *, sees: bool, reads: bool) -> str | None:
    """The pipeline tag of a transformers class; None when the class does not tell.

    Args:
        architecture: the class.
        model_type: its family in config.json.
        sees: whether the configuration has a part for images.
        reads: whether the configuration has a part for text.
    """
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
        if not sees and not architecture.endswith(("DecoderModel", "DoubleHeadsModel")):
            return "feature-extraction"
    return None


def pipeline_tag_of_adapter(task_type: object) -> str | None:
    """The pipeline tag of a PEFT adapter's `task_type`."""
    return _BY_PEFT_TASK.get(task_type) if isinstance(task_type, str) else None
