"""The outline of CTranslate2's model.bin: python/ctranslate2/specs/model_spec.py, `ModelSpec._serialize`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from hubpub.model.binary import BinaryReader, Broken, look
from hubpub.model.safetensors import HeaderProblem

_U8, _U16, _U32 = struct.Struct("<B"), struct.Struct("<H"), struct.Struct("<I")
_FIRST_WITH_TYPES = 4  # binary version from which a variable has a dtype id and its bytes, not items and item size
_MOST_VARIABLES = 100_000


@dataclass(frozen=True, slots=True)
class Ctranslate2File:
    """What one file says: `spec` ("WhisperSpec"), how many variables, and what is wrong."""

    spec: str = ""
    variables: int = 0
    problems: tuple[HeaderProblem, ...] = ()


def read_ctranslate2(open_file: Callable[[], BinaryIO]) -> Ctranslate2File:
    """Walk over the variables of a model.bin; their numbers are skipped."""
    spec, count = "", 0
    try:
        file, size = look(open_file)
        with file:
            reader = BinaryReader(file, size)
            (version,) = reader.unpack(_U32)
            spec = reader.take(reader.unpack(_U16)[0]).rstrip(b"\0").decode("utf-8", "replace")
            reader.skip(4)
            (count,) = reader.unpack(_U32)
            if count > _MOST_VARIABLES:
                raise Broken(f"claims {count:,} variables", reader.position - 4)
            for _ in range(count):
                _skip_variable(reader, version)
    except OSError as error:
        return Ctranslate2File(problems=(HeaderProblem(f"cannot be read: {error.strerror or error}"),))
    except Broken as broken:
        message = broken.message
        if message == "is cut short":
            message = f"is cut short: its variables go on after its {size:,} bytes"
        return Ctranslate2File(spec, count, (HeaderProblem(message, broken.offset),))
    return Ctranslate2File(spec, count)


def _skip_variable(reader: BinaryReader, version: int) -> None:
    reader.skip(reader.unpack(_U16)[0])
    reader.skip(4 * reader.unpack(_U8)[0])
    if version >= _FIRST_WITH_TYPES:
        reader.skip(1)
        reader.skip(reader.unpack(_U32)[0])
    else:
        (width,) = reader.unpack(_U8)
        reader.skip(width * reader.unpack(_U32)[0])
