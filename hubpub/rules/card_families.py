"""The rules about a card: importing this module declares them."""

from __future__ import annotations

from hubpub.rules import (
    legal,
    legal_licence,
    legal_use,
    meta,
    sect,
    text,
    usage,
    usage_loading,
    usage_names,
    usage_transformers,
)

CARD_FAMILIES = (
    *(meta, sect, text),
    *(usage, usage_loading, usage_names, usage_transformers),
    *(legal, legal_licence, legal_use),
)
