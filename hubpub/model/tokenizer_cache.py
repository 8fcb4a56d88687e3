"""What a large tokenizer.json told, kept for the next time: a file of the same stamp is not parsed again.

Its vocabulary takes a tenth of a second to parse, that of a multilingual model more than a second.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from hubpub.core.code_state import code_of
from hubpub.model import jsonfile, tokenizer_json, vocabulary
from hubpub.model.jsonfile import JsonProblem
from hubpub.model.kept import Kept, cache_directory
from hubpub.model.stamp import Stamp, stamp_of
from hubpub.model.tokenizer_json import AddedToken, TokenizerJson
from hubpub.model.vocabulary import Vocabulary, Wanted

SMALLEST = 256 << 10
"""Bytes of a file; a smaller one is parsed as fast as its entry is found."""


def digest_once(
    path: Path, open_file: Callable[[], BinaryIO], wanted: Wanted, digest: Callable[[], TokenizerJson]
) -> TokenizerJson:
    """What `digest` makes of a tokenizer.json, worked out again only when the file, or what is wanted, has changed.

    Args:
        path: of the file on this machine, absolute.
        open_file: opens it.
        wanted: what `digest` looks up.
        digest: reads and digests the file.
    """
    begun = time.time_ns()
    stamp = _stamp(open_file)
    if stamp is None or stamp.size < SMALLEST:
        return digest()
    kept = Kept(cache_directory() / "tokenizers")
    question = json.dumps([str(path), asdict(stamp), sorted(wanted.tokens), sorted(wanted.ids), _reader()])
    body = kept.get(question)
    known = _of(body) if body is not None else None
    if known is not None:
        return known
    found = digest()
    if stamp.is_settled(begun) and _stamp(open_file) == stamp:
        kept.put(question, json.dumps(_entry(found), separators=(",", ":")).encode())
        kept.trim()
    return found


def _stamp(open_file: Callable[[], BinaryIO]) -> Stamp | None:
    try:
        with open_file() as file:
            return stamp_of(file)
    except OSError:
        return None


@lru_cache(maxsize=1)
def _reader() -> str:
    """What the answer depends on besides the file and what is wanted of it: the code that reads it."""
    files = (module.__file__ for module in (jsonfile, vocabulary, tokenizer_json))
    return code_of(Path(file) for file in files if file)


def _entry(found: TokenizerJson) -> dict[str, Any]:
    """As JSON, which knows no whole numbers as keys."""
    entry = asdict(found)
    entry["tokens"] = list(found.tokens.items())
    entry["model"]["tokens"] = list(found.model.tokens.items())
    return entry


def _of(body: bytes) -> TokenizerJson | None:
    """What an entry says; None when it is none."""
    try:
        entry = json.loads(body)
        return TokenizerJson(
            **entry
            | {
                "problem": _problem(entry["problem"]),
                "model": _vocabulary(entry["model"]),
                "added": tuple(AddedToken(**token) for token in entry["added"]),
                "again": tuple(tuple(row) for row in entry["again"]),
                "tokens": dict(entry["tokens"]),
                "posted": tuple(tuple(row) for row in entry["posted"]),
                "steps": {name: tuple(kinds) for name, kinds in entry["steps"].items()},
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _vocabulary(entry: dict[str, Any]) -> Vocabulary:
    return Vocabulary(
        **entry
        | {
            "tokens": dict(entry["tokens"]),
            "shared": tuple(tuple(row) for row in entry["shared"]),
            "problem": _problem(entry["problem"]),
        }
    )


def _problem(entry: dict[str, Any] | None) -> JsonProblem | None:
    return JsonProblem(**entry) if entry is not None else None
