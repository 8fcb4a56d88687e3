"""The rules about a card: importing this module declares them."""

from __future__ import annotations

from hubpub.rules import meta, meta_block, meta_file, meta_implicit, sect, text

CARD_FAMILIES = (meta, meta_block, meta_file, meta_implicit, sect, text)
