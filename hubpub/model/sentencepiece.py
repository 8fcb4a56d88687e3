"""A bounded walk over a SentencePiece model: how many pieces, of which kind, and its special pieces.

The file is a protocol buffer, ModelProto of https://github.com/google/sentencepiece, src/sentencepiece_model.proto:
field 1 is a piece (piece = 1, score = 2, type = 3), field 2 the trainer's specification. No protobuf library is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

SENTENCEPIECE_LIMIT = 64 << 20
"""Bytes that a model may have; those of 256,000 pieces have about 5 MB."""

_TYPES = {1: "normal", 2: "unknown", 3: "control", 4: "user-defined", 5: "unused", 6: "byte"}
_SPECIAL = (2, 3, 4)
_ALGORITHMS = {1: "Unigram", 2: "BPE", 3: "word", 4: "character"}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class NotSentencePieceError(ValueError):
    """The bytes are no SentencePiece model; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class SentencePieceModel:
    """What is needed of a SentencePiece model.

    Attributes:
        pieces: every piece, in the order of the ids.
        kinds: how many there are of each kind: "normal", "unknown", "control", "user-defined", "unused", "byte".
        special: id by piece, of the unknown, control and user-defined ones.
        algorithm: "Unigram", "BPE", "word", "character".
    """

    pieces: tuple[str, ...]
    kinds: dict[str, int]
    special: dict[str, int]
    algorithm: str

    @property
    def byte_fallback(self) -> bool:
        """Whether every byte has a piece, so that any text can be written."""
        return self.kinds.get("byte") == 256


def parse_sentencepiece(data: bytes) -> SentencePieceModel:
    """Read a model.

    Raises:
        NotSentencePieceError: it is none, or it is cut short.
    """
    found, at = _plain_pieces(data)
    algorithm = 1
    for number, value in _fields(data, at, len(data)):
        if number == 1 and isinstance(value, tuple):
            found.append(_piece(data, *value))
        elif number == 2 and isinstance(value, tuple):
            for inner, setting in _fields(data, *value):
                if inner == 3 and isinstance(setting, int):
                    algorithm = setting
    if not found:
        raise NotSentencePieceError("is not a SentencePiece model: it holds no pieces")
    try:
        pieces = tuple(piece.decode("utf-8") for piece, _ in found)
    except UnicodeDecodeError as error:
        raise NotSentencePieceError("is not a SentencePiece model: it has a piece that is not UTF-8") from error
    kinds = Counter(_TYPES.get(kind, "normal") for _, kind in found)
    special = {pieces[at]: at for at, (_, kind) in enumerate(found) if kind in _SPECIAL}
    return SentencePieceModel(pieces, dict(kinds), special, _ALGORITHMS.get(algorithm, "Unigram"))


def _plain_pieces(data: bytes) -> tuple[list[tuple[bytes, int]], int]:
    """The pieces that the file begins with, as far as they are written as usual, and where they end.

    Usual is: field 1 of less than 128 bytes, in it the piece, its score, and perhaps its type, in this order. A model
    has up to 256,000 of them, for which the general walk takes seconds.
    """
    found: list[tuple[bytes, int]] = []
    at, last = 0, len(data) - 4
    while at < last and data[at] == 0x0A and data[at + 2] == 0x0A:
        length, size = data[at + 1], data[at + 3]
        after, end = at + 4 + size, at + 2 + length
        if length > 127 or size > 127 or end > len(data) or data[after : after + 1] != b"\x15":
            break
        if end == after + 5:
            kind = 1
        elif end == after + 7 and data[after + 5] == 0x18 and data[after + 6] < 128:
            kind = data[after + 6]
        else:
            break
        found.append((data[at + 4 : after], kind))
        at = end
    return found, at


def _piece(data: bytes, start: int, end: int) -> tuple[bytes, int]:
    piece, kind = b"", 1
    for number, value in _fields(data, start, end):
        if number == 1 and isinstance(value, tuple):
            piece = data[value[0] : value[1]]
        elif number == 3 and isinstance(value, int):
            kind = value
    return piece, kind


def _fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int | tuple[int, int] | None]]:
    """Field number and value: a whole number, or where bytes begin and end; None for fixed-size numbers."""
    at = start
    while at < end:
        key, at = _varint(data, at, end)
        number, wire = key >> 3, key & 7
        if not number:
            raise NotSentencePieceError(f"is not a SentencePiece model: no field at byte {at:,}")
        if wire == _VARINT:
            value, at = _varint(data, at, end)
            yield number, value
            continue
        if wire == _BYTES:
            length, at = _varint(data, at, end)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise NotSentencePieceError(f"is not a SentencePiece model: unknown field at byte {at:,}")
        if length > end - at:
            raise NotSentencePieceError(f"is cut short, or not a SentencePiece model: a field ends past byte {end:,}")
        yield number, (at, at + length) if wire == _BYTES else None
        at += length


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise NotSentencePieceError(f"is cut short, or not a SentencePiece model, at byte {at:,}")
