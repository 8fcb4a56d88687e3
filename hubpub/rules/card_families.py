"""The rules about a card: importing this module declares them."""

from __future__ import annotations

from hubpub.rules import meta, sect, sect_headings, sect_names, text

CARD_FAMILIES = (meta, sect, sect_headings, sect_names, text)
