"""The rules about a card: importing this module declares them."""

from __future__ import annotations

from types import ModuleType

from hubpub.rules import (  # noqa: F401 -- each is used by being imported
    eval_folder,
    eval_index,
    eval_metrics,
    eval_text,
    eval_values,
    legal,
    legal_licence,
    legal_use,
    link,
    link_files,
    link_online,
    link_targets,
    meta_base_model,
    meta_block,
    meta_fields,
    meta_file,
    meta_implicit,
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
    train,
    train_folder,
    usage,
    usage_loading,
    usage_names,
    usage_transformers,
)

CARD_FAMILIES = tuple(found for found in tuple(globals().values()) if isinstance(found, ModuleType))
