"""The tokenizer in the words of a card: its kind, its steps, its size and its special tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubpub.card.facts.sourced import Value, source_of

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder
    from hubpub.model.gguf import GgufFile
    from hubpub.model.tokenizer import TokenizerFiles
    from hubpub.model.tokenizer_json import TokenizerJson
    from hubpub.model.vocabulary import Vocabulary

_MOST_SPECIAL = 12
_NO_LIMIT = 1 << 30  # what transformers writes for "no limit" is 1e30
_SINGLE = 0.9  # part of a vocabulary that are single characters, in one of characters
_WITHOUT_VOCABULARY = {
    "ByT5Tokenizer": "byte level",
    "PerceiverTokenizer": "byte level",
    "DiaTokenizer": "byte level",
    "CanineTokenizer": "character level",
}
# Classes on top of the tokenizers library that build no algorithm of their own, in transformers 5.24.
_FAST_AS_WELL = {
    *("BarthezTokenizer", "CamembertTokenizer", "ConvBertTokenizer", "DPRContextEncoderTokenizer", "FNetTokenizer"),
    *("DPRQuestionEncoderTokenizer", "DPRReaderTokenizer", "MLukeTokenizer", "ParakeetTokenizer", "RoFormerTokenizer"),
    "TokenizersBackend",
}
# tokenizer.ggml.model, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#ggml
_GGML = {
    "llama": "BPE with byte fallback (SentencePiece)",
    "gpt2": "byte-level BPE",
    "bert": "WordPiece",
    "t5": "Unigram (SentencePiece)",
    "rwkv": "RWKV",
}
_GGML_IDS = ("bos", "eos", "unknown", "separator", "padding", "cls", "mask")


@dataclass(frozen=True, slots=True)
class SpecialToken:
    """A special token.

    Attributes:
        role: "bos_token", ...; "" for one without a role.
        content: the token; None where only its id is known.
        id: that it has; None where no file tells.
        source: where it stands.
    """

    role: str
    content: str | None
    id: int | None
    source: str


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """What is known of a tokenizer.

    Attributes:
        kind: "byte-level BPE", "WordPiece", "Unigram", "word level", "character level", "byte level", ...
        vocabulary: how many tokens it has in all, as `len(tokenizer)`.
        added_tokens: how many of them were added to the model's own.
        steps: "Normaliser", "Pre-tokenizer", "Post-processor" with the names of their kinds.
        class_name: of transformers, as the folder names it.
        fast: whether the tokenizers library runs it; None when that cannot be told.
        longest: tokens of a text after which it is cut off.
        special: special tokens, those with a role first.
        special_total: how many there are.
        sources: where each of these stands, by name.
    """

    kind: str | None = None
    vocabulary: int | None = None
    added_tokens: int | None = None
    steps: tuple[Value, ...] = ()
    class_name: str | None = None
    fast: bool | None = None
    longest: int | None = None
    special: tuple[SpecialToken, ...] = ()
    special_total: int = 0
    sources: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return self.kind is not None or self.vocabulary is not None


def tokenizer_facts(folder: ModelFolder) -> TokenizerFacts:
    """What the files say of the tokenizer directly in the folder; of a GGUF file's own where there is no other."""
    files = folder.tokenizer
    if not files.usable:
        gguf = next(((path, file) for path, file in folder.gguf.items() if file.tokens), None)
        return _of_gguf(*gguf) if gguf else TokenizerFacts()
    digest, fallback = files.tokenizer_json, files.fallback
    config = f"{files.directory}tokenizer_config.json"
    longest = files.config.get("model_max_length") if files.config else None
    special = tuple(_special(files))
    sources = {"class_name": source_of(config, "tokenizer_class"), "longest": source_of(config, "model_max_length")}
    sources["special_total"] = config
    sources["fast"] = sources["class_name"]
    vocabulary: int | None = None
    if digest is not None:
        path = f"{files.directory}tokenizer.json"
        vocabulary = digest.length or None
        sources |= {"kind": source_of(path, "model.type"), "vocabulary": source_of(path, "model.vocab, added_tokens")}
        sources |= {"added_tokens": source_of(path, "added_tokens"), "fast": path}
        sources["special_total"] = source_of(path, "added_tokens")
    elif fallback is not None:
        # transformers moves the ids of other files and adds tokens to them
        vocabulary = fallback.vocabulary.size or None
        sources |= {"kind": fallback.path, "vocabulary": fallback.path, "fast": fallback.path}
    return TokenizerFacts(
        kind=_kind(files),
        vocabulary=vocabulary,
        added_tokens=_added(digest),
        steps=tuple(_steps(digest, files.directory)) if digest else (),
        class_name=files.tokenizer_class,
        fast=_fast(files),
        longest=longest if isinstance(longest, int) and 0 < longest < _NO_LIMIT else None,
        special=special[:_MOST_SPECIAL],
        special_total=len(special),
        sources=tuple(sorted(sources.items())),
    )


