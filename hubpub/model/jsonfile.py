"""Bounded, strict reading of JSON: what is wrong with a file comes with its line and column.

A file is refused by its size before it is read, and by its depth before it is parsed. What Python's parser
lets pass although JSON has no such thing, or although half of it gets lost (NaN, duplicate keys, a byte order
mark), is a problem too, but the value is still there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, BinaryIO

from hubpub.model.signatures import instead_of_json

CONFIG_LIMIT = 16 << 20
"""Bytes that a configuration may have; the largest real ones are below 1 MB."""

TOKENIZER_LIMIT = 256 << 20
"""Bytes that a tokenizer.json may have; the largest real ones are near 35 MB."""

INDEX_LIMIT = 256 << 20
"""Bytes that a shard index may have; 37,000 tensors take 4 MB."""

DEEPEST = 512
"""Levels of nesting that a file may have; configurations need fewer than ten."""


@dataclass(frozen=True, slots=True)
class JsonProblem:
    """What is wrong with a JSON file.

    Attributes:
        message: the problem as the end of a sentence that begins with the name of the file.
        line: 1-based line, where there is one.
        column: 1-based column, where there is one.
        fatal: whether there is no value.
    """

    message: str
    line: int | None = None
    column: int | None = None
    fatal: bool = True


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A JSON file as read.

    Attributes:
        value: the parsed document; None when a fatal problem left none.
        problem: the first thing that is wrong with it, a fatal one before any other.
    """

    value: Any
    problem: JsonProblem | None = None

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key` when the document is an object that has it, else `default`."""
        return self.value.get(key, default) if isinstance(self.value, dict) else default


def json_object(file: JsonFile | None) -> Mapping[str, Any]:
    """The object that a file holds; empty when it holds none, or is not there."""
    return file.value if file is not None and isinstance(file.value, dict) else {}


def read_json(open_file: Callable[[], BinaryIO], *, limit: int = CONFIG_LIMIT, top: type = dict) -> JsonFile:
    """Read a JSON file of at most `limit` bytes whose document is a `top` (dict or list)."""
    try:
        with open_file() as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            if size > limit:
                return JsonFile(None, JsonProblem(f"is {size:,} bytes; at most {limit:,} are read"))
            data = file.read(limit + 1)
    except OSError as error:
        return JsonFile(None, JsonProblem(f"cannot be read: {error.strerror or error}"))
    return parse_json(data[:limit], top=top)


def parse_json(data: bytes, *, top: type = dict) -> JsonFile:
    """Parse the bytes of a JSON file whose document is a `top` (dict or list)."""
    notes = _Notes()
    if data.startswith(b"\xef\xbb\xbf"):
        notes.add("begins with a byte order mark, which JSON parsers refuse", line=1, column=1)
        data = data[3:]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        return JsonFile(None, JsonProblem(f"is not UTF-8: byte 0x{data[error.start]:02x}", line, column))
    if not text.strip():
        return JsonFile(None, JsonProblem("is empty"))
    if _deeper_than(data, DEEPEST):
        return JsonFile(None, JsonProblem(f"is nested deeper than {DEEPEST} levels"))
    try:
        value = json.loads(text, object_pairs_hook=notes.pairs, parse_constant=notes.constant)
    except json.JSONDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:]
        if (instead := instead_of_json(data)) is not None:
            return JsonFile(None, JsonProblem(f"is not JSON but {instead}", 1, 1))
        return JsonFile(None, JsonProblem(f"is not JSON: {message}", error.lineno, error.colno))
    except RecursionError:
        return JsonFile(None, JsonProblem("is nested too deeply"))
    except ValueError:
        return JsonFile(None, JsonProblem("holds a number of more than 4,300 digits"))
    if not isinstance(value, top):
        return JsonFile(None, JsonProblem(f"holds {_kind(value)} instead of {_kind(top())}", 1, 1))
    return JsonFile(value, notes.first(text))


@dataclass
class _Notes:
    """The problems that leave a value, collected while parsing."""

    found: list[JsonProblem] = field(default_factory=list)
    duplicate: str | None = None
    literal: str | None = None

    def add(self, message: str, line: int | None = None, column: int | None = None) -> None:
        self.found.append(JsonProblem(message, line, column, fatal=False))

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs) and self.duplicate is None:
            seen: set[str] = set()
            self.duplicate = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return value

    def constant(self, literal: str) -> float:
        self.literal = self.literal or literal
        return float(literal)

    def first(self, text: str) -> JsonProblem | None:
        if self.duplicate is not None:
            line, column = _place(text, json.dumps(self.duplicate), 2)
            self.add(f"has the key {json.dumps(self.duplicate[:80])} twice; only the last one counts", line, column)
        if self.literal is not None:
            line, column = _place(text, self.literal, 1)
            self.add(f"holds {self.literal}, which is not JSON", line, column)
        return self.found[0] if self.found else None


def _place(text: str, literal: str, times: int) -> tuple[int | None, int | None]:
    """Line and column of the last occurrence of `literal`, when it occurs exactly `times` times."""
    if text.count(literal) != times:
        return None, None
    start = text.rindex(literal)
    return text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)


def _kind(value: Any) -> str:
    kinds: dict[type, str] = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return "null" if value is None else kinds.get(type(value), "a number")


_STEP: Callable[[int], int] = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}.__getitem__
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")


def _deeper_than(data: bytes, deepest: int) -> bool:
    """Whether brackets outside of strings nest deeper than `deepest`; linear, and all of it in C."""
    if data.count(b"{") + data.count(b"[") <= deepest:
        return False
    bare = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(bare.split(b'"')[::2]).translate(None, _NOT_BRACKETS)
    flat = brackets
    for _ in range(8):  # each turn removes the two innermost levels; little is left of a real file after four
        flat = flat.replace(b"[]", b"").replace(b"{}", b"")
    if not flat:
        return False
    return max(accumulate(map(_STEP, brackets)), default=0) > deepest
