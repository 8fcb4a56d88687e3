"""The rules about a card: importing this module declares them."""

from __future__ import annotations

from hubpub.rules import eval as eval_metadata
from hubpub.rules import eval_folder, eval_metrics, eval_text, eval_values, meta, sect, text, train, train_folder

CARD_FAMILIES = (
    meta,
    sect,
    text,
    eval_metadata,
    eval_metrics,
    eval_text,
    eval_values,
    eval_folder,
    train,
    train_folder,
)