def _fast(files: TokenizerFiles) -> bool | None:
    """Whether the tokenizers library runs it: transformers 5 builds most classes with it from any of their files."""
    if files.tokenizer_json is not None:
        return True
    name = (files.tokenizer_class or "").removesuffix("Fast")
    if files.fallback is None or files.chosen is None:
        return False if name in _WITHOUT_VOCABULARY else None
    return files.chosen.algorithm is not None or files.chosen.name in _FAST_AS_WELL


def _kind(files: TokenizerFiles) -> str | None:
    digest, fallback = files.tokenizer_json, files.fallback
    if digest is not None:
        return _kind_of_json(digest, _single(digest.model, files))
    built = files.chosen.algorithm if files.chosen else None
    if fallback is not None and fallback.vocabulary.size:
        name = fallback.path.rpartition("/")[2]
        if name.endswith(".tiktoken") or name in ("tekken.json", "tiktoken.model"):
            return "byte-level BPE"
        if name.endswith((".model", ".spm")):
            return f"{built} (SentencePiece)" if built else "SentencePiece"
        if built is None and _single(fallback.vocabulary, files):
            return "character level"
        return built or ("BPE" if f"{files.directory}merges.txt" in files.files else None)
    return _WITHOUT_VOCABULARY.get((files.tokenizer_class or "").removesuffix("Fast"))


def _single(vocabulary: Vocabulary, files: TokenizerFiles) -> bool:
    """Whether the tokens are single characters, but for special ones."""
    named = {role.content for role in files.special.roles}
    named |= {token.content for token in files.tokenizer_json.added if token.special} if files.tokenizer_json else set()
    ordinary = vocabulary.size - len(named & vocabulary.ids.keys())
    return ordinary > 0 and vocabulary.short >= _SINGLE * ordinary


def _kind_of_json(digest: TokenizerJson, single: bool) -> str | None:
    if digest.algorithm == "WordLevel":
        return "character level" if single else "word level"
    if digest.algorithm == "BPE":
        if digest.byte_level:
            return "byte-level BPE"
        if digest.byte_fallback:
            return "BPE with byte fallback"
        return "character level" if single else "BPE"
    if digest.algorithm == "Unigram" and digest.byte_fallback:
        return "Unigram with byte fallback"
    return digest.algorithm


def _added(digest: TokenizerJson | None) -> int | None:
    """Those that the vocabulary of the model does not have already."""
    return (digest.length - digest.model.size or None) if digest is not None else None


def _steps(digest: TokenizerJson, directory: str) -> Iterator[Value]:
    named = (("normalizer", "Normaliser"), ("pre_tokenizer", "Pre-tokenizer"), ("post_processor", "Post-processor"))
    for key, name in named:
        if kinds := digest.steps.get(key):
            yield Value(name, ", ".join(kinds), source_of(f"{directory}tokenizer.json", key))


def _special(files: TokenizerFiles) -> Iterator[SpecialToken]:
    digest = files.tokenizer_json
    ids: dict[str, int] = dict(digest.ids) if digest else {}
    if files.fallback is not None and files.fallback.exact:
        ids |= files.fallback.vocabulary.ids
    for token in files.special.declared:
        ids.setdefault(token.content, token.id)
    named: set[str] = set()
    for role in files.special.roles:
        known = role.name if role.name.endswith("_token") else ""
        named.add(role.content)
        place = source_of(f"{files.directory}{role.file}", role.name)
        yield SpecialToken(known, role.content, ids.get(role.content), place)
    for added in digest.added if digest else ():
        if added.special and added.content not in named:
            yield SpecialToken(
                "", added.content, added.id, source_of(f"{files.directory}tokenizer.json", "added_tokens")
            )


def _of_gguf(path: str, file: GgufFile) -> TokenizerFacts:
    model = file.text("tokenizer.ggml.model")
    keys = ((name, f"tokenizer.ggml.{name}_token_id") for name in _GGML_IDS)
    special = tuple(
        SpecialToken(f"{name}_token", None, number, source_of(path, key))
        for name, key in keys
        if (number := file.number(key)) is not None
    )
    sources = {"kind": source_of(path, "tokenizer.ggml.model"), "vocabulary": source_of(path, "tokenizer.ggml.tokens")}
    sources["special_total"] = path
    return TokenizerFacts(
        kind=_GGML.get(model or "", model),
        vocabulary=file.tokens,
        special=special,
        special_total=len(special),
        sources=tuple(sorted(sources.items())),
    )
