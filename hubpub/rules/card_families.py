"""The rules about a card: importing this module declares them."""

from __future__ import annotations

from hubpub.rules import (
    link,
    link_files,
    link_online,
    link_targets,
    meta,
    meta_base_model,
    meta_fields,
    meta_keys,
    meta_language,
    meta_licence,
    meta_lists,
    meta_task,
    sect,
    sect_headings,
    sect_names,
    text,
    text_ignores,
    text_leaks,
    text_structure,
    text_templates,
)

CARD_FAMILIES = (
    link,
    link_files,
    link_online,
    link_targets,
    meta,
    meta_base_model,
    meta_fields,
    meta_keys,
    meta_language,
    meta_licence,
    meta_lists,
    meta_task,
    sect,
    sect_headings,
    sect_names,
    text,
    text_ignores,
    text_leaks,
    text_structure,
    text_templates,
)
