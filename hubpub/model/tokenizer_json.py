"""What is needed of tokenizer.json; the document itself, often 30 MB, is not kept.

The format is that of https://github.com/huggingface/tokenizers (tokenizers/src/tokenizer/serialization.rs and
tokenizers/src/models/*/serialization.rs). An added token does not get the id that the file gives it: the library adds
the tokens in their order behind the vocabulary (`AddedVocabulary::add_tokens`), and warns when the two differ.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hubpub.model.jsonfile import JsonFile, JsonProblem
from hubpub.model.vocabulary import Vocabulary, Wanted, shown, unknown_in_merges, vocabulary_of

_DEEPEST_SEQUENCE = 16


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token that is added to the vocabulary.

    Attributes:
        content: the token.
        declared: the id that the file gives it.
        id: the id that it gets.
        special: whether decoding may skip it.
    """

    content: str
    declared: int
    id: int
    special: bool


@dataclass(frozen=True, slots=True)
class TokenizerJson:
    """What is needed of tokenizer.json.

    Attributes:
        algorithm: "BPE", "WordPiece", "Unigram", "WordLevel"; None when it does not say and nothing tells.
        vocabulary: entries of the model's vocabulary; None when there is no readable model.
        added_tokens: how many tokens are added to it.
        problem: what is wrong with the file.
        model: the model's vocabulary.
        added: the added tokens, each content once.
        again: contents that are added twice, with different ids.
        length: how many tokens there are in all, as `len(tokenizer)`.
        ids: of the tokens that were asked for, and of the post-processor's; added ones included.
        tokens: of the ids that were asked for, added ones included.
        posted: the special tokens of the post-processor, each with the id that it gives them.
        unknown_merges: how many tokens the merges name or make that the vocabulary does not have.
        unknown_merge: the first of them.
        misfit: why the model cannot be built from its own parts.
        unk_token: the token for what is unknown.
        steps: kinds of the normalizers, pre-tokenizers, post-processors and decoders, by these four names.
        byte_fallback: whether bytes stand for what is unknown.
        truncation: the length that every text is cut to.
        padding: the length that every text is padded to; None when it is none or the longest of a batch.
    """

    algorithm: str | None
    vocabulary: int | None
    added_tokens: int
    problem: JsonProblem | None
    model: Vocabulary = field(default_factory=Vocabulary)
    added: tuple[AddedToken, ...] = ()
    again: tuple[tuple[str, int, int], ...] = ()
    length: int = 0
    ids: Mapping[str, int] = field(default_factory=dict)
    tokens: Mapping[int, str] = field(default_factory=dict)
    posted: tuple[tuple[str, int], ...] = ()
    unknown_merges: int = 0
    unknown_merge: str | None = None
    misfit: str | None = None
    unk_token: str | None = None
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    byte_fallback: bool = False
    truncation: int | None = None
    padding: int | None = None

    @property
    def largest(self) -> int:
        """The largest id of any token; -1 when there is none."""
        return max(self.model.largest, max((token.id for token in self.added), default=-1))

    @property
    def byte_level(self) -> bool:
        """Whether it works on bytes, so that every text can be written."""
        return "ByteLevel" in self.steps.get("pre_tokenizer", ()) + self.steps.get("normalizer", ())

    @property
    def ordinary(self) -> int:
        """How many tokens there are that are not special."""
        return self.length - sum(token.special for token in self.added)


