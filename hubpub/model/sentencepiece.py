"""A bounded walk over a SentencePiece model: how many pieces, of which kind, and its special pieces.

The file is a protocol buffer, ModelProto of https://github.com/google/sentencepiece, src/sentencepiece_model.proto:
field 1 is a piece (piece = 1, score = 2, type = 3), field 2 the trainer's specification. No protobuf library is needed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hubpub.model.protobuf import BYTES, VARINT, NotProtobufError, fields

_TYPES = {1: "normal", 2: "unknown", 3: "control", 4: "user-defined", 5: "unused", 6: "byte"}
_SPECIAL = (2, 3, 4)
_ALGORITHMS = {1: "Unigram", 2: "BPE", 3: "word", 4: "character"}


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
    try:
        found, algorithm = _pieces(data)
    except NotProtobufError as error:
        raise NotSentencePieceError(f"is cut short, or not a SentencePiece model: {error}") from error
    if not found:
        raise NotSentencePieceError("is not a SentencePiece model: it holds no pieces")
    try:
        pieces = tuple(piece.decode("utf-8") for piece, _ in found)
    except UnicodeDecodeError as error:
        raise NotSentencePieceError("is not a SentencePiece model: it has a piece that is not UTF-8") from error
    kinds = Counter(_TYPES.get(kind, "normal") for _, kind in found)
    special = {pieces[at]: at for at, (_, kind) in enumerate(found) if kind in _SPECIAL}
    return SentencePieceModel(pieces, dict(kinds), special, _ALGORITHMS.get(algorithm, "Unigram"))


def _pieces(data: bytes) -> tuple[list[tuple[bytes, int]], int]:
    """The pieces with their types, and the algorithm."""
    found, at = _plain_pieces(data)
    algorithm = 1
    for number, wire, start, end in fields(data, at, len(data)):
        if number == 1 and wire == BYTES:
            found.append(_piece(data, start, end))
        elif number == 2 and wire == BYTES:
            for inner, kind, setting, _ in fields(data, start, end):
                if inner == 3 and kind == VARINT:
                    algorithm = setting
    return found, algorithm


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
    for number, wire, value, behind in fields(data, start, end):
        if number == 1 and wire == BYTES:
            piece = data[value:behind]
        elif number == 3 and wire == VARINT:
            kind = value
    return piece, kind
