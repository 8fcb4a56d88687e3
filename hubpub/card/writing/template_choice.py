"""Which profile of the card's templates fits a model: by the kind of its folder, then by its task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubpub.core.errors import UsageError
from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts

TEMPLATES = (
    "default",
    "llm",
    "adapter",
    "embedding",
    "classifier",
    "token-classification",
    "seq2seq",
    "vision",
    "speech",
    "quantized",
)
"""The profiles that hubpub brings; each is `NAME.md.jinja` in `templates/`."""

_SUFFIX = ".md.jinja"
_NAME = Pattern(r"[a-z0-9][a-z0-9_-]{0,60}")
_BY_KIND = {"adapter": "adapter", "gguf": "quantized"}
_BY_TASK = {
    "text-generation": "llm",
    "text-classification": "classifier",
    "zero-shot-classification": "classifier",
    "text-ranking": "classifier",
    "token-classification": "token-classification",
    "translation": "seq2seq",
    "summarization": "seq2seq",
    "automatic-speech-recognition": "speech",
    "audio-classification": "speech",
    "audio-to-audio": "speech",
    "text-to-speech": "speech",
    "text-to-audio": "speech",
    "voice-activity-detection": "speech",
    "image-classification": "vision",
    "object-detection": "vision",
    "image-segmentation": "vision",
    "depth-estimation": "vision",
    "mask-generation": "vision",
    "video-classification": "vision",
    "image-to-image": "vision",
    "image-feature-extraction": "vision",
    "image-text-to-text": "vision",
    "image-to-text": "vision",
    "zero-shot-image-classification": "vision",
    "zero-shot-object-detection": "vision",
    "keypoint-detection": "vision",
}


def choose_template(facts: CardFacts) -> str:
    """The name of the profile for a model."""
    if facts.kind in _BY_KIND:
        return _BY_KIND[facts.kind]
    if facts.kind == "sentence-transformers" and facts.pipeline_tag not in ("text-ranking", "text-classification"):
        return "embedding"
    if facts.quantization is not None or facts.quantised_files:
        return "quantized"
    if facts.pipeline_tag in _BY_TASK:
        return _BY_TASK[facts.pipeline_tag]
    if facts.pipeline_tag is None and (facts.architecture or "").endswith(("ForConditionalGeneration", "MTModel")):
        return "seq2seq"
    return "default"


def template_file(name: str) -> str:
    """The file of a profile: one of hubpub's, or one of the same form that a project has.

    Raises:
        UsageError: it cannot be the name of one.
    """
    if not _NAME.fullmatch(name):
        raise no_such_template(name)
    return name + _SUFFIX


def no_such_template(name: str) -> UsageError:
    """The error for a profile that is nowhere."""
    return UsageError(f"there is no template {name[:100]!r}", f"choose one of {', '.join(TEMPLATES)}")