@contextmanager
def without_collector() -> Iterator[None]:
    """Parse and drop a large document without the cyclic collector, which would double the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def digest_tokenizer_json(document: JsonFile, wanted: Wanted | None = None) -> TokenizerJson:
    """What is needed of a tokenizer.json.

    Args:
        document: the file as read.
        wanted: tokens and ids to look up.
    """
    model = document.get("model")
    listed = document.get("added_tokens")
    added = [entry for entry in listed if _is_added(entry)] if isinstance(listed, list) else []
    if not isinstance(model, dict):
        return TokenizerJson(None, None, len(added), document.problem)
    wanted = wanted or Wanted()
    post_processor = document.get("post_processor")
    posted = tuple(_posted(post_processor))
    contents = frozenset(entry["content"] for entry in added) | {token for token, _ in posted}
    by_token, vocabulary = _vocabulary(model, Wanted(wanted.tokens | contents | _unk(model), wanted.ids))
    tokens, again = _added(added, vocabulary)
    ids = {**vocabulary.ids, **{token.content: token.id for token in tokens}}
    unknown, example, misfit = _merges(model, by_token)
    algorithm = _algorithm(model)
    truncation, padding = document.get("truncation"), document.get("padding")
    return TokenizerJson(
        algorithm=algorithm,
        vocabulary=vocabulary.size if isinstance(model.get("vocab"), dict | list) else None,
        added_tokens=len(added),
        problem=document.problem,
        model=vocabulary,
        added=tokens,
        again=again,
        length=vocabulary.size + sum(token.content not in vocabulary.ids for token in tokens),
        ids=ids,
        tokens={**vocabulary.tokens, **{token.id: token.content for token in tokens if token.id in wanted.ids}},
        posted=posted,
        unknown_merges=unknown,
        unknown_merge=example,
        misfit=misfit or _unknown_unk(algorithm, model, vocabulary),
        unk_token=next(iter(_unk(model)), None),
        steps={name: tuple(_kinds(document.get(name))) for name in _STEPS},
        byte_fallback=model.get("byte_fallback") is True,
        truncation=_whole(truncation.get("max_length")) if isinstance(truncation, dict) else None,
        padding=_fixed_padding(padding),
    )


_STEPS = {
    "normalizer": "normalizers",
    "pre_tokenizer": "pretokenizers",
    "post_processor": "processors",
    "decoder": "decoders",
}


def _is_added(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("content"), str) and _whole(entry.get("id")) is not None


def _whole(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _algorithm(model: Mapping[str, Any]) -> str | None:
    """The type; files of before 2021 do not name it, and have to be told by their keys."""
    named = model.get("type")
    if isinstance(named, str):
        return named
    for key, algorithm in (("merges", "BPE"), ("unk_id", "Unigram"), ("max_input_chars_per_word", "WordPiece")):
        if key in model:
            return algorithm
    return "WordLevel" if isinstance(model.get("vocab"), dict) else None


def _unk(model: Mapping[str, Any]) -> frozenset[str]:
    unk = model.get("unk_token")
    return frozenset([unk]) if isinstance(unk, str) else frozenset()


def _vocabulary(model: Mapping[str, Any], wanted: Wanted) -> tuple[Mapping[str, int], Vocabulary]:
    """The vocabulary as a mapping, and the facts about it; Unigram keeps it as a list of pieces and scores."""
    entries = model.get("vocab")
    if isinstance(entries, dict):
        return entries, vocabulary_of(entries, wanted)
    if isinstance(entries, list):
        pieces = [entry[0] for entry in entries] if _are_pairs(entries) else []
        if set(map(type, pieces)) != {str}:
            return {}, Vocabulary(size=len(entries), problem=JsonProblem("has a vocabulary that is no list of pieces"))
        by_token = dict(zip(pieces, range(len(pieces)), strict=True))
        return by_token, vocabulary_of(by_token, wanted, size=len(entries))
    return {}, Vocabulary()


def _are_pairs(entries: list[Any]) -> bool:
    return set(map(type, entries)) == {list} and set(map(len, entries)) == {2}


def _added(
    entries: list[dict[str, Any]], vocabulary: Vocabulary
) -> tuple[tuple[AddedToken, ...], tuple[tuple[str, int, int], ...]]:
    """The added tokens with the ids that they get, and those that are there twice with different ids."""
    tokens: dict[str, AddedToken] = {}
    again: list[tuple[str, int, int]] = []
    top = -1
    for entry in entries:
        content, declared = entry["content"], entry["id"]
        if not content:
            continue
        if content in tokens:
            if tokens[content].declared != declared:
                again.append((content, tokens[content].declared, declared))
            continue
        if content in vocabulary.ids:
            given = vocabulary.ids[content]
        elif top >= vocabulary.size or (vocabulary.size == 0 and top >= 0):
            given = top + 1
        else:
            given = vocabulary.size
        top = max(top, given)
        tokens[content] = AddedToken(content, declared, given, entry.get("special") is True)
    return tuple(tokens.values()), tuple(again)


def _merges(model: Mapping[str, Any], by_token: Mapping[str, int]) -> tuple[int, str | None, str | None]:
    """How many tokens of the merges are unknown, the first, and why they cannot be read."""
    merges = model.get("merges")
    if not isinstance(merges, list) or not merges:
        return 0, None, None
    prefix = model.get("continuing_subword_prefix")
    found = unknown_in_merges(by_token.keys(), merges, prefix if isinstance(prefix, str) else "")
    return (0, None, found.message) if isinstance(found, JsonProblem) else (*found, None)


def _unknown_unk(algorithm: str | None, model: Mapping[str, Any], vocabulary: Vocabulary) -> str | None:
    """Why the model has no token for what is unknown, where it cannot do without."""
    if algorithm == "Unigram":
        unk = model.get("unk_id")
        if unk is not None and (_whole(unk) is None or unk >= vocabulary.size):
            return f"gives the unknown token the id {shown(unk)}, and its vocabulary has {vocabulary.size:,} pieces"
    if algorithm == "WordPiece" and vocabulary.size:
        unk = model.get("unk_token", "[UNK]")
        if isinstance(unk, str) and unk not in vocabulary.ids and isinstance(model.get("unk_token"), str):
            return f"names {shown(unk)} as the unknown token, which is not in its vocabulary"
    return None


def _posted(processor: Any, depth: int = 0) -> Iterator[tuple[str, int]]:
    """The special tokens that the post-processor adds, each with its id."""
    if not isinstance(processor, dict) or depth > _DEEPEST_SEQUENCE:
        return
    kind = processor.get("type")
    if kind == "Sequence" and isinstance(processor.get("processors"), list):
        for inner in processor["processors"]:
            yield from _posted(inner, depth + 1)
    elif kind in ("BertProcessing", "RobertaProcessing"):
        for pair in (processor.get("cls"), processor.get("sep")):
            if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and type(pair[1]) is int:
                yield pair[0], pair[1]
    elif kind == "TemplateProcessing" and isinstance(processor.get("special_tokens"), dict):
        for special in processor["special_tokens"].values():
            tokens, ids = (special.get("tokens"), special.get("ids")) if isinstance(special, dict) else (None, None)
            if isinstance(tokens, list) and isinstance(ids, list) and len(tokens) == len(ids):
                for token, number in zip(tokens, ids, strict=True):
                    if isinstance(token, str) and type(number) is int:
                        yield token, number


def _kinds(step: Any, depth: int = 0) -> Iterator[str]:
    """The kinds of a step, those of a sequence one after the other."""
    if not isinstance(step, dict) or depth > _DEEPEST_SEQUENCE:
        return
    kind = step.get("type")
    if kind == "Sequence":
        for key in _STEPS.values():
            inner = step.get(key)
            for each in inner if isinstance(inner, list) else ():
                yield from _kinds(each, depth + 1)
    elif isinstance(kind, str):
        yield kind


def _fixed_padding(padding: Any) -> int | None:
    strategy = padding.get("strategy") if isinstance(padding, dict) else None
    return _whole(strategy.get("Fixed")) if isinstance(strategy, dict) else None
