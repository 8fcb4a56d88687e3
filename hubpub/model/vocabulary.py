"""The vocabulary of a tokenizer, and the files besides tokenizer.json that hold one.

A vocabulary has up to 260,000 tokens and is not kept: what is asked for is looked up while it is at hand.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import operator
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hubpub.model.jsonfile import JsonProblem

VOCABULARY_LIMIT = 64 << 20
"""Bytes that vocab.txt, vocab.json, merges.txt, *.tiktoken or tekken.json may have; real ones have at most 20 MB."""

EXAMPLES = 3
"""How many of a kind are kept to be named."""

_MARKS = ("##", "▁", "Ġ")
_SMALL = 5000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look up in a vocabulary.

    Attributes:
        tokens: whose ids are asked for.
        ids: whose tokens are asked for.
    """

    tokens: frozenset[str] = frozenset()
    ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tokens of one vocabulary, without those that are added to it.

    Attributes:
        size: how many tokens there are, as the tokenizers library counts.
        largest: the largest id; -1 when there is none.
        ids: of the tokens that were asked for.
        tokens: of the ids that were asked for.
        shared: some ids that two tokens have, each with these tokens.
        shared_count: how many such ids there are.
        short: how many tokens of a small vocabulary are a single character or byte, as in a character-level one.
        problem: what is wrong with the file, if anything is.
    """

    size: int = 0
    largest: int = -1
    ids: Mapping[str, int] = field(default_factory=dict)
    tokens: Mapping[int, str] = field(default_factory=dict)
    shared: tuple[tuple[int, str, str], ...] = ()
    shared_count: int = 0
    short: int = 0
    problem: JsonProblem | None = None


def vocabulary_of(by_token: Mapping[Any, Any], wanted: Wanted, size: int | None = None) -> Vocabulary:
    """The facts about a mapping from token to id.

    Args:
        by_token: the mapping; an id that is no whole number from 0 on is a problem.
        wanted: what to look up.
        size: how many tokens there are, when that is more than the mapping has.
    """
    values = list(by_token.values())
    if not set(map(type, values)) <= {int} or min(values, default=0) < 0:
        odd = next(token for token, value in by_token.items() if type(value) is not int or value < 0)
        problem = JsonProblem(f"gives the token {shown(odd)} the id {shown(by_token[odd])}, not a whole number")
        return Vocabulary(size=len(by_token), problem=problem)
    distinct = set(values)
    shared = _shared(by_token) if len(distinct) != len(values) else []
    names = {}
    if wanted.ids & distinct:
        names = {value: token for token, value in by_token.items() if value in wanted.ids}
    return Vocabulary(
        size=len(by_token) if size is None else size,
        largest=max(distinct, default=-1),
        ids={token: by_token[token] for token in wanted.tokens if token in by_token},
        tokens=names,
        shared=tuple(shared[:EXAMPLES]),
        shared_count=len(values) - len(distinct),
        short=_short(by_token) if len(by_token) <= _SMALL else 0,
    )


def _shared(by_token: Mapping[str, int]) -> list[tuple[int, str, str]]:
    first: dict[int, str] = {}
    return [
        (value, first[value], token) for token, value in by_token.items() if first.setdefault(value, token) != token
    ]


def _short(tokens: Iterable[str]) -> int:
    short = 0
    for token in tokens:
        if len(token) > 6:
            continue
        bare = token.removesuffix("</w>")
        for mark in _MARKS:
            bare = bare.removeprefix(mark)
        if len(bare) <= 1 or (len(token) == 6 and token.startswith("<0x")):
            short += 1
    return short


def read_vocab_txt(data: bytes, wanted: Wanted) -> Vocabulary:
    """vocab.txt of WordPiece: a token a line, the id is the number of the line from 0 on."""
    text = _text(data)
    if isinstance(text, JsonProblem):
        return Vocabulary(problem=text)
    return vocabulary_of(vocab_txt(text), wanted)


def vocab_txt(text: str) -> dict[str, int]:
    """Token to id as transformers reads vocab.txt (`load_vocab` of its BERT class): of equal lines the last counts."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return {line.rstrip("\r"): number for number, line in enumerate(lines)}


