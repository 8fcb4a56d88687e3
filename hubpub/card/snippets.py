"""Which usage snippet fits a model: by its kind of folder, then by its task, in the current APIs.

transformers 5 has no pipelines for summarization, translation and question answering any more
(https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md), so those load model and tokenizer.
"""

from __future__ import annotations

from hubpub.card.facts import CardFacts

_BY_KIND = {"sentence-transformers": "sentence-transformers", "adapter": "adapter", "diffusers": "diffusers"}
_BY_TASK = {
    "text-classification": "text-classification",
    "token-classification": "token-classification",
    "fill-mask": "fill-mask",
    "text-generation": "text-generation",
    "feature-extraction": "feature-extraction",
    "question-answering": "question-answering",
}
# Tasks whose pipeline takes one file.
_EXAMPLE_INPUTS = {
    "image-classification": "photo.jpg",
    "object-detection": "photo.jpg",
    "image-segmentation": "photo.jpg",
    "depth-estimation": "photo.jpg",
    "mask-generation": "photo.jpg",
    "video-classification": "film.mp4",
    "audio-classification": "sound.wav",
    "automatic-speech-recognition": "speech.wav",
}
_PEFT_CLASSES = {
    "CAUSAL_LM": "AutoPeftModelForCausalLM",
    "SEQ_2_SEQ_LM": "AutoPeftModelForSeq2SeqLM",
    "SEQ_CLS": "AutoPeftModelForSequenceClassification",
    "TOKEN_CLS": "AutoPeftModelForTokenClassification",
    "QUESTION_ANS": "AutoPeftModelForQuestionAnswering",
    "FEATURE_EXTRACTION": "AutoPeftModelForFeatureExtraction",
}


def choose_snippet(facts: CardFacts) -> str:
    """The name of the partial in `templates/snippets/`."""
    if facts.kind != "transformers":
        return _BY_KIND.get(facts.kind, "download")
    task = facts.pipeline_tag or ""
    if task in _EXAMPLE_INPUTS:
        return "media"
    if not facts.has_tokenizer:
        return "transformers"
    if task == "text-generation" and facts.chat_template:
        return "chat"
    if task not in _BY_TASK and (facts.architecture or "").endswith(("ForConditionalGeneration", "MTModel")):
        return "transformers" if task == "image-text-to-text" else "seq2seq"
    return _BY_TASK.get(task, "transformers")


def example_input(facts: CardFacts) -> str:
    """The file that the snippet of an image, audio or video model reads; empty for others."""
    return _EXAMPLE_INPUTS.get(facts.pipeline_tag or "", "")


def peft_class(facts: CardFacts) -> str:
    """The class of PEFT that loads an adapter."""
    return _PEFT_CLASSES.get(facts.peft_task or "", "AutoPeftModel")
