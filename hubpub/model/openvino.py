"""OpenVINO models: X.xml describes the graph and says where in X.bin its numbers are.

The format: https://docs.openvino.ai/2025/documentation/openvino-ir-format.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from hubpub.model.binary import look

_LARGEST_XML = 64 << 20
_NET = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<net\s", re.DOTALL)
_DATA = re.compile(rb"<data\b[^<>]*>")
_OFFSET = re.compile(rb'\boffset="(\d{1,19})"')
_SIZE = re.compile(rb'\bsize="(\d{1,19})"')


@dataclass(frozen=True, slots=True)
class OpenvinoXml:
    """What the .xml says.

    Attributes:
        needed: bytes that the .bin must have.
        whole: whether it ends with its closing tag.
        unseen: why it was not read; None when it was.
    """

    needed: int = 0
    whole: bool = True
    unseen: str | None = None


def is_openvino(begin: bytes) -> bool:
    """Whether an .xml file that starts like this is a model of OpenVINO."""
    return _NET.match(begin) is not None


def read_openvino(open_file: Callable[[], BinaryIO]) -> OpenvinoXml:
    """Read an .xml of OpenVINO."""
    try:
        file, size = look(open_file)
        with file:
            if size > _LARGEST_XML:
                return OpenvinoXml(unseen=f"it has {size:,} bytes; {_LARGEST_XML:,} are read")
            file.seek(0)
            content = file.read(_LARGEST_XML)
    except OSError as error:
        return OpenvinoXml(unseen=f"it cannot be read: {error.strerror or error}")
    needed = 0
    for tag in _DATA.finditer(content):
        offset, length = _OFFSET.search(tag[0]), _SIZE.search(tag[0])
        if offset and length:
            needed = max(needed, int(offset[1]) + int(length[1]))
    return OpenvinoXml(needed, content.rstrip(b"\0 \r\n\t").endswith(b"</net>"))