def read_vocab_json(value: Any, wanted: Wanted) -> Vocabulary:
    """vocab.json: an object from token to id; another shape (a language each, as in MMS) has no facts."""
    if not isinstance(value, dict) or not value or any(isinstance(each, dict) for each in value.values()):
        return Vocabulary()
    return vocabulary_of(value, wanted)


def read_tiktoken(data: bytes) -> Vocabulary:
    """*.tiktoken: a line per token, its bytes in base64 and its rank; tiktoken/load.py."""
    size, largest = 0, -1
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        token, _, rank = line.partition(b" ")
        try:
            base64.b64decode(token, validate=True)
            value = int(rank)
        except (binascii.Error, ValueError):
            return Vocabulary(problem=JsonProblem("is not a list of tokens in base64 and their ranks", number))
        size, largest = size + 1, max(largest, value)
    if not size:
        return Vocabulary(problem=JsonProblem("holds no tokens"))
    return Vocabulary(size=size, largest=largest)


def read_tekken(value: Any) -> Vocabulary:
    """tekken.json of mistral-common: how many ids it uses, special tokens included."""
    config = value.get("config") if isinstance(value, dict) else None
    entries = value.get("vocab") if isinstance(value, dict) else None
    size = config.get("default_vocab_size") if isinstance(config, dict) else None
    if type(size) is not int or size <= 0 or not isinstance(entries, list) or not entries:
        return Vocabulary(problem=JsonProblem("is no tekken file: it has no config.default_vocab_size or no vocab"))
    special = config.get("default_num_special_tokens", 0) if isinstance(config, dict) else 0
    if type(special) is not int or not 0 <= special <= size or len(entries) + special < size:
        message = (
            f"has {len(entries):,} tokens and {shown(special)} special ones, fewer than its vocabulary of {size:,}"
        )
        return Vocabulary(problem=JsonProblem(message))
    return Vocabulary(size=size, largest=size - 1)


def read_merges(data: bytes) -> list[tuple[str, str]] | JsonProblem:
    """merges.txt: two tokens a line in the order of their ranks, after an optional `#version:` line."""
    text = _text(data)
    if isinstance(text, JsonProblem):
        return text
    merges = []
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.rstrip("\r")
        if not bare.strip() or (number == 1 and bare.startswith("#version")):
            continue
        parts = bare.split(" ")
        if len(parts) != 2:
            return JsonProblem(f"has a line of {len(parts):,} parts, where a merge has two", number)
        merges.append((parts[0], parts[1]))
    return merges


def unknown_in_merges(
    by_token: Collection[str], merges: Sequence[Any], prefix: str = ""
) -> tuple[int, str | None] | JsonProblem:
    """How many tokens that the merges name or make the vocabulary does not have, and the first of them.

    Args:
        by_token: the vocabulary.
        merges: pairs, each a list of two strings or one string with a space between.
        prefix: `continuing_subword_prefix`, which a merge drops from its second part.
    """
    kinds = set(map(type, merges))
    pairs: Sequence[Any] = [merge.split(" ") for merge in merges] if kinds == {str} else merges
    if not set(map(type, pairs)) <= {list, tuple} or set(map(len, pairs)) != {2}:
        return JsonProblem("has merges that are not pairs of tokens")
    lefts, rights = zip(*pairs, strict=True)
    if set(map(type, lefts)) | set(map(type, rights)) != {str}:
        return JsonProblem("has merges that are not pairs of strings")
    seconds = [right[len(prefix) :] for right in rights] if prefix else rights
    unknown: set[str] = set()
    for named in (lefts, rights, map(operator.add, lefts, seconds)):
        unknown.update(itertools.filterfalse(by_token.__contains__, named))
    return len(unknown), min(unknown, default=None)


def _text(data: bytes) -> str | JsonProblem:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return JsonProblem(f"is not UTF-8: byte 0x{data[error.start]:02x}", line)


def shown(value: Any, most: int = 60) -> str:
    """A value of a file as it may be put into a message: one line, printable, short."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        text = repr(type(value))
    text = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"
