"""The rules about a card: importing this module declares them."""

from __future__ import annotations

from hubpub.rules import (
    link,
    link_files,
    link_online,
    link_targets,
    meta,
    sect,
    text,
    text_leaks,
    text_structure,
    text_templates,
)

CARD_FAMILIES = (
    meta,
    sect,
    text,
    text_leaks,
    text_structure,
    text_templates,
    link,
    link_files,
    link_online,
    link_targets,
)
