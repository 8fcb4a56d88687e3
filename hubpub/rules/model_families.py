"""The rules about a model folder: importing this module declares them, and nothing about cards."""

from __future__ import annotations

from types import ModuleType

from hubpub.rules import (  # noqa: F401 -- each is used by being imported
    chat,
    chat_sources,
    chat_turns,
    code,
    code_custom,
    conf,
    conf_generation,
    conf_labels,
    conf_layouts,
    conf_processor,
    conf_training,
    conf_values,
    file,
    file_content,
    file_names,
    load,
    secret,
    token,
    token_encode,
    token_ids,
    token_vocabulary,
    weight,
    weight_adapter,
    weight_arch,
    weight_copies,
    weight_dtypes,
    weight_gguf,
    weight_index,
    weight_onnx,
    weight_other,
    weight_shapes,
    weight_torch,
    weight_values,
)

MODEL_FAMILIES = tuple(found for found in tuple(globals().values()) if isinstance(found, ModuleType))
