"""pkt-lines, the framing of git's wire protocol: https://git-scm.com/docs/protocol-common#_pkt_line_format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from hubpub.hub.errors import bad_request

_LONGEST = 65520
_BAND_SIZE = _LONGEST - 5


class Mark(Enum):
    """A packet without content, by its length field."""

    FLUSH = b"0000"
    DELIM = b"0001"


Packet = bytes | Mark


def packets(data: bytes) -> Iterator[Packet]:
    """The packets of a request; of a text line, without its line end.

    Raises:
        ApiError: 400 if it is not made of pkt-lines.
    """
    position = 0
    while position < len(data):
        head = data[position : position + 4]
        if head in (Mark.FLUSH.value, Mark.DELIM.value):
            yield Mark(head)
            position += 4
            continue
        try:
            length = int(head, 16) if head.isalnum() else 0
        except ValueError:
            length = 0
        if not 4 < length <= min(_LONGEST, len(data) - position):
            raise bad_request("The body is not made of pkt-lines")
        yield data[position + 4 : position + length].removesuffix(b"\n")
        position += length


def packet(content: Packet | str) -> bytes:
    """One packet; a string becomes a text line."""
    if isinstance(content, Mark):
        return content.value
    data = content.encode() + b"\n" if isinstance(content, str) else content
    return b"%04x%b" % (len(data) + 4, data)


def side_band(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks as packets of the first side band (pack data), each as large as can be."""
    gathered = bytearray()
    for chunk in chunks:
        gathered += chunk
        while len(gathered) >= _BAND_SIZE:
            yield packet(b"\x01" + gathered[:_BAND_SIZE])
            del gathered[:_BAND_SIZE]
    if gathered:
        yield packet(b"\x01" + gathered)
