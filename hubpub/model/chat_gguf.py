"""The chat templates in the metadata of a GGUF file."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import BinaryIO

_SEARCHED = 32 << 20
_KEY = re.compile(rb"tokenizer\.chat_template(?:\.\w{1,60})?(?=\x08\0\0\0)")  # 8 is the type of a string
_LARGEST = 1 << 20


def gguf_templates(open_file: Callable[[], BinaryIO]) -> dict[str, str]:
    """The templates by their keys: `tokenizer.chat_template`, `tokenizer.chat_template.tool_use`, ...

    Found by the bytes of key and type in the first 32 MB, where the metadata is, without reading what is between;
    format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
    """
    try:
        with open_file() as file:
            data = file.read(_SEARCHED) if file.read(4) == b"GGUF" else b""
    except OSError:
        return {}
    found: dict[str, str] = {}
    for key in _KEY.finditer(data):
        at = key.end() + 4
        length = int.from_bytes(data[at : at + 8], "little")
        announced = data[max(key.start() - 8, 0) : key.start()]
        if announced == struct.pack("<Q", key.end() - key.start()) and length <= _LARGEST:
            found[key[0].decode()] = data[at + 8 : at + 8 + length].decode("utf-8", "replace")
    return found
