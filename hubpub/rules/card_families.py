"""The rules about a card: importing this module declares them."""

from __future__ import annotations

from hubpub.rules import meta, sect, text, text_ignores

CARD_FAMILIES = (meta, sect, text, text_ignores)
