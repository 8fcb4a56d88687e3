"""Several adapters in one folder, each in a directory of its name, as PEFT saves a model with named adapters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hubpub.core.pattern import Pattern
from hubpub.model.jsonfile import json_object

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

ADAPTER_CONFIG = "adapter_config.json"
_MOST = 20
_NAME = Pattern(r"[\w.-]{1,100}")


class NamedAdapter(NamedTuple):
    """An adapter: its directory, the base model and the task that its configuration names."""

    name: str
    base_model: str
    task: str


def named_adapters(folder: ModelFolder) -> tuple[NamedAdapter, ...]:
    """The adapters, by name; empty unless the folder holds several and no other weights."""
    weights = {entry.path.rpartition("/")[0] for entries in folder.weights.files.values() for entry in entries}
    if not 1 < len(weights) <= _MOST or not all(_NAME.fullmatch(directory) for directory in weights):
        return ()
    found = {directory: json_object(folder.json(f"{directory}/{ADAPTER_CONFIG}")) for directory in sorted(weights)}
    if not all("peft_type" in config for config in found.values()):
        return ()
    return tuple(
        NamedAdapter(name, _text(config, "base_model_name_or_path"), _text(config, "task_type"))
        for name, config in found.items()
    )


def _text(config: Mapping[str, Any], key: str) -> str:
    value = config.get(key)
    return value if isinstance(value, str) else ""
