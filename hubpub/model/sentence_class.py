"""Which class of sentence-transformers loads a model: one that embeds, one that scores pairs, or a sparse one.

https://sbert.net/docs/package_reference/base/model.html writes it into config_sentence_transformers.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubpub.model.kind import ModelKind

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

SENTENCE_TRANSFORMER, CROSS_ENCODER, SPARSE_ENCODER = "SentenceTransformer", "CrossEncoder", "SparseEncoder"
SENTENCE_CONFIG = "config_sentence_transformers.json"


def sentence_class(folder: ModelFolder) -> str | None:
    """The class by `model_type`, which files before version 5 do not have; None for what is none of the library's.

    A cross-encoder saved by those is known by what it left in config.json.
    """
    if folder.kind is ModelKind.SENTENCE_TRANSFORMERS:
        written = folder.json(SENTENCE_CONFIG)
        name = written.get("model_type") if written else None
        return name if name in (CROSS_ENCODER, SPARSE_ENCODER) else SENTENCE_TRANSFORMER
    left = folder.config.get("sentence_transformers") if folder.config else None
    return CROSS_ENCODER if isinstance(left, dict) else None
