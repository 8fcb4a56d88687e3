"""Encoding sample texts with the tokenizers library.

A tokenizer.json drives what happens here (its regular expressions can take for ever, and a broken one makes the library
panic), so it happens in a child process.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

SAMPLES = {
    "English": "The quick brown fox jumps over the lazy dog, and then it goes home to sleep.",
    "German": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "Russian": "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "Chinese": "今天天气很好,我们一起去公园散步吧。",
    "Japanese": "いろはにほへと、東京の天気は晴れです。カタカナも。",
    "Arabic": "صباح الخير، كيف حالك اليوم؟",
    "Hindi": "नमस्ते, आप कैसे हैं? आज मौसम अच्छा है।",
    "emoji": "👩‍🚀 🚀 naïve café ☕️ 🇩🇪",
    "code": 'def f(x):\n\treturn {"a": [x ** 2, -1.5e-3]}  # ok\n',
    "numbers": "3.14159 1,234,567 0x1F 2026-11-25",
    "spaces": "  two  spaces\n\n\ttabs and\r\nlines  ",
}
_LONG = "a b. " * 1000
_ENGLISH = ("the", "and")
_FORMS = ("{}", "▁{}", "Ġ{}", "{}</w>")
_LONGEST_DECODED = 10_000


def encode_samples(request: Mapping[str, Any]) -> dict[str, Any]:
    """Load a tokenizer.json and encode the sample texts.

    Args:
        request: "path" of the file, "special" tokens that have to stay whole, "unknown" the one for what is unknown,
            "seconds" of processor time that it may take.

    Returns:
        "error" when it does not load. Else "samples", each with what became of it; "split", the special tokens whose id
        does not come out when they are encoded; "english", whether the vocabulary has words of English; "bytes", for
        how many bytes it has a token of their own, as byte-level and as byte-fallback tokenizers write them. The
        processor time is limited, so that a text without end ends the process.
    """
    _limit_processor_time(request["seconds"])
    from tokenizers import Tokenizer
    from tokenizers.pre_tokenizers import ByteLevel

    try:
        # By its text: the library takes no path that is not UTF-8, and nothing is wrong with a file for where it lies.
        tokenizer = Tokenizer.from_str(Path(request["path"]).read_text(encoding="utf-8"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
    # The library panics on some files, with an exception that is none.
    except BaseException as error:
        return {"error": _first_line(error)}

    def has(token: str) -> bool:
        return tokenizer.token_to_id(token) is not None

    unknown = request.get("unknown")
    unknown_id = tokenizer.token_to_id(unknown) if isinstance(unknown, str) else None
    special = list(request.get("special", ()))
    return {
        "samples": {name: _sample(tokenizer, text, unknown_id) for name, text in {**SAMPLES, "long": _LONG}.items()},
        "split": [[token, ids] for token in special if (ids := _split(tokenizer, token))],
        "english": any(has(form.format(word)) for word in _ENGLISH for form in _FORMS),
        "bytes": {
            "level": sum(map(has, ByteLevel.alphabet())),
            "fallback": sum(has(f"<0x{byte:02X}>") for byte in range(256)),
        },
    }


def _split(tokenizer: Any, token: str) -> list[int]:
    """What a special token is encoded as where its own id is not in it."""
    try:
        ids: list[int] = tokenizer.encode(token, add_special_tokens=False).ids
    except BaseException:  # the samples tell what fails
        return []
    return [] if tokenizer.token_to_id(token) in ids else ids[:8]


def _sample(tokenizer: Any, text: str, unknown: int | None) -> dict[str, Any]:
    try:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        decoded = tokenizer.decode(encoding.ids, skip_special_tokens=False)
    except BaseException as error:
        return {"error": _first_line(error)}
    return {
        "tokens": len(encoding.ids),
        "unknown": sum(each == unknown for each in encoding.ids) if unknown is not None else 0,
        "decoded": decoded if len(decoded) <= _LONGEST_DECODED else None,
        "offsets": _odd_offsets(encoding.offsets, len(text)),
    }


def _odd_offsets(offsets: list[tuple[int, int]], length: int) -> str | None:
    """What is odd about where the tokens are in the text; None when nothing is."""
    before = 0
    for start, end in offsets:
        if not 0 <= start <= end <= length:
            return f"a token from {start} to {end} in a text of {length} characters"
        if start < before:
            return f"a token that starts at {start}, behind one that starts at {before}"
        before = start
    return None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def _limit_processor_time(most: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: the parent's deadline is the bound that is left
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    seconds = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))
