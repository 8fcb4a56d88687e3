"""The values of a pickle of torch: stand-ins for its tensors and storages, and for all that is not looked into.

What torch writes: torch/serialization.py (storages are persistent ids) and torch/_utils.py (`_rebuild_tensor_v2` and
its kin).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

# Names of dtypes as safetensors has them: torch/storage.py, _new_dtypes and the legacy storage classes.
_STORAGES = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
    "ComplexFloatStorage": "C64",
    "ComplexDoubleStorage": "C128",
    "QInt8Storage": "I8",
    "QUInt8Storage": "U8",
    "QInt32Storage": "I32",
    "UntypedStorage": "U8",
}
_DTYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "bool": "BOOL",
    "complex64": "C64",
    "complex128": "C128",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float8_e8m0fnu": "F8_E8M0",
}
BYTES = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0"), 1),
    "C128": 16,
}
"""Bytes of an element, by dtype."""

_DEEPEST = 32
_MOST_VISITS = 250_000
_MOST_DIMENSIONS = 64
_LARGEST = 1 << 63


class NotFollowed(Exception):  # noqa: N818 -- no fault of the pickle
    """Why a pickle was not followed to its end, as the end of a sentence."""


class Unknown:
    """A value that is not looked into."""

    __slots__ = ()


UNKNOWN = Unknown()


class Global(NamedTuple):
    """A name that the pickle would import."""

    module: str
    name: str


class Storage(NamedTuple):
    """Where tensors keep their numbers: its key in the file, dtype and number of elements."""

    key: str
    dtype: str
    elements: int

    @property
    def size(self) -> int:
        """Bytes of its content."""
        return self.elements * BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class TorchTensor:
    """A tensor of the pickle.

    Attributes:
        dtype: as safetensors names it; torch's 128-bit complex numbers are "C128".
        shape: lengths.
        storage: where its numbers are.
        offset: of its first element in the storage, in elements.
        extent: elements of the storage from the first to the last of the tensor; 0 for an empty one.
    """

    dtype: str
    shape: tuple[int, ...]
    storage: Storage
    offset: int
    extent: int


def tensors_in(value: Any) -> dict[str, TorchTensor]:
    """The tensors of nested dicts and lists, by their keys joined with dots.

    Raises:
        NotFollowed: there is too much of it.
    """
    found: dict[str, TorchTensor] = {}
    stack: list[Iterator[tuple[str, Any]]] = [iter([("", value)])]
    visits = 0
    while stack:
        visits += 1
        if visits > _MOST_VISITS:
            raise NotFollowed("its pickle refers to itself too often")
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
            continue
        name, value = item
        if isinstance(value, TorchTensor):
            found[name] = value
        elif isinstance(value, dict | list) and len(stack) < _DEEPEST:
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            stack.append(_named(name, iter(pairs)))
    return found


def _named(prefix: str, pairs: Iterator[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    for key, value in pairs:
        if isinstance(value, dict | list | TorchTensor) and len(prefix) < 1000:
            yield (f"{prefix}.{key}" if prefix else str(key)[:1000]), value


def called(function: Any, arguments: Any) -> Any:
    """What a call gives: a tensor, an empty dict, or something unknown; nothing is called."""
    if not isinstance(function, Global) or not isinstance(arguments, tuple):
        return UNKNOWN
    if function == ("collections", "OrderedDict"):
        return {}
    if function.module == "torch._utils":
        if function.name.startswith("_rebuild_parameter") and arguments:
            return arguments[0]
        if function.name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor"):
            return _tensor(function.name, arguments)
    if function == ("torch._tensor", "_rebuild_from_type_v2") and len(arguments) == 4:
        return called(arguments[0], arguments[2]) if arguments[0] != function else UNKNOWN
    return UNKNOWN


def _tensor(function: str, arguments: tuple[Any, ...]) -> TorchTensor | Unknown:
    if len(arguments) < 4 or not isinstance(arguments[0], Storage):
        return UNKNOWN
    storage, offset, shape, stride = arguments[:4]
    if not _natural(offset) or not _naturals(shape) or not _naturals(stride) or len(shape) != len(stride):
        return UNKNOWN
    dtype = storage.dtype
    if function == "_rebuild_tensor_v3":
        given = arguments[6] if len(arguments) > 6 else None
        if not isinstance(given, Global) or given.module != "torch.dtype":
            return UNKNOWN
        dtype = given.name
    extent = 0 if 0 in shape else 1 + sum((length - 1) * step for length, step in zip(shape, stride, strict=True))
    return TorchTensor(dtype, shape, storage, offset, extent)


def storage_of(value: Any) -> Storage | Unknown:
    """The storage that a persistent id stands for: ("storage", class, key, device, elements, ...)."""
    if not isinstance(value, tuple) or len(value) < 5 or value[0] != "storage" or not isinstance(value[1], Global):
        return UNKNOWN
    module, name = value[1]
    dtype = _STORAGES.get(name) if module in ("torch", "torch.storage", "torch.cuda") else None
    if dtype is None or not isinstance(value[2], str) or not _natural(value[4]):
        return UNKNOWN
    return Storage(value[2], dtype, value[4])


def imported(module: str, name: str) -> Global:
    """What an import gives: torch's dtypes become those of safetensors."""
    dtype = _DTYPES.get(name) if module == "torch" else None
    return Global("torch.dtype", dtype) if dtype else Global(module, name)


def _natural(value: Any) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


def _naturals(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) <= _MOST_DIMENSIONS and all(_natural(item) for item in value)
