"""Writing safetensors files without a library: sound, broken, and sparse ones of any size."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

Shapes = dict[str, tuple[str, tuple[int, ...]]]

BYTES = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8, "U32": 4, "U8": 1}


def header_of(tensors: Shapes, metadata: dict[str, str] | None = None) -> tuple[dict[str, Any], int]:
    """The header document of tensors laid out one after the other, and the bytes of their data."""
    header: dict[str, Any] = {"__metadata__": metadata if metadata is not None else {"format": "pt"}}
    end = 0
    for name, (dtype, shape) in tensors.items():
        begin = end
        count = BYTES[dtype]
        for length in shape:
            count *= length
        end += count
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
    return header, end


def write_raw(path: Path, header: dict[str, Any] | bytes, data: int | bytes, *, length: int | None = None) -> None:
    """Write a file with this header; data given as a number of bytes is a hole."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw) if length is None else length) + raw)
        if isinstance(data, bytes):
            file.write(data)
        else:
            file.truncate(8 + len(raw) + data)


def write_safetensors(
    path: Path, tensors: Shapes, metadata: dict[str, str] | None = None, *, filled: bool = False
) -> int:
    """Write a sound file whose data is a hole, or numbers as they are before training; return the bytes of the data."""
    header, size = header_of(tensors, metadata)
    write_raw(path, header, b"".join(numbers(*item) for item in tensors.items()) if filled else size)
    return size


def numbers(name: str, tensor: tuple[str, tuple[int, ...]]) -> bytes:
    """The bytes of a tensor, always the same: zeros for a bias, ones for a norm, small random numbers for the rest."""
    import numpy as np

    dtype, shape = tensor
    if name.endswith("bias") or dtype[0] in "IU":
        values = np.zeros(shape, np.float32)
    elif len(shape) < 2:
        values = np.ones(shape, np.float32)
    else:
        values = np.random.default_rng(zlib.crc32(name.encode())).normal(0, 0.02, shape).astype(np.float32)
    if dtype == "BF16":
        return bytes((values.view(np.uint32) >> 16).astype(np.uint16).tobytes())
    kinds = {"F16": np.float16, "F32": np.float32, "I64": np.int64, "U8": np.uint8}
    return bytes(values.astype(kinds[dtype]).tobytes())


def overwrite(path: Path, tensor: str, values: bytes, at: int = 0) -> None:
    """Put these bytes into a tensor of a file, from byte `at` of the tensor on."""
    with path.open("r+b") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        begin, end = json.loads(file.read(length))[tensor]["data_offsets"]
        assert at + len(values) <= end - begin
        file.seek(8 + length + begin + at)
        file.write(values)


def write_shards(folder: Path, shards: list[Shapes], stem: str = "model", *, filled: bool = False) -> None:
    """Write numbered shards and their index."""
    weight_map: dict[str, str] = {}
    total = 0
    for number, tensors in enumerate(shards, 1):
        name = f"{stem}-{number:05d}-of-{len(shards):05d}.safetensors"
        total += write_safetensors(folder / name, tensors, filled=filled)
        weight_map |= dict.fromkeys(tensors, name)
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, indent=2))


def llama_shards(layers: int, hidden: int, intermediate: int, vocabulary: int, count: int) -> list[Shapes]:
    """A Llama's tensors in BF16, spread over `count` shards in the order of the layers."""
    tensors: Shapes = {"model.embed_tokens.weight": ("BF16", (vocabulary, hidden))}
    square, up, norm = ("BF16", (hidden, hidden)), ("BF16", (intermediate, hidden)), ("BF16", (hidden,))
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        tensors |= {f"{prefix}self_attn.{name}_proj.weight": square for name in "qkvo"}
        tensors |= {f"{prefix}mlp.{name}_proj.weight": up for name in ("gate", "up")}
        tensors[f"{prefix}mlp.down_proj.weight"] = ("BF16", (hidden, intermediate))
        tensors |= {f"{prefix}{name}_layernorm.weight": norm for name in ("input", "post_attention")}
    tensors |= {"model.norm.weight": norm, "lm_head.weight": ("BF16", (vocabulary, hidden))}
    names = list(tensors)
    size = -(-len(names) // count)
    return [{name: tensors[name] for name in names[at : at + size]} for at in range(0, len(names), size)]
