"""What a chat template needs of the tokenizer beside it: the special tokens, and which texts are tokens.

Texts are looked for in the bytes of the files, as JSON writes them: tokenizer.json has up to 35 MB, and is not
parsed for a handful of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from hubpub.model.jsonfile import JsonFile

_ROLES = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")
_STAND_INS = {"bos_token": "<bos>", "eos_token": "<eos>"}
_LARGEST = 256 << 20
_VOCABULARIES = ("tokenizer.json", "added_tokens.json", "vocab.json", "tekken.json", "tokenizer.model", "spiece.model")
_DECLARING = ("special_tokens_map.json", "tokenizer_config.json")

PIPED = re.compile(r"<[|｜][^<>|｜\s\"'{}]{1,60}[|｜]>")
"""A text that looks like a special token of the style `<|im_start|>` or `<｜User｜>`."""

_PIPED_IN_JSON = re.compile(rb'"<(?:\||\xef\xbd\x9c)[^<>"\\]{1,60}(?:\||\xef\xbd\x9c)>"')


@dataclass(frozen=True, slots=True)
class ChatTokens:
    """The special tokens of the tokenizer in one directory.

    Attributes:
        variables: what templates are given, "eos_token" and the like; what cannot be known has a stand-in.
        declared: the variables that the files set, without the stand-ins.
    """

    variables: dict[str, str]
    declared: dict[str, str]


def chat_tokens(directory: str, read: Callable[[str], JsonFile | None]) -> ChatTokens:
    """The special tokens by the name of their variable, as `special_tokens_map` of transformers has them.

    A role that no file mentions has the default of a class of transformers, which is not known here; one that is
    null is not set.
    """
    declared: dict[str, str] = {}
    absent = dict(_STAND_INS)
    for name in _DECLARING:
        document = read(directory + name)
        if document is None:
            continue
        for role in _ROLES:
            value = document.get(role, "")
            if isinstance(value, dict):
                value = value.get("content")
            if isinstance(value, str) and value:
                declared[role] = value
            elif value is None:
                declared.pop(role, None)
                absent.pop(role, None)
    return ChatTokens({**absent, **declared}, declared)


@dataclass(frozen=True, slots=True)
class KnownTexts:
    """Which of some texts are tokens of the tokenizer.

    Attributes:
        known: those that are.
        piped: whether the tokenizer has any token of the style `<|im_start|>`.
        readable: whether there was a vocabulary to look into.
    """

    known: frozenset[str]
    piped: bool
    readable: bool


def known_texts(
    directory: str, names: Collection[str], texts: Collection[str], start: Callable[[str, int], bytes]
) -> KnownTexts:
    """Which of `texts` are tokens, by what the vocabulary files in `directory` hold.

    Args:
        directory: "" or "dir/".
        names: the paths of the folder.
        texts: the texts in question.
        start: the first bytes of a file.
    """
    known: set[str] = set()
    piped = readable = False
    for name in (*_VOCABULARIES, *_DECLARING):
        path = directory + name
        if path not in names:
            continue
        data = start(path, _LARGEST)
        readable = readable or (name in _VOCABULARIES and bool(data))
        piped = piped or _PIPED_IN_JSON.search(data) is not None
        for text in texts:
            if any(form in data for form in _forms(text, name)):
                known.add(text)
    return KnownTexts(frozenset(known), piped, readable)


def _forms(text: str, name: str) -> list[bytes]:
    if name.endswith(".model"):  # sentencepiece stores the pieces as they are
        return [text.encode()]
    return [json.dumps(text, ensure_ascii=False).encode(), json.dumps(text).encode()]
