"""The tensors of a folder whatever format they are in: safetensors, torch.save, GGUF, ONNX; none is read."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubpub.model.safetensors import Tensor

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder
    from hubpub.model.gguf import GgufFile, GgufTensor
    from hubpub.model.onnx import OnnxFile, OnnxTensor
    from hubpub.model.torchfile import TorchFile
    from hubpub.model.values import Span

# TensorProto.DataType of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, as safetensors names them.
_ONNX_DTYPES = {
    1: "F32",
    2: "U8",
    3: "I8",
    4: "U16",
    5: "I16",
    6: "I32",
    7: "I64",
    9: "BOOL",
    10: "F16",
    11: "F64",
    12: "U32",
    13: "U64",
    14: "C64",
    16: "BF16",
    17: "F8_E4M3",
    18: "F8_E4M3FNUZ",
    19: "F8_E5M2",
    20: "F8_E5M2FNUZ",
}


@dataclass
class TensorFile:
    """The tensors of one file whose numbers can be told from their bytes.

    Attributes:
        format: "safetensors", "pytorch", "gguf" or "onnx"; of files that an ONNX file points to, "onnx".
        tensors: by name; `begin` and `end` are bytes of the file.
        unseen: how many more it has, whose numbers are packed, compressed or stored in another way.
    """

    format: str
    tensors: dict[str, Tensor] = field(default_factory=dict)
    unseen: int = 0


def placed_tensors(folder: ModelFolder) -> dict[str, TensorFile]:
    """Where the numbers of every tensor are, by path; of broken files nothing is told."""
    found: dict[str, TensorFile] = {}
    for path, header in folder.weights.headers.items():
        if not header.problems:
            start = header.data_start
            tensors = {
                name: tensor._replace(begin=start + tensor.begin, end=start + tensor.end)
                for name, tensor in header.tensors.items()
            }
            found[path] = TensorFile("safetensors", tensors)
    for path, torch in folder.torch_files.items():
        found[path] = _torch_places(folder, path, torch)
    for path, gguf in folder.gguf.items():
        if not gguf.problems:
            found[path] = _gguf_places(gguf)
    for path, onnx in folder.onnx.items():
        _onnx_places(folder, path, onnx, found)
    return found


def stated_tensors(folder: ModelFolder) -> list[Tensor]:
    """The tensors of the weights that loaders take, of the first format there is; their places are not told.

    The dtypes of GGUF are its own ("Q4_K"); those of ONNX that safetensors does not have are "type 21" and the like.
    """
    if folder.weights.primary:
        return list(folder.weights.tensors)
    for torch in folder.torch_files.values():
        if torch.tensors:
            files = [file for file in folder.torch_files.values() if file.known]
            return [tensor for file in files for tensor in _torch_tensors(file)]
    if folder.gguf:
        whole = _one_variant(folder.gguf)
        return [_gguf_tensor(tensor, 0) for file in whole for tensor in file.tensors.values()]
    for onnx in folder.onnx.values():
        if onnx.initializers:
            return [_onnx_tensor(tensor, 0) for tensor in onnx.initializers]
    return []


def _torch_tensors(file: TorchFile) -> Iterator[Tensor]:
    from hubpub.model.torch_values import BYTES

    for name, tensor in file.tensors.items():
        if name not in file.twins:
            stated = Tensor(name, tensor.dtype, tensor.shape, 0, 0)
            yield stated._replace(end=stated.elements * BYTES[tensor.dtype])


def _torch_places(folder: ModelFolder, path: str, file: TorchFile) -> TensorFile:
    """Tensors with a stretch of a storage of their own; views of others, and those with gaps, are not told."""
    from hubpub.model.torch_values import BYTES

    found = TensorFile("pytorch")
    if not file.known:
        found.unseen = max(len(file.tensors), 1) if file.tensors or file.unseen else 0
        return found
    begins = file.places or _zip_places(folder, path)
    for name, tensor in file.tensors.items():
        start = begins.get(tensor.storage.key)
        if name in file.twins or not tensor.extent:
            continue
        width = BYTES[tensor.dtype]
        stated = Tensor(name, tensor.dtype, tensor.shape, 0, 0)
        if start is None or stated.elements != tensor.extent:
            found.unseen += 1
            continue
        begin = start + width * tensor.offset
        found.tensors[name] = stated._replace(begin=begin, end=begin + width * tensor.extent)
    return found


def _zip_places(folder: ModelFolder, path: str) -> dict[str, int]:
    from hubpub.model.sameness import torch_storages

    try:
        return {key: place.begin for key, place in (torch_storages(folder.open_file, path) or {}).items()}
    except OSError:
        return {}


def _one_variant(files: dict[str, GgufFile]) -> list[GgufFile]:
    """The parts of the first model: others are the same one quantised in another way."""
    models = [file for file in files.values() if file.is_model] or list(files.values())
    count = models[0].split_count
    return [file for file in models if file.split_count == count][:count]


def _gguf_tensor(tensor: GgufTensor, start: int) -> Tensor:
    from hubpub.model.ggml import GGML_TYPES

    name = GGML_TYPES[tensor.type][0] if tensor.type in GGML_TYPES else f"type {tensor.type}"
    begin = start + tensor.offset
    return Tensor(tensor.name, name, tuple(reversed(tensor.dims)), begin, begin + (tensor.size or 0))


def _gguf_places(file: GgufFile) -> TensorFile:
    found = TensorFile("gguf")
    for name, tensor in file.tensors.items():
        placed = _gguf_tensor(tensor, file.data_start)
        if placed.dtype in ("F32", "F16", "BF16", "F64") and not file.big_endian:
            found.tensors[name] = placed
        else:
            found.unseen += 1
    return found


def _onnx_tensor(tensor: OnnxTensor, begin: int) -> Tensor:
    dtype = _ONNX_DTYPES.get(tensor.type, f"type {tensor.type}")
    return Tensor(tensor.name, dtype, tensor.dims, begin, begin + (tensor.size or 0))


def _onnx_places(folder: ModelFolder, path: str, file: OnnxFile, found: dict[str, TensorFile]) -> None:
    here = found.setdefault(path, TensorFile("onnx"))
    if file.problems:
        return
    outside = {external.tensor.place for external in file.external}
    for tensor in file.initializers:
        if tensor.raw_at is not None and tensor.type in _ONNX_DTYPES and tensor.name:
            here.tensors[tensor.name] = _onnx_tensor(tensor, tensor.raw_at)
        elif tensor.place not in outside and tensor.size:
            here.unseen += 1
    for external in file.external:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), external.location))
        entry, end, size = folder.entry(target), external.end, external.tensor.size
        begin = int(external.offset or 0) if end is not None else 0
        sound = entry is not None and target not in folder.lfs_pointers and size and end == begin + size
        if entry is None or not sound or end is None or end > entry.size or external.tensor.type not in _ONNX_DTYPES:
            here.unseen += 1
            continue
        there = found.setdefault(target, TensorFile("onnx"))
        there.tensors[external.tensor.name] = _onnx_tensor(external.tensor, begin)


def value_spans(files: Mapping[str, TensorFile]) -> dict[str, list[Span]]:
    """Where the numbers to look at are, by path: tensors that hold something and share no byte with an earlier one."""
    from hubpub.model.values import Span

    found: dict[str, list[Span]] = {}
    for path, file in files.items():
        end = 0
        for tensor in sorted(file.tensors.values(), key=lambda tensor: (tensor.begin, tensor.end)):
            if tensor.end > tensor.begin >= end:
                found.setdefault(path, []).append(Span(tensor.name, tensor.dtype, tensor.begin, tensor.end))
                end = tensor.end
    return found
