"""Writing GGUF, ONNX and torch files without a library: sound, broken, and sparse ones of any size."""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

GGUF_TYPES = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q6_K": (14, 256, 210)}

GgufTensors = Mapping[str, tuple[str, tuple[int, ...]]]


def gguf_string(text: str, order: str = "<") -> bytes:
    raw = text.encode()
    return struct.pack(order + "Q", len(raw)) + raw


def gguf_value(value: Any, order: str = "<") -> bytes:
    """A value of the metadata with its type: str, bool, int (u32), float, or a list of str, int or lists."""
    if isinstance(value, bool):
        return struct.pack(order + "I?", 7, value)
    if isinstance(value, int):
        return struct.pack(order + "II", 4, value)
    if isinstance(value, float):
        return struct.pack(order + "If", 6, value)
    if isinstance(value, str):
        return struct.pack(order + "I", 8) + gguf_string(value, order)
    items = [gguf_value(item, order) for item in value] or [gguf_value(0, order)[:4]]
    elements = b"".join(item[4:] for item in items)
    return struct.pack(order + "I", 9) + items[0][:4] + struct.pack(order + "Q", len(value)) + elements


def gguf(
    tensors: GgufTensors | None = None,
    metadata: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
    *,
    version: int = 3,
    order: str = "<",
    alignment: int = 32,
    offsets: Mapping[str, int] | None = None,
    counts: tuple[int | None, int | None] = (None, None),
    data: bool = True,
) -> bytes:
    """A GGUF file.

    Args:
        tensors: type and dimensions by name, the fastest dimension first.
        metadata: key and value pairs; None for an architecture alone.
        version: of the format.
        order: "<" or ">".
        alignment: of the tensors' data.
        offsets: other places than one after the other.
        counts: of tensors and keys, other than the true ones.
        data: whether the tensors' data follows.
    """
    tensors = {"token_embd.weight": ("F32", (8, 4)), "output.weight": ("F32", (8, 4))} if tensors is None else tensors
    pairs = {"general.architecture": "llama"} if metadata is None else metadata
    pairs = list(pairs.items()) if isinstance(pairs, Mapping) else list(pairs)
    head = b"GGUF" + struct.pack(order + "I", version)
    claimed = (len(tensors) if counts[0] is None else counts[0], len(pairs) if counts[1] is None else counts[1])
    head += struct.pack(order + "QQ", *claimed)
    for key, value in pairs:
        head += gguf_string(key, order) + gguf_value(value, order)
    end = 0
    for name, (kind, dims) in tensors.items():
        number, block, width = GGUF_TYPES.get(kind, (int(kind) if kind.isdigit() else 0, 1, 1))
        offset = (offsets or {}).get(name, end)
        head += gguf_string(name, order) + struct.pack(f"{order}I{len(dims)}QIQ", len(dims), *dims, number, offset)
        size = math.prod(dims) // block * width
        end = -(-max(end, offset + size) // alignment) * alignment
    head += bytes(-len(head) % alignment)
    return head + bytes(end) if data else head


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: int | bytes | str) -> bytes:
    """A field of a protobuf message."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def onnx_tensor(name: str, dims: Sequence[int], raw: bytes | None = None, **external: str) -> bytes:
    """A TensorProto of float32: with raw data, or with its data elsewhere."""
    message = b"".join(field(1, length) for length in dims) + field(2, 1) + field(8, name)
    if external:
        entries = [field(13, field(1, key) + field(2, value)) for key, value in external.items()]
        return message + b"".join(entries) + field(14, 1)
    return message + field(9, bytes(4 * math.prod(dims)) if raw is None else raw)


def onnx(
    *tensors: bytes,
    domains: Sequence[str] = ("",),
    nodes: Sequence[bytes] = (),
    ir_version: int = 8,
    graph: bool = True,
    inputs: Sequence[str] = ("x",),
) -> bytes:
    """A ModelProto with these initializers, opset domains, nodes and inputs."""
    body = b"".join(field(1, node) for node in nodes or [field(1, "x") + field(2, "y") + field(4, "Relu")])
    body += field(2, "main") + b"".join(field(5, tensor) for tensor in tensors or [onnx_tensor("w", (2, 3))])
    body += b"".join(field(11, field(1, name)) for name in inputs) + field(12, field(1, "y"))
    message = field(1, ir_version) + field(2, "tests") + (field(7, body) if graph else b"")
    return message + b"".join(field(8, field(1, domain) + field(2, 17)) for domain in domains)


class Tensor:
    """A tensor for `torch_zip` and `torch_legacy`: F32, and by default with a storage of its own."""

    def __init__(self, *shape: int, storage: str | None = None, offset: int = 0, elements: int | None = None) -> None:
        self.shape = shape
        self.storage = storage
        self.offset = offset
        self.elements = math.prod(shape) if elements is None else elements


class _Pickle:
    """The opcodes of what torch.save writes, protocol 2."""

    def __init__(self) -> None:
        self.storages: dict[str, int] = {}

    def of(self, value: Any) -> bytes:
        return b"\x80\x02" + self.value(value) + b"."

    def value(self, value: Any) -> bytes:
        if value is None or isinstance(value, bool):
            return {None: b"N", True: b"\x88", False: b"\x89"}[value]
        if isinstance(value, int):
            raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(raw)]) + raw
        if isinstance(value, str):
            return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        if isinstance(value, tuple):
            return b"(" + b"".join(map(self.value, value)) + b"t"
        if isinstance(value, list):
            return b"](" + b"".join(map(self.value, value)) + b"e"
        if isinstance(value, dict):
            pairs = b"".join(self.value(key) + self.value(item) for key, item in value.items())
            return b"ccollections\nOrderedDict\n)R(" + pairs + b"u"
        return self.tensor(value)

    def tensor(self, tensor: Tensor) -> bytes:
        key = tensor.storage or str(len(self.storages))
        self.storages[key] = tensor.elements
        stride, step = [], 1
        for length in reversed(tensor.shape):
            stride.insert(0, step)
            step *= length
        place = b"(" + self.value("storage") + b"ctorch\nFloatStorage\n" + self.value(key) + self.value("cpu")
        place += self.value(tensor.elements) + b"tQ"
        rest = [self.value(item) for item in (tensor.offset, tensor.shape, tuple(stride), False, {})]
        return b"ctorch._utils\n_rebuild_tensor_v2\n(" + place + b"".join(rest) + b"tR"


def torch_zip(value: Any, *, leave_out: Sequence[str] = (), sizes: Mapping[str, int] | None = None) -> bytes:
    """What torch.save writes for nested dicts of `Tensor`.

    Args:
        value: what to save.
        leave_out: storages that are not written.
        sizes: bytes of storages, other than the true ones.
    """
    pickle = _Pickle()
    content = pickle.of(value)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/byteorder", "little")
        for key, elements in pickle.storages.items():
            if key not in leave_out:
                archive.writestr(f"archive/data/{key}", bytes((sizes or {}).get(key, 4 * elements)))
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


def torch_legacy(value: Any, *, leave_out: Sequence[str] = ()) -> bytes:
    """What torch.save wrote before 1.6: five pickles, then the numbers; some storages may be left out."""
    pickle = _Pickle()
    parts = [pickle.of(0x1950A86A20F9469CFC6C), pickle.of(1001), pickle.of({"little_endian": True}), pickle.of(value)]
    keys = sorted(key for key in pickle.storages if key not in leave_out)
    parts.append(pickle.of(keys))
    parts += [struct.pack("<Q", pickle.storages[key]) + bytes(4 * pickle.storages[key]) for key in keys]
    return b"".join(parts)


def torchscript() -> bytes:
    """The members of an archive by torch.jit.save."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("data.pkl", "constants.pkl"):
            archive.writestr(f"net/{name}", _Pickle().of({}))
        archive.writestr("net/code/__torch__.py", "class Net(Module):\n  pass\n")
        archive.writestr("net/version", "3\n")
    return buffer.getvalue()


def sparse(path: Path, head: bytes, size: int) -> None:
    """Write `head`, then a hole up to `size` bytes."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
