"""The rules about a card: importing this module declares them."""

from __future__ import annotations

from hubpub.rules import eval as eval_metadata
from hubpub.rules import meta, sect, text

CARD_FAMILIES = (meta, sect, text, eval_metadata)
