"""The tensors of a folder that a class of transformers would take, as the files describe them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubpub.model.kind import ModelKind
from hubpub.model.safetensors import Tensor
from hubpub.model.shapes import Promises, broken_promises

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder

MOST_TENSORS = 400_000
"""A model of 235 billion parameters with 128 experts per layer has 37,000."""

_QUANTISED_NAMES = (".qweight", ".qzeros", ".SCB", ".absmax", ".weight_scale", ".weight_scale_inv", ".weight_packed")


@dataclass(frozen=True, slots=True)
class Stored:
    """A model whose class is one of transformers, as its files describe it.

    Attributes:
        config: config.json, with a model type and an architecture.
        tensors: by name, of the files that from_pretrained takes.
        directory: where it is, "" or "dir/".
        path: of the single weight file or the index.
        listed: the names in the index; a tensor that only the index has is reported as such.
    """

    config: dict[str, Any]
    tensors: dict[str, Tensor]
    directory: str
    path: str
    listed: Collection[str] = ()

    @property
    def name(self) -> str:
        """The class."""
        return str(self.config["architectures"][0])


def transformer_directory(folder: ModelFolder) -> str | None:
    """Where the files of a model of transformers belong, "" or "dir/"; None for kinds that have none."""
    if folder.kind is ModelKind.TRANSFORMERS:
        return ""
    if folder.kind is not ModelKind.SENTENCE_TRANSFORMERS or folder.modules is None:
        return None
    for module in folder.modules.value or ():
        if isinstance(module, dict) and str(module.get("type", "")).endswith(".Transformer"):
            path = str(module.get("path", ""))
            return f"{path}/" if path else ""
    return None


def model_directory(folder: ModelFolder) -> str | None:
    """Where the model of transformers is, "" or "dir/"; None when there is none."""
    directory = transformer_directory(folder)
    if directory is None or folder.kind is ModelKind.TRANSFORMERS:
        return directory
    return directory if folder.entry(directory + "config.json") else None


def promises(folder: ModelFolder) -> Promises:
    """What config.json promises of the tensors and they do not keep; nothing where that cannot be told."""
    stored = stored_tensors(folder)
    return broken_promises(stored.config, stored.tensors) if isinstance(stored, Stored) else Promises()


def stored_tensors(folder: ModelFolder) -> Stored | str | None:
    """The tensors to compare; why there are none; None when the folder holds no model of transformers."""
    directory = model_directory(folder)
    if directory is None or not folder.weights.files:
        return None
    document = folder.json(directory + "config.json")
    config = document.value if document else None
    if not isinstance(config, dict):
        return "config.json cannot be read"
    names = config.get("architectures")
    name = names[0] if isinstance(names, list) and names else None
    if not isinstance(config.get("model_type"), str) or not isinstance(name, str):
        return "config.json does not name a model type and an architecture"
    if own_code(config):
        return "its class is code of its own (auto_map), which is not run"
    quantised = quant_method(config)
    if quantised is not None:
        return f"its weights are quantised ({quantised})"
    found = _files(folder, directory)
    if isinstance(found, str):
        return found
    paths, path = found
    tensors = {name: tensor for file in paths for name, tensor in folder.weights.headers[file].tensors.items()}
    if len(tensors) > MOST_TENSORS:
        return f"it has more than {MOST_TENSORS:,} tensors"
    if any(name.endswith(_QUANTISED_NAMES) for name in tensors):
        return "its weights look quantised, and config.json does not say how"
    index = next((index for index in folder.weights.indexes if index.path == path), None)
    return Stored(config, tensors, directory, path, index.weight_map if index else ())


def own_code(config: Mapping[str, Any]) -> bool:
    """Whether config.json sends the Auto classes to code of the model's own."""
    auto_map = config.get("auto_map")
    return isinstance(auto_map, dict) and any(str(key).startswith(("AutoModel", "AutoConfig")) for key in auto_map)


def quant_method(config: Mapping[str, Any]) -> str | None:
    """How the weights are quantised, by config.json or one of its parts; None when they are not."""
    parts = [config, *(part for part in config.values() if isinstance(part, dict))]
    for part in parts:
        for key in ("quantization_config", "compression_config", "quantization"):
            settings = part.get(key)
            if isinstance(settings, dict) and settings:
                return str(settings.get("quant_method") or settings.get("quant_type") or "unknown method")[:40]
    return None


def _files(folder: ModelFolder, directory: str) -> tuple[list[str], str] | str:
    """The safetensors files that from_pretrained takes, and what stands for them; or why that cannot be told."""
    weights = folder.weights
    primary = [path for path in weights.primary if path[: path.rfind("/") + 1] == directory]
    if not primary:
        return "its weights are not safetensors"
    single = directory + "model.safetensors"
    if single in weights.headers:
        primary, path = [single], single
    elif index := next((index for index in weights.indexes if index.path == single + ".index.json"), None):
        if not index.weight_map or any(directory + file not in weights.headers for file in index.shards()):
            return "its index or a shard is missing or broken"
        path = index.path
    elif len(primary) == 1:
        path = primary[0]
    else:
        return "it has several weight files, none of which from_pretrained takes"
    broken = next((path for path in primary if weights.headers[path].problems), None)
    return f"{broken} is broken" if broken else (primary, path)
