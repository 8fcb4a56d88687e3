"""Whether the slow tokenizer's files (vocab.txt, vocab.json, merges.txt, SentencePiece) agree with tokenizer.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.model.jsonfile import JsonProblem, parse_json
from hubpub.model.sentencepiece import NotSentencePieceError, parse_sentencepiece
from hubpub.model.vocabulary import read_merges, vocab_txt

COMPARED = (
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "spm.model",
    "tokenizer.model",
)
"""Files of the slow tokenizers whose content tokenizer.json repeats."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a file differs from tokenizer.json.

    Attributes:
        number: how many tokens or merges differ.
        total: of how many.
        example: one of them.
        here: what the file has for it.
        there: what tokenizer.json has for it; None when it has nothing.
        problem: why the file could not be compared.
    """

    number: int = 0
    total: int = 0
    example: str = ""
    here: int | None = None
    there: int | None = None
    problem: str | None = None


def fast_vocabulary(document: Mapping[str, Any]) -> dict[str, int]:
    """Token to id of a tokenizer.json, added tokens included; empty when it has none that can be read."""
    model = document.get("model")
    entries = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(entries, list):
        pieces = [entry[0] for entry in entries if isinstance(entry, list) and entry]
        by_token = {piece: at for at, piece in enumerate(pieces) if isinstance(piece, str)}
    elif isinstance(entries, dict):
        by_token = {token: number for token, number in entries.items() if type(number) is int}
    else:
        return {}
    added = document.get("added_tokens")
    for entry in added if isinstance(added, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("content"), str) and type(entry.get("id")) is int:
            by_token.setdefault(entry["content"], entry["id"])
    return by_token


def compare(name: str, data: bytes, document: Mapping[str, Any], by_token: Mapping[str, int]) -> Difference | None:
    """How the file differs; None when it does not, or is of another kind.

    Args:
        name: one of `COMPARED`.
        data: its content.
        document: tokenizer.json.
        by_token: its vocabulary.
    """
    if name == "merges.txt":
        return _compare_merges(data, document)
    if name == "vocab.txt":
        try:
            return _compare_ids(vocab_txt(data.decode("utf-8")), by_token)
        except UnicodeDecodeError as error:
            return Difference(problem=f"is not UTF-8 at byte {error.start:,}")
    if name == "vocab.json":
        value = parse_json(data).value
        if not isinstance(value, dict) or not all(type(number) is int for number in value.values()):
            return None
        return _compare_ids(value, by_token)
    if not data.startswith(b"\n"):
        return None  # a tokenizer.model of Llama 3 is a list of tiktoken
    try:
        pieces = parse_sentencepiece(data).pieces
    except NotSentencePieceError as error:
        return Difference(problem=str(error))
    return _compare_pieces(pieces, by_token)


def _compare_ids(slow: Mapping[str, int], by_token: Mapping[str, int]) -> Difference | None:
    odd = [(token, number) for token, number in slow.items() if token and by_token.get(token) != number]
    if not odd:
        return None
    token, number = odd[0]
    return Difference(len(odd), len(slow), token, number, by_token.get(token))


def _compare_pieces(pieces: tuple[str, ...], by_token: Mapping[str, int]) -> Difference | None:
    """The pieces may be shifted as a whole, and a few be special: classes of fairseq models put theirs before them."""
    shifts = Counter(by_token[piece] - at for at, piece in enumerate(pieces) if piece in by_token)
    if not shifts:
        return Difference(len(pieces), len(pieces), pieces[-1], len(pieces) - 1, None)
    shift, fitting = shifts.most_common(1)[0]
    if fitting * 100 >= len(pieces) * 98:
        return None
    at, piece = next((at, piece) for at, piece in enumerate(pieces) if by_token.get(piece) != at + shift)
    return Difference(len(pieces) - fitting, len(pieces), piece, at + shift, by_token.get(piece))


def _compare_merges(data: bytes, document: Mapping[str, Any]) -> Difference | None:
    model = document.get("model")
    entries = model.get("merges") if isinstance(model, dict) else None
    if not isinstance(entries, list) or not entries:
        return None
    merges = read_merges(data)
    if isinstance(merges, JsonProblem):
        return Difference(problem=merges.message)
    pairs = [entry.split(" ") if isinstance(entry, str) else entry for entry in entries]
    if not all(isinstance(pair, list) and all(type(part) is str for part in pair) for pair in pairs):
        return None
    fast = [tuple(pair) for pair in pairs]
    if merges == fast:
        return None
    rank = next((at for at, pair in enumerate(merges) if at >= len(fast) or pair != fast[at]), len(merges))
    common = sum(left == right for left, right in zip(merges, fast, strict=False))
    example = " ".join(merges[rank]) if rank < len(merges) else " ".join(map(str, fast[rank]))
    ranks = {pair: at for at, pair in enumerate(fast)}
    here = rank if rank < len(merges) else None
    there = ranks.get(merges[rank]) if rank < len(merges) else rank
    return Difference(max(len(merges), len(fast)) - common, max(len(merges), len(fast)), example, here, there)
